//! Moving a group's address, and with it those of everything below, in the database.
//!
//! A handful of statements, however much lies below.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, max};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Group;
use super::path::FULL_PATH_MAX;
use super::plan::Tier;
use crate::db::schema::{access_tokens, groups, projects, routes};
use crate::db::violation::is_unique;
use crate::db::{DbConnection, Timestamp, length, substr};
use crate::error::Error;

/// Below this traversal, the group itself included.
macro_rules! below {
    ($traversal:expr) => {
        $crate::db::schema::groups::traversal
            .ge($traversal.to_owned())
            .and($crate::db::schema::groups::traversal.lt($crate::db::after_subtree($traversal)))
    };
}
pub(crate) use below;

/// The rest of a column after `old`, behind `new`.
macro_rules! moved {
    ($column:expr, $old:expr, $new:expr) => {
        $new.into_sql::<Text>()
            .concat(substr($column, after(&$old)?))
    };
}

/// Puts a group in `parent`, or at the top, under this last segment; everything below comes along, tokens included.
///
/// The switch, the choice about bots and the plan are kept by roots alone: a group that stops being one loses its
/// own, one that becomes one takes along the switch and the choice that held for it so far, and begins without a plan.
/// Where it only gets another address, it keeps what it has.
///
/// # Errors
/// [`Error::Invalid`] when the address is taken.
pub(super) fn relocate(
    conn: &mut DbConnection,
    group: &Group,
    parent: Option<&Group>,
    path: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (full_path, full_name, traversal) = match parent {
        Some(parent) => (
            format!("{}/{path}", parent.full_path),
            format!("{} / {}", parent.full_name, group.name),
            format!("{}{}/", parent.traversal, group.id),
        ),
        None => (
            path.to_owned(),
            group.name.clone(),
            format!("{}/", group.id),
        ),
    };
    relocate_routes(conn, group, &full_path)?;
    let root_id = parent.map_or(group.id, |parent| parent.root_id);
    diesel::update(groups::table.find(group.id))
        .set((
            groups::path.eq(path),
            groups::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    if group.parent_id != parent.map(|parent| parent.id) {
        adopt(conn, group, parent)?;
    }
    diesel::update(groups::table.filter(below!(&group.traversal)))
        .set((
            groups::full_path.eq(moved!(groups::full_path, group.full_path, full_path)),
            groups::full_name.eq(moved!(groups::full_name, group.full_name, full_name)),
            groups::traversal.eq(moved!(
                groups::traversal,
                group.traversal,
                traversal.clone()
            )),
            groups::root_id.eq(root_id),
        ))
        .execute(conn)?;
    if root_id != group.root_id {
        relocate_tokens(conn, &traversal, root_id)?;
    }
    Ok(())
}

/// Hangs a group below another parent, or below none.
fn adopt(conn: &mut DbConnection, group: &Group, parent: Option<&Group>) -> Result<(), Error> {
    let (creation_allowed, retain_bots) = match parent {
        Some(_) => (true, None),
        None => (group.creation_allowed, group.retain_bots),
    };
    diesel::update(groups::table.find(group.id))
        .set((
            groups::parent_id.eq(parent.map(|parent| parent.id)),
            groups::resource_access_token_creation_allowed.eq(creation_allowed),
            groups::retain_bots.eq(retain_bots),
            groups::plan.eq(Tier::Free.name()),
            groups::trial.eq(false),
        ))
        .execute(conn)?;
    Ok(())
}

/// Lets the tokens of the groups and projects below this traversal know the top-level group above them.
fn relocate_tokens(conn: &mut DbConnection, traversal: &str, root_id: i64) -> Result<(), Error> {
    let groups_below = groups::table
        .filter(below!(traversal))
        .select(groups::id.nullable());
    diesel::update(access_tokens::table.filter(access_tokens::group_id.eq_any(groups_below)))
        .set(access_tokens::root_id.eq(root_id))
        .execute(conn)?;
    let projects_below = projects::table
        .inner_join(groups::table)
        .filter(below!(traversal))
        .select(projects::id.nullable());
    diesel::update(access_tokens::table.filter(access_tokens::project_id.eq_any(projects_below)))
        .set(access_tokens::root_id.eq(root_id))
        .execute(conn)?;
    Ok(())
}

/// Gives the full names from this group down another name in the group's place.
pub(super) fn rename_below(
    conn: &mut DbConnection,
    group: &Group,
    name: &str,
) -> Result<(), Error> {
    let above = group
        .full_name
        .strip_suffix(group.name.as_str())
        .unwrap_or_default();
    let full_name = format!("{above}{name}");
    diesel::update(groups::table.filter(below!(&group.traversal)))
        .set(groups::full_name.eq(moved!(groups::full_name, group.full_name, full_name)))
        .execute(conn)?;
    Ok(())
}

/// The addresses of the group, and of the groups and projects below it.
fn relocate_routes(conn: &mut DbConnection, group: &Group, full_path: &str) -> Result<(), Error> {
    let key = full_path.to_ascii_lowercase();
    if full_path.len() > group.full_path.len() {
        let longest = longest_address(conn, group)?;
        fits(longest - group.full_path.len() + full_path.len())?;
    }
    if key == group.full_path.to_ascii_lowercase() {
        return Ok(());
    }
    if diesel::select(exists(routes::table.find(&key))).get_result(conn)? {
        return Err(taken());
    }
    let groups_below = groups::table
        .filter(below!(&group.traversal))
        .select(groups::id.nullable());
    diesel::update(routes::table.filter(routes::group_id.eq_any(groups_below)))
        .set(routes::path_key.eq(moved!(routes::path_key, group.full_path, key.clone())))
        .execute(conn)
        .map_err(taken_or_failed)?;
    let projects_below = projects::table
        .inner_join(groups::table)
        .filter(below!(&group.traversal))
        .select(projects::id.nullable());
    diesel::update(routes::table.filter(routes::project_id.eq_any(projects_below)))
        .set(routes::path_key.eq(moved!(routes::path_key, group.full_path, key)))
        .execute(conn)
        .map_err(taken_or_failed)?;
    Ok(())
}

/// The number of the first character after this beginning, counted from 1 as databases do.
fn after(beginning: &str) -> Result<i32, Error> {
    i32::try_from(beginning.chars().count() + 1).map_err(|error| Error::internal(error.into()))
}

/// How many levels of groups lie below this one.
///
/// # Errors
/// When the database is away.
pub(super) fn levels_below(conn: &mut DbConnection, group: &Group) -> Result<usize, Error> {
    let traversals: Vec<String> = groups::table
        .filter(below!(&group.traversal))
        .select(groups::traversal)
        .load(conn)?;
    let deepest = traversals
        .iter()
        .map(|traversal| crate::members::ids_of(traversal).count())
        .max();
    Ok(deepest.unwrap_or(0).saturating_sub(group.depth() + 1))
}

/// The length of the longest address from this group down.
fn longest_address(conn: &mut DbConnection, group: &Group) -> Result<usize, Error> {
    let groups_below = groups::table
        .filter(below!(&group.traversal))
        .select(groups::id.nullable());
    let projects_below = projects::table
        .inner_join(groups::table)
        .filter(below!(&group.traversal))
        .select(projects::id.nullable());
    let longest: Option<i32> = routes::table
        .filter(
            routes::group_id
                .eq_any(groups_below)
                .or(routes::project_id.eq_any(projects_below)),
        )
        .select(max(length(routes::path_key)))
        .get_result(conn)?;
    let own = group.full_path.len();
    let longest = longest.and_then(|longest| usize::try_from(longest).ok());
    Ok(longest.unwrap_or(own).max(own))
}

/// May an address be so long?
///
/// # Errors
/// [`Error::Invalid`] about the path, if not.
pub(crate) fn fits(length: usize) -> Result<(), Error> {
    if length > FULL_PATH_MAX {
        return Err(Error::invalid(
            "path",
            format!(
                "is too long with those of the groups above (maximum is {FULL_PATH_MAX} characters in all)"
            ),
        ));
    }
    Ok(())
}

/// The address is somebody else's.
pub(crate) fn taken() -> Error {
    Error::invalid("path", "has already been taken")
}

/// Somebody may have taken the address after we looked.
pub(crate) fn taken_or_failed(error: diesel::result::Error) -> Error {
    if is_unique(&error, "routes", "path_key") {
        taken()
    } else {
        error.into()
    }
}
