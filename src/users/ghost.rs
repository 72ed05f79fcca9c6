//! The ghost: the one user to whom the records of deleted users belong.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::store::{NewUser, insert};
use super::{User, UserKind};
use crate::access_tokens::imported;
use crate::db::DbConnection;
use crate::db::schema::{memberships, projects, users, webhooks};
use crate::error::Error;

/// Users that one statement names; databases have a limit.
const AT_ONCE: usize = 10_000;

/// Deletes users, and with their rows what is theirs alone: tokens, memberships, sessions, a namespace.
/// What they made belongs to the ghost afterwards, and no import brings their tokens back. Returns how many were there.
///
/// # Errors
/// When the database is away.
pub(crate) fn replace(
    conn: &mut DbConnection,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    inherit(conn, ids, now)?;
    delete(conn, ids)
}

/// What these users made belongs to the ghost from now on, and no import brings their tokens back: the first half
/// of [`replace`], for who deletes something else before [`delete`].
///
/// # Errors
/// When the database is away.
pub(super) fn inherit(
    conn: &mut DbConnection,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for ids in ids.chunks(AT_ONCE) {
        let ghost = find_or_make(conn, now)?.id;
        diesel::update(projects::table.filter(projects::creator_id.eq_any(ids)))
            .set(projects::creator_id.eq(ghost))
            .execute(conn)?;
        diesel::update(memberships::table.filter(memberships::created_by_id.eq_any(ids)))
            .set(memberships::created_by_id.eq(ghost))
            .execute(conn)?;
        diesel::update(webhooks::table.filter(webhooks::created_by_id.eq_any(ids)))
            .set(webhooks::created_by_id.eq(ghost))
            .execute(conn)?;
        diesel::update(users::table.filter(users::created_by_id.eq_any(ids)))
            .set(users::created_by_id.eq(ghost))
            .execute(conn)?;
        imported::remember(conn, ids)?;
    }
    Ok(())
}

/// Deletes the rows of users whose heir the ghost is. Returns how many were there.
///
/// # Errors
/// When the database is away.
pub(super) fn delete(conn: &mut DbConnection, ids: &[i64]) -> Result<usize, Error> {
    let mut deleted = 0;
    for ids in ids.chunks(AT_ONCE) {
        deleted += diesel::delete(users::table.filter(users::id.eq_any(ids))).execute(conn)?;
    }
    Ok(deleted)
}

fn find(conn: &mut DbConnection) -> Result<Option<User>, Error> {
    let found = users::table
        .filter(users::kind.eq(UserKind::Ghost.as_str()))
        .order(users::id.asc())
        .select(User::as_select())
        .load(conn)?;
    Ok(found.into_iter().next())
}

/// It is made when it is first needed. A person may be called as it would be: then it takes a number.
fn find_or_make(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<User, Error> {
    let mut number = 0_u32;
    loop {
        if let Some(ghost) = find(conn)? {
            return Ok(ghost);
        }
        let username = match number {
            0 => "ghost".to_owned(),
            _ => format!("ghost{number}"),
        };
        // In a savepoint: when the name is taken, perhaps by another deletion that makes the ghost at
        // this very moment, the transaction goes on.
        match conn.transaction(|conn| make(conn, &username, now)) {
            Err(Error::Invalid(_)) => number += 1,
            made => return made,
        }
    }
}

fn make(conn: &mut DbConnection, username: &str, now: DateTime<Utc>) -> Result<User, Error> {
    insert(
        conn,
        &NewUser {
            username,
            name: "Ghost User",
            email: &format!("{username}@noreply.invalid"),
            kind: UserKind::Ghost,
            admin: false,
            external: false,
            password_hash: None,
            bot_group_id: None,
            bot_project_id: None,
            created_by_id: None,
            now,
        },
    )
}
