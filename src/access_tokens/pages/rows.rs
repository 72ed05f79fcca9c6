//! Tokens in the words of the pages.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::super::create::Created;
use super::super::scope::Scope;
use super::super::unused::{Span, idleness};
use super::super::{ListedToken, Resource};
use super::form::replacement;
use super::holder::Holder;
use crate::context::Context;
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::web::views::access_tokens::{
    Ended, InactiveTokenRow, OldValues, OneTimeToken, TokenRow,
};
use crate::web::views::components::{Badge, Day, Expiry, Moment, Snippet, Tone};
use crate::web::views::dates::{ago, clock};

/// A token used within this time is in use.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// What the actor may do with the active tokens of a holder.
pub(super) struct Offers {
    rotate: bool,
    revoke: bool,
    ceiling: Option<AccessLevel>,
}

impl Offers {
    pub(super) fn of(holder: &Holder, ctx: &Context) -> Self {
        Offers {
            rotate: holder.allows(Right::RotateToken, ctx),
            revoke: holder.allows(Right::RevokeToken, ctx),
            ceiling: holder.ceiling(ctx),
        }
    }

    /// A new value for a bot that isn't a member would open nothing: it is only good for revoking.
    pub(super) fn rotates(&self, listed: &ListedToken, today: NaiveDate) -> bool {
        let person = !listed.user.is_bot();
        self.rotate && (person || listed.is_member(today) && listed.access_level <= self.ceiling)
    }
}

/// A row of the active table.
pub(super) fn active(listed: ListedToken, offers: &Offers, now: DateTime<Utc>) -> TokenRow {
    let today = now.date_naive();
    TokenRow {
        id: listed.token.id,
        can_rotate: offers.rotates(&listed, today),
        can_revoke: offers.revoke,
        role: role(&listed, today),
        scopes: scopes(&listed),
        created: Day::on(listed.token.created_at.date_naive()),
        last_used: listed.last_used_at.map(|at| Moment::at(at, now)),
        idle: idleness(listed.token.here_since(), listed.last_used_at, now).map(idle),
        expires: listed.token.expires_at.map(|date| Expiry::on(date, today)),
        old_values: old_values(&listed, now),
        name: listed.token.name,
        hint: listed.token.hint,
        description: listed.token.description.unwrap_or_default(),
        last_used_ips: listed.last_used_ips,
    }
}

/// A row of the inactive table.
pub(super) fn inactive(listed: ListedToken, path: &str, now: DateTime<Utc>) -> InactiveTokenRow {
    InactiveTokenRow {
        id: listed.token.id,
        role: role(&listed, now.date_naive()),
        scopes: scopes(&listed),
        created: Day::on(listed.token.created_at.date_naive()),
        last_used: listed.last_used_at.map(|at| Moment::at(at, now)),
        replacement_href: replacement(path, &listed),
        ended: match listed.token.expires_at {
            // The last change of a revoked token is its revocation.
            _ if listed.token.revoked => Ended::Revoked {
                at: Some(Moment::at(ended_at(&listed), now)),
                by: None,
            },
            Some(date) => Ended::Expired(Day::on(date)),
            None => Ended::Revoked { at: None, by: None },
        },
        name: listed.token.name,
        description: listed.token.description.unwrap_or_default(),
    }
}

/// The values before the last rotation, as long as any of them works.
pub(super) fn old_values(listed: &ListedToken, now: DateTime<Utc>) -> Option<OldValues> {
    let until = old_values_until(listed, now)?;
    Some(OldValues {
        ids: listed.old_values.clone(),
        until,
    })
}

/// Until when older values work, the last of them: none outlives a newer one.
pub(super) fn old_values_until(listed: &ListedToken, now: DateTime<Utc>) -> Option<String> {
    let until = listed.old_value_until.filter(|until| *until > now);
    until.map(|until| clock(until, now))
}

