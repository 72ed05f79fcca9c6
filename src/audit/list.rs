//! Events, newest first, a slice at a time.

use std::fmt;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

pub use super::filter::{Asked, CHANNELS, Filter};
use super::filter::{Rows, Way, narrowed};
use super::scope::Scope;
use crate::context::Context;
use crate::db::schema::audit_events;
use crate::db::{Backend, DbConnection, Limits as _, Timestamp};
use crate::error::Error;

/// An event as it was written.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct AuditEvent {
    /// Its number.
    pub id: i64,
    /// When it happened.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    /// Its name in the [catalogue](super::catalogue).
    pub event: String,
    /// `human`, `bot`, `system` or `anonymous`.
    pub actor_kind: String,
    /// Who did it.
    pub actor_id: Option<i64>,
    /// What they were called.
    pub actor_name: String,
    /// `page`, `api`, `console` or `job`.
    pub channel: String,
    /// The client's address; empty where there was none.
    pub ip: String,
    /// What the client said it was.
    pub user_agent: String,
    /// The request in which it happened.
    pub request_id: String,
    /// One of [`TARGETS`](super::record::TARGETS).
    pub target_kind: String,
    /// What it happened to.
    pub target_id: Option<i64>,
    /// What that was called.
    pub target_name: String,
    /// In which group.
    pub group_id: Option<i64>,
    /// That group's path then; empty outside of groups.
    pub group_path: String,
    /// JSON: what changed.
    pub details: String,
    /// How often; more than once for what is counted.
    pub occurrences: i64,
}

/// A place in the order of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    at: DateTime<Utc>,
    id: i64,
}

impl AuditEvent {
    /// Its place in the order.
    pub fn mark(&self) -> Mark {
        Mark {
            at: self.created_at,
            id: self.id,
        }
    }
}

/// As addresses have it: milliseconds and number. It tells all about the place, so that nobody has to look whether there
/// is such an event.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_millis(), self.id)
    }
}

impl Mark {
    /// The place that [`Mark::to_string`] wrote down.
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.split_once('.')?;
        Some(Mark {
            at: DateTime::from_timestamp_millis(millis.parse().ok()?)?,
            id: id.parse().ok()?,
        })
        // What no database can hold is no place.
        .filter(|mark: &Mark| (1970..10_000).contains(&chrono::Datelike::year(&mark.at)))
    }
}

/// Which part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its beginning.
    Newest,
    /// What comes before this place.
    OlderThan(Mark),
    /// What came right after this place.
    NewerThan(Mark),
}

/// A part of the list, newest first.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Is there anything newer?
    pub has_newer: bool,
    /// Is there anything older?
    pub has_older: bool,
}

/// Events of a part of the trail. `filter` was resolved in the same part.
///
/// # Errors
/// As [`Scope::check`].
pub fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    scope: &Scope,
    filter: &Filter,
    part: Part,
    at_most: i64,
) -> Result<Slice, Error> {
    scope.check(ctx)?;
    slice(conn, filter, part, at_most)
}

/// Events of the whole instance.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but administrators.
pub fn of_instance(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    part: Part,
    at_most: i64,
) -> Result<Slice, Error> {
    find(conn, ctx, &Scope::Instance, filter, part, at_most)
}

/// The latest events of one token, for whoever may see the token.
///
/// # Errors
/// When the database is away.
pub fn of_token(
    conn: &mut DbConnection,
    token_id: i64,
    at_most: i64,
) -> Result<Vec<AuditEvent>, Error> {
    let filter = Filter::of_token(token_id);
    older(conn, &filter, None, None, at_most, Way::Shortest)
}

fn slice(
    conn: &mut DbConnection,
    filter: &Filter,
    part: Part,
    at_most: i64,
) -> Result<Slice, Error> {
    let wanted = usize::try_from(at_most).unwrap_or(usize::MAX);
    if let Part::NewerThan(mark) = part {
        let mut events = newer(conn, filter, mark, at_most + 1)?;
        let has_newer = events.len() > wanted;
        events.truncate(wanted);
        events.reverse();
        return Ok(Slice {
            events,
            has_newer,
            has_older: true,
        });
    }
    let mark = match part {
        Part::OlderThan(mark) => Some(mark),
        _ => None,
    };
    let mut events = older(conn, filter, mark, None, at_most + 1, Way::Shortest)?;
    let has_older = events.len() > wanted;
    events.truncate(wanted);
    Ok(Slice {
        events,
        has_newer: mark.is_some(),
        has_older,
    })
}

