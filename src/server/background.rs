//! What a node does besides answering: writing last uses, deleting bots that are gone, sweeping.

use std::time::Duration;

use tokio::sync::watch;

use crate::access_tokens::{idempotency, uses};
use crate::app::App;
use crate::bots;
use crate::sessions;

/// Last uses are written this often.
const WRITE_USES: Duration = Duration::from_secs(1);

/// Bots that are gone are looked for this often, besides whenever one was marked here.
const LOOK_FOR_BOTS: Duration = Duration::from_secs(10);

/// Old sessions and counters are swept out this often.
const SWEEP: Duration = Duration::from_secs(600);

/// Bots deleted in one transaction.
const BATCH: i64 = 100;

/// Runs until told to stop; then writes once more what is pending.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut write_uses = tokio::time::interval(WRITE_USES);
    let mut look_for_bots = tokio::time::interval(LOOK_FOR_BOTS);
    let mut sweep = tokio::time::interval(SWEEP);
    for interval in [&mut write_uses, &mut look_for_bots, &mut sweep] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            _ = write_uses.tick() => flush_uses(&app).await,
            _ = look_for_bots.tick() => delete_bots(&app).await,
            () = app.bots_gone.notified() => delete_bots(&app).await,
            _ = sweep.tick() => sweep_out(&app).await,
            _ = stop.changed() => break,
        }
    }
    flush_uses(&app).await;
}

/// Writes the uses that have gathered; keeps them if the database is away.
pub async fn flush_uses(app: &App) {
    let gathered = app.uses.take();
    if gathered.is_empty() {
        return;
    }
    let batch = gathered.clone();
    if let Err(error) = app.db.write(move |conn| uses::write(conn, &batch)).await {
        tracing::warn!(%error, "Last uses could not be written; they wait");
        app.uses.put_back(gathered);
    }
}

/// Deletes bots that are marked as gone, a batch at a time.
pub async fn delete_bots(app: &App) {
    loop {
        let now = app.clock.now();
        match app
            .db
            .write(move |conn| bots::delete::delete_gone(conn, now, BATCH))
            .await
        {
            Ok(0) => return,
            Ok(deleted) => tracing::info!(deleted, "Deleted bots of revoked tokens"),
            Err(error) => {
                tracing::warn!(%error, "Bots could not be deleted; they wait");
                return;
            }
        }
    }
}

async fn sweep_out(app: &App) {
    let now = app.clock.now();
    let idle_days = app.policy_held().settings.session_idle_days;
    if let Err(error) = app
        .db
        .write(move |conn| sessions::store::sweep(conn, now, idle_days))
        .await
    {
        tracing::warn!(%error, "Old sessions could not be swept out; they wait");
    }
    if let Err(error) = app
        .db
        .write(move |conn| idempotency::sweep(conn, now))
        .await
    {
        tracing::warn!(%error, "Old idempotency keys could not be swept out; they wait");
    }
}
