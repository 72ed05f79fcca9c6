//! The decisions.

use super::{Place, Right};
use crate::actor::{Actor, Credential};
use crate::groups::Visibility;
use crate::members::AccessLevel;
use crate::settings::Policy;
use crate::users::User;

/// Is this somebody who makes groups without a parent, as long as they may act at all? People from outside don't,
/// unless they administer the instance.
pub fn makes_top_level_groups(user: &User) -> bool {
    user.is_human() && (user.admin || !user.external)
}

/// Is what has this visibility open to an active account without any role? Internal is for every account that isn't
/// external; bots count as internal, unless the instance keeps them at home.
pub fn is_open_to(
    visibility: Visibility,
    is_external: bool,
    is_bot: bool,
    policy: &Policy,
) -> bool {
    match visibility {
        Visibility::Public => true,
        Visibility::Internal => !is_external && (!is_bot || policy.settings.bots_read_internal),
        Visibility::Private => false,
    }
}

impl Actor {
    /// The effective role: the highest of the direct one and those on all groups above. Administrators
    /// count as Owners; whoever may not act has none.
    pub fn level(&self, place: &Place<'_>) -> Option<AccessLevel> {
        if self.is_admin() {
            return Some(AccessLevel::Owner);
        }
        let user = self.user.as_ref().filter(|user| user.is_active())?;
        if place.owner_id == Some(user.id) {
            return Some(AccessLevel::Owner);
        }
        match place.project_id {
            Some(id) => self.memberships.on_project(id, place.traversal),
            None => self.memberships.on_group(place.traversal),
        }
    }

    /// Their own roles on a project: the direct one, and the one that its groups give. Whose namespace it is has it
    /// directly.
    pub fn roles_on(&self, place: &Place<'_>) -> (Option<AccessLevel>, Option<AccessLevel>) {
        let own = place.owner_id.is_some() && place.owner_id == self.user_id();
        let direct = self
            .memberships
            .iter()
            .find(|membership| {
                place.project_id.is_some() && membership.project_id == place.project_id
            })
            .map(|membership| membership.access_level);
        let direct = if own {
            Some(AccessLevel::Owner)
        } else {
            direct
        };
        (direct, self.memberships.on_group(place.traversal))
    }

    /// May they know that it exists?
    ///
    /// Public is for everybody; internal for accounts as [`is_open_to`] says; private for members.
    pub fn sees(&self, place: &Place<'_>, policy: &Policy) -> bool {
        self.level(place).is_some() || self.sees_as_anybody(place, policy)
    }

    /// Is it open to them without being a member?
    fn sees_as_anybody(&self, place: &Place<'_>, policy: &Policy) -> bool {
        match self.user.as_ref().filter(|user| user.is_active()) {
            Some(user) => is_open_to(place.visibility, user.external, user.is_bot(), policy),
            None => place.visibility == Visibility::Public,
        }
    }

    /// May they, on the way that this request took? What the route hasn't declared is refused.
    pub fn may(&self, right: Right, place: &Place<'_>, policy: &Policy) -> bool {
        self.declared.contains(right) && self.could(right, place, policy)
    }

    /// Would they be allowed to, on a route that declares it? For deciding what a page offers.
    pub fn could(&self, right: Right, place: &Place<'_>, policy: &Policy) -> bool {
        match right {
            Right::SeeGroup => place.project_id.is_none() && self.sees(place, policy),
            Right::SeeProject => place.project_id.is_some() && self.sees(place, policy),
            Right::ReadCode => {
                place.project_id.is_some()
                    && (self.sees_as_anybody(place, policy) || self.holds_role_for(right, place))
            }
            _ => self.holds_role_for(right, place) && self.meets_conditions(right, place, policy),
        }
    }

    /// Rights that don't depend on a place.
    pub fn may_on_instance(&self, right: Right) -> bool {
        self.declared.contains(right) && self.could_on_instance(right)
    }

    /// As [`Actor::may_on_instance`], for deciding what a page offers.
    pub fn could_on_instance(&self, right: Right) -> bool {
        let person = self
            .user
            .as_ref()
            .filter(|user| user.is_human() && user.is_active());
        match right {
            Right::Anyone => true,
            Right::OwnAccount => self.is_signed_in(),
            Right::OwnToken => self.token().is_some(),
            Right::OwnPersonalTokens => person.is_some(),
            Right::CreateTopLevelGroup => {
                self.is_admin() || person.is_some_and(makes_top_level_groups)
            }
            Right::Administer => self.is_admin(),
            _ => false,
        }
    }

    fn holds_role_for(&self, right: Right, place: &Place<'_>) -> bool {
        let needed = match place.project_id {
            Some(_) => right.level_on_project(),
            None => right.level_on_group(),
        };
        match (self.level(place), needed) {
            (Some(level), Some(needed)) => level >= needed,
            _ => false,
        }
    }

    /// What a role alone doesn't give.
    fn meets_conditions(&self, right: Right, place: &Place<'_>, policy: &Policy) -> bool {
        // A personal namespace is a place for projects; it has no members, settings or tokens of its own.
        if place.owner_id.is_some() && place.project_id.is_none() && right != Right::CreateProject {
            return false;
        }
        match right {
            // A token never mints a token; with creation off on the root group, or without a plan for it, nobody
            // does, except the operator's console, which stands in for a console below the product.
            Right::CreateToken => {
                !self.is_bot()
                    && !policy.settings.disable_personal_access_tokens
                    && (self.is_console() || place.barrier(policy).is_none())
            }
            Right::RotateToken => {
                !self.is_bot()
                    && !policy.settings.disable_personal_access_tokens
                    && place.barrier(policy).is_none()
            }
            Right::EditToken => !self.is_bot() && !policy.settings.disable_personal_access_tokens,
            // A bot looks after the tokens of the one group or project that it was made for.
            Right::SeeTokens | Right::RevokeToken => {
                !policy.settings.disable_personal_access_tokens
                    && (!self.is_bot() || self.is_bot_of(place))
            }
            // A bot's membership belongs to its token.
            Right::LeaveMembership => !self.is_bot(),
            // Where something lies decides whose power reaches it: that takes a person.
            Right::TransferGroup | Right::ReceiveGroup | Right::TransferProject => !self.is_bot(),
            // Where a group's events go is for people to say, and what happened is for people to read.
            Right::ManageWebhooks | Right::SeeAuditEvents => !self.is_bot(),
            // Where no token can be made there is nothing to switch.
            Right::ChangeCreationSwitch => {
                place.is_top_level
                    && !self.is_bot()
                    && (self.is_console() || place.plan.allows_creation(policy.offering))
            }
            _ => true,
        }
    }

    fn is_console(&self) -> bool {
        matches!(self.credential, Credential::Console | Credential::System)
    }

    /// Is it the bot that was made for this very group or project?
    pub fn is_bot_of(&self, place: &Place<'_>) -> bool {
        self.user
            .as_ref()
            .is_some_and(|user| match place.project_id {
                Some(id) => user.bot_project_id == Some(id),
                None => user.bot_group_id == Some(place.group_id),
            })
    }
}
