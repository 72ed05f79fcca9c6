//! A person's calendar address: the one that they have, or a new one.

use rand::RngExt as _;
use serde_json::json;

use super::{FeedToken, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::users::oneself::{oneself, person};

/// The feed token of whoever asks; nothing if they never asked for one. People only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn own_feed_token(conn: &mut DbConnection, ctx: &Context) -> Result<Option<FeedToken>, Error> {
    let id = person(ctx)?.id;
    let salt = store::salt(conn, id)?;
    Ok(salt.map(|salt| FeedToken::of(&ctx.instance.lookup_key, id, &salt)))
}

/// Gives whoever asks a new address; the one that they had, if any, is good no longer. Returns whether they had one.
///
/// # Errors
/// [`Error::Forbidden`] for everybody but people.
pub fn reset(conn: &mut DbConnection, ctx: &Context) -> Result<bool, Error> {
    let (ctx, user) = oneself(conn, ctx)?;
    let had = store::salt(conn, user.id)?.is_some();
    let salt: [u8; 32] = rand::rng().random();
    store::put_salt(conn, user.id, &salt)?;
    let event = Event::new("user_calendar_feed_reset", Target::User(&user));
    audit::record(conn, &ctx, event.with(json!({ "first": !had })))?;
    Ok(had)
}
