//! The end of a bot whose token was revoked and of which nothing is kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::context::Context;
use crate::db::schema::{memberships, projects, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::users::store::{NewUser, insert};
use crate::users::{User, UserKind};

/// From now on the bot counts as absent; its rows go a moment later.
///
/// # Errors
/// When the database is away.
pub fn mark_gone(conn: &mut DbConnection, ctx: &Context, bot_id: i64) -> Result<(), Error> {
    diesel::update(users::table.find(bot_id))
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(users::bot_gone_at.is_null())
        .set(users::bot_gone_at.eq(Timestamp::from(ctx.now)))
        .execute(conn)?;
    Ok(())
}

/// Deletes up to `limit` bots that are marked as gone, with their tokens and memberships; what they made
/// belongs to the ghost afterwards. Returns how many. Safe to repeat, and to run on several nodes.
///
/// # Errors
/// When the database is away.
pub fn delete_gone(
    conn: &mut DbConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<usize, Error> {
    let ids: Vec<i64> = users::table
        .filter(users::bot_gone_at.is_not_null())
        .order(users::id.asc())
        .limit(limit)
        .select(users::id)
        .load(conn)?;
    if ids.is_empty() {
        return Ok(0);
    }
    hand_to_ghost(conn, &ids, now)?;
    Ok(diesel::delete(users::table.filter(users::id.eq_any(&ids))).execute(conn)?)
}

/// Deletes the bots of a project, at once.
///
/// # Errors
/// When the database is away.
pub fn delete_of_project(
    conn: &mut DbConnection,
    project_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let ids: Vec<i64> = users::table
        .filter(users::bot_project_id.eq(project_id))
        .select(users::id)
        .load(conn)?;
    if ids.is_empty() {
        return Ok(());
    }
    hand_to_ghost(conn, &ids, now)?;
    diesel::delete(users::table.filter(users::id.eq_any(&ids))).execute(conn)?;
    Ok(())
}

fn hand_to_ghost(conn: &mut DbConnection, ids: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    let ghost = ghost(conn, now)?.id;
    diesel::update(projects::table.filter(projects::creator_id.eq_any(ids)))
        .set(projects::creator_id.eq(ghost))
        .execute(conn)?;
    diesel::update(memberships::table.filter(memberships::created_by_id.eq_any(ids)))
        .set(memberships::created_by_id.eq(ghost))
        .execute(conn)?;
    diesel::update(users::table.filter(users::created_by_id.eq_any(ids)))
        .set(users::created_by_id.eq(ghost))
        .execute(conn)?;
    Ok(())
}

/// The one user to whom the records of deleted users belong; made when it is first needed.
fn ghost(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<User, Error> {
    let found = users::table
        .filter(users::kind.eq(UserKind::Ghost.as_str()))
        .select(User::as_select())
        .load(conn)?;
    if let Some(ghost) = found.into_iter().next() {
        return Ok(ghost);
    }
    insert(
        conn,
        &NewUser {
            username: "ghost",
            name: "Ghost User",
            email: "ghost@noreply.invalid",
            kind: UserKind::Ghost,
            admin: false,
            external: false,
            password_hash: None,
            bot_group_id: None,
            bot_project_id: None,
            created_by_id: None,
            now,
        },
    )
}
