//! What groups and their ancestors say, in the database.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::rule::{Choice, decide};
use crate::db::schema::groups;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Group;
use crate::members::ids_of;
use crate::settings::Policy;

/// Ids that one query asks for; databases have a limit on values.
const AT_ONCE: usize = 10_000;

/// Do inherited members of these groups get mails, by the group's id? One query for ten thousand ancestors.
///
/// # Errors
/// When the database is away.
pub fn notify_inherited_of(
    conn: &mut DbConnection,
    policy: &Policy,
    groups: &[&Group],
) -> Result<HashMap<i64, bool>, Error> {
    let ids: BTreeSet<i64> = groups
        .iter()
        .flat_map(|group| ids_of(&group.traversal))
        .collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut said: HashMap<i64, Choice> = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let rows: Vec<(i64, Option<bool>, bool)> = groups::table
            .filter(groups::id.eq_any(some))
            .filter(
                groups::resource_access_token_notify_inherited
                    .is_not_null()
                    .or(groups::lock_resource_access_token_notify_inherited),
            )
            .select((
                groups::id,
                groups::resource_access_token_notify_inherited,
                groups::lock_resource_access_token_notify_inherited,
            ))
            .load(conn)?;
        said.extend(
            rows.into_iter()
                .map(|(id, value, locked)| (id, Choice { value, locked })),
        );
    }
    let holds = |group: &Group| {
        let chain: Vec<Choice> = ids_of(&group.traversal)
            .map(|id| said.get(&id).copied().unwrap_or_default())
            .collect();
        decide(policy.notify_inherited(), &chain).inherited
    };
    Ok(groups
        .iter()
        .map(|group| (group.id, holds(group)))
        .collect())
}

/// Writes down what a group says.
pub(super) fn put(
    conn: &mut DbConnection,
    group_id: i64,
    choice: Choice,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(group_id))
        .set((
            groups::resource_access_token_notify_inherited.eq(choice.value),
            groups::lock_resource_access_token_notify_inherited.eq(choice.locked),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
