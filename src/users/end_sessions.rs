//! Ending sessions: one's own, or a person's on their behalf. A lost laptop, a browser in a library.

use serde_json::json;

use super::User;
use super::administer::administer;
use super::oneself::oneself;
use super::store::UserRef;
use crate::access_tokens::secret::Digest;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::sessions::{self, handle};

/// Why the session that asks isn't ended this way.
const THIS_ONE: &str = "This is the session that you are using. Sign out to end it.";

/// Ends one session of a person, by its [`handle`]. Returns whether there was one.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but administrators, [`Error::NotFound`] for bots.
pub fn end_one(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    handle: &str,
) -> Result<bool, Error> {
    let (ctx, user) = administer(conn, ctx, &UserRef::Id(user_id))?;
    match digest_of(conn, &ctx, &user, handle)? {
        Some(digest) => end(conn, &ctx, &user, &digest),
        None => Ok(false),
    }
}

/// Ends another session of whoever asks, by its [`handle`]. Returns whether there was one. `current` is the session that
/// asks.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but people, [`Error::Refused`] for the session that asks.
pub fn end_own(
    conn: &mut DbConnection,
    ctx: &Context,
    handle: &str,
    current: &Digest,
) -> Result<bool, Error> {
    let (ctx, user) = oneself(conn, ctx)?;
    match digest_of(conn, &ctx, &user, handle)? {
        Some(digest) if digest == current.as_bytes() => Err(Error::refused(THIS_ONE)),
        Some(digest) => end(conn, &ctx, &user, &digest),
        None => Ok(false),
    }
}

/// Ends all sessions of whoever asks but the `current` one. Returns how many there were.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but people.
pub fn end_own_others(
    conn: &mut DbConnection,
    ctx: &Context,
    current: &Digest,
) -> Result<usize, Error> {
    let (ctx, user) = oneself(conn, ctx)?;
    let ended = sessions::store::end_others_of(conn, user.id, current)?;
    tell(conn, &ctx, &user, ended)?;
    Ok(ended)
}

/// Ends all sessions of a person. Returns how many there were.
///
/// # Errors
/// As [`end_one`].
pub fn end_all(conn: &mut DbConnection, ctx: &Context, user_id: i64) -> Result<usize, Error> {
    let (ctx, user) = administer(conn, ctx, &UserRef::Id(user_id))?;
    let ended = sessions::store::end_all_of(conn, user.id)?;
    tell(conn, &ctx, &user, ended)?;
    Ok(ended)
}

/// The session of this person that pages call by this handle.
fn digest_of(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
    handle: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let digests = sessions::store::digests_of(conn, user.id)?;
    let key = &ctx.instance.lookup_key;
    Ok(digests
        .into_iter()
        .find(|digest| handle::of(key, digest) == handle))
}

fn end(conn: &mut DbConnection, ctx: &Context, user: &User, digest: &[u8]) -> Result<bool, Error> {
    let ended = sessions::store::end_one_of(conn, user.id, digest)?;
    tell(conn, ctx, user, usize::from(ended))?;
    Ok(ended)
}

/// A line in the trail, if any session ended.
fn tell(conn: &mut DbConnection, ctx: &Context, user: &User, ended: usize) -> Result<(), Error> {
    if ended == 0 {
        return Ok(());
    }
    let event = Event::new("user_session_revoked", Target::User(user));
    audit::record(conn, ctx, event.with(json!({ "sessions": ended })))
}
