//! Whose tokens somebody looks after, by membership: those of the groups that they own, of the projects that they maintain.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{groups, memberships};
use crate::error::Error;
use crate::members::AccessLevel;

/// Where a person looks after tokens. Of groups only the uppermost: what lies below them belongs to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// Groups that they own, by traversal.
    pub owned: Vec<String>,
    /// Groups whose projects they maintain, by traversal; their own namespace is one.
    pub maintained: Vec<String>,
    /// Projects that they maintain by a membership of their own.
    pub projects: Vec<i64>,
}

/// The reach of each of these people who has one; two queries, however many they are.
///
/// # Errors
/// When the database is away.
pub(super) fn by(
    conn: &mut DbConnection,
    user_ids: &[i64],
    today: NaiveDate,
) -> Result<BTreeMap<i64, Reach>, Error> {
    type Row = (i64, i32, Option<String>, Option<i64>);
    let rows: Vec<Row> = memberships::table
        .left_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .filter(memberships::user_id.eq_any(user_ids.to_vec()))
        .filter(memberships::access_level.ge(AccessLevel::Maintainer.number()))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.assume_not_null().gt(today)),
        )
        .select((
            memberships::user_id,
            memberships::access_level,
            groups::traversal.nullable(),
            memberships::project_id,
        ))
        .load(conn)?;
    let namespaces: Vec<(Option<i64>, String)> = groups::table
        .filter(groups::owner_id.eq_any(user_ids.to_vec()))
        .select((groups::owner_id, groups::traversal))
        .load(conn)?;
    let mut found: BTreeMap<i64, Reach> = BTreeMap::new();
    let (mut owned, mut maintained) = (Places::new(), Places::new());
    for (user_id, level, group, project) in rows {
        if let Some(traversal) = group {
            if level >= AccessLevel::Owner.number() {
                owned.entry(user_id).or_default().push(traversal.clone());
            }
            maintained.entry(user_id).or_default().push(traversal);
        }
        if let Some(id) = project {
            found.entry(user_id).or_default().projects.push(id);
        }
    }
    for (owner, traversal) in namespaces {
        if let Some(user_id) = owner {
            maintained.entry(user_id).or_default().push(traversal);
        }
    }
    for (user_id, places) in owned {
        found.entry(user_id).or_default().owned = uppermost(places);
    }
    for (user_id, places) in maintained {
        found.entry(user_id).or_default().maintained = uppermost(places);
    }
    Ok(found)
}

/// The traversals of groups, for each person.
type Places = BTreeMap<i64, Vec<String>>;

/// Without those that lie below another one of them.
pub(super) fn uppermost(mut places: Vec<String>) -> Vec<String> {
    // What lies below a group comes right after it: a slash sorts before every digit.
    places.sort_unstable();
    places.dedup_by(|next, above| next.starts_with(above.as_str()));
    places
}

#[cfg(test)]
mod tests {
    use super::uppermost;

    #[test]
    fn what_lies_below_another_group_is_left_out() {
        let places =
            |traversals: &[&str]| uppermost(traversals.iter().map(|&t| t.to_owned()).collect());
        let found = places(&["1/17/", "1/", "10/", "1/170/3/", "2/"]);
        assert_eq!(found, ["1/", "10/", "2/"]);
        let found = places(&["1/17/", "1/170/", "1/17/4/"]);
        assert_eq!(found, ["1/17/", "1/170/"]);
        assert_eq!(places(&[]), [""; 0]);
    }
}
