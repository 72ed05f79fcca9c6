//! Links in mails that are good once: to confirm an address, or to set a new password.
//!
//! Their values are nowhere: they are made from a salt in the database and a key that isn't there, when the mail is
//! written; what comes back is found by its digest.

mod store;

pub use store::sweep;

use chrono::TimeDelta;
use rand::RngExt as _;

use super::{User, store as users};
use crate::access_tokens::secret::{DigestKey, Plaintext};
use crate::actor::address_prefix;
use crate::context::Context;
use crate::db::{DbConnection, lock_digests};
use crate::error::Error;
use crate::sessions::store::{count_attempts, note_attempt};

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The address of an account that was signed up for.
    Confirmation,
    /// A new password.
    PasswordReset,
}

impl Purpose {
    /// As the column has it.
    pub const fn name(self) -> &'static str {
        match self {
            Purpose::Confirmation => "confirmation",
            Purpose::PasswordReset => "password_reset",
        }
    }

    /// How long a link is good.
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Purpose::Confirmation => TimeDelta::days(3),
            Purpose::PasswordReset => TimeDelta::hours(2),
        }
    }
}

/// Links for one account in an hour, used or not.
const PER_ACCOUNT: i64 = 3;

/// As long as links are counted they are kept.
const COUNTED: TimeDelta = TimeDelta::hours(1);

/// Mails that strangers from one network may cause in an hour.
const PER_NETWORK: i64 = 10;

/// May whoever asks cause one more mail to somebody? If so, that is counted, by their network.
///
/// # Errors
/// When the database is away.
pub fn may_cause_mail(conn: &mut DbConnection, ctx: &Context) -> Result<bool, Error> {
    may_try(conn, ctx, "mail", PER_NETWORK)
}

/// May whoever asks do this once more in this hour? If so, that is counted, by their network.
///
/// # Errors
/// When the database is away.
pub(super) fn may_try(
    conn: &mut DbConnection,
    ctx: &Context,
    what: &str,
    per_hour: i64,
) -> Result<bool, Error> {
    let network = ctx.actor.origin.ip.map(address_prefix);
    let network = format!("{what} {}", network.unwrap_or_default());
    let digest = ctx.instance.lookup_key.digest(&network);
    lock_digests(conn, &[digest.as_bytes()])?;
    let since = ctx.now - TimeDelta::hours(1);
    if count_attempts(conn, &digest, since)? >= per_hour {
        return Ok(false);
    }
    note_attempt(conn, &digest, &network, ctx.now)?;
    Ok(true)
}

/// Makes a link for a person, unless they have had enough of them lately. Returns its id, by which the mail finds it.
///
/// # Errors
/// When the database is away.
pub(super) fn issue(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
    purpose: Purpose,
) -> Result<Option<i64>, Error> {
    let since = ctx.now - COUNTED;
    if store::count_since(conn, user.id, purpose, since)? >= PER_ACCOUNT {
        return Ok(None);
    }
    let salt: [u8; 32] = rand::rng().random();
    let key = &ctx.instance.lookup_key;
    let digest = key.digest(value(key, &salt).expose());
    store::insert(conn, user.id, purpose, &salt, &digest, ctx.now).map(Some)
}

/// The value of a link by its id, as long as it is good.
///
/// # Errors
/// When the database is away.
pub fn value_of(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
) -> Result<Option<Plaintext>, Error> {
    let salt = store::salt(conn, id, ctx.now)?;
    Ok(salt.map(|salt| value(&ctx.instance.lookup_key, &salt)))
}

fn value(key: &DigestKey, salt: &[u8]) -> Plaintext {
    let named = format!("account link {}", hex::encode(salt));
    Plaintext::of_link(*key.digest(&named).as_bytes())
}

/// Whose link this is, if it is good.
///
/// # Errors
/// When the database is away.
pub fn owner(
    conn: &mut DbConnection,
    ctx: &Context,
    purpose: Purpose,
    given: &str,
) -> Result<Option<User>, Error> {
    let digest = ctx.instance.lookup_key.digest(given);
    match store::user_of(conn, purpose, &digest, ctx.now)? {
        Some(id) => Ok(users::find(conn, id)?.filter(User::is_human)),
        None => Ok(None),
    }
}

/// Ends all links of this kind that a person has. They go on counting.
///
/// # Errors
/// When the database is away.
pub fn spend(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    purpose: Purpose,
) -> Result<(), Error> {
    store::end_all_of(conn, user_id, purpose, ctx.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_the_key_and_the_salt_and_is_not_told_by_its_digest() {
        let key = DigestKey::derive(b"one secret");
        let other = DigestKey::derive(b"another secret");
        let (one, two) = ([1; 32], [2; 32]);
        let text = |key: &DigestKey, salt: &[u8]| value(key, salt).expose().to_owned();
        assert_eq!(text(&key, &one), text(&key, &one));
        assert_ne!(text(&key, &one), text(&key, &two));
        assert_ne!(text(&key, &one), text(&other, &one));
        assert_eq!(text(&key, &one).len(), 43);
        assert_ne!(key.digest(&text(&key, &one)), key.digest(&text(&key, &two)));
    }
}
