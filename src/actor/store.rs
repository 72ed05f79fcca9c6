//! Reading an actor's user and memberships anew.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::Actor;
use crate::db::DbConnection;
use crate::db::schema::{memberships, users};
use crate::error::{Denied, Error};
use crate::members::{Membership, Memberships};
use crate::users::User;

/// The user and their living memberships, in one query.
///
/// # Errors
/// When the database is away.
pub fn load_user(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
) -> Result<Option<(User, Memberships)>, Error> {
    let rows: Vec<(User, Option<Membership>)> = users::table
        .left_join(memberships::table.on(memberships::user_id.eq(users::id)))
        .filter(users::id.eq(user_id))
        .select((User::as_select(), Option::<Membership>::as_select()))
        .load(conn)?;
    Ok(fold(rows, today))
}

/// One user from the rows of a join with memberships.
pub fn fold(
    rows: Vec<(User, Option<Membership>)>,
    today: NaiveDate,
) -> Option<(User, Memberships)> {
    let mut user = None;
    let mut found = Vec::new();
    for (row, membership) in rows {
        user.get_or_insert(row);
        found.extend(membership);
    }
    user.map(|user| (user, Memberships::living(found, today)))
}

/// The same actor as the database has them now: what was let in a moment ago may have been demoted since.
///
/// # Errors
/// [`Error::Unauthenticated`] when the user is gone or may not act any more.
pub fn refresh(conn: &mut DbConnection, actor: &Actor, today: NaiveDate) -> Result<Actor, Error> {
    let Some(id) = actor.user_id() else {
        return Ok(actor.clone());
    };
    let (user, memberships) =
        load_user(conn, id, today)?.ok_or(Error::Unauthenticated(Denied::Unknown))?;
    if !user.is_active() {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    Ok(Actor {
        user: Some(user),
        memberships,
        ..actor.clone()
    })
}
