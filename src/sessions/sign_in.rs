//! Signing in: the same answer for everybody who may not, in the same time; and not too often.

use serde_json::json;

use super::attempts::Attempt;
use super::person::Admitted;
use crate::app::App;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
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
            let user = known.clone().filter(User::has_account);
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
        .write(move |conn| noted.note(conn, &settings, now))
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
        Some(user) if !user.may_sign_in() => {
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

/// Does whoever asks know the password of this account? A wrong one counts as a failed sign-in. Returns the stored hash
/// that it fits; nothing for an account without a password, for which there is nothing to know.
///
/// # Errors
/// [`Error::Refused`] with [`INVALID`] for a wrong password; [`Error::TooManyRequests`], for the right one too.
pub async fn prove(
    app: &App,
    ctx: &Context,
    user: &User,
    given: Password,
) -> Result<Option<String>, Error> {
    let id = user.id;
    let stored = app
        .db
        .read(move |conn| users::store::password_hash(conn, id))
        .await?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let key = &app.instance.lookup_key;
    let attempt = Attempt::new(key, &user.username, Some(id), ctx.actor.origin.ip);
    let (settings, now, noted) = (ctx.policy.settings.clone(), ctx.now, attempt.clone());
    let counted = app
        .db
        .write(move |conn| noted.note(conn, &settings, now))
        .await;
    // Whoever is here knows which account it is: there is nothing to hide.
    let counted = match counted {
        Ok(Some(seconds)) => Err(Error::TooManyRequests(seconds)),
        other => other,
    };
    if let Err(Error::TooManyRequests(seconds)) = counted {
        throttled(app, ctx, Some(user.clone()), seconds).await?;
    }
    counted?;
    let hash = stored.clone();
    let verified = app
        .hashing
        .run(move || password::verify(&given, &hash))
        .await?;
    if verified.ok {
        app.db.write(move |conn| attempt.forget(conn)).await?;
        return Ok(Some(stored));
    }
    let (ctx, user) = (ctx.clone(), user.clone());
    app.db
        .write(move |conn| {
            let event = Event::new("user_sign_in_failed", Target::User(&user));
            audit::record_refusal(conn, &ctx, event)
        })
        .await?;
    Err(Error::refused(INVALID))
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
        .filter(User::may_sign_in)
        .is_some()
        && users::store::password_hash(conn, user.id)?.as_deref() == Some(verified_hash);
    if !still {
        return Err(Error::refused(INVALID));
    }
    attempt.forget(conn)?;
    users::store::touch_sign_in(conn, user.id, ctx.now)?;
    if let Some(hash) = rehashed {
        users::store::set_password_hash(conn, user.id, hash, ctx.now)?;
    }
    audit::record(conn, ctx, Event::new("user_signed_in", Target::User(user)))
}
