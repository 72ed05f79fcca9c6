//! Choosing which mails one wants.

use super::{Choices, store};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;
use crate::users::User;

/// What the actor has chosen. People only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn own_choices(conn: &mut DbConnection, ctx: &Context) -> Result<Choices, Error> {
    let id = person(ctx)?.id;
    let choices = store::choices_of(conn, &[id])?;
    Ok(choices.get(&id).copied().unwrap_or_default())
}

/// Changes what the actor has chosen. People only, and for themselves.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn choose(conn: &mut DbConnection, ctx: &Context, choices: Choices) -> Result<(), Error> {
    let ctx = ctx.refreshed(conn)?;
    store::put(conn, person(&ctx)?.id, choices)
}

fn person(ctx: &Context) -> Result<&User, Error> {
    ctx.actor
        .user
        .as_ref()
        .filter(|user| user.is_human() && ctx.actor.may_on_instance(Right::OwnAccount))
        .ok_or_else(Error::forbidden)
}
