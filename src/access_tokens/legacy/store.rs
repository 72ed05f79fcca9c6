//! Tokens without an expiry date, in the database.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;

use super::super::ListedToken;
use super::super::store::{ListedRow, listed, listed_columns, listed_tokens, shorten_graces};
use crate::access_tokens::AccessToken;
use crate::db::schema::{access_token_uses, access_tokens, memberships, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// The next of them, by id after this one.
pub(super) fn undated(
    conn: &mut DbConnection,
    after_id: i64,
    limit: i64,
) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = listed_tokens!()
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(access_tokens::expires_at.is_null())
        .filter(access_tokens::id.gt(after_id))
        .order(access_tokens::id.asc())
        .limit(limit)
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}

/// Those among these that still are.
pub(super) fn undated_among(
    conn: &mut DbConnection,
    ids: &[i64],
) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = listed_tokens!()
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(access_tokens::expires_at.is_null())
        .order(access_tokens::id.asc())
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}

/// Gives a token a date that has none and isn't revoked; older values that still work do so no longer than that. Of
/// several callers at once, one gets the ids of those whose end is nearer now, and the others nothing.
pub(super) fn set_date(
    conn: &mut DbConnection,
    id: i64,
    expires_at: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Option<Vec<i64>>, Error> {
    let changed = diesel::update(access_tokens::table.find(id))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(access_tokens::expires_at.is_null())
        .set((
            access_tokens::expires_at.eq(expires_at),
            access_tokens::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    shortened(conn, id, changed, expires_at, now)
}

/// Gives a token an earlier date than it has, unless it is revoked, and says what [`set_date`] does. Nothing, if there is
/// nothing to bring forward.
pub(super) fn bring_date_forward(
    conn: &mut DbConnection,
    id: i64,
    expires_at: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Option<Vec<i64>>, Error> {
    let changed = diesel::update(access_tokens::table.find(id))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(
            access_tokens::expires_at
                .is_null()
                .or(access_tokens::expires_at.assume_not_null().gt(expires_at)),
        )
        .set((
            access_tokens::expires_at.eq(expires_at),
            access_tokens::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    shortened(conn, id, changed, expires_at, now)
}

/// No value outlives a newer one.
fn shortened(
    conn: &mut DbConnection,
    id: i64,
    changed: usize,
    expires_at: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Option<Vec<i64>>, Error> {
    if changed == 0 {
        return Ok(None);
    }
    let midnight = expires_at.and_time(NaiveTime::MIN).and_utc();
    shorten_graces(conn, id, Some(midnight), now).map(Some)
}
