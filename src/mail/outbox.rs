//! The outbox: what waits to be sent, and what became of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
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
