//! Members in the browser: the list, adding, changing, and the page that asks before one is removed.
//! Groups and projects share all of it.

mod change;
mod remove;
mod rows;
mod wanted;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{Days, NaiveDate};

use self::change::{Typed, add, change};
use self::remove::{confirm_remove, remove};
use self::wanted::Wanted;
use super::list::{Member, list};
use super::{AccessLevel, store};
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::permissions::Right;
use crate::projects::store::ProjectRef;
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::components::Choice;
use crate::web::views::forms::FormErrors;
use crate::web::views::members::{AddMember, MembersPage, columns};
use crate::web::views::shell::{Flash, Shell};
use crate::web::views::sidebar::Place;
use crate::{groups, projects};

/// Members on one page.
const PER_PAGE: i64 = 50;

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
