//! Pages: the audit log of the instance, and its export.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream;
use serde_json::Value;

use super::catalogue::{self, Area};
use super::export::{self, Export, Format};
use super::list::{self, Asked, AuditEvent, CHANNELS, Part, Slice};
use super::record::TARGETS;
use crate::app::App;
use crate::context::Context;
use crate::error::{Error, FieldErrors, What};
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::web::csrf;
use crate::web::lists::{address, grouped};
use crate::web::page::{Form, PageCall};
use crate::web::views::admin::audit::{
    AuditFilter, AuditLogPage, Change, EventGroup, EventRow, Link,
};
use crate::web::views::components::{Choice, Moment};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// The page's own address.
const PATH: &str = "/admin/audit_logs";

/// Events of a page.
const PER_PAGE: i64 = 50;

/// Exports that one administrator may take in a minute.
const IN_A_MINUTE: u32 = 60;

/// Longer texts name nothing.
const LONGEST: usize = 512;

/// `GET /admin/audit_logs` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let asked = asked(&call.query);
    let part = part(&call.query);
    let wanted = asked.clone();
    let found = call
        .read(move |conn, ctx| {
            let filter = wanted.resolve(conn)?;
            list::of_instance(conn, ctx, &filter, part, PER_PAGE)
        })
        .await;
    match found {
        Ok(slice) => call.ok(&page(&call, &asked, Some(&slice), FormErrors::none())),
        Err(Error::Invalid(errors)) => {
            let page = page(&call, &asked, None, on_filter(&errors));
            call.render(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other),
    }
}

/// `GET /admin/audit_logs.csv` and `.jsonl` (`Administer`): every event that the page would list, as it is sent.
/// Whoever stops reading stops it; if it breaks off, so does the transfer. Each leaves an event behind, so that no link
/// on another site may cause one.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, [`Error::TooManyRequests`] beyond 60 a minute.
pub async fn export(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let missing = || Error::NotFound(What::Thing);
    let format = Format::parse(call.segment("format")).ok_or_else(missing)?;
    if csrf::comes_from_another_site(call.req()) {
        return Err(Error::forbidden());
    }
    let caller = call.ctx.actor.user_id().unwrap_or_default();
    let standing = call.app.exports.count(caller, IN_A_MINUTE, call.ctx.now);
    if let Some(over) = standing.filter(|standing| standing.is_over()) {
        return Err(Error::TooManyRequests(over.wait(call.ctx.now)));
    }
    let asked = asked(&call.query);
    let wanted = asked.clone();
    let begun = call
        .write(move |conn, ctx| export::begin(conn, ctx, &wanted, format))
        .await;
    let export = match begun {
        Ok(export) => export,
        Err(Error::Invalid(errors)) => {
            let page = page(&call, &asked, None, on_filter(&errors));
            return call.render(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
        Err(other) => return Err(other),
    };
    let name = format!(
        "attachment; filename=\"audit-{}.{}\"",
        call.ctx.today(),
        format.name()
    );
    let disposition =
        HeaderValue::from_str(&name).map_err(|error| Error::internal(error.into()))?;
    let source = Source {
        app: call.app.clone(),
        ctx: call.ctx.clone(),
        export,
    };
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header((CONTENT_DISPOSITION, disposition))
        .streaming(stream::try_unfold(source, Source::next)))
}

/// Where an export comes from.
struct Source {
    app: App,
    ctx: Context,
    export: Export,
}

/// Why an export broke off; the log knows more.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
struct BrokenOff;

impl actix_web::ResponseError for BrokenOff {}

impl Source {
    /// The next piece, read when the client has taken the one before.
    async fn next(self) -> Result<Option<(Bytes, Self)>, BrokenOff> {
        let Source {
            app,
            ctx,
            mut export,
        } = self;
        loop {
            let (asking, from) = (ctx.clone(), export);
            let read = app.db.read(move |conn| {
                // A read may run again: it goes on from where it was.
                let mut next = from.clone();
                let piece = next.next(conn, &asking)?;
                Ok(piece.map(|piece| (piece, next)))
            });
            match read.await {
                Ok(None) => return Ok(None),
                // To the transfer, nothing would be the end.
                Ok(Some((piece, next))) if piece.is_empty() => export = next,
                Ok(Some((piece, export))) => {
                    return Ok(Some((Bytes::from(piece), Source { app, ctx, export })));
                }
                Err(error) => {
                    tracing::error!(
                        request_id = ctx.actor.origin.request_id,
                        ?error,
                        "An export of the audit log broke off"
                    );
                    return Err(BrokenOff);
                }
            }
        }
    }
}

fn administers(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::NotFound(What::Thing))
    }
}

