//! Users in the database.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::{User, UserKind, UserState};
use crate::db::schema::{account_links, users};
use crate::db::violation::is_unique;
use crate::db::{DbConnection, Timestamp, columns};
use crate::error::Error;

/// A user as a program or a person at the console names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRef {
    /// Their id.
    Id(i64),
    /// Their user name, in any case.
    Username(String),
}

/// A user to be.
#[derive(Debug)]
pub(crate) struct NewUser<'a> {
    pub username: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub kind: UserKind,
    pub admin: bool,
    pub external: bool,
    pub password_hash: Option<&'a str>,
    pub bot_group_id: Option<i64>,
    pub bot_project_id: Option<i64>,
    pub created_by_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a confirmed, active user into the database.
///
/// # Errors
/// [`Error::Invalid`] when the user name or the address is taken.
pub(crate) fn insert(conn: &mut DbConnection, new: &NewUser<'_>) -> Result<User, Error> {
    let now = Timestamp::from(new.now);
    diesel::insert_into(users::table)
        .values((
            users::username.eq(new.username),
            users::username_key.eq(key(new.username)),
            users::name.eq(new.name),
            users::email.eq(new.email),
            users::email_key.eq(key(new.email)),
            users::kind.eq(new.kind.as_str()),
            users::state.eq(UserState::Active.as_str()),
            users::admin.eq(new.admin),
            users::external.eq(new.external),
            users::password_hash.eq(new.password_hash),
            users::bot_group_id.eq(new.bot_group_id),
            users::bot_project_id.eq(new.bot_project_id),
            users::created_by_id.eq(new.created_by_id),
            users::confirmed_at.eq(now),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .returning(columns::<User, _>())
        .get_result(conn)
        .map_err(taken)
}

/// Another user has the name or the address, or something else went wrong.
fn taken(error: diesel::result::Error) -> Error {
    if is_unique(&error, "users", "username_key") {
        Error::invalid("username", "has already been taken")
    } else if is_unique(&error, "users", "email_key") {
        Error::invalid("email", "has already been taken")
    } else {
        error.into()
    }
}

/// How names are compared. PostgreSQL takes no NUL, and no name has one.
pub(crate) fn key(text: &str) -> String {
    text.to_lowercase().replace('\0', "%00")
}

/// A user by id; bots whose token is gone are absent.
///
/// # Errors
/// When the database is away.
pub fn find(conn: &mut DbConnection, id: i64) -> Result<Option<User>, Error> {
    Ok(users::table
        .find(id)
        .filter(users::bot_gone_at.is_null())
        .select(User::as_select())
        .get_result(conn)
        .optional()?)
}

/// Users by their ids, the absent ones too.
///
/// # Errors
/// When the database is away.
pub fn find_all(conn: &mut DbConnection, ids: &[i64]) -> Result<HashMap<i64, User>, Error> {
    let rows: Vec<User> = users::table
        .filter(users::id.eq_any(ids))
        .select(User::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|user| (user.id, user)).collect())
}

/// The user names of these users, by id.
///
/// # Errors
/// When the database is away.
pub fn usernames(conn: &mut DbConnection, ids: &[i64]) -> Result<HashMap<i64, String>, Error> {
    let rows: Vec<(i64, String)> = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::username))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// A user by user name, whatever the case.
///
/// # Errors
/// When the database is away.
pub fn find_by_username(conn: &mut DbConnection, username: &str) -> Result<Option<User>, Error> {
    Ok(users::table
        .filter(users::username_key.eq(key(username)))
        .filter(users::bot_gone_at.is_null())
        .select(User::as_select())
        .get_result(conn)
        .optional()?)
}

/// A user by id or by user name.
///
/// # Errors
/// When the database is away.
pub fn find_by_ref(conn: &mut DbConnection, whom: &UserRef) -> Result<Option<User>, Error> {
    match whom {
        UserRef::Id(id) => find(conn, *id),
        UserRef::Username(username) => find_by_username(conn, username),
    }
}

