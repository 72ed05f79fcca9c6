//! Every event that there is: its name, what it means, and what its details tell. What isn't here is not written.

pub use super::area::Area;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As the trail has it: `group_created`.
    pub name: &'static str,
    /// Under which heading lists put it.
    pub area: Area,
    /// What happened, as half a sentence: `Group created`.
    pub title: &'static str,
    /// What its details tell; empty for nothing.
    pub details: &'static str,
}

const fn kind(area: Area, name: &'static str, title: &'static str, details: &'static str) -> Kind {
    Kind {
        name,
        area,
        title,
        details,
    }
}

/// What every event of a token that was made, ended or changed tells of it.
macro_rules! token {
    ($more:literal) => {
        concat!("scopes, expires_at, access_level, user_id, username", $more)
    };
}

/// The events of one of the three kinds of tokens.
macro_rules! token_events {
    ($area:expr, $word:literal, $title:literal) => {
        [
            kind(
                $area,
                concat!($word, "_access_token_created"),
                concat!($title, " access token created"),
                token!(""),
            ),
            kind(
                $area,
                concat!($word, "_access_token_creation_failed"),
                concat!("Creating a ", $word, " access token refused"),
                "token_name, reason",
            ),
            kind(
                $area,
                concat!($word, "_access_token_rotated"),
                concat!($title, " access token rotated"),
                token!(
                    ", previous_token_id, grace_until: when the old value ends, if not at once, ended_sooner: older values whose end is nearer now"
                ),
            ),
            kind(
                $area,
                concat!($word, "_access_token_rotation_failed"),
                concat!("Rotating a ", $word, " access token refused"),
                "token_id, token_name, username, reason",
            ),
            kind(
                $area,
                concat!($word, "_access_token_deleted"),
                concat!($title, " access token revoked"),
                token!(", ended_sooner: old values that ended with it, reason: why, if it was not revoked by itself"),
            ),
            kind(
                $area,
                concat!($word, "_access_token_deletion_failed"),
                concat!("Revoking a ", $word, " access token refused"),
                "token_id, token_name, username, reason",
            ),
            kind(
                $area,
                concat!($word, "_access_token_expired"),
                concat!($title, " access token expired"),
                token!(""),
            ),
            kind(
                $area,
                concat!($word, "_access_token_revoked_by_policy"),
                concat!($title, " access token revoked by a rule of the instance"),
                token!(", policy, last_used_at"),
            ),
            kind(
                $area,
                concat!($word, "_access_token_reuse_detected"),
                concat!("Old value of a ", $word, " access token came back"),
                "user_id, username, revoked: the tokens that were revoked for it",
            ),
            kind(
                $area,
                concat!($word, "_access_token_first_used"),
                concat!($title, " access token used for the first time"),
                token!(""),
            ),
            kind(
                $area,
                concat!($word, "_access_token_used_from_new_ip"),
                concat!($title, " access token used from a new address"),
                token!(", known: the addresses before"),
            ),
            kind(
                $area,
                concat!($word, "_access_token_edited"),
                concat!($title, " access token given another name or description"),
                "name: old and new, description: old and new, user_id, username",
            ),
            kind(
                $area,
                concat!($word, "_access_token_updated"),
                concat!($title, " access token given an expiry date"),
                token!(", ended_sooner: old values whose end is nearer now, reason"),
            ),
            kind(
                $area,
                concat!($word, "_access_token_imported"),
                concat!($title, " access token imported"),
                "scopes, expires_at, revoked, user_id, username",
            ),
        ]
    };
}

const GROUP_TOKENS: [Kind; 14] = token_events!(Area::GroupTokens, "group", "Group");
const PROJECT_TOKENS: [Kind; 14] = token_events!(Area::ProjectTokens, "project", "Project");
const PERSONAL_TOKENS: [Kind; 14] = token_events!(Area::PersonalTokens, "personal", "Personal");

use Area::{Bots, Groups, Instance, Members, Notices, Projects, Users, Webhooks};

