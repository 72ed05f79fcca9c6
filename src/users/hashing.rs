//! Where passwords are hashed: beside everything else, and behind it. It takes a core and 19 MiB each time, for longer than
//! a hundred other requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use super::password::{self, Password, PasswordProblem};
use crate::error::Error;

/// Passwords that may wait or be hashed at a time.
const PLACES: usize = 64;

/// How far the threads stand back behind those that answer requests, as `nice` has it (0 to 19): whoever wants to read gets
/// a processor as soon as a hash has one.
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// Threads of their own that hash passwords, half as many as there are cores. They start with the first password.
#[derive(Debug)]
pub struct Hashing {
    places: Arc<Semaphore>,
    jobs: OnceLock<Sender<Job>>,
}

impl Default for Hashing {
    fn default() -> Self {
        Hashing {
            places: Arc::new(Semaphore::new(PLACES)),
            jobs: OnceLock::new(),
        }
    }
}

impl Hashing {
    /// Runs work on passwords, which has no effect but its result: it is left undone when nobody waits for that any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait, [`Error::Internal`] when the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let full = || Error::unavailable(anyhow::anyhow!("too many passwords wait to be hashed"));
        let place = Arc::clone(&self.places);
        let place = place.try_acquire_owned().map_err(|_| full())?;
        let (answer, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            if !answer.is_closed() {
                let _ = answer.send(catch_unwind(AssertUnwindSafe(work)));
            }
            drop(place);
        });
        let jobs = self.jobs.get_or_init(start);
        jobs.send(job)
            .map_err(|_| Error::unavailable(anyhow::anyhow!("no thread hashes passwords")))?;
        match outcome.await {
            Ok(Ok(result)) => Ok(result),
            _ => Err(Error::internal(anyhow::anyhow!(
                "work on a password panicked"
            ))),
        }
    }

    /// Checks a new password against the rules and hashes it. `about` is what is known of the person, which
    /// makes no password. The inner error says what is wrong with it.
    ///
    /// # Errors
    /// As [`Hashing::run`].
    pub async fn hash<const N: usize>(
        &self,
        password: Password,
        about: [String; N],
    ) -> Result<Result<String, PasswordProblem>, Error> {
        let work = move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            match password.check(&about) {
                Ok(()) => password::hash(&password, &mut rand::rng()).map(Ok),
                Err(problem) => Ok(Err(problem)),
            }
        };
        let hashed = self.run(work).await?;
        hashed.map_err(|error| Error::internal(error.into()))
    }
}

/// Starts the threads, which end when nobody can send them anything any more.
fn start() -> Sender<Job> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (sender, receiver) = channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..(cores / 2).max(1) {
        let receiver = Arc::clone(&receiver);
        let started = thread::Builder::new()
            .name("passwords".into())
            .spawn(move || work_off(&receiver));
        if let Err(error) = started {
            tracing::error!(%error, "A thread for passwords could not be started");
        }
    }
    sender
}

fn work_off(jobs: &Mutex<Receiver<Job>>) {
    stand_back();
    loop {
        // Whoever waits holds the lock, and gives it back with the job in hand.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// On Linux a priority is a thread's own.
#[cfg(target_os = "linux")]
fn stand_back() {
    let me = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(me), NICENESS) {
        tracing::debug!(%error, "Hashing has the priority of everything else");
    }
}

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

#[cfg(test)]
mod tests {
    use std::future::Future as _;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn passwords_stand_back_behind_requests() {
        let hashing = Hashing::default();
        let niceness =
            || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let ours = niceness();
        let theirs = runtime().block_on(hashing.run(niceness)).unwrap();
        assert_eq!(theirs, NICENESS.max(ours));
        assert_eq!(niceness(), ours, "and nobody else does");
    }

    #[test]
    fn work_that_panics_is_an_error_and_the_next_is_done() {
        let hashing = Hashing::default();
        runtime().block_on(async {
            let panicked = hashing.run(|| panic!("as if there were a bug")).await;
            assert!(matches!(panicked, Err::<(), _>(Error::Internal(_))));
            assert_eq!(hashing.run(|| 7).await.unwrap(), 7);
        });
    }

    #[test]
    fn no_more_wait_than_there_are_places_and_each_is_free_again_afterwards() {
        let hashing = Hashing::default();
        runtime().block_on(async {
            let (open, gate) = std::sync::mpsc::channel::<()>();
            let gate = Arc::new(Mutex::new(gate));
            let mut waiting = Vec::new();
            for _ in 0..PLACES {
                let gate = Arc::clone(&gate);
                let mut run = Box::pin(hashing.run(move || gate.lock().unwrap().recv().is_err()));
                // Sent, not yet answered.
                let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(run.as_mut().poll(&mut nobody).is_pending());
                waiting.push(run);
            }
            let refused = hashing.run(|| ()).await;
            assert!(matches!(refused, Err(Error::Unavailable(_))));
            drop(open);
            for run in waiting {
                assert!(run.await.unwrap());
            }
            hashing.run(|| ()).await.unwrap();
        });
    }
}