/// Keeps everybody else from pointing at this user, until the transaction ends. SQLite has one writer,
/// and needs no lock.
///
/// # Errors
/// When the lock isn't had within the lock time-out, or the database is away.
pub(crate) fn lock_row(conn: &mut DbConnection, id: i64) -> Result<(), Error> {
    if let DbConnection::Postgres(pg) = conn {
        users::table
            .find(id)
            .select(users::id)
            .for_update()
            .execute(pg)?;
    }
    Ok(())
}

/// A user by user name or address, whatever the case.
///
/// # Errors
/// When the database is away.
pub fn find_by_login(conn: &mut DbConnection, login: &str) -> Result<Option<User>, Error> {
    match find_by_username(conn, login)? {
        Some(user) => Ok(Some(user)),
        None => find_by_email(conn, login),
    }
}

/// The stored hash of a person's password.
///
/// # Errors
/// When the database is away.
pub(crate) fn password_hash(conn: &mut DbConnection, id: i64) -> Result<Option<String>, Error> {
    Ok(users::table
        .find(id)
        .select(users::password_hash)
        .get_result(conn)
        .optional()?
        .flatten())
}

/// Stores another hash.
pub(crate) fn set_password_hash(
    conn: &mut DbConnection,
    id: i64,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(hash),
            users::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes how a person wants to read moments.
pub(super) fn set_exact_times(conn: &mut DbConnection, id: i64, exact: bool) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set(users::exact_times.eq(exact))
        .execute(conn)?;
    Ok(())
}

/// Notes that a person signed in.
pub(crate) fn touch_sign_in(
    conn: &mut DbConnection,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set(users::last_sign_in_at.eq(Timestamp::from(now)))
        .execute(conn)?;
    Ok(())
}

/// A user by address, whatever the case.
///
/// # Errors
/// When the database is away.
pub fn find_by_email(conn: &mut DbConnection, email: &str) -> Result<Option<User>, Error> {
    Ok(users::table
        .filter(users::email_key.eq(key(email)))
        .filter(users::bot_gone_at.is_null())
        .select(User::as_select())
        .get_result(conn)
        .optional()?)
}

