//! Salts of calendar addresses in the database, and whoever reads by one.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{groups, memberships, users};
use crate::error::Error;
use crate::members::Membership;
use crate::users::User;

/// The salt of a person; nothing if they never asked for an address.
pub(super) fn salt(conn: &mut DbConnection, user_id: i64) -> Result<Option<Vec<u8>>, Error> {
    Ok(users::table
        .find(user_id)
        .select(users::calendar_salt)
        .get_result(conn)
        .optional()?
        .flatten())
}

/// Gives a person another salt.
pub(super) fn put_salt(conn: &mut DbConnection, user_id: i64, salt: &[u8]) -> Result<(), Error> {
    diesel::update(users::table.find(user_id))
        .set(users::calendar_salt.eq(salt))
        .execute(conn)?;
    Ok(())
}

/// A user, their salt, and each of their memberships with the traversal of its group.
pub(super) struct WithSalt {
    pub user: User,
    pub salt: Option<Vec<u8>>,
    pub memberships: Vec<(Membership, Option<String>)>,
}

/// A user with their salt and memberships, in one query.
pub(super) fn with_salt(conn: &mut DbConnection, user_id: i64) -> Result<Option<WithSalt>, Error> {
    type Row = (User, Option<Vec<u8>>, Option<Membership>, Option<String>);
    let rows: Vec<Row> = users::table
        .left_join(memberships::table.on(memberships::user_id.eq(users::id)))
        .left_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .filter(users::id.eq(user_id))
        .select((
            User::as_select(),
            users::calendar_salt,
            Option::<Membership>::as_select(),
            groups::traversal.nullable(),
        ))
        .load(conn)?;
    let mut found: Option<WithSalt> = None;
    for (user, salt, membership, traversal) in rows {
        let found = found.get_or_insert(WithSalt {
            user,
            salt,
            memberships: Vec::new(),
        });
        found
            .memberships
            .extend(membership.map(|membership| (membership, traversal)));
    }
    Ok(found)
}

/// The traversals of the groups that a user owns by a membership that counts on this day.
pub(super) fn owned_by(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
) -> Result<Vec<String>, Error> {
    let rows: Vec<(Membership, String)> = memberships::table
        .inner_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .filter(memberships::user_id.eq(user_id))
        .select((Membership::as_select(), groups::traversal))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter(|(membership, _)| super::reader::owns(membership, today))
        .map(|(_, traversal)| traversal)
        .collect())
}