/// The events before this place, newest first; from the newest, if there is none. Not beyond the other place, if there
/// is one.
///
/// # Errors
/// When the database is away.
pub(super) fn older(
    conn: &mut DbConnection,
    filter: &Filter,
    mark: Option<Mark>,
    down_to: Option<Mark>,
    at_most: i64,
    way: Way,
) -> Result<Vec<AuditEvent>, Error> {
    let mut rows = behind(narrowed(filter, way), filter, mark);
    rows = match down_to {
        Some(last) if filter.since.is_none_or(|since| since <= last.at) => {
            let at = Timestamp::from(last.at);
            rows.filter(audit_events::created_at.ge(at)).filter(
                audit_events::created_at
                    .gt(at)
                    .or(audit_events::id.ge(last.id)),
            )
        }
        _ => match filter.since {
            Some(since) => rows.filter(audit_events::created_at.ge(Timestamp::from(since))),
            None => rows,
        },
    };
    Ok(rows
        .order((audit_events::created_at.desc(), audit_events::id.desc()))
        .select(AuditEvent::as_select())
        .at_most(at_most)
        .load(conn)?)
}

/// The place so many events of whatever kind before this one; nothing, if there aren't as many.
///
/// # Errors
/// When the database is away.
pub(super) fn further_on(
    conn: &mut DbConnection,
    filter: &Filter,
    mark: Option<Mark>,
    events: i64,
) -> Result<Option<Mark>, Error> {
    let places: Vec<(Timestamp, i64)> =
        behind(audit_events::table.into_boxed::<Backend>(), filter, mark)
            .order((audit_events::created_at.desc(), audit_events::id.desc()))
            .offset(events - 1)
            .limit(A_PLACE)
            .select((audit_events::created_at, audit_events::id))
            .load(conn)?;
    Ok(places.first().map(|(at, id)| Mark {
        at: (*at).into(),
        id: *id,
    }))
}

/// Rows that say where one is.
const A_PLACE: i64 = 1;

/// What comes before this place, and within the days that are looked for.
fn behind(rows: Rows, filter: &Filter, mark: Option<Mark>) -> Rows {
    // One bound on each side, or an index serves the wrong one.
    match (mark, filter.before) {
        (Some(mark), before) if before.is_none_or(|before| mark.at < before) => {
            let at = Timestamp::from(mark.at);
            rows.filter(audit_events::created_at.le(at)).filter(
                audit_events::created_at
                    .lt(at)
                    .or(audit_events::id.lt(mark.id)),
            )
        }
        (_, Some(before)) => rows.filter(audit_events::created_at.lt(Timestamp::from(before))),
        (_, None) => rows,
    }
}

/// The events after this place, the next one first.
fn newer(
    conn: &mut DbConnection,
    filter: &Filter,
    mark: Mark,
    at_most: i64,
) -> Result<Vec<AuditEvent>, Error> {
    let mut rows = narrowed(filter, Way::Shortest);
    if let Some(before) = filter.before {
        rows = rows.filter(audit_events::created_at.lt(Timestamp::from(before)));
    }
    rows = match filter.since {
        Some(since) if since > mark.at => {
            rows.filter(audit_events::created_at.ge(Timestamp::from(since)))
        }
        _ => {
            let at = Timestamp::from(mark.at);
            rows.filter(audit_events::created_at.ge(at)).filter(
                audit_events::created_at
                    .gt(at)
                    .or(audit_events::id.gt(mark.id)),
            )
        }
    };
    Ok(rows
        .order((audit_events::created_at.asc(), audit_events::id.asc()))
        .select(AuditEvent::as_select())
        .at_most(at_most)
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_down_and_read_again() {
        let mark = Mark {
            at: "2026-11-20T10:00:00.120Z".parse().unwrap(),
            id: 7,
        };
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for text in [
            "",
            "7",
            "x.7",
            "1.",
            "999999999999999999.7",
            "-99999999999999.7",
        ] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
