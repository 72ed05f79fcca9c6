//! What has to be counted in the database, and how far it extends; however much there is, a handful of queries.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable};

use super::Inside;
use crate::access_tokens::Resource;
use crate::db::schema::{access_tokens, groups, memberships, projects, routes, users, webhooks};
use crate::db::{
    COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Measured, Total, length, lower,
};
use crate::error::Error;
use crate::groups::relocation::below;
use crate::groups::store::{root_columns, roots};
use crate::groups::{Group, GroupRow, RootRow, Visibility};
use crate::users::UserState;

/// Groups, projects, tokens and roles of groups and of projects, webhooks.
type Counts = (i64, i64, i64, i64, i64, i64, i64);

/// The columns of [`Counts`] for a group.
macro_rules! in_group {
    ($traversal:expr, $id:expr, $now:expr) => {{
        let groups_below = || groups::table.filter(below!($traversal));
        let group_ids = || groups_below().select(groups::id.nullable());
        let projects_below = || {
            projects::table
                .inner_join(groups::table)
                .filter(below!($traversal))
        };
        let project_ids = || projects_below().select(projects::id.nullable());
        (
            counted!(groups_below().filter(groups::id.ne($id)), groups::id),
            counted!(projects_below(), projects::id),
            counted!(
                active!($now).filter(access_tokens::group_id.eq_any(group_ids())),
                access_tokens::id
            ),
            counted!(
                active!($now).filter(access_tokens::project_id.eq_any(project_ids())),
                access_tokens::id
            ),
            counted!(
                of_people!($now).filter(memberships::group_id.eq_any(group_ids())),
                memberships::id
            ),
            counted!(
                of_people!($now).filter(memberships::project_id.eq_any(project_ids())),
                memberships::id
            ),
            counted!(
                webhooks::table.filter(webhooks::group_id.nullable().eq_any(group_ids())),
                webhooks::id
            ),
        )
    }};
}

/// Levels down to the deepest group, the longest address of a group and the longest of a project, and what is narrow.
type Extent = (i32, i32, i32, Narrow);

/// Is a group private, a project, a group internal, a project? 0 or 1 each.
type Narrow = (i64, i64, i64, i64);

/// Where it is only asked whether there is any.
const ONE_IS_ENOUGH: i64 = 1;

/// The columns of [`Extent`] for a group.
macro_rules! extent_of {
    ($traversal:expr) => {{
        let groups_below = || groups::table.filter(below!($traversal));
        let projects_below = || {
            projects::table
                .inner_join(groups::table)
                .filter(below!($traversal))
        };
        let project_ids = projects_below().select(projects::id.nullable());
        let group_is = |visibility: Visibility| {
            let found = groups_below().filter(groups::visibility.eq(visibility.name()));
            Counted(found.select(groups::id).at_most(ONE_IS_ENOUGH))
        };
        let project_is = |visibility: Visibility| {
            let found = projects_below().filter(projects::visibility.eq(visibility.name()));
            Counted(found.select(projects::id).at_most(ONE_IS_ENOUGH))
        };
        (
            Measured(groups_below().select(sql::<Nullable<Integer>>(LEVELS))),
            Measured(groups_below().select(max(length(groups::full_path)))),
            Measured(
                routes::table
                    .filter(routes::project_id.eq_any(project_ids))
                    .select(max(length(routes::path_key))),
            ),
            (
                group_is(Visibility::Private),
                project_is(Visibility::Private),
                group_is(Visibility::Internal),
                project_is(Visibility::Internal),
            ),
        )
    }};
}

/// As many levels as a traversal has numbers.
const LEVELS: &str = "MAX(LENGTH(traversal) - LENGTH(REPLACE(traversal, '/', '')))";

/// The columns of [`Counts`] that say something about a project: tokens and roles.
macro_rules! in_project {
    ($id:expr, $now:expr) => {
        (
            counted!(
                active!($now).filter(access_tokens::project_id.eq($id)),
                access_tokens::id
            ),
            counted!(
                of_people!($now).filter(memberships::project_id.eq($id)),
                memberships::id
            ),
        )
    };
}

macro_rules! counted {
    ($query:expr, $column:expr) => {
        Counted($query.select($column).at_most(COUNTED_AT_MOST + 1))
    };
}

/// Active tokens, as lists count them: an old value in its grace is no token of its own.
macro_rules! active {
    ($now:expr) => {
        access_tokens::table
            .filter(diesel::dsl::not(access_tokens::revoked))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt($now.date_naive())),
            )
    };
}

