//! Mail and jobs: what runs by itself, what came of it, and the mails that have not got out.

use std::collections::HashMap;

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};

use super::administers;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::jobs::history::{self, JobRun};
use crate::jobs::store::{self, Standing};
use crate::jobs::{self, Job};
use crate::mail::{census, outbox};
use crate::notices::desk;
use crate::users;
use crate::web::lists::grouped;
use crate::web::page::PageCall;
use crate::web::views::admin::jobs::{
    BackgroundJobsPage, JobRow, MailCount, MailRow, NextRun, RunRow,
};
use crate::web::views::components::{Badge, Moment, Tone};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// The page's own address.
const PATH: &str = "/admin/background_jobs";

/// Runs that are shown at a time.
const RUNS: i64 = 25;

/// Mails that are shown.
const MAILS: i64 = 50;

/// What the page reads.
struct Found {
    standings: Vec<Standing>,
    newest: Vec<JobRun>,
    runs: Vec<JobRun>,
    counts: census::Counts,
    unsent: Vec<outbox::Email>,
    usernames: HashMap<i64, String>,
}

/// `GET /admin/background_jobs` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let before = call.query.text("before").parse::<i64>().ok();
    let found = call.read(move |conn, ctx| find(conn, ctx, before)).await?;
    let now = call.ctx.now;
    let shell = call.shell(
        "Mail and jobs",
        vec![Crumb::link("Admin", "/admin"), Crumb::here("Mail and jobs")],
        Some(Sidebar::admin(Place::Jobs)),
    );
    let older = found
        .runs
        .last()
        .filter(|_| i64::try_from(found.runs.len()).unwrap_or(0) == RUNS)
        .map(|run| format!("{PATH}?before={}#history", run.id));
    let counts = &found.counts;
    let count = |label, value: i64| MailCount {
        label,
        value: grouped(value),
    };
    call.ok(&BackgroundJobsPage {
        shell,
        jobs: found
            .standings
            .iter()
            .map(|standing| job_row(standing, &found.newest, now))
            .collect(),
        runs: found.runs.iter().map(|run| run_row(run, now)).collect(),
        newest: before.map(|_| format!("{PATH}#history")),
        older,
        mail_goes_to: call.app.mailer.destination(),
        mail_reaches_people: call.app.mailer.reaches_people(),
        mail_counts: vec![
            count("Waiting", counts.waiting + counts.sending),
            count("Sent", counts.sent),
            count("Refused", counts.refused),
            count("Dropped", counts.dropped),
        ],
        mails: found
            .unsent
            .iter()
            .map(|email| mail_row(email, &found.usernames, now))
            .collect(),
    })
}

/// `POST /admin/background_jobs` (`Administer`): `run` a job, `retry` or `drop` a mail, or send a `test_mail`.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, and for what isn't there.
pub async fn act(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let missing = || Error::NotFound(What::Thing);
    let mail = call.form.text("mail").parse::<i64>().ok();
    let said = match call.form.text("act") {
        "run" => {
            let job = Job::parse(call.form.text("job")).ok_or_else(missing)?;
            call.write(move |conn, ctx| jobs::request(conn, ctx, job))
                .await?;
            format!("{} will run within seconds.", job.name())
        }
        "retry" => {
            let id = mail.ok_or_else(missing)?;
            call.write(move |conn, ctx| desk::retry(conn, ctx, id))
                .await?;
            "The mail will be tried again within seconds.".to_owned()
        }
        "drop" => {
            let id = mail.ok_or_else(missing)?;
            call.write(move |conn, ctx| desk::drop(conn, ctx, id))
                .await?;
            "The mail will not be sent.".to_owned()
        }
        "test_mail" => {
            call.write(desk::send_test).await?;
            "A test mail is on its way to you.".to_owned()
        }
        _ => return Err(missing()),
    };
    call.app.jobs_waiting.notify_one();
    call.flash(Tone::Success, said);
    Ok(call.redirect(PATH))
}

