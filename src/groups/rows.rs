//! Groups as rows of lists.

use std::collections::HashMap;

use super::list::{Filter, list_counted};
use super::tree::{self, Inside};
use crate::actor::Actor;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::Error;
use crate::permissions::Place;
use crate::web::views::groups::GroupRow;

/// Subgroups shown below one group at the most; the rest is on its own page.
const SHOWN_BELOW: usize = 20;

/// A page of groups as rows, with their subgroups below them if wanted: two queries at most, however many they are.
///
/// # Errors
/// When the database is away.
pub fn page(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
    with_subgroups: bool,
) -> Result<Page<GroupRow>, Error> {
    let page = list_counted(conn, ctx, filter, request)?;
    let mut children: HashMap<i64, Vec<GroupRow>> = HashMap::new();
    if with_subgroups && !page.rows.is_empty() {
        let ids: Vec<i64> = page.rows.iter().map(|inside| inside.group.id).collect();
        let limit = ids.len().saturating_mul(SHOWN_BELOW);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        for below in tree::subgroups_of(conn, ctx, &ids, limit)? {
            let siblings = children
                .entry(below.group.parent_id.unwrap_or(0))
                .or_default();
            if siblings.len() < SHOWN_BELOW {
                siblings.push(row(ctx, &below, Vec::new()));
            }
        }
    }
    Ok(page.map(|inside| {
        let below = children.remove(&inside.group.id).unwrap_or_default();
        row(ctx, &inside, below)
    }))
}

fn row(ctx: &Context, inside: &Inside, children: Vec<GroupRow>) -> GroupRow {
    let group = &inside.group;
    GroupRow {
        name: group.name.clone(),
        full_path: group.full_path.clone(),
        description: group.description.clone(),
        visibility: group.visibility.into(),
        role: role(&ctx.actor, &group.place()),
        subgroups: u64::try_from(inside.subgroups).unwrap_or(0),
        projects: u64::try_from(inside.projects).unwrap_or(0),
        children,
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
