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
use crate::members::Membership;
use crate::users::User;

/// The active ones that a rule is about.
macro_rules! about {
    ($rule:expr, $today:expr) => {{
        let rows = listed_tokens!()
            .into_boxed::<Backend>()
            .filter(access_tokens::revoked.eq(false))
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
        .order(access_tokens::id.asc())
    }};
}

/// The next ones by id, at most so many.
pub(super) fn next(
    conn: &mut DbConnection,
    rule: Rule,
    today: NaiveDate,
    after_id: i64,
    limit: i64,
) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = about!(rule, today)
        .filter(access_tokens::id.gt(after_id))
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
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}
