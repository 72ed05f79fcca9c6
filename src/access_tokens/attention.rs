//! Tokens that somebody who looks after them should look at: those that end soon, those that nobody uses.

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::store::unused_since;
use super::unused::Span;
use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::store::member_groups;
use crate::members::AccessLevel;
use crate::users::store::people;

/// An end within so many days is near.
const NEAR: Days = Days::new(14);

/// A token that wasn't used for so long is idle.
const IDLE: Span = Span::Month;

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

/// Has this person this role, directly or from above, on the group of the query?
macro_rules! is_member {
    ($person:expr, $today:expr, $at_least:expr) => {
        exists(
            memberships::table
                .inner_join(
                    member_groups.on(member_groups
                        .field(groups::id)
                        .nullable()
                        .eq(memberships::group_id)),
                )
                .filter(memberships::user_id.eq($person))
                .filter(memberships::access_level.ge($at_least.number()))
                .filter(
                    memberships::expires_at
                        .is_null()
                        .or(memberships::expires_at.gt($today)),
                )
                .filter(groups::traversal.like(member_groups.field(groups::traversal).concat("%"))),
        )
    };
}

/// The active tokens of a join.
macro_rules! active {
    ($joined:expr, $today:expr) => {
        $joined
            .filter(users::bot_gone_at.is_null())
            .filter(access_tokens::revoked.eq(false))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.assume_not_null().gt($today)),
            )
    };
}

/// The active tokens of the groups that this person owns.
macro_rules! of_groups {
    ($person:expr, $today:expr) => {
        active!(
            access_tokens::table
                .inner_join(users::table)
                .inner_join(groups::table.on(groups::id.nullable().eq(access_tokens::group_id)),)
                .left_join(
                    access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)),
                ),
            $today
        )
        // Lets the planner see only the tokens of groups.
        .filter(access_tokens::group_id.is_not_null())
        .filter(is_member!($person, $today, AccessLevel::Owner))
        .select((
            access_tokens::id,
            access_tokens::name,
            groups::full_path,
            access_tokens::expires_at,
            access_token_uses::last_used_at.nullable(),
        ))
    };
}

/// The active tokens of the projects that this person maintains.
macro_rules! of_projects {
    ($person:expr, $today:expr) => {
        active!(
            access_tokens::table
                .inner_join(users::table)
                .inner_join(
                    projects::table.on(projects::id.nullable().eq(access_tokens::project_id)),
                )
                .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
                .left_join(
                    access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)),
                ),
            $today
        )
        .filter(access_tokens::project_id.is_not_null())
        .filter(
            groups::owner_id
                .is_not_null()
                .and(groups::owner_id.assume_not_null().eq($person))
                .or(is_member!($person, $today, AccessLevel::Maintainer))
                .or(projects::id.nullable().eq_any(
                    memberships::table
                        .filter(memberships::user_id.eq($person))
                        .filter(memberships::access_level.ge(AccessLevel::Maintainer.number()))
                        .filter(
                            memberships::expires_at
                                .is_null()
                                .or(memberships::expires_at.gt($today)),
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
    // Most people own no group: then there is nothing to look through.
    let owns = ctx.actor.memberships.iter().any(|membership| {
        membership.group_id.is_some() && membership.access_level >= AccessLevel::Owner
    });
    let mut expiring = Vec::new();
    if owns {
        let rows = expiring!(of_groups!(user_id, today));
        expiring.extend(rows.into_iter().map(|row| noticed(row, true)));
    }
    let rows = expiring!(of_projects!(user_id, today));
    expiring.extend(rows.into_iter().map(|row| noticed(row, false)));
    expiring.sort_by_key(|token| (token.expires_at, token.id));
    Ok(Attention {
        expiring,
        unused: unused_by(conn, user_id, owns, ctx.now)?,
    })
}

/// The tokens that this person looks after and nobody uses, as [`of_actor`] has them for whoever asks.
///
/// # Errors
/// When the database is away.
pub fn unused_of(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
) -> Result<Vec<Noticed>, Error> {
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(Vec::new());
    }
    unused_by(conn, user_id, true, ctx.now)
}

/// Who of these people looks after tokens that nobody uses; in one query.
///
/// # Errors
/// When the database is away.
pub fn who_has_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    user_ids: &[i64],
) -> Result<Vec<i64>, Error> {
    if ctx.policy.settings.disable_personal_access_tokens {
        return Ok(Vec::new());
    }
    let (today, since) = (ctx.today(), Timestamp::from(IDLE.since(ctx.now)));
    let person = || people.field(users::id);
    Ok(people
        .filter(person().eq_any(user_ids.to_vec()))
        .filter(
            exists(of_groups!(person(), today).filter(unused_since!(since))).or(exists(
                of_projects!(person(), today).filter(unused_since!(since)),
            )),
        )
        .order(person().asc())
        .select(person())
        .load(conn)?)
}

fn unused_by(
    conn: &mut DbConnection,
    user_id: i64,
    owns: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Noticed>, Error> {
    let (today, since) = (now.date_naive(), Timestamp::from(IDLE.since(now)));
    macro_rules! unused {
        ($tokens:expr) => {
            $tokens
                .filter(unused_since!(since))
                .order(access_tokens::id.asc())
                .limit(SHOWN)
                .load::<Row>(conn)?
        };
    }
    let mut found = Vec::new();
    if owns {
        let rows = unused!(of_groups!(user_id, today));
        found.extend(rows.into_iter().map(|row| noticed(row, true)));
    }
    let rows = unused!(of_projects!(user_id, today));
    found.extend(rows.into_iter().map(|row| noticed(row, false)));
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
