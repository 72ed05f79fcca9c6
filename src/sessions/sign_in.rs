//! Signing in: the same answer for everybody who may not, in the same time; and not too often.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::json;
use std::net::IpAddr;

use super::person::Admitted;
use crate::access_tokens::secret::{Digest, DigestKey};
use crate::actor::address_prefix;
use crate::app::App;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::sign_in_failures;
use crate::db::{DbConnection, Timestamp, lock_digests};
use crate::error::Error;
use crate::settings::Settings;
use crate::users::links::may_cause_mail;
use crate::users::password::{self, Password, Verified};
use crate::users::sign_up::send_confirmation;
use crate::users::{self, User};

/// What everybody reads whose sign-in failed, whatever the reason.
pub const INVALID: &str = "Invalid login or password.";

/// What people read who know their password, but haven't confirmed their address.
pub const UNCONFIRMED: &str =
    "You have to confirm your email address before you can sign in. The link was sent to it.";

/// What people read who know their password, but wait to be let in.
pub const PENDING: &str = "Your account waits for an administrator's approval.";

/// Failures of an account from one network, and of a network, are counted this long.
const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Failures of an account from everywhere are counted this long.
const LONG_WINDOW: TimeDelta = TimeDelta::hours(1);

/// That many of them slow an account down; nobody is ever locked out.
const SLOWED_AFTER: usize = 50;

/// A slowed account takes one attempt in this time.
const SLOW_PACE: TimeDelta = TimeDelta::seconds(30);

/// Signs a person in.
///
/// # Errors
/// [`Error::Refused`] with [`INVALID`] for an unknown name, a wrong password, a blocked person and a bot
/// alike; [`Error::TooManyRequests`], for the right password too.
pub async fn sign_in(
    app: &App,
    ctx: &Context,
    login: &str,
    given: Password,
) -> Result<Admitted, Error> {
    let typed = login.to_owned();
    let (known, user, hash) = app
        .db
        .read(move |conn| {
            let known = users::store::find_by_login(conn, typed.trim())?;
            let user = known.clone().filter(has_account);
            let hash = match &user {
                Some(user) => users::store::password_hash(conn, user.id)?,
                None => None,
            };
            Ok((known, user, hash))
        })
        .await?;
    let attempt = Attempt::new(
        &app.instance.lookup_key,
        login,
        user.as_ref().map(|user| user.id),
        ctx.actor.origin.ip,
    );
    let (settings, now, noted) = (ctx.policy.settings.clone(), ctx.now, attempt.clone());
    // Counted before it is tried: many at once don't get more tries than one after the other.
    let counted = app
        .db
        .write(move |conn| note(conn, &noted, &settings, now))
        .await;
    if let Err(Error::TooManyRequests(seconds)) = counted {
        throttled(app, ctx, known.clone(), seconds).await?;
    }
    let unheard = counted?;

    let hash = hash.filter(|_| unheard.is_none());
    let hashed = hash.is_some();
    let stored = hash.unwrap_or_else(|| password::dummy_hash().to_owned());
    let verified_hash = stored.clone();
    let (verified, rehashed) = app
        .hashing
        .run(move || {
            let verified = password::verify(&given, &stored);
            let rehashed = (verified.ok && verified.needs_rehash)
                .then(|| password::hash(&given, &mut rand::rng()).ok())
                .flatten();
            (verified, rehashed)
        })
        .await?;
    let Verified { ok, .. } = verified;
    match user.filter(|_| ok && hashed) {
        // Only who knows the password is told what is still missing.
        Some(user) if !may_sign_in(&user) => {
            let ctx = ctx.clone();
            let reason = app
                .db
                .write(move |conn| what_is_missing(conn, &ctx, &user))
                .await?;
            Err(Error::refused(reason))
        }
        Some(user) => {
            let (ctx, signed_in) = (ctx.clone(), user.clone());
            let kept = rehashed.clone().unwrap_or_else(|| verified_hash.clone());
            app.db
                .write(move |conn| {
                    succeed(
                        conn,
                        &ctx,
                        &attempt,
                        &signed_in,
                        &verified_hash,
                        rehashed.as_deref(),
                    )
                })
                .await?;
            Ok(Admitted::new(&app.instance.lookup_key, user, &kept))
        }
        None => {
            let ctx = ctx.clone();
            app.db
                .write(move |conn| {
                    let target = known.as_ref().map_or(Target::Instance, Target::User);
                    let event = match unheard {
                        Some(seconds) => put_off(target, seconds),
                        None => Event::new("user_sign_in_failed", target),
                    };
                    audit::record_refusal(conn, &ctx, event)
                })
                .await?;
            Err(Error::refused(INVALID))
        }
    }
}

