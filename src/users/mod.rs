//! Users: people, and the bots behind group and project access tokens.

mod administer;
pub mod api;
pub mod calendar_feed;
pub mod change_password;
pub mod create;
pub mod delete;
pub mod edit;
pub mod end_sessions;
pub(crate) mod ghost;
pub mod hashing;
pub mod holdings;
mod identity;
pub mod links;
pub mod list;
pub mod notifications;
mod oneself;
pub mod pages;
pub mod password;
pub mod preferences;
pub mod rename;
pub mod reset_password;
pub mod sign_up;
pub mod state;
pub mod store;

pub use identity::Identity;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::db::{Timestamp, schema::users};

/// What kind of user this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// A person, who signs in.
    Human,
    /// The bot of one group or project access token.
    ProjectBot,
    /// The one user to whom the records of deleted users belong.
    Ghost,
}

impl UserKind {
    /// As the column has it.
    pub fn as_str(self) -> &'static str {
        match self {
            UserKind::Human => "human",
            UserKind::ProjectBot => "project_bot",
            UserKind::Ghost => "ghost",
        }
    }
}

impl TryFrom<String> for UserKind {
    type Error = UnknownWord;
    fn try_from(text: String) -> Result<Self, UnknownWord> {
        [UserKind::Human, UserKind::ProjectBot, UserKind::Ghost]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownWord(text))
    }
}

/// May this user act?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// Yes.
    Active,
    /// No: an administrator said so.
    Blocked,
    /// No: set aside.
    Deactivated,
}

impl UserState {
    /// As the column and the API have it.
    pub fn as_str(self) -> &'static str {
        match self {
            UserState::Active => "active",
            UserState::Blocked => "blocked",
            UserState::Deactivated => "deactivated",
        }
    }

    /// Does this state let a user act who, if a bot, counts as absent since then?
    fn lets_act(self, bot_gone_at: Option<DateTime<Utc>>) -> bool {
        self == UserState::Active && bot_gone_at.is_none()
    }
}

impl TryFrom<String> for UserState {
    type Error = UnknownWord;
    fn try_from(text: String) -> Result<Self, UnknownWord> {
        [
            UserState::Active,
            UserState::Blocked,
            UserState::Deactivated,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(UnknownWord(text))
    }
}

/// A column holds a word that this program doesn't know.
#[derive(Debug, thiserror::Error)]
#[error("unknown word in the database: {0}")]
pub struct UnknownWord(pub String);

/// A person or a bot. The password's hash isn't part of it: only signing in reads that.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// Unique among all users.
    pub id: i64,
    /// Unique whatever the case; shares its name space with top-level groups.
    pub username: String,
    /// As shown.
    pub name: String,
    /// Unique whatever the case.
    pub email: String,
    /// Person, bot or ghost.
    #[diesel(deserialize_as = String)]
    pub kind: UserKind,
    /// Active, blocked or deactivated.
    #[diesel(deserialize_as = String)]
    pub state: UserState,
    /// May everything on this instance; never true for a bot.
    pub admin: bool,
    /// Sees public things and what it is a member of, nothing else.
    pub external: bool,
    /// The group that this bot was made for.
    pub bot_group_id: Option<i64>,
    /// The project that this bot was made for.
    pub bot_project_id: Option<i64>,
    #[diesel(deserialize_as = OptionalMoment)]
    /// Since when this bot counts as absent.
    pub bot_gone_at: Option<DateTime<Utc>>,
    /// Who made the token of this bot.
    pub created_by_id: Option<i64>,
    /// The last time the person signed in.
    #[diesel(deserialize_as = OptionalMoment)]
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// When the address was confirmed.
    #[diesel(deserialize_as = OptionalMoment)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Since when somebody who signed up waits to be let in.
    #[diesel(deserialize_as = OptionalMoment)]
    pub approval_requested_at: Option<DateTime<Utc>>,
    /// When somebody made the account for themselves, last; nothing when an administrator made it, or it was imported.
    #[diesel(deserialize_as = OptionalMoment)]
    pub signed_up_at: Option<DateTime<Utc>>,
    /// Wants to read moments as they are, and not as `3 days ago`.
    pub exact_times: bool,
    /// When the user was made.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
}

impl User {
    /// Is this the bot of a group or project access token?
    pub fn is_bot(&self) -> bool {
        self.kind == UserKind::ProjectBot
    }

    /// A person?
    pub fn is_human(&self) -> bool {
        self.kind == UserKind::Human
    }

    /// May act at all: active, and not a bot whose token is gone.
    pub fn is_active(&self) -> bool {
        self.state.lets_act(self.bot_gone_at)
    }

    /// Signed up, and not let in yet?
    pub fn is_pending(&self) -> bool {
        self.state == UserState::Blocked && self.approval_requested_at.is_some()
    }

    /// A person with an account that is theirs to use, be it only after its address is confirmed or an administrator
    /// approved it?
    pub fn has_account(&self) -> bool {
        self.is_human() && (self.is_active() || self.is_pending())
    }

    /// A person who may have a session?
    pub fn may_sign_in(&self) -> bool {
        self.is_human() && self.is_active() && self.confirmed_at.is_some()
    }

    /// Signed up for, and nobody has shown yet that the address is theirs?
    pub fn is_unclaimed(&self) -> bool {
        self.has_account() && self.signed_up_at.is_some() && self.confirmed_at.is_none()
    }

    /// The state as programs read it.
    pub fn state_name(&self) -> &'static str {
        if self.is_pending() {
            "blocked_pending_approval"
        } else {
            self.state.as_str()
        }
    }

    /// Takes a seat: active people do; bots, the ghost and blocked people don't.
    pub fn is_billable(&self) -> bool {
        self.kind == UserKind::Human && self.state == UserState::Active
    }
}

/// A nullable moment on its way out of the database.
#[derive(Debug, diesel::deserialize::FromSqlRow)]
pub struct OptionalMoment(Option<Timestamp>);

impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Nullable<diesel::sql_types::Timestamp>, DB>
    for OptionalMoment
where
    DB: diesel::backend::Backend,
    Option<Timestamp>:
        diesel::deserialize::FromSql<diesel::sql_types::Nullable<diesel::sql_types::Timestamp>, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
        Option::<Timestamp>::from_sql(bytes).map(OptionalMoment)
    }
    fn from_nullable_sql(bytes: Option<DB::RawValue<'_>>) -> diesel::deserialize::Result<Self> {
        Option::<Timestamp>::from_nullable_sql(bytes).map(OptionalMoment)
    }
}

impl From<OptionalMoment> for Option<DateTime<Utc>> {
    fn from(moment: OptionalMoment) -> Self {
        moment.0.map(DateTime::from)
    }
}
