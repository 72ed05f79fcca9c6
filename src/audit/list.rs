//! Events, newest first, a slice at a time.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::catalogue;
use super::record::TARGETS;
use crate::context::Context;
use crate::db::schema::audit_events;
use crate::db::{Backend, DbConnection, Timestamp, after_subtree};
use crate::error::{Error, FieldErrors};
use crate::groups;
use crate::permissions::Right;
use crate::text::calendar_date;
use crate::users;

/// An event as it was written.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct AuditEvent {
    /// Its number.
    pub id: i64,
    /// When it happened.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    /// Its name in the [`catalogue`].
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
    /// One of [`TARGETS`].
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

/// What is looked for, as somebody typed it. An empty text is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// A name in the [`catalogue`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// A user name, an id, `system`, `anonymous`, or what somebody was called.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// One of [`TARGETS`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_kind: String,
    /// An id, or a name as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The path of a group; everything below it counts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The first day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub since: String,
    /// The last day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// One of [`CHANNELS`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel: String,
}

/// Where an actor can stand.
pub const CHANNELS: [&str; 5] = ["page", "api", "git", "console", "job"];

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In the group with this traversal, or below it.
    pub within: Option<String>,
    event: Option<String>,
    actor: Option<Actor>,
    target_kind: Option<String>,
    target: Option<Target>,
    since: Option<DateTime<Utc>>,
    /// The moment after the last.
    before: Option<DateTime<Utc>>,
    channel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Actor {
    Id(i64),
    Name(String),
    /// Nobody in particular: `system` or `anonymous`.
    Nobody(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Id(i64),
    Name(String),
}

impl Asked {
    /// Is nothing narrowed?
    pub fn is_everything(&self) -> bool {
        *self == Asked::default()
    }

    /// Looks up who and what is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field for what names nothing: a filter that can't be read is not as good as none.
    pub fn resolve(&self, conn: &mut DbConnection) -> Result<Filter, Error> {
        let mut errors = FieldErrors::default();
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        if !self.event.is_empty() && catalogue::find(&self.event).is_none() {
            errors.add("event", "is not one that there is");
        }
        if !self.target_kind.is_empty() && !TARGETS.contains(&self.target_kind.as_str()) {
            errors.add("target_kind", "is not one that there is");
        }
        if !self.channel.is_empty() && !CHANNELS.contains(&self.channel.as_str()) {
            errors.add("channel", "is not one that there is");
        }
        let mut date = |field: &'static str, text: &str| match calendar_date(text) {
            _ if text.is_empty() => None,
            Some(date) => Some(date),
            None => {
                errors.add(field, "is not a date such as 2026-11-20");
                None
            }
        };
        let since = date("since", &self.since);
        let until = date("until", &self.until);
        if let (Some(since), Some(until)) = (since, until)
            && until < since
        {
            errors.add("until", "is before the first day");
        }
        let within = match some(&self.group) {
            Some(path) => {
                let traversal = traversal_of(conn, &path)?;
                if traversal.is_none() {
                    errors.add("group", "is not one that there is or was");
                }
                traversal
            }
            None => None,
        };
        errors.check()?;
        let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
        Ok(Filter {
            within,
            event: some(&self.event),
            actor: match some(&self.actor) {
                Some(text) => Some(actor(conn, text)?),
                None => None,
            },
            target_kind: some(&self.target_kind),
            target: some(&self.target).map(|text| match text.parse() {
                Ok(id) => Target::Id(id),
                Err(_) => Target::Name(text),
            }),
            since: since.map(midnight),
            before: until
                .and_then(|date| date.checked_add_days(Days::new(1)))
                .map(midnight),
            channel: some(&self.channel),
        })
    }
}

fn actor(conn: &mut DbConnection, text: String) -> Result<Actor, Error> {
    if matches!(text.as_str(), "system" | "anonymous") {
        return Ok(Actor::Nobody(text));
    }
    if let Ok(id) = text.parse() {
        return Ok(Actor::Id(id));
    }
    let name = text.strip_prefix('@').unwrap_or(&text);
    Ok(match users::store::find_by_username(conn, name)? {
        Some(user) => Actor::Id(user.id),
        None => Actor::Name(text),
    })
}

