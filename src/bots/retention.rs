//! The end of bots that were kept: once every token that a bot ever had has been inactive for the retention period.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use serde_json::json;

use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::{access_tokens, groups, projects, users};
use crate::db::{DbConnection, Timestamp, coalesce_bool, lock_roots};
use crate::error::Error;
use crate::groups::store::roots;
use crate::users::{User, UserKind, ghost};

/// Bots that one transaction looks at.
pub const BATCH: i64 = 200;

/// Deletes the next kept bots whose tokens have all been inactive for longer than the retention period, or that have
/// none. A family with one active token, or one that ended a short while ago, is kept whole. Without a retention
/// period, and where bots are not kept anyway, nothing happens. Returns how many went.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn delete_inactive(conn: &mut DbConnection, ctx: &Context) -> Result<usize, Error> {
    let Some(days) = ctx
        .policy
        .settings
        .inactive_resource_access_tokens_delete_after_days
    else {
        return Ok(0);
    };
    let days = Days::new(u64::from(days));
    let dead_since = Timestamp::from(ctx.now - days);
    let ended_by = ctx.today().checked_sub_days(days).unwrap_or(NaiveDate::MIN);
    let keeps = ctx.policy.retains_bots(None);
    macro_rules! forgotten {
        () => {
            users::table
                .left_join(projects::table.on(projects::id.nullable().eq(users::bot_project_id)))
                .inner_join(
                    groups::table.on(groups::id
                        .nullable()
                        .eq(users::bot_group_id)
                        .or(groups::id.nullable().eq(projects::group_id.nullable()))),
                )
                .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
                .filter(users::bot_gone_at.is_null())
                .filter(coalesce_bool(roots.field(groups::retain_bots), keeps))
                .filter(not(exists(
                    access_tokens::table
                        .filter(access_tokens::user_id.eq(users::id))
                        .filter(
                            access_tokens::expires_at
                                .is_null()
                                .or(access_tokens::expires_at.assume_not_null().ge(ended_by)),
                        )
                        .filter(
                            access_tokens::revoked
                                .eq(false)
                                .or(access_tokens::updated_at.ge(dead_since)),
                        ),
                )))
        };
    }
    let seen: Vec<(i64, i64)> = forgotten!()
        .order(users::id.asc())
        .limit(BATCH)
        .select((users::id, groups::root_id))
        .load(conn)?;
    if seen.is_empty() {
        return Ok(0);
    }
    // A rotation at this moment makes a family active again; the two take turns.
    let below: BTreeSet<i64> = seen.iter().map(|(_, root)| *root).collect();
    lock_roots(conn, &below.into_iter().collect::<Vec<_>>())?;
    let ids: Vec<i64> = seen.iter().map(|(id, _)| *id).collect();
    let bots: Vec<User> = forgotten!()
        .filter(users::id.eq_any(ids))
        .order(users::id.asc())
        .select(User::as_select())
        .load(conn)?;
    for bot in &bots {
        let event = Event::new("bot_deleted", Target::User(bot))
            .with(json!({ "name": bot.name, "reason": "inactive" }));
        audit::record(conn, ctx, event)?;
    }
    let ids: Vec<i64> = bots.iter().map(|bot| bot.id).collect();
    ghost::replace(conn, &ids, ctx.now)
}
