//! The rows of the member table, as one viewer sees them.

use crate::access_tokens::Resource;
use crate::context::Context;
use crate::groups::Group;
use crate::members::AccessLevel;
use crate::members::list::Member;
use crate::permissions::{Place, Right};
use crate::users::UserState;
use crate::web::lists;
use crate::web::views::components::{Badge, Choice, Day, Expiry, Tone};
use crate::web::views::members::{EditMember, MemberAction, MemberRow, Source};

use super::Typed;

/// Who looks, and what they may do with the members of this group or project.
pub(super) struct Viewer<'a> {
    ctx: &'a Context,
    resource: &'a Resource,
    /// The viewer's role, if they may manage members.
    highest: Option<AccessLevel>,
    /// People who own the top-level group for good, at most two of them; nobody elsewhere.
    owners: Vec<i64>,
}

impl<'a> Viewer<'a> {
    pub(super) fn new(ctx: &'a Context, resource: &'a Resource, owners: Vec<i64>) -> Self {
        let place = resource.place();
        let manages = ctx.actor.could(Right::ManageMembers, &place, &ctx.policy);
        let highest = if manages {
            ctx.actor.level(&place)
        } else {
            None
        };
        Viewer {
            ctx,
            resource,
            highest,
            owners,
        }
    }

    /// The highest role that the viewer may give; nothing, if they may give none.
    pub(super) fn highest_to_give(&self) -> Option<AccessLevel> {
        self.highest
    }

    /// Does the viewer see this as an administrator alone?
    pub(super) fn is_only_admin(&self) -> bool {
        let place = self.resource.place();
        let actor = &self.ctx.actor;
        actor.is_admin() && crate::groups::rows::role(actor, &place).is_none()
    }

    /// A member's row; `typed` is what was typed into its form before.
    pub(super) fn row(&self, member: &Member, typed: Option<&Typed>) -> MemberRow {
        let today = self.ctx.today();
        let user = &member.user;
        MemberRow {
            user_id: user.id,
            name: user.name.clone(),
            username: user.username.clone(),
            bot: user.is_bot(),
            badges: self.badges(member),
            source: match &member.inherited_from {
                None => Source::Direct,
                Some((id, path)) => Source::Inherited {
                    href: self
                        .sees_above(*id)
                        .then(|| format!("/groups/{path}/-/group_members")),
                    full_path: path.clone(),
                },
            },
            role: member.access_level.to_string(),
            expires: member.expires_at.map(|date| Expiry::on(date, today)),
            joined: Some(Day::on(member.created_at.date_naive())),
            edit: self.edit(member, typed),
            action: self.action(member),
        }
    }

    fn badges(&self, member: &Member) -> Vec<Badge> {
        let mut badges = Vec::new();
        if self.is_viewer(member) {
            badges.push(Badge::new("It's you", Tone::Success));
        }
        if member.user.state == UserState::Blocked {
            badges.push(Badge::new("Blocked", Tone::Danger));
        }
        if member.user.external {
            badges.push(Badge::new("External", Tone::Warning));
        }
        badges
    }

    fn is_viewer(&self, member: &Member) -> bool {
        self.ctx.actor.user_id() == Some(member.user.id)
    }

    /// May the viewer change this membership at all?
    fn manages(&self, member: &Member) -> bool {
        member.inherited_from.is_none()
            && member.user.is_human()
            && self.highest >= Some(member.access_level)
    }

    /// Is it the one person who owns the top-level group for good?
    fn is_last_owner(&self, member: &Member) -> bool {
        self.resource.group().parent_id.is_none()
            && matches!(self.resource, Resource::Group(_))
            && member.inherited_from.is_none()
            && member.access_level == AccessLevel::Owner
            && self.owners.iter().all(|id| *id == member.user.id)
    }

