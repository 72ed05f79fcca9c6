//! Tokens that somebody who looks after them should look at: those that end soon, those that nobody uses.

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::store::unused_since;
use super::unused::Span;
use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::db::{DbConnection, Firsts, Nested, Timestamp, UnionAll, coalesce_date, coalesce_id};
use crate::error::Error;
use crate::groups::list::is_member_of;
use crate::groups::store::{member_groups, parents};
use crate::members::AccessLevel;

use aliases::held;

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::memberships;
    diesel::alias!(memberships as held: Held);
}

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
    /// Are there more of them?
    pub more_expiring: bool,
    /// Those made a month ago or more that nobody used in the last month, never or the longest ago first.
    pub unused: Vec<Noticed>,
    /// Are there more of them?
    pub more_unused: bool,
}

/// With whether it is a group's, and whether it was looked for because nobody uses it.
type Row = (
    i64,
    String,
    String,
    bool,
    Option<NaiveDate>,
    Option<Timestamp>,
    bool,
);

/// What tells about these tokens, which are joined with what tells where they are, under this full path; those of bots
/// that are there.
macro_rules! told {
    ($joined:expr, $full_path:expr, $of_group:expr, $unused:expr) => {
        $joined
            .inner_join(users::table.on(users::id.eq(access_tokens::user_id)))
            .left_join(
                access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)),
            )
            .filter(users::bot_gone_at.is_null())
            .select((
                access_tokens::id,
                access_tokens::name,
                $full_path,
                $of_group.into_sql::<Bool>(),
                access_tokens::expires_at,
                access_token_uses::last_used_at.nullable(),
                $unused.into_sql::<Bool>(),
            ))
    };
}

/// Those of them that are active on a day and unused since a moment, so many at the most: the three that are wanted. In no
/// order, so that the look ends with the last one.
macro_rules! unused {
    ($joined:expr, $wanted:expr, $full_path:expr, $of_group:expr) => {
        Nested(Firsts {
            query: told!($joined, $full_path, $of_group, true)
                // Put so that no index of states and dates fits: it would lead to the tokens of the whole instance.
                .filter(access_tokens::revoked.ne(true))
                .filter(coalesce_date(access_tokens::expires_at, NEVER).gt($wanted.0))
                .filter(unused_since!($wanted.1)),
            by: &[],
            at_most: $wanted.2,
        })
    };
}

/// Those of them that are active on the first of these days and end by the second one.
macro_rules! expiring {
    ($joined:expr, $days:expr, $full_path:expr, $of_group:expr) => {
        told!($joined, $full_path, $of_group, false)
            .filter(not(access_tokens::revoked))
            .filter(access_tokens::expires_at.is_not_null())
            .filter(access_tokens::expires_at.assume_not_null().gt($days.0))
            .filter(access_tokens::expires_at.assume_not_null().le($days.1))
    };
}

/// An id, as an expression by which no index finds its row: joined with it, tokens are found from their place, and never
/// the place from each token of the instance.
macro_rules! first {
    ($id:expr) => {
        coalesce_id($id.nullable(), $id.nullable())
    };
}

/// The living memberships of this person with at least this role.
macro_rules! held_by {
    ($person:expr, $at_least:expr) => {
        held.filter(held.field(memberships::user_id).eq($person.0))
            .filter(held.field(memberships::access_level).ge($at_least.number()))
            .filter(
                held.field(memberships::expires_at).is_null().or(held
                    .field(memberships::expires_at)
                    .assume_not_null()
                    .gt($person.1)),
            )
    };
}

/// The uppermost groups where this person has at least this role by membership.
macro_rules! tops {
    ($person:expr, $at_least:expr) => {
        held_by!($person, $at_least)
            .inner_join(
                parents.on(parents
                    .field(groups::id)
                    .nullable()
                    .eq(held.field(memberships::group_id))),
            )
            .filter(not(is_member_of!(
                $person,
                (parents.field(groups::id), parents.field(groups::traversal)),
                true,
                $at_least
            )))
    };
}

/// Is this group one of them, or below one? A range of an index.
macro_rules! is_below {
    () => {
        groups::traversal
            .ge(parents.field(groups::traversal))
            .and(groups::traversal.lt(parents.field(groups::traversal).concat(":")))
    };
}

/// The projects of this person's own namespace with their tokens.
macro_rules! own {
    ($person:expr) => {
        groups::table
            .filter(groups::owner_id.eq($person.0))
            .inner_join(projects::table.on(projects::group_id.nullable().eq(first!(groups::id))))
            .inner_join(access_tokens::table.on(access_tokens::project_id.eq(first!(projects::id))))
    };
}

/// The projects that this person maintains by a membership of their own, and not from above, with their tokens.
macro_rules! direct {
    ($person:expr) => {
        held_by!($person, AccessLevel::Maintainer)
            .inner_join(
                projects::table.on(projects::id
                    .nullable()
                    .eq(held.field(memberships::project_id))),
            )
            .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
            .inner_join(access_tokens::table.on(access_tokens::project_id.eq(first!(projects::id))))
            .filter(
                groups::owner_id
                    .is_null()
                    .or(groups::owner_id.assume_not_null().ne($person.0)),
            )
            .filter(not(is_member_of!(
                $person,
                (groups::id, groups::traversal),
                false,
                AccessLevel::Maintainer
            )))
    };
}

/// The full path of a project, in a query of projects and groups.
macro_rules! project_path {
    () => {
        groups::full_path.concat("/").concat(projects::path)
    };
}

