//! Short runs of Git: what they say is read to its end, or as far as a page needs it. A run ends with the request.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::db::{COUNTED_AT_MOST, Page, PageRequest};
use crate::error::Error;
use crate::git::process::listen;

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read of a list, in bytes.
const LIST: u64 = 64 * 1024 * 1024;

/// A run that came to its end.
pub(in crate::git) struct Ended {
    /// Did Git say that all went well?
    pub(in crate::git) well: bool,
    /// What it said.
    pub(in crate::git) output: Vec<u8>,
    /// What it complained about.
    pub(in crate::git) complaint: String,
}

impl Ended {
    /// The output of a run that can't fail for anything that a request said.
    pub(in crate::git) fn or_unavailable(self) -> Result<Vec<u8>, Error> {
        if self.well {
            return Ok(self.output);
        }
        Err(Error::unavailable(anyhow::anyhow!(
            "git: {}",
            self.complaint.trim()
        )))
    }
}

/// Runs Git with this input. More output than `limit` bytes is refused.
///
/// # Errors
/// [`Error::Unavailable`] when it can't be run or takes too long; [`Error::Refused`] over the limit.
pub(in crate::git) async fn run(
    command: std::process::Command,
    input: Vec<u8>,
    limit: usize,
) -> Result<Ended, Error> {
    let work = async {
        let (mut child, stdin) = start(command)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(broken("no pipes"));
        };
        let mut output = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let reading = async {
            let mut limited = stdout.take(most.saturating_add(1));
            let read = limited.read_to_end(&mut output).await;
            if output.len() > limit {
                return Err(Error::refused("This is more than one answer can hold."));
            }
            read.map_err(broken)
        };
        let ((), complaint, read) = tokio::join!(feed(stdin, input), listen(stderr), async {
            let read = reading.await;
            if read.is_err() {
                // The other pipes close with it.
                let _ = child.start_kill();
            }
            read
        });
        read?;
        let status = child.wait().await.map_err(broken)?;
        Ok(Ended {
            well: status.success(),
            output,
            complaint,
        })
    };
    in_time(work).await
}

/// A run that is told nothing, while it speaks. It ends when this is dropped.
struct Speaking {
    child: Child,
    complaint: JoinHandle<String>,
}

impl Speaking {
    fn start(command: std::process::Command) -> Result<(Speaking, ChildStdout), Error> {
        let (mut child, stdin) = start(command)?;
        drop(stdin);
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(broken("no pipes"));
        };
        let complaint = actix_web::rt::spawn(listen(stderr));
        Ok((Speaking { child, complaint }, stdout))
    }

    /// Waits for its end, which has to be a good one.
    async fn end(mut self) -> Result<(), Error> {
        let status = self.child.wait().await.map_err(broken)?;
        if status.success() {
            return Ok(());
        }
        let complaint = self.complaint.await.unwrap_or_default();
        Err(broken(complaint.trim()))
    }
}

/// What a run says first.
pub(in crate::git) struct Beginning {
    /// At most so many bytes as were asked for.
    pub(in crate::git) output: Vec<u8>,
    /// Is that all it says?
    pub(in crate::git) whole: bool,
}

/// Runs Git and reads the first `limit` bytes of its output; a run that says more is ended there.
///
/// # Errors
/// [`Error::Unavailable`] when it can't be run, takes too long, or doesn't end well.
pub(in crate::git) async fn beginning(
    command: std::process::Command,
    limit: usize,
) -> Result<Beginning, Error> {
    let work = async {
        let (speaking, stdout) = Speaking::start(command)?;
        let mut output = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        stdout
            .take(most.saturating_add(1))
            .read_to_end(&mut output)
            .await
            .map_err(broken)?;
        if output.len() > limit {
            output.truncate(limit);
            return Ok(Beginning {
                output,
                whole: false,
            });
        }
        speaking.end().await?;
        Ok(Beginning {
            output,
            whole: true,
        })
    };
    in_time(work).await
}

/// One page of the records that Git writes, each with this byte behind it. `parse` makes rows of them, and leaves out
/// what it makes nothing of.
///
/// # Errors
/// [`Error::Unavailable`] when Git can't be run, takes too long, or doesn't end well.
pub(in crate::git) async fn page<T>(
    command: std::process::Command,
    separator: u8,
    request: PageRequest,
    mut parse: impl FnMut(&str) -> Option<T>,
) -> Result<Page<T>, Error> {
    let work = async {
        let (speaking, stdout) = Speaking::start(command)?;
        let mut from = BufReader::new(stdout.take(LIST));
        let (mut rows, mut counted, mut record) = (Vec::new(), 0, Vec::new());
        let (first, after) = (
            request.offset(),
            request.offset().saturating_add(request.per_page),
        );
        loop {
            record.clear();
            if from
                .read_until(separator, &mut record)
                .await
                .map_err(broken)?
                == 0
            {
                break;
            }
            if record.last() == Some(&separator) {
                record.pop();
            }
            let Some(row) = parse(&String::from_utf8_lossy(&record)) else {
                continue;
            };
            if (first..=after).contains(&counted) {
                rows.push(row);
            }
            counted += 1;
            if counted > COUNTED_AT_MOST && counted > after {
                return Ok(Page::new(rows, request, counted));
            }
        }
        speaking.end().await?;
        Ok(Page::new(rows, request, counted))
    };
    in_time(work).await
}

fn start(command: std::process::Command) -> Result<(Child, Option<ChildStdin>), Error> {
    let mut child = Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(broken)?;
    let stdin = child.stdin.take();
    Ok((child, stdin))
}

/// A program that stops listening says by its end whether that is well.
async fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(&input).await;
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(broken("it took too long")))
}

fn broken(why: impl std::fmt::Display) -> Error {
    Error::unavailable(anyhow::anyhow!("git: {why}"))
}
