//! SQLite, filled by prepared statements in one transaction for each table, without indexes.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::{Connection, Statement, types::ToSqlOutput, types::ValueRef};

use super::table::{Cell, Sink, Store, Table};

/// What may be lost is made again: the file counts only once it is complete.
const QUICK: &str = "
    PRAGMA foreign_keys = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -1048576;
    PRAGMA threads = 2;
";

/// Beside a server, and as durable as what it writes.
const BESIDE: &str =
    "PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// A file that is being filled.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    /// Fills a file that nobody else uses: without indexes at first, all of which are there when this returns.
    pub(crate) fn fill(
        path: &Path,
        work: &mut dyn FnMut(&mut dyn Store) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let conn = Connection::open(path)?;
        conn.execute_batch(QUICK)?;
        let indexes = indexes(&conn)?;
        for (name, _) in &indexes {
            conn.execute_batch(&format!("DROP INDEX {name}"))?;
        }
        let mut store = Sqlite(conn);
        work(&mut store)?;
        for (name, sql) in &indexes {
            store.0.execute_batch(sql).with_context(|| name.clone())?;
        }
        store.0.execute_batch(
            "PRAGMA analysis_limit = 1000; ANALYZE users; ANALYZE groups; ANALYZE routes; ANALYZE memberships;
             ANALYZE access_tokens; ANALYZE access_token_uses;
             PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE);",
        )?;
        Ok(())
    }

    /// A file that a server uses meanwhile.
    pub(crate) fn beside(path: &Path) -> anyhow::Result<Sqlite> {
        let conn = Connection::open(path)?;
        conn.execute_batch(BESIDE)?;
        Ok(Sqlite(conn))
    }
}

/// Indexes of the tables that are filled, and how they are made. Those of constraints have no statement, and stay.
fn indexes(conn: &Connection) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    let mut select = conn.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
    )?;
    for table in Table::ALL {
        let rows = select.query_map([table.name()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            all.push(row?);
        }
    }
    Ok(all)
}

impl Store for Sqlite {
    fn fill(
        &mut self,
        table: Table,
        rows: &mut dyn FnMut(&mut dyn Sink) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let transaction = self.0.transaction()?;
        {
            let places = vec!["?"; table.columns().len()].join(", ");
            let insert = transaction.prepare(&format!(
                "INSERT INTO {} ({}) VALUES ({places})",
                table.name(),
                table.columns().join(", ")
            ))?;
            rows(&mut Insert(insert))?;
        }
        Ok(transaction.commit()?)
    }
}

struct Insert<'a>(Statement<'a>);

impl Sink for Insert<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        for (at, cell) in cells.iter().enumerate() {
            let value = match cell {
                Cell::Null => ValueRef::Null,
                Cell::True => ValueRef::Integer(1),
                Cell::Int(number) => ValueRef::Integer(*number),
                Cell::Text(text) => ValueRef::Text(text.as_bytes()),
                Cell::Bytes(bytes) => ValueRef::Blob(bytes),
            };
            self.0
                .raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
        }
        self.0.raw_execute()?;
        Ok(())
    }
}
