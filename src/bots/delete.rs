//! The end of a bot whose token was revoked and of which nothing is kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::{groups, projects, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Group;
use crate::groups::relocation::below;
use crate::users::{Identity, UserKind, ghost};

/// From now on the bot counts as absent, because its token was revoked; its rows go a moment later.
///
/// # Errors
/// When the database is away.
pub fn mark_gone(
    conn: &mut DbConnection,
    ctx: &Context,
    bot: &Identity,
    resource: Option<&Resource>,
) -> Result<(), Error> {
    let marked = diesel::update(users::table.find(bot.id))
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(users::bot_gone_at.is_null())
        .set(users::bot_gone_at.eq(Timestamp::from(ctx.now)))
        .execute(conn)?;
    if marked == 1 {
        note(
            conn,
            ctx,
            bot,
            resource.map(Resource::group),
            "token revoked",
        )?;
    }
    Ok(())
}

/// Writes down that a bot goes, and why.
///
/// # Errors
/// When the database can't take the row.
pub fn note(
    conn: &mut DbConnection,
    ctx: &Context,
    bot: &Identity,
    group: Option<&Group>,
    reason: &'static str,
) -> Result<(), Error> {
    let mut event = Event::new("bot_deleted", Target::Bot(bot))
        .with(json!({ "name": bot.name, "reason": reason }));
    if let Some(group) = group {
        event = event.in_group(group);
    }
    audit::record(conn, ctx, event)
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
    ghost::replace(conn, &ids, now)
}

/// Does any bot wait to be deleted?
///
/// # Errors
/// When the database is away.
pub fn any_gone(conn: &mut DbConnection) -> Result<bool, Error> {
    let any = users::table.filter(users::bot_gone_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(any)).get_result(conn)?)
}

/// Deletes the bots of a project, at once. Returns how many.
///
/// # Errors
/// When the database is away.
pub fn delete_of_project(
    conn: &mut DbConnection,
    project_id: i64,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let ids: Vec<i64> = users::table
        .filter(users::bot_project_id.eq(project_id))
        .select(users::id)
        .load(conn)?;
    ghost::replace(conn, &ids, now)
}

/// The bots of all projects in a person's own namespace.
///
/// # Errors
/// When the database is away.
pub fn of_namespace(conn: &mut DbConnection, owner_id: i64) -> Result<Vec<i64>, Error> {
    let inside = projects::table
        .inner_join(groups::table)
        .filter(groups::owner_id.eq(owner_id))
        .select(projects::id.nullable());
    Ok(users::table
        .filter(users::bot_project_id.eq_any(inside))
        .select(users::id)
        .load(conn)?)
}

/// Deletes the bots of a group and of everything below it, at once. Returns how many.
///
/// # Errors
/// When the database is away.
pub fn delete_below(
    conn: &mut DbConnection,
    traversal: &str,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let groups_below = || {
        groups::table
            .filter(below!(traversal))
            .select(groups::id.nullable())
    };
    let projects_below = projects::table
        .filter(projects::group_id.nullable().eq_any(groups_below()))
        .select(projects::id.nullable());
    let ids: Vec<i64> = users::table
        .filter(
            users::bot_group_id
                .eq_any(groups_below())
                .or(users::bot_project_id.eq_any(projects_below)),
        )
        .select(users::id)
        .load(conn)?;
    ghost::replace(conn, &ids, now)
}
