//! Members in the browser: the list, adding, changing, and the page that asks before one is removed.
//! Groups and projects share all of it.

mod rows;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{Days, NaiveDate};

use super::list::{Filter, Member, Sort, list};
use super::{AccessLevel, Membership, add as adding, change as changing, store};
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::permissions::Right;
use crate::projects::store::ProjectRef;
use crate::users::{self, User, UserKind};
use crate::web::form_errors::{Field, on_form};
use crate::web::lists;
use crate::web::page::{Form, PageCall};
use crate::web::params::parse_date;
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::members::{AddMember, MembersPage, RemoveMemberPage, columns};
use crate::web::views::shell::{Flash, Shell};
use crate::web::views::sidebar::Place;
use crate::{groups, projects};

/// Members on one page.
const PER_PAGE: i64 = 50;

/// The fields of the forms of members.
const FIELDS: [Field; 3] = [
    Field::new("user_id", "user", "Username or email"),
    Field::new("access_level", "access_level", "Role"),
    Field::new("expires_at", "expires_at", "Access expiration date"),
];

/// Orders of the list.
const ORDERS: [(&str, Sort); 4] = [
    ("name", Sort::Name),
    ("access_level", Sort::AccessLevel),
    ("expires_at", Sort::ExpiresAt),
    ("created_at", Sort::CreatedAt),
];

/// Whose members.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Group,
    Project,
}

/// `GET /groups/{full_path}/-/group_members`, for everybody (`SeeGroup`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] for a group that the viewer can't see.
pub async fn group_index(call: PageCall) -> Result<HttpResponse, Error> {
    index(call, Kind::Group).await
}

/// `POST /groups/{full_path}/-/group_members` (`SeeGroup`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners.
pub async fn group_add(call: PageCall) -> Result<HttpResponse, Error> {
    add(call, Kind::Group).await
}

/// `POST /groups/{full_path}/-/group_members/{id}` (`SeeGroup`, `ManageMembers`); the id is the user's.
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners.
pub async fn group_change(call: PageCall) -> Result<HttpResponse, Error> {
    change(call, Kind::Group).await
}

/// `GET /groups/{full_path}/-/group_members/{id}/remove` (`SeeGroup`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners and the member.
pub async fn group_confirm_remove(call: PageCall) -> Result<HttpResponse, Error> {
    confirm_remove(call, Kind::Group).await
}

/// `POST /groups/{full_path}/-/group_members/{id}/remove` (`SeeGroup`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners and the member.
pub async fn group_remove(call: PageCall) -> Result<HttpResponse, Error> {
    remove(call, Kind::Group).await
}

/// `GET /{full_path}/-/project_members`, for everybody (`SeeProject`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] for a project that the viewer can't see.
pub async fn project_index(call: PageCall) -> Result<HttpResponse, Error> {
    index(call, Kind::Project).await
}

/// `POST /{full_path}/-/project_members` (`SeeProject`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer.
pub async fn project_add(call: PageCall) -> Result<HttpResponse, Error> {
    add(call, Kind::Project).await
}

/// `POST /{full_path}/-/project_members/{id}` (`SeeProject`, `ManageMembers`); the id is the user's.
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer.
pub async fn project_change(call: PageCall) -> Result<HttpResponse, Error> {
    change(call, Kind::Project).await
}

/// `GET /{full_path}/-/project_members/{id}/remove` (`SeeProject`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer, but for the member.
pub async fn project_confirm_remove(call: PageCall) -> Result<HttpResponse, Error> {
    confirm_remove(call, Kind::Project).await
}

/// `POST /{full_path}/-/project_members/{id}/remove` (`SeeProject`, `ManageMembers`).
///
/// # Errors
/// [`Error::NotFound`] below the role Maintainer, but for the member.
pub async fn project_remove(call: PageCall) -> Result<HttpResponse, Error> {
    remove(call, Kind::Project).await
}

fn find(conn: &mut DbConnection, ctx: &Context, kind: Kind, path: &str) -> Result<Resource, Error> {
    let path = path.to_owned();
    match kind {
        Kind::Group => {
            groups::store::find_visible(conn, ctx, &GroupRef::Path(path)).map(Resource::Group)
        }
        Kind::Project => {
            projects::store::find_visible(conn, ctx, &ProjectRef::Path(path)).map(Resource::Project)
        }
    }
}

fn shell(call: &PageCall, resource: &Resource, title: &str) -> Shell {
    match resource {
        Resource::Group(group) => groups::frame::shell(call, group, title, Place::Members),
        Resource::Project(project) => projects::frame::shell(call, project, title, Place::Members),
    }
}

