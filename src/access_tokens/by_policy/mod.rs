//! Taking away, by and by, all tokens that a setting of the instance doesn't allow.

mod store;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::create::described;
use super::store::{mark_revoked, resources_of};
use super::{ListedToken, Resource};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::{DbConnection, lock_roots};
use crate::error::Error;
use crate::notices;
use crate::permissions::Right;

/// Which active tokens go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Those of groups and projects that were there at this moment and weren't used after it.
    Unused {
        /// The moment.
        since: DateTime<Utc>,
    },
    /// Those of all kinds that have no end, or one after this day.
    Overlong {
        /// The day.
        latest: NaiveDate,
    },
}

/// A token that was taken away, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Its id.
    pub id: i64,
    /// `group`, `project` or `personal`.
    pub kind: &'static str,
    /// The full path of its group or project; of a personal one the user name of its person.
    pub full_path: String,
    /// What it is called.
    pub name: String,
    /// The last time it was used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The day at whose start it would have ended.
    pub expires_at: Option<NaiveDate>,
}

/// What a look at the next tokens found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that the rule is about, in the order of their ids.
    pub ids: Vec<i64>,
    /// Where to go on; nothing at the end.
    pub next: Option<i64>,
}

/// Looks at the next so many tokens, of whatever kind and state, by id after this one, and says which of them the rule
/// is about. Reads only, and so many rows however few it finds.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub(super) fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    after_id: i64,
    window: i64,
) -> Result<Found, Error> {
    allowed(ctx)?;
    let next = store::end_of_window(conn, after_id, window)?;
    let ids = store::within(conn, rule, ctx.today(), after_id, next.unwrap_or(i64::MAX))?;
    Ok(Found { ids, next })
}

/// Those of these tokens that the rule is about, in the order of their ids. Changes nothing.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub(super) fn tell(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    ids: &[i64],
) -> Result<Vec<Swept>, Error> {
    allowed(ctx)?;
    let listed = store::among(conn, rule, ctx.today(), ids)?;
    let held = with_resources(conn, listed)?;
    Ok(held
        .into_iter()
        .map(|(listed, resource)| swept(listed, resource.as_ref()))
        .collect())
}

/// How many tokens the rule is about, and the first `limit` of them. Changes nothing.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub(super) fn survey(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    limit: i64,
) -> Result<(i64, Vec<Swept>), Error> {
    allowed(ctx)?;
    let count = store::count(conn, rule, ctx.today())?;
    let listed = store::first(conn, rule, ctx.today(), limit)?;
    let held = with_resources(conn, listed)?;
    let tokens = held
        .into_iter()
        .map(|(listed, resource)| swept(listed, resource.as_ref()));
    Ok((count, tokens.collect()))
}

/// Revokes those of these tokens that the rule is still about, as the Revoke button does, each with a line in the trail
/// that says why; a person is told of their own. `real_now` is the moment by the clock, whatever day a job pretends it
/// is. In the order of their ids.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub(super) fn sweep(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    reason: &Value,
    ids: &[i64],
    real_now: DateTime<Utc>,
) -> Result<Vec<Swept>, Error> {
    allowed(ctx)?;
    let mut tokens = Vec::new();
    for (listed, resource) in behind_locks(conn, ctx, rule, ids)? {
        if revoke(conn, ctx, &listed, resource.as_ref(), reason, real_now)? {
            tokens.push(swept(listed, resource.as_ref()));
        }
    }
    Ok(tokens)
}

fn allowed(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// A token with its group or project; nothing for a personal one.
pub(super) type Held = (ListedToken, Option<Resource>);

/// The tokens as they are once nobody else changes who may do what around them.
fn behind_locks(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    ids: &[i64],
) -> Result<Vec<Held>, Error> {
    let mut locked = BTreeSet::new();
    loop {
        // What was moved below another root meanwhile is followed there.
        let listed = store::among(conn, rule, ctx.today(), ids)?;
        let batch = with_resources(conn, listed)?;
        let roots: Vec<i64> = batch
            .iter()
            .filter_map(|(_, resource)| Some(resource.as_ref()?.group().root_id))
            .filter(|root| locked.insert(*root))
            .collect();
        if roots.is_empty() {
            return Ok(batch);
        }
        lock_roots(conn, &roots)?;
    }
}

/// Each token with its group or project; without those whose group or project is gone.
pub(super) fn with_resources(
    conn: &mut DbConnection,
    found: Vec<ListedToken>,
) -> Result<Vec<Held>, Error> {
    let resources = resources_of(conn, found.iter().map(|listed| &listed.token))?;
    Ok(found
        .into_iter()
        .filter_map(|listed| {
            let resource = match listed.token.kind() {
                "personal" => None,
                _ => Some(resources.get(&listed.token.id)?.clone()),
            };
            Some((listed, resource))
        })
        .collect())
}

/// `false` if somebody else was faster.
fn revoke(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    resource: Option<&Resource>,
    reason: &Value,
    real_now: DateTime<Utc>,
) -> Result<bool, Error> {
    let token = &listed.token;
    if mark_revoked(conn, token.id, ctx.now)?.is_none() {
        return Ok(false);
    }
    let mut details = described(token, &listed.user.username, listed.access_level);
    if let Value::Object(fields) = &mut details {
        fields.insert("policy".into(), reason.clone());
        fields.insert(
            "last_used_at".into(),
            serde_json::json!(listed.last_used_at),
        );
    }
    let mut event = Event::new(
        format!("{}_access_token_revoked_by_policy", token.kind()),
        Target::Token(token.id, &token.name),
    )
    .with(details);
    if let Some(resource) = resource {
        event = event.in_group(resource.group());
        if !ctx.policy.retains_bots(resource.group().retain_bots) {
            bots::delete::mark_gone(conn, ctx, &listed.user, Some(resource))?;
        }
    }
    audit::record(conn, ctx, event)?;
    notices::personal::revoked_by_rule(conn, ctx, token, &listed.user, real_now)?;
    Ok(true)
}

fn swept(listed: ListedToken, resource: Option<&Resource>) -> Swept {
    Swept {
        id: listed.token.id,
        kind: listed.token.kind(),
        full_path: match resource {
            Some(Resource::Group(group)) => group.full_path.clone(),
            Some(Resource::Project(project)) => project.full_path(),
            None => listed.user.username,
        },
        name: listed.token.name,
        last_used_at: listed.last_used_at,
        expires_at: listed.token.expires_at,
    }
}
