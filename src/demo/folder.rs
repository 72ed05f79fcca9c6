//! The folder that a demo keeps its data in, and may empty: only one that bears the demo's own marker, and
//! that no other demo is using.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Lies in the folder, and is locked while a demo runs on it.
const MARKER: &str = ".latchkey-demo";

/// How many folders beside the first one are tried.
const BESIDE: u32 = 20;

/// A folder of our own, until it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why there is no folder to be had.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It holds something that isn't a demo's.
    #[error("{0} is not the folder of a demo, and is left as it is; name another with --dir")]
    NotOurs(PathBuf),
    /// Another demo runs on it.
    #[error("{0} is in use by another demo; stop that one, or start without --keep")]
    InUse(PathBuf),
    /// The system says no.
    #[error("the folder {0} can't be used: {1}")]
    Io(PathBuf, io::Error),
}

impl Folder {
    /// Takes the folder `wanted`, or one in the directory for temporary files, and empties it unless it is to
    /// be kept. If another demo uses it, one beside it is taken.
    ///
    /// # Errors
    /// When the folder isn't a demo's, or can't be made.
    pub fn take(wanted: Option<&Path>, keep: bool) -> Result<Folder, FolderError> {
        let ours = wanted.is_none();
        let base = wanted.map_or_else(default_path, Path::to_owned);
        let base = std::path::absolute(&base).map_err(|error| FolderError::Io(base, error))?;
        for number in 1..=BESIDE {
            let path = beside(&base, number);
            match claim(&path) {
                Ok(lock) => {
                    if !keep {
                        empty(&path).map_err(|error| FolderError::Io(path.clone(), error))?;
                    }
                    return Ok(Folder { path, _lock: lock });
                }
                Err(FolderError::InUse(_)) if !keep => {}
                // In a directory that all users share, somebody else's folder may have our name.
                Err(FolderError::NotOurs(_)) if ours => {}
                Err(error) => return Err(error),
            }
        }
        Err(FolderError::InUse(base))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// One for each user of the machine.
fn default_path() -> PathBuf {
    let user = match own_id() {
        Some(id) => id.to_string(),
        None => std::env::var("USER").unwrap_or_else(|_| "user".to_owned()),
    };
    std::env::temp_dir().join(format!("latchkey-demo-{user}"))
}

/// The number of the user who runs this program: whose the program's own entry in /proc is, or elsewhere the
/// home directory.
fn own_id() -> Option<u32> {
    let entry = fs::metadata("/proc/self").or_else(|error| match std::env::var_os("HOME") {
        Some(home) => fs::metadata(home),
        None => Err(error),
    });
    entry.ok().map(|metadata| metadata.uid())
}

fn beside(base: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return base.to_owned();
    }
    let mut name = base.as_os_str().to_owned();
    name.push(format!("-{number}"));
    PathBuf::from(name)
}

/// Makes the folder if it isn't there, and locks its marker.
fn claim(path: &Path) -> Result<File, FolderError> {
    let failed = |error: io::Error| FolderError::Io(path.to_owned(), error);
    let not_ours = || FolderError::NotOurs(path.to_owned());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => not_ours(),
            _ => failed(error),
        })?;
    // Not followed: in a shared directory, a link may lead into anybody's trap.
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    if !metadata.is_dir() || own_id().is_some_and(|id| id != metadata.uid()) {
        return Err(not_ours());
    }
    let marker = path.join(MARKER);
    let is_marked = fs::symlink_metadata(&marker).is_ok_and(|metadata| metadata.is_file());
    let mut entries = fs::read_dir(path).map_err(failed)?;
    if !is_marked && entries.next().is_some() {
        return Err(not_ours());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&marker)
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes everything but the marker.
fn empty(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() == MARKER {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_folder_is_made_for_its_owner_alone_and_marked() {
        let dir = TempDir::new().unwrap();
        let folder = Folder::take(Some(&dir.path().join("a/demo")), false).unwrap();
        assert_eq!(names(folder.path()), [MARKER]);
        assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_demos_folder_is_emptied_unless_it_is_kept() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("demo");
        drop(Folder::take(Some(&path), false).unwrap());
        fs::create_dir(path.join("repositories")).unwrap();
        fs::write(path.join("repositories/one"), "x").unwrap();
        fs::write(path.join("latchkey.db"), "x").unwrap();
        drop(Folder::take(Some(&path), true).unwrap());
        assert_eq!(names(&path), [MARKER, "latchkey.db", "repositories"]);
        drop(Folder::take(Some(&path), false).unwrap());
        assert_eq!(names(&path), [MARKER]);
    }

    #[test]
    fn a_folder_without_the_marker_is_never_emptied() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("thesis.txt"), "x").unwrap();
        for keep in [false, true] {
            let refused = Folder::take(Some(dir.path()), keep).unwrap_err();
            assert!(matches!(refused, FolderError::NotOurs(_)), "{refused}");
        }
        assert_eq!(names(dir.path()), ["thesis.txt"]);
        let file = dir.path().join("thesis.txt");
        assert!(matches!(
            Folder::take(Some(&file), false),
            Err(FolderError::NotOurs(_))
        ));
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = TempDir::new().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(
            Folder::take(Some(&link), false),
            Err(FolderError::NotOurs(_))
        ));
        assert!(names(&target).is_empty());
    }

    #[test]
    fn a_second_demo_goes_beside_the_first_and_does_not_touch_it() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("demo");
        let first = Folder::take(Some(&path), false).unwrap();
        fs::write(first.path().join("latchkey.db"), "x").unwrap();
        let second = Folder::take(Some(&path), false).unwrap();
        assert_eq!(second.path(), dir.path().join("demo-2"));
        assert_eq!(names(first.path()), [MARKER, "latchkey.db"]);
        let kept = Folder::take(Some(&path), true).unwrap_err();
        assert!(matches!(kept, FolderError::InUse(_)), "{kept}");
        drop(first);
        assert_eq!(Folder::take(Some(&path), false).unwrap().path(), path);
    }
}
