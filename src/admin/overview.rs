//! The overview: what there is, who takes a seat, how the system is, and what has failed lately.

use actix_web::HttpResponse;
use chrono::{DateTime, TimeDelta, Utc};

use super::gate::administers;
use super::store::{Accounts, Counts, count};
use crate::app::App;
use crate::context::Context;
use crate::db::{DatabaseUrl, DbConnection, Total, ahead_of_server};
use crate::doctor::files::free_bytes;
use crate::error::Error;
use crate::jobs::history::{JobRun, newest_of_each};
use crate::mail::{census, outbox};
use crate::settings::advice;
use crate::users::{UserKind, UserState};
use crate::web::lists::{grouped, total};
use crate::web::page::PageCall;
use crate::web::views::admin::{AdminOverviewPage, Count, Failure, NotBillable, SystemFact};
use crate::web::views::components::{Moment, Tone};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// Where jobs and mails are looked after.
const JOBS: &str = "/admin/background_jobs";

/// With less room than that, in bytes, administrators should do something.
const LITTLE: u64 = 1 << 30;

/// Failures that are shown.
const FAILURES: usize = 5;

/// From then on a difference between clocks is told as one.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(1);

/// What the page reads.
struct Found {
    counts: Counts,
    runs: Vec<JobRun>,
    mails: census::Counts,
    refused: Vec<outbox::Email>,
    ahead: Option<TimeDelta>,
}

fn find(conn: &mut DbConnection, ctx: &Context, now: DateTime<Utc>) -> Result<Found, Error> {
    Ok(Found {
        counts: count(conn, ctx)?,
        runs: newest_of_each(conn)?,
        mails: census::count_all(conn)?.counts,
        refused: outbox::refused(conn, i64::try_from(FAILURES).unwrap_or(i64::MAX))?,
        ahead: ahead_of_server(conn, now)?,
    })
}

/// `GET /admin` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let app = call.app.clone();
    let found = call
        .read(move |conn, ctx| find(conn, ctx, app.clock.now()))
        .await?;
    let counts = &found.counts;
    let shell = call.shell(
        "Admin overview",
        vec![Crumb::here("Admin")],
        Some(Sidebar::admin(Place::Overview)),
    );
    let plain = |label, value: Total| Count {
        label,
        value: total(value),
        note: String::new(),
        href: None,
    };
    let accounts: i64 = counts.accounts.iter().map(|(_, _, n)| n).sum();
    let people = how_many(&counts.accounts, |kind, _| kind == UserKind::Human);
    call.ok(&AdminOverviewPage {
        shell,
        counts: vec![
            Count {
                href: Some("/admin/users".into()),
                ..plain("People", Total::Counted(people))
            },
            Count {
                href: Some("/admin/groups".into()),
                ..plain("Groups", counts.groups)
            },
            Count {
                href: Some("/admin/projects".into()),
                ..plain("Projects", counts.projects)
            },
            plain("Active tokens", counts.active_tokens),
            Count {
                note: "Within 14 days".into(),
                ..plain("Expiring tokens", counts.expiring_tokens)
            },
        ],
        pending: Some(counts.pending)
            .filter(|pending| *pending > 0)
            .map(waiting),
        advice: advice::about(&call.ctx.policy.settings, call.ctx.policy.offering),
        billable: grouped(billable(&counts.accounts)),
        accounts: grouped(accounts),
        not_billable: not_billable(&counts.accounts, counts.pending),
        system: system(&call.app, &call.ctx, &found),
        failures: failures(&found, call.ctx.now),
    })
}

/// `3 people signed up and wait for approval.`
fn waiting(people: i64) -> String {
    match people {
        1 => "1 person signed up and waits for approval.".into(),
        people => format!(
            "{} people signed up and wait for approval.",
            grouped(people)
        ),
    }
}

fn how_many(accounts: &Accounts, which: impl Fn(UserKind, UserState) -> bool) -> i64 {
    accounts
        .iter()
        .filter(|(kind, state, _)| which(*kind, *state))
        .map(|(_, _, n)| n)
        .sum()
}

/// Active people.
fn billable(accounts: &Accounts) -> i64 {
    how_many(accounts, |kind, state| {
        kind == UserKind::Human && state == UserState::Active
    })
}

/// Everybody else, each once.
fn not_billable(accounts: &Accounts, pending: i64) -> Vec<NotBillable> {
    let people_in = |wanted| {
        how_many(accounts, move |kind, state| {
            kind == UserKind::Human && state == wanted
        })
    };
    let of_kind = |wanted| how_many(accounts, move |kind, _| kind == wanted);
    let row = |kind, n: i64, reason| NotBillable {
        kind,
        count: grouped(n),
        reason,
    };
    vec![
        row(
            "Bots of access tokens",
            of_kind(UserKind::ProjectBot),
            "Programs. Each belongs to a group or project access token and can't sign in.",
        ),
        row(
            "Blocked people",
            people_in(UserState::Blocked) - pending,
            "They can't sign in, and their tokens don't work.",
        ),
        row(
            "People who wait for approval",
            pending,
            "They signed up, and no administrator has let them in yet.",
        ),
        row(
            "Deactivated people",
            people_in(UserState::Deactivated),
            "They are set aside until they come back.",
        ),
        row(
            "Ghost user",
            of_kind(UserKind::Ghost),
            "It stands for people who were deleted.",
        ),
    ]
}

