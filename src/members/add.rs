//! Adding a member.

use chrono::NaiveDate;
use serde_json::json;

use super::store::{self, NewMembership};
use super::{AccessLevel, Membership};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;
use crate::users::User;

/// Makes a person a member of a group or project. A bot never is: it stays in the one it was made for.
///
/// # Errors
/// [`Error::Forbidden`] without the right or for a role above one's own, [`Error::Invalid`] for a bot or
/// a past date, [`Error::Conflict`] for somebody who is a member already.
pub fn add(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user: &User,
    access_level: AccessLevel,
    expires_at: Option<NaiveDate>,
) -> Result<Membership, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    may_give(&ctx, &resource, access_level)?;
    if !user.is_human() {
        return Err(Error::invalid(
            "user_id",
            "project bots cannot be added to other groups / projects",
        ));
    }
    check_date(&ctx, expires_at)?;
    let (group_id, project_id) = match &resource {
        Resource::Group(group) => (Some(group.id), None),
        Resource::Project(project) => (None, Some(project.id)),
    };
    match store::find(conn, &resource, user.id)? {
        Some(present) if present.is_living(ctx.today()) => {
            return Err(Error::Conflict("Member already exists".into()));
        }
        // It ended, and nobody has tidied it away yet: they begin anew.
        Some(ended) => store::delete(conn, ended.id)?,
        None => {}
    }
    let membership = store::insert(
        conn,
        &NewMembership {
            user_id: user.id,
            group_id,
            project_id,
            access_level,
            expires_at,
            bot: false,
            created_by_id: ctx.actor.user_id(),
            now: ctx.now,
        },
    )?;
    audit::record(
        conn,
        &ctx,
        Event::new("member_created", Target::User(user))
            .in_group(resource.group())
            .with(json!({ "source": resource.full_path(), "access_level": access_level.number(), "expires_at": expires_at })),
    )?;
    Ok(membership)
}

/// May the actor manage members here, and give this role? Nobody gives away more than they have.
pub(super) fn may_give(
    ctx: &Context,
    resource: &Resource,
    access_level: AccessLevel,
) -> Result<(), Error> {
    let place = resource.place();
    if !ctx.actor.may(Right::ManageMembers, &place, &ctx.policy) {
        return Err(Error::forbidden());
    }
    if ctx.actor.level(&place) < Some(access_level) {
        return Err(Error::Forbidden(Some("The role is above your own".into())));
    }
    Ok(())
}

pub(super) fn check_date(ctx: &Context, expires_at: Option<NaiveDate>) -> Result<(), Error> {
    if expires_at.is_some_and(|date| date <= ctx.today()) {
        return Err(Error::invalid("expires_at", "cannot be a date in the past"));
    }
    Ok(())
}
