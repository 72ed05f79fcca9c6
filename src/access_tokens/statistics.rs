//! How many tokens of a group, project or person there are in each state, for the top of their page.

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;

use super::Resource;
use crate::context::Context;
use crate::db::schema::{access_tokens, groups, memberships, projects, users};
use crate::db::{
    COUNTED_AT_MOST, Counted, DbConnection, OfOuter, Timestamp, Top, Total, Unseen, straight,
};
use crate::error::Error;
use crate::groups::store::visible_group_with;
use crate::projects::store::visible_project_with;

/// An end within so many days is near.
const NEAR: Days = Days::new(14);

/// Rows that are counted at the most.
const MOST: u32 = 10_001;
const _: () = assert!(MOST as i64 == COUNTED_AT_MOST + 1);

/// Tokens by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Neither revoked nor expired.
    pub active: Total,
    /// Of these, those that end within two weeks.
    pub expiring: Total,
    /// Those whose date came.
    pub expired: Total,
    /// Those that were revoked, or rotated away.
    pub revoked: Total,
}

/// The day before which the dates of expiring tokens lie.
pub fn near(today: NaiveDate) -> NaiveDate {
    today
        .checked_add_days(NEAR)
        .and_then(|day| day.succ_opt())
        .unwrap_or(NaiveDate::MAX)
}

/// Four bounded counts of the tokens that this condition chooses.
macro_rules! counts {
    ($of:expr, $now:expr) => {{
        let now: DateTime<Utc> = $now;
        let today = Unseen(now.date_naive());
        let soon = Unseen(near(now.date_naive()));
        // When a bot goes, its tokens are revoked: there is no need to look at the bots of those that aren't.
        let living = || {
            access_tokens::table
                .filter($of)
                .filter(diesel::dsl::not(access_tokens::revoked))
        };
        let tokens = || {
            access_tokens::table
                .inner_join(users::table)
                .filter(users::bot_gone_at.is_null())
                .filter($of)
        };
        // Of bots, those that are members: whatever is over goes from the page with its membership.
        let over = || {
            tokens()
                .left_join(
                    memberships::table.on(memberships::user_id
                        .eq(access_tokens::user_id)
                        .and(memberships::bot)),
                )
                .filter(
                    users::kind
                        .eq("human")
                        .or(memberships::id.is_not_null().and(
                            memberships::expires_at
                                .is_null()
                                .or(memberships::expires_at.assume_not_null().gt(today)),
                        )),
                )
        };
        let grace = || {
            access_tokens::grace_until.is_not_null().and(
                access_tokens::grace_until
                    .assume_not_null()
                    .gt(Unseen(Timestamp::from(now))),
            )
        };
        let dated = || access_tokens::expires_at.is_not_null();
        let date = || access_tokens::expires_at.assume_not_null();
        (
            Counted(Top::<MOST, _>(
                living()
                    .filter(access_tokens::expires_at.is_null().or(date().gt(today)))
                    .select(access_tokens::id),
            )),
            Counted(Top::<MOST, _>(
                living()
                    .filter(dated().and(date().gt(today)).and(date().lt(soon)))
                    .select(access_tokens::id),
            )),
            Counted(Top::<MOST, _>(
                over()
                    .filter(diesel::dsl::not(access_tokens::revoked))
                    .filter(dated().and(date().le(today)))
                    .select(access_tokens::id),
            )),
            Counted(Top::<MOST, _>(
                over()
                    .filter(access_tokens::revoked)
                    .filter(diesel::dsl::not(grace()))
                    .select(access_tokens::id),
            )),
        )
    }};
}

type Numbers = (i64, i64, i64, i64);

impl From<Numbers> for Statistics {
    fn from((active, expiring, expired, revoked): Numbers) -> Self {
        let total = Total::from_bounded_count;
        Statistics {
            active: total(active),
            expiring: total(expiring),
            expired: total(expired),
            revoked: total(revoked),
        }
    }
}

/// A visible group with the numbers of its tokens, in one query.
///
/// # Errors
/// [`Error::NotFound`], the same for a hidden group and for one that doesn't exist.
pub fn of_group(
    conn: &mut DbConnection,
    ctx: &Context,
    path: &str,
) -> Result<(Resource, Statistics), Error> {
    let here = || access_tokens::group_id.eq(OfOuter(groups::id).nullable());
    let (group, numbers) =
        visible_group_with!(conn, ctx, path, counts!(here(), ctx.now) => Numbers)?;
    Ok((Resource::Group(group), numbers.into()))
}

/// A visible project with the numbers of its tokens, in one query.
///
/// # Errors
/// [`Error::NotFound`], the same for a hidden project and for one that doesn't exist.
pub fn of_project(
    conn: &mut DbConnection,
    ctx: &Context,
    path: &str,
) -> Result<(Resource, Statistics), Error> {
    let here = || access_tokens::project_id.eq(OfOuter(projects::id).nullable());
    let (project, numbers) =
        visible_project_with!(conn, ctx, path, counts!(here(), ctx.now) => Numbers)?;
    Ok((Resource::Project(project), numbers.into()))
}

/// The numbers of a person's own tokens.
///
/// # Errors
/// When the database is away.
pub fn of_person(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
) -> Result<Statistics, Error> {
    let own = || {
        access_tokens::user_id
            .eq(user_id)
            .and(access_tokens::group_id.is_null())
            .and(access_tokens::project_id.is_null())
    };
    let numbers: Numbers =
        straight!(conn => diesel::select(counts!(own(), ctx.now)).get_result(conn)?);
    Ok(numbers.into())
}
