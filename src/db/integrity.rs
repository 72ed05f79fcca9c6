//! Whether an SQLite file is whole, as SQLite itself sees it.

use diesel::prelude::*;

use super::DbConnection;
use pragmas::{pragma_foreign_key_check, pragma_integrity_check, pragma_quick_check};

mod pragmas {
    diesel::table! {
        pragma_integrity_check (integrity_check) {
            integrity_check -> Text,
        }
    }

    diesel::table! {
        pragma_quick_check (quick_check) {
            quick_check -> Text,
        }
    }

    diesel::table! {
        pragma_foreign_key_check (child) {
            #[sql_name = "table"]
            child -> Text,
            parent -> Text,
        }
    }
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// At every page; whether indexes say the same as their tables is believed.
    Quick,
    /// At indexes, too.
    Thorough,
}

/// What is damaged, in SQLite's words: nothing when all is well. A PostgreSQL server looks after its own files.
///
/// # Errors
/// When the file can't be read at all.
pub fn damages(conn: &mut DbConnection, look: Look) -> QueryResult<Vec<String>> {
    let DbConnection::Sqlite(conn) = conn else {
        return Ok(Vec::new());
    };
    let mut found: Vec<String> = match look {
        Look::Quick => pragma_quick_check::table
            .select(pragma_quick_check::quick_check)
            .load(conn)?,
        Look::Thorough => pragma_integrity_check::table
            .select(pragma_integrity_check::integrity_check)
            .load(conn)?,
    };
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Rows that point at rows which aren't there, as pairs of tables; PostgreSQL has none.
///
/// # Errors
/// When the file can't be read.
pub fn dangling(conn: &mut DbConnection) -> QueryResult<Vec<(String, String)>> {
    match conn {
        DbConnection::Sqlite(conn) => pragma_foreign_key_check::table
            .select((
                pragma_foreign_key_check::child,
                pragma_foreign_key_check::parent,
            ))
            .load(conn),
        DbConnection::Postgres(_) => Ok(Vec::new()),
    }
}