    fn edit(&self, member: &Member, typed: Option<&Typed>) -> Option<EditMember> {
        if !self.manages(member) || self.is_last_owner(member) {
            return None;
        }
        let level = typed
            .and_then(|typed| typed.access_level)
            .unwrap_or(member.access_level);
        let date = member
            .expires_at
            .map(|date| date.to_string())
            .unwrap_or_default();
        Some(EditMember {
            roles: role_choices(self.highest?, &level.number().to_string()),
            expires_at: typed.map_or(date, |typed| typed.expires_at.clone()),
            earliest: super::earliest(self.ctx),
        })
    }

    fn action(&self, member: &Member) -> MemberAction {
        if member.user.is_bot() {
            return self
                .tokens_page(member)
                .map_or(MemberAction::None, MemberAction::ManageToken);
        }
        if member.inherited_from.is_some() || !(self.is_viewer(member) || self.manages(member)) {
            return MemberAction::None;
        }
        if self.is_last_owner(member) {
            return MemberAction::Blocked("The last Owner can't be removed.".into());
        }
        if self.is_viewer(member) {
            MemberAction::Leave
        } else {
            MemberAction::Remove
        }
    }

    /// The page with the token of this bot, for those who may see it.
    fn tokens_page(&self, member: &Member) -> Option<String> {
        let (actor, policy) = (&self.ctx.actor, &self.ctx.policy);
        let may = |place: &Place<'_>| actor.could(Right::SeeTokens, place, policy);
        let page = match &member.inherited_from {
            Some((id, path)) => may(&place_above(self.resource.group(), *id)?)
                .then(|| format!("/groups/{path}/-/settings/access_tokens")),
            None => match self.resource {
                Resource::Group(group) => may(&group.place())
                    .then(|| format!("/groups/{}/-/settings/access_tokens", group.full_path)),
                // Projects have no page for their tokens yet.
                Resource::Project(_) => None,
            },
        };
        // The bot bears the name of its token.
        page.map(|page| lists::address(&page, &[("search", &member.user.name)]))
    }

    fn sees_above(&self, id: i64) -> bool {
        place_above(self.resource.group(), id)
            .is_some_and(|place| self.ctx.actor.sees(&place, &self.ctx.policy))
    }
}

/// Where a group above lies; itself, for the group's own id. It is at least as visible as what is in it,
/// so whatever the viewer may do by this place, they may.
fn place_above(group: &Group, id: i64) -> Option<Place<'_>> {
    let mut end = 0;
    for step in group.traversal.split_inclusive('/') {
        end += step.len();
        if step.trim_end_matches('/').parse() == Ok(id) {
            let traversal = group.traversal.get(..end)?;
            let is_top_level = id == group.root_id;
            return Some(Place {
                group_id: id,
                traversal,
                is_top_level,
                ..group.place()
            });
        }
    }
    None
}

