//! Where repositories lie. A project's address is made of its id and the moment at which it was made: renames and
//! transfers move nothing, no text of a request reaches the file system, and a database that went back to an older
//! backup never gives a new project what an earlier one of the same number left behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::program::Git;
use super::removal::of_nobody;
use crate::app::App;
use crate::error::{Error, What};
use crate::projects::Project;

/// The repositories of an instance: a folder, and the program that works in it.
#[derive(Debug, Clone)]
pub struct Repositories {
    root: Arc<Path>,
    git: Git,
}

/// Whose a repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    /// The project's id.
    pub project_id: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<&Project> for Address {
    fn from(project: &Project) -> Self {
        Address {
            project_id: project.id,
            created_at: project.created_at,
        }
    }
}

impl Address {
    /// The folder, below that of all repositories: spread over 256 folders, so that none grows too large.
    fn folder(self) -> PathBuf {
        let spread = hex::encode(&Sha256::digest(self.project_id.to_be_bytes())[..1]);
        let micros = self.created_at.timestamp_micros();
        PathBuf::from(spread).join(format!("{}-{micros}.git", self.project_id))
    }

    /// The address that a folder of this name has, if it is one.
    fn of_folder(name: &str) -> Option<Address> {
        let (id, micros) = name.strip_suffix(".git")?.split_once('-')?;
        Some(Address {
            project_id: id.parse().ok()?,
            created_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?,
        })
    }
}

impl Repositories {
    /// Those below this folder of the data directory; makes nothing yet.
    pub fn new(root: &Path, git: Git) -> Self {
        Repositories {
            root: root.into(),
            git,
        }
    }

    /// The folder of all.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The program.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// Where the repository of a project lies, whether it is there or not.
    pub fn path(&self, address: Address) -> PathBuf {
        self.root.join(address.folder())
    }

    /// The repository of a project, made empty if it isn't there. Safe to call at any time, by several at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the disk or Git doesn't do it.
    pub fn ensure(&self, project: &Project) -> Result<PathBuf, Error> {
        let path = self.path(project.into());
        // Git writes this file last but for the folders, so that half a repository has none.
        if path.join("HEAD").exists() {
            return Ok(path);
        }
        let parent = path.parent().unwrap_or(&self.root);
        let made = (|| {
            private_folder(parent)?;
            // Made beside its place and moved there: it is whole, or it isn't there.
            let draft = tempfile::Builder::new()
                .prefix(".new-")
                .tempdir_in(parent)?;
            let bare = draft.path().join("repository.git");
            self.git.init(&bare, &project.default_branch)?;
            match fs::rename(&bare, &path) {
                // Somebody else was faster, which is as good.
                Err(_) if path.join("HEAD").exists() => Ok(()),
                moved => moved,
            }
        })();
        made.map_err(|error: io::Error| {
            Error::unavailable(
                anyhow::Error::new(error)
                    .context(format!("the repository {} can't be made", path.display())),
            )
        })?;
        Ok(path)
    }

    /// Is there neither a branch nor a tag? So it is where there is no repository.
    pub fn is_empty(&self, address: Address) -> bool {
        let path = self.path(address);
        let kinds = ["refs/heads", "refs/tags"];
        let packed = fs::read_to_string(path.join("packed-refs")).unwrap_or_default();
        let is_packed = |kind: &&str| packed.contains(&format!(" {kind}/"));
        !kinds.iter().any(is_packed) && !kinds.iter().any(|kind| holds_a_file(&path.join(kind)))
    }

    /// Removes the repository of a project that is gone. Nothing to do where there is none.
    ///
    /// # Errors
    /// When the disk doesn't do it; it can be tried again.
    pub fn remove(&self, address: Address) -> io::Result<()> {
        match fs::remove_dir_all(self.path(address)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Every repository that lies there.
    ///
    /// # Errors
    /// When the disk can't be read.
    pub fn all(&self) -> io::Result<Vec<Address>> {
        let mut found = Vec::new();
        for spread in folders(&self.root)? {
            for folder in folders(&spread)? {
                let name = folder.file_name().and_then(|name| name.to_str());
                found.extend(name.and_then(Address::of_folder));
            }
        }
        Ok(found)
    }

    /// Removes what was begun before this moment and never came to its place, because the server was killed.
    ///
    /// # Errors
    /// When the disk doesn't do it.
    pub fn remove_drafts(&self, moment: DateTime<Utc>) -> io::Result<()> {
        let mut places = folders(&self.root)?;
        places.push(self.root.to_path_buf());
        for place in places {
            for folder in folders(&place)? {
                let name = folder.file_name().and_then(|name| name.to_str());
                let is_draft = name
                    .is_some_and(|name| DRAFTS.iter().any(|beginning| name.starts_with(beginning)));
                if is_draft && is_older(&folder, moment)? {
                    fs::remove_dir_all(&folder)?;
                }
            }
        }
        Ok(())
    }
}

/// What the names of folders begin with that are there only for a while.
const DRAFTS: [&str; 3] = [".new-", ".push-", ".commit-"];

/// Was it last changed before this moment? What is gone meanwhile wasn't.
fn is_older(path: &Path, moment: DateTime<Utc>) -> io::Result<bool> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => Ok(DateTime::<Utc>::from(found?.modified()?) < moment),
    }
}

