//! The outbox: what waits to be sent, and what became of it.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde_json::Value;

use crate::db::schema::emails;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// A mail to be, to one person.
#[derive(Debug, Clone)]
pub struct NewEmail {
    /// Says what it speaks of (`token_created/17`): of two mails with the same key the second one fails.
    pub key: String,
    /// Which words it is made of; whoever empties the outbox knows the kinds.
    pub kind: &'static str,
    /// The person.
    pub user_id: i64,
    /// What the words need to know. Never a secret.
    pub data: Value,
    /// From then on it is of no use to anybody.
    pub give_up_at: Option<DateTime<Utc>>,
}

/// A mail in the outbox.
#[derive(Debug, Clone)]
pub struct Email {
    /// Its number.
    pub id: i64,
    /// What it speaks of.
    pub key: String,
    /// Which words it is made of.
    pub kind: String,
    /// The person.
    pub user_id: i64,
    /// What the words need to know.
    pub data: Value,
    /// `waiting`, `sending`, `sent`, `refused` or `dropped`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, or was to be.
    pub due_at: DateTime<Utc>,
    /// From then on it is of no use to anybody.
    pub give_up_at: Option<DateTime<Utc>>,
    /// Why it isn't sent, for administrators.
    pub last_error: Option<String>,
    /// When it was put into the outbox.
    pub created_at: DateTime<Utc>,
    /// When it was sent, refused or dropped.
    pub settled_at: Option<DateTime<Utc>>,
}

type Row = (
    i64,
    String,
    String,
    i64,
    String,
    String,
    i64,
    Timestamp,
    Option<Timestamp>,
    Option<String>,
    Timestamp,
    Option<Timestamp>,
);

impl From<Row> for Email {
    fn from(row: Row) -> Self {
        let (id, key, kind, user_id, data, state, attempts, due, give_up, error, created, settled) =
            row;
        Email {
            id,
            key,
            kind,
            user_id,
            data: serde_json::from_str(&data).unwrap_or_default(),
            state,
            attempts,
            due_at: due.into(),
            give_up_at: give_up.map(DateTime::from),
            last_error: error,
            created_at: created.into(),
            settled_at: settled.map(DateTime::from),
        }
    }
}

/// What becomes of a mail that was to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server has it.
    Sent,
    /// Nobody will ever take it.
    Refused(String),
    /// Nobody needs it any more.
    Dropped(String),
}

/// How long to wait after so many attempts in vain.
pub fn back_off(attempts: i64) -> TimeDelta {
    match attempts {
        ..=1 => TimeDelta::minutes(1),
        2 => TimeDelta::minutes(5),
        3 => TimeDelta::minutes(30),
        4 => TimeDelta::hours(2),
        _ => TimeDelta::hours(6),
    }
}

/// Rows that one statement writes; databases have a limit on values.
const AT_ONCE: usize = 500;

/// Puts mails into the outbox, due at once. `real_now` is the moment by the clock, whatever day a job pretends it is.
///
/// # Errors
/// When a key is there already, or the database is away.
pub fn enqueue(
    conn: &mut DbConnection,
    new: &[NewEmail],
    real_now: DateTime<Utc>,
) -> Result<(), Error> {
    let now = Timestamp::from(real_now);
    for some in new.chunks(AT_ONCE) {
        let rows: Vec<_> = some
            .iter()
            .map(|email| {
                (
                    emails::key.eq(email.key.clone()),
                    emails::kind.eq(email.kind),
                    emails::user_id.eq(email.user_id),
                    emails::data.eq(email.data.to_string()),
                    emails::state.eq("waiting"),
                    emails::due_at.eq(now),
                    emails::give_up_at.eq(email.give_up_at.map(Timestamp::from)),
                    emails::created_at.eq(now),
                )
            })
            .collect();
        match conn {
            DbConnection::Sqlite(conn) => diesel::insert_into(emails::table)
                .values(rows)
                .execute(conn)?,
            DbConnection::Postgres(conn) => diesel::insert_into(emails::table)
                .values(rows)
                .execute(conn)?,
        };
    }
    Ok(())
}