/// The filter that an address asks for.
fn asked(query: &Form) -> Asked {
    let text = |name: &str| -> String {
        query
            .text(name)
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect()
    };
    Asked {
        event: text("event"),
        actor: text("actor"),
        target_kind: text("target_kind"),
        target: text("target"),
        group: text("group"),
        since: text("since"),
        until: text("until"),
        channel: text("channel"),
    }
}

fn part(query: &Form) -> Part {
    let id = |name: &str| query.text(name).parse::<i64>().ok();
    match (id("before"), id("after")) {
        (Some(id), _) => Part::OlderThan(id),
        (None, Some(id)) => Part::NewerThan(id),
        (None, None) => Part::Newest,
    }
}

fn href(path: &str, asked: &Asked, more: &[(&str, &str)]) -> String {
    let mut query = vec![
        ("event", asked.event.as_str()),
        ("actor", &asked.actor),
        ("target_kind", &asked.target_kind),
        ("target", &asked.target),
        ("group", &asked.group),
        ("since", &asked.since),
        ("until", &asked.until),
        ("channel", &asked.channel),
    ];
    query.extend_from_slice(more);
    address(path, &query)
}

fn on_filter(errors: &FieldErrors) -> FormErrors {
    let mut told = FormErrors::none();
    for (field, message) in errors.iter() {
        let label = match field {
            "event" => "Event",
            "target_kind" => "Kind of target",
            "group" => "Group",
            "since" => "From",
            "until" => "To",
            _ => "Channel",
        };
        told.add(field, format!("{label} {message}"));
    }
    told
}

fn page(call: &PageCall, asked: &Asked, slice: Option<&Slice>, errors: FormErrors) -> AuditLogPage {
    let now = call.ctx.now;
    let rows: Vec<EventRow> = slice
        .map(|slice| slice.events.iter().map(|event| row(event, now)).collect())
        .unwrap_or_default();
    let edge = |event: Option<&AuditEvent>, name: &str| {
        event.map(|event| href(PATH, asked, &[(name, &event.id.to_string())]))
    };
    let newer = slice
        .filter(|slice| slice.has_newer)
        .and_then(|slice| edge(slice.events.first(), "after"));
    let older = slice
        .filter(|slice| slice.has_older)
        .and_then(|slice| edge(slice.events.last(), "before"));
    let newest = slice
        .filter(|slice| slice.has_newer)
        .map(|_| href(PATH, asked, &[]));
    AuditLogPage {
        shell: call.shell(
            "Audit log",
            vec![Crumb::link("Admin", "/admin"), Crumb::here("Audit log")],
            Some(Sidebar::admin(Place::AuditLog)),
        ),
        path: PATH,
        filter: filter(asked),
        errors,
        rows,
        newest,
        newer,
        older,
        csv: href(&format!("{PATH}.csv"), asked, &[]),
        json_lines: href(&format!("{PATH}.jsonl"), asked, &[]),
    }
}

fn filter(asked: &Asked) -> AuditFilter {
    let any = |chosen: &str| std::iter::once(Choice::new("", "Any", chosen));
    let events = Area::ALL.into_iter().map(|area| EventGroup {
        heading: area.heading(),
        events: catalogue::all()
            .filter(|kind| kind.area == area)
            .map(|kind| Choice::new(kind.name, kind.title, &asked.event))
            .collect(),
    });
    AuditFilter {
        events: events.collect(),
        actor: asked.actor.clone(),
        target_kinds: any(&asked.target_kind)
            .chain(TARGETS.map(|kind| Choice::new(kind, target_noun(kind), &asked.target_kind)))
            .collect(),
        target: asked.target.clone(),
        group: asked.group.clone(),
        since: asked.since.clone(),
        until: asked.until.clone(),
        channels: any(&asked.channel)
            .chain(CHANNELS.map(|name| Choice::new(name, channel(name), &asked.channel)))
            .collect(),
        narrows: !asked.is_everything(),
    }
}

fn target_noun(kind: &str) -> &'static str {
    match kind {
        "access_token" => "Access token",
        "group" => "Group",
        "project" => "Project",
        "user" => "User",
        "webhook" => "Webhook",
        _ => "Instance",
    }
}

/// By which door something came, in words.
pub(crate) fn channel(name: &str) -> &'static str {
    match name {
        "page" => "Browser",
        "api" => "API",
        "git" => "Git",
        "console" => "Command line",
        _ => "The server itself",
    }
}

