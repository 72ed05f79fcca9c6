//! Tries of a password: counted before they are tried, and put off when there are too many of them.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::access_tokens::secret::{Digest, DigestKey};
use crate::actor::address_prefix;
use crate::db::schema::sign_in_failures;
use crate::db::{DbConnection, Timestamp, lock_digests};
use crate::error::Error;
use crate::settings::Settings;

/// Failures of an account from one network, and of a network, are counted this long.
const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Failures of an account from everywhere are counted this long.
const LONG_WINDOW: TimeDelta = TimeDelta::hours(1);

/// That many of them slow an account down; nobody is ever locked out.
const SLOWED_AFTER: usize = 50;

/// A slowed account takes one attempt in this time.
const SLOW_PACE: TimeDelta = TimeDelta::seconds(30);

/// What a failure is counted under: what was typed, and the account that it means. Nobody but the owner knows that two
/// logins mean one account, so that the answer goes by what was typed alone.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    typed: Digest,
    account: Digest,
    network: String,
    network_digest: Digest,
}

impl Attempt {
    /// A try of this login, which may mean an account.
    pub(super) fn new(
        key: &DigestKey,
        login: &str,
        user_id: Option<i64>,
        ip: Option<IpAddr>,
    ) -> Self {
        let network = ip.map(address_prefix).unwrap_or_default();
        let login = login.trim().to_lowercase();
        Attempt {
            typed: key.digest(&format!("typed {login}")),
            // What nobody is called costs the same.
            account: key.digest(&match user_id {
                Some(id) => format!("user {id}"),
                None => format!("login {login}"),
            }),
            network_digest: key.digest(&format!("network {network}")),
            network,
        }
    }

    /// The same two times: the digest, and the network as its rows have it. A network counts what was typed there.
    fn counted(&self) -> [(&Digest, String); 2] {
        [
            (&self.typed, self.network.clone()),
            (&self.account, format!("account {}", self.network)),
        ]
    }

    /// Is there room for one more attempt? Then it is counted. Where there is none for the account, but it was meant by
    /// another login before, the attempt is as good as any that fails: the seconds for which it isn't heard.
    pub(super) fn note(
        &self,
        conn: &mut DbConnection,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Option<u64>, Error> {
        let [typed, account] = self.counted();
        lock_digests(
            conn,
            &[
                typed.0.as_bytes(),
                account.0.as_bytes(),
                self.network_digest.as_bytes(),
            ],
        )?;
        refuse_often(conn, &typed, settings, now)?;
        let network = times(
            sign_in_failures::table
                .filter(sign_in_failures::address_prefix.eq(&self.network))
                .filter(sign_in_failures::created_at.gt(Timestamp::from(now - WINDOW)))
                .order(sign_in_failures::created_at.asc())
                .select(sign_in_failures::created_at)
                .load(conn)?,
        );
        refuse_over(&network, settings.sign_in_failures_per_address, now)?;
        let unheard = match refuse_often(conn, &account, settings, now) {
            Err(Error::TooManyRequests(seconds)) => Some(seconds),
            other => other.map(|()| None)?,
        };
        // What isn't heard doesn't prolong the wait, and costs no less.
        let second = match unheard {
            Some(_) => (&self.network_digest, account.1),
            None => account,
        };
        for (digest, network) in [typed, second] {
            diesel::insert_into(sign_in_failures::table)
                .values((
                    sign_in_failures::account_digest.eq(digest.as_bytes().as_slice()),
                    sign_in_failures::address_prefix.eq(network),
                    sign_in_failures::created_at.eq(Timestamp::from(now)),
                ))
                .execute(conn)?;
        }
        Ok(unheard)
    }

    /// Forgets the failures of this account from this network.
    pub(super) fn forget(&self, conn: &mut DbConnection) -> Result<(), Error> {
        for (digest, network) in self.counted() {
            diesel::delete(
                sign_in_failures::table
                    .filter(sign_in_failures::account_digest.eq(digest.as_bytes().as_slice()))
                    .filter(sign_in_failures::address_prefix.eq(network)),
            )
            .execute(conn)?;
        }
        Ok(())
    }
}

fn times(rows: Vec<Timestamp>) -> Vec<DateTime<Utc>> {
    rows.into_iter().map(DateTime::from).collect()
}

/// Refuses what failed too often from one network, or far too often from everywhere.
fn refuse_often(
    conn: &mut DbConnection,
    (digest, network): &(&Digest, String),
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let digest = digest.as_bytes().as_slice();
    let since = |window: TimeDelta| Timestamp::from(now - window);
    let here = times(
        sign_in_failures::table
            .filter(sign_in_failures::account_digest.eq(digest))
            .filter(sign_in_failures::address_prefix.eq(network))
            .filter(sign_in_failures::created_at.gt(since(WINDOW)))
            .order(sign_in_failures::created_at.asc())
            .select(sign_in_failures::created_at)
            .load(conn)?,
    );
    refuse_over(&here, settings.sign_in_failures_per_account, now)?;
    let everywhere = times(
        sign_in_failures::table
            .filter(sign_in_failures::account_digest.eq(digest))
            .filter(sign_in_failures::created_at.gt(since(LONG_WINDOW)))
            .order(sign_in_failures::created_at.asc())
            .select(sign_in_failures::created_at)
            .load(conn)?,
    );
    if settings.sign_in_failures_per_account > 0
        && everywhere.len() >= SLOWED_AFTER
        && let Some(last) = everywhere.last()
        && now - *last < SLOW_PACE
    {
        return Err(Error::TooManyRequests(seconds_until(
            *last + SLOW_PACE,
            now,
        )));
    }
    Ok(())
}

/// Over the limit, the next attempt is possible when enough of the counted ones are old. 0: no limit.
fn refuse_over(failures: &[DateTime<Utc>], limit: u32, now: DateTime<Utc>) -> Result<(), Error> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 || failures.len() < limit {
        return Ok(());
    }
    let freed_by = failures.get(failures.len() - limit).copied().unwrap_or(now);
    Err(Error::TooManyRequests(seconds_until(
        freed_by + WINDOW,
        now,
    )))
}

fn seconds_until(then: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((then - now).num_seconds())
        .unwrap_or(0)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_the_limit_the_wait_lasts_until_enough_failures_are_old() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let minutes_ago = |n: i64| now - TimeDelta::minutes(n);
        let five: Vec<_> = [9, 8, 7, 6, 5].map(minutes_ago).to_vec();
        assert!(refuse_over(&five[..4], 5, now).is_ok());
        assert!(matches!(
            refuse_over(&five, 5, now),
            Err(Error::TooManyRequests(60))
        ));
        assert!(refuse_over(&five, 0, now).is_ok());
    }
}
