//! Taking a backup, beside a running server.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use super::draft::{COMPANIONS, Draft, beside};
use super::programs;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DatabaseUrl, DbConnection};
use crate::error::Error;

/// How long new pages may lie in memory before the disk gets them. Were they to pile up, the commits of others would
/// have to wait for all of them.
const LIE_ABOUT: Duration = Duration::from_millis(5);

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
            DatabaseUrl::Sqlite(_) => copy_sqlite(database, self.draft.path())?,
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

/// One snapshot, in one statement that takes no lock which a writer would have to wait for.
fn copy_sqlite(database: &DatabaseUrl, into: &Path) -> Result<(), Error> {
    let text = into
        .to_str()
        .ok_or_else(|| Error::refused("the name of the file must be text"))?;
    let mut conn = DbConnection::open(database, &std::sync::Arc::default())
        .map_err(|error| Error::unavailable(error.into()))?;
    let statement = format!("VACUUM INTO '{}'", text.replace('\'', "''"));
    while_syncing(into, || {
        conn.batch_execute(&statement)
            .map_err(|error| Error::refused(format!("the database could not be copied: {error}")))
    })?;
    // What was written meanwhile waits in the WAL. Moved by us, bit by bit, it isn't moved by somebody's request.
    let moved = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)");
    if let Err(error) = moved {
        tracing::debug!(%error, "The WAL was left to the server");
    }
    Ok(())
}

/// Works on a file while another thread brings to the disk, again and again, what is written so far.
fn while_syncing<T>(file: &Path, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let Ok(file) = OpenOptions::new().write(true).open(file) else {
                return;
            };
            while !done.load(Ordering::Relaxed) {
                // Whether it is really there is asked at the end.
                let _ = file.sync_data();
                thread::park_timeout(LIE_ABOUT);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        worker.thread().unpark();
        result
    })
}
