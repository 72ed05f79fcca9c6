//! Taking a backup, beside a running server.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::draft::{COMPANIONS, Draft, beside};
use super::programs;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DatabaseUrl, DbConnection};
use crate::error::Error;

/// A file that will hold a copy.
#[derive(Debug)]
pub struct Copy {
    place: PathBuf,
    draft: Draft,
    overwrite: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The file.
    pub place: PathBuf,
    /// How large it is.
    pub bytes: u64,
}

impl Copy {
    /// Makes sure that the file can be made, before anything else happens.
    ///
    /// # Errors
    /// [`Error::Refused`] when it can't, when it is there already and may not be written over, and, whatever is allowed, when
    /// it is the database, a file beside it that belongs to it, or the secret.
    pub fn to(
        file: &Path,
        overwrite: bool,
        database: &DatabaseUrl,
        secret: Option<&Path>,
    ) -> Result<Copy, Error> {
        let place = std::path::absolute(file).map_err(|error| cannot(file, &error))?;
        let taken = |by: &str| Err(Error::refused(format!("{} is {by}", file.display())));
        if let DatabaseUrl::Sqlite(database) = database {
            let (place, database) = (real(&place), real(database));
            if place == database {
                return taken("the database itself");
            }
            if belongs_to(&place, &database) {
                return taken("a file of the database");
            }
        }
        if secret.is_some_and(|secret| real(secret) == real(&place)) {
            return taken("the instance secret, without which no backup is of use");
        }
        match fs::symlink_metadata(&place) {
            Ok(found) if !found.is_file() => {
                return Err(Error::refused(format!(
                    "{} is there already, and is no file",
                    file.display()
                )));
            }
            Ok(_) if !overwrite => {
                return Err(Error::refused(format!(
                    "{} is there already; name another file, or say --force to write over it",
                    file.display()
                )));
            }
            _ => {}
        }
        let part = beside(&place, &format!(".part-{}", std::process::id()));
        let draft = Draft::at(part).map_err(|error| cannot(file, &error))?;
        Ok(Copy {
            place,
            draft,
            overwrite,
        })
    }

    /// Copies the database as it is at one moment, at the earliest now. Whoever reads or writes it goes on.
    ///
    /// # Errors
    /// When it can't be read, or the file not be written: then there is none.
    pub fn take(self, database: &DatabaseUrl) -> Result<Taken, Error> {
        match database {
            DatabaseUrl::Sqlite(file) => copy_sqlite(file, self.draft.path())?,
            DatabaseUrl::Postgres(url) => programs::dump(url, self.draft.path())?,
        }
        let Copy {
            place,
            draft,
            overwrite,
        } = self;
        let bytes = fs::metadata(draft.path())
            .map_err(|error| cannot(&place, &error))?
            .len();
        draft
            .finish(&place, !overwrite)
            .map_err(|error| cannot(&place, &error))?;
        Ok(Taken { place, bytes })
    }
}

/// Notes in the trail that a backup is being taken; first, so that it tells of itself and of its moment.
///
/// # Errors
/// When the database can't take the row: no backup goes unnoticed.
pub fn announce(conn: &mut DbConnection, ctx: &Context, file: &Path) -> Result<(), Error> {
    let event = Event::new("system_backup", Target::Instance);
    audit::record(
        conn,
        ctx,
        event.with(json!({ "file": file.display().to_string() })),
    )
}

/// Notes in the trail that the backup that was announced doesn't exist.
///
/// # Errors
/// When the database can't take the row.
pub fn lament(conn: &mut DbConnection, ctx: &Context, file: &Path, why: &str) -> Result<(), Error> {
    let event = Event::new("system_backup_failed", Target::Instance);
    audit::record(
        conn,
        ctx,
        event.with(json!({ "file": file.display().to_string(), "reason": why })),
    )
}

/// The file that links lead to; of one that isn't there, where it would be.
fn real(path: &Path) -> PathBuf {
    let there = fs::canonicalize(path).ok();
    let would_be = || {
        let path = std::path::absolute(path).ok()?;
        let folder = fs::canonicalize(path.parent()?).ok()?;
        Some(folder.join(path.file_name()?))
    };
    there.or_else(would_be).unwrap_or_else(|| path.to_owned())
}

/// Is this a file that SQLite or a restore keeps beside the database?
fn belongs_to(place: &Path, database: &Path) -> bool {
    let rest = place
        .as_os_str()
        .as_encoded_bytes()
        .strip_prefix(database.as_os_str().as_encoded_bytes());
    rest.is_some_and(|rest| {
        let kept = COMPANIONS.iter().chain(&[".restoring"]);
        rest.starts_with(b".before-") || kept.into_iter().any(|suffix| rest == suffix.as_bytes())
    })
}

fn cannot(file: &Path, error: &io::Error) -> Error {
    Error::refused(format!("{} can't be written: {error}", file.display()))
}

/// Pages of one step: a megabyte or so.
const STEP: i32 = 256;

/// Between two steps the disk and a core belong to others.
const PAUSE: Duration = Duration::from_millis(5);

/// One snapshot, which no writer waits for, a step at a time: what was copied is on the disk before more is. Were it to
/// pile up, the commits of others would have to wait for all of it.
fn copy_sqlite(database: &Path, into: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| {
        Error::refused(format!("the database could not be copied: {error}"))
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(database, flags).map_err(failed)?;
    source
        .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
        .map_err(failed)?;
    let mut copy = Connection::open_with_flags(into, flags).map_err(failed)?;
    // A copy that breaks off is thrown away: it needs no journal, and is synced by us.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(failed)?;
    copy_pages(&source, &mut copy, into).map_err(failed)?;
    // Alone it is easier to carry and to look at than with the files of a WAL beside it.
    copy.execute_batch("PRAGMA journal_mode = DELETE;")
        .map_err(failed)?;
    drop(copy);
    source.execute_batch("COMMIT").map_err(failed)?;
    // What was written meanwhile waits in the WAL. Moved by us, bit by bit, it isn't moved by somebody's request.
    let moved = source.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = moved {
        tracing::debug!(%error, "The WAL was left to the server");
    }
    Ok(())
}

fn copy_pages(source: &Connection, copy: &mut Connection, into: &Path) -> rusqlite::Result<()> {
    let file = OpenOptions::new().write(true).open(into).ok();
    let backup = Backup::new(source, copy)?;
    loop {
        if backup.step(STEP)? == StepResult::Done {
            return Ok(());
        }
        if let Some(file) = &file {
            // Whether it is really there is asked at the end.
            let _ = file.sync_data();
        }
        thread::park_timeout(PAUSE);
    }
}
