//! Moving a project into another group, or into one's own namespace.

use serde_json::json;

use super::relocation::relocate;
use super::{Project, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, in_turn};
use crate::error::{Error, What};
use crate::groups::Group;
use crate::groups::create::wider_than_parent;
use crate::groups::turn::reread;
use crate::permissions::Right;

/// Moves a project. It takes an Owner of the project who may make projects there. Members, bots and tokens
/// come along; the switch of the new root group is theirs from then on. The old address is free.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field.
pub fn transfer(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &Project,
    to: &Group,
) -> Result<Project, Error> {
    let (project, to) = in_turn(
        conn,
        &(project.clone(), to.clone()),
        |(project, to)| vec![project.namespace.root_id, to.root_id],
        |conn, (project, to)| {
            let to = reread(conn, to)?;
            Ok((found(conn, project)?, to))
        },
    )?;
    let ctx = ctx.refreshed(conn)?;
    let (policy, actor) = (&ctx.policy, &ctx.actor);
    if !actor.may(Right::TransferProject, &project.place(), policy)
        || !actor.may(Right::CreateProject, &to.place(), policy)
    {
        return Err(Error::forbidden());
    }
    check(&project, &to)?;
    relocate(conn, &project, &to, ctx.now)?;
    let moved = found(conn, &project)?;
    // A line for those who look after the place that it left, and one for those where it is now.
    let event = |direction: &str| {
        Event::new("project_transferred", Target::Project(&moved)).with(json!({
            "full_path": [project.full_path(), moved.full_path()],
            "direction": direction,
        }))
    };
    audit::record_all(
        conn,
        &ctx,
        &[event("out").in_group(&project.namespace), event("in")],
    )?;
    Ok(moved)
}

/// Whether the project can stand there, its address aside.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub(crate) fn check(project: &Project, to: &Group) -> Result<(), Error> {
    if project.group_id == to.id {
        return Err(Error::invalid(
            "namespace",
            "is where the project lies already",
        ));
    }
    if !project.visibility.within(to.visibility) {
        return Err(Error::invalid(
            "visibility",
            wider_than_parent(project.visibility, to.visibility),
        ));
    }
    Ok(())
}

fn found(conn: &mut DbConnection, project: &Project) -> Result<Project, Error> {
    store::find(conn, project.id)?.ok_or(Error::NotFound(What::Project))
}
