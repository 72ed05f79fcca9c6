//! Salts and prefixes of imported tokens, in the database.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::salt::Salts;
use crate::access_tokens::secret::{Digest, DigestKey};
use crate::db::schema::{access_tokens, imported_digests, imported_prefixes, imported_salts};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// The salts that tokens of this instance need.
///
/// # Errors
/// When the database is away, or one can't be decrypted.
pub fn salts(conn: &mut DbConnection, key: &DigestKey) -> Result<Salts, Error> {
    let sealed = sealed_salts(conn)?;
    if sealed.is_empty() || !any_salted(conn)? {
        return Ok(Salts::default());
    }
    sealed
        .iter()
        .map(|sealed| key.open(sealed))
        .collect::<Result<Salts, _>>()
        .map_err(|error| Error::internal(error.into()))
}

/// The same as they are kept, encrypted.
///
/// # Errors
/// When the database is away.
pub fn sealed_salts(conn: &mut DbConnection) -> Result<Vec<Vec<u8>>, Error> {
    Ok(imported_salts::table
        .order(imported_salts::id.asc())
        .select(imported_salts::sealed)
        .load(conn)?)
}

/// What the values of imported tokens begin with, and those made here before the setting was changed.
///
/// # Errors
/// When the database is away.
pub fn prefixes(conn: &mut DbConnection) -> Result<Vec<String>, Error> {
    Ok(imported_prefixes::table
        .select(imported_prefixes::prefix)
        .load(conn)?)
}

/// Is there a token of which only a salted hash is known?
///
/// # Errors
/// When the database is away.
pub fn any_salted(conn: &mut DbConnection) -> Result<bool, Error> {
    // In the words of the index, or it would not be used.
    let salted = access_tokens::table.filter(sql::<Bool>("digest_version <> 1"));
    Ok(diesel::select(exists(salted)).get_result(conn)?)
}

pub(super) fn any_salt(conn: &mut DbConnection) -> Result<bool, Error> {
    Ok(
        diesel::select(exists(imported_salts::table.select(imported_salts::id)))
            .get_result(conn)?,
    )
}

pub(super) fn knows_salt(conn: &mut DbConnection, digest: &Digest) -> Result<bool, Error> {
    let known =
        imported_salts::table.filter(imported_salts::digest.eq(digest.as_bytes().as_slice()));
    Ok(diesel::select(exists(known)).get_result(conn)?)
}

pub(super) fn insert_salt(
    conn: &mut DbConnection,
    digest: &Digest,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::insert_into(imported_salts::table)
        .values((
            imported_salts::digest.eq(digest.as_bytes().as_slice()),
            imported_salts::sealed.eq(sealed),
            imported_salts::created_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn insert_prefix(conn: &mut DbConnection, prefix: &str) -> Result<(), Error> {
    diesel::insert_into(imported_prefixes::table)
        .values(imported_prefixes::prefix.eq(prefix))
        .execute(conn)?;
    Ok(())
}

pub(super) fn delete_salts(conn: &mut DbConnection) -> Result<usize, Error> {
    Ok(diesel::delete(imported_salts::table).execute(conn)?)
}

/// Keeps the digests of all tokens of users who are about to be deleted: no import brings those back.
///
/// # Errors
/// When the database is away.
pub fn remember(conn: &mut DbConnection, user_ids: &[i64]) -> Result<(), Error> {
    let digests = access_tokens::table
        .filter(access_tokens::user_id.eq_any(user_ids))
        .select(access_tokens::digest);
    // Another node may delete the same bots; and imported ones are known already.
    match conn {
        DbConnection::Sqlite(conn) => diesel::insert_into(imported_digests::table)
            .values(digests)
            .into_columns(imported_digests::digest)
            .on_conflict_do_nothing()
            .execute(conn)?,
        DbConnection::Postgres(conn) => diesel::insert_into(imported_digests::table)
            .values(digests)
            .into_columns(imported_digests::digest)
            .on_conflict_do_nothing()
            .execute(conn)?,
    };
    Ok(())
}
