//! Changing what a person may be: blocked, administrator, external, another password.

use serde_json::json;

use super::{User, UserState, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::sessions;

/// Blocks a person: their sessions end, their tokens stop, until they are unblocked.
///
/// # Errors
/// [`Error::Forbidden`] for oneself and for the last administrator.
pub fn block(conn: &mut DbConnection, ctx: &Context, username: &str) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, username)?;
    if ctx.actor.user_id() == Some(user.id) {
        return Err(Error::Forbidden(Some("You can't block yourself".into())));
    }
    if user.admin && store::other_admins(conn, user.id)? == 0 {
        return Err(Error::Forbidden(Some(
            "The last administrator can't be blocked".into(),
        )));
    }
    if user.state != UserState::Blocked {
        store::set_state(conn, user.id, UserState::Blocked, ctx.now)?;
        sessions::store::end_all_of(conn, user.id)?;
        audit::record(conn, &ctx, Event::new("user_blocked", Target::User(&user)))?;
    }
    reread(conn, user.id)
}

/// Lets a blocked person in again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub fn unblock(conn: &mut DbConnection, ctx: &Context, username: &str) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, username)?;
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

/// Gives a person another password; their sessions end.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub fn set_password(
    conn: &mut DbConnection,
    ctx: &Context,
    username: &str,
    hash: &str,
) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, username)?;
    store::set_password_hash(conn, user.id, hash, ctx.now)?;
    sessions::store::end_all_of(conn, user.id)?;
    audit::record(
        conn,
        &ctx,
        Event::new("user_password_changed", Target::User(&user)),
    )?;
    reread(conn, user.id)
}

/// Makes a person an administrator or not, external or not.
///
/// # Errors
/// [`Error::Forbidden`] when the last administrator would be gone.
pub fn set_standing(
    conn: &mut DbConnection,
    ctx: &Context,
    username: &str,
    admin: Option<bool>,
    external: Option<bool>,
) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, username)?;
    let (new_admin, new_external) = (
        admin.unwrap_or(user.admin),
        external.unwrap_or(user.external),
    );
    if user.admin && !new_admin && store::other_admins(conn, user.id)? == 0 {
        return Err(Error::Forbidden(Some(
            "The last administrator can't be demoted".into(),
        )));
    }
    store::set_standing(conn, user.id, new_admin, new_external, ctx.now)?;
    if new_admin != user.admin {
        let name = if new_admin {
            "user_promoted"
        } else {
            "user_demoted"
        };
        audit::record(conn, &ctx, Event::new(name, Target::User(&user)))?;
    }
    if new_external != user.external {
        let event = Event::new("user_external_changed", Target::User(&user));
        audit::record(
            conn,
            &ctx,
            event.with(json!({ "external": [user.external, new_external] })),
        )?;
    }
    reread(conn, user.id)
}

fn administer(
    conn: &mut DbConnection,
    ctx: &Context,
    username: &str,
) -> Result<(Context, User), Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let user = store::find_by_username(conn, username)?
        .filter(User::is_human)
        .ok_or(Error::NotFound(What::User))?;
    Ok((ctx, user))
}

fn reread(conn: &mut DbConnection, id: i64) -> Result<User, Error> {
    store::find(conn, id)?.ok_or(Error::NotFound(What::User))
}
