//! Access tokens: what lets programs in. A group or project token acts as its own bot user; a personal
//! token acts as a person.

pub mod api;
pub mod attention;
pub mod authenticate;
pub mod by_policy;
pub mod calendar;
pub mod census;
pub mod create;
pub mod days;
pub mod decisions;
pub mod detail;
pub mod edit;
pub mod ended;
pub mod expired;
pub mod expiry;
pub mod export;
pub mod grace;
pub mod idempotency;
pub mod imported;
pub mod inventory;
pub mod legacy;
pub mod lifetime;
pub mod list;
mod narrowing;
mod old_values;
pub mod pages;
pub mod query;
pub mod reach;
pub mod refusals;
pub mod resource;
pub mod revoke;
pub mod rotate;
pub mod scope;
pub mod secret;
mod sightings;
pub mod spotting;
pub mod statistics;
pub mod store;
pub mod unused;
pub mod uses;

pub use resource::Resource;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use crate::db::{Timestamp, schema::access_tokens};
use crate::members::{AccessLevel, Role};
use crate::users::{Identity, OptionalMoment};
use scope::Scopes;

/// An access token, as the database keeps it: without its value, and without the digest of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = access_tokens)]
pub struct AccessToken {
    /// Unique among tokens of all kinds.
    pub id: i64,
    /// The bot or the person that it acts as.
    pub user_id: i64,
    /// The group that its bot was made for.
    pub group_id: Option<i64>,
    /// The project that its bot was made for.
    pub project_id: Option<i64>,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may open.
    #[diesel(deserialize_as = String)]
    pub scopes: Scopes,
    /// The last four characters of its value.
    pub hint: String,
    /// The day at whose start, in UTC, it stops working.
    pub expires_at: Option<NaiveDate>,
    /// Taken away or rotated away, for good; [`AccessToken::is_revoked`] knows of the grace that it may have.
    pub revoked: bool,
    /// The token that was rotated into this one.
    pub previous_token_id: Option<i64>,
    /// When it was made.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    /// When somebody last changed it; a revocation is such a change, a use isn't.
    #[diesel(deserialize_as = Timestamp)]
    pub updated_at: DateTime<Utc>,
    /// When it was imported; nothing for one that was made here.
    #[diesel(deserialize_as = OptionalMoment)]
    pub imported_at: Option<DateTime<Utc>>,
    /// Rotated away, it goes on working until then; nothing for one that ended with its rotation.
    #[diesel(deserialize_as = OptionalMoment)]
    pub grace_until: Option<DateTime<Utc>>,
}

impl AccessToken {
    /// Does it work at this moment?
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        expiry::is_active(self.is_revoked(now), self.expires_at, now.date_naive())
    }

    /// Has it ended at this moment by being taken or rotated away?
    pub fn is_revoked(&self, now: DateTime<Utc>) -> bool {
        self.revoked && !self.is_in_grace(now)
    }

    /// Was it rotated away, and does its value go on working at this moment?
    pub fn is_in_grace(&self, now: DateTime<Utc>) -> bool {
        self.revoked && self.grace_until.is_some_and(|until| until > now)
    }

    /// Since when it could have been used here: an imported one not before its import.
    pub fn here_since(&self) -> DateTime<Utc> {
        self.imported_at
            .map_or(self.created_at, |imported| imported.max(self.created_at))
    }

    /// Has its date come?
    pub fn is_expired(&self, today: NaiveDate) -> bool {
        expiry::is_expired(self.expires_at, today)
    }

    /// Whose token it is: `group`, `project` or `personal`.
    pub fn kind(&self) -> &'static str {
        match (self.group_id, self.project_id) {
            (Some(_), _) => "group",
            (_, Some(_)) => "project",
            (None, None) => "personal",
        }
    }
}

/// Whose a token may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// A person's own.
    Personal,
    /// A group's.
    Group,
    /// A project's.
    Project,
}

impl TokenType {
    /// Every type.
    pub const ALL: [TokenType; 3] = [TokenType::Personal, TokenType::Group, TokenType::Project];

    /// As [`AccessToken::kind`] tells it.
    pub fn name(self) -> &'static str {
        match self {
            TokenType::Personal => "personal",
            TokenType::Group => "group",
            TokenType::Project => "project",
        }
    }

    /// The type of this name.
    pub fn parse(name: &str) -> Option<Self> {
        TokenType::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A token with what lists and answers show beside it.
#[derive(Debug, Clone)]
pub struct ListedToken {
    /// The token.
    pub token: AccessToken,
    /// The bot or the person.
    pub user: Identity,
    /// The role of the bot on its resource; nothing when its membership is gone, and for people.
    pub access_level: Option<AccessLevel>,
    /// The first day on which the bot's membership no longer counts.
    pub membership_expires_at: Option<NaiveDate>,
    /// The last time it was used, within ten minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The newest addresses that used it, at most five.
    pub last_used_ips: Vec<String>,
    /// Until when the value works that was rotated into this one; it may have passed.
    pub old_value_until: Option<DateTime<Utc>>,
    /// The older values that still work, that one included and the newest first; empty where nobody asked for them.
    pub old_values: Vec<i64>,
}

impl ListedToken {
    /// A token that was just made: never used, and rotated from none. A bot's has the role of its membership.
    pub(crate) fn fresh(token: AccessToken, user: Identity, role: Option<Role>) -> Self {
        ListedToken {
            token,
            user,
            access_level: role.map(|role| role.access_level),
            membership_expires_at: role.and_then(|role| role.expires_at),
            last_used_at: None,
            last_used_ips: Vec::new(),
            old_value_until: None,
            old_values: Vec::new(),
        }
    }

    /// Is the bot a member on this day? A token whose bot isn't reaches nothing private.
    pub fn is_member(&self, today: NaiveDate) -> bool {
        self.access_level.is_some() && self.membership_expires_at.is_none_or(|date| date > today)
    }
}
