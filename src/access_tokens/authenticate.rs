//! From the digest of a value to whoever it acts as.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::imported::Digests;
use super::rotate::revoke_family;
use super::{AccessToken, store};
use crate::actor::{Actor, Credential, Declared, Origin, TokenCredential};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::members::{AccessLevel, Membership, Memberships};
use crate::users::{User, UserState};

/// What one look-up found: the token may be dead, the user blocked. [`verdict`] tells.
#[derive(Debug, Clone)]
pub struct Found {
    /// The token.
    pub token: AccessToken,
    /// The bot or the person.
    pub user: User,
    /// Their living memberships.
    pub memberships: Memberships,
}

impl Found {
    /// Who acts with it.
    pub fn into_actor(self, origin: Origin, declared: Declared) -> Actor {
        Actor {
            credential: Credential::Token(TokenCredential {
                id: self.token.id,
                scopes: self.token.scopes,
            }),
            user: Some(self.user),
            memberships: self.memberships,
            origin,
            declared,
        }
    }
}

/// Looks up what a value may be kept as, in one query, which also tells the revision of the settings.
///
/// # Errors
/// When the database is away: never taken for "no such token".
pub fn find(
    conn: &mut DbConnection,
    digests: impl Into<Digests>,
    today: NaiveDate,
) -> Result<(i64, Option<Found>), Error> {
    let mut revision = None;
    let mut holder = None;
    let mut memberships = Vec::new();
    for (settings_revision, token, user, membership) in
        store::find_by_digests(conn, &digests.into())?
    {
        revision = Some(settings_revision);
        if let (Some(token), Some(user)) = (token, user) {
            holder.get_or_insert((token, user));
        }
        memberships.extend(membership);
    }
    let revision =
        revision.ok_or_else(|| Error::internal(anyhow::anyhow!("the instance has no row")))?;
    let found = holder.map(|(token, user)| Found {
        token,
        user,
        memberships: Memberships::living(memberships, today),
    });
    Ok((revision, found))
}

/// Tokens by their ids, each with the role that its bot was given, whether that still holds or not; in one query.
///
/// # Errors
/// When the database is away.
pub fn find_by_ids(
    conn: &mut DbConnection,
    ids: &[i64],
    today: NaiveDate,
) -> Result<Vec<(Found, Option<AccessLevel>)>, Error> {
    let mut all: BTreeMap<i64, (AccessToken, User, Vec<Membership>)> = BTreeMap::new();
    for (token, user, membership) in store::find_with_memberships(conn, ids)? {
        let (.., memberships) = all
            .entry(token.id)
            .or_insert_with(|| (token, user, Vec::new()));
        memberships.extend(membership);
    }
    let found = all.into_values().map(|(token, user, memberships)| {
        let role = memberships
            .first()
            .filter(|_| user.is_bot())
            .map(|membership| membership.access_level);
        let memberships = Memberships::living(memberships, today);
        let found = Found {
            token,
            user,
            memberships,
        };
        (found, role)
    });
    Ok(found.collect())
}

/// What follows when a revoked value asks for what only its owner would ask for: somebody else has it.
///
/// # Errors
/// When the database is away.
pub fn raise_alarm(conn: &mut DbConnection, ctx: &Context, found: &Found) -> Result<(), Error> {
    revoke_family(conn, ctx, &found.token)
}

/// May this token act now? Expired is said before revoked. One that was rotated away may within its grace.
///
/// # Errors
/// [`Error::Unauthenticated`] for a dead token, [`Error::Forbidden`] for a blocked user's.
pub fn verdict(found: &Found, now: DateTime<Utc>) -> Result<(), Error> {
    if found.token.is_expired(now.date_naive()) {
        return Err(Error::Unauthenticated(Denied::Expired));
    }
    if found.token.is_revoked(now) || found.user.bot_gone_at.is_some() {
        return Err(Error::Unauthenticated(Denied::Revoked));
    }
    if found.user.state != UserState::Active {
        return Err(Error::Forbidden(Some(
            "Your account has been blocked.".into(),
        )));
    }
    Ok(())
}