/// Where the group of this path is; or was, when it was deleted.
fn traversal_of(conn: &mut DbConnection, path: &str) -> Result<Option<String>, Error> {
    let path = path.trim_matches('/');
    if let Some(group) = groups::store::find_by_path(conn, path)? {
        return Ok(Some(group.traversal));
    }
    let last: Option<i64> = audit_events::table
        .filter(audit_events::event.eq("group_deleted"))
        .filter(audit_events::group_path.eq(path))
        .select(diesel::dsl::max(audit_events::id))
        .get_result(conn)?;
    Ok(match last {
        Some(id) => audit_events::table
            .find(id)
            .select(audit_events::group_traversal)
            .get_result(conn)
            .optional()?,
        None => None,
    })
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

/// Which part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its beginning.
    Newest,
    /// What comes before this event.
    OlderThan(i64),
    /// What came right after this event.
    NewerThan(i64),
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
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    slice(conn, filter, part, at_most)
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
    let filter = Filter {
        target_kind: Some("access_token".into()),
        target: Some(Target::Id(token_id)),
        ..Filter::default()
    };
    older(conn, &filter, None, None, at_most, Way::Shortest)
}

fn slice(
    conn: &mut DbConnection,
    filter: &Filter,
    part: Part,
    at_most: i64,
) -> Result<Slice, Error> {
    let mark = match part {
        Part::Newest => None,
        // An event that isn't there is no place: the list begins at its beginning.
        Part::OlderThan(id) | Part::NewerThan(id) => find_mark(conn, id)?,
    };
    let wanted = usize::try_from(at_most).unwrap_or(usize::MAX);
    if let (Part::NewerThan(_), Some(mark)) = (part, mark) {
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
    let mut events = older(conn, filter, mark, None, at_most + 1, Way::Shortest)?;
    let has_older = events.len() > wanted;
    events.truncate(wanted);
    Ok(Slice {
        events,
        has_newer: mark.is_some(),
        has_older,
    })
}

fn find_mark(conn: &mut DbConnection, id: i64) -> Result<Option<Mark>, Error> {
    let at: Option<Timestamp> = audit_events::table
        .find(id)
        .select(audit_events::created_at)
        .get_result(conn)
        .optional()?;
    Ok(at.map(|at| Mark { at: at.into(), id }))
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
        .limit(at_most)
        .select(AuditEvent::as_select())
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

type Rows = audit_events::BoxedQuery<'static, Backend>;

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
        .limit(at_most)
        .select(AuditEvent::as_select())
        .load(conn)?)
}

/// How the database is to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// For one slice.
    Shortest,
    /// For one slice after the other, up to the end. What lies below a group has no order of its own, and is not to be
    /// sorted again for each of them.
    InOrder,
}

/// Everything but the times.
fn narrowed(filter: &Filter, way: Way) -> Rows {
    let mut rows = audit_events::table.into_boxed::<Backend>();
    if let Some(traversal) = &filter.within {
        let (first, end) = (traversal.clone(), after_subtree(traversal));
        rows = match way {
            Way::Shortest => rows
                .filter(audit_events::group_traversal.ge(first))
                .filter(audit_events::group_traversal.lt(end)),
            Way::InOrder => rows
                .filter(audit_events::group_traversal.concat("").ge(first))
                .filter(audit_events::group_traversal.concat("").lt(end)),
        };
    }
    if let Some(event) = &filter.event {
        rows = rows.filter(audit_events::event.eq(event.clone()));
    }
    rows = match &filter.actor {
        Some(Actor::Id(id)) => rows.filter(audit_events::actor_id.eq(*id)),
        Some(Actor::Name(name)) => rows.filter(audit_events::actor_name.eq(name.clone())),
        Some(Actor::Nobody(kind)) => rows
            .filter(audit_events::actor_name.eq(kind.clone()))
            .filter(audit_events::actor_kind.eq(kind.clone())),
        None => rows,
    };
    if let Some(kind) = &filter.target_kind {
        rows = rows.filter(audit_events::target_kind.eq(kind.clone()));
    }
    rows = match &filter.target {
        Some(Target::Id(id)) => rows.filter(audit_events::target_id.eq(*id)),
        Some(Target::Name(name)) => rows.filter(audit_events::target_name.eq(name.clone())),
        None => rows,
    };
    if let Some(channel) = &filter.channel {
        rows = rows.filter(audit_events::channel.eq(channel.clone()));
    }
    rows
}
