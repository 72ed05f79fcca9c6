//! What each job does: calls verbs, batch by batch.

use chrono::{DateTime, Utc};

use super::Job;
use super::look::look;
use super::run::{Progress, Run};
use super::{deliver as delivering, history, policy};
use crate::access_tokens::{days, expired, idempotency, imported};
use crate::bots::{delete, retention};
use crate::context::Context;
use crate::db::{DbConnection, optimize};
use crate::error::Error;
use crate::mail::outbox;
use crate::members::expire;
use crate::notices::{check, gather, personal, unused};
use crate::sessions;
use crate::users;
use crate::webhooks::{log as deliveries, queue};

/// People that one look is about.
const PEOPLE: i64 = 20;

/// Bots that one transaction deletes.
const BOTS: i64 = 100;

/// Kept bots that one look is about,
const BOTS_LOOKED_AT: i64 = 10_000;

/// and those that one transaction deletes.
const BOTS_AT_ONCE: usize = 200;

/// Deliveries that one transaction forgets.
const DELIVERIES: i64 = 1_000;

/// Lines of history that one transaction forgets.
const RUNS: i64 = 1_000;

/// Does a job's work until there is none left, or the run gives way.
///
/// # Errors
/// The verbs' own; whatever was committed before stays.
pub(super) async fn work(job: Job, run: &mut Run) -> Result<Progress, Error> {
    match job {
        Job::ExpiredMemberships => expired_memberships(run).await,
        Job::ExpiryCheck => expiry_check(run).await,
        Job::InactiveBots => inactive_bots(run).await,
        Job::BotDeletion => {
            run.repeat("bots", |conn, ctx, _| {
                delete::delete_gone(conn, ctx.now, BOTS)
            })
            .await
        }
        Job::CleanUp => clean_up(run).await,
        Job::DeliverMail => delivering::deliver(run).await,
        Job::ExpiredMails => expired_mails(run).await,
        Job::LifetimeEnforcement => policy::enforce(run).await,
    }
}

/// Is there anything to do for a job that looks first, and has last done what there was to do at `handled`?
///
/// # Errors
/// When the database is away.
pub(super) fn waits(
    job: Job,
    conn: &mut DbConnection,
    ctx: &Context,
    handled: DateTime<Utc>,
) -> Result<bool, Error> {
    match job {
        Job::BotDeletion => delete::any_gone(conn),
        Job::DeliverMail => {
            Ok(outbox::any_due(conn, ctx.now)? || queue::is_anything_due(conn, ctx.now)?)
        }
        Job::LifetimeEnforcement => policy::waits(conn, ctx, handled),
        _ => Ok(false),
    }
}