/// Where the list is.
fn address(resource: &Resource) -> String {
    match resource {
        Resource::Group(group) => format!("/groups/{}/-/group_members", group.full_path),
        Resource::Project(project) => format!("/{}/-/project_members", project.full_path()),
    }
}

/// What the list shows, as its address says.
struct Wanted {
    search: String,
    role: Option<AccessLevel>,
    kind: &'static str,
    sort: String,
    by: Sort,
    descending: bool,
    page: i64,
}

impl Wanted {
    fn read(query: &Form) -> Self {
        let asked = query.text("sort");
        let order = ORDERS
            .into_iter()
            .find_map(|(key, by)| match asked.strip_prefix(key) {
                Some("_asc") => Some((by, false)),
                Some("_desc") => Some((by, true)),
                _ => None,
            });
        let (by, descending) = order.unwrap_or((Sort::Name, false));
        let kind = query.text("kind");
        Wanted {
            search: query.text("search").trim().to_owned(),
            role: query
                .text("role")
                .parse()
                .ok()
                .and_then(AccessLevel::from_number),
            kind: ["people", "bots"]
                .into_iter()
                .find(|name| *name == kind)
                .unwrap_or_default(),
            sort: if order.is_some() {
                asked.to_owned()
            } else {
                "name_asc".into()
            },
            by,
            descending,
            page: query.page("page"),
        }
    }

    fn filter(&self) -> Filter {
        Filter {
            search: (!self.search.is_empty()).then(|| self.search.clone()),
            inherited: true,
            kind: match self.kind {
                "people" => Some(UserKind::Human),
                "bots" => Some(UserKind::ProjectBot),
                _ => None,
            },
            access_level: self.role,
            sort: self.by,
            descending: self.descending,
            ..Filter::default()
        }
    }

    fn narrows(&self) -> bool {
        !self.search.is_empty() || self.role.is_some() || !self.kind.is_empty()
    }

    fn role_value(&self) -> String {
        self.role
            .map(|role| role.number().to_string())
            .unwrap_or_default()
    }

    fn href(&self, path: &str, sort: &str, page: u64) -> String {
        let (role, page) = (
            self.role_value(),
            if page > 1 {
                page.to_string()
            } else {
                String::new()
            },
        );
        let sort = if sort == "name_asc" { "" } else { sort };
        let query = [
            ("search", self.search.as_str()),
            ("role", &role),
            ("kind", self.kind),
            ("sort", sort),
            ("page", &page),
        ];
        lists::address(path, &query)
    }
}

/// What was typed into a form of a member.
#[derive(Debug, Clone, Default)]
struct Typed {
    user: String,
    access_level: Option<AccessLevel>,
    expires_at: String,
}

impl Typed {
    fn read(form: &Form) -> Self {
        Typed {
            user: form.text("member[user]").trim().to_owned(),
            access_level: form
                .text("member[access_level]")
                .parse()
                .ok()
                .and_then(AccessLevel::from_number),
            expires_at: form.text("member[expires_at]").trim().to_owned(),
        }
    }

    /// Role and end, or what is wrong with them.
    fn check(&self, errors: &mut FormErrors) -> Option<(AccessLevel, Option<NaiveDate>)> {
        if self.access_level.is_none() {
            errors.add("access_level", "Role must be one of the list");
        }
        let date = parse_date(&self.expires_at);
        if date.is_none() && !self.expires_at.is_empty() {
            errors.add(
                "expires_at",
                "Access expiration date must be a date like 2027-01-31",
            );
        }
        errors.is_empty().then_some(())?;
        Some((self.access_level?, date))
    }
}

/// What a list needs besides its address.
#[derive(Default)]
struct Told {
    /// What was typed into the form that adds a member, and what is wrong with it.
    add: Option<(Typed, FormErrors)>,
    /// What was typed for this member, if anything, and why it can't be.
    change: Option<(i64, Option<Typed>, String)>,
}

async fn index(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    list_page(&call, kind, Told::default(), StatusCode::OK).await
}