fn system(app: &App, ctx: &Context, found: &Found) -> Vec<SystemFact> {
    let fact = |label, value: String| SystemFact {
        label,
        value,
        tone: Tone::Neutral,
        href: None,
    };
    let (clock, clock_tone) = clocks(found.ahead);
    let failed: Vec<&str> = found
        .runs
        .iter()
        .filter(|run| run.outcome == "failed")
        .map(|run| run.job.as_str())
        .collect();
    let (jobs, jobs_tone) = match failed.as_slice() {
        [] if found.runs.is_empty() => ("None has run yet".into(), Tone::Neutral),
        [] => ("The last run of each went well".into(), Tone::Success),
        failed => (format!("Failed: {}", failed.join(", ")), Tone::Danger),
    };
    let mails = &found.mails;
    let queue = format!(
        "{} waiting, {} refused",
        grouped(mails.waiting + mails.sending),
        grouped(mails.refused)
    );
    let queue_tone = match (app.mailer.reaches_people(), mails.refused) {
        (false, _) => Tone::Warning,
        (true, 0) => Tone::Neutral,
        (true, _) => Tone::Warning,
    };
    vec![
        fact("Version", env!("CARGO_PKG_VERSION").into()),
        fact(
            "Offering",
            ctx.policy.offering.to_string().replace('_', "-"),
        ),
        fact("Database", found.counts.database.into()),
        disk(app),
        fact("Server time", Moment::at(ctx.now, ctx.now).exact),
        SystemFact {
            tone: clock_tone,
            ..fact("Clock", clock)
        },
        SystemFact {
            tone: jobs_tone,
            href: Some(JOBS),
            ..fact("Jobs", jobs)
        },
        SystemFact {
            tone: queue_tone,
            href: Some(JOBS),
            ..fact("Mail queue", queue)
        },
        fact("Address", ctx.instance.external_url.clone()),
    ]
}

/// The room that is left where the database file is.
fn disk(app: &App) -> SystemFact {
    let folder = match app.db.url() {
        DatabaseUrl::Sqlite(path) => path.parent(),
        DatabaseUrl::Postgres(_) => None,
    };
    let free = folder.map(free_bytes);
    let (value, tone) = match free {
        None => ("As the database server has it".into(), Tone::Neutral),
        Some(Err(error)) => (format!("Can't be looked at: {error}"), Tone::Warning),
        Some(Ok(free)) if free < LITTLE => {
            (format!("{} MiB free", free / 1024 / 1024), Tone::Danger)
        }
        Some(Ok(free)) => (
            format!("{} GiB free", free / 1024 / 1024 / 1024),
            Tone::Neutral,
        ),
    };
    SystemFact {
        label: "Disk",
        value,
        tone,
        href: None,
    }
}

/// How this machine's clock and the database server's compare.
fn clocks(ahead: Option<TimeDelta>) -> (String, Tone) {
    match ahead {
        None => ("The database has no other".into(), Tone::Neutral),
        Some(ahead) if ahead.abs() < CLOCKS_APART => {
            ("As the database server's".into(), Tone::Success)
        }
        Some(ahead) => (
            format!(
                "{} s {} the database server's",
                ahead.num_seconds().abs(),
                if ahead > TimeDelta::zero() {
                    "ahead of"
                } else {
                    "behind"
                }
            ),
            Tone::Warning,
        ),
    }
}

/// What has failed and isn't put right, newest first: the last run of a job, and mails that were refused.
fn failures(found: &Found, now: DateTime<Utc>) -> Vec<Failure> {
    let runs = found.runs.iter().filter(|run| run.outcome == "failed");
    let runs = runs.map(|run| {
        (
            run.started_at,
            format!("Job {}", run.job),
            run.error.clone(),
        )
    });
    let refused = found.refused.iter().map(|mail| {
        let at = mail.settled_at.unwrap_or(mail.created_at);
        let what = format!("Mail: {}", mail.kind.replace('_', " "));
        (at, what, mail.last_error.clone())
    });
    let mut failures: Vec<_> = runs.chain(refused).collect();
    failures.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
    failures
        .into_iter()
        .take(FAILURES)
        .map(|(at, what, why)| Failure {
            at: Moment::at(at, now),
            what,
            why: why.unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_a_seat_or_stands_with_the_reason_why_not() {
        let accounts = vec![
            (UserKind::Human, UserState::Active, 1200),
            (UserKind::Human, UserState::Blocked, 3),
            (UserKind::Human, UserState::Deactivated, 2),
            (UserKind::ProjectBot, UserState::Active, 40),
            (UserKind::ProjectBot, UserState::Blocked, 5),
            (UserKind::Ghost, UserState::Active, 1),
        ];
        assert_eq!(billable(&accounts), 1200);
        let rows = not_billable(&accounts, 1);
        let counts: Vec<&str> = rows.iter().map(|row| row.count.as_str()).collect();
        assert_eq!(counts, ["45", "2", "1", "2", "1"]);
        assert!(rows.iter().all(|row| !row.reason.is_empty()));
    }

    #[test]
    fn an_instance_without_bots_says_so() {
        let rows = not_billable(&vec![(UserKind::Human, UserState::Active, 1)], 0);
        assert!(rows.iter().all(|row| row.count == "0"));
    }

    #[test]
    fn a_clock_that_is_off_is_told_in_seconds_and_which_way() {
        let told = |ms| clocks(Some(TimeDelta::milliseconds(ms))).0;
        assert_eq!(told(900), "As the database server's");
        assert_eq!(told(7_200), "7 s ahead of the database server's");
        assert_eq!(told(-7_200), "7 s behind the database server's");
        assert!(clocks(None).1 == Tone::Neutral);
    }
}
