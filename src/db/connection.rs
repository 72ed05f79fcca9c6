//! One connection type for both databases, and how a fresh connection is set up.

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::DatabaseUrl;
use super::way::{self, Way};

/// A connection to SQLite or to PostgreSQL; queries are written once for both.
#[derive(diesel::MultiConnection)]
pub enum DbConnection {
    /// A PostgreSQL server.
    Postgres(PgConnection),
    /// An embedded SQLite file.
    Sqlite(SqliteConnection),
}

impl DbConnection {
    /// Opens and sets up one connection.
    ///
    /// # Errors
    /// When the server or the file can't be reached or opened.
    pub fn open(url: &DatabaseUrl, counters: &Arc<Counters>) -> Result<Self, ConnectionError> {
        DbConnection::open_on_its_way(url, counters).map(|(conn, _)| conn)
    }

    /// As [`DbConnection::open`]; also tells what lies in between.
    pub(super) fn open_on_its_way(
        url: &DatabaseUrl,
        counters: &Arc<Counters>,
    ) -> Result<(Self, Way), ConnectionError> {
        let mut way = Way::Straight;
        let mut conn = match url {
            DatabaseUrl::Sqlite(path) => {
                DbConnection::Sqlite(sqlite(&path.to_string_lossy(), SQLITE_PRAGMAS)?)
            }
            DatabaseUrl::Postgres(_) => {
                let (conn, found) = way::establish(url)?;
                way = found;
                DbConnection::Postgres(conn)
            }
        };
        conn.set_instrumentation(CountQueries::into(counters));
        Ok((conn, way))
    }

    /// Opens to look and for nothing else: an SQLite file that isn't there isn't made, and one that is can't be changed.
    ///
    /// # Errors
    /// When the server or the file can't be reached or opened.
    pub fn look(url: &DatabaseUrl) -> Result<Self, ConnectionError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let bytes = std::path::absolute(path)
                    .unwrap_or_else(|_| path.clone())
                    .into_os_string()
                    .into_encoded_bytes();
                let address = format!("file:{}?mode=ro", percent_encode(&bytes, IN_ADDRESS));
                Ok(DbConnection::Sqlite(sqlite(&address, LOOKING)?))
            }
            DatabaseUrl::Postgres(_) => DbConnection::open(url, &Arc::default()),
        }
    }

    /// Opens an SQLite file that nobody else has open, and keeps everybody else out of it until this is dropped. Says
    /// that the database is locked, with the first query, if somebody has it open.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn alone(path: &Path) -> Result<Self, ConnectionError> {
        Ok(DbConnection::Sqlite(sqlite(
            &path.to_string_lossy(),
            ALONE,
        )?))
    }
}

/// Runs what is asked for with each request on the connection that is behind ours. Through [`DbConnection`] a statement is
/// written down twice each time, though it is kept: once to learn whether it may be kept, once for what goes with it. That
/// takes as long as SQLite needs to answer.
macro_rules! straight {
    ($conn:ident => $query:expr) => {
        match $conn {
            $crate::db::DbConnection::Sqlite($conn) => $query,
            $crate::db::DbConnection::Postgres($conn) => $query,
        }
    };
}
pub(crate) use straight;

fn sqlite(address: &str, pragmas: &str) -> Result<SqliteConnection, ConnectionError> {
    let mut conn = SqliteConnection::establish(address)?;
    conn.batch_execute(pragmas)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    // SQLite's own folds ASCII only; PostgreSQL's and ours fold every script.
    super::lower_utils::register_impl(&mut conn, |text: String| text.to_lowercase())
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    // Its own order by characters, under the name that PostgreSQL has for it. diesel hands over the right side first.
    conn.register_collation("C", |right: &str, left: &str| left.cmp(right))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Acknowledged is durable (`synchronous`), and other processes are waited for, at most five seconds. A journal that one large
/// transaction made long is cut to 16 MiB again when it begins anew.
///
/// The file isn't mapped into memory (`mmap_size`). SQLite takes the whole mapping away after each change that somebody else
/// made, and finds each page anew: reads beside a thousand creations a second lose a third of their speed by that, and those
/// of ten million tokens gain nothing. And what the disk refuses is an error then, and not the end of the process.
const SQLITE_PRAGMAS: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY;
";

const LOOKING: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY;
";

/// The file stays in the journal mode that it is in: changing that is a change.
const ALONE: &str = "
    PRAGMA busy_timeout = 1000;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY;
";

/// What stands for itself in the path of an address.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// How many queries ran and how many statements were prepared, since the program started.
#[derive(Debug, Default)]
pub struct Counters {
    queries: AtomicU64,
    prepared: AtomicU64,
}

impl Counters {
    /// Statements sent to the database, transaction control left out.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Statements that had to be prepared because no connection had kept them.
    pub fn prepared(&self) -> u64 {
        self.prepared.load(Ordering::Relaxed)
    }
}

/// Counts without looking at what is asked: to write a statement down again costs more than to run it.
struct CountQueries {
    counters: Arc<Counters>,
    /// The statement that comes next begins or ends a transaction.
    control: bool,
}

impl CountQueries {
    fn into(counters: &Arc<Counters>) -> Self {
        CountQueries {
            counters: Arc::clone(counters),
            control: false,
        }
    }
}

impl Instrumentation for CountQueries {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::BeginTransaction { .. }
            | InstrumentationEvent::CommitTransaction { .. }
            | InstrumentationEvent::RollbackTransaction { .. } => self.control = true,
            InstrumentationEvent::StartQuery { .. } => {
                let counted = u64::from(!std::mem::take(&mut self.control));
                self.counters.queries.fetch_add(counted, Ordering::Relaxed);
            }
            InstrumentationEvent::CacheQuery { .. } => {
                self.counters.prepared.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}
