//! The end of bots that were kept: once every token that a bot ever had has been inactive for the retention period.

use std::collections::{BTreeSet, HashMap};

use chrono::{Days, NaiveDate};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::context::Context;
use crate::db::schema::{access_tokens, groups, projects, users};
use crate::db::{DbConnection, Timestamp, coalesce_bool, coalesce_id, lock_roots};
use crate::error::Error;
use crate::groups::store::roots;
use crate::groups::{self as all_groups, Group};
use crate::projects as all_projects;
use crate::users::{Identity, User, UserKind, ghost};

/// What a look at the next bots found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that are to go, in the order of their ids.
    pub ids: Vec<i64>,
    /// Where to go on; nothing at the end.
    pub next: Option<i64>,
}

/// The kept bots whose tokens have all been inactive since then, or that have none. `$rule` is a [`Rule`].
macro_rules! forgotten {
    ($rule:expr) => {{
        let rule: &Rule = $rule;
        users::table
            .left_join(projects::table.on(projects::id.nullable().eq(users::bot_project_id)))
            .inner_join(groups::table.on(groups::id.nullable().eq(coalesce_id(
                users::bot_group_id,
                projects::group_id.nullable(),
            ))))
            .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
            .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
            .filter(users::bot_gone_at.is_null())
            .filter(coalesce_bool(roots.field(groups::retain_bots), rule.keeps))
            .filter(not(exists(
                access_tokens::table
                    .filter(access_tokens::user_id.eq(users::id))
                    .filter(
                        access_tokens::expires_at
                            .is_null()
                            .or(access_tokens::expires_at
                                .assume_not_null()
                                .ge(rule.ended_by)),
                    )
                    .filter(
                        access_tokens::revoked
                            .eq(false)
                            .or(access_tokens::updated_at.ge(rule.dead_since)),
                    ),
            )))
    }};
}

/// For how long a bot is kept, and where.
struct Rule {
    dead_since: Timestamp,
    ended_by: NaiveDate,
    keeps: bool,
}

impl Rule {
    /// Nothing without a retention period.
    fn of(ctx: &Context) -> Option<Self> {
        let settings = &ctx.policy.settings;
        let days = settings.inactive_resource_access_tokens_delete_after_days?;
        let days = Days::new(u64::from(days));
        Some(Rule {
            dead_since: Timestamp::from(ctx.now - days),
            ended_by: ctx.today().checked_sub_days(days).unwrap_or(NaiveDate::MIN),
            keeps: ctx.policy.retains_bots(None),
        })
    }
}

/// Is any bot kept for a while? Not without a retention period, and not where neither the instance nor a top-level group
/// keeps bots.
///
/// # Errors
/// When the database is away.
pub fn keeps_any(conn: &mut DbConnection, ctx: &Context) -> Result<bool, Error> {
    match Rule::of(ctx) {
        Some(rule) if !rule.keeps => {
            let keeping = groups::table.filter(groups::retain_bots.assume_not_null().eq(true));
            Ok(diesel::select(exists(keeping)).get_result(conn)?)
        }
        rule => Ok(rule.is_some()),
    }
}

/// Looks at the next `window` bots, by id after `after_id`: which of them are kept, and have no token that is active or
/// ended within the retention period. A family with one such token is kept whole. Reads only, and so many rows however
/// few it finds.
///
/// # Errors
/// When the database is away.
pub fn find_inactive(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    window: i64,
) -> Result<Found, Error> {
    let Some(rule) = Rule::of(ctx) else {
        return Ok(Found::default());
    };
    let bots: Vec<i64> = users::table
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(users::id.gt(after_id))
        .order(users::id.asc())
        .limit(window)
        .select(users::id)
        .load(conn)?;
    let is_full = i64::try_from(bots.len()).is_ok_and(|count| count >= window);
    let next = bots.last().copied().filter(|_| is_full);
    let ids = forgotten!(&rule)
        .filter(users::id.gt(after_id))
        .filter(users::id.le(next.unwrap_or(i64::MAX)))
        .order(users::id.asc())
        .select(users::id)
        .load(conn)?;
    Ok(Found { ids, next })
}

/// Deletes those of these bots of which [`find_inactive`] still tells. Returns how many went.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn delete_inactive(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
) -> Result<usize, Error> {
    let Some(rule) = Rule::of(ctx) else {
        return Ok(0);
    };
    let below: Vec<i64> = forgotten!(&rule)
        .filter(users::id.eq_any(ids.to_vec()))
        .select(groups::root_id)
        .load(conn)?;
    // A rotation at this moment makes a family active again; the two take turns.
    let below: BTreeSet<i64> = below.into_iter().collect();
    lock_roots(conn, &below.into_iter().collect::<Vec<_>>())?;
    let bots: Vec<User> = forgotten!(&rule)
        .filter(users::id.eq_any(ids.to_vec()))
        .order(users::id.asc())
        .select(User::as_select())
        .load(conn)?;
    let homes = groups_of(conn, &bots)?;
    for bot in &bots {
        super::delete::note(
            conn,
            ctx,
            &Identity::from(bot),
            homes.get(&bot.id),
            "inactive",
        )?;
    }
    let ids: Vec<i64> = bots.iter().map(|bot| bot.id).collect();
    ghost::replace(conn, &ids, ctx.now)
}

/// The groups that these bots were made for, or in which their projects lie, by the bots' ids; two queries, however many
/// they are.
fn groups_of(conn: &mut DbConnection, bots: &[User]) -> Result<HashMap<i64, Group>, Error> {
    let group_ids: BTreeSet<i64> = bots.iter().filter_map(|bot| bot.bot_group_id).collect();
    let project_ids: BTreeSet<i64> = bots.iter().filter_map(|bot| bot.bot_project_id).collect();
    let groups: HashMap<i64, Group> = all_groups::store::find_all(conn, group_ids)?
        .into_iter()
        .map(|group| (group.id, group))
        .collect();
    let projects: HashMap<i64, Group> = all_projects::store::find_all(conn, project_ids)?
        .into_iter()
        .map(|project| (project.id, project.namespace))
        .collect();
    Ok(bots
        .iter()
        .filter_map(|bot| {
            let home = match (bot.bot_group_id, bot.bot_project_id) {
                (Some(id), _) => groups.get(&id),
                (None, Some(id)) => projects.get(&id),
                (None, None) => None,
            };
            Some((bot.id, home?.clone()))
        })
        .collect())
}