/// What a token is good for at this moment.
pub(crate) fn state(listed: &ListedToken, now: DateTime<Utc>) -> Badge {
    let (token, today) = (&listed.token, now.date_naive());
    if token.is_revoked(now) {
        Badge::new("Revoked", Tone::Neutral)
    } else if token.is_expired(today) {
        Badge::new("Expired", Tone::Neutral)
    } else if !listed.user.is_active() {
        Badge::new("Blocked", Tone::Warning)
    } else if listed.user.is_bot() && !listed.is_member(today) {
        Badge::new("Not a member", Tone::Warning)
    } else if token.revoked {
        Badge::new("Old value", Tone::Info)
    } else {
        Badge::new("Active", Tone::Success)
    }
}

/// When a revoked token stopped working.
pub(super) fn ended_at(listed: &ListedToken) -> DateTime<Utc> {
    let changed = listed.token.updated_at;
    listed
        .token
        .grace_until
        .map_or(changed, |until| until.max(changed))
}

/// For how long nobody has used it, in words.
pub(super) fn idle(span: Span) -> String {
    format!("Unused for {} days", span.days())
}

/// The role; nothing if the bot isn't a member any more.
pub(super) fn role(listed: &ListedToken, today: NaiveDate) -> Option<String> {
    listed
        .access_level
        .filter(|_| listed.is_member(today))
        .map(|level| level.name().to_owned())
}

pub(super) fn scopes(listed: &ListedToken) -> String {
    listed.token.scopes.names().join(", ")
}

/// `Last used 2 hours ago from 10.1.4.7 · Maintainer · read_api`.
pub(super) fn summary(listed: &ListedToken, now: DateTime<Utc>, exact: bool) -> String {
    let told = |at| {
        if exact {
            Moment::at(at, now).to_the_minute()
        } else {
            ago(at, now)
        }
    };
    let used = match (listed.last_used_at, listed.last_used_ips.first()) {
        (Some(at), Some(ip)) => format!("Last used {} from {ip}", told(at)),
        (Some(at), None) => format!("Last used {}", told(at)),
        (None, _) => "Never used".into(),
    };
    let mut parts = vec![used];
    if listed.user.is_bot() {
        let role = role(listed, now.date_naive());
        parts.push(role.unwrap_or_else(|| "Not a member".into()));
    }
    parts.push(scopes(listed));
    parts.join(" · ")
}

/// Is something using it, so that people should think twice?
pub(super) fn is_used_lately(listed: &ListedToken, now: DateTime<Utc>) -> bool {
    listed.last_used_at.is_some_and(|at| now - at < LATELY)
}

/// The value just made, for the one answer that has it.
pub(super) fn once(
    created: &Created,
    holder: &Holder,
    rotated: bool,
    ctx: &Context,
) -> OneTimeToken {
    let listed = &created.listed;
    let mut parts = Vec::new();
    parts.extend(role(listed, ctx.today()).filter(|_| listed.user.is_bot()));
    parts.push(scopes(listed));
    parts.push(match listed.token.expires_at {
        Some(date) => format!("expires {}", Day::on(date).text),
        None => "never expires".into(),
    });
    OneTimeToken {
        value: created.plaintext.expose().to_owned(),
        rotated,
        name: listed.token.name.clone(),
        summary: parts.join(" · "),
        examples: examples(listed, holder, ctx),
    }
}

