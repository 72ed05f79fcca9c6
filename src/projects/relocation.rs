//! Moving a project's address in the database.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::Project;
use crate::db::schema::{access_tokens, projects, routes};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Group;
use crate::groups::relocation::{fits, taken, taken_or_failed};

/// Puts a project into another namespace, under its own last segment.
///
/// # Errors
/// [`Error::Invalid`] when the address is taken.
pub(super) fn relocate(
    conn: &mut DbConnection,
    project: &Project,
    to: &Group,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let key = format!("{}/{}", to.full_path, project.path).to_ascii_lowercase();
    fits(key.len())?;
    if diesel::select(exists(routes::table.find(&key))).get_result(conn)? {
        return Err(taken());
    }
    diesel::update(routes::table.filter(routes::project_id.eq(project.id)))
        .set(routes::path_key.eq(key))
        .execute(conn)
        .map_err(taken_or_failed)?;
    diesel::update(projects::table.find(project.id))
        .set((
            projects::group_id.eq(to.id),
            projects::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    diesel::update(access_tokens::table.filter(access_tokens::project_id.eq(project.id)))
        .set(access_tokens::root_id.eq(to.root_id))
        .execute(conn)?;
    Ok(())
}