/// Roles that hold on this day, of people who are active.
macro_rules! of_people {
    ($now:expr) => {
        memberships::table
            .filter(diesel::dsl::not(memberships::bot))
            .filter(
                memberships::expires_at
                    .is_null()
                    .or(memberships::expires_at.gt($now.date_naive())),
            )
            .filter(
                memberships::user_id.eq_any(
                    users::table
                        .filter(users::state.eq(UserState::Active.as_str()))
                        .select(users::id),
                ),
            )
    };
}

impl From<Counts> for Inside {
    fn from(counts: Counts) -> Self {
        let (subgroups, projects, of_groups, of_projects, on_groups, on_projects, webhooks) =
            counts;
        Inside {
            subgroups: Total::from_bounded_count(subgroups),
            projects: Total::from_bounded_count(projects),
            tokens: Total::from_bounded_count(of_groups + of_projects),
            roles: Total::from_bounded_count(on_groups + on_projects),
            webhooks: Total::from_bounded_count(webhooks),
        }
    }
}

fn of_project((tokens, roles): (i64, i64)) -> Inside {
    Inside::from((0, 0, 0, tokens, 0, roles, 0))
}

/// Counts what lies in a group or belongs to a project; one query.
///
/// # Errors
/// When the database is away.
pub fn inside(
    conn: &mut DbConnection,
    resource: &Resource,
    now: DateTime<Utc>,
) -> Result<Inside, Error> {
    Ok(match resource {
        Resource::Group(group) => {
            let counts: Counts =
                diesel::select(in_group!(&group.traversal, group.id, now)).get_result(conn)?;
            counts.into()
        }
        Resource::Project(project) => {
            of_project(diesel::select(in_project!(project.id, now)).get_result(conn)?)
        }
    })
}

/// Where a group or project may come to lie, with what comes along.
#[derive(Debug)]
pub struct Destination {
    /// The group or namespace; nothing at the top.
    pub parent: Option<Group>,
    /// What comes along.
    pub inside: Inside,
    /// Does something else have the address there?
    pub taken: bool,
    /// How many levels of groups lie below what moves.
    pub levels_below: usize,
    /// The longest address from what moves down, in characters.
    pub longest: usize,
    /// The narrowest visibility from what moves down.
    pub narrowest: Visibility,
}

/// What lies in a group, and how far it extends.
type OfGroup = (Counts, Extent);

/// A place for this group.
fn with_group(
    group: &Group,
    parent: Option<Group>,
    taken: bool,
    (counts, (levels, of_group, of_project, narrow)): OfGroup,
) -> Destination {
    let number = |number: i32| usize::try_from(number).unwrap_or(0);
    Destination {
        parent,
        inside: counts.into(),
        taken,
        levels_below: number(levels).saturating_sub(group.depth() + 1),
        longest: number(of_group.max(of_project)),
        narrowest: match narrow {
            (0, 0, 0, 0) => Visibility::Public,
            (0, 0, ..) => Visibility::Internal,
            _ => Visibility::Private,
        },
    }
}

/// The group or namespace with this id, or the top level, whoever asks, as the place for a group or project; nothing
/// if there is none. One query.
///
/// # Errors
/// When the database is away.
pub fn destination(
    conn: &mut DbConnection,
    resource: &Resource,
    parent_id: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Option<Destination>, Error> {
    let path = resource.path();
    let Some(parent_id) = parent_id else {
        let Resource::Group(group) = resource else {
            return Ok(None);
        };
        let there = routes::table.find(path.to_ascii_lowercase());
        let (of_group, taken): (OfGroup, bool) = diesel::select((
            (
                in_group!(&group.traversal, group.id, now),
                extent_of!(&group.traversal),
            ),
            exists(there),
        ))
        .get_result(conn)?;
        return Ok(Some(with_group(group, None, taken, of_group)));
    };
    let there = routes::table
        .filter(routes::path_key.eq(lower(groups::full_path.concat("/").concat(path))));
    macro_rules! parent_with {
        ($of:expr) => {
            groups::table
                .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                .filter(groups::id.eq(parent_id))
                .select((GroupRow::as_select(), root_columns!(), $of, exists(there)))
                .get_result(conn)
                .optional()?
        };
    }
    type Found<T> = Option<(GroupRow, RootRow, T, bool)>;
    Ok(match resource {
        Resource::Group(group) => {
            let found: Found<OfGroup> = parent_with!((
                in_group!(&group.traversal, group.id, now),
                extent_of!(&group.traversal),
            ));
            found.map(|(row, root, of_group, taken)| {
                with_group(group, Some((row, root).into()), taken, of_group)
            })
        }
        Resource::Project(project) => {
            let found: Found<(i64, i64)> = parent_with!(in_project!(project.id, now));
            found.map(|(row, root, counts, taken)| Destination {
                parent: Some((row, root).into()),
                inside: of_project(counts),
                taken,
                levels_below: 0,
                longest: project.full_path().len(),
                narrowest: project.visibility,
            })
        }
    })
}
