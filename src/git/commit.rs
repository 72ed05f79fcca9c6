//! A commit that a request describes instead of pushing it: one file written, changed or deleted. Its objects are held
//! back, as those of a push are, until it is taken; the branch moves only from where it was looked at.

use std::path::{Path, PathBuf};
use std::process::Command as Program;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::browse::run::{Ended, run};
use super::browse::tree::{Entry, Kind};
use super::browse::{Opened, name};
use super::gate::Question;
use super::push::Command;
use crate::error::Error;
use crate::users::User;

/// The id that stands for nothing.
const ZERO: &str = "0000000000000000000000000000000000000000";

/// What a run of these says is a line, or a pack of a few objects.
const SMALL: usize = 64 * 1024 * 1024;

/// What happens to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is made.
    Create(Vec<u8>),
    /// It has another content.
    Update(Vec<u8>),
    /// It goes.
    Delete,
}

/// A commit to be.
#[derive(Debug, Clone)]
pub struct NewCommit {
    /// The name of the branch that gets it.
    pub branch: String,
    /// Where the branch begins, which isn't there yet.
    pub start_branch: Option<String>,
    /// Which file, from the top.
    pub path: String,
    /// What happens to it.
    pub change: Change,
    /// What for.
    pub message: String,
    /// Who wrote it.
    pub author: Identity,
    /// Who asked for it.
    pub committer: Identity,
    /// When.
    pub at: DateTime<Utc>,
    /// The last commit that changed the file, as far as the caller knows.
    pub last_commit_id: Option<String>,
}

/// A name and an address that Git takes as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
    email: String,
}

impl Identity {
    /// These, without what Git has other uses for; of what is nothing then, as the account has it.
    pub fn new(name: Option<&str>, email: Option<&str>, user: &User) -> Identity {
        let or = |text: Option<&str>, own: &str, last: &str| {
            [text.unwrap_or_default(), own, last]
                .into_iter()
                .map(plain)
                .find(|text| !text.is_empty())
                .unwrap_or_default()
        };
        Identity {
            name: or(name, &user.name, &user.username),
            email: or(email, &user.email, &user.username),
        }
    }
}

/// A text that Git takes for a name or an address whole. It leaves out punctuation at both ends by itself, and refuses
/// what has nothing else.
fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_control() && !matches!(letter, '<' | '>'))
        .take(255)
        .collect();
    let is_crud = |letter: char| letter <= ' ' || ".,:;\"\\'".contains(letter);
    text.trim_matches(is_crud).to_owned()
}

/// A commit that is made, and held back.
pub struct Draft {
    /// Where its objects are; gone when this is.
    folder: TempDir,
    /// What is to change.
    command: Command,
}

impl Draft {
    /// What is to be changed, and where the objects for it are: what a push is asked about too.
    pub fn question(&self) -> Question {
        Question {
            objects: self.objects(),
            commands: vec![self.command.clone()],
        }
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }
}

/// Makes a commit; nothing of it is seen yet.
///
/// # Errors
/// [`Error::Told`] for what doesn't fit what is there; [`Error::Parameter`] for a name that can't be;
/// [`Error::Unavailable`] when the disk or Git doesn't do it.
pub async fn draft(repository: &Opened, root: &Path, new: &NewCommit) -> Result<Draft, Error> {
    if !name::is_name(&new.branch) {
        return Err(Error::Parameter("branch is invalid".into()));
    }
    if !name::is_path_for_a_file(&new.path) {
        return Err(Error::Parameter("file_path is invalid".into()));
    }
    if new.message.trim().is_empty() || new.message.contains('\0') {
        return Err(Error::Parameter("commit_message is invalid".into()));
    }
    let (old, parent) = begin(repository, new).await?;
    let mode = look(repository, new, parent.as_deref()).await?;
    let folder = tempfile::Builder::new()
        .prefix(".commit-")
        .tempdir_in(root)
        .and_then(|folder| {
            std::fs::create_dir(folder.path().join("objects"))?;
            Ok(folder)
        })
        .map_err(|error| Error::unavailable(error.into()))?;
    let mut draft = Draft {
        folder,
        command: Command {
            old: old.unwrap_or_else(|| ZERO.to_owned()),
            new: String::new(),
            name: name::branch(&new.branch),
        },
    };
    draft.command.new = draft
        .build(repository, new, parent.as_deref(), &mode)
        .await?;
    Ok(draft)
}

