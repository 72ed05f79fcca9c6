//! Between what a push brought and what it changes: Git holds everything back, asks, and waits for the answer.
//!
//! Git asks by a hook of ours, a few lines of shell that write the question into a pipe and read the answer from
//! another; whoever pushes can put no hook beside it. What really changed is written down by a second one.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;

use super::push::Command;

/// Where the hooks find their pipes.
pub const VARIABLE: &str = "LATCHKEY_GATE";

const BEFORE: &str = r#"#!/bin/sh
# Asks the server that runs this push whether it may change anything.
{ printf '%s\n' "$GIT_OBJECT_DIRECTORY"; cat; echo end; } >"$LATCHKEY_GATE/question" || exit 1
IFS= read -r verdict <"$LATCHKEY_GATE/answer" || exit 1
[ "$verdict" = yes ] && exit 0
cat "$LATCHKEY_GATE/why" >&2
exit 1
"#;

const AFTER: &str = r#"#!/bin/sh
# Writes down what this push changed.
exec cat >"$LATCHKEY_GATE/done"
"#;

/// The folder with the hooks, below that of all repositories; made if it isn't there.
///
/// # Errors
/// When the disk doesn't do it.
pub fn hooks(root: &Path) -> io::Result<PathBuf> {
    let folder = root.join(".hooks");
    for (name, text) in [("pre-receive", BEFORE), ("post-receive", AFTER)] {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        fs::create_dir_all(&folder)?;
        let desk = tempfile::tempdir_in(&folder)?;
        let draft = desk.path().join(name);
        write_elsewhere(&draft, text)?;
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o700))?;
        fs::rename(&draft, &path)?;
    }
    Ok(folder)
}

/// Writes a file that is going to be run, in another process. What this one has open for writing, each program that it
/// happens to be starting has open too, until it really runs; and what anybody has open for writing, nobody can run:
/// Git would take that for a refusal.
fn write_elsewhere(path: &Path, text: &str) -> io::Result<()> {
    let mut writer = Program::new("/bin/sh")
        .args(["-c", r#"cat >"$1""#, "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Closed when it is written, which is where the writer ends.
    let written = writer
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()));
    let ended = writer.wait()?;
    written?;
    if ended.success() {
        Ok(())
    } else {
        Err(io::Error::other("a hook could not be written"))
    }
}

/// The gate of one push.
pub struct Gate {
    folder: TempDir,
    question: BufReader<pipe::Receiver>,
    answer: pipe::Sender,
}

/// What Git asks.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where the new objects are held back.
    pub objects: PathBuf,
    /// What is to change.
    pub commands: Vec<Command>,
}

impl Gate {
    /// A gate, in a folder of its own.
    ///
    /// # Errors
    /// When the disk doesn't do it.
    pub fn new(root: &Path) -> io::Result<Gate> {
        let folder = tempfile::Builder::new().prefix(".push-").tempdir_in(root)?;
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
            Ok::<PathBuf, io::Error>(path)
        };
        // Opened for both, so that neither side has to be there first.
        let both = || {
            let mut options = pipe::OpenOptions::new();
            options.read_write(true);
            options
        };
        let question = both().open_receiver(pipe("question")?)?;
        let answer = both().open_sender(pipe("answer")?)?;
        Ok(Gate {
            folder,
            question: BufReader::new(question),
            answer,
        })
    }

    /// What goes into [`VARIABLE`].
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until Git asks.
    ///
    /// # Errors
    /// When what comes is no question.
    pub async fn question(&mut self) -> io::Result<Question> {
        let odd = || io::Error::other("not what the hook asks");
        let mut objects = None;
        let mut commands = Vec::new();
        loop {
            let mut line = String::new();
            self.question.read_line(&mut line).await?;
            let line = line.trim_end_matches('\n');
            match (&objects, line) {
                (None, path) => objects = Some(PathBuf::from(path)),
                (Some(objects), "end") => {
                    return Ok(Question {
                        objects: objects.clone(),
                        commands,
                    });
                }
                (Some(_), line) => commands.push(command(line).ok_or_else(odd)?),
            }
        }
    }

    /// Lets the push through.
    ///
    /// # Errors
    /// When nobody waits any more.
    pub async fn open(&mut self) -> io::Result<()> {
        self.answer.write_all(b"yes\n").await
    }

    /// Refuses the push; the person is shown why.
    ///
    /// # Errors
    /// When nobody waits any more.
    pub async fn shut(&mut self, why: &str) -> io::Result<()> {
        // Without it the push is refused all the same.
        let _ = fs::write(self.folder.path().join("why"), format!("{why}\n"));
        self.answer.write_all(b"no\n").await
    }
}

/// What was changed in the end, by a push whose gate was in this folder; nothing if it didn't come that far.
pub fn changed(folder: &Path) -> Option<Vec<Command>> {
    let text = fs::read_to_string(folder.join("done")).ok()?;
    Some(text.lines().filter_map(command).collect())
}

/// `<old> <new> <name>`
fn command(line: &str) -> Option<Command> {
    let mut words = line.splitn(3, ' ');
    Some(Command {
        old: words.next()?.to_owned(),
        new: words.next()?.to_owned(),
        name: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn what_is_written_can_be_run_at_once_whatever_is_being_started_meanwhile() {
        let over = AtomicBool::new(false);
        let folder = tempfile::tempdir().unwrap();
        let failed = std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        Program::new("/bin/true").status().unwrap();
                    }
                });
            }
            let mut failed = Vec::new();
            for round in 0..300 {
                let path = folder.path().join(format!("hook{round}"));
                write_elsewhere(&path, "#!/bin/sh\nexit 0\n").unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
                failed.extend(Program::new(&path).status().err());
            }
            over.store(true, Ordering::Relaxed);
            failed
        });
        assert!(failed.is_empty(), "{failed:?}");
    }

    #[test]
    fn the_hooks_are_there_once_and_nothing_beside_them() {
        let root = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let folder = hooks(root.path()).unwrap();
            let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
            assert_eq!(
                (&*text("pre-receive"), &*text("post-receive")),
                (BEFORE, AFTER)
            );
            assert_eq!(folder.read_dir().unwrap().count(), 2);
        }
    }
}
