//! Groups in the browser: lists, overview, new, and Settings, General.

mod settings;

pub use settings::{edit, update};

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use super::create::{self as creating, NewGroupForm};
use super::form::{levels, typed_level};
use super::list::{Filter, Order};
use super::path::FullPath;
use super::store::{GroupRef, find_visible};
use super::{Group, Visibility, frame, rows};
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::projects;
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::groups::{GroupListPage, GroupPage, GroupRow, NewGroupPage};
use crate::web::views::sidebar::Place;
use crate::web::{frame as plain_frame, lists};

/// The fields of the forms of groups.
const FIELDS: [Field; 7] = [
    Field::new("name", "name", "Group name"),
    Field::new("path", "path", "Group URL"),
    Field::new("description", "description", "Group description"),
    Field::new("visibility", "visibility_level", "Visibility level"),
    Field::new(
        "resource_access_token_creation_allowed",
        "resource_access_token_creation_allowed",
        "Creation of tokens",
    ),
    Field::new(
        super::notify_inherited::VALUE,
        "resource_access_token_notify_inherited",
        "Recipients of expiry mails",
    ),
    Field::new(
        super::notify_inherited::LOCK,
        "lock_resource_access_token_notify_inherited",
        "Enforcing it",
    ),
];

/// Orders of a list: value, label, what it means.
const ORDERS: [(&str, &str, Order, bool); 4] = [
    ("name_asc", "Name", Order::FullName, false),
    ("name_desc", "Name, descending", Order::FullName, true),
    ("created_desc", "Newest", Order::CreatedAt, true),
    ("created_asc", "Oldest", Order::CreatedAt, false),
];

/// `GET /dashboard/groups` (`SeeGroup`, `OwnAccount`): one's own.
///
/// # Errors
/// When the database is away.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    list(call, false).await
}

/// `GET /explore/groups`, for everybody (`SeeGroup`): all that one can see.
///
/// # Errors
/// When the database is away.
pub async fn explore(call: PageCall) -> Result<HttpResponse, Error> {
    list(call, true).await
}

async fn list(call: PageCall, explore: bool) -> Result<HttpResponse, Error> {
    let search = call.query.text("search").trim().to_owned();
    let sort = call.query.text("sort").to_owned();
    let (sort, _, order, descending) = ORDERS
        .into_iter()
        .find(|(value, ..)| *value == sort)
        .unwrap_or(ORDERS[0]);
    let filter = Filter {
        search: (!search.is_empty()).then(|| search.clone()),
        search_full_path: true,
        membership: !explore,
        // What is searched for is listed wherever it lies; without a search, the tree shows where.
        topmost: search.is_empty(),
        order,
        descending,
        or_last_page: true,
        ..Filter::default()
    };
    let request = PageRequest {
        page: call.query.page("page"),
        ..PageRequest::default()
    };
    let page = call
        .read(move |conn, ctx| {
            lists::page_or_last(request, |request| {
                rows::page(conn, ctx, &filter, request, filter.topmost)
            })
        })
        .await?;
    let (title, path, place) = if explore {
        ("Explore groups", "/explore/groups", Place::Explore)
    } else {
        ("Groups", "/dashboard/groups", Place::Groups)
    };
    let here = if sort == ORDERS[0].0 { "" } else { sort };
    call.ok(&GroupListPage {
        shell: plain_frame::shell(&call, title, place),
        explore,
        path,
        pagination: lists::foot("Groups", &page, |number| {
            lists::address(
                path,
                &[
                    ("search", &search),
                    ("sort", here),
                    ("page", &number.to_string()),
                ],
            )
        }),
        search,
        sorts: ORDERS
            .iter()
            .map(|(value, label, ..)| Choice::new(*value, *label, sort))
            .collect(),
        rows: page.rows,
        can_create: call.ctx.actor.could_on_instance(Right::CreateTopLevelGroup),
    })
}

/// `GET /groups/{full_path}` (for everybody; declares `SeeGroup`): 302 to where groups live.
///
/// # Errors
/// [`Error::NotFound`] for what can't be a path.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn redirect(call: PageCall) -> Result<HttpResponse, Error> {
    let path =
        FullPath::parse(call.segment("full_path")).map_err(|_| Error::NotFound(What::Group))?;
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, format!("/{path}")))
        .finish())
}

