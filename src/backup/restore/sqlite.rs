//! On SQLite: the copy is made ready beside the database, and then takes its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::connection::SimpleConnection as _;

use super::{Order, Report, cause};
use crate::backup::draft::{COMPANIONS, Draft, beside, sync_folder_of};
use crate::backup::store;
use crate::db::integrity::{Look, damages};
use crate::db::{DbConnection, InUse};
use crate::error::Error;

/// How an SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// How a file of `pg_dump` in its own format begins.
pub(super) const MAGIC_OF_DUMPS: &[u8] = b"PGDMP";

pub(super) fn restore(order: &Order<'_>, path: &Path) -> Result<Report, Error> {
    let database = real(path).map_err(|error| failed(path, &error))?;
    check_file(order, &database)?;
    let _alone = InUse::by_one(&database).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => in_use(&database),
        _ => Error::refused(format!(
            "whether somebody uses {} can't be found out: {error}",
            database.display()
        )),
    })?;
    let mut present = Present::open(&database)?;

    let draft = Draft::at(beside(&database, ".restoring"))
        .and_then(|draft| fill(&draft, order.file).map(|()| draft))
        .map_err(|error| {
            Error::refused(format!(
                "{} can't be copied to {}: {error}",
                order.file.display(),
                database.display()
            ))
        })?;
    let mut copy =
        DbConnection::alone(draft.path()).map_err(|error| order.damaged(&error.to_string()))?;
    let state = order.accept_schema(&mut copy)?;
    let known = store::fingerprint(&mut copy).map_err(|error| order.damaged(&cause(&error)))?;
    order.accept_secret(known.as_deref())?;
    let damages =
        damages(&mut copy, Look::Thorough).map_err(|error| order.damaged(&error.to_string()))?;
    if let Some(first) = damages.first() {
        return Err(order.damaged(first));
    }
    order.bring_up_to_date(&mut copy, &state)?;
    let taken_at = store::taken_at(&mut copy)?;

    let undone = match &mut present {
        Present::Missing => Err("there is no present database".to_owned()),
        Present::Unreadable(why) => Err(format!("the present database can't be read: {why}")),
        Present::Open(conn) => order.compare(&mut copy, conn),
    };
    let ending = order.ending(&undone);
    let is_over = ending.is_some();
    let (ending, enforcement) = order.settle(&mut copy, &undone, taken_at, ending, |_| Ok(()))?;
    if is_over {
        return Ok(Report {
            taken_at,
            undone,
            enforcement,
            ending,
            aside: None,
        });
    }
    // From here on it is one file without companions, which whoever opens it next turns into what they like.
    copy.batch_execute("PRAGMA journal_mode = DELETE")?;
    drop(copy);
    let aside = swap(draft, &database, &mut present, order.now)?;
    Ok(Report {
        taken_at,
        undone,
        enforcement,
        ending,
        aside,
    })
}

/// The file that links lead to: that one is replaced, not the link.
fn real(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path),
        found => found,
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::refused(format!("{}: {error}", path.display()))
}

fn in_use(database: &Path) -> Error {
    Error::refused(format!(
        "{} is in use by a server or another program; stop it first",
        database.display()
    ))
}

/// What can be told from outside, before the database is even looked at.
fn check_file(order: &Order<'_>, database: &Path) -> Result<(), Error> {
    let file = order.file;
    let refuse = |why: &str| Err(Error::refused(format!("{} {why}", file.display())));
    let metadata = fs::metadata(file).map_err(|error| failed(file, &error))?;
    if !metadata.is_file() {
        return refuse("is no file");
    }
    if let Ok(present) = fs::metadata(database)
        && (present.dev(), present.ino()) == (metadata.dev(), metadata.ino())
    {
        return refuse("is the present database itself");
    }
    let mut head = Vec::new();
    File::open(file)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .map_err(|error| failed(file, &error))?;
    if head.starts_with(MAGIC_OF_DUMPS) {
        return refuse("is a backup of a PostgreSQL database, and this instance is on SQLite");
    }
    if head != MAGIC {
        return refuse("is no backup: it isn't an SQLite file");
    }
    let wal = beside(file, "-wal");
    if fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0) {
        return refuse(
            "is no backup but a database that was in use: its newest changes are in the file beside it, with -wal at \
             the end of the name; open it as an instance of its own and make a backup with latchkey backup",
        );
    }
    Ok(())
}

