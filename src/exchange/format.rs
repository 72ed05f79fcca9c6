//! The file: what its parts are called and what they look like. docs/import.md describes it.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::groups::Visibility;
use crate::members::AccessLevel;

/// What a file says of itself, first of all.
pub const FORMAT: &str = "latchkey-import";

/// The one version of it.
pub const VERSION: i64 = 1;

/// The lists of a file, in the order in which they come: each may speak of what those before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// People.
    Users,
    /// Groups, each after the one it is in.
    Groups,
    /// Projects.
    Projects,
    /// Who has which role where.
    Memberships,
    /// The users behind group and project access tokens.
    Bots,
    /// Tokens of all kinds, each after the one that was rotated into it.
    Tokens,
    /// Digests of tokens that are no more, and never are again.
    TakenAway,
}

impl Section {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Users,
        Self::Groups,
        Self::Projects,
        Self::Memberships,
        Self::Bots,
        Self::Tokens,
        Self::TakenAway,
    ];

    /// Its key in the file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Projects => "projects",
            Self::Memberships => "memberships",
            Self::Bots => "bots",
            Self::Tokens => "tokens",
            Self::TakenAway => "taken_away",
        }
    }

    /// The section with this key.
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.key() == key)
    }
}

/// Where in a file something stands: `tokens[17]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// In which list,
    pub section: Section,
    /// at which place, from 0.
    pub index: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.section.key(), self.index)
    }
}

/// What comes before the lists.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// Where it comes from, for the audit trail.
    pub source: Option<String>,
    /// What the values of its tokens begin with.
    pub prefixes: Vec<String>,
    /// How its digests were made.
    pub digests: Option<DigestsEntry>,
}

/// How the digests of a file were made.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestsEntry {
    /// Which kind they are.
    pub kind: DigestKind,
    /// Of the secret that made them; `hmac-sha256` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_fingerprint: Option<String>,
    /// What was appended to each value; `sha256` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Salts that are encrypted under that secret, in Base64, for the tokens that are `salted`; `hmac-sha256` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed_salts: Vec<String>,
}

impl fmt::Debug for DigestsEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestsEntry({:?}, [FILTERED])", self.kind)
    }
}

/// A way to make digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestKind {
    /// Latchkey's own: keyed with the instance secret.
    #[serde(rename = "hmac-sha256")]
    Hmac,
    /// GitLab's: of the value with a salt behind it.
    #[serde(rename = "sha256")]
    Salted,
}

/// One entry of one list.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Of `users`.
    User(UserEntry),
    /// Of `groups`.
    Group(GroupEntry),
    /// Of `projects`.
    Project(ProjectEntry),
    /// Of `memberships`.
    Membership(MembershipEntry),
    /// Of `bots`.
    Bot(BotEntry),
    /// Of `tokens`.
    Token(TokenEntry),
    /// Of `taken_away`: a digest in Base64.
    TakenAway(String),
}

/// Whether somebody may act.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Yes.
    #[default]
    Active,
    /// No: an administrator said so.
    Blocked,
    /// No: set aside.
    Deactivated,
}

/// A person.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Also the path of their namespace.
    pub username: String,
    /// As shown.
    pub name: String,
    /// Their address.
    pub email: String,
    /// May everything.
    #[serde(default)]
    pub admin: bool,
    /// From outside the company.
    #[serde(default)]
    pub external: bool,
    /// May they act?
    #[serde(default)]
    pub state: State,
    /// When it was found out that the address is theirs; null if it wasn't. Left out, it counts as theirs.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    pub confirmed_at: Option<Option<DateTime<Utc>>>,
    /// Of somebody who is blocked: since when they wait to be let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_requested_at: Option<DateTime<Utc>>,
    /// As `$argon2id$…`; without one they need a new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
    /// When they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for UserEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserEntry({:?})", self.username)
    }
}

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// Its full path.
    pub path: String,
    /// As shown.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Who may see it.
    #[serde(default = "private")]
    pub visibility: Visibility,
    /// Of a top-level group: may tokens be made in it?
    #[serde(default = "yes")]
    pub resource_access_token_creation_allowed: bool,
    /// Of a top-level group: what it pays for, as a word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// and whether that is only tried.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    /// Of a top-level group: are bots kept after their token? Nothing if it has no say of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_bots: Option<bool>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
}

/// A project.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectEntry {
    /// Its full path.
    pub path: String,
    /// As shown.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Who may see it.
    #[serde(default = "private")]
    pub visibility: Visibility,
    /// Set aside?
    #[serde(default)]
    pub archived: bool,
    /// As programs are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
}

/// A person's role somewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipEntry {
    /// Whose, by user name.
    pub user: String,
    /// On this group,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// or on this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The role, by its number.
    pub access_level: AccessLevel,
    /// The first day on which it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<NaiveDate>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
}

/// The user behind a group or project access token, with its one membership.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BotEntry {
    /// `group_17_bot_…` or `project_17_bot_…`.
    pub username: String,
    /// As its token is called.
    pub name: String,
    /// Made for this group,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// or for this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Its role there, by number; nothing if it isn't a member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_level: Option<AccessLevel>,
    /// The first day on which its membership no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<NaiveDate>,
    /// As whoever made its token was.
    #[serde(default)]
    pub external: bool,
    /// May it act?
    #[serde(default)]
    pub state: State,
    /// Who made its token, by user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
}

/// A token, without its value.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// The bot or the person, by user name.
    pub user: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it may open.
    pub scopes: Vec<String>,
    /// Of its value, in Base64.
    pub digest: String,
    /// Is it the keyed digest of a salted hash? Only beside `sealed_salts`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub salted: bool,
    /// The last four characters of its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The day at whose start it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<NaiveDate>,
    /// Taken away?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoked: bool,
    /// The digest of the token that was rotated into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_digest: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When somebody last changed it; of a revoked one, when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for TokenEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenEntry({:?} of {:?})", self.name, self.user)
    }
}

/// What is there, even if it is null.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

fn private() -> Visibility {
    Visibility::Private
}

fn yes() -> bool {
    true
}
