//! Tokens that somebody who looks after them should look at: those that end soon, those that nobody uses.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;

use super::looked_after::{self, Reach};
use super::store::unused_since;
use super::unused::Span;
use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, groups, projects, users};
use crate::db::{DbConnection, Timestamp, after_subtree, coalesce_date, coalesce_id};
use crate::error::Error;

/// An end within so many days is near.
const NEAR: Days = Days::new(14);

/// A token that wasn't used for so long is idle.
const IDLE: Span = Span::Month;

/// After any end.
const NEVER: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// At most so many of each kind.
const SHOWN: i64 = 50;

/// A token with what tells where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// Its id.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// The full path of its group or project.
    pub full_path: String,
    /// Is it a group's?
    pub of_group: bool,
    /// The day at whose start it ends.
    pub expires_at: Option<NaiveDate>,
    /// The last time it was used.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Noticed {
    /// The page of its group's or project's tokens.
    pub fn page(&self) -> String {
        let groups = if self.of_group { "/groups" } else { "" };
        format!("{groups}/{}/-/settings/access_tokens", self.full_path)
    }
}

/// What was noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// Those that end within two weeks, the first one first.
    pub expiring: Vec<Noticed>,
    /// Those made a month ago or more that nobody used in the last month.
    pub unused: Vec<Noticed>,
}

type Row = (i64, String, String, Option<NaiveDate>, Option<Timestamp>);

/// The active ones of these tokens that are joined with what tells where they are, under this full path.
macro_rules! active {
    ($joined:expr, $today:expr, $full_path:expr) => {
        $joined
            .inner_join(users::table.on(users::id.eq(access_tokens::user_id)))
            .left_join(
                access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)),
            )
            .filter(users::bot_gone_at.is_null())
            // Put so that no index of states and dates fits: it would lead to the tokens of the whole instance.
            .filter(access_tokens::revoked.ne(true))
            .filter(coalesce_date(access_tokens::expires_at, NEVER).gt($today))
            .select((
                access_tokens::id,
                access_tokens::name,
                $full_path,
                access_tokens::expires_at,
                access_token_uses::last_used_at.nullable(),
            ))
    };
}

/// An id, as an expression by which no index finds its row: joined with it, tokens are found from their place, and never
/// the place from each token of the instance.
macro_rules! first {
    ($id:expr) => {
        coalesce_id($id.nullable(), $id.nullable())
    };
}

/// The group with this traversal and those below it: a range of an index.
macro_rules! below {
    ($top:expr) => {
        groups::table
            .filter(groups::traversal.ge($top.clone()))
            .filter(groups::traversal.lt(after_subtree($top)))
    };
}

/// The active tokens of this group and of those below it.
macro_rules! of_groups {
    ($top:expr, $today:expr) => {
        active!(
            below!($top).inner_join(
                access_tokens::table.on(access_tokens::group_id.eq(first!(groups::id)))
            ),
            $today,
            groups::full_path
        )
    };
}

/// The active tokens of the projects of this group and of those below it.
macro_rules! of_projects_below {
    ($top:expr, $today:expr) => {
        active!(
            below!($top)
                .inner_join(
                    projects::table.on(projects::group_id.nullable().eq(first!(groups::id)))
                )
                .inner_join(
                    access_tokens::table.on(access_tokens::project_id.eq(first!(projects::id)))
                ),
            $today,
            groups::full_path.concat("/").concat(projects::path)
        )
    };
}

/// The active tokens of these projects.
macro_rules! of_projects {
    ($ids:expr, $today:expr) => {
        active!(
            projects::table
                .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
                .inner_join(
                    access_tokens::table.on(access_tokens::project_id.eq(first!(projects::id)))
                )
                .filter(projects::id.eq_any($ids.to_vec())),
            $today,
            groups::full_path.concat("/").concat(projects::path)
        )
    };
}

