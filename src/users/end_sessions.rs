//! Ending a person's sessions on their behalf: a lost laptop, a browser in a library.

use serde_json::json;

use super::administer::administer;
use super::store::UserRef;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::sessions;

/// Ends one session of a person, by what the database knows it by. Returns whether there was one.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but administrators, [`Error::NotFound`] for bots.
pub fn end_one(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    digest: &[u8],
) -> Result<bool, Error> {
    let (ctx, user) = administer(conn, ctx, &UserRef::Id(user_id))?;
    let ended = sessions::store::end_one_of(conn, user.id, digest)?;
    if ended {
        let event = Event::new("user_session_revoked", Target::User(&user));
        audit::record(conn, &ctx, event.with(json!({ "sessions": 1 })))?;
    }
    Ok(ended)
}

/// Ends all sessions of a person. Returns how many there were.
///
/// # Errors
/// As [`end_one`].
pub fn end_all(conn: &mut DbConnection, ctx: &Context, user_id: i64) -> Result<usize, Error> {
    let (ctx, user) = administer(conn, ctx, &UserRef::Id(user_id))?;
    let ended = sessions::store::end_all_of(conn, user.id)?;
    if ended > 0 {
        let event = Event::new("user_session_revoked", Target::User(&user));
        audit::record(conn, &ctx, event.with(json!({ "sessions": ended })))?;
    }
    Ok(ended)
}
