//! Emptying the outbox: mails and webhook calls, side by side, so that a slow receiver of the ones does not hold up the
//! others.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::run::{Progress, Run, context};
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::deliver::{self as mail, Delivery};
use crate::notices::compose;
use crate::webhooks::deliver::{self as webhooks, Sending};
use crate::webhooks::network::Network;

/// While webhooks are being called, new mails are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sends what is due. Mails and calls are due by the clock: a run that pretends an earlier day sends them all the same, a
/// later one those that would be due by then.
///
/// # Errors
/// When the database is away or the lease was lost.
pub(super) async fn deliver(run: &mut Run) -> Result<Progress, Error> {
    let (app, clock) = (run.app().clone(), run.later_clock());
    let (composer, present) = (app.clone(), clock.clone());
    let acting = move |conn: &mut DbConnection| context(conn, &composer, present.now());
    let of_mails = acting.clone();
    let delivery = Delivery {
        db: app.db.clone(),
        clock: clock.clone(),
        mailer: app.mailer.clone(),
        compose: Arc::new(move |conn, email| {
            let ctx = of_mails(conn)?;
            compose::compose(conn, &ctx, email)
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
    let mut calls = pin!(webhooks::deliver_due(&sending, run.asks_to_go_on()));
    let called = loop {
        let round = mail::deliver_due(&delivery, run.asks_to_go_on());
        // The calls go on while mails are sent.
        let (sent, called) = {
            let mut round = pin!(round);
            tokio::select! {
                sent = &mut round => (sent?, None),
                called = &mut calls => (round.await?, Some(called?)),
            }
        };
        for (what, number) in [
            ("sent", sent.sent),
            ("retried", sent.retried),
            ("refused", sent.refused),
            ("dropped", sent.dropped),
        ] {
            run.count(what, usize::try_from(number).unwrap_or(usize::MAX));
        }
        if let Some(called) = called {
            break called;
        }
        tokio::select! {
            called = &mut calls => break called?,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    };
    run.count("webhooks_called", called.delivered);
    run.count("webhooks_retried", called.retried);
    run.count("webhooks_failed", called.failed);
    run.count("webhooks_disabled", called.disabled);
    Ok(if run.gives_way() {
        Progress::Paused
    } else {
        Progress::Done
    })
}
