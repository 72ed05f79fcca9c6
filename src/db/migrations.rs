//! Bringing a database to this program's schema, and telling when it isn't ours to touch.

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::way::Way;
use super::{DbConnection, lock_instance};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// What the migrations on PostgreSQL make besides tables and what hangs on them.
const FUNCTIONS: [&str; 2] = ["audit_events_refuse", "projects_leave_repository"];

/// How a database's schema compares with this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// No tables at all, and no functions that bear the names of ours.
    Empty,
    /// Just what this program wants.
    Current,
    /// So many migrations are missing.
    Older(usize),
    /// Made by a newer Latchkey: it names a migration that this program doesn't know.
    Newer(String),
    /// Somebody else's tables.
    Foreign,
}

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Looks at the schema; changes nothing.
///
/// # Errors
/// When the database can't be read.
pub fn schema_state(conn: &mut DbConnection) -> Result<SchemaState, BoxedError> {
    // Before the tables, with which they are made: another node may be at it just now.
    let functions = functions_left(conn)?;
    let tables = table_names(conn)?;
    if tables.is_empty() {
        return Ok(if functions == 0 {
            SchemaState::Empty
        } else {
            SchemaState::Foreign
        });
    }
    if !tables
        .iter()
        .any(|name| name == "__diesel_schema_migrations")
    {
        return Ok(SchemaState::Foreign);
    }
    let applied: Vec<String> = match conn {
        DbConnection::Sqlite(c) => c
            .applied_migrations()?
            .iter()
            .map(ToString::to_string)
            .collect(),
        DbConnection::Postgres(c) => c
            .applied_migrations()?
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    if applied.is_empty() {
        // Our table of migrations with nothing in it: all ways down. Other tables beside it are foreign.
        return Ok(if tables.len() == 1 {
            SchemaState::Empty
        } else {
            SchemaState::Foreign
        });
    }
    applied_versions_state(applied)
}

/// How a database's schema stands to which these migrations were applied.
///
/// # Errors
/// When this program's own can't be read.
pub fn applied_versions_state(applied: Vec<String>) -> Result<SchemaState, BoxedError> {
    let known = known_versions()?;
    if let Some(unknown) = applied
        .iter()
        .filter(|version| !known.contains(version))
        .max()
    {
        let ours = applied.iter().any(|version| known.contains(version));
        return Ok(if ours {
            SchemaState::Newer(unknown.clone())
        } else {
            SchemaState::Foreign
        });
    }
    Ok(match known.len() - applied.len() {
        0 => SchemaState::Current,
        missing => SchemaState::Older(missing),
    })
}

/// Applies what is missing, all or nothing; of several processes that start together one does the work.
/// Returns how many migrations were applied.
///
/// # Errors
/// When a migration fails; nothing is changed then.
pub fn migrate(conn: &mut DbConnection) -> Result<usize, BoxedError> {
    migrate_and(conn, |_, _| Ok(()))
}

/// As [`migrate`]; in the same transaction `then` is told how many were applied, if any was.
///
/// # Errors
/// As [`migrate`], and those of `then`.
pub fn migrate_and(
    conn: &mut DbConnection,
    then: impl FnOnce(&mut DbConnection, usize) -> Result<(), BoxedError>,
) -> Result<usize, BoxedError> {
    in_one_transaction(conn, |conn| {
        let applied = match conn {
            DbConnection::Sqlite(c) => c.run_pending_migrations(SQLITE)?.len(),
            DbConnection::Postgres(c) => c.run_pending_migrations(POSTGRES)?.len(),
        };
        if applied > 0 {
            then(conn, applied)?;
        }
        Ok(applied)
    })
}

/// Takes back the last `steps` migrations, newest first. Returns how many were taken back.
///
/// # Errors
/// When one fails; nothing is changed then.
pub fn revert(conn: &mut DbConnection, steps: usize) -> Result<usize, BoxedError> {
    in_one_transaction(conn, |conn| {
        let mut done = 0;
        for _ in 0..steps {
            let any_left = match conn {
                DbConnection::Sqlite(c) => !c.applied_migrations()?.is_empty(),
                DbConnection::Postgres(c) => !c.applied_migrations()?.is_empty(),
            };
            if !any_left {
                break;
            }
            match conn {
                DbConnection::Sqlite(c) => c.revert_last_migration(SQLITE)?,
                DbConnection::Postgres(c) => c.revert_last_migration(POSTGRES)?,
            };
            done += 1;
        }
        Ok(done)
    })
}

fn in_one_transaction<T>(
    conn: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> Result<T, BoxedError>,
) -> Result<T, BoxedError> {
    /// Diesel's transactions want an error that can be made from Diesel's own.
    struct Failed(BoxedError);
    impl From<diesel::result::Error> for Failed {
        fn from(error: diesel::result::Error) -> Self {
            Failed(error.into())
        }
    }
    super::writer::immediate_transaction(conn, Way::Straight, |conn| {
        lock_instance(conn)?;
        work(conn).map_err(Failed)
    })
    .map_err(|Failed(error)| error)
}

/// Makes a database on PostgreSQL empty: its schema is one that was empty a moment ago.
///
/// # Errors
/// When somebody else uses a table, or the database is away.
pub fn drop_all_tables(conn: &mut DbConnection) -> Result<(), diesel::result::Error> {
    use diesel::connection::SimpleConnection as _;
    let names: Vec<String> = table_names(conn)?
        .iter()
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect();
    let mut statements = Vec::new();
    if !names.is_empty() {
        statements.push(format!("DROP TABLE {} CASCADE", names.join(", ")));
    }
    statements.push(format!(
        "DROP FUNCTION IF EXISTS {} CASCADE",
        FUNCTIONS.join(", ")
    ));
    conn.batch_execute(&statements.join("; "))
}

/// How many functions have the names of ours.
fn functions_left(conn: &mut DbConnection) -> Result<i64, diesel::result::Error> {
    use catalog::{pg_namespace as schemas, pg_proc as functions};
    match conn {
        DbConnection::Sqlite(_) => Ok(0),
        DbConnection::Postgres(pg) => functions::table
            .inner_join(schemas::table.on(schemas::oid.eq(functions::pronamespace)))
            .filter(schemas::nspname.eq(catalog::current_schema()))
            .filter(functions::proname.eq_any(FUNCTIONS))
            .count()
            .get_result(pg),
    }
}

/// How many other programs are connected to the same database on a PostgreSQL server.
///
/// # Errors
/// When the database is away.
pub fn others_connected(conn: &mut DbConnection) -> Result<i64, diesel::result::Error> {
    use catalog::pg_stat_activity as activity;
    match conn {
        DbConnection::Sqlite(_) => Ok(0),
        DbConnection::Postgres(pg) => activity::table
            .filter(activity::datname.eq(catalog::current_database()))
            .filter(activity::backend_type.eq("client backend"))
            .filter(activity::pid.ne(catalog::pg_backend_pid()))
            .count()
            .get_result(pg),
    }
}

fn known_versions() -> Result<Vec<String>, BoxedError> {
    let all: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = SQLITE.migrations()?;
    Ok(all
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

diesel::table! {
    sqlite_master (name) {
        name -> Text,
        #[sql_name = "type"]
        kind -> Text,
    }
}

mod catalog {
    diesel::table! {
        pg_catalog.pg_tables (tablename) {
            tablename -> Text,
            schemaname -> Text,
        }
    }
    diesel::table! {
        pg_catalog.pg_stat_activity (pid) {
            pid -> Integer,
            datname -> Text,
            backend_type -> Text,
        }
    }
    diesel::table! {
        pg_catalog.pg_proc (oid) {
            oid -> Oid,
            proname -> Text,
            pronamespace -> Oid,
        }
    }
    diesel::table! {
        pg_catalog.pg_namespace (oid) {
            oid -> Oid,
            nspname -> Text,
        }
    }
    diesel::allow_tables_to_appear_in_same_query!(pg_proc, pg_namespace);
    diesel::define_sql_function! {
        /// The name of the database.
        fn current_database() -> Text;
    }
    diesel::define_sql_function! {
        /// The number of our own connection.
        fn pg_backend_pid() -> Integer;
    }
    diesel::define_sql_function! {
        /// The schema that new tables go to.
        fn current_schema() -> Text;
    }
}

fn table_names(conn: &mut DbConnection) -> Result<Vec<String>, diesel::result::Error> {
    match conn {
        DbConnection::Sqlite(c) => sqlite_master::table
            .filter(sqlite_master::kind.eq("table"))
            .filter(sqlite_master::name.not_like("sqlite_%"))
            .select(sqlite_master::name)
            .load(c),
        DbConnection::Postgres(c) => catalog::pg_tables::table
            .filter(catalog::pg_tables::schemaname.eq(catalog::current_schema()))
            .select(catalog::pg_tables::tablename)
            .load(c),
    }
}
