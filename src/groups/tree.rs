//! What lies in groups, as far as the actor may know of it.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::list::is_member;
use super::store::{children, member_groups, open_visibilities, root_columns, roots};
use super::{Group, GroupRow, RootRow};
use crate::context::Context;
use crate::db::schema::{groups, memberships, projects};
use crate::db::{DbConnection, by_character, lower};
use crate::error::Error;
use crate::members::AccessLevel;

type Joined = (GroupRow, RootRow);

/// A group with how much that the actor may know of lies directly in it.
#[derive(Debug, Clone)]
pub struct Inside {
    /// The group.
    pub group: Group,
    /// Its subgroups.
    pub subgroups: i64,
    /// Its projects.
    pub projects: i64,
}

/// Subgroups and projects, as [`inside`] counts them.
pub(super) type Counts = (Option<i64>, Option<i64>);

impl From<(Group, Counts)> for Inside {
    fn from((group, (subgroups, projects)): (Group, Counts)) -> Self {
        Inside {
            group,
            subgroups: subgroups.unwrap_or_default(),
            projects: projects.unwrap_or_default(),
        }
    }
}

macro_rules! is_visible {
    ($ctx:expr) => {
        $ctx.actor
            .is_admin()
            .into_sql::<Bool>()
            .or(groups::visibility.eq_any(open_visibilities($ctx)))
            .or(is_member!($ctx, false))
    };
}

/// How many subgroups and projects that the actor may know of lie directly in each group of a query, as two columns.
macro_rules! inside {
    ($ctx:expr) => {{
        let child = |visible: bool| visible.into_sql::<diesel::sql_types::Bool>();
        (
            children
                .filter(children.field(groups::kind).eq("group"))
                .filter(children.field(groups::parent_id).eq(groups::id.nullable()))
                .filter(
                    child($ctx.actor.is_admin())
                        .or(children
                            .field(groups::visibility)
                            .eq_any(open_visibilities($ctx)))
                        .or($crate::groups::list::is_member_of!(
                            ($ctx.actor.user_id().unwrap_or(0), $ctx.today()),
                            (
                                children.field(groups::id),
                                children.field(groups::traversal)
                            ),
                            false,
                            $crate::members::AccessLevel::Guest
                        )),
                )
                .select(count_star())
                .single_value(),
            projects::table
                .filter(projects::group_id.eq(groups::id))
                .filter(
                    child($ctx.actor.is_admin())
                        .or(projects::visibility.eq_any(open_visibilities($ctx)))
                        .or($crate::projects::list::is_involved!($ctx)),
                )
                .select(count_star())
                .single_value(),
        )
    }};
}
pub(super) use inside;

/// The subgroups directly in these groups, by name; at most `limit` of them all together.
///
/// # Errors
/// When the database is away.
pub fn subgroups_of(
    conn: &mut DbConnection,
    ctx: &Context,
    parents: &[i64],
    limit: i64,
) -> Result<Vec<Inside>, Error> {
    let rows: Vec<(GroupRow, RootRow, Counts)> = groups::table
        .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
        .filter(groups::kind.eq("group"))
        .filter(groups::parent_id.eq_any(parents.to_vec()))
        .filter(is_visible!(ctx))
        .select((GroupRow::as_select(), root_columns!(), inside!(ctx)))
        .order((
            by_character(lower(groups::full_name)).asc(),
            groups::id.asc(),
        ))
        .limit(limit)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(row, root, counts)| Inside::from((Group::from((row, root)), counts)))
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
