//! Who may clone and push.

use super::Service;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::permissions::Right;
use crate::projects::Project;
use crate::projects::store::{ProjectRef, find_visible};

/// What somebody may do with a repository.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Whose it is.
    pub project: Project,
    /// May they push to protected branches?
    pub maintains: bool,
}

/// May this actor use the service on this project? Asked in this order: scope, visibility, role
/// (`surfaces.md` 0.2), so that a refusal tells nothing that the one before keeps quiet.
///
/// # Errors
/// [`Error::Unauthenticated`] for nobody, where it takes somebody; [`Error::Forbidden`] without the scope or the role;
/// [`Error::NotFound`] for what they may not know of.
pub fn authorize(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &ProjectRef,
    service: Service,
) -> Result<Granted, Error> {
    let nobody = !ctx.actor.is_signed_in();
    if nobody && service == Service::ReceivePack {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    if let Some(token) = ctx.actor.token()
        && !token.scopes.contains_any(service.scopes())
    {
        return Err(Error::Forbidden(Some(service.out_of_scope().into())));
    }
    let project = match find_visible(conn, ctx, project) {
        // Whether it is there is told only to who is known.
        Err(Error::NotFound(_)) if nobody => return Err(Error::Unauthenticated(Denied::Unknown)),
        found => found?,
    };
    if !ctx
        .actor
        .may(service.right(), &project.place(), &ctx.policy)
    {
        return Err(if nobody {
            Error::Unauthenticated(Denied::Unknown)
        } else {
            Error::Forbidden(Some(service.not_allowed().into()))
        });
    }
    if project.archived && service == Service::ReceivePack {
        return Err(Error::Forbidden(Some(
            "The project is archived: nothing can be pushed to it.".into(),
        )));
    }
    let maintains = ctx
        .actor
        .may(Right::PushToProtectedBranch, &project.place(), &ctx.policy);
    Ok(Granted { project, maintains })
}

/// The project whose code this actor may read through the API; which scope that takes, the route says.
///
/// # Errors
/// [`Error::NotFound`] for what they may not know of; [`Error::Forbidden`] without the role.
pub fn readable(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &ProjectRef,
) -> Result<Project, Error> {
    let project = find_visible(conn, ctx, project)?;
    if ctx
        .actor
        .may(Right::ReadCode, &project.place(), &ctx.policy)
    {
        Ok(project)
    } else {
        Err(Error::forbidden())
    }
}
