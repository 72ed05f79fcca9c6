//! Writing events.

use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

use super::catalogue;
use crate::actor::{Actor, address_prefix};
use crate::context::Context;
use crate::db::schema::audit_events;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Group;
use crate::projects::Project;
use crate::redaction::redact;
use crate::users::{Identity, User, UserKind};

/// Something that happened, or was refused.
#[derive(Debug)]
pub struct Event<'a> {
    name: Cow<'static, str>,
    target: Target<'a>,
    group: Option<&'a Group>,
    details: Value,
    /// What a refusal is found by when it comes again.
    refusal_key: Option<String>,
}

/// What it happened to.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// The instance as a whole.
    Instance,
    /// A group.
    Group(&'a Group),
    /// A project.
    Project(&'a Project),
    /// A user.
    User(&'a User),
    /// A bot.
    Bot(&'a Identity),
    /// A token: id and name.
    Token(i64, &'a str),
    /// A webhook: id and name.
    Webhook(i64, &'a str),
}

impl<'a> Event<'a> {
    /// An event by its name in the [`catalogue`], such as `group_created`.
    pub fn new(name: impl Into<Cow<'static, str>>, target: Target<'a>) -> Self {
        let group = match target {
            Target::Group(group) => Some(group),
            Target::Project(project) => Some(&project.namespace),
            _ => None,
        };
        Event {
            name: name.into(),
            target,
            group,
            details: json!({}),
            refusal_key: None,
        }
    }

    /// In which group it happened.
    #[must_use]
    pub fn in_group(mut self, group: &'a Group) -> Self {
        self.group = Some(group);
        self
    }

    /// What changed. Never a secret.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// Is it in the catalogue, with every detail that it has?
    fn is_as_told(&self) -> bool {
        let mut details = self.details.as_object().into_iter().flat_map(Map::keys);
        catalogue::find(&self.name).is_some_and(|kind| details.all(|name| kind.tells_of(name)))
    }
}

/// The columns of a new row.
macro_rules! row {
    ($ctx:expr, $event:expr) => {{
        let (ctx, event): (&Context, &Event<'_>) = ($ctx, $event);
        let actor: &Actor = &ctx.actor;
        let (target_kind, target_id, target_name) = event.target.columns();
        let group = event.group;
        (
            audit_events::created_at.eq(Timestamp::from(ctx.now)),
            audit_events::event.eq(event.name.to_string()),
            audit_events::actor_kind.eq(kind_of(actor)),
            audit_events::actor_id.eq(actor.user_id()),
            audit_events::actor_name.eq(harmless(actor.name())),
            audit_events::channel.eq(actor.origin.channel.as_str()),
            audit_events::ip.eq(address_of(actor)),
            audit_events::user_agent.eq(harmless(&actor.origin.user_agent)),
            audit_events::request_id.eq(actor.origin.request_id.clone()),
            audit_events::target_kind.eq(target_kind),
            audit_events::target_id.eq(target_id),
            audit_events::target_name.eq(harmless(&target_name)),
            audit_events::group_id.eq(group.map(|group| group.id)),
            audit_events::group_traversal
                .eq(group.map_or_else(String::new, |group| group.traversal.clone())),
            audit_events::group_path
                .eq(group.map_or_else(String::new, |group| group.full_path.clone())),
            audit_events::details.eq(harmless_details(event.details.clone()).to_string()),
            audit_events::refusal_key.eq(event.refusal_key.clone()),
        )
    }};
}

/// A text that others chose, with no secret left in it: what is in the trail once is there for good.
fn harmless(text: &str) -> String {
    redact(text).into_owned()
}

/// The same for every text among the details.
fn harmless_details(details: Value) -> Value {
    match details {
        Value::String(text) => Value::String(harmless(&text)),
        Value::Array(items) => items.into_iter().map(harmless_details).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(field, value)| (field, harmless_details(value)))
            .collect(),
        other => other,
    }
}

/// Writes an event. If this fails, the change fails.
///
/// # Errors
/// When the database can't take the row.
pub fn record(conn: &mut DbConnection, ctx: &Context, event: Event<'_>) -> Result<(), Error> {
    debug_assert!(event.is_as_told(), "not in the catalogue: {event:?}");
    diesel::insert_into(audit_events::table)
        .values(row!(ctx, &event))
        .execute(conn)?;
    Ok(())
}

/// Rows that one statement writes; databases have a limit on values.
const AT_ONCE: usize = 500;

/// As [`record`], for many events of one actor at one moment.
///
/// # Errors
/// When the database can't take the rows.
pub fn record_all(
    conn: &mut DbConnection,
    ctx: &Context,
    events: &[Event<'_>],
) -> Result<(), Error> {
    for some in events.chunks(AT_ONCE) {
        debug_assert!(
            some.iter().all(Event::is_as_told),
            "not in the catalogue: {some:?}"
        );
        let rows: Vec<_> = some.iter().map(|event| row!(ctx, event)).collect();
        match conn {
            DbConnection::Sqlite(conn) => diesel::insert_into(audit_events::table)
                .values(rows)
                .execute(conn)?,
            DbConnection::Postgres(conn) => diesel::insert_into(audit_events::table)
                .values(rows)
                .execute(conn)?,
        };
    }
    Ok(())
}

impl Target<'_> {
    /// Kind, id and name, as the trail has them.
    fn columns(self) -> (&'static str, Option<i64>, String) {
        match self {
            Target::Instance => ("instance", None, String::new()),
            Target::Group(group) => ("group", Some(group.id), group.name.clone()),
            Target::Project(project) => ("project", Some(project.id), project.name.clone()),
            Target::User(user) => ("user", Some(user.id), user.username.clone()),
            Target::Bot(bot) => ("user", Some(bot.id), bot.username.clone()),
            Target::Token(id, name) => ("access_token", Some(id), name.to_owned()),
            Target::Webhook(id, name) => ("webhook", Some(id), name.to_owned()),
        }
    }
}

/// Kinds of targets, as the trail has them.
pub const TARGETS: [&str; 6] = [
    "access_token",
    "group",
    "project",
    "user",
    "webhook",
    "instance",
];

fn kind_of(actor: &Actor) -> &'static str {
    match &actor.user {
        Some(user) if user.kind == UserKind::ProjectBot => "bot",
        Some(_) => "human",
        None if actor.is_admin() => "system",
        None => "anonymous",
    }
}

fn address_of(actor: &Actor) -> String {
    actor.origin.ip.map(|ip| ip.to_string()).unwrap_or_default()
}

/// A refusal that comes again within this time is only counted.
const TOGETHER: TimeDelta = TimeDelta::minutes(10);

/// Rows that all strangers together get of one event in that time.
const OF_STRANGERS: usize = 100;

/// Writes a refusal; the same one by the same actor from the same network within ten minutes is only counted, so that
/// nobody can flood the trail. Whatever strangers do beyond a hundred rows is counted on the newest of these.
///
/// # Errors
/// When the database can't take the row.
pub fn record_refusal(
    conn: &mut DbConnection,
    ctx: &Context,
    mut event: Event<'_>,
) -> Result<(), Error> {
    let since = Timestamp::from(ctx.now - TOGETHER);
    let key = refusal_key(&ctx.actor, &event);
    let known: Option<i64> = audit_events::table
        .filter(audit_events::refusal_key.eq(&key))
        .filter(audit_events::created_at.ge(since))
        .order((audit_events::created_at.desc(), audit_events::id.desc()))
        .select(audit_events::id)
        .first(conn)
        .optional()?;
    let known = match known {
        None if ctx.actor.user_id().is_none() => newest_of_many(conn, &event.name, since)?,
        known => known,
    };
    match known {
        Some(id) => count_again(conn, id),
        None => {
            event.refusal_key = Some(key);
            record(conn, ctx, event)
        }
    }
}

/// What was refused, to whom, and where: a client changes its address within its network at will.
fn refusal_key(actor: &Actor, event: &Event<'_>) -> String {
    let (target_kind, target_id, _) = event.target.columns();
    let number = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let network = actor.origin.ip.map(address_prefix).unwrap_or_default();
    format!(
        "{} {} {network} {target_kind} {}",
        event.name,
        number(actor.user_id()),
        number(target_id)
    )
}

/// The newest refusal of this name that concerned nobody known, if there have been as many since then as there may be.
fn newest_of_many(
    conn: &mut DbConnection,
    name: &str,
    since: Timestamp,
) -> Result<Option<i64>, Error> {
    let limit = i64::try_from(OF_STRANGERS).unwrap_or(i64::MAX);
    let newest: Vec<i64> = audit_events::table
        .filter(audit_events::event.eq(name))
        .filter(audit_events::created_at.ge(since))
        .filter(audit_events::refusal_key.is_not_null())
        .filter(audit_events::actor_id.is_null())
        .order((audit_events::created_at.desc(), audit_events::id.desc()))
        .limit(limit)
        .select(audit_events::id)
        .load(conn)?;
    Ok(newest
        .first()
        .copied()
        .filter(|_| newest.len() >= OF_STRANGERS))
}

/// Counts on an event that the same happened once more: the only thing about one that ever changes.
///
/// # Errors
/// When the database is away.
pub fn count_again(conn: &mut DbConnection, id: i64) -> Result<(), Error> {
    diesel::update(audit_events::table.find(id))
        .set(audit_events::occurrences.eq(audit_events::occurrences + 1))
        .execute(conn)?;
    Ok(())
}