/// The roles up to the highest one, lowest first.
pub(super) fn role_choices(highest: AccessLevel, current: &str) -> Vec<Choice> {
    highest
        .and_below()
        .map(|level| Choice::new(level.number().to_string(), level.name(), current))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::samples::{context, member, resource, user};
    use crate::users::UserKind::{Human, ProjectBot};
    use AccessLevel::{Developer, Guest, Maintainer, Owner};

    fn told(action: &MemberAction) -> &str {
        match action {
            MemberAction::None => "",
            MemberAction::Blocked(_) => "blocked",
            MemberAction::Remove => "remove",
            MemberAction::Leave => "leave",
            MemberAction::ManageToken(href) => href,
        }
    }

    /// What Alice, with this role on `acme`, is offered for this member of the group.
    fn offered(
        role: AccessLevel,
        group_id: i64,
        owners: &[i64],
        member: &Member,
    ) -> (bool, String) {
        let ctx = context(user(1, "Alice", Human), 1, role);
        let resource = resource(group_id);
        let row = Viewer::new(&ctx, &resource, owners.to_vec()).row(member, None);
        (row.edit.is_some(), told(&row.action).to_owned())
    }

    #[test]
    fn owners_manage_members_and_others_may_only_leave() {
        let bob = member(user(2, "Bob", Human), Developer);
        let alice = |level| member(user(1, "Alice", Human), level);
        assert_eq!(offered(Owner, 1, &[1, 3], &bob), (true, "remove".into()));
        assert_eq!(
            offered(Owner, 1, &[1, 3], &alice(Owner)),
            (true, "leave".into())
        );
        assert_eq!(offered(Maintainer, 1, &[3], &bob), (false, String::new()));
        assert_eq!(
            offered(Maintainer, 1, &[3], &alice(Maintainer)),
            (false, "leave".into())
        );
    }

    #[test]
    fn the_last_person_who_owns_a_top_level_group_stays() {
        let alice = member(user(1, "Alice", Human), Owner);
        assert_eq!(offered(Owner, 1, &[1], &alice), (false, "blocked".into()));
        assert_eq!(
            offered(Owner, 1, &[], &alice),
            (false, "blocked".into()),
            "all others end some day"
        );
        assert_eq!(
            offered(Owner, 17, &[], &alice),
            (true, "leave".into()),
            "there are Owners above"
        );
    }

    #[test]
    fn bots_and_inherited_members_are_managed_elsewhere() {
        let tokens = "/groups/acme/platform/-/settings/access_tokens?search=deploy%20bot";
        let mut bot = member(user(5, "deploy bot", ProjectBot), Guest);
        assert_eq!(offered(Owner, 17, &[], &bot), (false, tokens.into()));
        assert_eq!(
            offered(Maintainer, 17, &[], &bot),
            (false, String::new()),
            "who can't see tokens"
        );
        bot.inherited_from = Some((1, "acme".into()));
        let above = "/groups/acme/-/settings/access_tokens?search=deploy%20bot";
        assert_eq!(offered(Owner, 17, &[], &bot), (false, above.into()));
        let mut bob = member(user(2, "Bob", Human), Developer);
        bob.inherited_from = Some((1, "acme".into()));
        assert_eq!(offered(Owner, 17, &[], &bob), (false, String::new()));
    }

    #[test]
    fn a_source_that_the_viewer_cannot_see_is_no_link() {
        let href = |group_id| {
            let ctx = context(user(1, "Alice", Human), group_id, Owner);
            let mut bob = member(user(2, "Bob", Human), Developer);
            bob.inherited_from = Some((1, "acme".into()));
            let resource = resource(17);
            match Viewer::new(&ctx, &resource, Vec::new())
                .row(&bob, None)
                .source
            {
                Source::Inherited { href, full_path } => (full_path, href),
                Source::Direct => panic!("it is inherited"),
            }
        };
        assert_eq!(
            href(1),
            ("acme".into(), Some("/groups/acme/-/group_members".into()))
        );
        assert_eq!(href(17), ("acme".into(), None));
    }

    #[test]
    fn nobody_gives_a_role_above_their_own() {
        let values = |level| -> Vec<String> {
            role_choices(level, "10")
                .into_iter()
                .map(|choice| choice.value)
                .collect()
        };
        assert_eq!(values(Maintainer), ["10", "15", "20", "30", "40"]);
        assert_eq!(values(Owner).last().map(String::as_str), Some("50"));
    }

    #[test]
    fn badges_tell_who_is_special() {
        let ctx = context(user(1, "Alice", Human), 1, Owner);
        let resource = resource(1);
        let viewer = Viewer::new(&ctx, &resource, vec![1]);
        let mut erin = user(2, "Erin", Human);
        erin.external = true;
        erin.state = UserState::Blocked;
        let texts = |member: &Member| -> Vec<String> {
            viewer
                .row(member, None)
                .badges
                .into_iter()
                .map(|badge| badge.text)
                .collect()
        };
        assert_eq!(texts(&member(erin, Guest)), ["Blocked", "External"]);
        assert_eq!(texts(&member(user(1, "Alice", Human), Owner)), ["It's you"]);
    }
}