fn fill(draft: &Draft, from: &Path) -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).open(draft.path())?;
    io::copy(&mut File::open(from)?, &mut to)?;
    to.sync_all()
}

/// What is in the place where the copy is to go.
enum Present {
    Missing,
    Unreadable(String),
    Open(DbConnection),
}

impl Present {
    fn open(database: &Path) -> Result<Present, Error> {
        match fs::metadata(database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Present::Missing),
            Err(error) => return Err(failed(database, &error)),
            Ok(_) => {}
        }
        let mut conn = match DbConnection::alone(database) {
            Ok(conn) => conn,
            Err(error) => return Present::unreadable(database, &error.to_string()),
        };
        // The first look takes the lock.
        match crate::db::schema_state(&mut conn) {
            Ok(_) => Ok(Present::Open(conn)),
            Err(error) => Present::unreadable(database, &error.to_string()),
        }
    }

    fn unreadable(database: &Path, why: &str) -> Result<Present, Error> {
        if why.contains("locked") {
            return Err(in_use(database));
        }
        Ok(Present::Unreadable(why.to_owned()))
    }
}

/// Puts the copy in the database's place. At each moment the name belongs to the one or the other.
fn swap(
    draft: Draft,
    database: &Path,
    present: &mut Present,
    now: DateTime<Utc>,
) -> Result<Option<PathBuf>, Error> {
    let broken = |error: io::Error| {
        Error::refused(format!(
            "the copy could not take the place of {}: {error}",
            database.display()
        ))
    };
    let owner = match present {
        Present::Missing => database.parent().unwrap_or(Path::new(".")),
        _ => database,
    };
    draft.give_to_owner_of(owner).map_err(broken)?;
    draft.sync().map_err(broken)?;
    let aside = match present {
        Present::Missing => None,
        Present::Unreadable(_) => Some(put_aside(database, now).map_err(broken)?),
        Present::Open(conn) => {
            close_wal(database, conn)?;
            Some(put_aside(database, now).map_err(broken)?)
        }
    };
    // A leftover of a database that is gone would be taken for the new one's.
    for suffix in COMPANIONS {
        let companion = beside(database, suffix);
        let moved = match &aside {
            Some(aside) => fs::rename(&companion, beside(aside, suffix)),
            None => fs::remove_file(&companion),
        };
        match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(broken(error)),
            _ => {}
        }
    }
    draft.finish(database, false).map_err(broken)?;
    Ok(aside)
}

/// Moves what is in the WAL into the file itself, which needs no companion then, and keeps everybody out of it: as long
/// as a transaction is open that writes nothing.
fn close_wal(database: &Path, conn: &mut DbConnection) -> Result<(), Error> {
    conn.batch_execute(
        "PRAGMA journal_mode = DELETE;
         PRAGMA locking_mode = NORMAL;
         SELECT count(*) FROM sqlite_master;
         BEGIN EXCLUSIVE;",
    )
    .map_err(|error| Error::refused(format!("the present database can't be put aside: {error}")))?;
    // Only an index of what was in the WAL.
    if !beside(database, "-wal").exists() {
        let _ = fs::remove_file(beside(database, "-shm"));
    }
    Ok(())
}

/// Gives the database a second name, under which it stays when the copy takes the first. An older one isn't touched.
fn put_aside(database: &Path, now: DateTime<Utc>) -> io::Result<PathBuf> {
    let first = beside(database, ".before-restore");
    let moment = now
        .to_rfc3339_opts(SecondsFormat::Millis, true)
        .replace(':', "");
    let second = beside(database, &format!(".before-restore-{moment}"));
    let present = fs::metadata(database)?;
    for aside in [first, second] {
        match fs::hard_link(database, &aside) {
            Ok(()) => {
                sync_folder_of(&aside)?;
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = fs::symlink_metadata(&aside)?;
                // Left by a restore that was killed just then.
                if (there.dev(), there.ino()) == (present.dev(), present.ino()) {
                    return Ok(aside);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
