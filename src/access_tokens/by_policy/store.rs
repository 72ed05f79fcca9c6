//! The tokens that a setting doesn't allow, in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::super::ListedToken;
use super::super::store::{ListedRow, listed, listed_columns, listed_tokens, unused_since};
use super::Rule;
use crate::access_tokens::AccessToken;
use crate::db::schema::{access_token_uses, access_tokens, memberships, users};
use crate::db::{Backend, DbConnection, Timestamp};
use crate::error::Error;

/// The active ones that a rule is about.
macro_rules! about {
    ($rule:expr, $today:expr) => {{
        let rows = listed_tokens!()
            .into_boxed::<Backend>()
            // Not as an equation, which would lead some planners to all active tokens of the instance.
            .filter(access_tokens::revoked.ne(true))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.assume_not_null().gt($today)),
            );
        match $rule {
            Rule::Unused { since } => rows
                .filter(
                    access_tokens::group_id
                        .is_not_null()
                        .or(access_tokens::project_id.is_not_null()),
                )
                .filter(unused_since!(Timestamp::from(since))),
            Rule::Overlong { latest } => rows.filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.assume_not_null().gt(latest)),
            ),
        }
    }};
}

/// Where the next window of so many tokens ends, by id after this one; nothing when they are fewer.
pub(super) fn end_of_window(
    conn: &mut DbConnection,
    after_id: i64,
    window: i64,
) -> Result<Option<i64>, Error> {
    let ids: Vec<i64> = access_tokens::table
        .filter(access_tokens::id.gt(after_id))
        .order(access_tokens::id.asc())
        .limit(window)
        .select(access_tokens::id)
        .load(conn)?;
    let is_full = i64::try_from(ids.len()).is_ok_and(|count| count >= window);
    Ok(ids.last().copied().filter(|_| is_full))
}

/// The ids of those after one id and up to another.
pub(super) fn within(
    conn: &mut DbConnection,
    rule: Rule,
    today: NaiveDate,
    after_id: i64,
    up_to: i64,
) -> Result<Vec<i64>, Error> {
    Ok(about!(rule, today)
        .order(access_tokens::id.asc())
        .filter(access_tokens::id.gt(after_id))
        .filter(access_tokens::id.le(up_to))
        .select(access_tokens::id)
        .load(conn)?)
}

/// How many they are.
pub(super) fn count(conn: &mut DbConnection, rule: Rule, today: NaiveDate) -> Result<i64, Error> {
    Ok(about!(rule, today)
        .select(diesel::dsl::count_star())
        .get_result(conn)?)
}

/// The first so many.
pub(super) fn first(
    conn: &mut DbConnection,
    rule: Rule,
    today: NaiveDate,
    limit: i64,
) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = about!(rule, today)
        .order(access_tokens::id.asc())
        .limit(limit)
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}

/// Those among these.
pub(super) fn among(
    conn: &mut DbConnection,
    rule: Rule,
    today: NaiveDate,
    ids: &[i64],
) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = about!(rule, today)
        .order(access_tokens::id.asc())
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}