/// The repository of a project that is still there, made empty if it has none yet. Whoever has waited meanwhile finds
/// nothing of a project that went, and leaves nothing.
///
/// # Errors
/// [`Error::NotFound`] when the project is gone; [`Error::Unavailable`] when the database, the disk or Git doesn't do it.
pub async fn open(app: &App, project: &Project) -> Result<PathBuf, Error> {
    let (repositories, address) = (app.repositories.clone(), Address::from(project));
    let path = repositories.path(address);
    let is_there = async || {
        let orphans = app.db.read(move |conn| of_nobody(conn, &[address])).await?;
        Ok::<bool, Error>(orphans.is_empty())
    };
    if !is_there().await? {
        return Err(Error::NotFound(What::Project));
    }
    if path.join("HEAD").exists() {
        return Ok(path);
    }
    let wanted = project.clone();
    in_thread(move || repositories.ensure(&wanted)).await??;
    // It may have gone since, and its folder with it.
    if is_there().await? {
        return Ok(path);
    }
    let repositories = app.repositories.clone();
    in_thread(move || repositories.remove(address))
        .await?
        .map_err(|error| Error::unavailable(error.into()))?;
    Err(Error::NotFound(What::Project))
}

async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    actix_web::web::block(work)
        .await
        .map_err(|error| Error::internal(error.into()))
}

/// Makes the repository of a project that was just made. If that fails, it is made when somebody first needs it.
pub async fn make(app: &App, project: &Project) {
    if let Err(error) = open(app, project).await {
        tracing::warn!(%error, "A repository could not be made yet");
    }
}

/// Does a file lie in a folder, or anywhere below it?
fn holds_a_file(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => holds_a_file(&entry.path()),
        Ok(_) => true,
        Err(_) => false,
    })
}

/// The folders in a folder; none where there is no such folder.
fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// A folder that only its owner gets into.
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(project_id: i64, micros: i64) -> Address {
        Address {
            project_id,
            created_at: DateTime::from_timestamp_micros(micros).unwrap(),
        }
    }

    #[test]
    fn an_address_is_found_again_in_the_name_of_its_folder() {
        let address = address(17, 1_764_000_000_123_456);
        let folder = address.folder();
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert_eq!(name, "17-1764000000123456.git");
        assert_eq!(Address::of_folder(name), Some(address));
        for other in ["", "17.git", "17-x.git", "x-1.git", ".new-1.git", "17-1"] {
            assert_eq!(Address::of_folder(other), None, "{other}");
        }
    }

    #[test]
    fn a_repository_is_empty_until_there_is_a_branch_or_a_tag_and_after_the_last_one_went() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), Git::find());
        let address = address(17, 1);
        assert!(repositories.is_empty(address));
        let path = repositories.path(address);
        let folder = path.join("refs/heads/feature");
        fs::create_dir_all(&folder).unwrap();
        fs::write(path.join("packed-refs"), "# pack-refs with: peeled\n").unwrap();
        assert!(repositories.is_empty(address));
        fs::write(folder.join("a"), "1f").unwrap();
        assert!(!repositories.is_empty(address));
        fs::remove_file(folder.join("a")).unwrap();
        assert!(repositories.is_empty(address));
        fs::write(path.join("packed-refs"), "1f refs/tags/v1\n").unwrap();
        assert!(!repositories.is_empty(address));
    }

    #[test]
    fn the_same_number_at_another_time_is_another_repository() {
        assert_ne!(address(17, 1).folder(), address(17, 2).folder());
        assert_ne!(address(17, 1).folder(), address(18, 1).folder());
    }
}
