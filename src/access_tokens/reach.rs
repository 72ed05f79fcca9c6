//! How far a token reaches: what lies below its group.

use diesel::prelude::*;

use super::Resource;
use crate::context::Context;
use crate::db::schema::routes;
use crate::db::{COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Total};
use crate::error::Error;
use crate::groups::path::FullPath;
use crate::groups::store::visible_group_with;

/// What lies below a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Groups at any depth, without itself.
    pub subgroups: Total,
    /// Projects at any depth.
    pub projects: Total,
}

/// A visible group with what lies below it, in one query.
///
/// # Errors
/// [`Error::NotFound`], the same for a hidden group and for one that doesn't exist.
pub fn of_group(
    conn: &mut DbConnection,
    ctx: &Context,
    path: &str,
) -> Result<(Resource, Reach), Error> {
    // What lies below has an address that begins with the group's own, and '0' is the character after the slash.
    let key = FullPath::parse(path).map_or_else(|_| String::new(), |path| path.key());
    let below = || {
        routes::table
            .filter(routes::path_key.ge(format!("{key}/")))
            .filter(routes::path_key.lt(format!("{key}0")))
            .select(routes::path_key)
    };
    let groups = below().filter(routes::group_id.is_not_null());
    let projects = below().filter(routes::project_id.is_not_null());
    let counts = (
        Counted(groups.at_most(COUNTED_AT_MOST + 1)),
        Counted(projects.at_most(COUNTED_AT_MOST + 1)),
    );
    let (group, (subgroups, projects)) =
        visible_group_with!(conn, ctx, path, counts => (i64, i64))?;
    let reach = Reach {
        subgroups: Total::from_bounded_count(subgroups),
        projects: Total::from_bounded_count(projects),
    };
    Ok((Resource::Group(group), reach))
}
