//! What stands beside the groups and projects of a page: one query each, however many there are.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{access_tokens, memberships, users};
use crate::error::Error;
use crate::members::AccessLevel;
use crate::users::{UserKind, UserState};

/// How many there are, by the id of the group or project; without any it is absent.
pub type Counts = HashMap<i64, i64>;

/// How many people have a role of their own in each of these groups, whatever its date.
///
/// # Errors
/// When the database is away.
pub fn people_in(conn: &mut DbConnection, groups: &[i64]) -> Result<Counts, Error> {
    let counts: Vec<(Option<i64>, i64)> = memberships::table
        .filter(memberships::group_id.eq_any(groups))
        .filter(diesel::dsl::not(memberships::bot))
        .group_by(memberships::group_id)
        .select((memberships::group_id, count_star()))
        .load(conn)?;
    Ok(by_id(counts))
}

/// How many tokens of each of these groups work on this day.
///
/// # Errors
/// When the database is away.
pub fn active_tokens_of_groups(
    conn: &mut DbConnection,
    groups: &[i64],
    today: NaiveDate,
) -> Result<Counts, Error> {
    let counts: Vec<(Option<i64>, i64)> = access_tokens::table
        .filter(access_tokens::group_id.eq_any(groups))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(
            access_tokens::expires_at
                .is_null()
                .or(access_tokens::expires_at.gt(today)),
        )
        .group_by(access_tokens::group_id)
        .select((access_tokens::group_id, count_star()))
        .load(conn)?;
    Ok(by_id(counts))
}

/// How many tokens of each of these projects work on this day.
///
/// # Errors
/// When the database is away.
pub fn active_tokens_of_projects(
    conn: &mut DbConnection,
    projects: &[i64],
    today: NaiveDate,
) -> Result<Counts, Error> {
    let counts: Vec<(Option<i64>, i64)> = access_tokens::table
        .filter(access_tokens::project_id.eq_any(projects))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(
            access_tokens::expires_at
                .is_null()
                .or(access_tokens::expires_at.gt(today)),
        )
        .group_by(access_tokens::project_id)
        .select((access_tokens::project_id, count_star()))
        .load(conn)?;
    Ok(by_id(counts))
}

/// Who owns a group directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// The name of the first of them.
    pub name: String,
    /// Their user name.
    pub username: String,
    /// How many others there are.
    pub others: i64,
}

/// The active people who own each of these groups directly on this day; those that nobody owns so are
/// absent.
///
/// # Errors
/// When the database is away.
pub fn owners_of(
    conn: &mut DbConnection,
    groups: &[i64],
    today: NaiveDate,
) -> Result<HashMap<i64, Owners>, Error> {
    let counted: Vec<(Option<i64>, i64, Option<i64>)> = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::group_id.eq_any(groups))
        .filter(memberships::access_level.eq(AccessLevel::Owner.number()))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(today)),
        )
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .group_by(memberships::group_id)
        .select((
            memberships::group_id,
            count_star(),
            min(memberships::user_id),
        ))
        .load(conn)?;
    let first: Vec<i64> = counted.iter().filter_map(|(_, _, first)| *first).collect();
    let names: Vec<(i64, String, String)> = users::table
        .filter(users::id.eq_any(first))
        .select((users::id, users::name, users::username))
        .load(conn)?;
    let names: HashMap<i64, (String, String)> = names
        .into_iter()
        .map(|(id, name, username)| (id, (name, username)))
        .collect();
    let owners = counted.into_iter().filter_map(|(group, count, first)| {
        let (name, username) = names.get(&first?)?.clone();
        let others = count - 1;
        Some((
            group?,
            Owners {
                name,
                username,
                others,
            },
        ))
    });
    Ok(owners.collect())
}

fn by_id(counts: Vec<(Option<i64>, i64)>) -> Counts {
    counts
        .into_iter()
        .filter_map(|(id, count)| Some((id?, count)))
        .collect()
}