const OTHERS: &[Kind] = &[
    kind(Bots, "bot_created", "Bot created", "name, external, source"),
    kind(Bots, "bot_deleted", "Bot deleted", "name, reason"),
    kind(
        Groups,
        "group_created",
        "Group created",
        "full_path, visibility",
    ),
    kind(
        Groups,
        "group_imported",
        "Group imported",
        "full_path, visibility",
    ),
    kind(
        Groups,
        "group_updated",
        "Group changed",
        "name, path, description, visibility: old and new",
    ),
    kind(
        Groups,
        "group_renamed",
        "Group given another path",
        "full_path: old and new",
    ),
    kind(
        Groups,
        "group_transferred",
        "Group moved",
        "full_path: old and new, direction: out of the group or into it",
    ),
    kind(
        Groups,
        "group_deleted",
        "Group deleted, with everything in it",
        "full_path, bots: how many went with it",
    ),
    kind(
        Groups,
        "group_plan_changed",
        "Plan of a group changed",
        "plan: old and new",
    ),
    kind(
        Groups,
        "resource_access_token_creation_allowed_changed",
        "Creation of tokens switched on or off",
        "resource_access_token_creation_allowed: old and new",
    ),
    kind(
        Groups,
        "resource_access_token_notify_inherited_changed",
        "Who gets mails about tokens changed",
        "what was chosen and locked: old and new",
    ),
    kind(
        Projects,
        "project_created",
        "Project created",
        "full_path, visibility",
    ),
    kind(
        Projects,
        "project_imported",
        "Project imported",
        "full_path, visibility",
    ),
    kind(
        Projects,
        "project_updated",
        "Project changed",
        "name, path, description, visibility, archived: old and new",
    ),
    kind(
        Projects,
        "project_renamed",
        "Project given another path",
        "full_path: old and new",
    ),
    kind(
        Projects,
        "project_transferred",
        "Project moved",
        "full_path: old and new, direction: out of the group or into it",
    ),
    kind(
        Projects,
        "project_deleted",
        "Project deleted",
        "full_path, bots: how many went with it",
    ),
    kind(
        Projects,
        "repository_pushed",
        "Code pushed",
        "refs: name, from and to of the first 20, refs_in_all",
    ),
    kind(
        Projects,
        "repository_push_refused",
        "Push refused: it contained a token that works",
        "reason, token_ids",
    ),
    kind(
        Projects,
        "repository_push_rejected",
        "Git did not change all that a push asked for",
        "refs: name, from and to of the first 20, refs_in_all",
    ),
    kind(
        Members,
        "member_created",
        "Member added",
        "source, access_level, expires_at",
    ),
    kind(
        Members,
        "member_imported",
        "Member imported",
        "source, access_level, expires_at",
    ),
    kind(
        Members,
        "member_level_changed",
        "Role of a member changed",
        "source, access_level and expires_at: old and new",
    ),
    kind(
        Members,
        "member_expiry_changed",
        "End of a membership changed",
        "source, expires_at: old and new",
    ),
    kind(
        Members,
        "member_deleted",
        "Member removed",
        "source, access_level",
    ),
    kind(
        Members,
        "member_expired",
        "Membership ended",
        "source, access_level, expires_at",
    ),
    kind(Users, "user_created", "Account created", "admin, external"),
    kind(
        Users,
        "user_imported",
        "Account imported",
        "admin, external, state",
    ),
    kind(
        Users,
        "user_signed_up",
        "Account made by oneself",
        "approval: is it needed",
    ),
    kind(Users, "user_confirmed", "Address confirmed", ""),
    kind(Users, "user_approved", "Sign-up approved", ""),
    kind(Users, "user_signed_in", "Signed in", ""),
    kind(Users, "user_sign_in_failed", "Sign-in failed", ""),
    kind(
        Users,
        "user_throttled",
        "Sign-in put off: too many attempts",
        "retry_after: seconds",
    ),
    kind(Users, "user_signed_out", "Signed out", ""),
    kind(
        Users,
        "user_session_revoked",
        "Session ended by somebody",
        "sessions: how many",
    ),
    kind(Users, "user_password_changed", "Password changed", ""),
    kind(
        Users,
        "user_calendar_feed_reset",
        "Address of the expiry calendar made anew",
        "first: was there none before",
    ),
    kind(
        Users,
        "user_password_reset_requested",
        "Link to a new password asked for",
        "",
    ),
    kind(
        Users,
        "user_name_changed",
        "Name changed",
        "name: old and new",
    ),
    kind(
        Users,
        "user_username_changed",
        "User name changed",
        "username: old and new",
    ),
    kind(
        Users,
        "user_email_changed",
        "Address changed",
        "email: old and new",
    ),
    kind(Users, "user_blocked", "Account blocked", ""),
    kind(Users, "user_unblocked", "Account unblocked", ""),
    kind(Users, "user_promoted", "Made an administrator", ""),
    kind(Users, "user_demoted", "No administrator any more", ""),
    kind(
        Users,
        "user_external_changed",
        "External or not",
        "external: old and new",
    ),
    kind(
        Users,
        "user_deleted",
        "Account deleted",
        "projects: those that went with it",
    ),
    kind(
        Webhooks,
        "webhook_created",
        "Webhook added",
        "origin: scheme, host and port",
    ),
    kind(
        Webhooks,
        "webhook_updated",
        "Webhook changed",
        "what changed, old and new; a key as changed",
    ),
    kind(Webhooks, "webhook_deleted", "Webhook deleted", "origin"),
    kind(
        Webhooks,
        "webhook_disabled",
        "Webhook switched off after failures",
        "reason",
    ),
    kind(
        Notices,
        "expiry_notice_sent",
        "Notice of a token's end put into the outbox",
        "user_id, username, interval_days, recipients: how many people",
    ),
    kind(
        Notices,
        "expiry_notice_failed",
        "Notice of a token's end given up",
        "mail, token_id, token_name, username, reason",
    ),
    kind(
        Notices,
        "mail_retried",
        "Mail tried again by hand",
        "mail, user_id",
    ),
    kind(
        Notices,
        "mail_dropped",
        "Mail dropped by hand",
        "mail, user_id",
    ),
    kind(
        Instance,
        "application_setting_changed",
        "Settings changed",
        "each setting: old and new",
    ),
    kind(
        Instance,
        "feature_flag_changed",
        "Feature flag switched",
        "each flag: old and new",
    ),
    kind(Instance, "job_requested", "Job asked for", "job"),
    kind(
        Instance,
        "audit_exported",
        "Audit log exported",
        "format, filter",
    ),
    kind(Instance, "system_started", "Server started", "version"),
    kind(
        Instance,
        "system_migrated",
        "Database migrated",
        "version, migrations: how many",
    ),
    kind(Instance, "system_backup", "Backup taken", "file"),
    kind(
        Instance,
        "system_backup_failed",
        "Backup failed",
        "file, reason",
    ),
    kind(
        Instance,
        "system_restored",
        "Backup restored",
        "file, taken_at, compared, revoked_tokens, revived_tokens, shortened_tokens, lengthened_tokens, lifetime_enforcement_at, ended_sessions",
    ),
    kind(
        Instance,
        "system_imported",
        "Groups, people and tokens imported",
        "how many of what, source, administrators",
    ),
    kind(
        Instance,
        "system_exported",
        "Groups, people and tokens exported",
        "file",
    ),
    kind(
        Instance,
        "system_clock_skew",
        "Clocks of this machine and the database server apart",
        "reason",
    ),
];

