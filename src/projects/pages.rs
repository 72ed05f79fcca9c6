//! Projects in the browser: lists, overview, new, and Settings, General. Also what stands at
//! `/{full_path}`, which groups, projects and people share.

mod new;
mod settings;

pub use new::{create, new};
pub use settings::{edit, update};

use actix_web::HttpResponse;

use super::list::{Filter, Order, list_visible};
use super::store::{ProjectRef, find_visible};
use super::{Project, frame, rows};
use crate::context::Context;
use crate::db::{DbConnection, PageRequest};
use crate::error::{Error, What};
use crate::git;
use crate::groups::{self, Group};
use crate::permissions::Right;
use crate::web::form_errors::Field;
use crate::web::page::PageCall;
use crate::web::views::code::Folder;
use crate::web::views::components::{Choice, Day, Loaded, Snippet};
use crate::web::views::projects::{ProjectListPage, ProjectPage};
use crate::web::views::shell::Shell;
use crate::web::views::sidebar::Place;
use crate::web::{frame as plain_frame, lists};

/// The fields of the forms of projects.
const FIELDS: [Field; 5] = [
    Field::new("name", "name", "Project name"),
    Field::new("namespace_id", "namespace_id", "Group or account"),
    Field::new("path", "path", "Project URL"),
    Field::new("description", "description", "Project description"),
    Field::new("visibility", "visibility_level", "Visibility level"),
];

/// Orders of a list: value, label, what it means, smallest first?
const ORDERS: [(&str, &str, Order, bool); 5] = [
    ("name_asc", "Name", Order::Name, true),
    ("name_desc", "Name, descending", Order::Name, false),
    (
        "latest_activity_desc",
        "Last updated",
        Order::LastActivityAt,
        false,
    ),
    ("created_desc", "Newest", Order::CreatedAt, false),
    ("created_asc", "Oldest", Order::CreatedAt, true),
];

/// `GET /{full_path}`, for everybody (`SeeGroup`, `SeeProject`): a group, a project, or a person's
/// namespace.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden.
pub async fn namespace_or_project(call: PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let found = call
        .read(move |conn, ctx| find_at(conn, ctx, &path))
        .await?;
    match found {
        Found::Group(group) => groups::pages::overview(call, group).await,
        Found::Personal(namespace) => of_person(call, namespace).await,
        Found::Project(project) => overview(&call, project).await,
    }
}

/// What stands at an address.
enum Found {
    Group(Group),
    Personal(Group),
    Project(Project),
}

fn find_at(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Found, Error> {
    match groups::store::find_by_path(conn, path)? {
        Some(namespace) if namespace.is_personal() => Ok(Found::Personal(namespace)),
        Some(group) if ctx.actor.may(Right::SeeGroup, &group.place(), &ctx.policy) => {
            Ok(Found::Group(group))
        }
        Some(_) => Err(Error::NotFound(What::Group)),
        None => find_visible(conn, ctx, &ProjectRef::Path(path.to_owned())).map(Found::Project),
    }
}

/// `GET /dashboard/projects` (`SeeProject`, `OwnAccount`): those that one is a member of.
///
/// # Errors
/// When the database is away.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    let filter = Filter {
        membership: true,
        ..Filter::default()
    };
    let shell = plain_frame::shell(&call, "Projects", Place::Projects);
    let page = listed(
        &call,
        filter,
        "Projects",
        "/dashboard/projects",
        shell,
        true,
    )
    .await?;
    call.ok(&page)
}

/// A person's own projects, as far as the viewer may know of them. Strangers don't learn of an account
/// that shows them nothing.
async fn of_person(call: PageCall, namespace: Group) -> Result<HttpResponse, Error> {
    let filter = Filter {
        group_id: Some(namespace.id),
        ..Filter::default()
    };
    let mut shell = plain_frame::shell(&call, &namespace.name, Place::Elsewhere);
    shell.title = format!("{} · {}", namespace.name, namespace.full_path);
    let own = namespace.owner_id == call.ctx.actor.user_id();
    let path = format!("/{}", namespace.full_path);
    let page = listed(&call, filter, &namespace.name, &path, shell, own).await?;
    if page.rows.is_empty() && !call.is_signed_in() {
        return Err(Error::NotFound(What::Thing));
    }
    call.ok(&page)
}

