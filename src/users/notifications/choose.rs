//! Choosing which mails one wants.

use super::{Choices, store};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::users::oneself::{oneself, person};

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
    let (_, user) = oneself(conn, ctx)?;
    store::put(conn, user.id, choices)
}
