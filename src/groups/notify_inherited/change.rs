//! Saying, for a group, who gets mails before tokens end.

use serde_json::json;

use super::rule::{Choice, Source, from_above};
use super::{LOCK, VALUE, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::groups::store::ancestry;
use crate::groups::turn::{locked, reread};
use crate::groups::{Group, GroupRow};
use crate::permissions::Right;

/// What changes; nothing stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Inherited members too, only direct ones, or (`Some(None)`) as above.
    pub value: Option<Option<bool>>,
    /// Does everything below do the same?
    pub locked: Option<bool>,
}

impl Changes {
    /// Is nothing asked for?
    pub fn is_empty(self) -> bool {
        self == Changes::default()
    }
}

/// Changes what a group says. Owners only. What groups below say is kept, whether it counts or not. A lock without a
/// value holds what is so now.
///
/// # Errors
/// [`Error::Invalid`] by field while the instance or a group above has locked it, [`Error::Forbidden`] without the
/// right.
pub fn change(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    changes: Changes,
) -> Result<Group, Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if !ctx.actor.may(Right::EditGroup, &group.place(), &ctx.policy) {
        return Err(Error::forbidden());
    }
    let old = group.notify_inherited;
    let asked = Choice {
        value: changes.value.unwrap_or(old.value),
        locked: changes.locked.unwrap_or(old.locked),
    };
    // Whoever sends back what they were shown changes nothing.
    if asked == old {
        return Ok(group);
    }
    let ancestry = ancestry(conn, &group)?;
    let said = ancestry.iter().map(GroupRow::notify_inherited);
    let above = from_above(ctx.policy.notify_inherited(), said);
    if above.source.is_lock() {
        return Err(refused(&ctx, &ancestry, above.source, asked, old));
    }
    let new = Choice {
        value: asked.value.or(asked.locked.then_some(above.inherited)),
        ..asked
    };
    if new == old {
        return Ok(group);
    }
    store::put(conn, group.id, new, ctx.now)?;
    audit::record(
        conn,
        &ctx,
        Event::new(
            "resource_access_token_notify_inherited_changed",
            Target::Group(&group),
        )
        .with(json!({
            VALUE: [old.value, new.value],
            LOCK: [old.locked, new.locked],
        })),
    )?;
    reread(conn, &group)
}

/// Who has locked it, about each field that was to change. Nobody is told of groups that they can't see.
fn refused(
    ctx: &Context,
    ancestry: &[GroupRow],
    source: Source,
    asked: Choice,
    old: Choice,
) -> Error {
    let by = match decider(ctx, ancestry, source) {
        Some(Decider::Group(path)) => format!("the group {path}"),
        Some(Decider::Hidden) => "a group above".to_owned(),
        Some(Decider::Instance) | None => "the instance".to_owned(),
    };
    let mut errors = FieldErrors::default();
    if asked.value != old.value {
        errors.add(VALUE, format!("is locked by {by}"));
    }
    if asked.locked != old.locked {
        errors.add(
            LOCK,
            format!("can't be changed: {by} has locked the setting"),
        );
    }
    Error::Invalid(errors)
}

/// Who decides in place of a group, as far as the actor may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// The group of this full path.
    Group(String),
    /// A group that they can't see.
    Hidden,
    /// The instance.
    Instance,
}

/// Who locks the setting, or says no for everything below; nothing if the group has its own say.
pub fn decider(ctx: &Context, ancestry: &[GroupRow], source: Source) -> Option<Decider> {
    match source {
        Source::LockedByInstance => Some(Decider::Instance),
        Source::Locked(at) | Source::Stopped(at) => Some(
            ancestry
                .get(at)
                .filter(|row| ctx.actor.sees(&row.place(), &ctx.policy))
                .map_or(Decider::Hidden, |row| Decider::Group(row.full_path.clone())),
        ),
        Source::Default | Source::Own | Source::Inherited(_) => None,
    }
}
