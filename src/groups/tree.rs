//! What lies in groups, as far as the actor may know of it.

use std::collections::HashMap;

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::list::is_member;
use super::store::{member_groups, open_visibilities, root_columns, roots};
use super::{Group, GroupRow, RootRow};
use crate::context::Context;
use crate::db::schema::{groups, memberships};
use crate::db::{DbConnection, by_character, lower};
use crate::error::Error;
use crate::members::AccessLevel;

type Joined = (GroupRow, RootRow);

macro_rules! is_visible {
    ($ctx:expr) => {
        $ctx.actor
            .is_admin()
            .into_sql::<Bool>()
            .or(groups::visibility.eq_any(open_visibilities($ctx)))
            .or(is_member!($ctx, false))
    };
}

/// The subgroups directly in these groups, by name; at most `limit` of them all together.
///
/// # Errors
/// When the database is away.
pub fn subgroups_of(
    conn: &mut DbConnection,
    ctx: &Context,
    parents: &[i64],
    limit: i64,
) -> Result<Vec<Group>, Error> {
    let rows: Vec<Joined> = groups::table
        .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
        .filter(groups::kind.eq("group"))
        .filter(groups::parent_id.eq_any(parents.to_vec()))
        .filter(is_visible!(ctx))
        .select((GroupRow::as_select(), root_columns!()))
        .order((
            by_character(lower(groups::full_name)).asc(),
            groups::id.asc(),
        ))
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// How many subgroups lie directly in each of these groups; groups without any are absent.
///
/// # Errors
/// When the database is away.
pub fn count_subgroups(
    conn: &mut DbConnection,
    ctx: &Context,
    parents: &[i64],
) -> Result<HashMap<i64, i64>, Error> {
    let counts: Vec<(Option<i64>, i64)> = groups::table
        .filter(groups::kind.eq("group"))
        .filter(groups::parent_id.eq_any(parents.to_vec()))
        .filter(is_visible!(ctx))
        .group_by(groups::parent_id)
        .select((groups::parent_id, count_star()))
        .load(conn)?;
    Ok(counts
        .into_iter()
        .filter_map(|(parent, count)| Some((parent?, count)))
        .collect())
}

/// The groups where the actor has at least this role, by full path; all groups for administrators.
///
/// # Errors
/// When the database is away.
pub fn with_role(
    conn: &mut DbConnection,
    ctx: &Context,
    at_least: AccessLevel,
    limit: i64,
) -> Result<Vec<Group>, Error> {
    let holds = is_member!(ctx, false, at_least);
    let rows: Vec<Joined> = groups::table
        .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
        .filter(groups::kind.eq("group"))
        .filter(ctx.actor.is_admin().into_sql::<Bool>().or(holds))
        .select((GroupRow::as_select(), root_columns!()))
        .order((
            by_character(lower(groups::full_path)).asc(),
            groups::id.asc(),
        ))
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(Group::from).collect())
}