async fn list_page(
    call: &PageCall,
    kind: Kind,
    told: Told,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let wanted = Wanted::read(&call.query);
    let (path, filter) = (call.segment("full_path").to_owned(), wanted.filter());
    let request = PageRequest {
        page: wanted.page,
        per_page: PER_PAGE,
    };
    let (resource, page, owners): (Resource, Page<Member>, Vec<i64>) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path)?;
            let page = lists::page_or_last(request, |request| {
                list(conn, ctx, &resource, &filter, request)
            })?;
            let owners = match &resource {
                Resource::Group(group) if group.parent_id.is_none() => {
                    store::lasting_owners(conn, group.id)?
                }
                _ => Vec::new(),
            };
            Ok((resource, page, owners))
        })
        .await?;
    let ctx = &call.ctx;
    let viewer = rows::Viewer::new(ctx, &resource, owners);
    let path = address(&resource);
    let mut shell = shell(call, &resource, "Members");
    if let Some((_, _, reason)) = &told.change {
        shell.flashes.push(Flash::danger(reason.clone()));
    }
    let changed = told.change.map(|(id, typed, _)| (id, typed));
    let role = wanted.role_value();
    let any = std::iter::once(Choice::new("", "Any", &role));
    let page = MembersPage {
        shell,
        noun: resource.noun(),
        notice: viewer.is_only_admin().then(|| {
            format!(
                "You are not a member of this {}. You see it as an administrator.",
                resource.noun()
            )
        }),
        search: wanted.search.clone(),
        roles: any
            .chain(rows::role_choices(AccessLevel::Owner, &role))
            .collect(),
        kinds: [
            ("", "People and bots"),
            ("people", "People"),
            ("bots", "Bots"),
        ]
        .map(|(value, label)| Choice::new(value, label, wanted.kind))
        .to_vec(),
        narrows: wanted.narrows(),
        add: viewer.highest_to_give().map(|highest| {
            let (typed, errors) = told.add.unwrap_or_default();
            let level = typed.access_level.unwrap_or(AccessLevel::Guest);
            AddMember {
                open: !errors.is_empty() || call.query.is_ticked("new"),
                roles: rows::role_choices(highest, &level.number().to_string()),
                user: typed.user,
                expires_at: typed.expires_at,
                earliest: earliest(ctx),
                errors,
            }
        }),
        count: lists::total(page.total),
        columns: columns(&wanted.sort, |sort| wanted.href(&path, sort, 1)),
        rows: page
            .rows
            .iter()
            .map(|member| {
                let typed = changed.as_ref().filter(|(id, _)| *id == member.user.id);
                viewer.row(member, typed.and_then(|(_, typed)| typed.as_ref()))
            })
            .collect(),
        pagination: lists::foot("Members", &page, |number| {
            wanted.href(&path, &wanted.sort, number)
        }),
        path,
    };
    call.render(status, &page)
}

/// Tomorrow: a membership that ends today would never have counted.
fn earliest(ctx: &Context) -> String {
    let tomorrow = ctx
        .today()
        .checked_add_days(Days::new(1))
        .unwrap_or(NaiveDate::MAX);
    tomorrow.to_string()
}

async fn add(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let typed = Typed::read(&call.form);
    let path = call.segment("full_path").to_owned();
    let mut errors = FormErrors::none();
    if typed.user.is_empty() {
        errors.add("user", "Username or email can't be blank");
    }
    let Some((level, date)) = typed.check(&mut errors) else {
        may_manage(&call, kind).await?;
        return add_again(&call, kind, typed, errors).await;
    };
    let login = typed.user.clone();
    let added = call
        .write(move |conn, ctx| {
            let resource = find_manageable(conn, ctx, kind, &path)?;
            let user = find_person(conn, &login)?;
            adding::add(conn, ctx, &resource, &user, level, date).map_err(|error| match error {
                Error::Conflict(_) => {
                    Error::invalid("user", format!("{} is a member here already", user.name))
                }
                other => other,
            })?;
            Ok((resource, user))
        })
        .await;
    match added {
        Ok((resource, user)) => {
            call.flash(
                Tone::Success,
                format!("{} was added as {level}.", user.name),
            );
            Ok(call.redirect(&address(&resource)))
        }
        Err(Error::Invalid(invalid)) if invalid.iter().any(|(field, _)| field == "user") => {
            for (_, sentence) in invalid.iter() {
                errors.add("user", sentence);
            }
            add_again(&call, kind, typed, errors).await
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            add_again(&call, kind, typed, errors).await
        }
    }
}

