//! Settings, Advanced: the pages that ask first, and what they then do. One implementation for groups and projects.

mod delete;
mod path;
mod transfer;
mod words;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::permissions::Right;
use crate::projects::store::ProjectRef;
use crate::web::page::PageCall;
use crate::web::views::advanced::{Advanced, Subject};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::Shell;
use crate::web::views::sidebar::Place;
use crate::{groups, projects};

/// What the pages are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Group,
    Project,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Path,
    Transfer,
    Delete,
}

/// `GET /groups/{full_path}/-/{path|transfer|delete}` (the rights of the verbs): asks first.
///
/// # Errors
/// [`Error::NotFound`] for everybody but the group's Owners.
pub async fn ask_group(call: PageCall) -> Result<HttpResponse, Error> {
    ask(&call, Kind::Group).await
}

/// `POST /groups/{full_path}/-/{path|transfer|delete}` (the rights of the verbs).
///
/// # Errors
/// [`Error::NotFound`] for everybody but the group's Owners.
pub async fn act_on_group(call: PageCall) -> Result<HttpResponse, Error> {
    act(&call, Kind::Group).await
}

/// `GET /{full_path}/-/{path|transfer|delete}` (the rights of the verbs): asks first.
///
/// # Errors
/// [`Error::NotFound`] below the role Owner; another address is for Maintainers too.
pub async fn ask_project(call: PageCall) -> Result<HttpResponse, Error> {
    ask(&call, Kind::Project).await
}

/// `POST /{full_path}/-/{path|transfer|delete}` (the rights of the verbs).
///
/// # Errors
/// [`Error::NotFound`] below the role Owner; another address is for Maintainers too.
pub async fn act_on_project(call: PageCall) -> Result<HttpResponse, Error> {
    act(&call, Kind::Project).await
}

async fn ask(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    match action(call)? {
        Action::Path => path::page(call, kind, None, FormErrors::none(), StatusCode::OK).await,
        Action::Transfer => transfer::ask(call, kind).await,
        Action::Delete => {
            delete::page(
                call,
                kind,
                String::new(),
                FormErrors::none(),
                StatusCode::OK,
            )
            .await
        }
    }
}

async fn act(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    match action(call)? {
        Action::Path => path::change(call, kind).await,
        Action::Transfer => transfer::transfer(call, kind).await,
        Action::Delete => delete::delete(call, kind).await,
    }
}

fn action(call: &PageCall) -> Result<Action, Error> {
    match call.segment("action") {
        "path" => Ok(Action::Path),
        "transfer" => Ok(Action::Transfer),
        "delete" => Ok(Action::Delete),
        _ => Err(Error::NotFound(What::Thing)),
    }
}

/// The right that an action takes.
fn right(kind: Kind, action: Action) -> Right {
    match (kind, action) {
        (Kind::Group, Action::Path) => Right::EditGroup,
        (Kind::Group, Action::Transfer) => Right::TransferGroup,
        (Kind::Group, Action::Delete) => Right::DeleteGroup,
        (Kind::Project, Action::Path) => Right::EditProject,
        (Kind::Project, Action::Transfer) => Right::TransferProject,
        (Kind::Project, Action::Delete) => Right::DeleteProject,
    }
}

/// The group or project at this address, if the actor may do this with it.
fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    kind: Kind,
    path: &str,
    action: Action,
) -> Result<Resource, Error> {
    let path = path.to_owned();
    let resource = match kind {
        Kind::Group => Resource::Group(groups::store::find_visible(
            conn,
            ctx,
            &GroupRef::Path(path),
        )?),
        Kind::Project => Resource::Project(projects::store::find_visible(
            conn,
            ctx,
            &ProjectRef::Path(path),
        )?),
    };
    if ctx
        .actor
        .may(right(kind, action), &resource.place(), &ctx.policy)
    {
        Ok(resource)
    } else {
        Err(resource.missing())
    }
}

/// Where everything about it lies: `/groups/acme/-`, `/acme/api/-`.
fn base(resource: &Resource) -> String {
    match resource {
        Resource::Group(group) => format!("/groups/{}/-", group.full_path),
        Resource::Project(project) => format!("/{}/-", project.full_path()),
    }
}

/// Its general settings, with **Advanced** open.
fn settings(resource: &Resource) -> String {
    format!(
        "{}/edit?section=advanced#js-advanced-settings",
        base(resource)
    )
}

/// The frame of each of the pages, and what they say about the thing.
fn subject(call: &PageCall, resource: &Resource, title: &str) -> (Shell, Subject) {
    let shell = match resource {
        Resource::Group(group) => groups::frame::shell(call, group, title, Place::General),
        Resource::Project(project) => projects::frame::shell(call, project, title, Place::General),
    };
    let about = Subject {
        noun: resource.noun(),
        name: resource.name().to_owned(),
        full_path: resource.full_path(),
        base: base(resource),
        back: settings(resource),
    };
    (shell, about)
}

/// The section **Advanced** of the settings: what the actor may do.
pub(crate) fn section(
    ctx: &Context,
    resource: &Resource,
    open: bool,
    saved: Option<String>,
) -> Advanced {
    let kind = match resource {
        Resource::Group(_) => Kind::Group,
        Resource::Project(_) => Kind::Project,
    };
    let could = |action| {
        ctx.actor
            .could(right(kind, action), &resource.place(), &ctx.policy)
    };
    Advanced {
        noun: resource.noun(),
        base: base(resource),
        open,
        saved,
        path: could(Action::Path),
        transfer: could(Action::Transfer),
        delete: could(Action::Delete),
    }
}
