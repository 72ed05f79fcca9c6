//! What each setting is called, what it does and what it takes.

use serde_json::{Value, json};

use super::domains;
use crate::access_tokens::secret::Prefix;

/// A part of the settings that is shown and saved as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Account and limit.
    Account,
    /// Visibility and access.
    Access,
    /// Repositories.
    Code,
    /// Mail.
    Mail,
    /// Network.
    Network,
}

impl Section {
    /// In the order in which they are shown.
    pub const ALL: [Section; 5] = [
        Section::Account,
        Section::Access,
        Section::Code,
        Section::Mail,
        Section::Network,
    ];

    /// As addresses and forms name it.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Account => "account",
            Section::Access => "access",
            Section::Code => "code",
            Section::Mail => "mail",
            Section::Network => "network",
        }
    }

    /// The section of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
        /// What it means when there is none; nothing where there must be one.
        blank: Option<&'static str>,
        /// What 0 means, where it means something of its own.
        zero: Option<&'static str>,
    },
    /// How long tokens may live at the most, in days; none for the built-in limit.
    Lifetime,
    /// What token values begin with.
    Prefix,
    /// One of these words, each with how people read it.
    Choice(&'static [(&'static str, &'static str)]),
    /// E-mail domains; none for all.
    Domains,
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// What people read above it.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Where it is shown.
    pub section: Section,
}

const fn setting(
    section: Section,
    key: &'static str,
    kind: Kind,
    label: &'static str,
    help: &'static str,
) -> Setting {
    Setting {
        key,
        label,
        help,
        kind,
        section,
    }
}

/// From `least` to `most`.
const fn number(least: u32, most: u32) -> Kind {
    Kind::Number {
        least,
        most,
        blank: None,
        zero: None,
    }
}

/// As [`number`], or none, which means what `blank` says.
const fn maybe(least: u32, most: u32, blank: &'static str) -> Kind {
    Kind::Number {
        least,
        most,
        blank: Some(blank),
        zero: None,
    }
}

/// Any number; 0 for no limit.
const LIMIT: Kind = Kind::Number {
    least: 0,
    most: 1_000_000,
    blank: None,
    zero: Some("no limit"),
};

const VISIBILITY: Kind = Kind::Choice(&[
    ("private", "Private"),
    ("internal", "Internal"),
    ("public", "Public"),
]);

use Section::{Access, Account, Code, Mail, Network};

/// The key of the longest lifetime, in days, which is asked about before it is lowered.
pub const LIFETIME: &str = "max_personal_access_token_lifetime";