/// Notes that somebody made this account for themselves, that nobody knows yet whether the address is theirs, and, with a
/// moment, that they wait to be let in.
pub(super) fn await_confirmation(
    conn: &mut DbConnection,
    id: i64,
    approval_requested_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let state = match approval_requested_at {
        Some(_) => UserState::Blocked,
        None => UserState::Active,
    };
    diesel::update(users::table.find(id))
        .set((
            users::signed_up_at.eq(Timestamp::from(now)),
            users::confirmed_at.eq(None::<Timestamp>),
            users::state.eq(state.as_str()),
            users::approval_requested_at.eq(approval_requested_at.map(Timestamp::from)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that somebody signed up once more for an account that nobody has confirmed.
pub(super) fn note_sign_up(
    conn: &mut DbConnection,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set(users::signed_up_at.eq(Timestamp::from(now)))
        .execute(conn)?;
    Ok(())
}

/// Accounts that were last signed up for before this moment, whose address nobody has confirmed, and which no link that is
/// good could still bring to life: those with an id above `after`, lowest first.
pub(super) fn unconfirmed_since(
    conn: &mut DbConnection,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    after: i64,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let link = account_links::table
        .filter(account_links::user_id.eq(users::id))
        .filter(account_links::expires_at.gt(Timestamp::from(now)));
    Ok(users::table
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::confirmed_at.is_null())
        .filter(users::signed_up_at.is_not_null())
        .filter(users::signed_up_at.le(Timestamp::from(before)))
        .filter(users::id.gt(after))
        .filter(not(exists(link)))
        .order(users::id.asc())
        .limit(limit)
        .select(users::id)
        .load(conn)?)
}

/// Notes that the address is the person's.
pub(super) fn set_confirmed(
    conn: &mut DbConnection,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set((
            users::confirmed_at.eq(Timestamp::from(now)),
            users::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores another state; whoever waited to be let in doesn't any more.
pub(crate) fn set_state(
    conn: &mut DbConnection,
    id: i64,
    state: UserState,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set((
            users::state.eq(state.as_str()),
            users::approval_requested_at.eq(None::<Timestamp>),
            users::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores what can be changed of a person, but for the password and the state.
///
/// # Errors
/// [`Error::Invalid`] when the address is taken.
pub(super) fn update(
    conn: &mut DbConnection,
    person: &User,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(person.id))
        .set((
            users::username.eq(&person.username),
            users::username_key.eq(key(&person.username)),
            users::name.eq(&person.name),
            users::email.eq(&person.email),
            users::email_key.eq(key(&person.email)),
            users::admin.eq(person.admin),
            users::external.eq(person.external),
            users::confirmed_at.eq(person.confirmed_at.map(Timestamp::from)),
            users::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)
        .map_err(taken)?;
    Ok(())
}

/// Administrators who can sign in: all that is asked about administrators goes by this.
#[diesel::dsl::auto_type(no_type_alias)]
fn acting_admins() -> _ {
    users::table
        .filter(users::kind.eq("human"))
        .filter(users::admin)
        .filter(users::confirmed_at.is_not_null())
        .filter(users::state.eq("active"))
}

/// The administrator with the lowest id of those who can sign in.
///
/// # Errors
/// When the database is away.
pub fn first_admin(conn: &mut DbConnection) -> Result<Option<User>, Error> {
    let id: Option<i64> = acting_admins()
        .select(diesel::dsl::min(users::id))
        .get_result(conn)?;
    match id {
        Some(id) => find(conn, id),
        None => Ok(None),
    }
}

/// Is there an administrator who can sign in?
///
/// # Errors
/// When the database is away.
pub fn has_admin(conn: &mut DbConnection) -> Result<bool, Error> {
    Ok(diesel::select(exists(acting_admins())).get_result(conn)?)
}

/// How many administrators can sign in.
///
/// # Errors
/// When the database is away.
pub fn count_admins(conn: &mut DbConnection) -> Result<i64, Error> {
    Ok(acting_admins().count().get_result(conn)?)
}

/// Administrators besides this one who can sign in.
pub(crate) fn other_admins(conn: &mut DbConnection, id: i64) -> Result<i64, Error> {
    Ok(acting_admins()
        .filter(users::id.ne(id))
        .count()
        .get_result(conn)?)
}

/// All people, by user name; for the console.
///
/// # Errors
/// When the database is away.
pub fn list_people(conn: &mut DbConnection) -> Result<Vec<User>, Error> {
    Ok(users::table
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .order(users::username_key.asc())
        .select(User::as_select())
        .load(conn)?)
}

/// How many people signed up and wait to be let in.
///
/// # Errors
/// When the database is away.
pub fn count_pending(conn: &mut DbConnection) -> Result<i64, Error> {
    Ok(users::table
        .filter(users::approval_requested_at.is_not_null())
        .filter(users::state.eq(UserState::Blocked.as_str()))
        .count()
        .get_result(conn)?)
}

/// How many users there are of each kind and state.
///
/// # Errors
/// When the database is away.
pub fn count_by_kind_and_state(
    conn: &mut DbConnection,
) -> Result<Vec<(UserKind, UserState, i64)>, Error> {
    // All of them from an index alone, and then those that are gone taken off, which are few.
    let by_both = || {
        users::table.group_by((users::kind, users::state)).select((
            users::kind,
            users::state,
            diesel::dsl::count_star(),
        ))
    };
    let mut rows: Vec<(String, String, i64)> = by_both().load(conn)?;
    let gone: Vec<(String, String, i64)> = by_both()
        .filter(users::bot_gone_at.is_not_null())
        .load(conn)?;
    for (kind, state, count) in gone {
        if let Some(row) = rows.iter_mut().find(|row| row.0 == kind && row.1 == state) {
            row.2 -= count;
        }
    }
    rows.retain(|row| row.2 > 0);
    rows.into_iter()
        .map(|(kind, state, count)| {
            let kind = UserKind::try_from(kind).map_err(|error| Error::internal(error.into()))?;
            let state =
                UserState::try_from(state).map_err(|error| Error::internal(error.into()))?;
            Ok((kind, state, count))
        })
        .collect()
}
