//! Who may look up, rotate and revoke which token. The verbs ask this before they act, and so does whoever only wants to
//! know; nothing is read from the database here, and nothing changed.

use chrono::{DateTime, Utc};

use super::{AccessToken, ListedToken, Resource};
use crate::context::Context;
use crate::error::Error;
use crate::members::AccessLevel;
use crate::permissions::Right;

/// A token as it is decided about.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// The token.
    pub token: &'a AccessToken,
    /// The role that its bot was given; nothing when its membership is gone, and for people.
    pub role: Option<AccessLevel>,
}

impl<'a> From<&'a ListedToken> for TokenFacts<'a> {
    fn from(listed: &'a ListedToken) -> Self {
        TokenFacts {
            token: &listed.token,
            role: listed.access_level,
        }
    }
}

/// Why it is not to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The actor may not do this here.
    NoRight,
    /// It isn't there, or not theirs to know of.
    Unknown,
    /// Its role is above the actor's.
    Above,
    /// It was rotated away, and works for a while yet.
    Rotated,
    /// It was revoked, or rotated away.
    Revoked,
    /// Its bot isn't a member any more.
    NoMember,
}

impl Refusal {
    /// What a rotation answers; `hidden` to whoever may not know.
    pub(super) fn of_rotation(self, hidden: impl FnOnce() -> Error) -> Error {
        match self {
            Refusal::Above => Error::refused(
                "Not eligible to rotate token with access level higher than the user",
            ),
            Refusal::Rotated => Error::refused("token already rotated"),
            Refusal::Revoked => Error::refused("token already revoked"),
            Refusal::NoRight | Refusal::Unknown | Refusal::NoMember => hidden(),
        }
    }
}

/// By whose rules a token is rotated that is named by its id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It makes the request, and replaces itself.
    Itself,
    /// As on its group or project.
    OfPlace,
    /// As a person's own.
    Own,
}

impl Way {
    /// That of this token, for this actor.
    pub fn of(ctx: &Context, token: &AccessToken) -> Self {
        let shown = ctx.actor.token().is_some_and(|shown| shown.id == token.id);
        match token.kind() {
            "personal" => Way::Own,
            _ if shown => Way::Itself,
            _ => Way::OfPlace,
        }
    }
}

/// Can tokens be looked after at all, by somebody whom we know?
pub fn looks_after(ctx: &Context) -> bool {
    !ctx.policy.settings.disable_personal_access_tokens
        && ctx.actor.may_on_instance(Right::OwnAccount)
}

/// May a token be known of by its id alone? One that acts as oneself; for administrators any.
///
/// # Errors
/// [`Refusal::NoRight`], [`Refusal::Unknown`].
pub fn may_find(ctx: &Context, token: Option<TokenFacts<'_>>) -> Result<(), Refusal> {
    if !looks_after(ctx) {
        return Err(Refusal::NoRight);
    }
    let admin = ctx.actor.may_on_instance(Right::Administer);
    token
        .filter(|found| admin || ctx.actor.user_id() == Some(found.token.user_id))
        .map(|_| ())
        .ok_or(Refusal::Unknown)
}

/// May a token of this group or project be rotated?
///
/// # Errors
/// Why not.
pub fn may_rotate(
    ctx: &Context,
    resource: &Resource,
    token: Option<TokenFacts<'_>>,
) -> Result<(), Refusal> {
    let place = resource.place();
    if !ctx.actor.may(Right::RotateToken, &place, &ctx.policy) {
        return Err(Refusal::NoRight);
    }
    let TokenFacts { token, role, .. } = token
        .filter(|found| resource.owns(found.token))
        .ok_or(Refusal::Unknown)?;
    let above = ctx.actor.level(&place) < Some(role_of(role));
    if !token.revoked && above {
        return Err(Refusal::Above);
    }
    replaceable(token, ctx.now)
}

/// May the token that is named by its id alone be rotated? Rotating takes the same [`Way`]s, and asks each in its turn;
/// this is for who only wants to know. `place` is its group or project, and needed for [`Way::OfPlace`] alone.
///
/// # Errors
/// Why not.
pub fn may_rotate_by_id(
    ctx: &Context,
    place: Option<&Resource>,
    token: Option<TokenFacts<'_>>,
) -> Result<(), Refusal> {
    may_find(ctx, token)?;
    let found = token.ok_or(Refusal::Unknown)?;
    match Way::of(ctx, found.token) {
        Way::OfPlace => may_rotate(ctx, place.ok_or(Refusal::Unknown)?, token),
        Way::Itself if !ctx.actor.may_on_instance(Right::OwnToken) => Err(Refusal::NoRight),
        Way::Itself | Way::Own => replaceable(found.token, ctx.now),
    }
}

/// May a token of this group or project be revoked? With `orphans` also one whose bot isn't a member any more.
///
/// # Errors
/// Why not; [`Refusal::Unknown`] before anything else.
pub fn may_revoke(
    ctx: &Context,
    resource: &Resource,
    token: Option<TokenFacts<'_>>,
    orphans: bool,
) -> Result<(), Refusal> {
    let found = token
        .filter(|found| resource.owns(found.token))
        .ok_or(Refusal::Unknown)?;
    let place = resource.place();
    if !ctx.actor.may(Right::RevokeToken, &place, &ctx.policy) {
        return Err(Refusal::NoRight);
    }
    if found.role.is_none() && !orphans {
        return Err(Refusal::NoMember);
    }
    Ok(())
}

/// The role on a membership row, whatever its date; that of a bot that isn't a member any more is the lowest.
pub(super) fn role_of(role: Option<AccessLevel>) -> AccessLevel {
    role.unwrap_or(AccessLevel::Guest)
}

/// Can the token have a successor?
///
/// # Errors
/// [`Refusal::Rotated`], [`Refusal::Revoked`].
pub fn replaceable(token: &AccessToken, now: DateTime<Utc>) -> Result<(), Refusal> {
    if token.is_in_grace(now) {
        Err(Refusal::Rotated)
    } else if token.revoked {
        Err(Refusal::Revoked)
    } else {
        Ok(())
    }
}