/// The overview of a group that the viewer can see, for `GET /{full_path}`.
///
/// # Errors
/// When the database is away.
pub async fn overview(call: PageCall, group: Group) -> Result<HttpResponse, Error> {
    let here = group.clone();
    let subgroup_request = PageRequest {
        page: call.query.page("subgroups_page"),
        ..PageRequest::default()
    };
    let project_request = PageRequest {
        page: call.query.page("projects_page"),
        ..PageRequest::default()
    };
    let (subgroups, inside) = call
        .read(move |conn, ctx| {
            let filter = Filter {
                parent_id: Some(here.id),
                or_last_page: true,
                ..Filter::default()
            };
            let subgroups = lists::page_or_last(subgroup_request, |request| {
                rows::page(conn, ctx, &filter, request, false)
            })?;
            let filter = projects::list::Filter {
                group_id: Some(here.id),
                order: projects::list::Order::Name,
                ascending: true,
                or_last_page: true,
                ..projects::list::Filter::default()
            };
            let inside = lists::page_or_last(project_request, |request| {
                projects::list::list_visible(conn, ctx, &filter, request)
            })?;
            Ok((subgroups, inside))
        })
        .await?;
    let address = format!("/{}", group.full_path);
    let at = |subgroups: i64, projects: i64, anchor: &str| {
        let number = |page: i64| {
            if page > 1 {
                page.to_string()
            } else {
                String::new()
            }
        };
        let query = [
            ("subgroups_page", number(subgroups)),
            ("projects_page", number(projects)),
        ];
        let query = query
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        format!("{}#{anchor}", lists::address(&address, &query))
    };
    let page_number = |page: u64| i64::try_from(page).unwrap_or(1);
    let ctx = &call.ctx;
    let could = |right| ctx.actor.could(right, &group.place(), &ctx.policy);
    call.ok(&GroupPage {
        shell: frame::shell(&call, &group, "Overview", Place::Overview),
        id: group.id,
        role: rows::role(&ctx.actor, &group.place()),
        visibility: group.visibility.into(),
        can_create_subgroup: could(Right::CreateSubgroup),
        can_create_project: could(Right::CreateProject),
        subgroup_pages: lists::foot("Subgroups", &subgroups, |page| {
            at(page_number(page), inside.request.page, "subgroups")
        }),
        project_pages: lists::foot("Projects", &inside, |page| {
            at(subgroups.request.page, page_number(page), "projects")
        }),
        subgroups: subgroups.rows,
        projects: inside
            .rows
            .iter()
            .map(|project| projects::rows::row(ctx, project))
            .collect(),
        name: group.name,
        full_path: group.full_path,
        description: group.description,
    })
}

/// What is in the form of a new group.
#[derive(Debug, Clone, Default)]
struct Typed {
    parent_id: Option<i64>,
    name: String,
    path: String,
    description: String,
    visibility: Option<Visibility>,
}

/// `GET /groups/new?parent_id=` (`CreateTopLevelGroup`, `CreateSubgroup`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for who may not make one there.
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    let parent_id = parent_id(call.query.text("parent_id"))?;
    let typed = Typed {
        parent_id,
        ..Typed::default()
    };
    new_page(&call, typed, FormErrors::none(), StatusCode::OK).await
}

/// `POST /groups` (`CreateTopLevelGroup`, `CreateSubgroup`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for who may not make one there.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    let form = &call.form;
    let mut errors = FormErrors::none();
    let typed = Typed {
        parent_id: parent_id(form.text("group[parent_id]"))?,
        name: form.text("group[name]").into(),
        path: form.text("group[path]").into(),
        description: form.text("group[description]").into(),
        visibility: typed_level(form, "group[visibility_level]", &mut errors),
    };
    if typed.name.trim().is_empty() {
        errors.add("name", "Group name can't be blank");
    }
    if !errors.is_empty() {
        return new_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let new_group = NewGroupForm {
        name: typed.name.clone(),
        path: typed.path.trim().into(),
        description: typed.description.clone(),
        visibility: typed.visibility,
    };
    let parent_id = typed.parent_id;
    let made = call
        .write(move |conn, ctx| {
            let parent = match parent_id {
                Some(id) => Some(find_visible(conn, ctx, &GroupRef::Id(id))?),
                None => None,
            };
            creating::create(conn, ctx, parent.as_ref(), &new_group, None)
        })
        .await;
    match made {
        Ok(group) => {
            call.flash(
                Tone::Success,
                format!("Group '{}' was successfully created.", group.name),
            );
            Ok(call.redirect(&format!("/{}", group.full_path)))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            new_page(&call, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// Nothing for a top-level group.
fn parent_id(text: &str) -> Result<Option<i64>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| Error::NotFound(What::Group))
}

async fn new_page(
    call: &PageCall,
    typed: Typed,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let ctx = &call.ctx;
    let parent = match typed.parent_id {
        Some(id) => Some(
            call.read(move |conn, ctx| find_visible(conn, ctx, &GroupRef::Id(id)))
                .await?,
        ),
        None => None,
    };
    let may = match &parent {
        Some(group) => ctx
            .actor
            .may(Right::CreateSubgroup, &group.place(), &ctx.policy),
        None => ctx.actor.may_on_instance(Right::CreateTopLevelGroup),
    };
    if !may {
        return Err(Error::NotFound(What::Group));
    }
    let ceiling = parent
        .as_ref()
        .map(|group| (group.full_path.as_str(), group.visibility));
    let usual = ctx.policy.settings.default_group_visibility;
    let chosen = typed
        .visibility
        .unwrap_or_else(|| ceiling.map_or(usual, |(_, widest)| usual.min(widest)));
    let shell = match &parent {
        Some(group) => frame::shell(call, group, "New subgroup", Place::Elsewhere),
        None => plain_frame::shell(call, "New group", Place::Groups),
    };
    let below = parent
        .as_ref()
        .map(|group| format!("{}/", group.full_path))
        .unwrap_or_default();
    let page = NewGroupPage {
        shell,
        visibility: levels(chosen, ceiling, None),
        url_prefix: ctx.url(&format!("/{below}")),
        parent: parent.map(|group| (group.id, group.full_path)),
        name: typed.name,
        path: typed.path,
        description: typed.description,
        errors,
    };
    call.render(status, &page)
}

/// The groups that somebody starts from: the topmost ones that they are a member of.
///
/// # Errors
/// When the database is away.
pub(crate) fn starting_points(
    conn: &mut DbConnection,
    ctx: &Context,
    request: PageRequest,
) -> Result<Page<GroupRow>, Error> {
    let filter = Filter {
        membership: true,
        topmost: true,
        ..Filter::default()
    };
    rows::page(conn, ctx, &filter, request, true)
}
