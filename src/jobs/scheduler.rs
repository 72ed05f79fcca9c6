//! The scheduler of a node: looks what is due, and runs it unless another node is quicker.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::run::{context, in_turn, told};
use super::store::{self, Due, Standing};
use super::{Job, work};
use crate::app::App;
use crate::db::DbConnection;
use crate::error::Error;

/// How often a node looks.
const LOOK: Duration = Duration::from_secs(5);

/// Runs until told to stop; then waits for what is running, which gives way between two batches.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut running: JoinSet<Job> = JoinSet::new();
    let mut busy: HashSet<Job> = HashSet::new();
    let mut away = false;
    while !*stop.borrow() {
        tokio::select! {
            _ = look.tick() => {}
            () = app.jobs_waiting.notified() => {}
            Some(ended) = running.join_next(), if !running.is_empty() => {
                match ended {
                    Ok(job) => { busy.remove(&job); }
                    // Which one it was isn't known: the lease tells whether it still runs.
                    Err(panic) => {
                        tracing::error!(%panic, "A job panicked; its lease will lapse");
                        busy.clear();
                    }
                }
                continue;
            }
            _ = stop.changed() => break,
        }
        match due(&app).await {
            Ok(due) => {
                away = false;
                for (job, due) in due {
                    if busy.insert(job) {
                        let (app, stop) = (app.clone(), stop.clone());
                        running.spawn(async move {
                            in_turn(app, job, due, stop).await;
                            job
                        });
                    }
                }
            }
            Err(error) => {
                if !away {
                    let why = told(&error);
                    tracing::warn!(why, "Jobs wait: it can't be seen what is due");
                }
                away = true;
            }
        }
    }
    while running.join_next().await.is_some() {}
}

/// What is due on this instance, as far as its rows tell.
///
/// # Errors
/// When the database is away.
pub async fn due(app: &App) -> Result<Vec<(Job, Due)>, Error> {
    let clock = app.clock.clone();
    let now = clock.now();
    let standings = app.db.read(move |conn| store::standings(conn, now)).await?;
    let odd = |standing: &Standing| !standing.is_known || standing.is_out_of_time(now);
    if standings.iter().any(odd) {
        let put_right = move |conn: &mut DbConnection| {
            store::introduce(conn, clock.now())?;
            store::repair(conn, clock.now())
        };
        app.db.write(put_right).await?;
    }
    let candidates: Vec<(Standing, Due)> = standings
        .iter()
        .filter_map(|standing| Some((*standing, standing.due(now)?)))
        .collect();
    let looker = app.clone();
    app.db
        .read(move |conn| {
            let ctx = context(conn, &looker, now)?;
            let mut found = Vec::new();
            for (standing, due) in &candidates {
                let job = standing.job;
                let idle = job.looks_first()
                    && matches!(due, Due::Scheduled(_))
                    && !work::waits(job, conn, &ctx, standing.handled_until)?;
                if !idle {
                    found.push((job, *due));
                }
            }
            Ok(found)
        })
        .await
}
