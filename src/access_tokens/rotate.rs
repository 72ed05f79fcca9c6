//! A new value for the same bot, role and scopes; and what happens when an old value comes back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use serde_json::json;

use super::create::{Created, Mint, described, mint};
use super::decisions::{Refusal, TokenFacts, Way, may_rotate, replaceable, role_of};
use super::expiry::ExpiryProblem;
use super::grace::Grace;
use super::revoke::resource_of;
use super::{AccessToken, ListedToken, Resource, store};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::{DbConnection, lock_digests};
use crate::error::{Denied, Error, What};
use crate::notices;
use crate::permissions::Right;

/// Rotations that this node is doing or has just done. A request that was on its way before is late, not
/// suspicious.
///
/// Only a rotation that its caller may do is noted here: whoever could note others could hush the alarm up.
#[derive(Debug, Default)]
pub struct Rotations(Mutex<HashMap<i64, Span>>);

/// When a rotation began and, if it has, ended.
#[derive(Debug, Clone, Copy)]
struct Span {
    began: Instant,
    ended: Option<Instant>,
}

/// So long after a rotation on another node a request counts as having been on its way: what that node remembers isn't
/// known here, and the clocks of nodes are not one clock.
const ON_ANOTHER_NODE: TimeDelta = TimeDelta::seconds(2);

/// A request is never on its way for longer.
const ON_ITS_WAY: Duration = Duration::from_secs(120);

impl Rotations {
    /// Notes that this token is about to be rotated away.
    fn begin(&self, token_id: i64) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent
            .retain(|_, rotation| rotation.ended.unwrap_or(rotation.began).elapsed() < ON_ITS_WAY);
        let began = Instant::now();
        recent.insert(token_id, Span { began, ended: None });
    }

    /// Notes that its rotation is committed.
    pub fn end(&self, token_id: i64) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rotation) = recent.get_mut(&token_id) {
            rotation.ended.get_or_insert_with(Instant::now);
        }
    }

    /// Did this node rotate the token, a moment ago?
    fn is_ours(&self, token_id: i64) -> bool {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.contains_key(&token_id)
    }

    /// Was a request that arrived then on its way while the token was being rotated?
    pub fn overlapped(&self, token_id: i64, arrived: Instant) -> bool {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.get(&token_id).is_some_and(|rotation| {
            rotation
                .ended
                .map_or(rotation.began.elapsed() < ON_ITS_WAY, |at| arrived < at)
        })
    }
}

/// The date of the new token.
#[derive(Debug, Clone, Copy)]
pub enum NewExpiry {
    /// This one.
    On(NaiveDate),
    /// A week, or less if the instance allows less; what the API does when no date is given.
    ApiDefault,
    /// As given, without a default: a page has proposed one, and it was cleared where that is allowed.
    AsGiven(Option<NaiveDate>),
}

/// How a token is to be rotated.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The date of the new value.
    pub expiry: NewExpiry,
    /// How long the old value goes on working.
    pub grace: Grace,
}

/// Rotates a token of a group or project by its id.
///
/// # Errors
/// [`Error::Unauthenticated`] when the actor may not or the id is unknown ([`Error::NotFound`] for
/// administrators); [`Error::Refused`] for a revoked token, one above the actor's role, or a date that
/// can't be. The old token is untouched then.
pub fn rotate(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
    rotation: Rotation,
) -> Result<Created, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    let hidden = || {
        if ctx.actor.is_admin() {
            Error::NotFound(What::Thing)
        } else {
            Error::Unauthenticated(Denied::Unknown)
        }
    };
    let found = store::find_of(conn, &resource, id)?;
    may_rotate(&ctx, &resource, found.as_ref().map(TokenFacts::from))
        .map_err(|refusal| refusal.of_rotation(hidden))?;
    let listed = found.ok_or_else(hidden)?;
    replace(conn, &ctx, &listed, Some(&resource), rotation)
}

