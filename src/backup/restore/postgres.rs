//! On PostgreSQL: into an empty database, which nobody can use before the last step is done.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use diesel::connection::SimpleConnection as _;

use super::sqlite::MAGIC_OF_DUMPS;
use super::{Ending, Order, Report, cause};
use crate::backup::programs::{Dump, Rows};
use crate::backup::store;
use crate::backup::undone::Undone;
use crate::db::{
    DatabaseUrl, DbConnection, SchemaState, applied_versions_state, drop_all_tables, is_pooled,
    others_connected, schema_state,
};
use crate::error::Error;

pub(super) fn restore(order: &Order<'_>, url: &str) -> Result<Report, Error> {
    let dump = Dump(order.file);
    let (list, instance) = check_file(order, &dump)?;
    if is_pooled(order.database).is_ok_and(|pooled| pooled) {
        return Err(Error::refused(format!(
            "{} is a connection pooler, whose sessions pg_restore would leave changed: name the PostgreSQL server itself \
             with --database-url",
            order.database
        )));
    }
    let mut conn = connect(order.database)?;
    // What is done for a whole database may take longer than what is done for one request.
    conn.batch_execute("SET statement_timeout = 0")?;
    let state = schema_state(&mut conn).map_err(|error| Error::refused(error.to_string()))?;
    if state != SchemaState::Empty {
        return Err(Error::refused(format!(
            "{} is not empty, and nothing is ever put over a database: make a new one, name it in LATCHKEY_DATABASE_URL, \
             and say with --previous-database which one was in use so far",
            order.database
        )));
    }
    let mut previous = match order.previous {
        Some(name) => Some(connect_to_previous(url, name)?),
        None => None,
    };
    // Without its one row in `instance` a database is refused by every start: it isn't ready.
    let held: Vec<String> = list
        .into_iter()
        .filter(|line| !is_rows_of(line, "instance"))
        .collect();
    dump.restore(url, &held)?;
    let finished = finish(order, &mut conn, previous.as_mut(), &instance);
    if !matches!(
        finished,
        Ok(Report {
            ending: Ending::Restored { .. },
            ..
        })
    ) {
        // It was empty before.
        drop_all_tables(&mut conn).map_err(|error| {
            Error::refused(format!(
                "{} is half restored, drop it: {error}",
                order.database
            ))
        })?;
    }
    finished
}

fn finish(
    order: &Order<'_>,
    conn: &mut DbConnection,
    previous: Option<&mut DbConnection>,
    instance: &Rows,
) -> Result<Report, Error> {
    let state = order.accept_schema(conn)?;
    order.bring_up_to_date(conn, &state)?;
    let taken_at = store::taken_at(conn)?;
    let undone: Result<Undone, String> = match previous {
        Some(previous) => order.compare(conn, previous),
        None => Err("--previous-database doesn't say which database was in use so far".to_owned()),
    };
    let row = insert(instance);
    let ending = order.ending(&undone);
    let (ending, enforcement) = order.settle(conn, &undone, taken_at, ending, |conn| {
        Ok(conn.batch_execute(&row)?)
    })?;
    Ok(Report {
        taken_at,
        undone,
        enforcement,
        ending,
        aside: None,
    })
}

