//! The token in the path of a request: what the rules of seeing, rotating and revoking say about it, to a viewer who is
//! told of no token that they may not see.

use std::sync::Arc;

use super::request::{ApiRequest, Named};
use super::rules::{Ruling, Says, find, off};
use crate::access_tokens::Resource;
use crate::access_tokens::authenticate::Found;
use crate::access_tokens::decisions::{
    Refusal, TokenFacts, Way, may_find, may_revoke, may_rotate, may_rotate_by_id,
};
use crate::actor::Actor;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::AccessLevel;
use crate::permissions::Right;

/// The token in a path.
pub(super) struct Target {
    /// The token and its user.
    pub found: Found,
    /// The role that its bot was given.
    pub role: Option<AccessLevel>,
}

impl Target {
    fn facts(&self) -> TokenFacts<'_> {
        TokenFacts {
            token: &self.found.token,
            role: self.role,
        }
    }

    /// A bot that is gone takes its tokens along.
    fn is_there(&self) -> bool {
        self.found.user.bot_gone_at.is_none()
    }
}

/// The context of the request that is asked about: what decides real ones is asked in it.
fn of_request(viewer: &Context, actor: &Actor) -> Context {
    Context {
        actor: Arc::new(actor.clone()),
        ..viewer.clone()
    }
}

/// A token of the group or project that the path names.
pub(super) fn of_place(
    ruling: &mut Ruling,
    viewer: &Context,
    actor: &Actor,
    resource: &Resource,
    target: Option<&Target>,
    (id, api): (i64, &ApiRequest),
) {
    let (place, noun) = (resource.place(), resource.noun());
    if !viewer.actor.could(Right::SeeTokens, &place, &viewer.policy) {
        ruling.add(
            "Token in the path",
            Says::Depends,
            format!("It has to be one of this {noun}, with a role no higher, and not revoked."),
        );
        return;
    }
    let here = target.filter(|target| target.is_there());
    let Some(target) = here.filter(|target| resource.owns(&target.found.token)) else {
        let text = match id {
            0 => format!("This {noun} has no token with such an id."),
            id => format!("This {noun} has no token {id}."),
        };
        tell(ruling, false, text);
        return;
    };
    let (ctx, facts) = (of_request(viewer, actor), Some(target.facts()));
    if api.rotates {
        let decision = may_rotate(&ctx, resource, facts);
        rotated(ruling, decision, target, actor.level(&place));
    } else if api.rights.contains(&Right::RevokeToken) {
        let text = match may_revoke(&ctx, resource, facts, false) {
            Ok(()) => return tell(ruling, true, format!("It is one of this {noun}.")),
            Err(Refusal::NoMember) => {
                "Its bot isn't a member any more: it can be revoked on the page of the token."
            }
            Err(_) => "It can't be revoked with this token.",
        };
        tell(ruling, false, text.into());
    } else {
        tell(ruling, true, format!("It is one of this {noun}."));
    }
}

/// A token by its id alone: one that acts as the same user, or for administrators any.
///
/// # Errors
/// When the database is away.
pub(super) fn of_no_place(
    conn: &mut DbConnection,
    ruling: &mut Ruling,
    viewer: &Context,
    actor: &Actor,
    target: Option<&Target>,
    api: &ApiRequest,
) -> Result<(), Error> {
    let is_admin = actor.may_on_instance(Right::Administer);
    let ctx = of_request(viewer, actor);
    // Whoever acts as the same user is the viewer, or a bot whose tokens they see.
    let known = target
        .filter(|target| target.is_there())
        .filter(|target| may_find(&ctx, Some(target.facts())).is_ok());
    let Some(target) = known else {
        let text = if is_admin {
            "There is no such token."
        } else {
            "It has to be one that acts as the same user; any other takes an administrator."
        };
        tell(ruling, false, text.into());
        return Ok(());
    };
    if !api.rotates {
        let text = if actor.user_id() == Some(target.found.user.id) {
            "It acts as the same user."
        } else {
            "It is somebody else's, which takes an administrator."
        };
        tell(ruling, true, text.into());
        return Ok(());
    }
    let token = &target.found.token;
    let named = match (Way::of(&ctx, token), token.group_id, token.project_id) {
        (Way::OfPlace, Some(id), _) => Some(Named::Group(id.to_string())),
        (Way::OfPlace, None, Some(id)) => Some(Named::Project(id.to_string())),
        _ => None,
    };
    let place = match named {
        Some(named) => find(conn, viewer, actor, &named)?,
        None => None,
    };
    let decision = may_rotate_by_id(&ctx, place.as_ref(), Some(target.facts()));
    if decision == Err(Refusal::NoRight) && actor.is_bot() {
        let text = "A bot rotates no other token than the one that it shows.";
        tell(ruling, false, text.into());
        return Ok(());
    }
    let place = place.as_ref().map(Resource::place);
    let reason = place.as_ref().and_then(|place| off(place, viewer));
    if let (Err(Refusal::NoRight), Some(text)) = (decision, reason) {
        tell(ruling, false, text.into());
        return Ok(());
    }
    let own = place.as_ref().and_then(|place| actor.level(place));
    rotated(ruling, decision, target, own);
    Ok(())
}

/// Says what was decided about the token's rotation by somebody with this role where it belongs.
fn rotated(
    ruling: &mut Ruling,
    decision: Result<(), Refusal>,
    target: &Target,
    own: Option<AccessLevel>,
) {
    let role = |level: Option<AccessLevel>| level.map_or("no role", AccessLevel::name);
    let text = match decision {
        Ok(()) => return tell(ruling, true, "It can be rotated.".into()),
        Err(Refusal::Rotated) => "It was rotated already.".into(),
        Err(Refusal::Revoked) => "It was revoked.".into(),
        Err(Refusal::Above) => format!(
            "It has the role {}, which is above {}.",
            role(target.role),
            role(own)
        ),
        Err(_) => "It can't be rotated with this token.".into(),
    };
    tell(ruling, false, text);
}

fn tell(ruling: &mut Ruling, met: bool, text: String) {
    ruling.tell("Token in the path", met, text);
}
