//! `latchkey backup`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Failure;
use super::acting::Acting;
use super::instance::{Console, Instance};
use super::output::Output;
use crate::backup::{self, take};
use crate::db::{DatabaseUrl, DbConnection, SchemaState, is_pooled, schema_state};
use crate::server::run::StartError;

/// Back up the database into a file, beside a running server
///
/// SQLite is copied by Latchkey itself; PostgreSQL by pg_dump, which must be installed. The instance secret is not in
/// the file: keep a copy of it somewhere else, a backup is of no use without.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Write over the file if it is there; the old one stays until the new one is whole
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    acting: Acting,
}

impl Backup {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let config = &instance.config;
        let url = &config.database_url;
        match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => {
                return Err(Failure::new(format!("there is no database: {url}")));
            }
            DatabaseUrl::Sqlite(_) => {}
            DatabaseUrl::Postgres(text) => {
                if let Some(command) = backup::missing_program("pg_dump", text, &self.file)? {
                    return Err(Failure::new(format!(
                        "pg_dump is not installed here; where it is, run: {command}"
                    )));
                }
            }
        }
        // Whoever waits for an answer of the server goes first. A system that doesn't let us stand back copies all the same.
        let _ = rustix::process::nice(19);
        let console = self.open(instance)?;
        let secret = config.secret.file(&config.data_dir);
        let copy = take::Copy::to(&self.file, self.force, url, secret.as_deref())?;
        if let Some(console) = &console {
            let file = self.file.clone();
            console.write(move |conn, ctx| take::announce(conn, ctx, &file))?;
        }
        let taken = copy.take(url).map_err(|error| {
            let failure = Failure::from(error);
            if let Some(console) = &console {
                let (file, why) = (self.file.clone(), failure.to_string());
                // What went wrong matters more than that it couldn't be noted.
                let _ = console.write(move |conn, ctx| take::lament(conn, ctx, &file, &why));
            }
            failure
        })?;
        out.result(
            &json!({
                "file": taken.place.display().to_string(),
                "bytes": taken.bytes,
                "contains": ["database"],
            }),
            &format!(
                "Backed up the database to {} ({} KiB)",
                self.file.display(),
                taken.bytes.div_ceil(1024)
            ),
        )?;
        out.note(&match secret {
            Some(secret) => format!(
                "The instance secret is not in it. Keep a copy of {} somewhere else: without it the backup is of no use.",
                secret.display()
            ),
            None => "The instance secret is not in it. Keep a copy of LATCHKEY_SECRET somewhere else: without it the \
                     backup is of no use."
                .to_owned(),
        });
        Ok(())
    }

    /// Nothing for a database that waits for a migration: it can be backed up, and takes no line for the trail.
    fn open(&self, instance: &Instance) -> Result<Option<Console>, Failure> {
        let url = &instance.config.database_url;
        let failed = |why: String| Failure::from(StartError::Database(url.clone(), why));
        let pooled = is_pooled(url).map_err(|error| failed(error.to_string()))?;
        if pooled {
            return Err(Failure::new(format!(
                "{url} is a connection pooler, whose sessions pg_dump would leave changed: name the PostgreSQL server \
                 itself with --database-url"
            )));
        }
        let mut conn = DbConnection::look(url).map_err(|error| failed(error.to_string()))?;
        match schema_state(&mut conn).map_err(|error| failed(error.to_string()))? {
            SchemaState::Empty => Err(Failure::new(format!("the database {url} is empty"))),
            SchemaState::Newer(version) => Err(StartError::Newer(version).into()),
            SchemaState::Foreign => Err(StartError::Foreign(url.clone()).into()),
            SchemaState::Older(_) => Ok(None),
            SchemaState::Current => instance.open(&self.acting).map(Some),
        }
    }
}
