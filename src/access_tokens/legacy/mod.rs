//! Tokens without an expiry date: which there are, and giving them one.

pub mod history;
mod store;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::by_policy::{Held, with_resources};
use super::create::described;
use super::{ListedToken, Resource};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;

/// A token that has no expiry date and isn't revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undated {
    /// Its id.
    pub id: i64,
    /// `group`, `project` or `personal`.
    pub kind: &'static str,
    /// What it is called.
    pub name: String,
    /// The full path of its group or project; of a personal one the user name of its person.
    pub holder: String,
    /// The user that it acts as.
    pub username: String,
}

/// The next so many of them, by id after this one. Reads only. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    limit: i64,
) -> Result<Vec<Undated>, Error> {
    allowed(ctx)?;
    let found = store::undated(conn, after_id, limit)?;
    Ok(with_resources(conn, found)?.iter().map(undated).collect())
}

/// Gives those of these tokens the date that still have none and aren't revoked, each with a line in the trail, and
/// says which they were. Where bots aren't kept, a bot's membership ends on the same day. Administrators and the system
/// only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; [`Error::Invalid`] for a date with which they would stop working at once;
/// when the database is away.
pub fn apply(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
    expires_at: NaiveDate,
    reason: &str,
) -> Result<Vec<Undated>, Error> {
    allowed(ctx)?;
    if expires_at <= ctx.today() {
        return Err(Error::invalid("expires_at", "must be later than today"));
    }
    let mut changed = Vec::new();
    let found = store::undated_among(conn, ids)?;
    for held in with_resources(conn, found)? {
        if give(conn, ctx, &held, expires_at, reason)? {
            changed.push(undated(&held));
        }
    }
    Ok(changed)
}

fn allowed(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// `false` if somebody else was faster.
fn give(
    conn: &mut DbConnection,
    ctx: &Context,
    (listed, resource): &Held,
    expires_at: NaiveDate,
    reason: &str,
) -> Result<bool, Error> {
    let Some(shortened) = store::set_date(conn, listed.token.id, expires_at, ctx.now)? else {
        return Ok(false);
    };
    let change = Change {
        expires_at,
        shortened: &shortened,
        reason,
    };
    note(conn, ctx, listed, resource.as_ref(), change)?;
    Ok(true)
}

/// Gives a token of whatever kind an earlier end than it has, with a line in the trail; `false` if it has none that is
/// later, or was revoked. Where bots aren't kept, a membership without an end ends on the same day. Administrators and the
/// system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn bring_forward(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    expires_at: NaiveDate,
    reason: &str,
) -> Result<bool, Error> {
    allowed(ctx)?;
    let id = listed.token.id;
    let Some(shortened) = store::bring_date_forward(conn, id, expires_at, ctx.now)? else {
        return Ok(false);
    };
    let change = Change {
        expires_at,
        shortened: &shortened,
        reason,
    };
    for (listed, resource) in with_resources(conn, vec![listed.clone()])? {
        note(conn, ctx, &listed, resource.as_ref(), change)?;
    }
    Ok(true)
}

/// What the trail says of a token with another end.
#[derive(Debug, Clone, Copy)]
struct Change<'a> {
    expires_at: NaiveDate,
    /// Older values that end sooner with it.
    shortened: &'a [i64],
    reason: &'a str,
}

/// The line in the trail, and the membership of a bot that goes with its token.
fn note(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    resource: Option<&Resource>,
    change: Change<'_>,
) -> Result<(), Error> {
    let token = &listed.token;
    let mut details = described(token, &listed.user.username, listed.access_level);
    if let Value::Object(fields) = &mut details {
        fields.insert("expires_at".into(), json!(change.expires_at));
        fields.insert("reason".into(), json!(change.reason));
        if !change.shortened.is_empty() {
            fields.insert("ended_sooner".into(), json!(change.shortened));
        }
    }
    let mut event = Event::new(
        format!("{}_access_token_updated", token.kind()),
        Target::Token(token.id, &token.name),
    )
    .with(details);
    if let Some(resource) = resource {
        event = event.in_group(resource.group());
        if stays_without_end(listed) && !ctx.policy.retains_bots(resource.group().retain_bots) {
            bots::create::extend_membership(conn, listed.user.id, Some(change.expires_at))?;
        }
    }
    audit::record(conn, ctx, event)
}

/// Is the bot a member for good?
fn stays_without_end(listed: &ListedToken) -> bool {
    listed.access_level.is_some() && listed.membership_expires_at.is_none()
}

fn undated((listed, resource): &Held) -> Undated {
    Undated {
        id: listed.token.id,
        kind: listed.token.kind(),
        name: listed.token.name.clone(),
        holder: match resource {
            Some(Resource::Group(group)) => group.full_path.clone(),
            Some(Resource::Project(project)) => project.full_path(),
            None => listed.user.username.clone(),
        },
        username: listed.user.username.clone(),
    }
}
