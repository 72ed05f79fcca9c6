//! One run of Git for one request: what the client sends goes in, what Git says goes out, both at once and no faster
//! than the slower side takes it; and whatever happens, no program stays behind.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt;
use actix_web::web::{Bytes, BytesMut};
use futures_core::Stream;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::limits::{Times, Turn};

/// What is read from Git at once, in bytes.
const PIECE: usize = 64 * 1024;

/// What Git says before the client has said everything is kept, up to so many bytes: a client that writes all before it
/// reads anything must not wait for a program that waits for it.
const AHEAD: usize = 8 * 1024 * 1024;

/// Pieces on their way to the client.
const ON_THE_WAY: usize = 2;

/// Of what Git complains about, so much is kept for the log.
const COMPLAINT: usize = 8 * 1024;

/// After its answer is complete, a program has so long to end.
const FAREWELL: Duration = Duration::from_secs(30);

/// A program that nobody talks to any more has so long to notice, before it is asked to end,
const NOTICE: Duration = Duration::from_millis(500);

/// and then so long to do it.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What comes from the client.
pub type Input = Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>;

/// Something that is answered later, by whoever has the database.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Done {
        /// Did Git say that all went well?
        well: bool,
    },
    /// The client went.
    Left,
    /// The caller may no longer.
    NoLonger,
    /// Nothing moved for too long, or too little, or the whole took too long.
    TooLong,
    /// A pipe broke, or Git closed its mouth and stayed.
    Broken,
}

/// A run, before it begins.
pub struct Run {
    /// The command, with all its arguments.
    pub command: std::process::Command,
    /// What it may take.
    pub times: Times,
    /// Its turn, given back at its end.
    pub turn: Turn,
    /// May the caller still? Asked again and again while Git runs.
    pub watch: Box<dyn Fn() -> Later<bool>>,
    /// Told how it ended, after the program is gone and before the client hears that the answer is complete.
    pub at_end: Box<dyn FnOnce(End) -> Later<()>>,
}

/// The answer of a run, as it comes.
pub struct Output {
    /// Sent before anything that Git says.
    head: Option<Bytes>,
    pieces: mpsc::Receiver<Bytes>,
    complete: Arc<AtomicBool>,
}

impl Stream for Output {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(head)));
        }
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(piece) => Some(Ok(piece)),
            None if self.complete.load(Ordering::Acquire) => None,
            // The client must not take what it has for the whole.
            None => Some(Err(io::Error::other("the answer is not complete"))),
        })
    }
}

/// A program and all that it started; they end together.
struct Family {
    child: Child,
    group: Option<Pid>,
}

impl Family {
    fn start(command: std::process::Command) -> io::Result<Family> {
        let mut command = Command::from(command);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Family { child, group })
    }

    /// Waits for the end. The number of the group may be somebody else's from then on.
    async fn wait(&mut self) -> io::Result<bool> {
        let status = self.child.wait().await?;
        self.group = None;
        Ok(status.success())
    }

    /// Ends all of it. Its pipes are closed already, by which most come to an end of their own; the others are asked
    /// to, and killed if they don't.
    async fn end(&mut self) {
        let Some(group) = self.group else {
            return;
        };
        if tokio::time::timeout(NOTICE, self.wait()).await.is_err() {
            let _ = kill_process_group(group, Signal::TERM);
            if tokio::time::timeout(LAST_WORDS, self.wait()).await.is_err() {
                self.kill();
                let _ = self.wait().await;
                return;
            }
        }
        // The one that we started is gone; those that it started may not be.
        let _ = kill_process_group(group, Signal::KILL);
    }

    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            // Fails only when nobody is there any more.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a run. `head` goes to the client before anything that Git says.
///
/// # Errors
/// When the program can't be started.
pub fn start(run: Run, head: Option<Bytes>, input: Input) -> io::Result<Output> {
    let mut family = Family::start(run.command)?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (
        family.child.stdin.take(),
        family.child.stdout.take(),
        family.child.stderr.take(),
    ) else {
        return Err(io::Error::other("a program without pipes"));
    };
    let (sender, pieces) = mpsc::channel(ON_THE_WAY);
    let complete = Arc::<AtomicBool>::default();
    let output = Output {
        head,
        pieces,
        complete: Arc::clone(&complete),
    };
    let complaint = rt::spawn(listen(stderr));
    rt::spawn(async move {
        let traffic = Traffic::of_at_least(run.times.slowest);
        let end = tokio::select! {
            end = talk(&mut family, input, stdin, stdout, &sender, &traffic) => end,
            end = limit(run.times, &traffic, run.watch) => end,
        };
        if !matches!(end, End::Done { .. }) {
            family.end().await;
        }
        let complaint = complaint.await.unwrap_or_default();
        if !matches!(end, End::Left | End::Done { well: true }) {
            tracing::info!(
                ?end,
                complaint = complaint.trim(),
                "A run of Git did not end well"
            );
        }
        // What looks through a push works in the turn of that push, and has ended with this.
        (run.at_end)(end).await;
        drop(run.turn);
        complete.store(matches!(end, End::Done { .. }), Ordering::Release);
        drop(sender);
    });
    Ok(output)
}

/// What the directions know of each other; they are one task.
#[derive(Debug, Default)]
struct Traffic {
    /// Has the client said everything?
    all_said: Cell<bool>,
    /// Did anything move since the last look?
    moved: Cell<bool>,
    /// Bytes a second that come from a client that isn't too slow.
    slowest: u32,
    /// How far the client is behind that.
    behind: Cell<Duration>,
}

