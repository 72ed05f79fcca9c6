//! The trail for other programs: the same events as the page lists, all of them, as CSV or as lines of JSON.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::filter::Way;
use super::list::{Asked, AuditEvent, Filter, Mark, further_on, older};
use super::scope::Scope;
use super::{Event, Target, record};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::spreadsheet;

/// Events that are read and handed on at a time.
const AT_ONCE: i64 = 1_000;

/// Events of whatever kind that one statement goes through for those of a group: it may have few among millions.
const WINDOW: i64 = 20_000;

/// How events are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, as RFC 4180 has them, with a head.
    Csv,
    /// An object a line.
    JsonLines,
}

impl Format {
    /// As it is called in addresses and on the command line.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::JsonLines),
            _ => None,
        }
    }

    /// `csv` or `jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::JsonLines => "application/x-ndjson",
        }
    }
}

/// The columns of CSV, and the keys of the objects.
const COLUMNS: [&str; 17] = [
    "id",
    "time",
    "event",
    "actor_kind",
    "actor_id",
    "actor",
    "channel",
    "ip",
    "user_agent",
    "target_kind",
    "target_id",
    "target",
    "group_id",
    "group",
    "details",
    "request_id",
    "occurrences",
];

/// An export on its way: where it is, and what it writes.
#[derive(Debug, Clone)]
pub struct Export {
    scope: Scope,
    filter: Filter,
    format: Format,
    after: Option<Mark>,
    is_new: bool,
    is_over: bool,
}

/// Begins an export of a part of the trail, and notes there that somebody took it.
///
/// # Errors
/// As [`Scope::check_anew`], and [`Error::Invalid`] for a filter that names nothing.
pub fn begin(
    conn: &mut DbConnection,
    ctx: &Context,
    scope: &Scope,
    asked: &Asked,
    format: Format,
) -> Result<Export, Error> {
    let ctx = scope.check_anew(conn, ctx)?;
    let filter = asked.resolve_in(conn, scope)?;
    let details = json!({ "format": format.name(), "filter": asked });
    let target = scope.group().map_or(Target::Instance, Target::Group);
    record(
        conn,
        &ctx,
        Event::new("audit_exported", target).with(details),
    )?;
    Ok(Export {
        scope: scope.clone(),
        filter,
        format,
        after: None,
        is_new: true,
        is_over: false,
    })
}

impl Export {
    /// The next piece, which may be empty; nothing at the end. Asks anew whether the caller may: an export may take a while.
    ///
    /// # Errors
    /// As [`begin`], and when the database is away.
    pub fn next(
        &mut self,
        conn: &mut DbConnection,
        ctx: &Context,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.scope.check_anew(conn, ctx)?;
        if self.is_over {
            return Ok(None);
        }
        let end = match self.filter.within {
            Some(_) => further_on(conn, &self.filter, self.after, WINDOW)?,
            None => None,
        };
        let events = older(conn, &self.filter, self.after, end, AT_ONCE, Way::InOrder)?;
        let more = i64::try_from(events.len()).is_ok_and(|found| found >= AT_ONCE);
        self.after = if more {
            events.last().map(AuditEvent::mark)
        } else {
            end
        };
        self.is_over = self.after.is_none();
        let head = std::mem::replace(&mut self.is_new, false);
        let bytes = match self.format {
            Format::Csv => csv(&events, head).map_err(anyhow::Error::from),
            Format::JsonLines => json_lines(&events).map_err(anyhow::Error::from),
        };
        bytes.map(Some).map_err(Error::internal)
    }
}

fn csv(events: &[AuditEvent], head: bool) -> Result<Vec<u8>, csv::Error> {
    spreadsheet::csv(head.then_some(&COLUMNS), events.iter().map(cells))
}

fn json_lines(events: &[AuditEvent]) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::new();
    for event in events {
        serde_json::to_writer(&mut bytes, &object(event))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn time(event: &AuditEvent) -> String {
    event
        .created_at
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn cells(event: &AuditEvent) -> [String; 17] {
    let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
    [
        event.id.to_string(),
        time(event),
        event.event.clone(),
        event.actor_kind.clone(),
        number(event.actor_id),
        event.actor_name.clone(),
        event.channel.clone(),
        event.ip.clone(),
        event.user_agent.clone(),
        event.target_kind.clone(),
        number(event.target_id),
        event.target_name.clone(),
        number(event.group_id),
        event.group_path.clone(),
        event.details.clone(),
        event.request_id.clone(),
        event.occurrences.to_string(),
    ]
}

fn object(event: &AuditEvent) -> Value {
    let details: Value = serde_json::from_str(&event.details).unwrap_or(Value::Null);
    json!({
        "id": event.id,
        "time": time(event),
        "event": event.event,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor": event.actor_name,
        "channel": event.channel,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "target_kind": event.target_kind,
        "target_id": event.target_id,
        "target": event.target_name,
        "group_id": event.group_id,
        "group": event.group_path,
        "details": details,
        "request_id": event.request_id,
        "occurrences": event.occurrences,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> AuditEvent {
        AuditEvent {
            id: 7,
            created_at: "2026-11-20T10:00:00.120Z".parse().unwrap(),
            event: "group_created".into(),
            actor_kind: "human".into(),
            actor_id: Some(3),
            actor_name: name.into(),
            channel: "page".into(),
            ip: "10.0.0.1".into(),
            user_agent: String::new(),
            request_id: "abc".into(),
            target_kind: "group".into(),
            target_id: Some(1),
            target_name: "a, \"b\"\r\nc".into(),
            group_id: None,
            group_path: String::new(),
            details: r#"{"name":["x","y"]}"#.into(),
            occurrences: 1,
        }
    }

    #[test]
    fn commas_quotes_and_line_breaks_stay_within_their_cell() {
        let bytes = csv(&[event("Ann")], true).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("id,time,event,"), "{text}");
        assert!(text.ends_with("\r\n"), "{text}");
        assert!(text.contains("\"a, \"\"b\"\"\r\nc\""), "{text}");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get(11), Some("a, \"b\"\r\nc"));
        assert_eq!(rows[0].get(14), Some(r#"{"name":["x","y"]}"#));
    }

    #[test]
    fn a_line_of_json_is_an_object_with_the_columns_as_keys() {
        let bytes = json_lines(&[event("=Ann"), event("Bo")]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["actor"], "=Ann");
        assert_eq!(lines[0]["details"]["name"][1], "y");
        let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, COLUMNS);
    }
}
