//! Running a job: under its lease, batch by batch, with a line in the history.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::lease::{self, Cause, Ending, Lease};
use super::schedule::pause_after;
use super::store::{self, Due};
use super::{Job, work};
use crate::actor::{Actor, Origin};
use crate::app::App;
use crate::clock::Clock;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Inside the server a run gives way after this long,
const AT_MOST: Duration = Duration::from_secs(180);

/// and goes on after a pause, so that one job doesn't keep a node busy for hours.
const PAUSE: TimeDelta = TimeDelta::minutes(2);

/// The lease is renewed this often, whatever the batches do.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often somebody who waits for the lease looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Did a run come to its end?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing left to do.
    Done,
    /// It gave way; there is more.
    Paused,
}

/// A run in progress: what the work of a job has to do with.
pub struct Run {
    app: App,
    lease: Lease,
    as_of: DateTime<Utc>,
    counts: Map<String, Value>,
    until: Option<Instant>,
    stop: Option<watch::Receiver<bool>>,
}

/// What a run by hand came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many of what.
    pub counts: Vec<(String, i64)>,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// The application.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The moment that this run takes for the present.
    pub fn as_of(&self) -> DateTime<Utc> {
        self.as_of
    }

    /// The clock, or one that stands still at the moment that the run was given, whichever is later.
    pub fn later_clock(&self) -> Clock {
        if self.as_of > self.app.clock.now() {
            Clock::fixed(self.as_of)
        } else {
            self.app.clock.clone()
        }
    }

    /// One step of the work, in a transaction of its own that fails when the lease was lost. The last argument is
    /// the moment by the clock, whatever day the run pretends it is.
    ///
    /// # Errors
    /// The step's own, and [`Error::Conflict`] without the lease.
    pub async fn batch<T: Send + 'static>(
        &self,
        mut step: impl FnMut(&mut DbConnection, &Context, DateTime<Utc>) -> Result<T, Error>
        + Send
        + 'static,
    ) -> Result<T, Error> {
        let (app, lease, as_of) = (self.app.clone(), self.lease.clone(), self.as_of);
        let change = move |conn: &mut DbConnection| {
            let now = app.clock.now();
            lease.renew(conn, now)?;
            let ctx = context(conn, &app, as_of)?;
            step(conn, &ctx, now)
        };
        self.app.db.write(change).await
    }

    /// What each transaction of somebody else's loop is to begin with.
    pub fn guard(
        &self,
    ) -> impl Fn(&mut DbConnection) -> Result<(), Error> + Clone + Send + Sync + 'static {
        let (app, lease) = (self.app.clone(), self.lease.clone());
        move |conn: &mut DbConnection| lease.renew(conn, app.clock.now())
    }

    /// Counts what was done.
    pub fn count(&mut self, what: &str, number: usize) {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let counted = self.counts.entry(what).or_insert_with(|| 0.into());
        *counted = (counted.as_i64().unwrap_or(0).saturating_add(number)).into();
    }

    /// Is it time to give way? Asked between two batches.
    pub fn gives_way(&self) -> bool {
        !self.asks_to_go_on()()
    }

    /// For somebody else's loop: is it not yet time to give way?
    pub fn asks_to_go_on(&self) -> impl Fn() -> bool + Clone + use<> {
        let (until, stop) = (self.until, self.stop.clone());
        move || {
            until.is_none_or(|until| Instant::now() < until)
                && stop.as_ref().is_none_or(|stop| !*stop.borrow())
        }
    }

    /// Repeats a step until it finds nothing more to do or the run gives way. The step returns how many it did.
    ///
    /// # Errors
    /// As [`Run::batch`].
    pub async fn repeat(
        &mut self,
        what: &str,
        step: impl Fn(&mut DbConnection, &Context, DateTime<Utc>) -> Result<usize, Error>
        + Clone
        + Send
        + 'static,
    ) -> Result<Progress, Error> {
        loop {
            let done = self.batch(step.clone()).await?;
            self.count(what, done);
            if done == 0 {
                return Ok(Progress::Done);
            }
            if self.gives_way() {
                return Ok(Progress::Paused);
            }
        }
    }
}

/// What a verb needs when the server itself acts, at this moment.
///
/// # Errors
/// When the database is away.
pub fn context(conn: &mut DbConnection, app: &App, as_of: DateTime<Utc>) -> Result<Context, Error> {
    let policy = app.policy_now(conn)?;
    Ok(app.context(Actor::system(Origin::job()), policy, as_of))
}

