//! Help: short pages about tokens and all that belongs to them.

use askama::Template;

use super::scopes::{SCOPES, ScopeText, kinds};
use super::shell::Shell;

/// A page of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `/help/tokens`.
    Tokens,
    /// `/help/roles`.
    Roles,
    /// `/help/scopes`.
    Scopes,
    /// `/help/expiry`.
    Expiry,
    /// `/help/rotation`.
    Rotation,
    /// `/help/use`.
    Use,
    /// `/help/check`.
    Check,
    /// `/help/calendar`.
    Calendar,
    /// `/help/webhooks`.
    Webhooks,
    /// `/help/audit_events`.
    AuditEvents,
    /// `/help/settings`.
    Settings,
    /// `/help/account`.
    Account,
    /// `/help/keyboard`.
    Keyboard,
    /// `/help/names`.
    Names,
}

impl Topic {
    /// Every topic, in the order of the help's first page.
    pub const ALL: [Self; 14] = [
        Self::Tokens,
        Self::Roles,
        Self::Scopes,
        Self::Expiry,
        Self::Rotation,
        Self::Use,
        Self::Check,
        Self::Calendar,
        Self::Webhooks,
        Self::AuditEvents,
        Self::Settings,
        Self::Account,
        Self::Keyboard,
        Self::Names,
    ];

    /// The one whose address ends like this.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|topic| topic.path().strip_prefix("/help/") == Some(name))
    }

    /// Where it is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Tokens => "/help/tokens",
            Self::Roles => "/help/roles",
            Self::Scopes => "/help/scopes",
            Self::Expiry => "/help/expiry",
            Self::Rotation => "/help/rotation",
            Self::Use => "/help/use",
            Self::Check => "/help/check",
            Self::Calendar => "/help/calendar",
            Self::Webhooks => "/help/webhooks",
            Self::AuditEvents => "/help/audit_events",
            Self::Settings => "/help/settings",
            Self::Account => "/help/account",
            Self::Keyboard => "/help/keyboard",
            Self::Names => "/help/names",
        }
    }

    /// Its place on the help's first page, which was all of the help once: links to its sections go on leading there.
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Roles => "roles",
            Self::Scopes => "scopes",
            Self::Expiry => "expiry",
            Self::Rotation => "rotation",
            Self::Use => "use",
            Self::Check => "check",
            Self::Calendar => "calendar",
            Self::Webhooks => "webhooks",
            Self::AuditEvents => "audit-events",
            Self::Settings => "settings",
            Self::Account => "account",
            Self::Keyboard => "keyboard",
            Self::Names => "names",
        }
    }

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Roles => "Roles",
            Self::Scopes => "Scopes",
            Self::Expiry => "Expiry",
            Self::Rotation => "Rotation and revocation",
            Self::Use => "API and Git",
            Self::Check => "Check a request",
            Self::Calendar => "Expiry calendar",
            Self::Webhooks => "Webhooks",
            Self::AuditEvents => "Audit events",
            Self::Settings => "Settings for Owners",
            Self::Account => "Your account",
            Self::Keyboard => "Keyboard",
            Self::Names => "Where did it go?",
        }
    }

    /// What it is about, in a sentence.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Tokens => {
                "An access token lets a program in where a person would use a password."
            }
            Self::Roles => {
                "A role says how much a member, and so a token, may do in a group or project."
            }
            Self::Scopes => "A scope says through which door a token may go.",
            Self::Expiry => "When a token ends, and how you hear of it in time.",
            Self::Rotation => {
                "Rotating gives a token a new value and a new date; revoking ends it."
            }
            Self::Use => "How a program shows its token.",
            Self::Check => "Find out what a token may do before you use it.",
            Self::Calendar => "The days on which tokens end, in your calendar program.",
            Self::Webhooks => {
                "A call to a program of yours seven days before an access token of a group, its subgroups or projects ends."
            }
            Self::AuditEvents => "Who did what, when and from where.",
            Self::Settings => "What Owners decide for a group and all that lies below it.",
            Self::Account => "Password, sessions, personal access tokens, mails and preferences.",
            Self::Keyboard => "Everything works with the keyboard.",
            Self::Names => "Words of older guides, and what they are called today.",
        }
    }
}

/// The first page of the help.
#[derive(Template)]
#[template(path = "help/index.html", whitespace = "minimize")]
pub struct HelpPage {
    /// The frame.
    pub shell: Shell,
}

/// One page of the help.
#[derive(Template)]
#[template(path = "help/topic.html", whitespace = "minimize")]
pub struct TopicPage {
    /// The frame.
    pub shell: Shell,
    /// What it is about.
    pub topic: Topic,
    /// The address of the instance without a slash at the end, for the examples.
    pub external_url: String,
    /// The longest lifetime of a token in days, if there is one.
    pub longest_lifetime: Option<u32>,
}

impl TopicPage {
    /// The address without its scheme, as it stands after `@` in a clone URL.
    pub fn host(&self) -> &str {
        self.external_url
            .split_once("://")
            .map_or(self.external_url.as_str(), |(_, host)| host)
    }

    /// Each scope with the kinds of token that may have it.
    pub fn scopes(&self) -> Vec<(ScopeText, &'static str)> {
        SCOPES
            .into_iter()
            .map(|text| (text, kinds(text.name)))
            .collect()
    }
}