async fn listed(
    call: &PageCall,
    filter: Filter,
    heading: &str,
    path: &str,
    shell: Shell,
    can_create: bool,
) -> Result<ProjectListPage, Error> {
    let search = call.query.text("search").trim().to_owned();
    let sort = call.query.text("sort").to_owned();
    let (sort, _, order, ascending) = ORDERS
        .into_iter()
        .find(|(value, ..)| *value == sort)
        .unwrap_or(ORDERS[0]);
    let filter = Filter {
        search: (!search.is_empty()).then(|| search.clone()),
        search_namespaces: true,
        order,
        ascending,
        or_last_page: true,
        ..filter
    };
    let request = PageRequest {
        page: call.query.page("page"),
        ..PageRequest::default()
    };
    let page = call
        .read(move |conn, ctx| {
            lists::page_or_last(request, |request| list_visible(conn, ctx, &filter, request))
        })
        .await?;
    let here = if sort == ORDERS[0].0 { "" } else { sort };
    Ok(ProjectListPage {
        shell,
        heading: heading.into(),
        path: path.into(),
        pagination: lists::foot("Projects", &page, |number| {
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
        rows: page
            .rows
            .iter()
            .map(|project| rows::row(&call.ctx, project))
            .collect(),
        can_create: can_create && call.ctx.actor.is_signed_in(),
    })
}

async fn overview(call: &PageCall, project: Project) -> Result<HttpResponse, Error> {
    let ctx = &call.ctx;
    let reads = ctx
        .actor
        .could(Right::ReadCode, &project.place(), &ctx.policy);
    let clone_url = reads.then(|| ctx.url(&format!("/{}.git", project.full_path())));
    let mut snippets = match &clone_url {
        Some(url) if is_waiting_for_code(call, &project).await? => first_push(url, &project),
        _ => Vec::new(),
    };
    let address = ctx.url(&format!("/api/v4/projects/{}", project.id));
    snippets.push(Snippet {
        label: "Read the project through the API".into(),
        text: format!("curl --header \"PRIVATE-TOKEN: <your token>\" \"{address}\""),
    });
    let namespace = &project.namespace;
    let page = ProjectPage {
        shell: frame::shell(call, &project, "Overview", Place::Overview),
        id: project.id,
        full_path: project.full_path(),
        visibility: project.visibility.into(),
        role: groups::rows::role(&ctx.actor, &project.place()),
        created: Day::on(project.created_at.date_naive()),
        namespace: frame::sees_namespace(call, &project).then(|| {
            (
                namespace.full_name.clone(),
                format!("/{}", namespace.full_path),
            )
        }),
        code: if reads {
            files(call, &project).await
        } else {
            None
        },
        clone_url,
        snippets,
        name: project.row.name,
        description: project.row.description,
    };
    call.ok(&page)
}

/// The files of a project whose code the viewer may read. That they can't be shown is no reason to show nothing.
async fn files(call: &PageCall, project: &Project) -> Option<Loaded<Folder>> {
    match git::pages::overview(call, project).await {
        Ok(folder) => folder.map(Loaded::Ready),
        Err(error) => {
            tracing::error!(%error, project_id = project.id, "The files of a project could not be shown");
            Some(Loaded::Failed {
                request_id: call.ctx.actor.origin.request_id.clone(),
            })
        }
    }
}

/// Is nothing there yet, and may the viewer push something?
async fn is_waiting_for_code(call: &PageCall, project: &Project) -> Result<bool, Error> {
    let ctx = &call.ctx;
    let pushes = ctx
        .actor
        .could(Right::PushToProtectedBranch, &project.place(), &ctx.policy);
    if !pushes || project.archived {
        return Ok(false);
    }
    let (repositories, address) = (call.app.repositories.clone(), project.into());
    actix_web::web::block(move || repositories.is_empty(address))
        .await
        .map_err(|error| Error::internal(error.into()))
}

/// The lines that push what lies in a folder.
fn first_push(url: &str, project: &Project) -> Vec<Snippet> {
    let branch = &project.default_branch;
    [
        (
            "Push an existing repository: say where",
            format!("git remote add origin {url}"),
        ),
        (
            "call its branch as it is called here",
            format!("git branch -M {branch}"),
        ),
        (
            "and push it",
            format!("git push --set-upstream origin {branch}"),
        ),
    ]
    .into_iter()
    .map(|(label, text)| Snippet {
        label: label.into(),
        text,
    })
    .collect()
}
