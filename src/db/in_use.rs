//! Who uses an SQLite file: everybody who opens it says so, by a lock on its folder, and whoever is about to put
//! another file in its place has to be alone.
//!
//! SQLite's own locks belong to a file, and so say nothing about who will open the next one of that name.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// That somebody uses a database, or that nobody else does, until this is dropped.
#[derive(Debug)]
pub struct InUse {
    _folder: File,
}

impl InUse {
    /// Says that the database is used. Nothing where the file system has no locks.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] while somebody needs to be alone.
    pub fn by_many(database: &Path) -> io::Result<Option<InUse>> {
        let folder = File::open(folder_of(database))?;
        match folder.try_lock_shared() {
            Ok(()) => Ok(Some(InUse { _folder: folder })),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// Keeps everybody else away.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] while anybody uses it, and whatever else the system says.
    pub fn by_one(database: &Path) -> io::Result<InUse> {
        let folder = File::open(folder_of(database))?;
        match folder.try_lock() {
            Ok(()) => Ok(InUse { _folder: folder }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The folder that the file really is in, whatever links lead there.
fn folder_of(database: &Path) -> PathBuf {
    let file = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_may_use_a_database_and_one_only_when_nobody_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.db");
        let blocked = |error: io::Error| assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let first = InUse::by_many(&file).unwrap().unwrap();
        let second = InUse::by_many(&file).unwrap().unwrap();
        blocked(InUse::by_one(&file).unwrap_err());
        drop(first);
        blocked(InUse::by_one(&file).unwrap_err());
        drop(second);
        let alone = InUse::by_one(&file).unwrap();
        blocked(InUse::by_many(&file).unwrap_err());
        blocked(InUse::by_one(&file).unwrap_err());
        drop(alone);
        assert!(InUse::by_many(&file).unwrap().is_some());
    }
}