async fn expired_memberships(run: &mut Run) -> Result<Progress, Error> {
    // First: with its membership a bot's token goes.
    let mut after = Some(expired::Cursor::default());
    while let Some(here) = after {
        let step = run
            .batch(move |conn, ctx, _| expired::note_expired(conn, ctx, here))
            .await?;
        run.count("expired_tokens", step.tokens);
        after = step.next;
        if after.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    loop {
        let done = run
            .batch(|conn, ctx, _| expire::remove_expired(conn, ctx))
            .await?;
        run.count("memberships", done.memberships);
        run.count("bots", done.bots);
        if done.memberships == 0 {
            return Ok(Progress::Done);
        }
        if run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
}

async fn expiry_check(run: &mut Run) -> Result<Progress, Error> {
    let mut cursor = Some(check::Cursor::start());
    while let Some(here) = cursor {
        let step = run
            .batch(move |conn, ctx, now| check::step(conn, ctx, now, here))
            .await?;
        run.count("tokens", step.tokens);
        run.count("notices", step.notices);
        run.count("mails", step.mails);
        run.count("webhook_calls", step.webhooks);
        run.count("without_recipient", step.without_recipient);
        cursor = step.next;
        if cursor.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    let mut after = Some(0);
    while let Some(here) = after {
        let step = run
            .batch(move |conn, ctx, now| gather::step(conn, ctx, now, here))
            .await?;
        run.count("mails", step.mails);
        after = step.next;
        if after.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    hint_at_unused(run).await?;
    Ok(Progress::Done)
}

/// Once a week, those who asked for it are told which tokens nobody uses. Asked for at every check, so that a Monday
/// on which no check ran costs nobody their mail.
async fn hint_at_unused(run: &mut Run) -> Result<(), Error> {
    let mut after = Some(0);
    while let Some(here) = after {
        let (people, next) = look(run, move |conn, ctx| {
            unused::whom_to_hint(conn, ctx, here, PEOPLE)
        })
        .await?;
        if !people.is_empty() {
            let mails = run
                .batch(move |conn, ctx, now| unused::enqueue_hints(conn, ctx, now, &people))
                .await?;
            run.count("hints", mails);
        }
        after = next;
    }
    Ok(())
}

/// Looks for bots window by window, and writes only where there is something.
async fn inactive_bots(run: &mut Run) -> Result<Progress, Error> {
    run.count("bots", 0);
    let keeps_any = look(run, retention::keeps_any).await?;
    let mut after = keeps_any.then_some(0);
    while let Some(here) = after {
        let found = look(run, move |conn, ctx| {
            retention::find_inactive(conn, ctx, here, BOTS_LOOKED_AT)
        })
        .await?;
        for ids in found.ids.chunks(BOTS_AT_ONCE) {
            let ids = ids.to_vec();
            let gone = run
                .batch(move |conn, ctx, _| retention::delete_inactive(conn, ctx, &ids))
                .await?;
            run.count("bots", gone);
            if run.gives_way() {
                return Ok(Progress::Paused);
            }
        }
        after = found.next;
        if after.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    Ok(Progress::Done)
}

async fn expired_mails(run: &mut Run) -> Result<Progress, Error> {
    let mut after = Some(personal::Cursor::default());
    while let Some(here) = after {
        let step = run
            .batch(move |conn, ctx, now| personal::expired(conn, ctx, now, here))
            .await?;
        run.count("mails", step.mails);
        after = step.next;
        if after.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    Ok(Progress::Done)
}

async fn clean_up(run: &mut Run) -> Result<Progress, Error> {
    let swept = [
        run.repeat("sessions", |conn, ctx, _| {
            sessions::store::sweep_sessions(conn, ctx.now, &ctx.policy.settings)
        })
        .await?,
        run.repeat("form_nonces", |conn, ctx, _| {
            sessions::store::sweep_nonces(conn, ctx.now)
        })
        .await?,
        run.repeat("sign_in_failures", |conn, ctx, _| {
            sessions::store::sweep_failures(conn, ctx.now)
        })
        .await?,
        unconfirmed_accounts(run).await?,
        run.repeat("account_links", |conn, ctx, _| {
            users::links::sweep(conn, ctx.now)
        })
        .await?,
        run.repeat("idempotency_keys", |conn, ctx, _| {
            idempotency::sweep(conn, ctx.now)
        })
        .await?,
        run.repeat("request_counts", |conn, ctx, _| {
            days::sweep(conn, ctx.today())
        })
        .await?,
        run.repeat("mails", |conn, ctx, _| outbox::purge(conn, ctx.now))
            .await?,
        run.repeat("webhook_deliveries", |conn, ctx, _| {
            deliveries::purge(conn, ctx.now, DELIVERIES)
        })
        .await?,
        run.repeat("imported_salts", |conn, _, _| imported::forget_salts(conn))
            .await?,
        run.repeat("job_runs", |conn, ctx, _| {
            history::purge(conn, ctx.now, RUNS)
        })
        .await?,
    ];
    if swept.contains(&Progress::Paused) {
        return Ok(Progress::Paused);
    }
    run.batch(|conn, _, _| optimize(conn)).await?;
    Ok(Progress::Done)
}

async fn unconfirmed_accounts(run: &mut Run) -> Result<Progress, Error> {
    run.count("unconfirmed_accounts", 0);
    let mut after = Some(0);
    while let Some(here) = after {
        let step = run
            .batch(move |conn, ctx, _| users::sign_up::sweep_unconfirmed(conn, ctx, here))
            .await?;
        run.count("unconfirmed_accounts", step.deleted);
        after = step.next;
        if after.is_some() && run.gives_way() {
            return Ok(Progress::Paused);
        }
    }
    Ok(Progress::Done)
}
