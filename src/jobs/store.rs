//! The jobs' rows: what was handled, what is to be tried again, who holds the lease.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::Job;
use super::lease::LONGEST;
use crate::db::schema::jobs;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which job.
    pub job: Job,
    /// Has this database heard of it?
    pub is_known: bool,
    /// The scheduled moment up to which no run is missing.
    pub handled_until: DateTime<Utc>,
    /// When to go on after a run that stopped half-way or failed.
    pub retry_at: Option<DateTime<Utc>>,
    /// An administrator asked for a run.
    pub requested: bool,
    /// Runs that failed in a row.
    pub failures: i64,
    /// Until when somebody holds the lease.
    pub lease_until: Option<DateTime<Utc>>,
}

/// Why a job is to run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Its time has come, or was missed: this one.
    Scheduled(DateTime<Utc>),
    /// An earlier run isn't finished.
    Unfinished,
    /// Somebody asked for it.
    Requested,
}

/// No moment of a job's row is farther ahead, unless a clock was.
const BEYOND: TimeDelta = TimeDelta::days(1);

impl Standing {
    /// Was it written by a clock that was far ahead?
    pub fn is_out_of_time(&self, now: DateTime<Utc>) -> bool {
        self.handled_until > now + BEYOND || self.retry_at.is_some_and(|at| at > now + BEYOND)
    }

    /// Is it to run now, and why? A run that failed or stopped waits for its time, whatever the schedule says. A job
    /// that looks first is due whenever it is looked at.
    pub fn due(&self, now: DateTime<Utc>) -> Option<Due> {
        let held = now..now + LONGEST;
        if self
            .lease_until
            .is_some_and(|until| until > held.start && until <= held.end)
        {
            return None;
        }
        if self.requested {
            return Some(Due::Requested);
        }
        if let Some(at) = self.retry_at {
            return (at <= now).then_some(Due::Unfinished);
        }
        if self.job.looks_first() {
            return Some(Due::Scheduled(now));
        }
        self.job
            .schedule()
            .missed(self.handled_until, now)
            .map(Due::Scheduled)
    }
}

type Row = (
    String,
    Timestamp,
    Option<Timestamp>,
    bool,
    i64,
    Option<Timestamp>,
);

/// Where every job stands. One that this database has not heard of yet has missed nothing.
///
/// # Errors
/// When the database is away.
pub fn standings(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Vec<Standing>, Error> {
    let rows: Vec<Row> = jobs::table
        .select((
            jobs::name,
            jobs::handled_until,
            jobs::retry_at,
            jobs::requested,
            jobs::failures,
            jobs::lease_until,
        ))
        .load(conn)?;
    let known = |job: Job| rows.iter().find(|row| row.0 == job.name());
    Ok(Job::ALL
        .into_iter()
        .map(|job| match known(job) {
            Some((_, handled, retry, requested, failures, lease)) => Standing {
                job,
                is_known: true,
                handled_until: (*handled).into(),
                retry_at: retry.map(DateTime::from),
                requested: *requested,
                failures: *failures,
                lease_until: lease.map(DateTime::from),
            },
            None => Standing {
                job,
                is_known: false,
                handled_until: now,
                retry_at: None,
                requested: false,
                failures: 0,
                lease_until: None,
            },
        })
        .collect())
}

/// Makes the rows of jobs that this database has not heard of yet; from now on their moments count.
///
/// # Errors
/// When the database is away.
pub fn introduce(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<(), Error> {
    let known: Vec<String> = jobs::table.select(jobs::name).load(conn)?;
    for job in Job::ALL {
        if known.iter().any(|name| name == job.name()) {
            continue;
        }
        // In a savepoint: another node may introduce it at this very moment.
        let made = conn.transaction(|conn| {
            diesel::insert_into(jobs::table)
                .values((
                    jobs::name.eq(job.name()),
                    jobs::handled_until.eq(Timestamp::from(now)),
                ))
                .execute(conn)
        });
        match made {
            Err(diesel::result::Error::DatabaseError(
                diesel::result::DatabaseErrorKind::UniqueViolation,
                _,
            ))
            | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What lies beyond any schedule was written by a clock that was far ahead, and would silence the job until then: it is
/// taken back to now. Returns how many jobs that was so for.
///
/// # Errors
/// When the database is away.
pub fn repair(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let (present, beyond) = (Timestamp::from(now), Timestamp::from(now + BEYOND));
    let handled = diesel::update(jobs::table.filter(jobs::handled_until.gt(beyond)))
        .set(jobs::handled_until.eq(present))
        .execute(conn)?;
    let retried = diesel::update(
        jobs::table
            .filter(jobs::retry_at.is_not_null())
            .filter(jobs::retry_at.assume_not_null().gt(beyond)),
    )
    .set(jobs::retry_at.eq(present))
    .execute(conn)?;
    Ok(handled + retried)
}

/// Notes that an administrator wants a run.
pub(super) fn set_requested(conn: &mut DbConnection, job: Job) -> Result<(), Error> {
    diesel::update(jobs::table.find(job.name()))
        .set(jobs::requested.eq(true))
        .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(now: DateTime<Utc>) -> Standing {
        Standing {
            job: Job::ExpiryCheck,
            is_known: true,
            handled_until: now - TimeDelta::days(2),
            retry_at: None,
            requested: false,
            failures: 0,
            lease_until: None,
        }
    }

    #[test]
    fn what_is_missed_is_due_and_what_is_handled_is_not() {
        let now: DateTime<Utc> = "2026-11-20T10:00:00Z".parse().unwrap();
        let missed = standing(now);
        let one = "2026-11-20T01:00:00Z".parse().unwrap();
        assert_eq!(missed.due(now), Some(Due::Scheduled(one)));
        let handled = Standing {
            handled_until: one,
            ..missed
        };
        assert_eq!(handled.due(now), None);
    }

    #[test]
    fn a_failed_run_waits_for_its_time_even_when_the_schedule_has_another() {
        let now: DateTime<Utc> = "2026-11-20T10:00:00Z".parse().unwrap();
        let failed = Standing {
            retry_at: Some(now + TimeDelta::minutes(5)),
            ..standing(now)
        };
        assert_eq!(failed.due(now), None);
        assert_eq!(
            failed.due(now + TimeDelta::minutes(5)),
            Some(Due::Unfinished)
        );
    }

    #[test]
    fn what_somebody_else_runs_is_not_due_and_what_is_asked_for_is() {
        let now: DateTime<Utc> = "2026-11-20T10:00:00Z".parse().unwrap();
        let asked = Standing {
            requested: true,
            handled_until: now,
            retry_at: Some(now + TimeDelta::hours(1)),
            ..standing(now)
        };
        assert_eq!(asked.due(now), Some(Due::Requested));
        let running = Standing {
            lease_until: Some(now + TimeDelta::seconds(1)),
            ..asked
        };
        assert_eq!(running.due(now), None);
        assert_eq!(
            running.due(now + TimeDelta::seconds(1)),
            Some(Due::Requested)
        );
    }
}