/// What one kind of look finds wherever a person looks after tokens, until `$enough` are found.
macro_rules! gather {
    ($conn:expr, $reach:expr, $today:expr, $enough:expr, |$tokens:ident| $look:expr) => {{
        let reach: &Reach = $reach;
        let mut found: Vec<Noticed> = Vec::new();
        let enough = |found: &[Noticed]| i64::try_from(found.len()).is_ok_and(|n| n >= $enough);
        for top in &reach.owned {
            if !enough(&found) {
                let $tokens = of_groups!(top, $today);
                let rows: Vec<Row> = $look.load($conn)?;
                found.extend(rows.into_iter().map(|row| noticed(row, true)));
            }
        }
        for top in &reach.maintained {
            if !enough(&found) {
                let $tokens = of_projects_below!(top, $today);
                let rows: Vec<Row> = $look.load($conn)?;
                found.extend(rows.into_iter().map(|row| noticed(row, false)));
            }
        }
        if !reach.projects.is_empty() && !enough(&found) {
            let $tokens = of_projects!(reach.projects, $today);
            let rows: Vec<Row> = $look.load($conn)?;
            found.extend(rows.into_iter().map(|row| noticed(row, false)));
        }
        // A project can be reached from above and by itself.
        let mut seen = HashSet::new();
        found.retain(|token| seen.insert(token.id));
        found
    }};
}

/// Active tokens of the groups that the actor owns, and of the projects that they maintain, by
/// membership: administrators get no list of everything.
///
/// # Errors
/// When the database is away.
pub fn of_actor(conn: &mut DbConnection, ctx: &Context) -> Result<Attention, Error> {
    let Some(reach) = reach_of(conn, ctx, ctx.actor.user_id().unwrap_or(0))? else {
        return Ok(Attention::default());
    };
    let today = ctx.today();
    let near = today.checked_add_days(NEAR).unwrap_or(NaiveDate::MAX);
    let mut expiring = gather!(conn, &reach, today, i64::MAX, |tokens| tokens
        .filter(coalesce_date(access_tokens::expires_at, NEVER).le(near))
        .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
        .limit(SHOWN));
    expiring.sort_by_key(|token| (token.expires_at, token.id));
    expiring.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
    Ok(Attention {
        expiring,
        unused: unused_in(conn, ctx, &reach, SHOWN)?,
    })
}

/// Up to `limit` of the tokens that this person looks after and nobody uses, as [`of_actor`] has them for whoever
/// asks; those first that were never used or not for the longest time.
///
/// # Errors
/// When the database is away.
pub fn unused_of(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    limit: i64,
) -> Result<Vec<Noticed>, Error> {
    match reach_of(conn, ctx, user_id)? {
        Some(reach) => {
            let mut found = unused_in(conn, ctx, &reach, limit)?;
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(found)
        }
        None => Ok(Vec::new()),
    }
}

/// Who of these people looks after tokens that nobody uses: a few queries for each, which stop at the first one.
///
/// # Errors
/// When the database is away.
pub fn who_has_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    user_ids: &[i64],
) -> Result<Vec<i64>, Error> {
    if ctx.policy.settings.disable_personal_access_tokens || user_ids.is_empty() {
        return Ok(Vec::new());
    }
    let reaches = looked_after::by(conn, user_ids, ctx.today())?;
    let mut having = Vec::new();
    for (user_id, reach) in reaches {
        if !unused_in(conn, ctx, &reach, 1)?.is_empty() {
            having.push(user_id);
        }
    }
    Ok(having)
}

/// Nothing when tokens are off: then none can be looked after.
fn reach_of(conn: &mut DbConnection, ctx: &Context, user_id: i64) -> Result<Option<Reach>, Error> {
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(None);
    }
    Ok(looked_after::by(conn, &[user_id], ctx.today())?.remove(&user_id))
}

/// Some of the unused tokens, as many as are wanted or a few more. In no order in the database, so that the look ends
/// with the last one that is wanted.
fn unused_in(
    conn: &mut DbConnection,
    ctx: &Context,
    reach: &Reach,
    wanted: i64,
) -> Result<Vec<Noticed>, Error> {
    let since = Timestamp::from(IDLE.since(ctx.now));
    let mut found = gather!(conn, reach, ctx.today(), wanted, |tokens| tokens
        .filter(unused_since!(since))
        .limit(wanted));
    found.sort_by_key(|token| (token.last_used_at, token.id));
    Ok(found)
}

fn noticed((id, name, full_path, expires_at, last_used_at): Row, of_group: bool) -> Noticed {
    Noticed {
        id,
        name,
        full_path,
        of_group,
        expires_at,
        last_used_at: last_used_at.map(DateTime::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_page_of_its_group_or_project() {
        let token = |of_group| Noticed {
            id: 1,
            name: "ci".into(),
            full_path: "acme/api".into(),
            of_group,
            expires_at: None,
            last_used_at: None,
        };
        assert_eq!(
            token(true).page(),
            "/groups/acme/api/-/settings/access_tokens"
        );
        assert_eq!(token(false).page(), "/acme/api/-/settings/access_tokens");
    }
}
