//! Links in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{COUNTED, Purpose};
use crate::access_tokens::secret::Digest;
use crate::db::schema::account_links;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// Links that are forgotten in one go.
const SWEPT_AT_ONCE: i64 = 1_000;

pub(super) fn count_since(
    conn: &mut DbConnection,
    user_id: i64,
    purpose: Purpose,
    since: DateTime<Utc>,
) -> Result<i64, Error> {
    Ok(account_links::table
        .filter(account_links::user_id.eq(user_id))
        .filter(account_links::purpose.eq(purpose.name()))
        .filter(account_links::created_at.gt(Timestamp::from(since)))
        .count()
        .get_result(conn)?)
}

pub(super) fn insert(
    conn: &mut DbConnection,
    user_id: i64,
    purpose: Purpose,
    salt: &[u8],
    digest: &Digest,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    Ok(diesel::insert_into(account_links::table)
        .values((
            account_links::user_id.eq(user_id),
            account_links::purpose.eq(purpose.name()),
            account_links::salt.eq(salt),
            account_links::digest.eq(digest.as_bytes().as_slice()),
            account_links::created_at.eq(Timestamp::from(now)),
            account_links::expires_at.eq(Timestamp::from(now + purpose.lifetime())),
        ))
        .returning(account_links::id)
        .get_result(conn)?)
}

/// The salt of a link that is good.
pub(super) fn salt(
    conn: &mut DbConnection,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, Error> {
    Ok(account_links::table
        .find(id)
        .filter(account_links::expires_at.gt(Timestamp::from(now)))
        .select(account_links::salt)
        .get_result(conn)
        .optional()?)
}

/// Whose link this is, if it is good.
pub(super) fn user_of(
    conn: &mut DbConnection,
    purpose: Purpose,
    digest: &Digest,
    now: DateTime<Utc>,
) -> Result<Option<i64>, Error> {
    Ok(account_links::table
        .filter(account_links::digest.eq(digest.as_bytes().as_slice()))
        .filter(account_links::purpose.eq(purpose.name()))
        .filter(account_links::expires_at.gt(Timestamp::from(now)))
        .select(account_links::user_id)
        .get_result(conn)
        .optional()?)
}

pub(super) fn end_all_of(
    conn: &mut DbConnection,
    user_id: i64,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(
        account_links::table
            .filter(account_links::user_id.eq(user_id))
            .filter(account_links::purpose.eq(purpose.name()))
            .filter(account_links::expires_at.gt(Timestamp::from(now))),
    )
    .set(account_links::expires_at.eq(Timestamp::from(now)))
    .execute(conn)?;
    Ok(())
}

/// Forgets links whose time is over and which count no longer. Returns how many; there may be more.
///
/// # Errors
/// When the database is away.
pub fn sweep(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let old: Vec<i64> = account_links::table
        .filter(account_links::expires_at.le(Timestamp::from(now)))
        .filter(account_links::created_at.le(Timestamp::from(now - COUNTED)))
        .limit(SWEPT_AT_ONCE)
        .select(account_links::id)
        .load(conn)?;
    Ok(diesel::delete(account_links::table.filter(account_links::id.eq_any(old))).execute(conn)?)
}
