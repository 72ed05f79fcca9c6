//! What is looked for in the trail, and how the database finds it.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::Serialize;

use super::catalogue;
use super::paths::traversal_of;
use super::record::TARGETS;
use super::scope::Scope;
use crate::db::schema::{audit_events, users};
use crate::db::{Backend, DbConnection, after_subtree};
use crate::error::{Error, FieldErrors};
use crate::text::calendar_date;
use crate::users::store::{find_by_username, key};

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
    pub(super) within: Option<String>,
    event: Option<String>,
    actor: Option<Actor>,
    target_kind: Option<String>,
    target: Option<Target>,
    pub(super) since: Option<DateTime<Utc>>,
    /// The moment after the last.
    pub(super) before: Option<DateTime<Utc>>,
    channel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Actor {
    Id(i64),
    Name(String),
    /// Whoever has or had this name; nobody is looked up for it.
    Called(String),
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

    /// As [`Asked::resolve_in`], in the whole trail.
    ///
    /// # Errors
    /// As [`Asked::resolve_in`].
    pub fn resolve(&self, conn: &mut DbConnection) -> Result<Filter, Error> {
        self.resolve_in(conn, &Scope::Instance)
    }

    /// Looks up who and what is meant, in this part of the trail. What lies outside of it is as if it weren't there.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field for what names nothing: a filter that can't be read is not as good as none.
    pub fn resolve_in(&self, conn: &mut DbConnection, scope: &Scope) -> Result<Filter, Error> {
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
        let all = scope.group().map(|group| group.traversal.clone());
        let within = if self.group.is_empty() {
            all
        } else {
            let traversal = traversal_of(conn, &self.group, all.as_deref())?;
            if traversal.is_none() {
                errors.add("group", "is not one that there is or was");
            }
            traversal
        };
        errors.check()?;
        let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
        Ok(Filter {
            within,
            event: some(&self.event),
            actor: match some(&self.actor) {
                Some(text) => Some(actor(conn, scope, text)?),
                None => None,
            },
            target_kind: some(&self.target_kind),
            target: some(&self.target).map(|text| match text.parse() {
                Ok(id) => Target::Id(id),
                Err(_) => Target::Name(text),
            }),
            since: since.map(midnight),
            // After the last day that can be written there is nothing; a year of five digits sorts as a text before it.
            before: until
                .and_then(|date| date.checked_add_days(Days::new(1)))
                .filter(|date| date.year() <= 9999)
                .map(midnight),
            channel: some(&self.channel),
        })
    }
}

impl Filter {
    /// Whatever happened to this token.
    pub(super) fn of_token(token_id: i64) -> Self {
        Filter {
            target_kind: Some("access_token".into()),
            target: Some(Target::Id(token_id)),
            ..Filter::default()
        }
    }
}

fn actor(conn: &mut DbConnection, scope: &Scope, text: String) -> Result<Actor, Error> {
    if matches!(text.as_str(), "system" | "anonymous") {
        return Ok(Actor::Nobody(text));
    }
    if let Ok(id) = text.parse() {
        return Ok(Actor::Id(id));
    }
    if let Scope::Group(_) = scope {
        return Ok(Actor::Called(text));
    }
    let name = text.strip_prefix('@').unwrap_or(&text);
    Ok(match find_by_username(conn, name)? {
        Some(user) => Actor::Id(user.id),
        None => Actor::Name(text),
    })
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

pub(super) type Rows = audit_events::BoxedQuery<'static, Backend>;

/// The number of the top-level group, in the words of the index `audit_events_root`.
const ROOT: &str = "substr(group_traversal, 1, length(group_traversal) - length(ltrim(group_traversal, '0123456789')))";

/// Everything but the times.
pub(super) fn narrowed(filter: &Filter, way: Way) -> Rows {
    let mut rows = audit_events::table.into_boxed::<Backend>();
    if let Some(traversal) = &filter.within {
        let root = traversal
            .strip_suffix('/')
            .filter(|root| !root.contains('/'));
        let (first, end) = (traversal.clone(), after_subtree(traversal));
        rows = match (way, root) {
            // All below a top-level group has an order, however much that is. What happened to one thing is found
            // by that thing.
            (Way::Shortest, Some(root)) if filter.target.is_none() => {
                rows.filter(sql::<Text>(ROOT).eq(root.to_owned()))
            }
            (Way::Shortest, None) => rows
                .filter(audit_events::group_traversal.ge(first))
                .filter(audit_events::group_traversal.lt(end)),
            _ => rows
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
        Some(Actor::Called(name)) => {
            let username = key(name.strip_prefix('@').unwrap_or(name));
            let known = users::table
                .filter(users::username_key.eq(username))
                .select(users::id.nullable());
            rows.filter(
                audit_events::actor_name
                    .eq(name.clone())
                    .or(audit_events::actor_id.eq_any(known)),
            )
        }
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
