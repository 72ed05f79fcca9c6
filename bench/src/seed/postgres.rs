//! PostgreSQL, filled by `COPY`, without indexes and foreign keys.

use std::{cell::RefCell, io::Write};

use anyhow::Context as _;
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection as _,
    pg::CopyFormat, prelude::ExecuteCopyFromDsl as _, result::Error, sql_query, sql_types::Text,
};
use latchkey::db::{
    DatabaseUrl,
    schema::{access_token_uses, access_tokens, groups, memberships, routes, users},
};

use super::table::{Cell, Sink, Store, Table};

/// What may be lost is made again: the database counts only once it is complete.
const QUICK: &str = "
    SET synchronous_commit = off;
    SET maintenance_work_mem = '1GB';
    SET max_parallel_maintenance_workers = 2;
    SET TIME ZONE 'UTC';
";

/// Bytes that are gathered before they are handed on.
const AT_ONCE: usize = 1 << 20;

/// A database that is being filled.
pub(crate) struct Postgres(PgConnection);

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = Text)]
    drop: String,
    #[diesel(sql_type = Text)]
    make: String,
}

/// Indexes that belong to no constraint.
const INDEXES: &str = "
    SELECT format('DROP INDEX %I', c.relname) AS drop, pg_get_indexdef(i.indexrelid) AS make
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass($1)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))";

/// What its rows refer to.
const FOREIGN_KEYS: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
    FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass($1)";

impl Postgres {
    /// Fills a database that nobody else uses: without indexes and foreign keys at first, all of which are there when
    /// this returns.
    pub(crate) fn fill(
        url: &DatabaseUrl,
        work: &mut dyn FnMut(&mut dyn Store) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut store = Postgres::beside(url)?;
        store.0.batch_execute(QUICK)?;
        let mut taken = store.all(FOREIGN_KEYS)?;
        taken.extend(store.all(INDEXES)?);
        for statement in &taken {
            store.run(&statement.drop)?;
        }
        work(&mut store)?;
        // Indexes before the foreign keys, which are checked by means of them.
        for statement in taken.iter().rev() {
            store.run(&statement.make)?;
        }
        store.count_on()?;
        for table in Table::ALL {
            store.run(&format!("VACUUM ANALYZE {}", table.name()))?;
        }
        store.run("CHECKPOINT").or_else(|_| Ok(()))
    }

    /// A database that a server uses meanwhile.
    pub(crate) fn beside(url: &DatabaseUrl) -> anyhow::Result<Postgres> {
        let DatabaseUrl::Postgres(address) = url else {
            anyhow::bail!("{url} is no PostgreSQL");
        };
        Ok(Postgres(PgConnection::establish(address)?))
    }

    /// New rows get ids above all that there are.
    pub(crate) fn count_on(&mut self) -> anyhow::Result<()> {
        for table in Table::ALL {
            if table.has_sequence() {
                let name = table.name();
                self.run(&format!(
                    "SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                ))?;
            }
        }
        Ok(())
    }

    fn all(&mut self, query: &str) -> anyhow::Result<Vec<Statement>> {
        let mut all = Vec::new();
        for table in Table::ALL {
            let some: Vec<Statement> = sql_query(query)
                .bind::<Text, _>(table.name())
                .load(&mut self.0)?;
            all.extend(some);
        }
        Ok(all)
    }

    fn run(&mut self, statement: &str) -> anyhow::Result<()> {
        self.0
            .batch_execute(statement)
            .with_context(|| statement.to_owned())
    }
}

impl Store for Postgres {
    fn fill(
        &mut self,
        table: Table,
        rows: &mut dyn FnMut(&mut dyn Sink) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // The rows are handed over once, by a closure that diesel may call as often as it likes.
        let rows = RefCell::new(rows);
        let conn = &mut self.0;
        macro_rules! copy {
            ($table:ident: $($column:ident)+) => {
                diesel::copy_from($table::table)
                    .from_raw_data(($($table::$column,)+), |writer: &mut dyn Write| {
                        let mut sink = Lines { writer, text: Vec::with_capacity(AT_ONCE + 4096) };
                        let handed = (rows.borrow_mut())(&mut sink).and_then(|()| sink.flush());
                        handed.map_err(|error| Error::SerializationError(error.into()))
                    })
                    .with_format(CopyFormat::Text)
                    .execute(conn)
            };
        }
        // In the order of `Table::columns`.
        let copied = match table {
            Table::Users => {
                copy!(users: id username username_key name email email_key kind state bot_group_id
                created_at updated_at)
            }
            Table::Groups => {
                copy!(groups: id kind name path full_path full_name traversal root_id parent_id visibility
                created_at updated_at)
            }
            Table::Routes => copy!(routes: path_key group_id),
            Table::Memberships => {
                copy!(memberships: id user_id group_id access_level bot created_at)
            }
            Table::AccessTokens => {
                copy!(access_tokens: id user_id group_id root_id name description scopes digest hint
                expires_at created_at updated_at)
            }
            Table::AccessTokenUses => copy!(access_token_uses: token_id last_used_at ips),
        };
        copied.with_context(|| format!("COPY into {}", table.name()))?;
        Ok(())
    }
}

/// Rows in the text format: tabs between columns. No value has a character that would have to be escaped.
struct Lines<'a> {
    writer: &'a mut dyn Write,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn flush(&mut self) -> anyhow::Result<()> {
        self.writer.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

impl Sink for Lines<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        write_row(&mut self.text, cells)?;
        if self.text.len() >= AT_ONCE {
            self.flush()?;
        }
        Ok(())
    }
}

fn write_row(text: &mut Vec<u8>, cells: &[Cell<'_>]) -> anyhow::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(b'\t');
        }
        match cell {
            Cell::Null => text.extend(b"\\N"),
            Cell::True => text.push(b't'),
            Cell::Int(number) => write!(text, "{number}")?,
            Cell::Text(words) => text.extend(words.as_bytes()),
            Cell::Bytes(bytes) => {
                text.extend(b"\\\\x");
                for byte in *bytes {
                    text.push(DIGITS[usize::from(byte >> 4)]);
                    text.push(DIGITS[usize::from(byte & 15)]);
                }
            }
        }
    }
    text.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line_of_what_postgresql_reads() {
        let mut text = Vec::new();
        let cells = [
            Cell::Int(-3),
            Cell::Null,
            Cell::True,
            Cell::Text("a b"),
            Cell::Bytes(&[0, 0xaf]),
        ];
        write_row(&mut text, &cells).unwrap();
        assert_eq!(text, b"-3\t\\N\tt\ta b\t\\\\x00af\n");
    }
}
