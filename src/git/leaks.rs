//! Tokens in what a push brings along: found while Git still holds everything back.

mod found;
mod objects;
mod place;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::gate::Question;
use super::program::Git;
use super::push::is_zero;
use super::stop::Stop;
use crate::access_tokens::spotting::Spotter;
use found::Found;
use objects::Objects;
pub use place::Place;

/// Why nobody can say what is in a push: as whoever pushes is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsearchable {
    /// More looks like a token than is looked up.
    #[error("This push contains too much that looks like access tokens.")]
    TooMany,
    /// A name beyond all that file systems take.
    #[error("This push contains a file name that is too long.")]
    LongName,
    /// It takes too long.
    #[error(
        "It takes too long to look through this push for access tokens, so it was refused. Push less at once."
    )]
    TooLong,
}

/// What may be a token, and where it stands.
pub struct Suspect {
    /// The value.
    pub value: Zeroizing<String>,
    /// The object that it is in; the name of the reference where that is what it is in.
    object: Arc<str>,
    content: Content,
}

/// What an object has it in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// In this line of a file,
    File(usize),
    /// of a commit,
    Commit(usize),
    /// or of a tag.
    Tag(usize),
    /// In this name of a file or folder.
    Name(Vec<u8>),
    /// In the name of a branch or tag.
    Reference,
}

/// A repository with what a push wants to add to it.
pub struct Incoming<'a> {
    git: &'a Git,
    repository: &'a Path,
    question: &'a Question,
    stop: &'a Stop,
}

impl<'a> Incoming<'a> {
    /// What this question of Git is about, looked at until it is stopped.
    pub fn new(git: &'a Git, repository: &'a Path, question: &'a Question, stop: &'a Stop) -> Self {
        Incoming {
            git,
            repository,
            question,
            stop,
        }
    }

    /// All that may be a token in what this push brings: in files and their names, in messages, and in the names of
    /// new references. Whether anything leads to an object doesn't matter: who knows its id can fetch it.
    ///
    /// # Errors
    /// [`Unsearchable`] inside; when Git can't be run, or doesn't end well.
    pub fn suspects(&self, spotter: &Spotter) -> io::Result<Vec<Suspect>> {
        let mut found = Found::default();
        for command in self.question.commands.iter().filter(|one| one.creates()) {
            for suspect in in_name(&command.name, spotter) {
                found.add(suspect.value, &suspect.object, suspect.content)?;
            }
        }
        // A push that only deletes brings nothing along, and Git names no place for it.
        if self.new_ids().next().is_none() {
            return Ok(found.into_suspects());
        }
        let mut command = self.git.command(self.repository);
        command
            .env("GIT_OBJECT_DIRECTORY", &self.question.objects)
            .args(["cat-file", "--batch-all-objects", "--unordered", "--buffer"])
            .arg("--batch=%(objecttype) %(objectsize) %(objectname)");
        let mut contents = self.stop.start(command)?;
        let mut objects = Objects::of(contents.stdout.take().ok_or_else(no_pipe)?);
        while let Some(object) = objects.next()? {
            objects.read(&object, spotter, &mut found)?;
        }
        if contents.wait()? {
            Ok(found.into_suspects())
        } else {
            Err(io::Error::other("git could not list what a push brings"))
        }
    }

    /// Does this command only add to what is there?
    ///
    /// # Errors
    /// When Git can't be run, or doesn't say.
    pub fn only_adds(&self, command: &super::push::Command) -> io::Result<bool> {
        if command.creates() || command.deletes() {
            return Ok(command.creates());
        }
        let mut run = self.command();
        run.args(["merge-base", "--is-ancestor", &command.old, &command.new]);
        match self.stop.start(run)?.wait_for_status()?.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(io::Error::other("git can't tell whether a push only adds")),
        }
    }

    fn new_ids(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let ids = self.question.commands.iter().map(|one| one.new.as_str());
        ids.filter(|id| !is_zero(id))
    }

    /// A run that sees the new objects beside the old ones.
    fn command(&self) -> Command {
        let mut command = self.git.command(self.repository);
        command
            .env("GIT_OBJECT_DIRECTORY", &self.question.objects)
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                self.repository.join("objects"),
            )
            .env("GIT_LITERAL_PATHSPECS", "1");
        command
    }

    /// Runs what lists something, and hands on record by record. With `--stdin` it is about what is new.
    fn list(&self, mut command: Command, end: u8, mut told: impl FnMut(&[u8])) -> io::Result<()> {
        if command.get_args().any(|argument| argument == "--stdin") {
            command.stdin(Stdio::piped());
        }
        let mut run = self.stop.start(command)?;
        if let Some(stdin) = run.stdin.take() {
            let mut stdin = io::BufWriter::new(stdin);
            for id in self.new_ids() {
                writeln!(stdin, "{id}")?;
            }
            stdin.flush()?;
        }
        let mut from = io::BufReader::new(run.stdout.take().ok_or_else(no_pipe)?);
        let mut record = Vec::new();
        while io::BufRead::read_until(&mut from, end, &mut record)? > 0 {
            if record.last() == Some(&end) {
                record.pop();
            }
            told(&record);
            record.clear();
        }
        if run.wait()? {
            Ok(())
        } else {
            Err(io::Error::other("git could not list what is new"))
        }
    }
}

/// What may be a token in the name of a reference.
pub fn in_name(name: &str, spotter: &Spotter) -> Vec<Suspect> {
    let spotted = spotter.spot(name.as_bytes()).into_iter();
    spotted
        .map(|spotted| Suspect {
            value: spotted.value,
            object: Arc::from(name),
            content: Content::Reference,
        })
        .collect()
}

fn no_pipe() -> io::Error {
    io::Error::other("a program without pipes")
}
