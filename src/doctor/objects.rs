//! Rows that belong together: none of them without the others.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::store::{self, GroupRow};
use super::{Finding, counted};
use crate::db::DbConnection;
use crate::error::Error;

/// For what no way through the program leads to.
const WRITTEN_BY_OTHERS: &str = "something else than Latchkey has written to the database, or a restore went wrong; restore a backup";

fn none_or_failed(
    check: &'static str,
    well: &str,
    number: i64,
    message: impl FnOnce(i64) -> String,
) -> Finding {
    match number {
        0 => Finding::ok(check, well),
        number => Finding::failed(check, message(number), WRITTEN_BY_OTHERS),
    }
}

/// A bot is there for its token.
pub(super) fn bots_have_tokens(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "bots with tokens",
        "each bot has one",
        store::bots_without_token(conn)?,
        |number| format!("{} without a token", counted(number, "bot", "bots")),
    ))
}

/// A bot whose membership is gone reaches nothing private; that happens, and somebody should know.
pub(super) fn bots_have_memberships(
    conn: &mut DbConnection,
    now: DateTime<Utc>,
) -> Result<Finding, Error> {
    const CHECK: &str = "bots with memberships";
    Ok(
        match store::bots_without_membership(conn, now.date_naive())? {
            0 => Finding::ok(CHECK, "each bot with an active token is a member"),
            number => Finding::warning(
                CHECK,
                format!(
                    "{} with an active token not a member of any group or project",
                    counted(number, "bot is", "bots are")
                ),
                "revoke those tokens: the list of each group and project marks them as Not a member",
            ),
        },
    )
}

/// A membership is of somebody, somewhere.
pub(super) fn memberships_lead_somewhere(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "memberships",
        "each is somebody's, somewhere",
        store::lost_memberships(conn)?,
        |number| {
            format!(
                "{} without a user, group or project",
                counted(number, "membership", "memberships")
            )
        },
    ))
}

/// A token acts as somebody.
pub(super) fn tokens_have_users(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "tokens",
        "each acts as somebody",
        store::tokens_without_user(conn)?,
        |number| format!("{} without a user", counted(number, "token", "tokens")),
    ))
}

/// A token is listed below the top-level group that it is of.
pub(super) fn tokens_know_their_root(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "token roots",
        "each knows its top-level group",
        store::tokens_below_another_root(conn)?,
        |number| {
            format!(
                "{} another top-level group than the one above",
                counted(number, "token names", "tokens name")
            )
        },
    ))
}

/// An address leads to something.
pub(super) fn routes_lead_somewhere(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "routes",
        "each leads to a group or project",
        store::lost_routes(conn)?,
        |number| {
            format!(
                "{} to nothing",
                counted(number, "route leads", "routes lead")
            )
        },
    ))
}

/// A group or project has an address.
pub(super) fn places_have_routes(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "addresses",
        "each group and project has one",
        store::places_without_route(conn)?,
        |number| {
            format!(
                "{} without an address",
                counted(number, "group or project", "groups or projects")
            )
        },
    ))
}

/// A project is in a group or in somebody's namespace.
pub(super) fn projects_have_namespaces(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "projects",
        "each has a namespace",
        store::projects_without_namespace(conn)?,
        |number| {
            format!(
                "{} without a namespace",
                counted(number, "project", "projects")
            )
        },
    ))
}

/// A person has a namespace of their own.
pub(super) fn people_have_namespaces(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    Ok(none_or_failed(
        "personal namespaces",
        "each person has one",
        store::people_without_namespace(conn)?,
        |number| {
            format!(
                "{} without a namespace",
                counted(number, "person", "people")
            )
        },
    ))
}

/// What a group says of its ancestors is what they say themselves.
pub(super) fn groups_are_a_tree(
    conn: &mut DbConnection,
    _: DateTime<Utc>,
) -> Result<Finding, Error> {
    let wrong = wrong_traversals(&store::all_groups(conn)?);
    Ok(none_or_failed(
        "group tree",
        "each group knows its ancestors",
        wrong.len() as i64,
        |number| {
            let first = wrong.first().copied().unwrap_or_default();
            format!(
                "{} wrong ancestors, the first one is {first}",
                counted(number, "group has", "groups have")
            )
        },
    ))
}

/// Ids of groups whose path of ids isn't their parent's and their own, or whose root isn't its first.
fn wrong_traversals(groups: &[GroupRow]) -> Vec<i64> {
    let by_id: HashMap<i64, &GroupRow> = groups.iter().map(|group| (group.id, group)).collect();
    groups
        .iter()
        .filter(|group| {
            let above = match group.parent_id {
                None => Some(""),
                Some(id) => by_id.get(&id).map(|parent| parent.traversal.as_str()),
            };
            let expected = above.map(|above| format!("{above}{}/", group.id));
            let root = group.traversal.split('/').next();
            expected.as_ref() != Some(&group.traversal) || root != Some(&group.root_id.to_string())
        })
        .map(|group| group.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: i64, parent_id: Option<i64>, root_id: i64, traversal: &str) -> GroupRow {
        GroupRow {
            id,
            parent_id,
            root_id,
            traversal: traversal.to_owned(),
        }
    }

    #[test]
    fn a_group_is_right_when_its_path_of_ids_is_its_parents_and_its_own() {
        let right = [
            group(1, None, 1, "1/"),
            group(7, Some(1), 1, "1/7/"),
            group(9, Some(7), 1, "1/7/9/"),
        ];
        assert!(wrong_traversals(&right).is_empty());
        let wrong = [
            group(1, None, 1, "1/"),
            group(2, None, 1, "2/"),
            group(7, Some(1), 1, "7/"),
            group(8, Some(99), 1, "99/8/"),
        ];
        assert_eq!(wrong_traversals(&wrong), [2, 7, 8]);
    }
}
