//! Blocking a person, and letting them in again.

use super::administer::{administer, keep_an_administrator, reread};
use super::sign_up::approve;
use super::store::{self, UserRef};
use super::{User, UserState};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::sessions;

/// Blocks a person: their sessions end, their tokens stop, until they are unblocked.
///
/// # Errors
/// [`Error::Forbidden`] for oneself and for the last administrator, [`Error::NotFound`] for bots.
pub fn block(conn: &mut DbConnection, ctx: &Context, whom: &UserRef) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, whom)?;
    if ctx.actor.user_id() == Some(user.id) {
        return Err(Error::Forbidden(Some("You can't block yourself".into())));
    }
    keep_an_administrator(conn, &user, "blocked")?;
    // Who waits to be let in is told no.
    if user.state != UserState::Blocked || user.is_pending() {
        store::set_state(conn, user.id, UserState::Blocked, ctx.now)?;
        sessions::store::end_all_of(conn, user.id)?;
        audit::record(conn, &ctx, Event::new("user_blocked", Target::User(&user)))?;
    }
    reread(conn, user.id)
}

/// Lets a blocked person in again, or one in who signed up and waits for it.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`] for bots.
pub fn unblock(conn: &mut DbConnection, ctx: &Context, whom: &UserRef) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, whom)?;
    if user.is_pending() {
        return approve(conn, &ctx, whom);
    }
    if user.state != UserState::Active {
        store::set_state(conn, user.id, UserState::Active, ctx.now)?;
        audit::record(
            conn,
            &ctx,
            Event::new("user_unblocked", Target::User(&user)),
        )?;
    }
    reread(conn, user.id)
}
