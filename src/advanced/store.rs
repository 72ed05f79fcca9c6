//! What has to be counted, and who has which role, in the database; however much there is, a handful of queries.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable};

use super::Inside;
use super::roles::Held;
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::schema::{access_tokens, groups, memberships, projects, routes, users, webhooks};
use crate::db::{
    COUNTED_AT_MOST, Counted, DbConnection, Measured, Timestamp, Total, length, lower,
};
use crate::error::Error;
use crate::groups::relocation::below;
use crate::groups::store::{root_columns, roots};
use crate::groups::{Group, GroupRow, RootRow};
use crate::members::{AccessLevel, Membership, ids_of};
use crate::permissions::is_open_to;
use crate::users::{UserKind, UserState};

diesel::alias! {
    const FURTHER_DOWN: Alias<FurtherDown> = memberships as further_down;
}

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

/// Levels down to the deepest group, the longest address of a group and the longest of a project.
type Extent = (i32, i32, i32);

/// The columns of [`Extent`] for a group.
macro_rules! extent_of {
    ($traversal:expr) => {{
        let groups_below = || groups::table.filter(below!($traversal));
        let project_ids = projects::table
            .inner_join(groups::table)
            .filter(below!($traversal))
            .select(projects::id.nullable());
        (
            Measured(groups_below().select(sql::<Nullable<Integer>>(LEVELS))),
            Measured(groups_below().select(max(length(groups::full_path)))),
            Measured(
                routes::table
                    .filter(routes::project_id.eq_any(project_ids))
                    .select(max(length(routes::path_key))),
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
        Counted($query.select($column).limit(COUNTED_AT_MOST + 1))
    };
}

/// Active tokens, as lists count them: an old value in its grace is no token of its own.
macro_rules! active {
    ($now:expr) => {
        access_tokens::table
            .filter(access_tokens::revoked.eq(false))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt($now.date_naive())),
            )
    };
}

/// Tokens that work at this moment, old values in their grace included.
macro_rules! working {
    ($now:expr) => {{
        let in_grace = access_tokens::grace_until.is_not_null().and(
            access_tokens::grace_until
                .assume_not_null()
                .gt(Timestamp::from($now)),
        );
        access_tokens::table
            .filter(access_tokens::revoked.eq(false).or(in_grace))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt($now.date_naive())),
            )
    }};
}

