//! The audit trail: who did what to which object. Written in the transaction of the change itself.

use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;

use crate::actor::Actor;
use crate::context::Context;
use crate::db::schema::audit_events;
use crate::db::{Backend, DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Group;
use crate::projects::Project;
use crate::users::{User, UserKind};

/// Something that happened, or was refused.
#[derive(Debug)]
pub struct Event<'a> {
    name: Cow<'static, str>,
    target: Target<'a>,
    group: Option<&'a Group>,
    details: Value,
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
    /// A token: id and name.
    Token(i64, &'a str),
    /// A webhook: id and name.
    Webhook(i64, &'a str),
}

impl<'a> Event<'a> {
    /// An event by its name, such as `group_created`.
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
}

/// Writes an event. If this fails, the change fails.
///
/// # Errors
/// When the database can't take the row.
pub fn record(conn: &mut DbConnection, ctx: &Context, event: Event<'_>) -> Result<(), Error> {
    let (target_kind, target_id, target_name) = match event.target {
        Target::Instance => ("instance", None, String::new()),
        Target::Group(group) => ("group", Some(group.id), group.name.clone()),
        Target::Project(project) => ("project", Some(project.id), project.name.clone()),
        Target::User(user) => ("user", Some(user.id), user.username.clone()),
        Target::Token(id, name) => ("access_token", Some(id), name.to_owned()),
        Target::Webhook(id, name) => ("webhook", Some(id), name.to_owned()),
    };
    let actor: &Actor = &ctx.actor;
    let actor_kind = match &actor.user {
        Some(user) if user.kind == UserKind::ProjectBot => "bot",
        Some(_) => "human",
        None if actor.is_admin() => "system",
        None => "anonymous",
    };
    let group = event.group;
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::created_at.eq(Timestamp::from(ctx.now)),
            audit_events::event.eq(event.name.as_ref()),
            audit_events::actor_kind.eq(actor_kind),
            audit_events::actor_id.eq(actor.user_id()),
            audit_events::actor_name.eq(actor.name()),
            audit_events::channel.eq(actor.origin.channel.as_str()),
            audit_events::ip.eq(actor.origin.ip.map(|ip| ip.to_string()).unwrap_or_default()),
            audit_events::user_agent.eq(&actor.origin.user_agent),
            audit_events::request_id.eq(&actor.origin.request_id),
            audit_events::target_kind.eq(target_kind),
            audit_events::target_id.eq(target_id),
            audit_events::target_name.eq(target_name),
            audit_events::group_id.eq(group.map(|group| group.id)),
            audit_events::group_traversal.eq(group.map_or("", |group| group.traversal.as_str())),
            audit_events::group_path.eq(group.map_or("", |group| group.full_path.as_str())),
            audit_events::details.eq(event.details.to_string()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes a refusal; the same one by the same actor within ten minutes is only counted, so that nobody
/// can flood the trail.
///
/// # Errors
/// When the database can't take the row.
pub fn record_refusal(
    conn: &mut DbConnection,
    ctx: &Context,
    event: Event<'_>,
) -> Result<(), Error> {
    let since = Timestamp::from(ctx.now - TimeDelta::minutes(10));
    let target_id = match event.target {
        Target::Group(group) => Some(group.id),
        Target::Project(project) => Some(project.id),
        Target::User(user) => Some(user.id),
        Target::Token(id, _) | Target::Webhook(id, _) => Some(id),
        Target::Instance => None,
    };
    let ip = ctx
        .actor
        .origin
        .ip
        .map(|ip| ip.to_string())
        .unwrap_or_default();
    let mut known = audit_events::table
        .filter(audit_events::event.eq(event.name.as_ref()))
        .filter(audit_events::created_at.ge(since))
        .filter(audit_events::ip.eq(ip))
        .select(diesel::dsl::max(audit_events::id))
        .into_boxed::<Backend>();
    known = match ctx.actor.user_id() {
        Some(id) => known.filter(audit_events::actor_id.eq(id)),
        None => known.filter(audit_events::actor_id.is_null()),
    };
    known = match target_id {
        Some(id) => known.filter(audit_events::target_id.eq(id)),
        None => known.filter(audit_events::target_id.is_null()),
    };
    let known: Option<i64> = known.get_result(conn)?;
    match known {
        Some(id) => {
            diesel::update(audit_events::table.find(id))
                .set(audit_events::occurrences.eq(audit_events::occurrences + 1))
                .execute(conn)?;
            Ok(())
        }
        None => record(conn, ctx, event),
    }
}
