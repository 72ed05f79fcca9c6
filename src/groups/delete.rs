//! Deleting a group, with everything in it.

use diesel::prelude::*;
use serde_json::json;

use super::Group;
use super::relocation::below;
use super::turn::locked;
use crate::access_tokens::{Resource, ended};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::db::schema::{groups, projects};
use crate::error::{Error, What};
use crate::permissions::Right;

/// Deletes a group at once: its subgroups, the projects in them, and the members, bots and tokens of them
/// all. Owners only. What the bots made elsewhere belongs to the ghost afterwards.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::NotFound`] for personal namespaces.
pub fn delete(conn: &mut DbConnection, ctx: &Context, group: &Group) -> Result<(), Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if group.is_personal() {
        return Err(Error::NotFound(What::Group));
    }
    if !ctx
        .actor
        .may(Right::DeleteGroup, &group.place(), &ctx.policy)
    {
        return Err(Error::forbidden());
    }
    ended::with_place(conn, &ctx, &Resource::Group(group.clone()))?;
    let bots = bots::delete::delete_below(conn, &group.traversal, ctx.now)?;
    delete_below(conn, &group.traversal)?;
    audit::record(
        conn,
        &ctx,
        Event::new("group_deleted", Target::Group(&group))
            .with(json!({ "full_path": group.full_path, "bots": bots })),
    )
}

/// The projects and groups themselves. Addresses, memberships and tokens hang on them and go with them.
fn delete_below(conn: &mut DbConnection, traversal: &str) -> Result<(), Error> {
    let groups_below = groups::table.filter(below!(traversal)).select(groups::id);
    diesel::delete(projects::table.filter(projects::group_id.eq_any(groups_below)))
        .execute(conn)?;
    diesel::delete(groups::table.filter(below!(traversal))).execute(conn)?;
    Ok(())
}