/// Roles that hold on this day, of people who are active.
macro_rules! of_people {
    ($now:expr) => {
        memberships::table
            .filter(memberships::bot.eq(false))
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
}

/// How far a group extends: levels of groups below it, and its longest address.
fn extent(group: &Group, (levels, of_group, of_project): Extent) -> (usize, usize) {
    let number = |number: i32| usize::try_from(number).unwrap_or(0);
    (
        number(levels).saturating_sub(group.depth() + 1),
        number(of_group.max(of_project)),
    )
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
    let path = match resource {
        Resource::Group(group) => group.path.clone(),
        Resource::Project(project) => project.path.clone(),
    };
    let Some(parent_id) = parent_id else {
        let Resource::Group(group) = resource else {
            return Ok(None);
        };
        let there = routes::table.find(path.to_ascii_lowercase());
        let (counts, taken, measured): (Counts, bool, Extent) = diesel::select((
            in_group!(&group.traversal, group.id, now),
            exists(there),
            extent_of!(&group.traversal),
        ))
        .get_result(conn)?;
        let (levels_below, longest) = extent(group, measured);
        return Ok(Some(Destination {
            parent: None,
            inside: counts.into(),
            taken,
            levels_below,
            longest,
        }));
    };
    let there = routes::table
        .filter(routes::path_key.eq(lower(groups::full_path.concat("/").concat(path))));
    macro_rules! parent_with {
        ($counts:expr, $extent:expr) => {
            groups::table
                .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                .filter(groups::id.eq(parent_id))
                .select((
                    GroupRow::as_select(),
                    root_columns!(),
                    $counts,
                    exists(there),
                    $extent,
                ))
                .get_result(conn)
                .optional()?
        };
    }
    type Found<C, E> = Option<(GroupRow, RootRow, C, bool, E)>;
    Ok(match resource {
        Resource::Group(group) => {
            let found: Found<Counts, Extent> = parent_with!(
                in_group!(&group.traversal, group.id, now),
                extent_of!(&group.traversal)
            );
            found.map(|(row, root, counts, taken, measured)| {
                let (levels_below, longest) = extent(group, measured);
                Destination {
                    parent: Some((row, root).into()),
                    inside: counts.into(),
                    taken,
                    levels_below,
                    longest,
                }
            })
        }
        Resource::Project(project) => {
            let found: Found<(i64, i64), i64> =
                parent_with!(in_project!(project.id, now), groups::id);
            found.map(|(row, root, counts, taken, _)| Destination {
                parent: Some((row, root).into()),
                inside: of_project(counts),
                taken,
                levels_below: 0,
                longest: project.full_path().len(),
            })
        }
    })
}

/// The roles around a group or project that moves.
#[derive(Debug)]
pub struct Roles {
    /// Those that hold before or after it, highest first; one more than [`COUNTED_AT_MOST`] at the most.
    pub held: Vec<Held>,
    /// Is there a person who owns the group itself, without an end?
    pub owned_for_good: bool,
}

/// The roles of people, and of bots whose token works, that hold in a group or project where it lies now, or would
/// below `to`. One query.
///
/// # Errors
/// When the database is away.
pub fn held(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    to: Option<&Group>,
) -> Result<Roles, Error> {
    let now = ctx.now;
    let before: Vec<i64> = ids_of(&resource.group().traversal).collect();
    let mut after: Vec<i64> = to.map_or_else(Vec::new, |to| ids_of(&to.traversal).collect());
    let project_id = match resource {
        Resource::Group(group) => {
            after.push(group.id);
            None
        }
        Resource::Project(project) => Some(project.id),
    };
    let mut around = before.clone();
    around.extend(&after);
    // What lies in a project has no roles of its own: nothing is below this.
    let (traversal, visibility) = match resource {
        Resource::Group(group) => (group.traversal.as_str(), group.visibility),
        Resource::Project(project) => ("none/", project.visibility),
    };
    let groups_below = groups::table
        .filter(below!(traversal))
        .filter(groups::id.ne(resource.id()))
        .select(groups::id.nullable());
    let projects_below = projects::table
        .inner_join(groups::table)
        .filter(below!(traversal))
        .select(projects::id.nullable());
    let ends = FURTHER_DOWN.field(memberships::expires_at);
    let keeps_one = exists(
        FURTHER_DOWN
            .filter(FURTHER_DOWN.field(memberships::user_id).eq(users::id))
            .filter(ends.is_null().or(ends.gt(now.date_naive())))
            .filter(
                FURTHER_DOWN
                    .field(memberships::group_id)
                    .eq_any(groups_below)
                    .or(FURTHER_DOWN
                        .field(memberships::project_id)
                        .eq_any(projects_below)),
            ),
    );
    let has_token = exists(
        working!(now)
            .filter(access_tokens::user_id.eq(users::id))
            .filter(access_tokens::root_id.is_not_null()),
    );
    type Row = (Membership, (i64, String, String, String, bool, bool), bool);
    let rows: Vec<Row> = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(
            memberships::group_id
                .is_not_null()
                .and(memberships::group_id.assume_not_null().eq_any(around))
                .or(memberships::project_id.is_not_null().and(
                    memberships::project_id
                        .assume_not_null()
                        .eq(project_id.unwrap_or(0)),
                )),
        )
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(now.date_naive())),
        )
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::kind.eq(UserKind::Human.as_str()).or(has_token))
        .order((memberships::access_level.desc(), users::id.asc()))
        .limit(COUNTED_AT_MOST + 1)
        .select((
            Membership::as_select(),
            (
                users::id,
                users::name,
                users::username,
                users::kind,
                users::admin,
                users::external,
            ),
            keeps_one,
        ))
        .load(conn)?;
    let human = UserKind::Human.as_str();
    let owned_for_good = rows.iter().any(|(membership, (_, _, _, kind, ..), _)| {
        membership.group_id == Some(resource.id())
            && membership.access_level == AccessLevel::Owner
            && membership.expires_at.is_none()
            && kind == human
    });
    let holds = |ids: &[i64], membership: &Membership| match membership.group_id {
        Some(id) => ids.contains(&id),
        None => true,
    };
    let sees_anyway = |is_admin: bool, is_external: bool, is_bot: bool| {
        is_admin || is_open_to(visibility, is_external, is_bot, &ctx.policy)
    };
    // Whose namespace it is owns what is in it, without a membership.
    let owner_of = |namespace: &Group, before: bool| {
        Some(Held {
            user_id: namespace.owner_id?,
            name: namespace.name.clone(),
            username: namespace.path.clone(),
            is_bot: false,
            level: AccessLevel::Owner,
            before,
            after: !before,
            sees_anyway: sees_anyway(
                false,
                ctx.actor
                    .user
                    .as_ref()
                    .is_some_and(|user| Some(user.id) == namespace.owner_id && user.external),
                false,
            ),
            further_down: false,
        })
    };
    let mut held: Vec<Held> = owner_of(resource.group(), true).into_iter().collect();
    held.extend(to.and_then(|to| owner_of(to, false)));
    held.extend(rows.into_iter().map(|(membership, user, keeps_one)| {
        let (user_id, name, username, kind, admin, external) = user;
        let is_bot = kind == UserKind::ProjectBot.as_str();
        Held {
            user_id,
            name,
            username,
            is_bot,
            sees_anyway: sees_anyway(admin, external, is_bot),
            further_down: keeps_one,
            level: membership.access_level,
            before: holds(&before, &membership),
            after: holds(&after, &membership),
        }
    }));
    Ok(Roles {
        held,
        owned_for_good,
    })
}
