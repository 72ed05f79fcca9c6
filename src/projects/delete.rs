//! Deleting a project, with its bots and their tokens.

use serde_json::json;

use super::{Project, store};
use crate::access_tokens::{Resource, ended};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::permissions::Right;

/// Deletes a project at once. Owners only.
///
/// # Errors
/// [`Error::Forbidden`] without the right.
pub fn delete(conn: &mut DbConnection, ctx: &Context, project: &Project) -> Result<(), Error> {
    let (resource, ctx) = Resource::Project(project.clone()).locked(conn, ctx)?;
    let Resource::Project(project) = &resource else {
        return Err(Error::NotFound(What::Project));
    };
    if !ctx
        .actor
        .may(Right::DeleteProject, &project.place(), &ctx.policy)
    {
        return Err(Error::forbidden());
    }
    ended::with_place(conn, &ctx, &resource)?;
    let bots = bots::delete::delete_of_project(conn, project.id, ctx.now)?;
    store::delete(conn, project.id)?;
    audit::record(
        conn,
        &ctx,
        Event::new("project_deleted", Target::Project(project))
            .with(json!({ "full_path": project.full_path(), "bots": bots })),
    )
}
