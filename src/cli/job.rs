//! `latchkey job`

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::Failure;
use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use crate::jobs::history::{self, JobRun};
use crate::jobs::policy::{self, Policy};
use crate::jobs::run::{Report, by_hand, context};
use crate::jobs::store::{self, Standing};
use crate::jobs::{Job, schedule::Schedule};

/// How long `job run` waits for another node's lease.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(List),
    Run(Run),
}

/// List the jobs: when they run by themselves, and what came of the last run
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    acting: Acting,
}

/// Run a job to its end, with or without a server
///
/// What it does is real, and the schedule stays as it was. If another node is running the job, this waits for up to
/// 30 seconds.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Which; latchkey job list lists them
    #[arg(value_name = "NAME", value_parser = job)]
    job: Job,

    /// Take this moment for the present, as in 2026-11-20T01:00:00Z; without a moment, the present itself
    #[arg(long, value_name = "RFC3339", num_args = 0..=1, value_parser = moment)]
    now: Option<Option<DateTime<Utc>>>,

    /// Only tell what would be revoked, and change nothing; for lifetime-enforcement
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    acting: Acting,
}

fn job(name: &str) -> Result<Job, String> {
    Job::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Job::ALL.iter().map(|job| job.name()).collect();
        format!("the jobs are {}", names.join(", "))
    })
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "it must be a moment such as 2026-11-20T01:00:00Z".to_owned())
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::List(list) => list.run(instance, out),
            Command::Run(run) => run.run(instance, out),
        }
    }
}

impl List {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (standings, runs, now) = instance.open(&self.acting)?.read(|conn, ctx| {
            Ok((
                store::standings(conn, ctx.now)?,
                history::newest_of_each(conn)?,
                ctx.now,
            ))
        })?;
        let mut table = Table::new(&["JOB", "RUNS", "LAST RUN", "OUTCOME", "NEXT RUN"], "");
        let mut objects = Vec::new();
        for standing in standings {
            let job = standing.job;
            let last = runs.iter().find(|run| run.job == job.name());
            let next = next(&standing, now);
            table.row([
                job.name().to_owned(),
                job.schedule().to_string(),
                last.map_or_else(|| "never".to_owned(), |run| told(run.started_at)),
                last.map_or_else(String::new, outcome),
                next.map_or_else(|| "when there is something to do".to_owned(), told),
            ]);
            objects.push(json!({
                "name": job.name(),
                "schedule": job.schedule().to_string(),
                "does": job.summary(),
                "failures": standing.failures,
                "next_run_at": next.map(told),
                "last_run": last.map(|run| json!({
                    "started_at": told(run.started_at),
                    "finished_at": run.finished_at.map(told),
                    "outcome": run.outcome,
                    "counts": counts(&run.counts),
                    "error": run.error,
                })),
            }));
        }
        out.list(objects, &table)
    }
}

/// When it runs next by itself; nothing for those that wait for work.
fn next(standing: &Standing, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match (standing.retry_at, standing.job.schedule()) {
        (Some(at), _) => Some(at),
        (None, schedule @ Schedule::Daily(..)) => Some(
            schedule
                .missed(standing.handled_until, now)
                .unwrap_or_else(|| schedule.next(now)),
        ),
        (None, _) if standing.job.looks_first() => None,
        (None, schedule) => Some(schedule.next(now)),
    }
}

fn told(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn outcome(run: &JobRun) -> String {
    match &run.error {
        Some(error) => format!("{}: {error}", run.outcome),
        None => run.outcome.clone(),
    }
}

fn counts(counts: &[(String, i64)]) -> Value {
    let map: Map<String, Value> = counts
        .iter()
        .map(|(what, number)| (what.clone(), json!(number)))
        .collect();
    Value::Object(map)
}

/// `12 tokens, 24 notices`; what wasn't there is left out.
fn counted(report: &Report) -> String {
    let some: Vec<String> = report
        .counts
        .iter()
        .filter(|(_, number)| *number != 0)
        .map(|(what, number)| format!("{} {number}", what.replace('_', " ")))
        .collect();
    if some.is_empty() {
        "nothing to do".to_owned()
    } else {
        some.join(", ")
    }
}

impl Run {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        if self.dry_run {
            return self.preview(instance, out);
        }
        let app = instance.open(&self.acting)?.app().clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("threads can't be started: {error}")))?;
        let (job, as_of) = (self.job, self.now.flatten());
        let report = runtime.block_on(by_hand(&app, job, as_of, PATIENCE))?;
        let object = json!({
            "job": job.name(),
            "as_of": as_of.map(told),
            "counts": counts(&report.counts),
            "took_ms": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        });
        out.result(&object, &format!("{}: {}", job.name(), counted(&report)))
    }
    /// What a run would take away.
    fn preview(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        if self.job != Job::LifetimeEnforcement {
            return Err(Failure::usage(
                "--dry-run is for lifetime-enforcement alone: the other jobs take no token away that is active",
            ));
        }
        let app = instance.open(&self.acting)?.app().clone();
        let as_of = self.now.flatten().unwrap_or_else(|| app.clock.now());
        let looked = app.clone();
        let found = app.db.read_now(move |conn| {
            let ctx = context(conn, &looked, as_of)?;
            policy::preview(conn, &ctx)
        })?;
        let mut table = Table::new(
            &["ID", "KIND", "PLACE", "NAME", "LAST USED", "EXPIRES", "WHY"],
            "Nothing would be revoked.",
        );
        let mut objects = Vec::new();
        for (policy, token) in found {
            let why = match policy {
                Policy::Lifetime => "lives too long",
                Policy::Unused => "unused",
            };
            table.row([
                token.id.to_string(),
                token.kind.to_owned(),
                token.full_path.clone(),
                token.name.clone(),
                token.last_used_at.map_or_else(|| "never".to_owned(), told),
                token
                    .expires_at
                    .map_or_else(|| "never".to_owned(), |date| date.to_string()),
                why.to_owned(),
            ]);
            objects.push(json!({
                "id": token.id,
                "kind": token.kind,
                "full_path": token.full_path,
                "name": token.name,
                "last_used_at": token.last_used_at.map(told),
                "expires_at": token.expires_at,
                "why": policy.name(),
            }));
        }
        out.list(objects, &table)
    }
}