/// Rotates the token that made the request. `within` is the group or project that the path named.
///
/// # Errors
/// [`Error::NotApplicable`] for people's tokens where a resource was named,
/// [`Error::Unauthenticated`] when the token belongs elsewhere, [`Error::Refused`] for the date.
pub fn rotate_self(
    conn: &mut DbConnection,
    ctx: &Context,
    within: Option<&Resource>,
    rotation: Rotation,
) -> Result<Created, Error> {
    let Some(credential) = ctx
        .actor
        .token()
        .filter(|_| within.is_none() || ctx.actor.is_bot())
    else {
        return Err(Error::NotApplicable);
    };
    if !ctx.actor.may_on_instance(Right::OwnToken) {
        return Err(Error::forbidden());
    }
    let dead = || Error::Unauthenticated(Denied::Revoked);
    let listed = store::find(conn, credential.id)?.ok_or_else(dead)?;
    if within.is_some_and(|within| !within.owns(&listed.token)) {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    let resource = resource_of(conn, &listed)?;
    let resource = take_turns(conn, listed.user.id, resource)?;
    let ctx = &ctx.refreshed(conn)?;
    let listed = store::find(conn, credential.id)?
        .filter(|found| !found.token.is_revoked(ctx.now))
        .ok_or_else(dead)?;
    replace(conn, ctx, &listed, resource.as_ref(), rotation)
}

/// Rotates one of a person's own personal tokens.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't theirs, [`Error::Refused`] for a revoked one or the date.
pub fn rotate_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
    rotation: Rotation,
) -> Result<Created, Error> {
    take_turns(conn, ctx.actor.user_id().unwrap_or(0), None)?;
    let ctx = ctx.refreshed(conn)?;
    let listed = super::revoke::find_personal(conn, &ctx, id)?;
    replace(conn, &ctx, &listed, None, rotation)
}

/// Rotates a token by its id: one that acts as oneself; administrators any, those of groups and projects under
/// the rules of their place. Of a bot's tokens it may rotate the one that it shows, and no other.
///
/// # Errors
/// As [`by_id`](super::list::by_id), and as [`rotate`], [`rotate_self`] and [`rotate_personal`].
pub fn rotate_by_id(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
    rotation: Rotation,
) -> Result<Created, Error> {
    let listed = super::list::by_id(conn, ctx, id)?;
    match Way::of(ctx, &listed.token) {
        Way::Itself => return rotate_self(conn, ctx, None, rotation),
        Way::OfPlace => {
            let resource = resource_of(conn, &listed)?.ok_or(Error::NotFound(What::Thing))?;
            return rotate(conn, ctx, &resource, id, rotation);
        }
        Way::Own => {}
    }
    take_turns(conn, listed.user.id, None)?;
    let ctx = ctx.refreshed(conn)?;
    let listed = super::list::by_id(conn, &ctx, id)?;
    replace(conn, &ctx, &listed, None, rotation)
}

/// Ends the old token and makes the new one.
fn replace(
    conn: &mut DbConnection,
    ctx: &Context,
    old: &ListedToken,
    resource: Option<&Resource>,
    rotation: Rotation,
) -> Result<Created, Error> {
    let limits = ctx.policy.limits();
    let today = ctx.today();
    replaceable(&old.token, ctx.now).map_err(|refusal| refusal.of_rotation(Error::forbidden))?;
    let expires_at = match rotation.expiry {
        NewExpiry::On(date) => Some(date),
        NewExpiry::ApiDefault => limits.default_for_rotation(today),
        NewExpiry::AsGiven(date) => date.or_else(|| limits.default_date(today)),
    };
    if let Err(problem) = limits.validate(expires_at, today) {
        return Err(Error::refused(match problem {
            ExpiryProblem::Past => format!(
                "Could not provision {} access to the access token. ERROR: {problem}",
                role_of(old.access_level).lower_name()
            ),
            other => other.to_string(),
        }));
    }
    ctx.rotations.begin(old.token.id);
    let grace_until = rotation
        .grace
        .until(ctx.now, old.token.expires_at, expires_at);
    let shortened = store::mark_rotated(conn, old.token.id, grace_until, ctx.now)?
        .ok_or_else(|| Refusal::Revoked.of_rotation(Error::forbidden))?;
    let scopes: Vec<_> = old.token.scopes.iter().collect();
    let (token, plaintext) = mint(
        conn,
        ctx,
        &Mint {
            user_id: old.user.id,
            resource,
            name: &old.token.name,
            description: old.token.description.as_deref(),
            scopes: &scopes,
            expires_at,
            previous_token_id: Some(old.token.id),
        },
    )?;
    if let Some(resource) = resource {
        let keeps = ctx.policy.retains_bots(resource.group().retain_bots);
        bots::create::extend_membership(conn, old.user.id, expires_at.filter(|_| !keeps))?;
    }
    let mut details = described(&token, &old.user.username, old.access_level);
    details["previous_token_id"] = json!(old.token.id);
    details["expires_at"] = json!([old.token.expires_at, expires_at]);
    if let Some(until) = grace_until {
        details["grace_until"] = json!(until.to_rfc3339_opts(SecondsFormat::Secs, true));
    }
    if !shortened.is_empty() {
        details["ended_sooner"] = json!(shortened);
    }
    record(conn, ctx, "rotated", &token, resource, details)?;
    notices::personal::rotated(conn, ctx, &token, &old.user, grace_until)?;
    let listed = store::find(conn, token.id)?
        .ok_or_else(|| Error::internal(anyhow::anyhow!("a new token is not there")))?;
    Ok(Created { listed, plaintext })
}

