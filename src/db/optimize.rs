//! What SQLite knows of how its tables are filled.

use diesel::connection::SimpleConnection as _;

use super::DbConnection;
use crate::error::Error;

/// Look at every table, not only at those that this connection has read; count the ones that were never counted, or have
/// grown or shrunk tenfold since. SQLite looks at some thousand rows of each index then, so that it takes milliseconds
/// however large the table is.
const ALL_TABLES: &str = "PRAGMA optimize = 0x10002";

/// Lets the database learn anew how its tables are filled, from which it chooses its plans. PostgreSQL does that by itself.
///
/// # Errors
/// When the database is away.
pub fn optimize(conn: &mut DbConnection) -> Result<(), Error> {
    match conn {
        DbConnection::Sqlite(conn) => Ok(conn.batch_execute(ALL_TABLES)?),
        DbConnection::Postgres(_) => Ok(()),
    }
}
