//! Pages: the trail of the instance or of a group, and its export. There is one implementation; only the part of the
//! trail differs.

mod address;
mod filter;
mod rows;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::export::{self, Export, Format};
use super::list::{self, Asked, AuditEvent, Slice};
use super::scope::Scope;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors, What};
use crate::groups;
use crate::web::download::{self, Pieces};
use crate::web::page::PageCall;
use crate::web::views::audit::AuditLogPage;
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};
use address::{asked, href, part};
pub(crate) use rows::channel;

/// The address of the instance's page.
const PATH: &str = "/admin/audit_logs";

/// Events of a page.
const PER_PAGE: i64 = 50;

/// `GET /admin/audit_logs` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    show(&call, Whose::Instance).await
}

/// `GET /admin/audit_logs.csv` and `.jsonl` (`Administer`): every event that the page would list. Each leaves an event
/// behind, so that no link on another site may cause one.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, [`Error::TooManyRequests`] beyond 60 a minute.
pub async fn export(call: PageCall) -> Result<HttpResponse, Error> {
    send(&call, Whose::Instance).await
}

/// `GET /groups/{full_path}/-/audit_events` (`SeeAuditEvents`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but the group's Owners and administrators.
pub async fn group_index(call: PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    show(&call, Whose::Group(path)).await
}

/// `GET /groups/{full_path}/-/audit_events.csv` and `.jsonl` (`SeeAuditEvents`, `SeeGroup`), as [`export`].
///
/// # Errors
/// As [`group_index`], [`Error::TooManyRequests`] beyond 60 a minute.
pub async fn group_export(call: PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    send(&call, Whose::Group(path)).await
}

/// Whose part of the trail an address names.
#[derive(Clone)]
enum Whose {
    Instance,
    /// The group with this path.
    Group(String),
}

impl Whose {
    fn find(&self, conn: &mut DbConnection, ctx: &Context) -> Result<Scope, Error> {
        match self {
            Whose::Instance => {
                let hidden = |_| Error::NotFound(What::Thing);
                Scope::Instance.check(ctx).map_err(hidden)?;
                Ok(Scope::Instance)
            }
            Whose::Group(path) => Scope::of_group(conn, ctx, path),
        }
    }
}

/// What was asked for, or what is wrong with it.
type Outcome<T> = (Scope, Result<T, FieldErrors>);

/// Takes what is wrong with a filter for an answer, so that the page around it is still known.
fn with_scope<T>(scope: Scope, found: Result<T, Error>) -> Result<Outcome<T>, Error> {
    match found {
        Ok(found) => Ok((scope, Ok(found))),
        Err(Error::Invalid(errors)) => Ok((scope, Err(errors))),
        Err(other) => Err(other),
    }
}

async fn show(call: &PageCall, whose: Whose) -> Result<HttpResponse, Error> {
    let asked = asked(&call.query);
    let part = part(&call.query);
    let wanted = asked.clone();
    let (scope, found) = call
        .read(move |conn, ctx| {
            let scope = whose.find(conn, ctx)?;
            let found = wanted
                .resolve_in(conn, &scope)
                .and_then(|filter| list::find(conn, ctx, &scope, &filter, part, PER_PAGE));
            with_scope(scope, found)
        })
        .await?;
    match found {
        Ok(slice) => call.ok(&page(
            call,
            &scope,
            &asked,
            Some(&slice),
            FormErrors::none(),
        )),
        Err(errors) => unreadable(call, &scope, &asked, &errors),
    }
}

async fn send(call: &PageCall, whose: Whose) -> Result<HttpResponse, Error> {
    let missing = || Error::NotFound(What::Thing);
    let format = Format::parse(call.segment("format")).ok_or_else(missing)?;
    let sought = whose.clone();
    // Who may not look at it is told nothing else about it.
    call.read(move |conn, ctx| sought.find(conn, ctx).map(|_| ()))
        .await?;
    download::admit(call)?;
    let asked = asked(&call.query);
    let wanted = asked.clone();
    let (scope, begun) = call
        .write(move |conn, ctx| {
            let scope = whose.find(conn, ctx)?;
            let begun = export::begin(conn, ctx, &scope, &wanted, format);
            with_scope(scope, begun)
        })
        .await?;
    match begun {
        Ok(export) => {
            let today = call.ctx.today();
            let name = match scope.group() {
                None => format!("audit-{today}.{}", format.name()),
                Some(group) => {
                    let group = group.full_path.replace('/', "-");
                    format!("audit-{group}-{today}.{}", format.name())
                }
            };
            download::send(call, &name, format.media_type(), export)
        }
        Err(errors) => unreadable(call, &scope, &asked, &errors),
    }
}

impl Pieces for Export {
    fn next(&mut self, conn: &mut DbConnection, ctx: &Context) -> Result<Option<Vec<u8>>, Error> {
        Export::next(self, conn, ctx)
    }
}

fn unreadable(
    call: &PageCall,
    scope: &Scope,
    asked: &Asked,
    errors: &FieldErrors,
) -> Result<HttpResponse, Error> {
    let page = page(call, scope, asked, None, filter::on_filter(errors));
    call.render(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn shell(call: &PageCall, scope: &Scope) -> Shell {
    match scope {
        Scope::Instance => call.shell(
            "Audit log",
            vec![Crumb::link("Admin", "/admin"), Crumb::here("Audit log")],
            Some(Sidebar::admin(Place::AuditLog)),
        ),
        Scope::Group(group) => {
            groups::frame::shell(call, group, "Audit events", Place::AuditEvents)
        }
    }
}

fn page(
    call: &PageCall,
    scope: &Scope,
    asked: &Asked,
    slice: Option<&Slice>,
    errors: FormErrors,
) -> AuditLogPage {
    let now = call.ctx.now;
    let (heading, lead, path) = match scope {
        Scope::Instance => (
            "Audit log",
            "Who did what, and when.".to_owned(),
            PATH.to_owned(),
        ),
        Scope::Group(group) => (
            "Audit events",
            "Who did what, and when, in this group, its subgroups and projects.".to_owned(),
            format!("/groups/{}/-/audit_events", group.full_path),
        ),
    };
    let edge = |event: Option<&AuditEvent>, name: &str| {
        event.map(|event| href(&path, asked, &[(name, &event.mark().to_string())]))
    };
    AuditLogPage {
        shell: shell(call, scope),
        heading,
        lead,
        filter: filter::filter(asked, scope.group().is_some()),
        errors,
        rows: slice
            .map(|slice| {
                let events = slice.events.iter();
                events.map(|event| rows::row(event, &path, now)).collect()
            })
            .unwrap_or_default(),
        newest: slice
            .filter(|slice| slice.has_newer)
            .map(|_| href(&path, asked, &[])),
        newer: slice
            .filter(|slice| slice.has_newer)
            .and_then(|slice| edge(slice.events.first(), "after")),
        older: slice
            .filter(|slice| slice.has_older)
            .and_then(|slice| edge(slice.events.last(), "before")),
        csv: href(&format!("{path}.csv"), asked, &[]),
        json_lines: href(&format!("{path}.jsonl"), asked, &[]),
        path,
    }
}
