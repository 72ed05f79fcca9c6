//! What a list of tokens is asked for.

use chrono::{DateTime, NaiveDate, Utc};

use super::TokenType;
use super::scope::Scope;
use crate::members::AccessLevel;

/// Which tokens: the two are exact complements on every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Neither revoked nor expired.
    Active,
    /// Revoked or expired.
    Inactive,
}

/// What a list is sorted by; ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The id: the API's order.
    #[default]
    Id,
    /// The name, whatever the case.
    Name,
    /// The description, none first.
    Description,
    /// The scopes as text.
    Scopes,
    /// When it was made.
    Created,
    /// When it was last used; never is the oldest.
    LastUsed,
    /// The date; none is the farthest future.
    Expires,
    /// The role.
    Role,
    /// The last change.
    Updated,
}

/// What narrows and orders a list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only these.
    pub state: Option<State>,
    /// Only of this type.
    pub token_type: Option<TokenType>,
    /// Only of the group with this traversal and of what lies below it.
    pub within: Option<String>,
    /// The name or the description contains this, whatever the case.
    pub search: Option<String>,
    /// Each of these words occurs in the name, whatever the case; one of under three characters is all of it.
    pub words: Vec<String>,
    /// Do those that were rotated away and still work have rows of their own? The API lists them among the active ones;
    /// pages show them with their successor alone.
    pub with_old_values: bool,
    /// Only revoked ones, or only others; one in its grace isn't revoked yet.
    pub revoked: Option<bool>,
    /// Made at this moment or earlier.
    pub created_before: Option<DateTime<Utc>>,
    /// Made at this moment or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Last used at this moment or earlier; never isn't earlier.
    pub last_used_before: Option<DateTime<Utc>>,
    /// There at this moment and not used after it.
    pub unused_since: Option<DateTime<Utc>>,
    /// Last used at this moment or later.
    pub last_used_after: Option<DateTime<Utc>>,
    /// Only with greater ids than this one.
    pub after_id: Option<i64>,
    /// With an end before this day.
    pub expires_before: Option<NaiveDate>,
    /// With an end on this day or later.
    pub expires_after: Option<NaiveDate>,
    /// Only with this role.
    pub access_level: Option<AccessLevel>,
    /// Only with this scope.
    pub scope: Option<Scope>,
    /// Only whose bot is a member on this day: what pages call inactive.
    pub living_members_on: Option<NaiveDate>,
    /// Only whose bot has a membership at all, dead or alive: what the API lists.
    pub members_only: bool,
    /// The order.
    pub sort: Sort,
    /// Largest first?
    pub descending: bool,
    /// Beyond the last page, is the last one meant? Pages show it; the API has nothing there.
    pub or_last_page: bool,
    /// Among equals the newest first, whichever way the rest goes; the API does that.
    pub newest_among_equals: bool,
}

impl Query {
    /// Can the tokens that are meant be told by their own rows? Active ones, whose bots haven't gone, of whatever use,
    /// role and membership.
    pub(super) fn is_of_tokens_alone(&self) -> bool {
        self.state == Some(State::Active)
            && !self.with_old_values
            && self.search.is_none()
            && self.last_used_before.is_none()
            && self.last_used_after.is_none()
            && self.unused_since.is_none()
            && self.expires_before.is_none()
            && self.access_level.is_none()
            && self.scope.is_none()
            && self.living_members_on.is_none()
            && !self.members_only
    }
}