fn row(event: &AuditEvent, now: DateTime<Utc>) -> EventRow {
    let only = |asked: Asked| href(PATH, &asked, &[]);
    let target = event.target_id.map(|id| Link {
        href: only(Asked {
            target_kind: event.target_kind.clone(),
            target: id.to_string(),
            ..Asked::default()
        }),
        text: if event.target_name.is_empty() {
            format!("#{id}")
        } else {
            shortened(&event.target_name)
        },
    });
    let mut changes = changes(&event.details);
    if event.target_name.chars().count() > SHORT {
        changes.insert(
            0,
            Change {
                field: "target".into(),
                old: None,
                new: event.target_name.clone(),
            },
        );
    }
    EventRow {
        id: event.id,
        at: Moment::at(event.created_at, now),
        title: catalogue::find(&event.event)
            .map_or_else(|| event.event.replace('_', " "), |kind| kind.title.into()),
        name: event.event.clone(),
        actor: Link {
            href: only(Asked {
                actor: event
                    .actor_id
                    .map_or_else(|| event.actor_name.clone(), |id| id.to_string()),
                ..Asked::default()
            }),
            text: event.actor_name.clone(),
        },
        actor_kind: match event.actor_kind.as_str() {
            "bot" => Some("Bot"),
            _ => None,
        },
        target_kind: target_noun(&event.target_kind),
        target,
        group: Some(event.group_path.clone())
            .filter(|path| !path.is_empty())
            .map(|path| Link {
                href: only(Asked {
                    group: path.clone(),
                    ..Asked::default()
                }),
                text: path,
            }),
        occurrences: Some(event.occurrences)
            .filter(|times| *times > 1)
            .map(grouped),
        ip: event.ip.clone(),
        channel: channel(&event.channel),
        user_agent: event.user_agent.clone(),
        request_id: event.request_id.clone(),
        changes,
    }
}

/// A name of one word that is longer would push everything else aside.
const SHORT: usize = 40;

/// A name as tables have room for it.
fn shortened(name: &str) -> String {
    if name.chars().count() <= SHORT || name.contains(' ') {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(SHORT / 2).collect();
    short.push('…');
    short
}

/// Fields whose value is a list, and not what was and what is.
const LISTS: [&str; 4] = ["scopes", "revoked", "projects", "known"];

/// The details, field by field; what didn't change is left out.
fn changes(details: &str) -> Vec<Change> {
    let Ok(Value::Object(fields)) = serde_json::from_str(details) else {
        return Vec::new();
    };
    fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(field, value)| {
            let (old, new) = match value {
                Value::Array(pair) if !LISTS.contains(&field.as_str()) => match pair.as_slice() {
                    [old, new] => (Some(shown(field, old)), shown(field, new)),
                    _ => (None, shown(field, value)),
                },
                _ => (None, shown(field, value)),
            };
            Change {
                field: field.replace('_', " "),
                old,
                new,
            }
        })
        .collect()
}

fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) if text.is_empty() => "empty".into(),
        Value::String(text) => text.clone(),
        Value::Number(number) if field == "access_level" => AccessLevel::parse(&number.to_string())
            .map_or_else(|| number.to_string(), |level| level.name().to_owned()),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| shown(field, item))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(_) => "none".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(details: &str) -> Vec<(String, Option<String>, String)> {
        changes(details)
            .into_iter()
            .map(|change| (change.field, change.old, change.new))
            .collect()
    }

    #[test]
    fn a_pair_is_what_was_and_what_is_and_a_list_is_a_list() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told(
                r#"{"name":["a","b"],"path":null,"scopes":["api","sudo"],"access_level":[10,null]}"#
            ),
            [
                ("name".into(), some("a"), "b".into()),
                ("scopes".into(), None, "api, sudo".into()),
                ("access level".into(), some("Guest"), "none".into()),
            ]
        );
        assert!(told("not JSON").is_empty() && told("{}").is_empty());
    }

    #[test]
    fn an_address_says_everything_and_comes_back_the_same() {
        let text = "event=group_created&actor=ann&target_kind=group&target=a%26b&group=acme/sub\
                    &since=2026-11-01&until=2026-11-20&channel=api";
        let wanted = asked(&Form::parse(text.as_bytes()));
        assert_eq!(wanted.target, "a&b");
        let there = href("/x", &wanted, &[]);
        let query = there.strip_prefix("/x?").unwrap();
        assert_eq!(asked(&Form::parse(query.as_bytes())), wanted);
    }
}
