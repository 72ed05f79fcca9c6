//! A person's own password, changed by whoever knows it.

use chrono::TimeDelta;
use serde_json::json;

use super::links::{self, Purpose};
use super::oneself::oneself;
use super::{User, store};
use crate::access_tokens::secret::Digest;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::notices::account;
use crate::sessions;

/// So many wrong passwords within [`WINDOW`] end the session that they came from: it may be a stolen one.
const WRONG_PASSWORDS: i64 = 5;

/// How long a wrong password counts against its session.
pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// What is told when the password became another one while this change was on its way.
const MEANWHILE: &str = "The password was changed meanwhile. Nothing was done.";

/// Sets a new password, which was hashed before, for whoever asks, if `proven` is the stored hash of the password that
/// they showed. Every session of theirs ends, the one that asked included: its successor begins under a new id. Links to
/// a new password are good no longer, and a mail tells them.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but people, [`Error::Refused`] when the password is another one by now.
pub fn change_password(
    conn: &mut DbConnection,
    ctx: &Context,
    proven: &str,
    hash: &str,
) -> Result<User, Error> {
    lock_instance(conn)?;
    let (ctx, user) = oneself(conn, ctx)?;
    if store::password_hash(conn, user.id)?.as_deref() != Some(proven) {
        return Err(Error::refused(MEANWHILE));
    }
    links::spend(conn, &ctx, user.id, Purpose::PasswordReset)?;
    store::set_password_hash(conn, user.id, hash, ctx.now)?;
    sessions::store::end_all_of(conn, user.id)?;
    let event = Event::new("user_password_changed", Target::User(&user));
    audit::record(conn, &ctx, event)?;
    account::password_changed(conn, &ctx, &user)?;
    Ok(user)
}

/// Notes that the current password was typed wrong in this session. Returns whether that ended it.
///
/// # Errors
/// When the database is away.
pub fn note_wrong(conn: &mut DbConnection, ctx: &Context, session: &Digest) -> Result<bool, Error> {
    let (ctx, user) = oneself(conn, ctx)?;
    let session_name = hex::encode(session.as_bytes());
    let counted = ctx
        .instance
        .lookup_key
        .digest(&format!("wrong password in session {session_name}"));
    sessions::store::note_attempt(conn, &counted, "session", ctx.now)?;
    let tried = sessions::store::count_attempts(conn, &counted, ctx.now - WINDOW)?;
    if tried < WRONG_PASSWORDS {
        return Ok(false);
    }
    sessions::store::end_one_of(conn, user.id, session.as_bytes())?;
    let event = Event::new("user_session_revoked", Target::User(&user));
    audit::record(conn, &ctx, event.with(json!({ "sessions": 1 })))?;
    Ok(true)
}