/// Is there a mail with this key, whatever became of it?
///
/// # Errors
/// When the database is away.
pub fn has(conn: &mut DbConnection, key: &str) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(
        emails::table.filter(emails::key.eq(key)),
    ))
    .get_result(conn)?)
}

/// Those of these keys that there is a mail with, whatever became of it.
///
/// # Errors
/// When the database is away.
pub fn known(conn: &mut DbConnection, keys: Vec<String>) -> Result<HashSet<String>, Error> {
    let found: Vec<String> = emails::table
        .filter(emails::key.eq_any(keys))
        .select(emails::key)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Is there a mail that is due?
///
/// # Errors
/// When the database is away.
pub fn any_due(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<bool, Error> {
    let due = emails::table
        .filter(emails::settled_at.is_null())
        .filter(emails::due_at.le(Timestamp::from(now)));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(conn)?)
}

/// The mails that were due by then and aren't settled, the longest due first. One in the state `sending` was left
/// behind by a process that ended.
pub(super) fn due(
    conn: &mut DbConnection,
    by: DateTime<Utc>,
    at_most: i64,
) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = emails::table
        .filter(emails::settled_at.is_null())
        .filter(emails::due_at.le(Timestamp::from(by)))
        .order((emails::due_at.asc(), emails::id.asc()))
        .limit(at_most)
        .load(conn)?;
    Ok(rows.into_iter().map(Email::from).collect())
}

