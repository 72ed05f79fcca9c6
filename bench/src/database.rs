//! A database of a measurement's own.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection as _, sql_query, sql_types::BigInt,
};
use latchkey::db::{Counters, DatabaseUrl, DbConnection};

/// A folder of a measurement's own, gone with all that is in it when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new folder in this one.
    pub(crate) fn new(parent: &Path, name: &str) -> io::Result<Folder> {
        let path = parent.join(format!("latchkey-bench-{}-{name}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left behind is a nuisance, no wrong result.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A database, gone when dropped.
#[derive(Debug)]
pub(crate) struct Database {
    url: DatabaseUrl,
    /// What to tell the server to be rid of it.
    server: Option<(DatabaseUrl, String)>,
}

impl Database {
    /// A file in this folder, or a new database on this PostgreSQL server.
    pub(crate) fn new(folder: &Path, server: Option<&str>, name: &str) -> anyhow::Result<Database> {
        let Some(server) = server else {
            return Ok(Database {
                url: DatabaseUrl::Sqlite(folder.join("latchkey.db")),
                server: None,
            });
        };
        let name = format!("latchkey_bench_{}_{name}", std::process::id());
        let mut database = Database::fresh(server, &name)?;
        database.server = Some((DatabaseUrl::parse(server)?, name));
        Ok(database)
    }

    /// A new database on this PostgreSQL server, which stays; one of this name is gone.
    pub(crate) fn fresh(server: &str, name: &str) -> anyhow::Result<Database> {
        let mut conn = open(&DatabaseUrl::parse(server).context("--postgres")?)?;
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))?;
        conn.batch_execute(&format!(
            "CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        ))?;
        Database::on(server, name)
    }

    /// A database of this PostgreSQL server, which stays.
    pub(crate) fn on(server: &str, name: &str) -> anyhow::Result<Database> {
        let (front, options) = match server.split_once('?') {
            Some((front, options)) => (front, format!("?{options}")),
            None => (server, String::new()),
        };
        // postgres://user@host:port/database
        let host_end = front
            .find("://")
            .and_then(|scheme| front[scheme + 3..].find('/').map(|at| scheme + 3 + at));
        let host = host_end.map_or(front, |end| &front[..end]);
        Ok(Database::given(DatabaseUrl::parse(&format!(
            "{host}/{name}{options}"
        ))?))
    }

    /// Somebody's database, which stays.
    pub(crate) fn given(url: DatabaseUrl) -> Database {
        Database { url, server: None }
    }

    /// Has this PostgreSQL server a database of this name?
    pub(crate) fn exists(server: &str, name: &str) -> anyhow::Result<bool> {
        let server = Database::given(DatabaseUrl::parse(server).context("--postgres")?);
        let count = server.number(&format!(
            "SELECT count(*) AS number FROM pg_database WHERE datname = '{name}'"
        ))?;
        Ok(count > 0)
    }

    /// Takes a database away, if there is one of this name.
    pub(crate) fn take_away(server: &str, name: &str) -> anyhow::Result<()> {
        let mut conn = open(&DatabaseUrl::parse(server)?)?;
        Ok(conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))?)
    }

    /// Gives a database to which nobody is connected another name.
    pub(crate) fn rename(server: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let mut conn = open(&DatabaseUrl::parse(server)?)?;
        Ok(conn.batch_execute(&format!("ALTER DATABASE {from} RENAME TO {to}"))?)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A connection.
    pub(crate) fn connect(&self) -> anyhow::Result<DbConnection> {
        open(&self.url)
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let conn = &mut self.connect()?;
        if let DbConnection::Postgres(conn) = conn {
            conn.batch_execute("SET statement_timeout = 0")?;
        }
        Ok(conn.batch_execute(statement)?)
    }

    /// A number that a query finds in a column called `number`.
    pub(crate) fn number(&self, query: &str) -> anyhow::Result<i64> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let row: Row = match &mut self.connect()? {
            DbConnection::Sqlite(conn) => sql_query(query).get_result(conn)?,
            DbConnection::Postgres(conn) => sql_query(query).get_result(conn)?,
        };
        Ok(row.number)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            // The same holds for it.
            let _ = open(server)
                .map(|mut conn| conn.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")));
        }
    }
}

fn open(url: &DatabaseUrl) -> anyhow::Result<DbConnection> {
    DbConnection::open(url, &Arc::new(Counters::default())).with_context(|| url.to_string())
}