/// Runs a job by hand, to its end. Waits up to `patience` for the lease. `as_of` is taken for the present, if given;
/// the schedule stays as it was.
///
/// # Errors
/// [`Error::Conflict`] when another node runs it all that time; else what the job came to.
pub async fn by_hand(
    app: &App,
    job: Job,
    as_of: Option<DateTime<Utc>>,
    patience: Duration,
) -> Result<Report, Error> {
    let began = Instant::now();
    loop {
        if let Some(lease) = take(app, job, Cause::Console, None, as_of).await? {
            return run(app, lease, as_of, None).await;
        }
        if began.elapsed() >= patience {
            return Err(Error::Conflict(format!(
                "another node is running {} and has not finished within {} s",
                job.name(),
                patience.as_secs()
            )));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Runs a job that is due, if no other node is quicker.
pub async fn in_turn(app: App, job: Job, due: Due, stop: watch::Receiver<bool>) {
    let cause = match due {
        Due::Requested => Cause::Page,
        Due::Scheduled(_) | Due::Unfinished => Cause::Schedule,
    };
    match take(&app, job, cause, Some(due), None).await {
        Ok(Some(lease)) => {
            // A failure has been logged, and stands in the history.
            let _ = run(&app, lease, None, Some(stop)).await;
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(job = job.name(), %error, "The job could not begin"),
    }
}

async fn take(
    app: &App,
    job: Job,
    cause: Cause,
    due: Option<Due>,
    as_of: Option<DateTime<Utc>>,
) -> Result<Option<Lease>, Error> {
    let node = app.clone();
    let taken = app.db.write(move |conn| {
        node.check_clock(conn)?;
        let now = node.clock.now();
        lease::acquire(conn, job, cause, due, as_of.unwrap_or(now), now)
    });
    taken.await
}

async fn run(
    app: &App,
    lease: Lease,
    as_of: Option<DateTime<Utc>>,
    stop: Option<watch::Receiver<bool>>,
) -> Result<Report, Error> {
    let began = Instant::now();
    let job = lease.job;
    let mut run = Run {
        app: app.clone(),
        as_of: as_of.unwrap_or_else(|| app.clock.now()),
        counts: Map::new(),
        until: stop.as_ref().map(|_| began + AT_MOST),
        stop,
        lease: lease.clone(),
    };
    let outcome = tokio::select! {
        outcome = work::work(job, &mut run) => outcome,
        lost = keep(app, &lease) => Err(lost),
    };
    let now = app.clock.now();
    let ending = match &outcome {
        Ok(Progress::Done) => Ending::Done,
        Ok(Progress::Paused) => Ending::Paused(now + PAUSE),
        Err(error) => {
            let failures = failures_of(app, job).await;
            Ending::Failed(now + pause_after(failures + 1), told(error))
        }
    };
    let counts = Value::Object(run.counts.clone()).to_string();
    let took = began.elapsed();
    match &ending {
        Ending::Failed(_, why) => {
            tracing::warn!(job = job.name(), %counts, why, "The job failed; it is tried again");
        }
        _ if run.counts.values().any(|count| count.as_i64() != Some(0)) => {
            tracing::info!(job = job.name(), %counts, took_ms = took.as_millis(), "The job is done");
        }
        _ => tracing::debug!(job = job.name(), "The job had nothing to do"),
    }
    let noted = app
        .db
        .write(move |conn| lease.end(conn, &ending, &counts, now))
        .await;
    if let Err(error) = noted {
        tracing::warn!(job = job.name(), %error, "The end of the job could not be noted; its lease will lapse");
    }
    outcome.map(|_| Report {
        counts: run
            .counts
            .into_iter()
            .filter_map(|(what, number)| Some((what, number.as_i64()?)))
            .collect(),
        took,
    })
}

/// Renews the lease while the work goes on; returns when it was lost.
async fn keep(app: &App, lease: &Lease) -> Error {
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.tick().await;
    loop {
        beat.tick().await;
        let (lease, clock) = (lease.clone(), app.clock.clone());
        // If the database is away the work will find out by itself, and the lease lapses.
        let renewed = app.db.write(move |conn| lease.renew(conn, clock.now()));
        if let Err(lost @ Error::Conflict(_)) = renewed.await {
            return lost;
        }
    }
}

async fn failures_of(app: &App, job: Job) -> i64 {
    let now = app.clock.now();
    let standings = app.db.read(move |conn| store::standings(conn, now)).await;
    standings
        .ok()
        .and_then(|all| all.into_iter().find(|standing| standing.job == job))
        .map_or(0, |standing| standing.failures)
}

/// A failure for the administrators, with its cause.
pub(super) fn told(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) => format!("Something it depends on was away: {cause:#}"),
        Error::Internal(cause) => format!("A fault of Latchkey itself: {cause:#}"),
        other => other.to_string(),
    }
}
