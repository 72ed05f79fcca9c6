//! What a node does besides answering: writing last uses, and running the jobs that are due.

use std::time::Duration;

use tokio::sync::watch;

use crate::access_tokens::uses;
use crate::app::App;
use crate::jobs::scheduler;

/// Last uses are written this often.
const WRITE_USES: Duration = Duration::from_secs(1);

/// Runs until told to stop; then lets jobs come to the end of their step, and writes once more what is pending.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let jobs = tokio::spawn(scheduler::run(app.clone(), stop.clone()));
    let mut write_uses = tokio::time::interval(WRITE_USES);
    write_uses.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = write_uses.tick() => flush_uses(&app).await,
            _ = stop.changed() => break,
        }
    }
    if let Err(panic) = jobs.await {
        tracing::error!(%panic, "The scheduler of jobs panicked");
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
