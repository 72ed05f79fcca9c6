//! Programs that a thread waits for, and that end at once when nobody waits for the thread any more.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Starts programs, until it is used to end all of them.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    running: Vec<Weak<Mutex<Child>>>,
}

/// Ends the programs when it is dropped.
#[derive(Debug)]
pub struct WhenDropped(Stop);

impl Drop for WhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A program that was started. It doesn't stay behind, however it is left.
#[derive(Debug)]
pub struct Started {
    child: Arc<Mutex<Child>>,
    /// Its pipes, until somebody takes them.
    pub stdin: Option<ChildStdin>,
    /// Of what it says.
    pub stdout: Option<ChildStdout>,
}

impl Stop {
    /// Starts a program, what it says in a pipe; its complaints nobody hears.
    ///
    /// # Errors
    /// When it can't be started, or when all was to end already.
    pub fn start(&self, mut command: Command) -> io::Result<Started> {
        let mut state = held(&self.state);
        if state.stopped {
            return Err(io::Error::other("nobody waits for this any more"));
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        state.running.retain(|other| other.strong_count() > 0);
        state.running.push(Arc::downgrade(&child));
        Ok(Started {
            child,
            stdin,
            stdout,
        })
    }

    /// Kills what runs, and starts nothing more.
    pub fn stop(&self) {
        let mut state = held(&self.state);
        state.stopped = true;
        for child in state.running.drain(..) {
            if let Some(child) = child.upgrade() {
                // Fails only where it is gone.
                let _ = held(&child).kill();
            }
        }
    }

    /// Stops when what this returns is dropped.
    pub fn when_dropped(&self) -> WhenDropped {
        WhenDropped(self.clone())
    }
}

impl Started {
    /// Waits for the end, which comes soon after that of what the program says; tells whether it says that all went
    /// well.
    ///
    /// # Errors
    /// When the system doesn't say.
    pub fn wait(self) -> io::Result<bool> {
        Ok(self.wait_for_status()?.success())
    }

    /// The same, with how it ended.
    ///
    /// # Errors
    /// When the system doesn't say.
    pub fn wait_for_status(mut self) -> io::Result<ExitStatus> {
        // Not under the lock: somebody may want to end it.
        if let Some(mut stdout) = self.stdout.take() {
            io::copy(&mut stdout, &mut io::sink())?;
        }
        held(&self.child).wait()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let mut child = held(&self.child);
        // Both do nothing where it has ended and was waited for.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::thread;

    fn sleeping() -> Command {
        let mut command = Command::new("sleep");
        command.arg("600");
        command
    }

    #[test]
    fn whoever_reads_from_a_program_comes_to_an_end_when_nobody_waits() {
        let stop = Stop::default();
        let mut started = stop.start(sleeping()).unwrap();
        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            let mut stdout = started.stdout.take().unwrap();
            stdout.read_to_end(&mut all).unwrap();
            started.wait().unwrap()
        });
        drop(stop.when_dropped());
        assert!(!reading.join().unwrap(), "it didn't end well");
        assert!(stop.start(sleeping()).is_err(), "nothing begins after that");
    }
}