/// Somebody tries too often; a line in the trail for ten minutes of it.
async fn throttled(
    app: &App,
    ctx: &Context,
    user: Option<User>,
    seconds: u64,
) -> Result<(), Error> {
    let ctx = ctx.clone();
    app.db
        .write(move |conn| {
            let target = user.as_ref().map_or(Target::Instance, Target::User);
            audit::record_refusal(conn, &ctx, put_off(target, seconds))
        })
        .await
}

fn put_off(target: Target<'_>, seconds: u64) -> Event<'_> {
    Event::new("user_throttled", target).with(json!({ "retry_after": seconds }))
}

/// Has the person an account that is theirs to use, be it only after its address is confirmed or an administrator
/// approved it?
fn has_account(user: &User) -> bool {
    user.is_human() && (user.is_active() || user.is_pending())
}

/// May the person have a session?
pub(super) fn may_sign_in(user: &User) -> bool {
    user.is_human() && user.is_active() && user.confirmed_at.is_some()
}

/// Why somebody who signed up can't sign in yet. The link that confirms the address is sent again.
fn what_is_missing(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
) -> Result<&'static str, Error> {
    if user.confirmed_at.is_some() {
        return Ok(PENDING);
    }
    if may_cause_mail(conn, ctx)? {
        send_confirmation(conn, ctx, user)?;
    }
    Ok(UNCONFIRMED)
}

/// What a failure is counted under: what was typed, and the account that it means. Nobody but the owner knows that two
/// logins mean one account, so that the answer goes by what was typed alone.
#[derive(Debug, Clone)]
struct Attempt {
    typed: Digest,
    account: Digest,
    network: String,
    network_digest: Digest,
}

impl Attempt {
    fn new(key: &DigestKey, login: &str, user_id: Option<i64>, ip: Option<IpAddr>) -> Self {
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
}

/// Is there room for one more attempt? Then it is counted. Where there is none for the account, but it was meant by
/// another login before, the attempt is as good as any that fails: the seconds for which it isn't heard.
fn note(
    conn: &mut DbConnection,
    attempt: &Attempt,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Option<u64>, Error> {
    let [typed, account] = attempt.counted();
    lock_digests(
        conn,
        &[
            typed.0.as_bytes(),
            account.0.as_bytes(),
            attempt.network_digest.as_bytes(),
        ],
    )?;
    refuse_often(conn, &typed, settings, now)?;
    let network = times(
        sign_in_failures::table
            .filter(sign_in_failures::address_prefix.eq(&attempt.network))
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
        Some(_) => (&attempt.network_digest, account.1),
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

/// Forgets the failures of this account from this network, and notes the sign-in; unless the person may
/// not any more, or not with this password.
fn succeed(
    conn: &mut DbConnection,
    ctx: &Context,
    attempt: &Attempt,
    user: &User,
    verified_hash: &str,
    rehashed: Option<&str>,
) -> Result<(), Error> {
    // Blocked, or given another password, while this one was being verified?
    let still = users::store::find(conn, user.id)?
        .filter(may_sign_in)
        .is_some()
        && users::store::password_hash(conn, user.id)?.as_deref() == Some(verified_hash);
    if !still {
        return Err(Error::refused(INVALID));
    }
    for (digest, network) in attempt.counted() {
        diesel::delete(
            sign_in_failures::table
                .filter(sign_in_failures::account_digest.eq(digest.as_bytes().as_slice()))
                .filter(sign_in_failures::address_prefix.eq(network)),
        )
        .execute(conn)?;
    }
    users::store::touch_sign_in(conn, user.id, ctx.now)?;
    if let Some(hash) = rehashed {
        users::store::set_password_hash(conn, user.id, hash, ctx.now)?;
    }
    audit::record(conn, ctx, Event::new("user_signed_in", Target::User(user)))
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
