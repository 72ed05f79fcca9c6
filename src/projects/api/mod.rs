//! `/api/v4/projects`, and the projects of a group.

mod objects;
mod parameters;

pub use objects::{NamespaceObject, ProjectObject};

use super::list::{Filter, Order, list_visible};
use super::store::{ProjectRef, find_visible};
use super::{
    Project, create as creating, delete as deleting, transfer as moving, update as updating,
};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::git::repository::{self, Address};
use crate::groups::store::GroupRef;
use crate::groups::{self, Group};
use crate::permissions::Right;
use crate::web::api::{Accepted, ApiCall, Made, Paged, Shown};
use parameters::{Changes, Listing, ListingOfGroup, NewProject, Transfer};

/// `GET /projects`. Those that the caller may see.
pub async fn list(call: ApiCall, asked: Listing) -> Result<Paged<ProjectObject>, Error> {
    listed(&call, asked, |_, _, _| Ok(())).await
}

/// `GET /groups/:id/projects`. Those that the caller may see.
pub async fn of_group(
    call: ApiCall,
    ListingOfGroup {
        include_subgroups,
        listing,
    }: ListingOfGroup,
) -> Result<Paged<ProjectObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    listed(&call, listing, move |conn, ctx, filter| {
        let group = groups::store::find_visible(conn, ctx, &name)?;
        if include_subgroups {
            filter.below = Some(group.traversal);
        } else {
            filter.group_id = Some(group.id);
        }
        Ok(())
    })
    .await
}

async fn listed(
    call: &ApiCall,
    asked: Listing,
    narrow: impl Fn(&mut DbConnection, &Context, &mut Filter) -> Result<(), Error> + Send + 'static,
) -> Result<Paged<ProjectObject>, Error> {
    let Listing {
        mut filter,
        simple,
        paging,
    } = asked;
    let next = if filter.ascending {
        "id_after"
    } else {
        "id_before"
    };
    if paging.keyset && filter.order != Order::Id {
        return Err(Error::NoKeyset);
    }
    let page = call
        .read(move |conn, ctx| {
            narrow(conn, ctx, &mut filter)?;
            list_visible(conn, ctx, &filter, paging.request)
        })
        .await?;
    let next = page.rows.last().map(|last| (next, last.id.to_string()));
    let page = if simple {
        page.map(|project| ProjectObject::simple(&call.ctx, project))
    } else {
        let addresses = page.rows.iter().map(Address::from).collect();
        let mut empty = are_empty(call, addresses).await?.into_iter();
        page.map(|project| {
            ProjectObject::whole(&call.ctx, project, empty.next().unwrap_or_default())
        })
    };
    Ok(Paged::of(paging, page, next))
}

/// All of it, with whether somebody pushed something.
async fn whole(call: &ApiCall, project: Project) -> Result<ProjectObject, Error> {
    let empty = are_empty(call, vec![Address::from(&project)]).await?;
    Ok(ProjectObject::whole(
        &call.ctx,
        project,
        empty.into_iter().all(|is_empty| is_empty),
    ))
}

/// Of each repository, is nothing in it? The disk tells.
async fn are_empty(call: &ApiCall, addresses: Vec<Address>) -> Result<Vec<bool>, Error> {
    let repositories = call.app.repositories.clone();
    let look = move || {
        addresses
            .into_iter()
            .map(|address| repositories.is_empty(address))
            .collect()
    };
    actix_web::web::block(look)
        .await
        .map_err(|error| Error::internal(error.into()))
}

/// `GET /projects/:id`. Whoever may see it.
pub async fn show(call: ApiCall) -> Result<Shown<ProjectObject>, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let project = call
        .read(move |conn, ctx| find_visible(conn, ctx, &name))
        .await?;
    Ok(Shown(whole(&call, project).await?))
}

/// `POST /projects`. Developers of the group, or the person whose namespace it is.
pub async fn create(
    call: ApiCall,
    NewProject { namespace_id, form }: NewProject,
) -> Result<Made<ProjectObject>, Error> {
    if form.name.is_none() && form.path.is_none() {
        let text = "name, path are missing, at least one parameter must be provided";
        return Err(Error::Parameter(text.into()));
    }
    let project = call
        .write(move |conn, ctx| {
            let user_id = ctx.actor.user_id().unwrap_or(0);
            let namespace = match namespace_id {
                Some(id) => find_namespace(conn, ctx, &GroupRef::Id(id))?,
                // A bot has no namespace of its own.
                None => {
                    groups::store::find_personal(conn, user_id)?.ok_or_else(Error::forbidden)?
                }
            };
            creating::create(conn, ctx, &namespace, &form)
        })
        .await?;
    repository::make(&call.app, &project).await;
    Ok(Made(whole(&call, project).await?))
}

/// A group that the caller may know of, or their own namespace: a place for a project.
fn find_namespace(conn: &mut DbConnection, ctx: &Context, name: &GroupRef) -> Result<Group, Error> {
    groups::store::find_by_ref(conn, name)?
        .filter(|group| match group.owner_id {
            Some(_) => ctx.actor.level(&group.place()).is_some(),
            None => ctx.actor.may(Right::SeeGroup, &group.place(), &ctx.policy),
        })
        .ok_or(Error::NotFound(What::Namespace))
}

/// `PUT /projects/:id`. Maintainers.
pub async fn update(
    call: ApiCall,
    Changes(changes): Changes,
) -> Result<Shown<ProjectObject>, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let project = call
        .write(move |conn, ctx| {
            let project = find_visible(conn, ctx, &name)?;
            updating::update(conn, ctx, &project, &changes)
        })
        .await?;
    Ok(Shown(whole(&call, project).await?))
}

/// `DELETE /projects/:id`. Owners.
pub async fn delete(call: ApiCall) -> Result<Accepted, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    call.write(move |conn, ctx| {
        let project = find_visible(conn, ctx, &name)?;
        deleting::delete(conn, ctx, &project)
    })
    .await?;
    call.app.projects_gone.notify_one();
    Ok(Accepted)
}

/// `PUT /projects/:id/transfer`. Owners who may make projects at the new place.
pub async fn transfer(
    call: ApiCall,
    Transfer { namespace }: Transfer,
) -> Result<Shown<ProjectObject>, Error> {
    let name = ProjectRef::parse(&call.segment("id"));
    let namespace = GroupRef::parse(&namespace);
    let project = call
        .write(move |conn, ctx| {
            let project = find_visible(conn, ctx, &name)?;
            let to = find_namespace(conn, ctx, &namespace)?;
            moving::transfer(conn, ctx, &project, &to)
        })
        .await?;
    Ok(Shown(whole(&call, project).await?))
}
