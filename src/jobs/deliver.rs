//! Emptying the outbox: mails and webhook calls, side by side, so that a slow receiver of the ones does not hold up the
//! others.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::run::{Progress, Run, context};
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::deliver::{self as mail, Delivery};
use crate::notices::{compose, desk};
use crate::webhooks::deliver::{self as webhooks, Sending};
use crate::webhooks::network::Network;

/// While webhooks are being called, new mails are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// No new calls are begun in a run that has lasted so long: runs are short, and what is still due makes the next one due
/// at once.
const CALLING: Duration = Duration::from_secs(30);

/// Sends what is due, and is then done, whatever else has become due: nobody waits for a pause to end. Mails and calls are due by the clock: a run that pretends an earlier day sends them all the same, a
/// later one those that would be due by then.
///
/// # Errors
/// When the database is away or the lease was lost.
pub(super) async fn deliver(run: &mut Run) -> Result<Progress, Error> {
    let (app, clock) = (run.app().clone(), run.later_clock());
    let (composer, present) = (app.clone(), clock.clone());
    let acting = move |conn: &mut DbConnection| context(conn, &composer, present.now());
    let (of_mails, of_lost) = (acting.clone(), acting.clone());
    let delivery = Delivery {
        db: app.db.clone(),
        clock: clock.clone(),
        mailer: app.mailer.clone(),
        compose: Arc::new(move |conn, email| {
            let ctx = of_mails(conn)?;
            compose::compose(conn, &ctx, email)
        }),
        lost: Arc::new(move |conn, email, why| {
            let ctx = of_lost(conn)?;
            desk::note_lost(conn, &ctx, email, why)
        }),
        guard: Arc::new(run.guard()),
    };
    let sending = Sending {
        db: app.db.clone(),
        clock,
        real_clock: app.clock.clone(),
        network: Network::system(),
        acting: Arc::new(acting),
        guard: Arc::new(run.guard()),
    };
    let (until, go_on) = (Instant::now() + CALLING, run.asks_to_go_on());
    let mut calls = pin!(webhooks::deliver_due(&sending, move || {
        go_on() && Instant::now() < until
    }));
    let mut called = None;
    loop {
        let mut round = pin!(mail::deliver_due(&delivery, run.asks_to_go_on()));
        // The calls go on while mails are sent.
        let sent = match called {
            Some(_) => round.await?,
            None => tokio::select! {
                sent = &mut round => sent?,
                ended = &mut calls => {
                    called = Some(ended);
                    round.await?
                }
            },
        };
        count_mails(run, &sent);
        if let Some(ended) = called {
            count_calls(run, ended)?;
            return Ok(Progress::Done);
        }
        // After the last call mails have one more round: what came meanwhile leaves now, and a database that is away
        // is found out.
        tokio::select! {
            ended = &mut calls => called = Some(ended),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

fn count_mails(run: &mut Run, sent: &mail::Delivered) {
    for (what, number) in [
        ("sent", sent.sent),
        ("retried", sent.retried),
        ("refused", sent.refused),
        ("dropped", sent.dropped),
    ] {
        run.count(what, usize::try_from(number).unwrap_or(usize::MAX));
    }
}

/// What became of the calls. If they broke off that is told, and nothing more: a run that fails is put off, and with it
/// the mails, which have nothing to do with it.
fn count_calls(run: &mut Run, ended: Result<webhooks::Delivered, Error>) -> Result<(), Error> {
    let called = match ended {
        Ok(called) => called,
        Err(lost @ Error::Conflict(_)) => return Err(lost),
        Err(error) => {
            tracing::error!(?error, "Webhooks are not called; it is tried again");
            run.count("webhooks_broken_off", 1);
            return Ok(());
        }
    };
    run.count("webhooks_called", called.delivered);
    run.count("webhooks_retried", called.retried);
    run.count("webhooks_failed", called.failed);
    run.count("webhooks_disabled", called.disabled);
    Ok(())
}