/// What is in the file, and the row that says which instance it is of. Nothing has been touched yet.
fn check_file(order: &Order<'_>, dump: &Dump<'_>) -> Result<(Vec<String>, Rows), Error> {
    let file = order.file.display();
    let mut head = Vec::new();
    File::open(order.file)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .map_err(|error| Error::refused(format!("{file}: {error}")))?;
    if head.starts_with(b"SQLite") {
        return Err(Error::refused(format!(
            "{file} is a backup of an SQLite database, and this instance is on PostgreSQL"
        )));
    }
    if !head.starts_with(MAGIC_OF_DUMPS) {
        return Err(Error::refused(format!(
            "{file} is no backup: it isn't what pg_dump --format=custom writes"
        )));
    }
    let damaged = |error: Error| order.damaged(&cause(&error));
    let list = dump.list().map_err(damaged)?;
    if !list
        .iter()
        .any(|line| is_rows_of(line, "__diesel_schema_migrations"))
        || !list.iter().any(|line| is_rows_of(line, "instance"))
    {
        return Err(Error::refused(format!(
            "{file} is the backup of a database, but not of Latchkey's"
        )));
    }
    let migrations = dump.rows("__diesel_schema_migrations").map_err(damaged)?;
    let versions = migrations
        .rows
        .iter()
        .filter_map(|row| row.first()?.clone())
        .collect();
    match applied_versions_state(versions).map_err(|error| Error::refused(error.to_string()))? {
        SchemaState::Newer(version) => {
            return Err(Error::refused(format!(
                "{file} was made by a newer Latchkey ({version}); restore it with that one"
            )));
        }
        SchemaState::Foreign => {
            return Err(Error::refused(format!(
                "{file} is the backup of a database, but not of Latchkey's"
            )));
        }
        _ => {}
    }
    let instance = dump.rows("instance").map_err(damaged)?;
    order.accept_secret(instance.first("secret_fingerprint"))?;
    Ok((list, instance))
}

/// A line such as `3479; 0 16391 TABLE DATA public instance latchkey`.
fn is_rows_of(line: &str, table: &str) -> bool {
    line.split_once(" TABLE DATA ")
        .and_then(|(_, rest)| rest.split(' ').nth(1))
        .is_some_and(|name| name == table)
}

/// The row of `instance` as a statement. Links for the first administrator are of no use any more.
fn insert(instance: &Rows) -> String {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (at, column) in instance.columns.iter().enumerate() {
        let value = instance.rows.first().and_then(|row| row.get(at)).cloned();
        if let Some(Some(value)) = value
            && !column.starts_with("setup_token")
        {
            columns.push(column.clone());
            values.push(format!("'{}'", value.replace('\'', "''")));
        }
    }
    format!(
        "INSERT INTO instance ({}) VALUES ({})",
        columns.join(", "),
        values.join(", ")
    )
}

fn connect(url: &DatabaseUrl) -> Result<DbConnection, Error> {
    DbConnection::open(url, &Arc::default())
        .map_err(|error| Error::refused(format!("the database {url} can't be reached: {error}")))
}

/// The database that was in use so far, on the same server; nobody may be using it any more.
fn connect_to_previous(url: &str, name: &str) -> Result<DbConnection, Error> {
    let refused = |why: String| Error::refused(format!("--previous-database {name}: {why}"));
    if name.is_empty() || name.contains(['/', '?', '#', '%', '&']) {
        return Err(refused(
            "it must be the name of a database on the same server".to_owned(),
        ));
    }
    let previous =
        DatabaseUrl::parse(&renamed(url, name)).map_err(|error| refused(error.to_string()))?;
    let mut conn = DbConnection::open(&previous, &Arc::default())
        .map_err(|error| refused(error.to_string()))?;
    match others_connected(&mut conn).map_err(|error| refused(error.to_string()))? {
        0 => Ok(conn),
        others => Err(refused(format!(
            "it is in use, by {others} connection(s); stop all nodes first"
        ))),
    }
}

/// The URL of another database on the same server.
fn renamed(url: &str, name: &str) -> String {
    let (location, query) = match url.split_once('?') {
        Some((location, query)) => (location, format!("?{query}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = location.split_once("://").unwrap_or(("postgres", location));
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_server_has_the_same_address_but_for_its_name() {
        assert_eq!(
            renamed("postgres://a:b@h:1/new?sslmode=require", "old"),
            "postgres://a:b@h:1/old?sslmode=require"
        );
        assert_eq!(renamed("postgres://h", "old"), "postgres://h/old");
    }

    #[test]
    fn the_rows_of_a_table_are_told_from_those_of_others() {
        let line = "3479; 0 16391 TABLE DATA public instance latchkey";
        assert!(is_rows_of(line, "instance"));
        assert!(!is_rows_of(line, "users"));
        assert!(!is_rows_of(
            "215; 1259 16391 TABLE public instance latchkey",
            "instance"
        ));
    }
}