/// All settings, in the order in which they are shown.
pub const SETTINGS: [Setting; 27] = [
    setting(
        Account,
        "personal_access_token_prefix",
        Kind::Prefix,
        "Personal access token prefix",
        "The values of new tokens begin with it, those of groups and projects too. Older values keep working. With a prefix of your own, scanners can tell whose a leaked token is.",
    ),
    setting(
        Account,
        "token_shape",
        Kind::Choice(&[
            (
                "checked",
                "With a checksum: scanners and the server tell a token from noise",
            ),
            (
                "classic",
                "Classic: the prefix and 20 characters, for programs that insist on that",
            ),
        ]),
        "Shape of new tokens",
        "Values of both shapes are always accepted.",
    ),
    setting(
        Account,
        "max_personal_access_token_lifetime",
        Kind::Lifetime,
        "Maximum allowable lifetime for access tokens (days)",
        "No new token lives longer. When it is lowered, active tokens that would live longer are revoked three hours later, unless the change is undone before.",
    ),
    setting(
        Account,
        "require_personal_access_token_expiry",
        Kind::Switch,
        "Personal / Project / Group access token expiration",
        "Tokens must have an expiration date. Without this, tokens that never end can be made; GitLab deprecated them in 15.4 and removed them in 16.0.",
    ),
    setting(
        Account,
        "inactive_resource_access_tokens_delete_after_days",
        maybe(1, 3_650, "never"),
        "Inactive project and group access token retention period",
        "Days after which a bot whose tokens have all ended or been revoked is deleted with them.",
    ),
    setting(
        Account,
        "revoke_unused_tokens_after_days",
        maybe(30, 3_650, "never"),
        "Revoke unused tokens after (days)",
        "Tokens of groups and projects that nobody has used for so long are revoked once a day.",
    ),
    setting(
        Account,
        "active_tokens_per_group",
        LIMIT,
        "Active tokens per group or project",
        "More can't be made; those that are there go on working.",
    ),
    setting(
        Account,
        "reuse_detection",
        Kind::Choice(&[
            ("rotation", "When somebody tries to rotate with it"),
            ("any_use", "When somebody uses it at all"),
        ]),
        "A rotated-away value revokes its successors",
        "Whoever still uses an old value may have stolen it.",
    ),
    setting(
        Account,
        "session_idle_days",
        number(1, 365),
        "Session duration without activity (days)",
        "People sign in again after that.",
    ),
    setting(
        Account,
        "session_absolute_days",
        number(1, 365),
        "Longest session duration (days)",
        "However active they are.",
    ),
    setting(
        Account,
        "bots_read_internal",
        Kind::Switch,
        "Bots can read internal groups and projects outside of their own",
        "Without this, a token reaches what is public, and its own group or project.",
    ),
    setting(
        Account,
        "disable_personal_access_tokens",
        Kind::Switch,
        "Disable all access tokens",
        "The emergency brake: no token authenticates, and none can be made, rotated or looked after in groups and projects until this is taken back. Administrators can still revoke tokens under Credentials.",
    ),
    setting(
        Access,
        "signup_enabled",
        Kind::Switch,
        "Sign-up enabled",
        "People can make an account for themselves, and confirm their address by mail.",
    ),
    setting(
        Access,
        "require_admin_approval_after_user_signup",
        Kind::Switch,
        "Require administrator approval for new sign-ups",
        "Who signed up can't do anything until an administrator approves it.",
    ),
    setting(
        Access,
        "domain_allowlist",
        Kind::Domains,
        "Allowed e-mail domains for sign-up",
        "One on each line, such as example.com or *.example.com; none for all.",
    ),
    setting(
        Access,
        "default_group_visibility",
        VISIBILITY,
        "Default group visibility",
        "What the form of a new group begins with.",
    ),
    setting(
        Access,
        "default_project_visibility",
        VISIBILITY,
        "Default project visibility",
        "What the form of a new project begins with.",
    ),
    setting(
        Access,
        "registry_enabled",
        Kind::Switch,
        "Offer the container registry scopes",
        "The scopes read_registry and write_registry can be chosen for new tokens.",
    ),
    setting(
        Code,
        "git_push_limit_bytes",
        number(65_536, u32::MAX),
        "Largest push (bytes)",
        "What a push may bring along at once; 2147483648 are 2 GiB. A larger one is refused, and the person is told.",
    ),
    setting(
        Code,
        "refuse_pushed_tokens",
        Kind::Switch,
        "Refuse pushes with living tokens",
        "A push that contains a token of this instance which still works is refused, with the commit, the file and the line.",
    ),
    setting(
        Mail,
        "resource_access_token_notify_inherited",
        Kind::Switch,
        "Expiry mails about tokens go to inherited members too",
        "Where a group doesn't say otherwise. Takes effect with the flag pat_expiry_inherited_members_notification.",
    ),
    setting(
        Mail,
        "lock_resource_access_token_notify_inherited",
        Kind::Switch,
        "Enforce that for all groups",
        "No group can choose for itself.",
    ),
    setting(
        Network,
        "api_requests_per_minute",
        LIMIT,
        "API requests per token and minute",
        "More are answered with 429. Each node counts for itself; answers say how the token stands.",
    ),
    setting(
        Network,
        "failing_credentials_per_minute",
        LIMIT,
        "Unknown credentials per address and minute",
        "More are answered with 429. Only values that belong to no token count.",
    ),
    setting(
        Network,
        "sign_in_failures_per_account",
        LIMIT,
        "Failed sign-ins per account in 10 minutes",
        "From one address. After that, that account waits.",
    ),
    setting(
        Network,
        "sign_in_failures_per_address",
        LIMIT,
        "Failed sign-ins per address in 10 minutes",
        "Whatever the account.",
    ),
    setting(
        Network,
        "allow_local_requests_from_web_hooks_and_services",
        Kind::Switch,
        "Allow webhooks to the local network",
        "Webhooks may call loopback, link-local and private addresses, and with them whatever listens there.",
    ),
];

impl Setting {
    /// The setting of this name.
    pub fn find(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Those of a section.
    pub fn of(section: Section) -> impl Iterator<Item = &'static Setting> {
        SETTINGS
            .iter()
            .filter(move |setting| setting.section == section)
    }

