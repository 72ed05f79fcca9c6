//! What has to be counted.

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{access_tokens, groups, memberships, projects, routes, users};
use crate::error::Error;

/// Where a group is.
#[derive(Debug, Queryable)]
pub(super) struct GroupRow {
    pub(super) id: i64,
    pub(super) parent_id: Option<i64>,
    pub(super) root_id: i64,
    pub(super) traversal: String,
}

pub(super) fn all_groups(conn: &mut DbConnection) -> Result<Vec<GroupRow>, Error> {
    Ok(groups::table
        .order(groups::id.asc())
        .select((
            groups::id,
            groups::parent_id,
            groups::root_id,
            groups::traversal,
        ))
        .load(conn)?)
}

pub(super) fn bots_without_token(conn: &mut DbConnection) -> Result<i64, Error> {
    Ok(users::table
        .filter(users::kind.eq("project_bot"))
        .filter(users::bot_gone_at.is_null())
        .filter(not(exists(
            access_tokens::table.filter(access_tokens::user_id.eq(users::id)),
        )))
        .count()
        .get_result(conn)?)
}

pub(super) fn bots_without_membership(
    conn: &mut DbConnection,
    today: NaiveDate,
) -> Result<i64, Error> {
    Ok(users::table
        .filter(users::kind.eq("project_bot"))
        .filter(users::bot_gone_at.is_null())
        .filter(exists(
            access_tokens::table
                .filter(access_tokens::user_id.eq(users::id))
                .filter(diesel::dsl::not(access_tokens::revoked))
                .filter(
                    access_tokens::expires_at
                        .is_null()
                        .or(access_tokens::expires_at.gt(today)),
                ),
        ))
        .filter(not(exists(
            memberships::table.filter(memberships::user_id.eq(users::id)),
        )))
        .count()
        .get_result(conn)?)
}

pub(super) fn lost_memberships(conn: &mut DbConnection) -> Result<i64, Error> {
    let user = users::table.filter(users::id.eq(memberships::user_id));
    let group = groups::table.filter(groups::id.nullable().eq(memberships::group_id));
    let project = projects::table.filter(projects::id.nullable().eq(memberships::project_id));
    Ok(memberships::table
        .filter(not(exists(user)).or(not(exists(group)).and(not(exists(project)))))
        .count()
        .get_result(conn)?)
}

pub(super) fn tokens_without_user(conn: &mut DbConnection) -> Result<i64, Error> {
    let user = users::table.filter(users::id.eq(access_tokens::user_id));
    Ok(access_tokens::table
        .filter(not(exists(user)))
        .count()
        .get_result(conn)?)
}

/// Tokens that name another root than the group or project that they are for.
pub(super) fn tokens_below_another_root(conn: &mut DbConnection) -> Result<i64, Error> {
    let group = groups::table
        .filter(groups::id.nullable().eq(access_tokens::group_id))
        .filter(groups::root_id.nullable().eq(access_tokens::root_id));
    let project = projects::table
        .inner_join(groups::table)
        .filter(projects::id.nullable().eq(access_tokens::project_id))
        .filter(groups::root_id.nullable().eq(access_tokens::root_id));
    let personal = access_tokens::group_id
        .is_null()
        .and(access_tokens::project_id.is_null())
        .and(access_tokens::root_id.is_null());
    Ok(access_tokens::table
        .filter(
            not(exists(group))
                .and(not(exists(project)))
                .and(not(personal)),
        )
        .count()
        .get_result(conn)?)
}

pub(super) fn lost_routes(conn: &mut DbConnection) -> Result<i64, Error> {
    let group = groups::table.filter(groups::id.nullable().eq(routes::group_id));
    let project = projects::table.filter(projects::id.nullable().eq(routes::project_id));
    Ok(routes::table
        .filter(not(exists(group)).and(not(exists(project))))
        .count()
        .get_result(conn)?)
}

pub(super) fn places_without_route(conn: &mut DbConnection) -> Result<i64, Error> {
    let of_group = routes::table.filter(routes::group_id.eq(groups::id.nullable()));
    let of_project = routes::table.filter(routes::project_id.eq(projects::id.nullable()));
    let groups: i64 = groups::table
        .filter(not(exists(of_group)))
        .count()
        .get_result(conn)?;
    let projects: i64 = projects::table
        .filter(not(exists(of_project)))
        .count()
        .get_result(conn)?;
    Ok(groups + projects)
}

pub(super) fn projects_without_namespace(conn: &mut DbConnection) -> Result<i64, Error> {
    let namespace = groups::table.filter(groups::id.eq(projects::group_id));
    Ok(projects::table
        .filter(not(exists(namespace)))
        .count()
        .get_result(conn)?)
}

pub(super) fn people_without_namespace(conn: &mut DbConnection) -> Result<i64, Error> {
    let namespace = groups::table.filter(groups::owner_id.eq(users::id.nullable()));
    Ok(users::table
        .filter(users::kind.eq("human"))
        .filter(not(exists(namespace)))
        .count()
        .get_result(conn)?)
}

/// Full paths of top-level groups without an active human Owner.
pub(super) fn groups_without_owner(
    conn: &mut DbConnection,
    today: NaiveDate,
) -> Result<Vec<String>, Error> {
    let owner = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::group_id.eq(groups::id.nullable()))
        .filter(memberships::access_level.eq(50))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(today)),
        )
        .filter(users::kind.eq("human"))
        .filter(users::state.eq("active"));
    Ok(groups::table
        .filter(groups::kind.eq("group"))
        .filter(groups::parent_id.is_null())
        .filter(not(exists(owner)))
        .order(groups::full_path.asc())
        .select(groups::full_path)
        .load(conn)?)
}