async fn add_again(
    call: &PageCall,
    kind: Kind,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let told = Told {
        add: Some((typed, errors)),
        change: None,
    };
    list_page(call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// The person with this user name or address, to be added.
fn find_person(conn: &mut DbConnection, login: &str) -> Result<User, Error> {
    // No account has such characters, and PostgreSQL takes no NUL.
    let found = if login.chars().any(char::is_control) {
        None
    } else {
        users::store::find_by_login(conn, login)?
    };
    match found {
        None => Err(Error::invalid(
            "user",
            format!("Nobody has the username or email {login}"),
        )),
        Some(user) if !user.is_human() => Err(Error::invalid(
            "user",
            "The bot of an access token can't be added: it stays where its token was made",
        )),
        Some(user) => Ok(user),
    }
}

/// The group or project, if the actor may manage its members.
fn find_manageable(
    conn: &mut DbConnection,
    ctx: &Context,
    kind: Kind,
    path: &str,
) -> Result<Resource, Error> {
    let resource = find(conn, ctx, kind, path)?;
    if ctx
        .actor
        .may(Right::ManageMembers, &resource.place(), &ctx.policy)
    {
        Ok(resource)
    } else {
        Err(resource.missing())
    }
}

async fn may_manage(call: &PageCall, kind: Kind) -> Result<(), Error> {
    let path = call.segment("full_path").to_owned();
    call.read(move |conn, ctx| find_manageable(conn, ctx, kind, &path).map(|_| ()))
        .await
}

async fn change(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let typed = Typed::read(&call.form);
    let mut errors = FormErrors::none();
    let Some((level, date)) = typed.check(&mut errors) else {
        may_manage(&call, kind).await?;
        return change_again(&call, kind, id, typed, errors).await;
    };
    let changed = call
        .write(move |conn, ctx| {
            let resource = find_manageable(conn, ctx, kind, &path)?;
            changing::change(conn, ctx, &resource, id, level, date)?;
            let user = users::store::find(conn, id)?.ok_or(Error::NotFound(What::User))?;
            Ok((resource, user))
        })
        .await;
    match changed {
        Ok((resource, user)) => {
            call.flash(
                Tone::Success,
                format!("The membership of {} was updated.", user.name),
            );
            Ok(call.redirect(&address(&resource)))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            change_again(&call, kind, id, typed, errors).await
        }
    }
}

async fn change_again(
    call: &PageCall,
    kind: Kind,
    id: i64,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let texts: Vec<String> = errors
        .messages
        .into_iter()
        .map(|error| error.text)
        .collect();
    let told = Told {
        add: None,
        change: Some((id, Some(typed), sentence(&texts.join(". ")))),
    };
    list_page(call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// With its full stop.
fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn user_id(call: &PageCall) -> Result<i64, Error> {
    call.segment("id")
        .parse()
        .map_err(|_| Error::NotFound(What::User))
}

/// A membership that may be ended, or why it may not.
type Removable = Result<(Membership, User), String>;

fn find_removable(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
) -> Result<Removable, Error> {
    match changing::find_removable(conn, ctx, resource, id) {
        Ok(found) => Ok(Ok(found)),
        Err(Error::Forbidden(Some(reason))) => Ok(Err(sentence(&reason))),
        Err(Error::Forbidden(None)) => Err(resource.missing()),
        Err(error) => Err(error),
    }
}

async fn confirm_remove(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let (resource, found) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path)?;
            let found = find_removable(conn, ctx, &resource, id)?;
            Ok((resource, found))
        })
        .await?;
    let (membership, user) = match found {
        Ok(found) => found,
        // There is nothing to confirm: the reason stands above the list.
        Err(reason) => {
            call.flash(Tone::Danger, reason);
            return Ok(call.redirect(&address(&resource)));
        }
    };
    let leaving = call.ctx.actor.user_id() == Some(id);
    let title = if leaving { "Leave" } else { "Remove member" };
    call.ok(&RemoveMemberPage {
        shell: shell(&call, &resource, title),
        noun: resource.noun(),
        resource: resource.name().to_owned(),
        path: address(&resource),
        user_id: id,
        name: user.name,
        username: user.username,
        role: membership.access_level.to_string(),
        leaving,
    })
}

async fn remove(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let removed = call
        .write(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path)?;
            let user = changing::remove(conn, ctx, &resource, id)?;
            Ok((resource, user))
        })
        .await;
    match removed {
        Ok((resource, user)) => {
            if call.ctx.actor.user_id() == Some(id) {
                call.flash(
                    Tone::Success,
                    format!("You left the {} '{}'.", resource.noun(), resource.name()),
                );
                // It may be hidden from now on.
                return Ok(call.redirect("/"));
            }
            call.flash(Tone::Success, format!("{} was removed.", user.name));
            Ok(call.redirect(&address(&resource)))
        }
        Err(Error::Forbidden(Some(reason))) => {
            let told = Told {
                add: None,
                change: Some((id, None, sentence(&reason))),
            };
            list_page(&call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(Error::Forbidden(None)) => Err(Error::NotFound(What::Thing)),
        Err(error) => Err(error),
    }
}