/// Where the branch is, and what the commit follows.
async fn begin(
    repository: &Opened,
    new: &NewCommit,
) -> Result<(Option<String>, Option<String>), Error> {
    let told = |text: String| Err(Error::Told(text));
    let old = repository.branch_id(&new.branch).await?;
    let start = new
        .start_branch
        .as_ref()
        .filter(|start| **start != new.branch);
    match (old, start) {
        (Some(_), Some(_)) => told(format!(
            "A branch called '{}' already exists. Switch to that branch in order to make changes",
            new.branch
        )),
        (Some(old), None) => Ok((Some(old.clone()), Some(old))),
        (None, Some(start)) => match repository.branch_id(start).await? {
            Some(parent) => Ok((None, Some(parent))),
            None => told(format!("Cannot find start branch '{start}'")),
        },
        (None, None) if repository.is_empty().await? => Ok((None, None)),
        (None, None) => told("You can only create or edit files when you are on a branch".into()),
    }
}

/// Does the change fit what is there? Tells the file's mode.
async fn look(repository: &Opened, new: &NewCommit, parent: Option<&str>) -> Result<String, Error> {
    const TAKEN: &str = "A file with this name already exists";
    const MISSING: &str = "A file with this name doesn't exist";
    let told = |text: &str| Err(Error::Told(text.to_owned()));
    let found = match parent {
        Some(parent) => repository.way_to(parent, &new.path).await?,
        None => Vec::new(),
    };
    let there = found.iter().find(|entry| entry.path == new.path);
    let creating = matches!(new.change, Change::Create(_));
    if creating && there.is_none() && file_on_the_way(repository, new, parent, &found).await? {
        return told(TAKEN);
    }
    let mode = match (&new.change, there) {
        (Change::Create(_), None) => "100644".to_owned(),
        (Change::Create(_), Some(_)) => return told(TAKEN),
        (_, Some(file)) if file.kind == Kind::Blob => file.mode.clone(),
        (_, _) => return told(MISSING),
    };
    if let (Some(known), Some(parent), Some(_)) = (&new.last_commit_id, parent, there) {
        let last = repository.last_change(parent, &new.path).await?;
        if last.as_ref() != Some(known) {
            return told(
                "You are attempting to update a file that has changed since you started editing it.",
            );
        }
    }
    Ok(mode)
}

/// Is something that is no folder where the path needs one? `found` are the folders that are there.
async fn file_on_the_way(
    repository: &Opened,
    new: &NewCommit,
    parent: Option<&str>,
    found: &[Entry],
) -> Result<bool, Error> {
    let mut folders = new.path.match_indices('/').map(|(at, _)| &new.path[..at]);
    let first = folders.find(|folder| !found.iter().any(|entry| entry.path == **folder));
    match (first, parent) {
        (Some(folder), Some(parent)) => Ok(repository.entry(parent, folder).await?.is_some()),
        _ => Ok(false),
    }
}

impl Draft {
    /// Writes the objects; tells the commit's id.
    async fn build(
        &self,
        repository: &Opened,
        new: &NewCommit,
        parent: Option<&str>,
        mode: &str,
    ) -> Result<String, Error> {
        if let Some(parent) = parent {
            let mut read = self.program(repository, "read-tree");
            read.arg(parent);
            run(read, Vec::new(), SMALL).await?.or_unavailable()?;
        }
        // Mode 0 takes a file away.
        let (mode, blob) = match &new.change {
            Change::Create(content) | Change::Update(content) => {
                let mut hash = self.program(repository, "hash-object");
                hash.args(["-w", "--stdin"]);
                (mode, id(run(hash, content.clone(), SMALL).await?)?)
            }
            Change::Delete => ("0", ZERO.to_owned()),
        };
        let mut update = self.program(repository, "update-index");
        update.args(["--add", "-z", "--index-info"]);
        let line = format!("{mode} {blob}\t{}\0", new.path);
        let updated = run(update, line.into_bytes(), SMALL).await?;
        // Git knows of more names that a checkout could stumble over, and leaves them out with a word.
        if !updated.well || !updated.complaint.trim().is_empty() {
            tracing::info!(complaint = updated.complaint.trim(), "A path was refused");
            return Err(Error::Parameter("file_path is invalid".into()));
        }
        let tree = self.program(repository, "write-tree");
        let tree = id(run(tree, Vec::new(), SMALL).await?)?;
        let mut commit = self.program(repository, "commit-tree");
        commit.arg(tree);
        if let Some(parent) = parent {
            commit.args(["-p", parent]);
        }
        let at = format!("@{} +0000", new.at.timestamp());
        commit
            .args(["-F", "-"])
            .env("GIT_AUTHOR_NAME", &new.author.name)
            .env("GIT_AUTHOR_EMAIL", &new.author.email)
            .env("GIT_AUTHOR_DATE", &at)
            .env("GIT_COMMITTER_NAME", &new.committer.name)
            .env("GIT_COMMITTER_EMAIL", &new.committer.email)
            .env("GIT_COMMITTER_DATE", &at);
        id(run(commit, new.message.clone().into_bytes(), SMALL).await?)
    }

