//! Taking turns with whatever else changes who may do what below the same top-level group.

use super::{Group, store};
use crate::context::Context;
use crate::db::{DbConnection, in_turn};
use crate::error::{Error, What};

/// The group and the actor as they are now, until the end of the transaction.
///
/// # Errors
/// [`Error::NotFound`] when the group is gone, [`Error::Unauthenticated`] when the actor is.
pub(crate) fn locked(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
) -> Result<(Group, Context), Error> {
    let group = in_turn(conn, group, |group| vec![group.root_id], reread)?;
    Ok((group, ctx.refreshed(conn)?))
}

/// The group as the database has it now.
pub(crate) fn reread(conn: &mut DbConnection, group: &Group) -> Result<Group, Error> {
    store::find(conn, group.id)?.ok_or(Error::NotFound(What::Group))
}
