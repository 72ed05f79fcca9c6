//! What the database knows: tokens that end soon, how many tokens, mails and deliveries there are, how the jobs are.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::Registry;

use super::counted::{Counted, Counting};
use super::gauges::Gauges;
use crate::access_tokens::census::{self, Endings};
use crate::access_tokens::scope::TokenKind;
use crate::app::App;
use crate::error::Error;
use crate::jobs::health::{self, Health};

/// Tokens with a series of their own, at the most.
const SERIES: usize = 10_000;

/// How long the database is waited for: less than Prometheus waits for us.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is read for each answer.
struct Fresh {
    endings: Endings,
    jobs: Vec<Health>,
}

/// Tells what the database knows, or that it is away. Two queries, and seventeen more when it is time to count.
pub(super) async fn tell(registry: &Registry, app: &App, counting: &Arc<Counting>) {
    let now = app.clock.now();
    let gauges = Gauges::of(registry);
    let read = app.db.read(move |conn| {
        Ok::<_, Error>(Fresh {
            endings: census::next_to_end(conn, now.date_naive(), SERIES)?,
            jobs: health::of_all(conn, now)?,
        })
    });
    let fresh = match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(fresh)) => Some(fresh),
        Ok(Err(error)) => {
            tracing::warn!(%error, "Metrics are told without the database's");
            None
        }
        Err(_) => {
            tracing::warn!("Metrics are told without the database's, which takes too long");
            None
        }
    };
    gauges.one(
        "latchkey_database_up",
        "1 if the database answered, 0 if what it knows is missing here",
        flag(fresh.is_some()),
    );
    let Some(fresh) = fresh else {
        return;
    };
    tell_endings(&gauges, &fresh.endings);
    tell_jobs(&gauges, &fresh.jobs, now);
    if let Some(counted) = counting.recent(app, now).await {
        tell_counted(&gauges, &counted, now);
    }
}

fn tell_endings(gauges: &Gauges<'_>, endings: &Endings) {
    gauges.many(
        "latchkey_token_expires_timestamp_seconds",
        "When an active token ends, for those that end within 60 days",
        ["token_id", "kind", "resource_id"],
        endings.tokens.iter().map(|token| {
            let labels = [
                token.id.to_string(),
                kind(token.kind).to_owned(),
                token.resource_id.to_string(),
            ];
            (labels, seconds(token.at))
        }),
    );
    gauges.one(
        "latchkey_token_expiry_series_truncated",
        "1 if more tokens end within 60 days than have a series here, 0 if not",
        flag(endings.truncated),
    );
}

fn tell_jobs(gauges: &Gauges<'_>, jobs: &[Health], now: DateTime<Utc>) {
    let many = |name: &str, help: &str, value: &dyn Fn(&Health) -> Option<f64>| {
        let series = jobs
            .iter()
            .filter_map(|job| Some(([job.name.clone()], value(job)?)));
        gauges.many(name, help, ["job_name"], series);
    };
    many(
        "latchkey_job_last_run_timestamp_seconds",
        "When the newest run of a job began",
        &|job| job.last_run.map(seconds),
    );
    many(
        "latchkey_job_last_success_timestamp_seconds",
        "When the last run of a job ended that did all there was to do",
        &|job| job.last_success.map(seconds),
    );
    many(
        "latchkey_job_last_duration_seconds",
        "How long the last run of a job took that has ended",
        &|job| job.last_duration.map(|took| took.as_seconds_f64()),
    );
    many(
        "latchkey_job_failures",
        "Runs of a job that failed since the last one that did not",
        &|job| Some(number(job.failures)),
    );
    many(
        "latchkey_job_overdue_seconds",
        "How long a run of a job has been due that nobody has begun, 0 if none is",
        &|job| Some(job.due_since.map_or(0.0, |since| age(since, now))),
    );
}

fn tell_counted(gauges: &Gauges<'_>, counted: &Counted, now: DateTime<Utc>) {
    gauges.many(
        "latchkey_tokens",
        "Tokens by kind and state",
        ["kind", "state"],
        counted.tokens.numbers().map(|(of, state, count)| {
            let labels = [kind(of).to_owned(), state.name().to_owned()];
            (labels, number(count))
        }),
    );
    let mails = &counted.mails;
    gauges.many(
        "latchkey_mails",
        "Mails in the outbox by state",
        ["state"],
        mails
            .counts
            .by_state()
            .map(|(state, count)| ([state.to_owned()], number(count))),
    );
    let waited = mails.oldest_waiting.map_or(0.0, |since| age(since, now));
    gauges.one(
        "latchkey_mail_oldest_waiting_seconds",
        "How long the oldest mail has waited that is not settled yet, 0 if there is none",
        waited,
    );
    let deliveries = &counted.deliveries;
    gauges.many(
        "latchkey_webhook_deliveries",
        "Deliveries to webhooks by state",
        ["state"],
        deliveries
            .numbers
            .iter()
            .map(|(state, count)| ([(*state).to_owned()], number(*count))),
    );
    let waited = deliveries
        .oldest_waiting
        .map_or(0.0, |since| age(since, now));
    gauges.one(
        "latchkey_webhook_oldest_waiting_seconds",
        "How long the oldest delivery has waited that is not settled yet, 0 if there is none",
        waited,
    );
    gauges.one(
        "latchkey_count_age_seconds",
        "How old the numbers of tokens, mails and deliveries are",
        age(counted.at, now),
    );
}

/// The kind of a token, as a label.
fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Group => "group",
        TokenKind::Project => "project",
        TokenKind::Personal => "personal",
    }
}

fn flag(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// A count. Above 2^53 it is rounded, as all numbers of Prometheus are.
#[allow(clippy::cast_precision_loss)]
fn number(count: i64) -> f64 {
    count as f64
}

/// Seconds since 1970, with milliseconds.
fn seconds(at: DateTime<Utc>) -> f64 {
    number(at.timestamp_millis()) / 1000.0
}

fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    (now - since).as_seconds_f64().max(0.0)
}
