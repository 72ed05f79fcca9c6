//! Projects in the database.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::HashMap;

use super::{Project, ProjectRow};
use crate::context::Context;
use crate::db::schema::{groups, memberships, projects, routes};
use crate::db::{
    Backend, COUNTED_AT_MOST, DbConnection, Page, PageRequest, Timestamp, after_subtree, lower,
};
use crate::error::{Error, What};
use crate::groups::path::FullPath;
use crate::groups::store::{is_member, like_pattern, member_groups, open_visibilities, roots};
use crate::groups::{Group, GroupRow, Visibility};
use crate::permissions::Right;

/// A project as a program names it: by number or by full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectRef {
    /// Its id.
    Id(i64),
    /// Its full path, in any case.
    Path(String),
}

impl ProjectRef {
    /// Only digits are an id, everything else is a path. Digits beyond any id name nothing.
    pub fn parse(text: &str) -> Self {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            ProjectRef::Id(text.parse().unwrap_or(0))
        } else {
            ProjectRef::Path(text.replace('\0', "%00"))
        }
    }
}

type Joined = (ProjectRow, (GroupRow, bool, Option<bool>));

fn assemble((row, namespace): Joined) -> Project {
    Project {
        row,
        namespace: Group::from(namespace),
    }
}

/// Join and select list that every look-up shares.
macro_rules! with_namespace {
    ($from:expr) => {
        $from
            .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
            .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
    };
}

macro_rules! whole {
    () => {
        (
            ProjectRow::as_select(),
            (
                GroupRow::as_select(),
                roots.field(groups::resource_access_token_creation_allowed),
                roots.field(groups::retain_bots),
            ),
        )
    };
}

/// A project by id, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find(conn: &mut DbConnection, id: i64) -> Result<Option<Project>, Error> {
    let found: Option<Joined> = with_namespace!(projects::table)
        .select(whole!())
        .filter(projects::id.eq(id))
        .get_result(conn)
        .optional()?;
    Ok(found.map(assemble))
}

/// A project by full path, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_by_path(conn: &mut DbConnection, path: &str) -> Result<Option<Project>, Error> {
    let Ok(path) = FullPath::parse(path) else {
        return Ok(None);
    };
    let found: Option<Joined> = with_namespace!(
        projects::table
            .inner_join(routes::table.on(routes::project_id.eq(projects::id.nullable())))
    )
    .select(whole!())
    .filter(routes::path_key.eq(path.key()))
    .get_result(conn)
    .optional()?;
    Ok(found.map(assemble))
}

/// A project by either name, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_by_ref(conn: &mut DbConnection, name: &ProjectRef) -> Result<Option<Project>, Error> {
    match name {
        ProjectRef::Id(id) => find(conn, *id),
        ProjectRef::Path(path) => find_by_path(conn, path),
    }
}

/// The project, if this actor may know of it.
///
/// # Errors
/// [`Error::NotFound`], the same for a hidden project and for one that doesn't exist.
pub fn find_visible(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &ProjectRef,
) -> Result<Project, Error> {
    find_by_ref(conn, name)?
        .filter(|project| {
            ctx.actor
                .may(Right::SeeProject, &project.place(), &ctx.policy)
        })
        .ok_or(Error::NotFound(What::Project))
}

/// What narrows a list of projects.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name or full path contains this, whatever the case.
    pub search: Option<String>,
    /// In this namespace directly,
    pub group_id: Option<i64>,
    /// or anywhere below the group with this traversal.
    pub below: Option<String>,
    /// Only this visibility.
    pub visibility: Option<Visibility>,
    /// Only archived ones, or only others.
    pub archived: Option<bool>,
    /// Only projects where the actor is a member, directly or from above.
    pub membership: bool,
    /// The column to sort by.
    pub order: Order,
    /// Smallest first?
    pub ascending: bool,
}

/// What a list of projects is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// When it was made.
    #[default]
    CreatedAt,
    /// The id.
    Id,
    /// The name, whatever the case.
    Name,
    /// The path.
    Path,
    /// The last time something happened.
    LastActivityAt,
}

/// Is it the user's own, or are they a living member, of it or from above?
macro_rules! is_involved {
    ($ctx:expr) => {
        groups::owner_id
            .is_not_null()
            .and(
                groups::owner_id
                    .assume_not_null()
                    .eq($ctx.actor.user_id().unwrap_or(0)),
            )
            .or(is_member!($ctx, false))
            .or(projects::id.nullable().eq_any(
                memberships::table
                    .filter(memberships::user_id.eq($ctx.actor.user_id().unwrap_or(0)))
                    .filter(
                        memberships::expires_at
                            .is_null()
                            .or(memberships::expires_at.gt($ctx.today())),
                    )
                    .select(memberships::project_id),
            ))
    };
}