/// Lines that work with this token's scopes.
fn examples(listed: &ListedToken, holder: &Holder, ctx: &Context) -> Vec<Snippet> {
    let line = |label: &str, path: &str| Snippet {
        label: label.into(),
        text: format!("curl --header \"PRIVATE-TOKEN: <token>\" {}", ctx.url(path)),
    };
    let mut lines = Vec::new();
    if listed
        .token
        .scopes
        .contains_any(&[Scope::Api, Scope::ReadApi])
    {
        lines.push(match holder {
            Holder::Resource(Resource::Group(group)) => {
                line("Read the group", &format!("/api/v4/groups/{}", group.id))
            }
            Holder::Resource(Resource::Project(project)) => line(
                "Read the project",
                &format!("/api/v4/projects/{}", project.id),
            ),
            Holder::Person(_) => line("Read your account", "/api/v4/user"),
        });
    }
    lines.push(line(
        "Ask about the token itself",
        "/api/v4/personal_access_tokens/self",
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_tokens::AccessToken;
    use crate::access_tokens::scope::Scopes;
    use crate::users::{Identity, UserKind, UserState};

    fn now() -> DateTime<Utc> {
        "2026-11-20T17:58:09Z".parse().unwrap()
    }

    fn in_days(days: i64) -> Option<NaiveDate> {
        Some(now().date_naive() + TimeDelta::days(days))
    }

    fn listed(kind: UserKind) -> ListedToken {
        ListedToken {
            token: AccessToken {
                id: 7,
                user_id: 3,
                group_id: Some(1).filter(|_| kind == UserKind::ProjectBot),
                project_id: None,
                name: "deploy".into(),
                description: None,
                scopes: Scopes::parse("read_api read_repository").unwrap(),
                hint: "7232".into(),
                expires_at: in_days(30),
                revoked: false,
                previous_token_id: None,
                grace_until: None,
                created_at: now(),
                updated_at: now() - TimeDelta::days(2),
                imported_at: None,
            },
            user: Identity {
                id: 3,
                username: "somebody".into(),
                name: "Somebody".into(),
                kind,
                state: UserState::Active,
                bot_gone_at: None,
            },
            access_level: Some(AccessLevel::Maintainer).filter(|_| kind == UserKind::ProjectBot),
            membership_expires_at: None,
            last_used_at: None,
            last_used_ips: Vec::new(),
            old_value_until: None,
            old_values: Vec::new(),
        }
    }

    const ALL: Offers = Offers {
        rotate: true,
        revoke: true,
        ceiling: Some(AccessLevel::Owner),
    };

    #[test]
    fn a_bot_that_is_no_member_has_no_role_and_can_only_be_revoked() {
        let mut orphan = listed(UserKind::ProjectBot);
        orphan.access_level = None;
        let mut ended = listed(UserKind::ProjectBot);
        ended.membership_expires_at = in_days(0);
        for token in [orphan, ended] {
            assert!(summary(&token, now(), false).contains("Not a member"));
            let row = active(token, &ALL, now());
            assert!(row.role.is_none() && row.can_revoke && !row.can_rotate);
        }
    }

    #[test]
    fn a_token_above_ones_own_role_can_be_revoked_and_not_rotated() {
        let maintainer = Offers {
            ceiling: Some(AccessLevel::Maintainer),
            ..ALL
        };
        let mut token = listed(UserKind::ProjectBot);
        assert!(active(token.clone(), &maintainer, now()).can_rotate);
        token.access_level = Some(AccessLevel::Owner);
        let row = active(token, &maintainer, now());
        assert!(!row.can_rotate && row.can_revoke);
    }

    #[test]
    fn tokens_of_people_have_no_role_and_no_ceiling() {
        let person = Offers {
            ceiling: None,
            ..ALL
        };
        let row = active(listed(UserKind::Human), &person, now());
        assert!(row.can_rotate && row.role.is_none());
        assert_eq!(
            summary(&listed(UserKind::Human), now(), false),
            "Never used · read_api, read_repository"
        );
    }

    #[test]
    fn a_revoked_token_ended_with_its_revocation_and_others_with_their_date() {
        let mut token = listed(UserKind::ProjectBot);
        token.token.expires_at = in_days(-3);
        let Ended::Expired(day) = inactive(token.clone(), "", now()).ended else {
            panic!("it was not revoked")
        };
        assert_eq!(day.date, "2026-11-17");
        token.token.revoked = true;
        let Ended::Revoked { at: Some(at), .. } = inactive(token, "", now()).ended else {
            panic!("revoked counts more than expired")
        };
        assert_eq!(at.text, "2 days ago");
    }

    #[test]
    fn a_token_is_in_use_for_a_day_after_its_last_use() {
        let mut token = listed(UserKind::ProjectBot);
        assert!(!is_used_lately(&token, now()));
        for (hours, lately) in [(0, true), (23, true), (24, false)] {
            token.last_used_at = Some(now() - TimeDelta::hours(hours));
            assert_eq!(is_used_lately(&token, now()), lately, "{hours}");
        }
        token.last_used_ips = vec!["10.1.4.7".into(), "10.1.4.8".into()];
        assert_eq!(
            summary(&token, now(), false),
            "Last used 1 day ago from 10.1.4.7 · Maintainer · read_api, read_repository"
        );
    }
}