    /// What it takes, in a few words.
    pub fn takes(&self) -> String {
        match self.kind {
            Kind::Switch => "true or false".into(),
            Kind::Number {
                least,
                most,
                blank,
                zero,
            } => {
                let range = match zero {
                    Some(meaning) => format!("a number, 0 for {meaning}"),
                    None => format!("{least} to {most}"),
                };
                match blank {
                    Some(meaning) => format!("{range}, blank for {meaning}"),
                    None => range,
                }
            }
            Kind::Lifetime => {
                "1 to 365 days (400 with buffered_token_expiration_limit), blank for none".into()
            }
            Kind::Prefix => "0 to 20 characters of A-Z a-z 0-9 _ + = / @ : . -".into(),
            Kind::Choice(words) => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                match words.split_last() {
                    Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
                    None => String::new(),
                }
            }
            Kind::Domains => {
                "e-mail domains, such as example.com or *.example.com, blank for all".into()
            }
        }
    }

    /// What somebody typed, as a value.
    ///
    /// # Errors
    /// What is wrong, as it follows the name of the setting.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            Kind::Prefix => json!(text),
            Kind::Domains => json!(domains::listed(text)),
            _ if text.trim().is_empty() => Value::Null,
            Kind::Choice(_) => json!(text),
            Kind::Switch => match text {
                "true" => json!(true),
                "false" => json!(false),
                _ => return Err("must be true or false".into()),
            },
            Kind::Number { .. } | Kind::Lifetime => match text.trim().parse::<i64>() {
                Ok(number) => json!(number),
                Err(_) => return Err("is not a whole number".into()),
            },
        };
        self.check(value)
    }

    /// A value as programs send it, put into its one form: what may be blank and is, becomes `null`.
    ///
    /// # Errors
    /// What is wrong, as it follows the name of the setting.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let value = match value {
            Value::Null if self.kind == Kind::Prefix => json!(""),
            Value::Null if self.kind == Kind::Domains => json!([]),
            other => other,
        };
        match (self.kind, &value) {
            (Kind::Switch, Value::Bool(_)) => {}
            (Kind::Switch, _) => return Err("must be true or false".into()),
            (Kind::Lifetime | Kind::Number { blank: Some(_), .. }, Value::Null) => {}
            (_, Value::Null) => return Err("can't be blank".into()),
            (Kind::Number { least, most, .. }, Value::Number(number)) => {
                within(number.as_u64(), least, most)?;
            }
            // Which of the two limits holds, a flag says: that is checked when it is saved.
            (Kind::Lifetime, Value::Number(number)) => within(number.as_u64(), 1, 400)?,
            (Kind::Number { .. } | Kind::Lifetime, _) => return Err("is not a whole number".into()),
            (Kind::Prefix, Value::String(text)) => {
                Prefix::parse(text).map_err(|problems| {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    problems.join(", ")
                })?;
            }
            (Kind::Choice(words), Value::String(text))
                if words.iter().any(|(word, _)| word == text) => {}
            (Kind::Domains, Value::Array(entries)) => {
                let texts = entries.iter().map(|entry| entry.as_str());
                let Some(texts) = texts.collect::<Option<Vec<&str>>>() else {
                    return Err("must be a list of texts".into());
                };
                return domains::checked(&texts).map(|domains| json!(domains));
            }
            _ => return Err(format!("must be {}", self.takes())),
        }
        Ok(value)
    }
}

fn within(number: Option<u64>, least: u32, most: u32) -> Result<(), String> {
    if number.is_some_and(|n| (u64::from(least)..=u64::from(most)).contains(&n)) {
        Ok(())
    } else {
        Err(out_of_range(least, most))
    }
}

/// How a number out of its range is refused.
pub(super) fn out_of_range(least: u32, most: u32) -> String {
    format!("must be between {least} and {most}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Policy;

    #[test]
    fn there_is_an_entry_for_every_setting_and_for_nothing_else() {
        let stored = serde_json::to_value(Policy::default().settings).unwrap();
        let mut stored: Vec<String> = stored.as_object().unwrap().keys().cloned().collect();
        let mut known: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        stored.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, stored);
    }

    #[test]
    fn every_default_is_a_value_that_the_setting_takes() {
        let defaults = serde_json::to_value(Policy::default().settings).unwrap();
        for setting in &SETTINGS {
            let value = &defaults[setting.key];
            assert_eq!(
                setting.check(value.clone()).as_ref(),
                Ok(value),
                "{setting:?}"
            );
        }
    }

    #[test]
    fn numbers_end_where_their_range_does() {
        for (key, good, bad) in [
            (
                "max_personal_access_token_lifetime",
                ["1", "400"],
                ["0", "401"],
            ),
            (
                "inactive_resource_access_tokens_delete_after_days",
                ["1", "3650"],
                ["0", "3651"],
            ),
            (
                "revoke_unused_tokens_after_days",
                ["30", "3650"],
                ["29", "3651"],
            ),
            (
                "active_tokens_per_group",
                ["0", "1000000"],
                ["-1", "1000001"],
            ),
            ("session_idle_days", ["1", "365"], ["0", "366"]),
        ] {
            let setting = Setting::find(key).unwrap();
            for text in good {
                assert!(setting.read(text).is_ok(), "{key} {text}");
            }
            for text in bad {
                assert!(setting.read(text).is_err(), "{key} {text}");
            }
        }
    }

    #[test]
    fn only_what_may_be_blank_can_be_blank() {
        for setting in &SETTINGS {
            let blank = setting.read("");
            match setting.kind {
                Kind::Lifetime | Kind::Number { blank: Some(_), .. } => {
                    assert_eq!(blank, Ok(Value::Null));
                }
                Kind::Prefix => assert_eq!(blank, Ok(json!(""))),
                Kind::Domains => assert_eq!(blank, Ok(json!([]))),
                _ => assert!(blank.is_err(), "{}", setting.key),
            }
        }
    }

    #[test]
    fn nothing_of_another_type_is_taken() {
        for setting in &SETTINGS {
            for odd in [json!({}), json!(1.5), json!([1]), json!("\u{0}"), json!(-1)] {
                assert!(setting.check(odd.clone()).is_err(), "{} {odd}", setting.key);
            }
        }
    }
}