/// How many projects that this actor may know of lie directly in each of these namespaces; those
/// without any are absent.
///
/// # Errors
/// When the database is away.
pub fn count_visible_in(
    conn: &mut DbConnection,
    ctx: &Context,
    namespaces: &[i64],
) -> Result<HashMap<i64, i64>, Error> {
    let counts: Vec<(i64, i64)> = projects::table
        .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
        .filter(projects::group_id.eq_any(namespaces.to_vec()))
        .filter(
            ctx.actor
                .is_admin()
                .into_sql::<Bool>()
                .or(projects::visibility.eq_any(open_visibilities(ctx)))
                .or(is_involved!(ctx)),
        )
        .group_by(projects::group_id)
        .select((projects::group_id, count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}

/// The projects that this actor may know of.
///
/// # Errors
/// When the database is away.
pub fn list_visible(
    conn: &mut DbConnection,
    ctx: &Context,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<Project>, Error> {
    let base = || {
        let mut query = with_namespace!(projects::table).into_boxed::<Backend>();
        if let Some(id) = filter.group_id {
            query = query.filter(projects::group_id.eq(id));
        }
        if let Some(traversal) = &filter.below {
            query = query
                .filter(groups::traversal.ge(traversal.clone()))
                .filter(groups::traversal.lt(after_subtree(traversal)));
        }
        if let Some(visibility) = filter.visibility {
            query = query.filter(projects::visibility.eq(visibility.name()));
        }
        if let Some(archived) = filter.archived {
            query = query.filter(projects::archived.eq(archived));
        }
        if let Some(search) = &filter.search {
            let pattern = like_pattern(search);
            query = query.filter(
                lower(projects::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(groups::full_path.concat("/").concat(projects::path))
                        .like(pattern)
                        .escape('\\')),
            );
        }
        if filter.membership {
            query = query.filter(is_involved!(ctx));
        } else if !ctx.actor.is_admin() {
            query = query.filter(
                projects::visibility
                    .eq_any(open_visibilities(ctx))
                    .or(is_involved!(ctx)),
            );
        }
        query
    };
    let rows = base().select(whole!());
    let rows = match (filter.order, filter.ascending) {
        (Order::CreatedAt, true) => rows.order((projects::created_at.asc(), projects::id.asc())),
        (Order::CreatedAt, false) => rows.order((projects::created_at.desc(), projects::id.desc())),
        (Order::Id, true) => rows.order(projects::id.asc()),
        (Order::Id, false) => rows.order(projects::id.desc()),
        (Order::Name, true) => rows.order((lower(projects::name).asc(), projects::id.asc())),
        (Order::Name, false) => rows.order((lower(projects::name).desc(), projects::id.desc())),
        (Order::Path, true) => rows.order((lower(projects::path).asc(), projects::id.asc())),
        (Order::Path, false) => rows.order((lower(projects::path).desc(), projects::id.desc())),
        (Order::LastActivityAt, true) => {
            rows.order((projects::last_activity_at.asc(), projects::id.asc()))
        }
        (Order::LastActivityAt, false) => {
            rows.order((projects::last_activity_at.desc(), projects::id.desc()))
        }
    };
    let rows: Vec<Joined> = rows
        .limit(request.per_page + 1)
        .offset(request.offset())
        .load(conn)?;
    let page = Page::counted(rows, request, || {
        base()
            .limit(COUNTED_AT_MOST + 1)
            .select(projects::id)
            .load(conn)
    })?;
    Ok(page.map(assemble))
}

/// A project to be.
#[derive(Debug)]
pub(super) struct NewProject<'a> {
    pub namespace: &'a Group,
    pub name: &'a str,
    pub path: &'a str,
    pub description: &'a str,
    pub visibility: Visibility,
    pub creator_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a project and its address into the database.
pub(super) fn insert(conn: &mut DbConnection, new: &NewProject<'_>) -> Result<Project, Error> {
    let key = format!("{}/{}", new.namespace.full_path, new.path).to_ascii_lowercase();
    let taken = || Error::invalid("path", "has already been taken");
    if diesel::select(exists(routes::table.find(&key))).get_result(conn)? {
        return Err(taken());
    }
    let now = Timestamp::from(new.now);
    let id: i64 = diesel::insert_into(projects::table)
        .values((
            projects::group_id.eq(new.namespace.id),
            projects::name.eq(new.name),
            projects::path.eq(new.path),
            projects::description.eq(new.description),
            projects::visibility.eq(new.visibility.name()),
            projects::creator_id.eq(new.creator_id),
            projects::last_activity_at.eq(now),
            projects::created_at.eq(now),
            projects::updated_at.eq(now),
        ))
        .returning(projects::id)
        .get_result(conn)?;
    diesel::insert_into(routes::table)
        .values((routes::path_key.eq(&key), routes::project_id.eq(id)))
        .execute(conn)
        .map_err(|error| {
            if crate::db::violation::is_unique(&error, "routes", "path_key") {
                taken()
            } else {
                error.into()
            }
        })?;
    find(conn, id)?.ok_or_else(|| Error::internal(anyhow::anyhow!("a new project is not there")))
}

/// What can be changed in place.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    pub name: &'a str,
    pub path: &'a str,
    pub description: &'a str,
    pub visibility: Visibility,
    pub archived: bool,
    pub now: DateTime<Utc>,
}

/// Stores changes; a new path is a new address.
pub(super) fn update(
    conn: &mut DbConnection,
    project: &Project,
    to: &Changes<'_>,
) -> Result<(), Error> {
    let now = Timestamp::from(to.now);
    if to.path != project.path {
        let key = format!("{}/{}", project.namespace.full_path, to.path).to_ascii_lowercase();
        diesel::update(routes::table.filter(routes::project_id.eq(project.id)))
            .set(routes::path_key.eq(key))
            .execute(conn)
            .map_err(|error| {
                if crate::db::violation::is_unique(&error, "routes", "path_key") {
                    Error::invalid("path", "has already been taken")
                } else {
                    error.into()
                }
            })?;
    }
    diesel::update(projects::table.find(project.id))
        .set((
            projects::name.eq(to.name),
            projects::path.eq(to.path),
            projects::description.eq(to.description),
            projects::visibility.eq(to.visibility.name()),
            projects::archived.eq(to.archived),
            projects::last_activity_at.eq(now),
            projects::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes a project and what hangs on it out of the database; its bots must be gone before.
pub(super) fn delete(conn: &mut DbConnection, project_id: i64) -> Result<(), Error> {
    diesel::delete(projects::table.find(project_id)).execute(conn)?;
    Ok(())
}
