//! What every change of a person by an administrator begins with.

use super::User;
use super::store::{self, UserRef};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, What};
use crate::permissions::Right;

/// Takes turns with other changes of people, and reads actor and person anew. Bots are managed through
/// their tokens, and the ghost by nobody: they are not found.
pub(super) fn administer(
    conn: &mut DbConnection,
    ctx: &Context,
    whom: &UserRef,
) -> Result<(Context, User), Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let user = store::find_by_ref(conn, whom)?
        .filter(User::is_human)
        .ok_or(Error::NotFound(What::User))?;
    Ok((ctx, user))
}

/// An instance keeps at least one active administrator. `done` is what would be done to this one.
pub(super) fn keep_an_administrator(
    conn: &mut DbConnection,
    user: &User,
    done: &str,
) -> Result<(), Error> {
    if user.admin && store::other_admins(conn, user.id)? == 0 {
        return Err(Error::Forbidden(Some(format!(
            "The last administrator can't be {done}"
        ))));
    }
    Ok(())
}

/// The person as the database has them after a change.
pub(super) fn reread(conn: &mut DbConnection, id: i64) -> Result<User, Error> {
    store::find(conn, id)?.ok_or(Error::NotFound(What::User))
}
