//! The lease: of many nodes one runs a job, and a node that has lost it changes nothing more.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use rand::RngExt as _;

use super::Job;
use super::history;
use super::store::{self, Due};
use crate::db::schema::jobs;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// How long a lease holds without being renewed: long enough for clocks that differ by a few seconds, short enough
/// that a node that was killed is replaced soon.
pub const LENGTH: TimeDelta = TimeDelta::seconds(20);

/// Nobody takes a lease for longer: one that seems to was taken by a clock that was far ahead.
pub(super) const LONGEST: TimeDelta = TimeDelta::seconds(30);

/// What makes a job run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its time has come.
    Schedule,
    /// Somebody at the command line.
    Console,
    /// An administrator, on the page.
    Page,
}

impl Cause {
    /// As the history has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Schedule => "schedule",
            Cause::Console => "console",
            Cause::Page => "page",
        }
    }
}

/// The right to run a job, for a while.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Which job.
    pub job: Job,
    /// The row of the history that tells of this run.
    pub run_id: i64,
    /// What the schedule wanted, if it was the schedule.
    pub due: Option<Due>,
    holder: String,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All is done.
    Done,
    /// There is more to do, from this moment on.
    Paused(DateTime<Utc>),
    /// It failed; it is tried again at this moment.
    Failed(DateTime<Utc>, String),
}

/// Takes the lease if nobody holds it. With `due`, only if the job still stands as it was seen to stand: whoever was
/// quicker may have done the work already.
///
/// # Errors
/// When the database is away.
pub fn acquire(
    conn: &mut DbConnection,
    job: Job,
    cause: Cause,
    due: Option<Due>,
    as_of: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, Error> {
    store::introduce(conn, now)?;
    let holder = hex::encode(rand::rng().random::<[u8; 16]>());
    let taken = diesel::update(jobs::table.find(job.name()))
        .filter(
            jobs::lease_until
                .is_null()
                .or(jobs::lease_until.assume_not_null().le(Timestamp::from(now)))
                .or(jobs::lease_until
                    .assume_not_null()
                    .gt(Timestamp::from(now + LONGEST))),
        )
        .set((
            jobs::lease_holder.eq(&holder),
            jobs::lease_until.eq(Timestamp::from(now + LENGTH)),
        ))
        .execute(conn)?;
    if taken == 0 {
        return Ok(None);
    }
    if due.is_some() && !job.looks_first() {
        let still = store::standings(conn, now)?
            .into_iter()
            .find(|standing| standing.job == job)
            .map(|standing| store::Standing {
                lease_until: None,
                ..standing
            });
        if still.and_then(|standing| standing.due(now)).is_none() {
            give_back(conn, job, &holder)?;
            return Ok(None);
        }
    }
    history::abandon(conn, job, now)?;
    let run_id = history::begin(conn, job, &holder, cause, as_of, now)?;
    Ok(Some(Lease {
        job,
        run_id,
        due,
        holder,
    }))
}

impl Lease {
    /// Prolongs the lease; the first thing that each batch does in its transaction. On PostgreSQL whoever would take
    /// the lease over waits for the commit.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was lost: then the batch must not happen.
    pub fn renew(&self, conn: &mut DbConnection, now: DateTime<Utc>) -> Result<(), Error> {
        let renewed = diesel::update(jobs::table.find(self.job.name()))
            .filter(jobs::lease_holder.eq(&self.holder))
            .set(jobs::lease_until.eq(Timestamp::from(now + LENGTH)))
            .execute(conn)?;
        if renewed == 0 {
            return Err(Error::Conflict(format!(
                "another node has taken over the job {}",
                self.job.name()
            )));
        }
        Ok(())
    }

    /// Notes how it ended, and gives the lease back. A run by hand leaves the schedule as it was.
    ///
    /// # Errors
    /// When the database is away; then the lease ends by itself.
    pub fn end(
        &self,
        conn: &mut DbConnection,
        ending: &Ending,
        counts: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        history::finish(conn, self.run_id, ending, counts, now)?;
        let mine = jobs::table
            .find(self.job.name())
            .filter(jobs::lease_holder.eq(&self.holder));
        if let Some(due) = self.due {
            let retry_at = match ending {
                Ending::Done => None,
                Ending::Paused(at) | Ending::Failed(at, _) => Some(Timestamp::from(*at)),
            };
            diesel::update(mine)
                .set(jobs::retry_at.eq(retry_at))
                .execute(conn)?;
            if due == Due::Requested {
                diesel::update(mine)
                    .set(jobs::requested.eq(false))
                    .execute(conn)?;
            }
            match (due, ending) {
                (Due::Scheduled(moment), Ending::Done) => {
                    diesel::update(mine)
                        .set(jobs::handled_until.eq(Timestamp::from(moment)))
                        .execute(conn)?;
                }
                // It was begun for some earlier moment, and is done now: all until now is.
                (Due::Unfinished, Ending::Done) => {
                    let moment = Timestamp::from(self.job.schedule().latest(now));
                    diesel::update(mine.filter(jobs::handled_until.lt(moment)))
                        .set(jobs::handled_until.eq(moment))
                        .execute(conn)?;
                }
                _ => {}
            }
        }
        match ending {
            Ending::Failed(..) => diesel::update(mine)
                .set(jobs::failures.eq(jobs::failures + 1))
                .execute(conn)?,
            Ending::Done => diesel::update(mine)
                .set(jobs::failures.eq(0))
                .execute(conn)?,
            Ending::Paused(_) => 0,
        };
        give_back(conn, self.job, &self.holder)
    }
}

fn give_back(conn: &mut DbConnection, job: Job, holder: &str) -> Result<(), Error> {
    diesel::update(jobs::table.find(job.name()))
        .filter(jobs::lease_holder.eq(holder))
        .set((
            jobs::lease_holder.eq(None::<String>),
            jobs::lease_until.eq(None::<Timestamp>),
        ))
        .execute(conn)?;
    Ok(())
}
