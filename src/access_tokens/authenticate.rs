//! From the digest of a value to whoever it acts as.

use chrono::NaiveDate;

use super::secret::Digest;
use super::{AccessToken, store};
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::members::Memberships;
use crate::users::{User, UserState};

/// What one look-up found: the token may be dead, the user blocked. [`verdict`] tells.
#[derive(Debug)]
pub struct Found {
    /// The token.
    pub token: AccessToken,
    /// The bot or the person.
    pub user: User,
    /// Their living memberships.
    pub memberships: Memberships,
    /// The revision of the settings at that moment.
    pub settings_revision: i64,
}

/// Looks a digest up, in one query.
///
/// # Errors
/// When the database is away: never taken for "no such token".
pub fn find(
    conn: &mut DbConnection,
    digest: &Digest,
    today: NaiveDate,
) -> Result<Option<Found>, Error> {
    let mut rows = store::find_by_digest(conn, digest)?.into_iter();
    let Some((token, user, settings_revision, first)) = rows.next() else {
        return Ok(None);
    };
    let memberships = first
        .into_iter()
        .chain(rows.filter_map(|(_, _, _, more)| more))
        .collect();
    Ok(Some(Found {
        token,
        user,
        memberships: Memberships::living(memberships, today),
        settings_revision,
    }))
}

/// May this token act on this day? Expired is said before revoked.
///
/// # Errors
/// [`Error::Unauthenticated`] for a dead token, [`Error::Forbidden`] for a blocked user's.
pub fn verdict(found: &Found, today: NaiveDate) -> Result<(), Error> {
    if found.token.is_expired(today) {
        return Err(Error::Unauthenticated(Denied::Expired));
    }
    if found.token.revoked || found.user.bot_gone_at.is_some() {
        return Err(Error::Unauthenticated(Denied::Revoked));
    }
    if found.user.state != UserState::Active {
        return Err(Error::Forbidden(Some(
            "Your account has been blocked.".into(),
        )));
    }
    Ok(())
}
