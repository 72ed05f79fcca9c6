//! What is known of tokens that were made elsewhere and are used here: how their values were hashed, and what those
//! begin with. What values made here began with before the setting was changed is kept beside that.

pub mod salt;
mod store;

pub use salt::{Digests, Salt, Salts};
pub use store::{any_salted, prefixes, remember, salts, sealed_salts};

use chrono::{DateTime, Utc};

use super::secret::DigestKey;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::settings;

/// Keeps a salt, if it isn't known yet; says whether it is a new one. `nonce` is random. The caller tells the nodes.
///
/// # Errors
/// When the database is away.
pub fn keep_salt(
    conn: &mut DbConnection,
    key: &DigestKey,
    salt: &Salt,
    nonce: [u8; 12],
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let digest = key.of_salt(salt);
    if store::knows_salt(conn, &digest)? {
        return Ok(false);
    }
    store::insert_salt(conn, &digest, &key.seal(salt, nonce), now)?;
    Ok(true)
}

/// Keeps a prefix, if it isn't known yet; says whether it is a new one. The caller tells the nodes.
///
/// # Errors
/// When the database is away.
pub fn keep_prefix(conn: &mut DbConnection, prefix: &str) -> Result<bool, Error> {
    if prefix.is_empty() || prefixes(conn)?.iter().any(|known| known == prefix) {
        return Ok(false);
    }
    store::insert_prefix(conn, prefix)?;
    Ok(true)
}

/// Forgets the salts once no token needs them any more. Returns how many there were.
///
/// # Errors
/// When the database is away.
pub fn forget_salts(conn: &mut DbConnection) -> Result<usize, Error> {
    // An import that is under way is about to bring tokens that need them.
    lock_instance(conn)?;
    if !store::any_salt(conn)? || store::any_salted(conn)? {
        return Ok(0);
    }
    let forgotten = store::delete_salts(conn)?;
    settings::store::bump(conn)?;
    Ok(forgotten)
}
