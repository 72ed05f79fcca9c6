//! Salts of calendar addresses in the database, and whoever reads by one.

use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{groups, memberships, users};
use crate::error::Error;
use crate::members::Membership;
use crate::users::User;
use aliases::namespaces;

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::groups;
    diesel::alias!(groups as namespaces: Namespaces);
}

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

/// A user, their salt, the traversal of their own namespace, and each of their memberships with that of its group.
pub(super) struct WithSalt {
    pub user: User,
    pub salt: Option<Vec<u8>>,
    pub namespace: Option<String>,
    pub memberships: Vec<(Membership, Option<String>)>,
}

/// A user with their salt and memberships, in one query.
pub(super) fn with_salt(conn: &mut DbConnection, user_id: i64) -> Result<Option<WithSalt>, Error> {
    type Row = (
        User,
        Option<Vec<u8>>,
        Option<String>,
        Option<Membership>,
        Option<String>,
    );
    let rows: Vec<Row> = users::table
        .left_join(memberships::table.on(memberships::user_id.eq(users::id)))
        .left_join(groups::table.on(groups::id.nullable().eq(memberships::group_id)))
        .left_join(namespaces.on(namespaces.field(groups::owner_id).eq(users::id.nullable())))
        .filter(users::id.eq(user_id))
        .select((
            User::as_select(),
            users::calendar_salt,
            namespaces.field(groups::traversal).nullable(),
            Option::<Membership>::as_select(),
            groups::traversal.nullable(),
        ))
        .load(conn)?;
    let mut found: Option<WithSalt> = None;
    for (user, salt, namespace, membership, traversal) in rows {
        let found = found.get_or_insert(WithSalt {
            user,
            salt,
            namespace,
            memberships: Vec::new(),
        });
        found
            .memberships
            .extend(membership.map(|membership| (membership, traversal)));
    }
    Ok(found)
}
