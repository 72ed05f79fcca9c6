//! How many tokens there are, and which of them end soon: for whoever watches an instance from outside.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::dsl::{count, count_star, not};
use diesel::prelude::*;

use super::scope::TokenKind;
use crate::db::schema::{access_tokens, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// An end within so many days is told of. Sixty, as the earliest notice is.
const NEAR: Days = Days::new(60);

/// Whether a token still works, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Active,
    /// Its date has come, and nobody had revoked it.
    Expired,
    /// It was rotated away, and its value works on for a while.
    OldValue,
    /// It was taken away.
    Revoked,
}

impl State {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::OldValue => "old_value",
            State::Revoked => "revoked",
        }
    }
}

/// How many tokens there are of each kind in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Those that work.
    pub active: ByKind,
    /// Those whose date has come.
    pub expired: ByKind,
    /// Those that were rotated away and still work.
    pub old_values: ByKind,
    /// Those that were taken away.
    pub revoked: ByKind,
}

/// A number for each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByKind {
    /// Of groups.
    pub group: i64,
    /// Of projects.
    pub project: i64,
    /// Of people.
    pub personal: i64,
}

impl Census {
    /// Each number with what it counts.
    pub fn numbers(&self) -> impl Iterator<Item = (TokenKind, State, i64)> {
        [
            (State::Active, self.active),
            (State::Expired, self.expired),
            (State::OldValue, self.old_values),
            (State::Revoked, self.revoked),
        ]
        .into_iter()
        .flat_map(|(state, by_kind)| {
            [
                (TokenKind::Group, state, by_kind.group),
                (TokenKind::Project, state, by_kind.project),
                (TokenKind::Personal, state, by_kind.personal),
            ]
        })
    }
}

/// A query's rows, by kind: all, those of groups, those of projects.
macro_rules! by_kind {
    ($conn:expr, $tokens:expr) => {{
        let (all, group, project): (i64, i64, i64) = $tokens
            .select((
                count_star(),
                count(access_tokens::group_id),
                count(access_tokens::project_id),
            ))
            .get_result($conn)?;
        ByKind {
            group,
            project,
            personal: all - group - project,
        }
    }};
}

/// Counts all tokens, but not those of bots that are gone. An index has all it takes; nevertheless it takes the time
/// of a walk through that index (a tenth of a second for a million tokens), so nobody should ask all the time.
///
/// # Errors
/// When the database is away.
pub fn count_all(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Census, Error> {
    let today = now.date_naive();
    let moment = Timestamp::from(now);
    macro_rules! four {
        ($tokens:expr) => {
            [
                by_kind!(conn, $tokens.filter(access_tokens::revoked.eq(true))),
                by_kind!(conn, $tokens.filter(access_tokens::revoked.eq(false))),
                by_kind!(
                    conn,
                    $tokens
                        .filter(access_tokens::revoked.eq(false))
                        .filter(access_tokens::expires_at.le(today))
                ),
                by_kind!(conn, $tokens.filter(access_tokens::grace_until.gt(moment))),
            ]
        };
    }
    let all = four!(access_tokens::table);
    // Few at any moment: their rows are deleted as soon as possible.
    let gone = four!(
        access_tokens::table
            .inner_join(users::table)
            .filter(users::bot_gone_at.le(moment))
    );
    let [revoked, living, expired, old_values] =
        [0, 1, 2, 3].map(|which| all[which].without(gone[which]));
    Ok(Census {
        active: living.without(expired),
        expired,
        old_values,
        revoked: revoked.without(old_values),
    })
}

impl ByKind {
    /// What is left. Others may have changed something between two counts: no number is below zero.
    fn without(self, other: ByKind) -> ByKind {
        ByKind {
            group: (self.group - other.group).max(0),
            project: (self.project - other.project).max(0),
            personal: (self.personal - other.personal).max(0),
        }
    }
}

/// A token that works and ends soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub kind: TokenKind,
    /// The id of its group, its project or, for a personal one, its person.
    pub resource_id: i64,
    /// The midnight with which it ends.
    pub at: DateTime<Utc>,
}

/// The tokens that end next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endings {
    /// The first one first.
    pub tokens: Vec<Ending>,
    /// There are more.
    pub truncated: bool,
}

/// The tokens that work today and end within sixty days, those of bots that are gone left out: at most so many.
///
/// # Errors
/// When the database is away.
pub fn next_to_end(
    conn: &mut DbConnection,
    today: NaiveDate,
    at_most: usize,
) -> Result<Endings, Error> {
    type Row = (i64, Option<i64>, Option<i64>, i64, Option<NaiveDate>);
    let last = today.checked_add_days(NEAR).unwrap_or(NaiveDate::MAX);
    let one_more = i64::try_from(at_most).unwrap_or(i64::MAX).saturating_add(1);
    let rows: Vec<Row> = access_tokens::table
        .inner_join(users::table)
        // In the words of the index, or it would not be used.
        .filter(not(access_tokens::revoked))
        .filter(access_tokens::expires_at.gt(today))
        .filter(access_tokens::expires_at.le(last))
        .filter(users::bot_gone_at.is_null())
        .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
        .limit(one_more)
        .select((
            access_tokens::id,
            access_tokens::group_id,
            access_tokens::project_id,
            access_tokens::user_id,
            access_tokens::expires_at,
        ))
        .load(conn)?;
    let truncated = rows.len() > at_most;
    let tokens = rows
        .into_iter()
        .take(at_most)
        .filter_map(|(id, group_id, project_id, user_id, expires_at)| {
            let (kind, resource_id) = match (group_id, project_id) {
                (Some(group), _) => (TokenKind::Group, group),
                (None, Some(project)) => (TokenKind::Project, project),
                (None, None) => (TokenKind::Personal, user_id),
            };
            Some(Ending {
                id,
                kind,
                resource_id,
                at: expires_at?.and_time(NaiveTime::MIN).and_utc(),
            })
        })
        .collect();
    Ok(Endings { tokens, truncated })
}
