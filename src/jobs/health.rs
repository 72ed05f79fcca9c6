//! How the jobs are: for whoever watches an instance from outside.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use super::Job;
use crate::db::schema::{job_runs, jobs};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// How a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its name.
    pub name: String,
    /// Runs that failed since the last one that didn't.
    pub failures: i64,
    /// When its newest run began.
    pub last_run: Option<DateTime<Utc>>,
    /// When the last run ended that did all there was to do.
    pub last_success: Option<DateTime<Utc>>,
    /// How long the last run took that has ended, however it did.
    pub last_duration: Option<TimeDelta>,
    /// Since when a run has been due that nobody has begun.
    pub due_since: Option<DateTime<Utc>>,
}

diesel::alias! {
    const ANY: Alias<AnyRun> = job_runs as any_run;
    const ENDED: Alias<EndedRun> = job_runs as ended_run;
    const DONE: Alias<DoneRun> = job_runs as done_run;
}

/// Last run, begin and end of the last one that ended, end of the last one that was done.
type Runs = (
    Option<Timestamp>,
    Option<(Timestamp, Option<Timestamp>)>,
    Option<Timestamp>,
);

type Row = (
    String,
    i64,
    Timestamp,
    Option<Timestamp>,
    Option<Timestamp>,
    Runs,
);

/// All jobs that a node has heard of, in one query.
///
/// # Errors
/// When the database is away.
pub fn of_all(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Vec<Health>, Error> {
    let newest = || {
        job_runs::table
            .filter(job_runs::job.eq(jobs::name))
            .select(max(job_runs::id))
    };
    let rows: Vec<Row> = jobs::table
        .left_join(
            ANY.on(ANY
                .field(job_runs::id)
                .nullable()
                .eq(newest().single_value())),
        )
        .left_join(
            ENDED.on(ENDED.field(job_runs::id).nullable().eq(newest()
                .filter(job_runs::finished_at.is_not_null())
                .single_value())),
        )
        .left_join(
            DONE.on(DONE
                .field(job_runs::id)
                .nullable()
                .eq(newest().filter(job_runs::outcome.eq("done")).single_value())),
        )
        .order(jobs::name.asc())
        .select((
            jobs::name,
            jobs::failures,
            jobs::handled_until,
            jobs::retry_at,
            jobs::lease_until,
            (
                ANY.field(job_runs::started_at).nullable(),
                (
                    ENDED.field(job_runs::started_at),
                    ENDED.field(job_runs::finished_at),
                )
                    .nullable(),
                DONE.field(job_runs::finished_at).nullable(),
            ),
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(|row| health(row, now)).collect())
}

fn health((name, failures, handled, retry, lease, runs): Row, now: DateTime<Utc>) -> Health {
    let (last_run, ended, done) = runs;
    let last_duration = ended.and_then(|(from, to)| {
        let took = DateTime::from(to?) - DateTime::from(from);
        Some(took.max(TimeDelta::zero()))
    });
    let runs = lease.is_some_and(|until| DateTime::from(until) > now);
    let due_since = Job::parse(&name)
        .filter(|_| !runs)
        .and_then(|job| due(job, handled.into(), retry.map(DateTime::from), now));
    Health {
        name,
        failures,
        last_run: last_run.map(DateTime::from),
        last_success: done.map(DateTime::from),
        last_duration,
        due_since,
    }
}

/// Since when a run has been due. One that failed or stopped has a time of its own; a job that looks first whether
/// there is anything to do is never late by its schedule.
fn due(
    job: Job,
    handled_until: DateTime<Utc>,
    retry_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let scheduled = || (!job.looks_first()).then(|| job.schedule().next(handled_until));
    retry_at.or_else(scheduled).filter(|at| *at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    #[test]
    fn a_job_is_late_from_the_first_moment_on_that_was_missed() {
        let since = |now: &str| due(Job::ExpiryCheck, at("18T01:00:00"), None, at(now));
        assert_eq!(since("19T00:59:59"), None);
        assert_eq!(since("19T01:00:00"), Some(at("19T01:00:00")));
        assert_eq!(since("21T10:00:00"), Some(at("19T01:00:00")));
    }

    #[test]
    fn a_run_that_failed_is_due_when_it_is_to_be_tried_again_and_not_before() {
        let retry = Some(at("19T01:15:00"));
        let since = |now: &str| due(Job::ExpiryCheck, at("18T01:00:00"), retry, at(now));
        assert_eq!(since("19T01:14:59"), None);
        assert_eq!(since("19T02:00:00"), retry);
    }

    #[test]
    fn a_job_that_finds_nothing_to_do_is_not_late() {
        let long_ago = at("01T00:00:00");
        assert_eq!(
            due(Job::DeliverMail, long_ago, None, at("19T10:00:00")),
            None
        );
        let retry = Some(at("19T09:00:00"));
        assert_eq!(
            due(Job::DeliverMail, long_ago, retry, at("19T10:00:00")),
            retry
        );
    }
}
