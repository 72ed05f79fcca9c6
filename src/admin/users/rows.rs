//! Users in the words of the pages.

use chrono::{DateTime, NaiveDate, Utc};

use super::address;
use crate::access_tokens::ListedToken;
use crate::audit::catalogue;
use crate::audit::list::AuditEvent;
use crate::context::Context;
use crate::groups::Group;
use crate::members::Membership;
use crate::projects::Project;
use crate::users::{User, UserState};
use crate::web::lists;
use crate::web::views::admin::users::{AccessSwitch, BotRow, EventRow, RoleRow, TokenRow, UserRow};
use crate::web::views::components::{Badge, Day, Expiry, Moment, Tone};

/// Why nobody blocks themselves: said beside the control that isn't there.
pub(super) const OWN_BLOCK: &str = "You can't block yourself.";

/// A person of the list.
pub(super) fn person(user: &User, roles: i64, ctx: &Context) -> UserRow {
    UserRow {
        href: address(&user.username),
        name: user.name.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        badges: badges(user, ctx),
        roles: lists::grouped(roles),
        created: Day::on(user.created_at.date_naive()),
        last_sign_in: user.last_sign_in_at.map(|at| Moment::at(at, ctx.now)),
        access: access(user, ctx),
    }
}

/// The row of somebody who signed up: not locked out, but not let in yet.
pub(super) fn waiting(mut row: UserRow) -> UserRow {
    row.access = AccessSwitch::Approve;
    row
}

/// Who is special, and how.
pub(super) fn badges(user: &User, ctx: &Context) -> Vec<Badge> {
    let mut badges = Vec::new();
    if ctx.actor.user_id() == Some(user.id) {
        badges.push(Badge::new("It's you", Tone::Success));
    }
    match user.state {
        UserState::Active => {}
        UserState::Blocked if user.is_pending() => {
            badges.push(Badge::new("Pending", Tone::Warning));
        }
        UserState::Blocked => badges.push(Badge::new("Blocked", Tone::Danger)),
        UserState::Deactivated => badges.push(Badge::new("Deactivated", Tone::Neutral)),
    }
    if user.admin {
        badges.push(Badge::new("Administrator", Tone::Info));
    }
    if user.external {
        badges.push(Badge::new("External", Tone::Warning));
    }
    badges
}

/// May they be locked out, or let in? Whoever looks is an active administrator, so that nobody else is
/// the last one.
pub(super) fn access(user: &User, ctx: &Context) -> AccessSwitch {
    if ctx.actor.user_id() == Some(user.id) {
        AccessSwitch::Kept(OWN_BLOCK)
    } else if user.state == UserState::Active {
        AccessSwitch::Block
    } else {
        AccessSwitch::Unblock
    }
}

/// A bot of the list, with the groups and projects among which its home is.
pub(super) fn bot(bot: &User, groups: &[Group], projects: &[Project]) -> BotRow {
    let mut badges = Vec::new();
    if bot.state != UserState::Active {
        badges.push(Badge::new("Blocked", Tone::Danger));
    }
    if bot.external {
        badges.push(Badge::new("External", Tone::Warning));
    }
    let group = groups
        .iter()
        .find(|group| Some(group.id) == bot.bot_group_id);
    let project = projects
        .iter()
        .find(|project| Some(project.row.id) == bot.bot_project_id);
    let (path, about) = match (group, project) {
        (Some(group), _) => (
            Some(group.full_path.clone()),
            format!("/groups/{}/-", group.full_path),
        ),
        (None, Some(project)) => (
            Some(project.full_path()),
            format!("/{}/-", project.full_path()),
        ),
        (None, None) => (None, String::new()),
    };
    BotRow {
        name: bot.name.clone(),
        username: bot.username.clone(),
        badges,
        kind: if bot.bot_group_id.is_some() {
            "Group"
        } else {
            "Project"
        },
        created: Day::on(bot.created_at.date_naive()),
        // The bot bears the name of its token.
        token: path.is_some().then(|| {
            lists::address(
                &format!("{about}/settings/access_tokens"),
                &[("search", &bot.name)],
            )
        }),
        home: path.map(|path| (path.clone(), format!("/{path}"))),
    }
}

/// A role, with the groups and projects among which its place is.
pub(super) fn role(
    (membership, since): &(Membership, DateTime<Utc>),
    groups: &[Group],
    projects: &[Project],
    today: NaiveDate,
) -> Option<RoleRow> {
    let (kind, full_path, href) = match (membership.group_id, membership.project_id) {
        (Some(id), _) => {
            let path = &groups.iter().find(|group| group.id == id)?.full_path;
            (
                "Group",
                path.clone(),
                format!("/groups/{path}/-/group_members"),
            )
        }
        (None, Some(id)) => {
            let project = projects.iter().find(|project| project.row.id == id)?;
            let path = project.full_path();
            let href = format!("/{path}/-/project_members");
            ("Project", path, href)
        }
        (None, None) => return None,
    };
    Some(RoleRow {
        kind,
        full_path,
        href,
        role: membership.access_level.to_string(),
        expires: membership.expires_at.map(|date| Expiry::on(date, today)),
        ended: !membership.is_living(today),
        since: Day::on(since.date_naive()),
    })
}

/// A person's own token.
pub(super) fn token(listed: &ListedToken, now: DateTime<Utc>) -> TokenRow {
    let (token, today) = (&listed.token, now.date_naive());
    TokenRow {
        name: token.name.clone(),
        hint: token.hint.clone(),
        scopes: token.scopes.names().join(", "),
        state: if token.is_in_grace(now) {
            Badge::new("Old value", Tone::Info)
        } else if token.revoked {
            Badge::new("Revoked", Tone::Neutral)
        } else if token.is_expired(today) {
            Badge::new("Expired", Tone::Neutral)
        } else {
            Badge::new("Active", Tone::Success)
        },
        expires: token.expires_at.map(|date| Expiry::on(date, today)),
        last_used: listed.last_used_at.map(|at| Moment::at(at, now)),
    }
}

/// A line of the audit trail.
pub(super) fn event(event: &AuditEvent, now: DateTime<Utc>) -> EventRow {
    let title = catalogue::find(&event.event).map(|kind| kind.title.to_owned());
    let target = match event.target_kind.as_str() {
        "instance" => "The instance".to_owned(),
        "user" => format!("@{}", event.target_name),
        _ if event.group_path.is_empty() => event.target_name.clone(),
        _ => format!("{} in {}", event.target_name, event.group_path),
    };
    EventRow {
        at: Moment::at(event.created_at, now),
        event: title.unwrap_or_else(|| event.event.clone()),
        actor: event.actor_name.clone(),
        target,
        ip: event.ip.clone(),
    }
}