/// Every kind of event, in the order of lists.
pub fn all() -> impl Iterator<Item = &'static Kind> {
    GROUP_TOKENS
        .iter()
        .chain(&PROJECT_TOKENS)
        .chain(&PERSONAL_TOKENS)
        .chain(OTHERS)
}

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.name == name)
}

impl Kind {
    /// Does [`Kind::details`] tell of a detail of this name? Where it speaks of `each` or of `what`, of any.
    pub fn tells_of(&self, detail: &str) -> bool {
        self.details
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .any(|word| word == detail || word == "each" || word == "what")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_name_is_there_once_and_reads_like_one() {
        let mut seen = HashSet::new();
        for kind in all() {
            assert!(seen.insert(kind.name), "{} twice", kind.name);
            assert!(
                kind.name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{}",
                kind.name
            );
            assert!(!kind.title.is_empty() && Area::ALL.contains(&kind.area));
        }
        assert_eq!(
            find("group_created").map(|kind| kind.area),
            Some(Area::Groups)
        );
        assert_eq!(find("group_exploded"), None);
    }

    #[test]
    fn kinds_of_one_area_stand_together() {
        let areas: Vec<Area> = all().map(|kind| kind.area).collect();
        let mut sorted = areas.clone();
        sorted.sort();
        assert_eq!(areas, sorted);
    }
}
