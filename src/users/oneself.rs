//! What every change of one's own account begins with.

use super::User;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;

/// Whoever asks, if it is a person who may act, as the database has them now.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub(super) fn oneself(conn: &mut DbConnection, ctx: &Context) -> Result<(Context, User), Error> {
    let ctx = ctx.refreshed(conn)?;
    let user = person(&ctx)?.clone();
    Ok((ctx, user))
}

/// As [`oneself`], as the request found them.
pub(super) fn person(ctx: &Context) -> Result<&User, Error> {
    ctx.actor
        .user
        .as_ref()
        .filter(|user| user.is_human() && ctx.actor.may_on_instance(Right::OwnAccount))
        .ok_or_else(Error::forbidden)
}
