//! Tokens that end with the group or project that they are for: the trail tells of each.

use diesel::prelude::*;
use serde_json::json;

use super::create::described;
use super::store::{self, ListedRow, listed, listed_columns, listed_tokens};
use super::{AccessToken, ListedToken, Resource};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::db::schema::{access_token_uses, access_tokens, groups, memberships, projects, users};
use crate::error::Error;
use crate::groups::relocation::below;

/// Tokens that are read at a time; databases have a limit on the places that one statement names.
const AT_ONCE: i64 = 5_000;

/// Writes down that the active tokens of a group and of everything below it, or of a project, end because it is about
/// to be deleted. A handful of statements for every few thousand.
///
/// # Errors
/// When the database can't take the rows.
pub fn with_place(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
) -> Result<(), Error> {
    let reason = format!("{} deleted", resource.noun());
    let mut last = 0;
    loop {
        let tokens = after(conn, ctx, resource, last)?;
        tell(conn, ctx, &tokens, &reason)?;
        match tokens.last() {
            Some(listed) if i64::try_from(tokens.len()).is_ok_and(|read| read == AT_ONCE) => {
                last = listed.token.id;
            }
            _ => return Ok(()),
        }
    }
}

/// Active tokens in this place, those after this id.
fn after(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
) -> Result<Vec<ListedToken>, Error> {
    macro_rules! active {
        ($inside:expr) => {
            listed_tokens!()
                .filter($inside)
                .filter(diesel::dsl::not(access_tokens::revoked))
                .filter(
                    access_tokens::expires_at
                        .is_null()
                        .or(access_tokens::expires_at.gt(ctx.today())),
                )
                .filter(access_tokens::id.gt(id))
                .order(access_tokens::id.asc())
                .limit(AT_ONCE)
                .select(listed_columns!())
                .load(conn)?
        };
    }
    let rows: Vec<ListedRow> = match resource {
        Resource::Project(project) => active!(access_tokens::project_id.eq(project.id)),
        Resource::Group(group) => {
            let groups_below = || groups::table.filter(below!(&group.traversal));
            let projects_below = projects::table
                .filter(projects::group_id.eq_any(groups_below().select(groups::id)))
                .select(projects::id.nullable());
            active!(
                access_tokens::group_id
                    .eq_any(groups_below().select(groups::id.nullable()))
                    .or(access_tokens::project_id.eq_any(projects_below))
            )
        }
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// A line for each, in the group that it was in.
fn tell(
    conn: &mut DbConnection,
    ctx: &Context,
    tokens: &[ListedToken],
    reason: &str,
) -> Result<(), Error> {
    let resources = store::resources_of(conn, tokens.iter().map(|listed| &listed.token))?;
    let events: Vec<Event<'_>> = tokens
        .iter()
        .map(
            |ListedToken {
                 token,
                 user,
                 access_level,
                 ..
             }| {
                let mut details = described(token, &user.username, *access_level);
                if let Some(details) = details.as_object_mut() {
                    details.insert("reason".into(), json!(reason));
                }
                let event = Event::new(
                    format!("{}_access_token_deleted", token.kind()),
                    Target::Token(token.id, &token.name),
                )
                .with(details);
                match resources.get(&token.id) {
                    Some(resource) => event.in_group(resource.group()),
                    None => event,
                }
            },
        )
        .collect();
    audit::record_all(conn, ctx, &events)
}
