//! Groups as rows of lists.

use std::collections::HashMap;

use super::{Group, tree};
use crate::actor::Actor;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Place;
use crate::projects;
use crate::web::views::groups::GroupRow;

/// Subgroups shown below one group at the most; the rest is on its own page.
const SHOWN_BELOW: usize = 20;

/// The rows of these groups, with what lies in them counted, and their subgroups below them if wanted.
/// The number of queries doesn't depend on the number of groups.
///
/// # Errors
/// When the database is away.
pub fn rows(
    conn: &mut DbConnection,
    ctx: &Context,
    list: &[Group],
    with_subgroups: bool,
) -> Result<Vec<GroupRow>, Error> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<i64> = list.iter().map(|group| group.id).collect();
    let below = if with_subgroups {
        let limit = ids.len().saturating_mul(SHOWN_BELOW);
        tree::subgroups_of(conn, ctx, &ids, i64::try_from(limit).unwrap_or(i64::MAX))?
    } else {
        Vec::new()
    };
    ids.extend(below.iter().map(|group| group.id));
    let counts = Counts {
        subgroups: tree::count_subgroups(conn, ctx, &ids)?,
        projects: projects::list::count_visible_in(conn, ctx, &ids)?,
    };
    let mut children: HashMap<i64, Vec<GroupRow>> = HashMap::new();
    for group in &below {
        let siblings = children.entry(group.parent_id.unwrap_or(0)).or_default();
        if siblings.len() < SHOWN_BELOW {
            siblings.push(counts.row(ctx, group, Vec::new()));
        }
    }
    Ok(list
        .iter()
        .map(|group| counts.row(ctx, group, children.remove(&group.id).unwrap_or_default()))
        .collect())
}

struct Counts {
    subgroups: HashMap<i64, i64>,
    projects: HashMap<i64, i64>,
}

impl Counts {
    fn row(&self, ctx: &Context, group: &Group, children: Vec<GroupRow>) -> GroupRow {
        let count = |counts: &HashMap<i64, i64>| {
            counts
                .get(&group.id)
                .and_then(|n| u64::try_from(*n).ok())
                .unwrap_or(0)
        };
        GroupRow {
            name: group.name.clone(),
            full_path: group.full_path.clone(),
            description: group.description.clone(),
            visibility: group.visibility.into(),
            role: role(&ctx.actor, &group.place()),
            subgroups: count(&self.subgroups),
            projects: count(&self.projects),
            children,
        }
    }
}

/// The role that the viewer was given. What an administrator may do besides is no role.
pub fn role(actor: &Actor, place: &Place<'_>) -> Option<String> {
    if place.owner_id.is_some() && place.owner_id == actor.user_id() {
        return Some(crate::members::AccessLevel::Owner.to_string());
    }
    let level = match place.project_id {
        Some(id) => actor.memberships.on_project(id, place.traversal),
        None => actor.memberships.on_group(place.traversal),
    };
    level.map(|level| level.to_string())
}