impl Traffic {
    fn of_at_least(slowest: u32) -> Traffic {
        Traffic {
            slowest,
            ..Traffic::default()
        }
    }

    /// Something came from the client, which was waited for so long. What comes faster than it has to makes up for
    /// what was late, and isn't saved for later.
    fn came(&self, waited: Duration, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let worth = Duration::from_secs(1) * bytes / self.slowest.max(1);
        self.behind
            .set((self.behind.get() + waited).saturating_sub(worth));
        self.moved.set(true);
    }
}

/// Both directions, until both are at their end: a client hears the end of the answer only when it has sent all.
async fn talk(
    family: &mut Family,
    input: Input,
    stdin: ChildStdin,
    stdout: ChildStdout,
    sender: &mpsc::Sender<Bytes>,
    traffic: &Traffic,
) -> End {
    let mut feeding = pin!(feed(input, stdin, traffic));
    let mut speaking = pin!(speak(family, stdout, sender, traffic));
    let mut spoken = None;
    loop {
        tokio::select! {
            all = &mut feeding, if !traffic.all_said.get() => match (all, spoken) {
                (Err(BrokeOff), _) => return End::Left,
                (Ok(()), Some(end)) => return end,
                (Ok(()), None) => {}
            },
            end = &mut speaking, if spoken.is_none() => {
                if traffic.all_said.get() || !matches!(end, End::Done { .. }) {
                    return end;
                }
                spoken = Some(end);
            }
        }
    }
}

/// The client went before it had said everything.
struct BrokeOff;

/// From the client to Git. When Git stops listening, the rest goes nowhere.
async fn feed(mut input: Input, stdin: ChildStdin, traffic: &Traffic) -> Result<(), BrokeOff> {
    let mut stdin = Some(stdin);
    loop {
        let asked = Instant::now();
        let Some(piece) = poll_fn(|cx| input.as_mut().poll_next(cx)).await else {
            break;
        };
        let piece = piece.map_err(|_| BrokeOff)?;
        traffic.came(asked.elapsed(), piece.len());
        if let Some(pipe) = &mut stdin
            && pipe.write_all(&piece).await.is_err()
        {
            stdin = None;
        }
        traffic.moved.set(true);
    }
    traffic.all_said.set(true);
    Ok(())
}

/// From Git to the client, no faster than the client takes it, and then the end of the program.
async fn speak(
    family: &mut Family,
    mut stdout: ChildStdout,
    sender: &mpsc::Sender<Bytes>,
    traffic: &Traffic,
) -> End {
    let mut held = BytesMut::new();
    let mut open = true;
    while open || !held.is_empty() {
        let room = if traffic.all_said.get() { PIECE } else { AHEAD };
        if open && held.len() < room {
            held.reserve(PIECE);
        }
        tokio::select! {
            () = sender.closed() => return End::Left,
            read = stdout.read_buf(&mut held), if open && held.len() < room => match read {
                Ok(0) => open = false,
                Ok(_) => traffic.moved.set(true),
                Err(_) => return End::Broken,
            },
            permit = sender.reserve(), if !held.is_empty() => match permit {
                Ok(permit) => {
                    let piece = held.split_to(held.len().min(PIECE));
                    permit.send(piece.freeze());
                    traffic.moved.set(true);
                }
                Err(_) => return End::Left,
            },
        }
    }
    match tokio::time::timeout(FAREWELL, family.wait()).await {
        Ok(Ok(well)) => End::Done { well },
        _ => End::Broken,
    }
}

/// Returns when a run has to end although nothing is wrong with it.
async fn limit(times: Times, traffic: &Traffic, watch: Box<dyn Fn() -> Later<bool>>) -> End {
    let began = Instant::now();
    let mut silent_since = began;
    loop {
        tokio::time::sleep(times.watch).await;
        if traffic.moved.take() {
            silent_since = Instant::now();
        }
        if silent_since.elapsed() >= times.silence
            || traffic.behind.get() >= times.silence
            || began.elapsed() >= times.whole
        {
            return End::TooLong;
        }
        if !watch().await {
            return End::NoLonger;
        }
    }
}

/// What Git complains about, as far as a log has use for it; the rest is read and forgotten.
pub(super) async fn listen(mut stderr: ChildStderr) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        let room = COMPLAINT.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..read.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_trickles_falls_behind_and_one_on_a_bad_line_catches_up() {
        let second = Duration::from_secs(1);
        let traffic = Traffic::of_at_least(256);
        for _ in 0..60 {
            traffic.came(2 * second, 1);
        }
        assert!(traffic.behind.get() > 119 * second);
        // A line that was dead for nearly two minutes, and is as slow as ever from then on.
        let traffic = Traffic::of_at_least(256);
        traffic.came(119 * second, 512);
        for _ in 0..60 {
            assert!(traffic.behind.get() < 120 * second);
            traffic.came(second, 1024);
        }
        assert_eq!(traffic.behind.get(), Duration::ZERO);
        // Nobody earns the right to be slow by having been fast.
        traffic.came(Duration::ZERO, 1_000_000);
        traffic.came(10 * second, 0);
        assert_eq!(traffic.behind.get(), 10 * second);
    }
}
