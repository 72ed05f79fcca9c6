//! Webhooks in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::secret::Salt;
use super::{State, Webhook};
use crate::context::Context;
use crate::db::schema::{users, webhooks};
use crate::db::violation::is_unique;
use crate::db::{DbConnection, Timestamp, columns};
use crate::error::{Error, What};
use crate::groups::Group;
use crate::groups::store::{GroupRef, find_visible};
use crate::permissions::Right;

/// The group with this full path, if the actor may look after its webhooks.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub fn find_group(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Group, Error> {
    let group = find_visible(conn, ctx, &GroupRef::Path(path.to_owned()))?;
    if ctx
        .actor
        .may(Right::ManageWebhooks, &group.place(), &ctx.policy)
    {
        Ok(group)
    } else {
        Err(Error::NotFound(What::Group))
    }
}

/// The webhooks of this very group, in the order in which they were made.
///
/// # Errors
/// When the database is away.
pub fn of_group(conn: &mut DbConnection, group: &Group) -> Result<Vec<Webhook>, Error> {
    Ok(webhooks::table
        .filter(webhooks::group_id.eq(group.id))
        .order(webhooks::id.asc())
        .select(Webhook::as_select())
        .load(conn)?)
}

/// A webhook of this very group.
///
/// # Errors
/// [`Error::NotFound`] for any other.
pub fn find_of(conn: &mut DbConnection, group: &Group, id: i64) -> Result<Webhook, Error> {
    webhooks::table
        .filter(webhooks::id.eq(id))
        .filter(webhooks::group_id.eq(group.id))
        .select(Webhook::as_select())
        .get_result(conn)
        .optional()?
        .ok_or(Error::NotFound(What::Thing))
}

/// A webhook by id, whosever it is.
pub(super) fn find(conn: &mut DbConnection, id: i64) -> Result<Option<Webhook>, Error> {
    Ok(webhooks::table
        .find(id)
        .select(Webhook::as_select())
        .get_result(conn)
        .optional()?)
}

/// Those of any of these groups that are called.
pub(super) fn enabled_of(
    conn: &mut DbConnection,
    group_ids: &[i64],
) -> Result<Vec<Webhook>, Error> {
    Ok(webhooks::table
        .filter(webhooks::group_id.eq_any(group_ids))
        .filter(webhooks::state.eq("enabled"))
        .order(webhooks::id.asc())
        .select(Webhook::as_select())
        .load(conn)?)
}

/// A webhook of this very group, with the name of the person who made it.
///
/// # Errors
/// As [`find_of`].
pub fn find_with_creator(
    conn: &mut DbConnection,
    group: &Group,
    id: i64,
) -> Result<(Webhook, Option<String>), Error> {
    webhooks::table
        .left_join(users::table.on(users::id.nullable().eq(webhooks::created_by_id)))
        .filter(webhooks::id.eq(id))
        .filter(webhooks::group_id.eq(group.id))
        .select((Webhook::as_select(), users::name.nullable()))
        .get_result(conn)
        .optional()?
        .ok_or(Error::NotFound(What::Thing))
}

pub(super) fn count(conn: &mut DbConnection, group: &Group) -> Result<i64, Error> {
    Ok(webhooks::table
        .filter(webhooks::group_id.eq(group.id))
        .count()
        .get_result(conn)?)
}

pub(super) fn insert(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    name: &str,
    url: &str,
    salt: &Salt,
) -> Result<Webhook, Error> {
    let now = Timestamp::from(ctx.now);
    diesel::insert_into(webhooks::table)
        .values((
            webhooks::group_id.eq(group.id),
            webhooks::name.eq(name),
            webhooks::url.eq(url),
            webhooks::salt.eq(salt.as_bytes()),
            webhooks::state.eq("enabled"),
            webhooks::created_by_id.eq(ctx.actor.user_id()),
            webhooks::created_at.eq(now),
            webhooks::updated_at.eq(now),
        ))
        .returning(columns::<Webhook, _>())
        .get_result(conn)
        .map_err(taken_or_failed)
}

pub(super) fn update(
    conn: &mut DbConnection,
    id: i64,
    name: &str,
    url: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(webhooks::table.find(id))
        .set((
            webhooks::name.eq(name),
            webhooks::url.eq(url),
            webhooks::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)
        .map_err(taken_or_failed)?;
    Ok(())
}

fn taken_or_failed(error: diesel::result::Error) -> Error {
    if is_unique(&error, "webhooks", "name") {
        Error::invalid("name", "has already been taken")
    } else {
        error.into()
    }
}

pub(super) fn set_salt(
    conn: &mut DbConnection,
    id: i64,
    salt: &Salt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(webhooks::table.find(id))
        .set((
            webhooks::salt.eq(salt.as_bytes()),
            webhooks::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Enables it, or disables it for this reason. Either way its failures are counted anew.
pub(super) fn set_state(
    conn: &mut DbConnection,
    id: i64,
    state: State,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let now = Timestamp::from(now);
    let disabled = state == State::Disabled;
    diesel::update(webhooks::table.find(id))
        .set((
            webhooks::state.eq(if disabled { "disabled" } else { "enabled" }),
            webhooks::failures.eq(0),
            webhooks::disabled_at.eq(disabled.then_some(now)),
            webhooks::disabled_reason.eq(reason),
            webhooks::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn set_failures(conn: &mut DbConnection, id: i64, failures: i64) -> Result<(), Error> {
    diesel::update(webhooks::table.find(id))
        .set(webhooks::failures.eq(failures))
        .execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut DbConnection, id: i64) -> Result<(), Error> {
    diesel::delete(webhooks::table.find(id)).execute(conn)?;
    Ok(())
}
