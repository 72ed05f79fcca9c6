//! Memberships in the database.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::{AccessLevel, Membership};
use crate::access_tokens::Resource;
use crate::db::schema::{memberships, users};
use crate::db::violation::is_unique;
use crate::db::{DbConnection, Timestamp, columns};
use crate::error::Error;
use crate::users::{UserKind, UserState};

/// A membership to be.
#[derive(Debug)]
pub(crate) struct NewMembership {
    pub user_id: i64,
    pub group_id: Option<i64>,
    pub project_id: Option<i64>,
    pub access_level: AccessLevel,
    pub expires_at: Option<NaiveDate>,
    pub bot: bool,
    pub created_by_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a membership into the database.
pub(crate) fn insert(conn: &mut DbConnection, new: &NewMembership) -> Result<Membership, Error> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(new.user_id),
            memberships::group_id.eq(new.group_id),
            memberships::project_id.eq(new.project_id),
            memberships::access_level.eq(new.access_level.number()),
            memberships::expires_at.eq(new.expires_at),
            memberships::bot.eq(new.bot),
            memberships::created_by_id.eq(new.created_by_id),
            memberships::created_at.eq(Timestamp::from(new.now)),
        ))
        .returning(columns::<Membership, _>())
        .get_result(conn)
        .map_err(|error| {
            if is_unique(&error, "memberships", "user") {
                Error::Conflict("Member already exists".into())
            } else {
                error.into()
            }
        })
}

/// The direct membership of a user on a group or project, whatever its date.
pub(crate) fn find(
    conn: &mut DbConnection,
    resource: &Resource,
    user_id: i64,
) -> Result<Option<Membership>, Error> {
    let query = memberships::table
        .filter(memberships::user_id.eq(user_id))
        .select(Membership::as_select());
    Ok(match resource {
        Resource::Group(group) => query
            .filter(memberships::group_id.eq(group.id))
            .get_result(conn)
            .optional()?,
        Resource::Project(project) => query
            .filter(memberships::project_id.eq(project.id))
            .get_result(conn)
            .optional()?,
    })
}

/// Stores another role and end.
pub(crate) fn update(
    conn: &mut DbConnection,
    id: i64,
    access_level: AccessLevel,
    expires_at: Option<NaiveDate>,
) -> Result<(), Error> {
    diesel::update(memberships::table.find(id))
        .set((
            memberships::access_level.eq(access_level.number()),
            memberships::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores another end for the one membership of a bot.
pub(crate) fn set_bot_expiry(
    conn: &mut DbConnection,
    bot_id: i64,
    expires_at: Option<NaiveDate>,
) -> Result<(), Error> {
    diesel::update(
        memberships::table
            .filter(memberships::user_id.eq(bot_id))
            .filter(memberships::bot),
    )
    .set(memberships::expires_at.eq(expires_at))
    .execute(conn)?;
    Ok(())
}

/// Takes a membership out of the database.
pub(super) fn delete(conn: &mut DbConnection, id: i64) -> Result<(), Error> {
    diesel::delete(memberships::table.find(id)).execute(conn)?;
    Ok(())
}

/// Active people, this one left out, who own the group directly and without an end.
pub(super) fn other_lasting_owners(
    conn: &mut DbConnection,
    group_id: i64,
    user_id: i64,
) -> Result<i64, Error> {
    Ok(memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::group_id.eq(group_id))
        .filter(memberships::access_level.eq(AccessLevel::Owner.number()))
        .filter(memberships::expires_at.is_null())
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::id.ne(user_id))
        .count()
        .get_result(conn)?)
}

/// Active people who own the group directly and without an end; two are enough to know that neither is
/// the last.
pub(crate) fn lasting_owners(conn: &mut DbConnection, group_id: i64) -> Result<Vec<i64>, Error> {
    Ok(memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::group_id.eq(group_id))
        .filter(memberships::access_level.eq(AccessLevel::Owner.number()))
        .filter(memberships::expires_at.is_null())
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .select(users::id)
        .limit(2)
        .load(conn)?)
}
