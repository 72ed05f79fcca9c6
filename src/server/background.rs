//! What a node does besides answering: writing last uses, and running the jobs that are due.

use std::time::Duration;

use tokio::sync::watch;

use crate::access_tokens::{days, uses};
use crate::app::App;
use crate::git::removal;
use crate::jobs::run::context;
use crate::jobs::scheduler;

/// How long a job may take for its last step.
const LAST_STEP: Duration = Duration::from_secs(25);

/// Last uses are written this often.
const WRITE_USES: Duration = Duration::from_secs(1);

/// Numbers of requests are written this often.
const WRITE_DAYS: Duration = Duration::from_secs(30);

/// Projects go without anybody ringing when another program deletes them.
const LOOK_FOR_REMOVED: Duration = Duration::from_secs(600);
const LOOKS_A_DAY: u32 = 144;
const LOOKS_AN_HOUR: u32 = 6;

/// Writes last uses and numbers of requests until told to stop, and then once more what is pending.
pub async fn write_uses(app: App, mut stop: watch::Receiver<bool>) {
    let mut write_uses = tokio::time::interval(WRITE_USES);
    let mut write_days = tokio::time::interval(WRITE_DAYS);
    for often in [&mut write_uses, &mut write_days] {
        often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            _ = write_uses.tick() => flush_uses(&app).await,
            _ = write_days.tick() => flush_days(&app).await,
            _ = stop.changed() => break,
        }
    }
    flush_uses(&app).await;
    flush_days(&app).await;
}

/// Runs the jobs that are due until told to stop; then lets them come to the end of their step, but not for ever: what
/// is cut off then is taken up where its rows say.
pub async fn run_jobs(app: App, stop: watch::Receiver<bool>) {
    let mut told = stop.clone();
    let patience = async move {
        // If whoever tells is gone, that is telling, too.
        let _ = told.changed().await;
        tokio::time::sleep(LAST_STEP).await;
    };
    tokio::select! {
        () = scheduler::run(app, stop) => {}
        () = patience => tracing::warn!("A job did not come to the end of its step, and was cut off"),
    }
}

/// Removes the repositories of projects that are gone, when somebody rings and now and then, until told to stop.
pub async fn remove_repositories(app: App, mut stop: watch::Receiver<bool>) {
    let mut now_and_then = tokio::time::interval(LOOK_FOR_REMOVED);
    now_and_then.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // Counts looks; the first one is at the start.
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            _ = now_and_then.tick() => {
                if looks.is_multiple_of(LOOKS_A_DAY)
                    && let Err(error) = removal::sweep_drafts(&app).await
                {
                    tracing::warn!(%error, "What was begun and never finished could not be removed");
                }
                if looks.is_multiple_of(LOOKS_AN_HOUR)
                    && let Err(error) = removal::sweep_leftovers(&app).await
                {
                    tracing::warn!(%error, "What is left in repositories could not be removed");
                }
                looks += 1;
            }
            () = app.projects_gone.notified() => {}
            _ = stop.changed() => return,
        }
        if let Err(error) = removal::sweep(&app).await {
            tracing::warn!(%error, "Repositories of projects that are gone wait to be removed");
        }
    }
}

/// Writes the uses that have gathered; keeps them if the database is away.
pub async fn flush_uses(app: &App) {
    let gathered = app.uses.take();
    if gathered.is_empty() {
        return;
    }
    let batch = gathered.clone();
    let acting = app.clone();
    let written = app.db.write(move |conn| {
        let ctx = context(conn, &acting, acting.clock.now())?;
        uses::write(conn, &ctx, &batch)
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, "Last uses could not be written; they wait");
        app.uses.put_back(gathered);
    }
}

/// Writes the numbers of requests that have gathered; keeps them if the database is away.
pub async fn flush_days(app: &App) {
    let gathered: Vec<_> = app.uses.days.take().into_iter().collect();
    for some in gathered.chunks(days::AT_ONCE) {
        let counts: days::Counts = some.iter().copied().collect();
        let batch = counts.clone();
        let written = app.db.write(move |conn| days::write(conn, &batch));
        if let Err(error) = written.await {
            tracing::warn!(%error, "Numbers of requests could not be written; they wait");
            app.uses.days.put_back(counts);
        }
    }
}