fn find(conn: &mut DbConnection, ctx: &Context, before: Option<i64>) -> Result<Found, Error> {
    let unsent = outbox::unsent(conn, MAILS)?;
    let people: Vec<i64> = unsent.iter().map(|email| email.user_id).collect();
    Ok(Found {
        standings: store::standings(conn, ctx.now)?,
        newest: history::newest_of_each(conn)?,
        runs: history::newest(conn, None, before, RUNS)?,
        counts: census::count_all(conn)?.counts,
        usernames: users::store::usernames(conn, &people)?,
        unsent,
    })
}

fn job_row(standing: &Standing, newest: &[JobRun], now: DateTime<Utc>) -> JobRow {
    let job = standing.job;
    JobRow {
        name: job.name(),
        summary: job.summary(),
        schedule: job.schedule().to_string(),
        last: newest
            .iter()
            .find(|run| run.job == job.name())
            .map(|run| run_row(run, now)),
        next: if standing.requested {
            NextRun::Soon
        } else if let Some(at) = standing.retry_at {
            NextRun::At(Moment::at(at, now))
        } else if job.looks_first() {
            NextRun::OnDemand
        } else {
            NextRun::At(Moment::at(job.schedule().next(now), now))
        },
    }
}

fn run_row(run: &JobRun, now: DateTime<Utc>) -> RunRow {
    let (text, tone) = match run.outcome.as_str() {
        "running" => ("Running", Tone::Info),
        "done" => ("Done", Tone::Success),
        "paused" => ("Goes on", Tone::Info),
        "abandoned" => ("Cut off", Tone::Warning),
        _ => ("Failed", Tone::Danger),
    };
    RunRow {
        job: run.job.clone(),
        outcome: Badge::new(text, tone),
        cause: match run.cause.as_str() {
            "console" => "By hand, console",
            "page" => "By hand, page",
            _ => "By schedule",
        },
        started: Moment::at(run.started_at, now),
        as_of: (run.as_of != run.started_at).then(|| Moment::at(run.as_of, now).exact),
        took: run
            .finished_at
            .map(|at| lasted((at - run.started_at).num_milliseconds())),
        counts: counted(&run.counts),
        error: run.error.clone(),
    }
}

/// `340 ms`, `1.2 s`, `3 min 5 s`.
fn lasted(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{} ms", ms.max(0)),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `12 tokens, 24 mails`; what wasn't there is left out.
fn counted(counts: &[(String, i64)]) -> String {
    let some: Vec<String> = counts
        .iter()
        .filter(|(_, number)| *number != 0)
        .map(|(what, number)| format!("{} {}", grouped(*number), what.replace('_', " ")))
        .collect();
    some.join(", ")
}

fn mail_row(
    email: &outbox::Email,
    usernames: &HashMap<i64, String>,
    now: DateTime<Utc>,
) -> MailRow {
    let (text, tone) = match email.state.as_str() {
        "waiting" if email.attempts == 0 => ("Waiting", Tone::Neutral),
        "waiting" => ("Tried again", Tone::Warning),
        "sending" => ("Sending", Tone::Info),
        "dropped" => ("Dropped", Tone::Neutral),
        _ => ("Refused", Tone::Danger),
    };
    let waits = email.settled_at.is_none();
    MailRow {
        id: email.id,
        kind: email.kind.replace('_', " "),
        to: usernames.get(&email.user_id).cloned().unwrap_or_default(),
        state: Badge::new(text, tone),
        attempts: email.attempts,
        made: Moment::at(email.created_at, now),
        due: waits.then(|| Moment::at(email.due_at, now)),
        error: email.last_error.clone(),
        can_drop: waits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_the_unit_that_suits_them() {
        for (ms, text) in [
            (-5, "0 ms"),
            (340, "340 ms"),
            (1_000, "1.0 s"),
            (59_999, "59.9 s"),
            (185_000, "3 min 5 s"),
        ] {
            assert_eq!(lasted(ms), text);
        }
    }

    #[test]
    fn counts_of_nothing_are_left_out() {
        let counts = [
            ("tokens".to_owned(), 1_200),
            ("mails".to_owned(), 0),
            ("without_recipient".to_owned(), 3),
        ];
        assert_eq!(counted(&counts), "1,200 tokens, 3 without recipient");
        assert_eq!(counted(&[]), "");
    }
}
