//! What a person holds: roles in groups, their own namespace and its projects.

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{UserKind, UserState, store};
use crate::db::schema::{groups, memberships, projects, users};
use crate::db::{DbConnection, by_character, lock_roots};
use crate::error::Error;
use crate::members::AccessLevel;

use aliases::others;

/// Other names for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::memberships;
    diesel::alias!(memberships as others: Others);
}

/// Takes turns with whatever changes who may do what below any root where this person has a role, and
/// keeps them from getting another one, until the transaction ends.
pub(super) fn lock(conn: &mut DbConnection, user_id: i64) -> Result<(), Error> {
    let known = roots(conn, user_id)?;
    lock_roots(conn, &known)?;
    // After the roots, as everybody does who points at the person from below one of them.
    store::lock_row(conn, user_id)?;
    // Somebody may have given them a role in between; from here on nobody can.
    let mut late = roots(conn, user_id)?;
    late.retain(|id| !known.contains(id));
    lock_roots(conn, &late)?;
    Ok(())
}

/// The top-level groups and namespaces below which a person has a role, whatever its date.
fn roots(conn: &mut DbConnection, user_id: i64) -> Result<Vec<i64>, Error> {
    let mut roots: Vec<i64> = memberships::table
        .inner_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .filter(memberships::user_id.eq(user_id))
        .select(groups::root_id)
        .load(conn)?;
    roots.extend(
        memberships::table
            .inner_join(projects::table.on(projects::id.nullable().eq(memberships::project_id)))
            .inner_join(groups::table.on(groups::id.eq(projects::group_id)))
            .filter(memberships::user_id.eq(user_id))
            .select(groups::root_id)
            .load::<i64>(conn)?,
    );
    roots.extend(
        groups::table
            .filter(groups::owner_id.eq(user_id))
            .select(groups::root_id)
            .load::<i64>(conn)?,
    );
    Ok(roots)
}

/// The full paths of the top-level groups that this person owns and no other active person does
/// without an end: who can't be deleted before somebody else owns them for good.
///
/// # Errors
/// When the database is away.
pub fn owned_alone(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
) -> Result<Vec<String>, Error> {
    let end_of_time = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(today);
    owned_without_others(conn, user_id, today, end_of_time)
}

/// The full paths of the top-level groups that this person owns and no other active person does on this
/// day: what is without an Owner once they are blocked.
///
/// # Errors
/// When the database is away.
pub fn left_without_owner(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
) -> Result<Vec<String>, Error> {
    owned_without_others(conn, user_id, today, today)
}

/// Others count if their role goes on after this day.
fn owned_without_others(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
    beyond: NaiveDate,
) -> Result<Vec<String>, Error> {
    let owner = AccessLevel::Owner.number();
    Ok(memberships::table
        .inner_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .filter(memberships::user_id.eq(user_id))
        .filter(memberships::access_level.eq(owner))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(today)),
        )
        .filter(groups::parent_id.is_null())
        .filter(not(exists(
            others
                .inner_join(users::table.on(users::id.eq(others.field(memberships::user_id))))
                .filter(
                    others
                        .field(memberships::group_id)
                        .eq(groups::id.nullable()),
                )
                .filter(others.field(memberships::access_level).eq(owner))
                .filter(
                    others
                        .field(memberships::expires_at)
                        .is_null()
                        .or(others.field(memberships::expires_at).gt(beyond)),
                )
                .filter(users::kind.eq(UserKind::Human.as_str()))
                .filter(users::state.eq(UserState::Active.as_str()))
                .filter(users::id.ne(user_id)),
        )))
        .order(by_character(groups::full_path).asc())
        .select(groups::full_path)
        .load(conn)?)
}

/// The full paths of the projects in a person's own namespace.
///
/// # Errors
/// When the database is away.
pub fn personal_projects(conn: &mut DbConnection, user_id: i64) -> Result<Vec<String>, Error> {
    Ok(projects::table
        .inner_join(groups::table)
        .filter(groups::owner_id.eq(user_id))
        .order(projects::id.asc())
        .select(groups::full_path.concat("/").concat(projects::path))
        .load(conn)?)
}

/// Deletes the projects in a person's own namespace, and the tokens of these projects; bots are left.
pub(super) fn delete_personal_projects(conn: &mut DbConnection, user_id: i64) -> Result<(), Error> {
    let namespace = groups::table
        .filter(groups::owner_id.eq(user_id))
        .select(groups::id);
    diesel::delete(projects::table.filter(projects::group_id.eq_any(namespace))).execute(conn)?;
    Ok(())
}