/// Notes that a mail is about to be sent. `false` if it was settled meanwhile.
pub(super) fn begin(conn: &mut DbConnection, id: i64) -> Result<bool, Error> {
    let changed = diesel::update(emails::table.find(id))
        .filter(emails::settled_at.is_null())
        .set((
            emails::state.eq("sending"),
            emails::attempts.eq(emails::attempts + 1),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Takes [`begin`] back for mails that nobody tried to send after all.
pub(super) fn put_back(conn: &mut DbConnection, ids: &[i64]) -> Result<(), Error> {
    diesel::update(emails::table.filter(emails::id.eq_any(ids)))
        .filter(emails::state.eq("sending"))
        .set((
            emails::state.eq("waiting"),
            emails::attempts.eq(emails::attempts - 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes how it ended.
pub(super) fn settle(
    conn: &mut DbConnection,
    id: i64,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (state, error) = match outcome {
        Outcome::Sent => ("sent", None),
        Outcome::Refused(why) => ("refused", Some(why)),
        Outcome::Dropped(why) => ("dropped", Some(why)),
    };
    diesel::update(emails::table.find(id))
        .filter(emails::settled_at.is_null())
        .set((
            emails::state.eq(state),
            emails::last_error.eq(error),
            emails::settled_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Puts a mail off that was tried so often; not beyond the moment when it is to be given up.
pub(super) fn postpone(
    conn: &mut DbConnection,
    email: &Email,
    attempts: i64,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let next = now + back_off(attempts);
    let next = email.give_up_at.map_or(next, |end| next.min(end));
    diesel::update(emails::table.find(email.id))
        .filter(emails::settled_at.is_null())
        .set((
            emails::state.eq("waiting"),
            emails::attempts.eq(attempts),
            emails::due_at.eq(Timestamp::from(next)),
            emails::last_error.eq(why),
        ))
        .execute(conn)?;
    Ok(())
}

/// Puts off what was due by then, or gives up what is of no use later: no mail gets out at all. A mail that [`begin`]
/// has counted isn't counted twice. `now` is not before `by`, or they would be due again at once. Returns how many were put off, and those that were given up; call it until there are none.
pub(super) fn postpone_due(
    conn: &mut DbConnection,
    by: DateTime<Utc>,
    why: &str,
    now: DateTime<Utc>,
    at_most: i64,
) -> Result<(u64, Vec<Email>), Error> {
    let (mut put_off, mut given_up) = (0, Vec::new());
    for email in due(conn, by, at_most)? {
        if email.give_up_at.is_some_and(|end| end <= now) {
            settle(conn, email.id, &Outcome::Dropped(why.to_owned()), now)?;
            given_up.push(email);
        } else {
            let begun = email.state == "sending";
            postpone(conn, &email, email.attempts + i64::from(!begun), why, now)?;
            put_off += 1;
        }
    }
    Ok((put_off, given_up))
}

/// The mails that an administrator may want to see: those that aren't settled or didn't get out, the newest first.
///
/// # Errors
/// When the database is away.
pub fn unsent(conn: &mut DbConnection, at_most: i64) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = emails::table
        // In the words of the index, or it isn't used.
        .filter(sql::<Bool>("state <> 'sent'"))
        .order(emails::id.desc())
        .limit(at_most)
        .load(conn)?;
    Ok(rows.into_iter().map(Email::from).collect())
}

/// The mails that no server took, the newest first.
///
/// # Errors
/// When the database is away.
pub fn refused(conn: &mut DbConnection, at_most: i64) -> Result<Vec<Email>, Error> {
    let rows: Vec<Row> = emails::table
        .filter(emails::state.eq("refused"))
        .order(emails::created_at.desc())
        .limit(at_most)
        .load(conn)?;
    Ok(rows.into_iter().map(Email::from).collect())
}

/// A mail by its number.
///
/// # Errors
/// When the database is away.
pub fn find(conn: &mut DbConnection, id: i64) -> Result<Option<Email>, Error> {
    let row: Option<Row> = emails::table.find(id).get_result(conn).optional()?;
    Ok(row.map(Email::from))
}

/// Makes a mail due at once, whatever became of it before; not one that was sent or is on its way. `false` if there is
/// nothing to do.
///
/// # Errors
/// When the database is away.
pub fn make_due(conn: &mut DbConnection, id: i64, now: DateTime<Utc>) -> Result<bool, Error> {
    let now = Timestamp::from(now);
    let changed = diesel::update(emails::table.find(id))
        .filter(emails::state.eq_any(["waiting", "refused", "dropped"]))
        .set((
            emails::state.eq("waiting"),
            emails::due_at.eq(now),
            emails::settled_at.eq(None::<Timestamp>),
            // Somebody wants it all the same.
            emails::give_up_at.eq(None::<Timestamp>),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Gives a mail up that waits. `false` if it doesn't wait.
///
/// # Errors
/// When the database is away.
pub fn give_up(
    conn: &mut DbConnection,
    id: i64,
    why: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let changed = diesel::update(emails::table.find(id))
        .filter(emails::state.eq("waiting"))
        .set((
            emails::state.eq("dropped"),
            emails::last_error.eq(why),
            emails::settled_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// How long settled mails are remembered, in days.
const REMEMBERED: i64 = 30;

/// Mails that one call of [`purge`] forgets.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Forgets mails that were settled more than 30 days ago, at most 1,000. Returns how many; fewer means that it is done.
///
/// # Errors
/// When the database is away.
pub fn purge(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let before = Timestamp::from(now - TimeDelta::days(REMEMBERED));
    let old: Vec<i64> = emails::table
        .filter(emails::settled_at.lt(before))
        .order(emails::settled_at.asc())
        .limit(FORGOTTEN_AT_ONCE)
        .select(emails::id)
        .load(conn)?;
    Ok(diesel::delete(emails::table.filter(emails::id.eq_any(old))).execute(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_between_attempts_grow_up_to_six_hours() {
        let minutes: Vec<i64> = (1..=7).map(|n| back_off(n).num_minutes()).collect();
        assert_eq!(minutes, [1, 5, 30, 120, 360, 360, 360]);
    }
}
