//! `/api/v4/groups`.

mod objects;
mod parameters;

pub use objects::GroupObject;

use super::list::{Filter, Order, list_visible};
use super::store::{GroupRef, find_visible, find_visible_with_projects};
use super::{
    create as creating, delete as deleting, notify_inherited as notifying, transfer as moving,
    update as updating,
};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;
use crate::projects::Project;
use crate::projects::api::ProjectObject;
use crate::web::api::{Accepted, ApiCall, Made, Paged, Shown};
use parameters::{Changes, Listing, NewGroup, Showing, Transfer, write_cursor};

/// Projects shown with their group at the most.
const PROJECTS_SHOWN: usize = 100;

/// `GET /groups`. Those that the caller may see.
pub async fn list(call: ApiCall, asked: Listing) -> Result<Paged<GroupObject>, Error> {
    listed(&call, asked, |_, _, _| Ok(())).await
}

/// `GET /groups/:id/subgroups`: directly in it. Those that the caller may see.
pub async fn subgroups(call: ApiCall, asked: Listing) -> Result<Paged<GroupObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    listed(&call, asked, move |conn, ctx, filter| {
        filter.parent_id = Some(find_visible(conn, ctx, &name)?.id);
        Ok(())
    })
    .await
}

/// `GET /groups/:id/descendant_groups`: anywhere below it. Those that the caller may see.
pub async fn descendants(call: ApiCall, asked: Listing) -> Result<Paged<GroupObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    listed(&call, asked, move |conn, ctx, filter| {
        filter.below = Some(find_visible(conn, ctx, &name)?.traversal);
        Ok(())
    })
    .await
}

async fn listed(
    call: &ApiCall,
    asked: Listing,
    narrow: impl Fn(&mut DbConnection, &Context, &mut Filter) -> Result<(), Error> + Send + 'static,
) -> Result<Paged<GroupObject>, Error> {
    let Listing { mut filter, paging } = asked;
    let (order, descending) = (filter.order, filter.descending);
    if paging.keyset && !matches!(order, Order::Id | Order::Name) {
        return Err(Error::NoKeyset);
    }
    let page = call
        .read(move |conn, ctx| {
            narrow(conn, ctx, &mut filter)?;
            list_visible(conn, ctx, &filter, paging.request)
        })
        .await?;
    let next = page.rows.last().map(|last| match (order, descending) {
        (Order::Id, false) => ("id_after", last.id.to_string()),
        (Order::Id, true) => ("id_before", last.id.to_string()),
        _ => ("cursor", write_cursor(&last.name, last.id)),
    });
    let page = page.map(|group| GroupObject::of(&call.ctx, group));
    Ok(Paged::of(paging, page, next))
}

/// `GET /groups/:id`. Whoever may see it.
pub async fn show(
    call: ApiCall,
    Showing { with_projects }: Showing,
) -> Result<Shown<GroupObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    let (group, inside) = call
        .read(move |conn, ctx| {
            if with_projects {
                find_visible_with_projects(conn, ctx, &name)
            } else {
                Ok((find_visible(conn, ctx, &name)?, Vec::new()))
            }
        })
        .await?;
    let ctx = &call.ctx;
    let shown = GroupObject::in_detail(ctx, group.clone());
    if !with_projects {
        return Ok(Shown(shown));
    }
    let projects = inside
        .into_iter()
        .map(|row| Project {
            row,
            namespace: group.clone(),
        })
        .filter(|project| {
            ctx.actor
                .may(Right::SeeProject, &project.place(), &ctx.policy)
        })
        .take(PROJECTS_SHOWN)
        .map(|project| ProjectObject::simple(ctx, project));
    Ok(Shown(shown.with_projects(projects.collect())))
}

/// `POST /groups`. At the top, people who aren't external; in a group, its Maintainers.
pub async fn create(
    call: ApiCall,
    NewGroup { parent_id, form }: NewGroup,
) -> Result<Made<GroupObject>, Error> {
    call.write(move |conn, ctx| {
        let parent = match parent_id {
            Some(id) => Some(find_visible(conn, ctx, &GroupRef::Id(id))?),
            None => None,
        };
        let group = creating::create(conn, ctx, parent.as_ref(), &form, None)?;
        // Whoever makes a group owns it from now on.
        Ok(GroupObject::in_detail(&ctx.refreshed(conn)?, group))
    })
    .await
    .map(Made)
    .map_err(|error| match error {
        Error::Invalid(problems) => Error::NotSaved("group", problems),
        other => other,
    })
}

/// `PUT /groups/:id`. Owners.
pub async fn update(
    call: ApiCall,
    Changes {
        changes,
        creation_allowed,
        notify_inherited,
    }: Changes,
) -> Result<Shown<GroupObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    let group = call
        .write(move |conn, ctx| {
            let group = find_visible(conn, ctx, &name)?;
            let group = updating::update(conn, ctx, &group, &changes)?;
            let group = match creation_allowed {
                Some(allowed) => updating::allow_token_creation(conn, ctx, &group, allowed)?,
                None => group,
            };
            if notify_inherited.is_empty() {
                Ok(group)
            } else {
                notifying::change::change(conn, ctx, &group, notify_inherited)
            }
        })
        .await?;
    Ok(Shown(GroupObject::in_detail(&call.ctx, group)))
}

/// `DELETE /groups/:id`. Owners.
pub async fn delete(call: ApiCall) -> Result<Accepted, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    call.write(move |conn, ctx| {
        let group = find_visible(conn, ctx, &name)?;
        deleting::delete(conn, ctx, &group)
    })
    .await?;
    call.app.projects_gone.notify_one();
    Ok(Accepted)
}

/// `POST /groups/:id/transfer`. Owners of both groups.
pub async fn transfer(
    call: ApiCall,
    Transfer { group_id }: Transfer,
) -> Result<Made<GroupObject>, Error> {
    let name = GroupRef::parse(&call.segment("id"));
    call.write(move |conn, ctx| {
        let group = find_visible(conn, ctx, &name)?;
        let parent = match group_id {
            Some(id) => Some(find_visible(conn, ctx, &GroupRef::Id(id))?),
            None => None,
        };
        let moved = moving::transfer(conn, ctx, &group, parent.as_ref())?;
        Ok(GroupObject::in_detail(&ctx.refreshed(conn)?, moved))
    })
    .await
    .map(Made)
}
