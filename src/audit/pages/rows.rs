//! Events as rows.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::super::catalogue;
use super::super::list::{Asked, AuditEvent};
use super::address::href;
use crate::members::AccessLevel;
use crate::web::lists::grouped;
use crate::web::views::audit::{Change, EventRow, Link};
use crate::web::views::components::Moment;

pub(super) fn target_noun(kind: &str) -> &'static str {
    match kind {
        "access_token" => "Access token",
        "group" => "Group",
        "project" => "Project",
        "user" => "User",
        "webhook" => "Webhook",
        _ => "Instance",
    }
}

pub(crate) fn channel(name: &str) -> &'static str {
    match name {
        "page" => "Browser",
        "api" => "API",
        "git" => "Git",
        "console" => "Command line",
        _ => "The server itself",
    }
}

/// An event; its links lead to other parts of the list at `path`.
pub(super) fn row(event: &AuditEvent, path: &str, now: DateTime<Utc>) -> EventRow {
    let only = |asked: Asked| href(path, &asked, &[]);
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
        target_id: event.target_id.map(|id| id.to_string()).unwrap_or_default(),
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
const LISTS: [&str; 5] = ["scopes", "revoked", "ended_sooner", "projects", "known"];

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
}
