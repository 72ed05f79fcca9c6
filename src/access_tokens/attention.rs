//! Tokens that somebody who looks after them should look at: those that end soon, those that nobody uses.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::store::member_groups;
use crate::members::AccessLevel;

/// An end within so many days is near.
const NEAR: Days = Days::new(14);

/// A token that wasn't used for so long is idle.
const IDLE: TimeDelta = TimeDelta::days(30);

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

/// What was noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// Those that end within two weeks, the first one first.
    pub expiring: Vec<Noticed>,
    /// Those made a month ago or more that nobody used in the last month.
    pub unused: Vec<Noticed>,
}

type Row = (i64, String, String, Option<NaiveDate>, Option<Timestamp>);

/// Active tokens of the groups that the actor owns, and of the projects that they maintain, by
/// membership: administrators get no list of everything.
///
/// # Errors
/// When the database is away.
pub fn of_actor(conn: &mut DbConnection, ctx: &Context) -> Result<Attention, Error> {
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(Attention::default());
    }
    let (today, user_id) = (ctx.today(), ctx.actor.user_id().unwrap_or(0));
    let near = today.checked_add_days(NEAR).unwrap_or(NaiveDate::MAX);
    let long_ago = Timestamp::from(ctx.now - IDLE);
    macro_rules! is_member {
        ($at_least:expr) => {
            exists(
                memberships::table
                    .inner_join(
                        member_groups.on(member_groups
                            .field(groups::id)
                            .nullable()
                            .eq(memberships::group_id)),
                    )
                    .filter(memberships::user_id.eq(user_id))
                    .filter(memberships::access_level.ge($at_least.number()))
                    .filter(
                        memberships::expires_at
                            .is_null()
                            .or(memberships::expires_at.gt(today)),
                    )
                    .filter(
                        groups::traversal.like(member_groups.field(groups::traversal).concat("%")),
                    ),
            )
        };
    }
    macro_rules! active {
        ($joined:expr) => {
            $joined
                .filter(users::bot_gone_at.is_null())
                .filter(access_tokens::revoked.eq(false))
                .filter(
                    access_tokens::expires_at
                        .is_null()
                        .or(access_tokens::expires_at.assume_not_null().gt(today)),
                )
        };
    }
    macro_rules! of_groups {
        () => {
            active!(
                access_tokens::table
                    .inner_join(users::table)
                    .inner_join(
                        groups::table.on(groups::id.nullable().eq(access_tokens::group_id)),
                    )
                    .left_join(
                        access_token_uses::table
                            .on(access_token_uses::token_id.eq(access_tokens::id)),
                    )
            )
            // Lets the planner see only the tokens of groups.
            .filter(access_tokens::group_id.is_not_null())
            .filter(is_member!(AccessLevel::Owner))
            .select((
                access_tokens::id,
                access_tokens::name,
                groups::full_path,
                access_tokens::expires_at,
                access_token_uses::last_used_at.nullable(),
            ))
        };
    }
    macro_rules! of_projects {
        () => {
            active!(
                access_tokens::table
                    .inner_join(users::table)
                    .inner_join(
                        projects::table.on(projects::id.nullable().eq(access_tokens::project_id)),
                    )
                    .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
                    .left_join(
                        access_token_uses::table
                            .on(access_token_uses::token_id.eq(access_tokens::id)),
                    )
            )
            .filter(access_tokens::project_id.is_not_null())
            .filter(
                groups::owner_id
                    .is_not_null()
                    .and(groups::owner_id.assume_not_null().eq(user_id))
                    .or(is_member!(AccessLevel::Maintainer))
                    .or(projects::id.nullable().eq_any(
                        memberships::table
                            .filter(memberships::user_id.eq(user_id))
                            .filter(memberships::access_level.ge(AccessLevel::Maintainer.number()))
                            .filter(
                                memberships::expires_at
                                    .is_null()
                                    .or(memberships::expires_at.gt(today)),
                            )
                            .select(memberships::project_id),
                    )),
            )
            .select((
                access_tokens::id,
                access_tokens::name,
                groups::full_path.concat("/").concat(projects::path),
                access_tokens::expires_at,
                access_token_uses::last_used_at.nullable(),
            ))
        };
    }
    macro_rules! expiring {
        ($tokens:expr) => {
            $tokens
                .filter(access_tokens::expires_at.is_not_null())
                .filter(access_tokens::expires_at.assume_not_null().le(near))
                .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
                .limit(SHOWN)
                .load::<Row>(conn)?
        };
    }
    macro_rules! unused {
        ($tokens:expr) => {
            $tokens
                .filter(access_tokens::created_at.le(long_ago))
                .filter(
                    access_token_uses::last_used_at.nullable().is_null().or(
                        access_token_uses::last_used_at
                            .nullable()
                            .assume_not_null()
                            .le(long_ago),
                    ),
                )
                .order(access_tokens::id.asc())
                .limit(SHOWN)
                .load::<Row>(conn)?
        };
    }
    // Most people own no group: then there is nothing to look through.
    let owns = ctx.actor.memberships.iter().any(|membership| {
        membership.group_id.is_some() && membership.access_level >= AccessLevel::Owner
    });
    let mut found = Attention::default();
    if owns {
        found.add(expiring!(of_groups!()), unused!(of_groups!()), true);
    }
    found.add(expiring!(of_projects!()), unused!(of_projects!()), false);
    found
        .expiring
        .sort_by_key(|token| (token.expires_at, token.id));
    found
        .unused
        .sort_by_key(|token| (token.last_used_at, token.id));
    Ok(found)
}

impl Attention {
    fn add(&mut self, expiring: Vec<Row>, unused: Vec<Row>, of_group: bool) {
        self.expiring
            .extend(expiring.into_iter().map(|row| noticed(row, of_group)));
        self.unused
            .extend(unused.into_iter().map(|row| noticed(row, of_group)));
    }
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