/// A revoked value came back where only its owner would bring it: somebody else has it. Whatever it was
/// rotated into is revoked. Once nothing active is left, there is nothing more to say or do.
///
/// # Errors
/// When the database is away.
pub fn revoke_family(
    conn: &mut DbConnection,
    ctx: &Context,
    reused: &AccessToken,
) -> Result<(), Error> {
    let reused_now = store::find(conn, reused.id)?;
    let resource = match &reused_now {
        Some(listed) => resource_of(conn, listed)?,
        None => None,
    };
    let resource = take_turns(conn, reused.user_id, resource)?;
    let descendants = store::descendants(conn, reused.id)?;
    let just_now = descendants.iter().any(|token| {
        token.previous_token_id == Some(reused.id)
            // What was imported was rotated elsewhere, and long ago.
            && token.imported_at.is_none()
            && (ctx.now - token.created_at).abs() < ON_ANOTHER_NODE
    });
    if just_now && !ctx.rotations.is_ours(reused.id) {
        return Ok(());
    }
    let mut ended = Vec::new();
    for token in descendants {
        if token.is_active(ctx.now) && store::mark_revoked(conn, token.id, ctx.now)?.is_some() {
            ended.push(token);
        }
    }
    if ended.is_empty() {
        return Ok(());
    }
    notices::alarm::raise(conn, ctx, reused, resource.as_ref(), &ended)?;
    let ids: Vec<i64> = ended.iter().map(|token| token.id).collect();
    let username = reused_now.map(|listed| listed.user.username);
    record(
        conn,
        ctx,
        "reuse_detected",
        reused,
        resource.as_ref(),
        json!({ "user_id": reused.user_id, "username": username, "revoked": ids }),
    )
}

/// One at a time: the rotations of a family, and the alarm that ends it. Returns the resource as it is now;
/// nothing, if it was deleted meanwhile, with its tokens.
fn take_turns(
    conn: &mut DbConnection,
    user_id: i64,
    resource: Option<Resource>,
) -> Result<Option<Resource>, Error> {
    let Some(resource) = resource else {
        lock_digests(conn, &[&user_id.to_be_bytes()])?;
        return Ok(None);
    };
    match resource.in_turn(conn) {
        Ok(resource) => Ok(Some(resource)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn record(
    conn: &mut DbConnection,
    ctx: &Context,
    what: &str,
    token: &AccessToken,
    resource: Option<&Resource>,
    details: serde_json::Value,
) -> Result<(), Error> {
    let name = format!("{}_access_token_{what}", token.kind());
    let mut event = Event::new(name, Target::Token(token.id, &token.name)).with(details);
    if let Some(resource) = resource {
        event = event.in_group(resource.group());
    }
    audit::record(conn, ctx, event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_on_its_way_during_a_rotation_is_late_and_a_later_one_is_not() {
        let rotations = Rotations::default();
        let before = Instant::now();
        assert!(!rotations.overlapped(7, before), "nothing was rotated");
        rotations.begin(7);
        assert!(rotations.overlapped(7, Instant::now()), "it is being done");
        rotations.end(7);
        let after = Instant::now();
        assert!(rotations.overlapped(7, before));
        assert!(!rotations.overlapped(7, after));
        assert!(!rotations.overlapped(8, before));
    }

    #[test]
    fn an_end_counts_once_and_only_after_a_beginning() {
        let rotations = Rotations::default();
        rotations.end(7);
        assert!(!rotations.overlapped(7, Instant::now()));
        rotations.begin(7);
        rotations.end(7);
        let after = Instant::now();
        rotations.end(7);
        assert!(!rotations.overlapped(7, after), "nobody prolongs it");
    }
}
