//! Tokens in what a push brings along: found while Git still holds everything back.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use zeroize::Zeroizing;

use super::gate::Question;
use super::program::Git;
use super::push::is_zero;
use crate::access_tokens::spotting::{LONGEST, Spotter};

/// Read of an object at once, in bytes.
const WINDOW: usize = 1024 * 1024;

/// Different values that are looked up for one push. One with more is refused: nobody could say what is among them.
const VALUES: usize = 10_000;

/// More looks like a token than is looked up.
#[derive(Debug, thiserror::Error)]
#[error("more than {VALUES} values look like tokens")]
pub struct TooMany;

/// What may be a token, and where it stands.
pub struct Suspect {
    /// The value.
    pub value: Zeroizing<String>,
    /// The object that it is in.
    object: String,
    /// The path of the file in the tree; nothing in a message.
    file: Option<String>,
    line: usize,
}

/// Where a token stands, as people look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The commit that brought it, shortened; nothing where none is known.
    pub commit: Option<String>,
    /// The file; nothing for a message.
    pub file: Option<String>,
    /// From 1.
    pub line: usize,
}

/// A repository with what a push wants to add to it.
pub struct Incoming<'a> {
    git: &'a Git,
    repository: &'a Path,
    question: &'a Question,
}

impl<'a> Incoming<'a> {
    /// What this question of Git is about.
    pub fn new(git: &'a Git, repository: &'a Path, question: &'a Question) -> Self {
        Incoming {
            git,
            repository,
            question,
        }
    }

    /// All that may be a token in the files and messages that are new with this push.
    ///
    /// # Errors
    /// When Git can't be run, or doesn't end well.
    pub fn suspects(&self, spotter: &Spotter) -> io::Result<Vec<Suspect>> {
        let ids = self.new_ids();
        // A push that only deletes brings nothing along, and Git names no place for it.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = self
            .command()
            .args(["rev-list", "--objects", "--stdin", "--not", "--all"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Reaped)?;
        if let Some(mut stdin) = list.0.stdin.take() {
            stdin.write_all(ids.as_bytes())?;
        }
        let listed = list.0.stdout.take().ok_or_else(no_pipe)?;
        let mut contents = self
            .command()
            .args(["cat-file", "--buffer"])
            .arg("--batch=%(objecttype) %(objectsize) %(objectname) %(rest)")
            .stdin(listed)
            .stderr(Stdio::null())
            .spawn()
            .map(Reaped)?;
        let mut objects = Objects {
            from: BufReader::with_capacity(WINDOW, contents.0.stdout.take().ok_or_else(no_pipe)?),
        };
        let mut suspects = Vec::new();
        while let Some(object) = objects.next()? {
            objects.read(&object, spotter, &mut suspects)?;
            if suspects.len() > VALUES {
                return Err(io::Error::other(TooMany));
            }
        }
        for mut child in [list, contents] {
            if !child.0.wait()?.success() {
                return Err(io::Error::other("git could not list what a push brings"));
            }
        }
        Ok(suspects)
    }

    /// Where a suspect stands.
    ///
    /// # Errors
    /// When Git can't be run.
    pub fn place(&self, suspect: &Suspect) -> io::Result<Place> {
        let commit = match &suspect.file {
            None => Some(suspect.object.clone()),
            Some(_) => {
                let mut command = self.command();
                command.args(["log", "-m", "--format=%H", "--reverse"]);
                command.arg(format!("--find-object={}", suspect.object));
                command.args(self.question.commands.iter().filter_map(new_id));
                command.args(["--not", "--all"]);
                let output = command.output()?;
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                text.lines().next().map(str::to_owned)
            }
        };
        Ok(Place {
            commit: commit.map(|id| id.chars().take(10).collect()),
            file: suspect.file.clone(),
            line: suspect.line,
        })
    }

    /// Does this command only add to what is there?
    ///
    /// # Errors
    /// When Git can't be run.
    pub fn only_adds(&self, command: &super::push::Command) -> io::Result<bool> {
        if command.creates() || command.deletes() {
            return Ok(command.creates());
        }
        let status = self
            .command()
            .args(["merge-base", "--is-ancestor", &command.old, &command.new])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(status.success())
    }

    fn new_ids(&self) -> String {
        let ids = self.question.commands.iter().filter_map(new_id);
        ids.map(|id| format!("{id}\n")).collect()
    }

    /// A run that sees the new objects beside the old ones.
    fn command(&self) -> Command {
        let mut command = self.git.command(self.repository);
        command
            .env("GIT_OBJECT_DIRECTORY", &self.question.objects)
            .env(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                self.repository.join("objects"),
            );
        command
    }
}

fn new_id(command: &super::push::Command) -> Option<&str> {
    Some(command.new.as_str()).filter(|id| !is_zero(id))
}

fn no_pipe() -> io::Error {
    io::Error::other("a program without pipes")
}

/// A program that doesn't stay behind, however it is left.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // Both do nothing where it has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The header of one object in the stream.
struct Object {
    id: String,
    size: u64,
    file: Option<String>,
    is_tree: bool,
}

/// Objects, one after the other, as `cat-file --batch` writes them.
struct Objects {
    from: BufReader<ChildStdout>,
}

impl Objects {
    fn next(&mut self) -> io::Result<Option<Object>> {
        let mut header = Vec::new();
        if self.from.read_until(b'\n', &mut header)? == 0 {
            return Ok(None);
        }
        let header = String::from_utf8_lossy(&header);
        let mut words = header.trim_end_matches('\n').splitn(4, ' ');
        let (Some(kind), Some(size), Some(id)) = (words.next(), words.next(), words.next()) else {
            return Err(io::Error::other("git told of an object in another way"));
        };
        let size = size.parse().map_err(io::Error::other)?;
        let name = words.next().filter(|name| !name.is_empty());
        Ok(Some(Object {
            id: id.to_owned(),
            size,
            file: name.filter(|_| kind == "blob").map(str::to_owned),
            is_tree: kind == "tree",
        }))
    }

