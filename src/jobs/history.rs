//! What came of each run.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use super::Job;
use super::lease::{Cause, Ending};
use crate::db::schema::job_runs;
use crate::db::{Backend, DbConnection, Timestamp};
use crate::error::Error;

/// How long the history is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// One run.
#[derive(Debug, Clone)]
pub struct JobRun {
    /// Its number.
    pub id: i64,
    /// Which job, by name; a name that this program does not know may be a newer one's.
    pub job: String,
    /// `schedule`, `console` or `page`.
    pub cause: String,
    /// The moment that it took for the present.
    pub as_of: DateTime<Utc>,
    /// `running`, `done`, `paused`, `failed` or `abandoned`.
    pub outcome: String,
    /// How many of what, in the order in which they were counted.
    pub counts: Vec<(String, i64)>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

type Row = (
    i64,
    String,
    String,
    Timestamp,
    String,
    String,
    Option<String>,
    Timestamp,
    Option<Timestamp>,
);

fn read((id, job, cause, as_of, outcome, counts, error, started_at, finished_at): Row) -> JobRun {
    let counts: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&counts).unwrap_or_default();
    JobRun {
        id,
        job,
        cause,
        as_of: as_of.into(),
        outcome,
        counts: counts
            .into_iter()
            .filter_map(|(what, number)| Some((what, number.as_i64()?)))
            .collect(),
        error,
        started_at: started_at.into(),
        finished_at: finished_at.map(DateTime::from),
    }
}

macro_rules! columns {
    () => {
        (
            job_runs::id,
            job_runs::job,
            job_runs::cause,
            job_runs::as_of,
            job_runs::outcome,
            job_runs::counts,
            job_runs::error,
            job_runs::started_at,
            job_runs::finished_at,
        )
    };
}

/// The newest runs, of one job or of all, newest first.
///
/// # Errors
/// When the database is away.
pub fn newest(
    conn: &mut DbConnection,
    job: Option<Job>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<JobRun>, Error> {
    let mut query = job_runs::table
        .select(columns!())
        .order(job_runs::id.desc())
        .limit(limit)
        .into_boxed::<Backend>();
    if let Some(job) = job {
        query = query.filter(job_runs::job.eq(job.name()));
    }
    if let Some(id) = before {
        query = query.filter(job_runs::id.lt(id));
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(read).collect())
}

/// The newest run of each job that has ever run.
///
/// # Errors
/// When the database is away.
pub fn newest_of_each(conn: &mut DbConnection) -> Result<Vec<JobRun>, Error> {
    let mut found = Vec::new();
    for job in Job::ALL {
        let id: Option<i64> = job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .select(diesel::dsl::max(job_runs::id))
            .get_result(conn)?;
        if let Some(id) = id {
            let row: Row = job_runs::table
                .find(id)
                .select(columns!())
                .get_result(conn)?;
            found.push(read(row));
        }
    }
    Ok(found)
}

/// Notes that a run begins.
pub(super) fn begin(
    conn: &mut DbConnection,
    job: Job,
    holder: &str,
    cause: Cause,
    as_of: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    Ok(diesel::insert_into(job_runs::table)
        .values((
            job_runs::job.eq(job.name()),
            job_runs::holder.eq(holder),
            job_runs::cause.eq(cause.as_str()),
            job_runs::as_of.eq(Timestamp::from(as_of)),
            job_runs::outcome.eq("running"),
            job_runs::started_at.eq(Timestamp::from(now)),
        ))
        .returning(job_runs::id)
        .get_result(conn)?)
}

/// Notes how a run ended.
pub(super) fn finish(
    conn: &mut DbConnection,
    run_id: i64,
    ending: &Ending,
    counts: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (outcome, error) = match ending {
        Ending::Done => ("done", None),
        Ending::Paused(_) => ("paused", None),
        Ending::Failed(_, why) => ("failed", Some(why.as_str())),
    };
    diesel::update(job_runs::table.find(run_id))
        .filter(job_runs::outcome.eq("running"))
        .set((
            job_runs::outcome.eq(outcome),
            job_runs::error.eq(error),
            job_runs::counts.eq(counts),
            job_runs::finished_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whoever holds the lease knows that nobody else runs the job: what still seems to run was killed.
pub(super) fn abandon(conn: &mut DbConnection, job: Job, now: DateTime<Utc>) -> Result<(), Error> {
    diesel::update(
        job_runs::table
            .filter(job_runs::job.eq(job.name()))
            .filter(job_runs::outcome.eq("running")),
    )
    .set((
        job_runs::outcome.eq("abandoned"),
        job_runs::error.eq("The program that ran it ended"),
        job_runs::finished_at.eq(Timestamp::from(now)),
    ))
    .execute(conn)?;
    Ok(())
}

/// Forgets up to `limit` runs that are older than a month. Returns how many.
///
/// # Errors
/// When the database is away.
pub fn purge(conn: &mut DbConnection, now: DateTime<Utc>, limit: i64) -> Result<usize, Error> {
    let old = job_runs::table
        .filter(job_runs::started_at.lt(Timestamp::from(now - KEPT)))
        .filter(job_runs::outcome.ne("running"))
        .order(job_runs::id.asc())
        .limit(limit)
        .select(job_runs::id);
    let ids: Vec<i64> = old.load(conn)?;
    Ok(diesel::delete(job_runs::table.filter(job_runs::id.eq_any(ids))).execute(conn)?)
}
