//! Clients that go on through faults.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};

use super::{
    caller::{Caller, Outcome},
    mix::What,
};
use crate::{load::wait_until, wire::Wire};

/// How long somebody waits who couldn't connect.
const AGAIN: Duration = Duration::from_millis(5);

/// Nobody is away for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often somebody who waits looks whether it is all over.
const LOOK: Duration = Duration::from_millis(20);

/// Which faults a client puts up with; anything else ends the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tolerance {
    Nothing,
    /// 503 with Retry-After
    Outages,
    /// Connections that break, and that can't be made for a while
    BrokenConnections,
}

/// How something was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Proper,
    Away,
    Broken,
}

/// A request and when it was sent and answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) what: What,
    pub(crate) sent: Instant,
    pub(crate) ended: Instant,
    pub(crate) how: How,
}

/// Clients under way.
pub(crate) struct Crowd {
    threads: Vec<JoinHandle<anyhow::Result<Vec<Exchange>>>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    failed: AtomicBool,
    answered: AtomicUsize,
    /// When anything but a proper answer came last.
    trouble: Mutex<Option<Instant>>,
}

impl Crowd {
    /// Begins, each client on a connection of its own, with so much time from request to request at the least.
    pub(crate) fn start(
        address: &str,
        callers: Vec<Caller>,
        pause: Duration,
        tolerance: Tolerance,
    ) -> Crowd {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            trouble: Mutex::new(None),
        });
        let threads = callers
            .into_iter()
            .map(|caller| {
                let (shared, address) = (Arc::clone(&shared), address.to_owned());
                thread::spawn(move || {
                    let done = shared.run(&address, caller, pause, tolerance);
                    if done.is_err() {
                        shared.failed.store(true, Ordering::Relaxed);
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                    done
                })
            })
            .collect();
        Crowd { threads, shared }
    }

    /// Was something answered that nobody puts up with?
    pub(crate) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// How many proper answers there have been.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// When anything but a proper answer came last.
    pub(crate) fn last_trouble(&self) -> Option<Instant> {
        *self
            .shared
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on until then, or until something fails or is as it should be.
    pub(crate) fn wait(&self, until: Instant, mut enough: impl FnMut() -> bool) {
        while Instant::now() < until && !self.has_failed() && !enough() {
            wait_until(until.min(Instant::now() + LOOK));
        }
    }

    /// Ends: all that was asked and answered.
    pub(crate) fn finish(self) -> anyhow::Result<Vec<Exchange>> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        let mut failure = None;
        for thread in self.threads {
            match thread.join().map_err(|_| anyhow!("a client panicked"))? {
                Ok(exchanges) => all.extend(exchanges),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(all), Err)
    }
}

impl Shared {
    fn run(
        &self,
        address: &str,
        mut caller: Caller,
        pause: Duration,
        tolerance: Tolerance,
    ) -> anyhow::Result<Vec<Exchange>> {
        let mut all = Vec::new();
        let mut wire = Wire::connect(address)?;
        let mut due = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            wait_until(due);
            let sent = Instant::now();
            due = sent.max(due + pause);
            let (what, outcome) = caller.ask(&mut wire)?;
            let ended = Instant::now();
            let how = match outcome {
                Outcome::Proper => How::Proper,
                Outcome::Away if tolerance == Tolerance::Outages => How::Away,
                Outcome::Away => return Err(anyhow!("{what:?} was answered with 503")),
                Outcome::Broken(_) if tolerance == Tolerance::BrokenConnections => How::Broken,
                Outcome::Broken(error) => return Err(error.context(format!("{what:?}"))),
            };
            all.push(Exchange {
                what,
                sent,
                ended,
                how,
            });
            if how == How::Proper {
                self.answered.fetch_add(1, Ordering::Relaxed);
            } else {
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
            }
            if how == How::Broken {
                match self.connect_again(address)? {
                    Some(again) => wire = again,
                    None => break,
                }
            }
        }
        Ok(all)
    }

    /// Nothing if it is all over meanwhile.
    fn connect_again(&self, address: &str) -> anyhow::Result<Option<Wire>> {
        let began = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            match Wire::connect(address) {
                Ok(wire) => return Ok(Some(wire)),
                Err(error) if began.elapsed() > PATIENCE => {
                    return Err(error).context("nobody listens any more");
                }
                Err(_) => wait_until(Instant::now() + AGAIN),
            }
        }
        Ok(None)
    }
}
