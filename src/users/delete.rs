//! Deleting a person.

use serde_json::json;

use super::administer::{administer, keep_an_administrator};
use super::store::UserRef;
use super::{ghost, holdings};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Deletes a person at once, with their sessions, tokens and memberships, and their own namespace with
/// all that is in it. What they made elsewhere stays and belongs to the ghost, and so do the bots of
/// the tokens that they made there. User name and address are free again. Administrators only.
///
/// # Errors
/// [`Error::Forbidden`] for oneself and for the last administrator, [`Error::Conflict`] for the last
/// Owner of a top-level group, [`Error::NotFound`] for bots.
pub fn delete(conn: &mut DbConnection, ctx: &Context, user_id: i64) -> Result<(), Error> {
    let (ctx, user) = administer(conn, ctx, &UserRef::Id(user_id))?;
    if ctx.actor.user_id() == Some(user.id) {
        return Err(Error::Forbidden(Some("You can't delete yourself".into())));
    }
    keep_an_administrator(conn, &user, "deleted")?;
    holdings::lock(conn, user.id)?;
    let alone = holdings::owned_alone(conn, user.id, ctx.today())?;
    if !alone.is_empty() {
        return Err(Error::Conflict(format!(
            "User cannot be removed: the last Owner of {}",
            alone.join(", ")
        )));
    }
    // No line of their own for each project: the one about the person names them.
    let projects = holdings::personal_projects(conn, user.id)?;
    let mut leaving = bots::delete::of_namespace(conn, user.id)?;
    leaving.push(user.id);
    // The tokens of the projects go with them: what is remembered of them is read before.
    ghost::inherit(conn, &leaving, ctx.now)?;
    holdings::delete_personal_projects(conn, user.id)?;
    ghost::delete(conn, &leaving)?;
    audit::record(
        conn,
        &ctx,
        Event::new("user_deleted", Target::User(&user)).with(json!({ "projects": projects })),
    )
}
