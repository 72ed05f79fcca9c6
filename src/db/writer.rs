//! SQLite's one writer: a thread that takes what has queued up, gives each job a savepoint, and commits
//! once for all of them. Nobody is answered before the commit.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::DbConnection;
use super::way::Way;
use crate::error::Error;

/// Jobs that may wait for the writer; beyond that, new ones are told that we are busy.
const QUEUE: usize = 1024;

/// Jobs that share one commit at the most.
const BATCH: usize = 64;

/// A unit of writing: runs inside a savepoint, and is answered after the commit.
pub(super) trait Job: Send {
    /// Does the work; `Err` takes back this job's savepoint alone.
    fn run(&mut self, conn: &mut DbConnection) -> Result<(), RolledBack>;
    /// Called once: with `Ok` after the commit, with the outage if nothing was committed.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

/// The job kept its own error; the transaction only needs to know that it failed.
#[derive(Debug)]
pub(super) struct RolledBack;

impl From<diesel::result::Error> for RolledBack {
    fn from(_: diesel::result::Error) -> Self {
        RolledBack
    }
}

/// The queue in front of the writer thread.
pub(super) struct Writer {
    queue: SyncSender<Box<dyn Job>>,
}

impl Writer {
    /// Starts the thread; it ends when the `Writer` is dropped and the queue is empty.
    pub(super) fn start(
        open: impl Fn() -> Result<DbConnection, Error> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || work(&open, &jobs))?;
        Ok(Writer { queue })
    }

    /// Queues a job.
    ///
    /// # Errors
    /// When the queue is full: the job is handed back unanswered.
    pub(super) fn submit(&self, job: Box<dyn Job>) -> Result<(), Box<dyn Job>> {
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }
}

fn work(open: &dyn Fn() -> Result<DbConnection, Error>, jobs: &Receiver<Box<dyn Job>>) {
    let mut kept: Option<DbConnection> = None;
    while let Ok(first) = jobs.recv() {
        let mut conn = match kept.take().map_or_else(open, Ok) {
            Ok(conn) => conn,
            Err(error) => {
                let reason = error.to_string();
                fail_all(std::iter::once(first).chain(jobs.try_iter()), &reason);
                continue;
            }
        };
        if let Err(error) = begin(&mut conn, Way::Straight) {
            // Somebody else holds the file. Whoever waited with us has waited long enough.
            let reason = error.to_string();
            fail_all(std::iter::once(first).chain(jobs.try_iter()), &reason);
            kept = Some(conn);
            continue;
        }
        let mut done: Vec<Box<dyn Job>> = Vec::new();
        for mut job in std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)) {
            let _ = conn.transaction::<(), RolledBack, _>(|conn| job.run(conn));
            done.push(job);
        }
        match commit(&mut conn) {
            Ok(()) => {
                done.into_iter().for_each(|job| job.answer(Ok(())));
                kept = Some(conn);
            }
            Err(error) => {
                let reason = error.to_string();
                fail_all(done.into_iter(), &reason);
                // A connection whose commit failed is not trusted with the next one.
            }
        }
    }
}

fn fail_all(jobs: impl Iterator<Item = Box<dyn Job>>, reason: &str) {
    for job in jobs {
        job.answer(Err(Error::unavailable(anyhow::anyhow!(
            "the writer could not commit: {reason}"
        ))));
    }
}

fn begin(conn: &mut DbConnection, way: Way) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(c) => {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")
        }
        DbConnection::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(c, way.begin()),
    }
}

fn commit(conn: &mut DbConnection) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(c) => AnsiTransactionManager::commit_transaction(c),
        DbConnection::Postgres(c) => AnsiTransactionManager::commit_transaction(c),
    }
}

fn roll_back(conn: &mut DbConnection) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c),
        DbConnection::Postgres(c) => AnsiTransactionManager::rollback_transaction(c),
    }
}

/// One transaction that takes the write lock at once, outside of the queue.
///
/// SQLite refuses a transaction that reads first and writes later when somebody wrote in between;
/// beginning as a writer is the cure.
pub(super) fn immediate_transaction<T, E>(
    conn: &mut DbConnection,
    way: Way,
    work: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    begin(conn, way)?;
    match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(value)) => {
            commit(conn)?;
            Ok(value)
        }
        Ok(Err(error)) => {
            roll_back(conn)?;
            Err(error)
        }
        Err(panic) => {
            let _ = roll_back(conn);
            std::panic::resume_unwind(panic)
        }
    }
}
