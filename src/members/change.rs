//! Changing and ending a membership.

use chrono::NaiveDate;
use serde_json::json;

use super::add::{check_date, may_give};
use super::{AccessLevel, Membership, store};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::users::{self, User};

/// When a membership ends from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// When it would have ended anyway.
    AsBefore,
    /// Not by itself.
    Never,
    /// At the start of this day.
    On(NaiveDate),
}

/// Gives a direct member another role or end.
///
/// # Errors
/// [`Error::NotFound`] for nobody's membership, [`Error::Forbidden`] without the right, for a bot, above
/// one's own role, and when a top-level group would lose its last lasting human Owner.
pub fn change(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user_id: i64,
    access_level: AccessLevel,
    ends: Ends,
) -> Result<(), Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    may_give(&ctx, &resource, access_level)?;
    let (membership, user) = find_direct(conn, &ctx, &resource, user_id)?;
    let expires_at = match ends {
        Ends::AsBefore => membership.expires_at,
        Ends::Never => None,
        Ends::On(date) => Some(date),
    };
    if expires_at != membership.expires_at {
        check_date(&ctx, expires_at)?;
    }
    if access_level < AccessLevel::Owner || expires_at.is_some() {
        keep_an_owner(conn, &resource, &membership)?;
    }
    store::update(conn, membership.id, access_level, expires_at)?;
    let event =
        |name: &'static str| Event::new(name, Target::User(&user)).in_group(resource.group());
    if access_level != membership.access_level {
        let details = json!({
            "source": resource.full_path(),
            "access_level": [membership.access_level.number(), access_level.number()],
        });
        audit::record(conn, &ctx, event("member_level_changed").with(details))?;
    }
    if expires_at != membership.expires_at {
        let details = json!({ "source": resource.full_path(), "expires_at": [membership.expires_at, expires_at] });
        audit::record(conn, &ctx, event("member_expiry_changed").with(details))?;
    }
    Ok(())
}

/// Ends a direct membership. People may leave by themselves.
///
/// # Errors
/// As [`change`].
pub fn remove(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user_id: i64,
) -> Result<User, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    let (membership, user) = find_removable(conn, &ctx, &resource, user_id)?;
    store::delete(conn, membership.id)?;
    audit::record(
        conn,
        &ctx,
        Event::new("member_deleted", Target::User(&user))
            .in_group(resource.group())
            .with(json!({ "source": resource.full_path(), "access_level": membership.access_level.number() })),
    )?;
    Ok(user)
}

/// The membership that [`remove`] would end, and whose it is.
///
/// # Errors
/// As [`change`].
pub fn find_removable(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user_id: i64,
) -> Result<(Membership, User), Error> {
    let leaving = ctx.actor.user_id() == Some(user_id)
        && ctx
            .actor
            .may(Right::LeaveMembership, &resource.place(), &ctx.policy);
    if !leaving {
        may_give(ctx, resource, AccessLevel::Guest)?;
    }
    let (membership, user) = find_direct(conn, ctx, resource, user_id)?;
    keep_an_owner(conn, resource, &membership)?;
    Ok((membership, user))
}

/// The membership and its person, if the actor may touch it: never a bot's, never one above one's own.
fn find_direct(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user_id: i64,
) -> Result<(Membership, User), Error> {
    let membership = store::find(conn, resource, user_id)?
        .filter(|membership| membership.is_living(ctx.today()))
        .ok_or(Error::NotFound(What::Entry))?;
    let user = users::store::find(conn, user_id)?.ok_or(Error::NotFound(What::Entry))?;
    if !user.is_human() {
        return Err(Error::Forbidden(Some(
            "A bot's membership belongs to its token".into(),
        )));
    }
    if ctx.actor.level(&resource.place()) < Some(membership.access_level) {
        return Err(Error::Forbidden(Some(
            "The member's role is above your own".into(),
        )));
    }
    Ok((membership, user))
}

/// A top-level group keeps at least one active person who owns it without an end.
fn keep_an_owner(
    conn: &mut DbConnection,
    resource: &Resource,
    membership: &Membership,
) -> Result<(), Error> {
    let Resource::Group(group) = resource else {
        return Ok(());
    };
    if group.parent_id.is_none()
        && membership.access_level == AccessLevel::Owner
        && store::other_lasting_owners(conn, group.id, membership.user_id)? == 0
    {
        return Err(Error::Forbidden(Some(
            "A group must have at least one Owner who is a person".into(),
        )));
    }
    Ok(())
}
