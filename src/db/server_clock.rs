//! How far this machine's clock is from the database server's.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::DbConnection;

diesel::define_sql_function! {
    /// PostgreSQL's clock, at this very moment.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

/// How far `now` is ahead of the server's clock; nothing on SQLite, which has no other clock than ours.
///
/// # Errors
/// When the database is away.
pub fn ahead_of_server(
    conn: &mut DbConnection,
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>, diesel::result::Error> {
    match conn {
        DbConnection::Sqlite(_) => Ok(None),
        DbConnection::Postgres(pg) => {
            let there: DateTime<Utc> = diesel::select(clock_timestamp()).get_result(pg)?;
            Ok(Some(now - there))
        }
    }
}
