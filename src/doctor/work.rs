//! What the server does by itself.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{Finding, counted};
use crate::db::DbConnection;
use crate::error::Error;
use crate::jobs::health;
use crate::mail::census;

/// A run that has been due for longer is late.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Mails that have waited for longer are stuck.
const STUCK: TimeDelta = TimeDelta::hours(1);

/// Do the jobs run, and to their end?
pub(super) fn jobs(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Finding, Error> {
    const CHECK: &str = "jobs";
    let all = health::of_all(conn, now)?;
    let failing: Vec<&str> = all
        .iter()
        .filter(|job| job.failures > 0)
        .map(|job| job.name.as_str())
        .collect();
    if !failing.is_empty() {
        return Ok(Finding::failed(
            CHECK,
            format!("failing: {}", failing.join(", ")),
            "latchkey job list says why, latchkey job run tries again",
        ));
    }
    let late: Vec<String> = all
        .iter()
        .filter_map(|job| Some((job, job.due_since?)))
        .filter(|(_, since)| now - *since > LATE)
        .map(|(job, since)| {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("{} since {since}", job.name)
        })
        .collect();
    Ok(if late.is_empty() {
        Finding::ok(CHECK, "none is failing or late")
    } else {
        Finding::warning(
            CHECK,
            format!("due, and not run: {}", late.join(", ")),
            "start the server, which makes up for it",
        )
    })
}

/// Do mails get out?
pub(super) fn mails(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Finding, Error> {
    const CHECK: &str = "mails";
    let census = census::count_all(conn)?;
    let waiting = census.counts.waiting + census.counts.sending;
    let waits = counted(waiting, "mail waits", "mails wait");
    Ok(match census.oldest_waiting {
        Some(since) if now - since > STUCK => Finding::warning(
            CHECK,
            format!(
                "{waits} to be sent, the oldest one since {}",
                since.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            "Admin, Mail and jobs says why; latchkey job run deliver-mail sends what is due",
        ),
        _ => Finding::ok(CHECK, format!("{waits} to be sent")),
    })
}