/// What nobody uses of what this person (a user's id, and the day) looks after, so many at the most from each of four parts
/// that have nothing in common: tokens of groups, of projects below them, of one's own projects, and of single ones.
macro_rules! all_unused {
    ($person:expr, $since:expr, $limit:expr) => {{
        let (person, since, limit): ((i64, NaiveDate), Timestamp, i64) = ($person, $since, $limit);
        let wanted = (person.1, since, limit);
        UnionAll(
            unused!(
                tops!(person, AccessLevel::Owner)
                    .inner_join(groups::table.on(is_below!()))
                    .inner_join(
                        access_tokens::table.on(access_tokens::group_id.eq(first!(groups::id)))
                    ),
                wanted,
                groups::full_path,
                true
            ),
            UnionAll(
                unused!(
                    tops!(person, AccessLevel::Maintainer)
                        .inner_join(groups::table.on(is_below!()))
                        .inner_join(
                            projects::table
                                .on(projects::group_id.nullable().eq(first!(groups::id)))
                        )
                        .inner_join(
                            access_tokens::table
                                .on(access_tokens::project_id.eq(first!(projects::id)))
                        ),
                    wanted,
                    project_path!(),
                    false
                ),
                UnionAll(
                    unused!(own!(person), wanted, project_path!(), false),
                    unused!(direct!(person), wanted, project_path!(), false),
                ),
            ),
        )
    }};
}

/// What ends soon of the same, the first one first. Below a group it is found by the ends of all that has the same root,
/// of which only few are near.
macro_rules! all_expiring {
    ($person:expr, $near:expr, $limit:expr) => {{
        let (person, near): ((i64, NaiveDate), NaiveDate) = ($person, $near);
        let days = (person.1, near);
        Nested(Firsts {
            query: UnionAll(
                expiring!(
                    tops!(person, AccessLevel::Owner)
                        .inner_join(access_tokens::table.on(
                            access_tokens::root_id.eq(parents.field(groups::root_id).nullable())
                        ))
                        .inner_join(
                            groups::table.on(groups::id
                                .nullable()
                                .eq(access_tokens::group_id)
                                .and(is_below!()))
                        ),
                    days,
                    groups::full_path,
                    true
                ),
                UnionAll(
                    expiring!(
                        tops!(person, AccessLevel::Maintainer)
                            .inner_join(
                                access_tokens::table.on(access_tokens::root_id
                                    .eq(parents.field(groups::root_id).nullable()))
                            )
                            .inner_join(
                                projects::table
                                    .on(projects::id.nullable().eq(access_tokens::project_id))
                            )
                            .inner_join(
                                groups::table.on(groups::id
                                    .nullable()
                                    .eq(first!(projects::group_id))
                                    .and(is_below!()))
                            ),
                        days,
                        project_path!(),
                        false
                    ),
                    UnionAll(
                        expiring!(own!(person), days, project_path!(), false),
                        expiring!(direct!(person), days, project_path!(), false),
                    ),
                ),
            ),
            // By the end, and by the id.
            by: &[5, 1],
            at_most: $limit,
        })
    }};
}

/// Active tokens of the groups that the actor owns, and of the projects that they maintain, by
/// membership: administrators get no list of everything. One query, however many groups there are.
///
/// # Errors
/// When the database is away.
pub fn of_actor(conn: &mut DbConnection, ctx: &Context) -> Result<Attention, Error> {
    let Some(user_id) = ctx.actor.user_id() else {
        return Ok(Attention::default());
    };
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(Attention::default());
    }
    let today = ctx.today();
    let near = today.checked_add_days(NEAR).unwrap_or(NaiveDate::MAX);
    let since = Timestamp::from(IDLE.since(ctx.now));
    let rows: Vec<Row> = UnionAll(
        all_expiring!((user_id, today), near, SHOWN + 1),
        all_unused!((user_id, today), since, SHOWN + 1),
    )
    .load(conn)?;
    let (unused, expiring): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.6);
    let mut expiring: Vec<Noticed> = expiring.into_iter().map(noticed).collect();
    expiring.sort_by_key(|token| (token.expires_at, token.id));
    let mut unused = longest_ago_first(unused);
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let (more_expiring, more_unused) = (expiring.len() > shown, unused.len() > shown);
    expiring.truncate(shown);
    unused.truncate(shown);
    Ok(Attention {
        expiring,
        more_expiring,
        unused,
        more_unused,
    })
}

/// Up to `limit` of the tokens that this person looks after and nobody uses, as [`of_actor`] has them for whoever
/// asks; of those that were found, first the ones that were never used or not for the longest time.
///
/// # Errors
/// When the database is away.
pub fn unused_of(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    limit: i64,
) -> Result<Vec<Noticed>, Error> {
    // When tokens are off, none can be looked after.
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(Vec::new());
    }
    let since = Timestamp::from(IDLE.since(ctx.now));
    let rows: Vec<Row> = all_unused!((user_id, ctx.today()), since, limit).load(conn)?;
    let mut found = longest_ago_first(rows);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

fn longest_ago_first(rows: Vec<Row>) -> Vec<Noticed> {
    let mut found: Vec<Noticed> = rows.into_iter().map(noticed).collect();
    found.sort_by_key(|token| (token.last_used_at, token.id));
    found
}

/// Who of these people looks after tokens that nobody uses: a query for each, which stops at the first one.
///
/// # Errors
/// When the database is away.
pub fn who_has_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    user_ids: &[i64],
) -> Result<Vec<i64>, Error> {
    let mut having = Vec::new();
    for &user_id in user_ids {
        if !unused_of(conn, ctx, user_id, 1)?.is_empty() {
            having.push(user_id);
        }
    }
    Ok(having)
}

fn noticed((id, name, full_path, of_group, expires_at, last_used_at, _): Row) -> Noticed {
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