    /// Reads an object to its end, window by window, however large it is.
    fn read(
        &mut self,
        object: &Object,
        spotter: &Spotter,
        suspects: &mut Vec<Suspect>,
    ) -> io::Result<()> {
        // The content, and a line end after it.
        let mut rest = (&mut self.from).take(object.size);
        if object.is_tree {
            io::copy(&mut rest, &mut io::sink())?;
        } else {
            look_through(
                &mut rest,
                |value, line| {
                    suspects.push(Suspect {
                        value,
                        object: object.id.clone(),
                        file: object.file.clone(),
                        line,
                    });
                },
                spotter,
            )?;
        }
        let mut newline = [0];
        self.from.read_exact(&mut newline)
    }
}

/// Looks through a text of any length. What begins so near to the end of a window that it may go on behind it is
/// looked for in the next one.
fn look_through(
    from: &mut impl Read,
    mut found: impl FnMut(Zeroizing<String>, usize),
    spotter: &Spotter,
) -> io::Result<()> {
    let mut window = Vec::with_capacity(WINDOW + LONGEST);
    // The line at the front of the window.
    let mut line = 1;
    loop {
        let read = from.take(WINDOW as u64).read_to_end(&mut window)?;
        let last = read < WINDOW;
        let done = if last {
            window.len()
        } else {
            window.len() - LONGEST
        };
        for spotted in spotter.spot(&window) {
            if spotted.at < done {
                found(spotted.value, line + count_lines(&window[..spotted.at]));
            }
        }
        if last {
            return Ok(());
        }
        line += count_lines(&window[..done]);
        window.drain(..done);
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_tokens::secret::{Plaintext, TokenShape};

    fn lines_of(text: &[u8]) -> Vec<usize> {
        let spotter = Spotter::new(["glpat-"].into_iter()).unwrap();
        let mut lines = Vec::new();
        look_through(&mut &*text, |_, line| lines.push(line), &spotter).unwrap();
        lines
    }

    #[test]
    fn a_token_is_found_once_with_its_line_wherever_the_windows_part() {
        let value = Plaintext::generate(TokenShape::Checked, "glpat-", &mut rand::rng());
        let value = value.expose();
        for before in [
            0,
            10,
            WINDOW - 700,
            WINDOW - 520,
            WINDOW - value.len() - 1,
            WINDOW - value.len(),
            WINDOW - 20,
            WINDOW - 1,
            WINDOW,
            WINDOW + 5,
            2 * WINDOW - 30,
        ] {
            // A line end in every tenth byte, none right before the value.
            let mut text: Vec<u8> = (0..before)
                .map(|at| if at % 10 == 0 { b'\n' } else { b' ' })
                .collect();
            let lines = count_lines(&text) + 1;
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(&[b' '; 3000]);
            assert_eq!(lines_of(&text), [lines], "after {before} bytes");
        }
    }
}
