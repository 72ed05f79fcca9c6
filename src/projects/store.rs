//! Projects in the database.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::{Project, ProjectRow};
use crate::context::Context;
use crate::db::schema::{groups, projects, routes};
use crate::db::{DbConnection, Timestamp};
use crate::error::{Error, What};
use crate::groups::path::FullPath;
use crate::groups::relocation::{fits, taken, taken_or_failed};
use crate::groups::store::{root_columns, roots};
use crate::groups::{Group, GroupRow, RootRow, Visibility};
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

pub(super) type Joined = (ProjectRow, (GroupRow, RootRow));

pub(crate) fn assemble((row, namespace): Joined) -> Project {
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
            (GroupRow::as_select(), root_columns!()),
        )
    };
}

pub(super) use with_namespace;

/// A visible project by its full path, with more columns from the same query: `Ok((project, more))`.
macro_rules! visible_project_with {
    ($conn:ident, $ctx:expr, $path:expr, $more:expr => $type:ty) => {{
        use diesel::prelude::*;
        use $crate::db::schema::{groups, projects, routes};
        use $crate::groups::store::{root_columns, roots};
        let found: Option<(
            $crate::projects::ProjectRow,
            $crate::groups::GroupRow,
            $crate::groups::RootRow,
            $type,
        )> = match $crate::groups::path::FullPath::parse($path) {
            Err(_) => None,
            Ok(path) => $crate::db::straight!($conn => projects::table
                .inner_join(routes::table.on(routes::project_id.eq(projects::id.nullable())))
                .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
                .inner_join(roots.on(roots.field(groups::id).eq(groups::root_id)))
                .filter(routes::path_key.eq(path.key()))
                .select((
                    $crate::projects::ProjectRow::as_select(),
                    $crate::groups::GroupRow::as_select(),
                    root_columns!(),
                    $more,
                ))
                .get_result($conn)
                .optional()?),
        };
        found
            .map(|(row, group, root, more)| {
                (
                    $crate::projects::store::assemble((row, (group, root))),
                    more,
                )
            })
            .filter(|(project, _)| {
                let right = $crate::permissions::Right::SeeProject;
                $ctx.actor.may(right, &project.place(), &$ctx.policy)
            })
            .ok_or($crate::error::Error::NotFound($crate::error::What::Project))
    }};
}
pub(crate) use visible_project_with;

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

/// The projects with these ids, in no order, whoever asks.
///
/// # Errors
/// When the database is away.
pub fn find_all(
    conn: &mut DbConnection,
    ids: impl IntoIterator<Item = i64>,
) -> Result<Vec<Project>, Error> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<Joined> = with_namespace!(projects::table)
        .select(whole!())
        .filter(projects::id.eq_any(ids))
        .load(conn)?;
    Ok(found.into_iter().map(assemble).collect())
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

/// A project to be.
#[derive(Debug)]
pub(crate) struct NewProject<'a> {
    pub namespace: &'a Group,
    pub name: &'a str,
    pub path: &'a str,
    pub description: &'a str,
    pub visibility: Visibility,
    pub creator_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a project and its address into the database.
pub(crate) fn insert(conn: &mut DbConnection, new: &NewProject<'_>) -> Result<Project, Error> {
    let key = format!("{}/{}", new.namespace.full_path, new.path).to_ascii_lowercase();
    fits(key.len())?;
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
        .map_err(taken_or_failed)?;
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
        fits(key.len())?;
        diesel::update(routes::table.filter(routes::project_id.eq(project.id)))
            .set(routes::path_key.eq(key))
            .execute(conn)
            .map_err(taken_or_failed)?;
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
