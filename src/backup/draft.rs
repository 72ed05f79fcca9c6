//! A file in the making: beside the place where it is to be, for its owner's eyes only, and gone unless it is finished.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What SQLite may put beside a file.
pub(super) const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file that isn't finished.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
}

/// The file of this name with something behind it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OsStr::new(suffix));
    PathBuf::from(name)
}

impl Draft {
    /// An empty one at this path. What a program that was killed has left there is removed.
    pub(super) fn at(path: PathBuf) -> io::Result<Draft> {
        remove_with_companions(&path)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Draft { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it to whoever has the other file, or the folder, when an administrator of the machine works for somebody.
    pub(super) fn give_to_owner_of(&self, other: &Path) -> io::Result<()> {
        let (ours, theirs) = (fs::metadata(&self.path)?, fs::metadata(other)?);
        if (ours.uid(), ours.gid()) != (theirs.uid(), theirs.gid()) {
            std::os::unix::fs::chown(&self.path, Some(theirs.uid()), Some(theirs.gid()))?;
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600))
    }

    /// Waits until all of it is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Puts it in its place, at once and whole, over whatever is there; or, with `new`, only where nothing is.
    pub(super) fn finish(self, place: &Path, new: bool) -> io::Result<()> {
        self.finish_by(place, new, |from, to| fs::hard_link(from, to))
    }

    fn finish_by(
        self,
        place: &Path,
        new: bool,
        link: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        self.sync()?;
        if new {
            // Unlike a rename, a link is never over another file. The draft's own name goes when it is dropped.
            match link(&self.path, place) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    self.take_free(place)?;
                }
                linked => linked?,
            }
        } else {
            fs::rename(&self.path, place)?;
        }
        sync_folder_of(place)
    }

    /// On a file system without links: first the name is made ours, with nothing in it, then the draft takes it.
    fn take_free(&self, place: &Path) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(place)?;
        fs::rename(&self.path, place).inspect_err(|_| {
            let _ = fs::remove_file(place);
        })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What is left behind is removed by the next one.
        let _ = remove_with_companions(&self.path);
    }
}

/// Names are on the disk once their folder is.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn remove_with_companions(path: &Path) -> io::Result<()> {
    let companions = COMPANIONS.iter().map(|suffix| beside(path, suffix));
    for file in std::iter::once(path.to_owned()).chain(companions) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_no_links_a_file_is_put_in_a_free_place_all_the_same_and_over_none() {
        let folder = tempfile::tempdir().unwrap();
        let (part, place) = (folder.path().join("b.part"), folder.path().join("b"));
        let none = |_: &Path, _: &Path| Err(io::ErrorKind::Unsupported.into());
        let draft = Draft::at(part.clone()).unwrap();
        fs::write(draft.path(), "first").unwrap();
        draft.finish_by(&place, true, none).unwrap();
        let draft = Draft::at(part.clone()).unwrap();
        fs::write(draft.path(), "second").unwrap();
        assert!(draft.finish_by(&place, true, none).is_err());
        assert_eq!(fs::read_to_string(&place).unwrap(), "first");
        assert!(!part.exists());
    }

    #[test]
    fn what_is_not_finished_is_gone_and_what_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (part, place) = (folder.path().join("b.part"), folder.path().join("b"));
        drop(Draft::at(part.clone()).unwrap());
        assert!(!part.exists());
        fs::write(&place, "old").unwrap();
        let draft = Draft::at(part.clone()).unwrap();
        fs::write(draft.path(), "new").unwrap();
        assert!(draft.finish(&place, true).is_err());
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        assert!(!part.exists());
        let draft = Draft::at(part.clone()).unwrap();
        fs::write(draft.path(), "new").unwrap();
        draft.finish(&place, false).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
        assert!(!part.exists());
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
    }
}
