//! The token in the path of a request: what the rules of seeing, rotating and revoking say about it, to a viewer who is
//! told of no token that they may not see.

use super::request::{ApiRequest, Named};
use super::rules::{Ruling, Says, find};
use crate::access_tokens::Resource;
use crate::access_tokens::authenticate::Found;
use crate::access_tokens::rotate::{is_above, replaceable};
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
    fn is_of(&self, resource: &Resource) -> bool {
        match resource {
            Resource::Group(group) => self.found.token.group_id == Some(group.id),
            Resource::Project(project) => self.found.token.project_id == Some(project.id),
        }
    }

    /// A bot that is gone takes its tokens along.
    fn is_there(&self) -> bool {
        self.found.user.bot_gone_at.is_none()
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
    let here = target.filter(|target| target.is_of(resource) && target.is_there());
    let Some(target) = here else {
        tell(ruling, false, format!("This {noun} has no token {id}."));
        return;
    };
    if api.rotates {
        rotated(ruling, viewer, target, actor.level(&place));
    } else if api.rights.contains(&Right::RevokeToken) && target.role.is_none() {
        let text = "Its bot isn't a member any more: it can be revoked on the page of the token.";
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
    // Whoever acts as the same user is the viewer, or a bot whose tokens they see.
    let own = |target: &&Target| actor.user_id() == Some(target.found.user.id);
    let known = target.filter(|target| target.is_there() && (is_admin || own(target)));
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
        let text = if own(&target) {
            "It acts as the same user."
        } else {
            "It is somebody else's, which takes an administrator."
        };
        tell(ruling, true, text.into());
        return Ok(());
    }
    let token = &target.found.token;
    let shown = actor.token().is_some_and(|shown| shown.id == token.id);
    let named = match (token.group_id, token.project_id) {
        _ if shown => None,
        (Some(id), _) => Some(Named::Group(id.to_string())),
        (_, Some(id)) => Some(Named::Project(id.to_string())),
        (None, None) => None,
    };
    let Some(named) = named else {
        // One's own token, or the one that is shown: no role stands above it.
        rotated(ruling, viewer, target, Some(AccessLevel::Owner));
        return Ok(());
    };
    let place = find(conn, viewer, actor, &named)?;
    match &place {
        Some(place) if actor.may(Right::RotateToken, &place.place(), &viewer.policy) => {
            rotated(ruling, viewer, target, actor.level(&place.place()));
        }
        _ if actor.is_bot() => {
            let text = "A bot rotates no other token than the one that it shows.";
            tell(ruling, false, text.into());
        }
        _ => {
            let text = "Making and rotating tokens is turned off by the top-level group.";
            tell(ruling, false, text.into());
        }
    }
    Ok(())
}

/// Says whether the token can be rotated by somebody with this role where it belongs.
fn rotated(ruling: &mut Ruling, viewer: &Context, target: &Target, own: Option<AccessLevel>) {
    let token = &target.found.token;
    if replaceable(token, viewer.now).is_err() {
        let text = if token.is_in_grace(viewer.now) {
            "It was rotated already."
        } else {
            "It was revoked."
        };
        tell(ruling, false, text.into());
        return;
    }
    let role = |level: Option<AccessLevel>| level.map_or("no role", AccessLevel::name);
    if is_above(target.role, own) {
        let text = format!(
            "It has the role {}, which is above {}.",
            role(target.role),
            role(own)
        );
        tell(ruling, false, text);
    } else {
        tell(ruling, true, "It can be rotated.".into());
    }
}

fn tell(ruling: &mut Ruling, met: bool, text: String) {
    ruling.tell("Token in the path", met, text);
}