    /// A run that sees the objects of the repository and writes beside them.
    fn program(&self, repository: &Opened, subcommand: &str) -> Program {
        let mut program = repository.command(subcommand);
        program
            .env("GIT_OBJECT_DIRECTORY", self.objects())
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                repository.path().join("objects"),
            )
            .env("GIT_INDEX_FILE", self.folder.path().join("index"));
        program
    }
}

/// Takes a commit into the repository, looked through as what is pushed is, and moves the branch. `false` if the branch
/// isn't where it was any more: then nothing is changed.
///
/// # Errors
/// [`Error::Told`] for what Git takes from nobody; [`Error::Unavailable`] when it can't be run.
pub async fn publish(repository: &Opened, draft: &Draft) -> Result<bool, Error> {
    let command = &draft.command;
    let mut pack = draft.program(repository, "pack-objects");
    // Only what the draft itself has.
    pack.args(["--revs", "--stdout", "--quiet", "--local"]);
    let packed = run(pack, format!("{}\n", command.new).into_bytes(), SMALL)
        .await?
        .or_unavailable()?;
    let mut unpack = repository.command("unpack-objects");
    unpack.args(["-q", "--strict"]);
    let unpacked = run(unpack, packed, SMALL).await?;
    if !unpacked.well {
        tracing::info!(
            complaint = unpacked.complaint.trim(),
            "A commit was refused"
        );
        return Err(Error::Told(
            "Git does not take a file like this: a clone of it could do harm".into(),
        ));
    }
    move_reference(repository, command).await
}

/// Makes, moves or deletes a reference, if it is where it was. `false` if it isn't, or can't be.
///
/// # Errors
/// [`Error::Unavailable`] when Git can't be run.
pub async fn move_reference(repository: &Opened, command: &Command) -> Result<bool, Error> {
    let mut update = repository.command("update-ref");
    if command.deletes() {
        update.args(["-d", &command.name, &command.old]);
    } else {
        update.args([&command.name, &command.new, &command.old]);
    }
    let updated = run(update, Vec::new(), SMALL).await?;
    if !updated.well {
        tracing::info!(complaint = updated.complaint.trim(), "A reference stayed");
    }
    Ok(updated.well)
}

/// A reference that is to be made at a commit.
pub fn creation(branch: &str, commit: &str) -> Command {
    Command {
        old: ZERO.to_owned(),
        new: commit.to_owned(),
        name: name::branch(branch),
    }
}

/// A reference that is to go from this commit.
pub fn deletion(branch: &str, commit: &str) -> Command {
    Command {
        old: commit.to_owned(),
        new: ZERO.to_owned(),
        name: name::branch(branch),
    }
}

/// The id that a run prints.
fn id(ended: Ended) -> Result<String, Error> {
    let output = ended.or_unavailable()?;
    Ok(String::from_utf8_lossy(&output).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_git_has_other_uses_for() {
        for (text, kept) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("Ada <ada@x>\nParent: 1f", "Ada ada@xParent: 1f"),
            (" .Ada, ", "Ada"),
            ("<>", ""),
            ("...", ""),
            ("Zoë", "Zoë"),
        ] {
            assert_eq!(plain(text), kept, "{text:?}");
        }
    }
}
