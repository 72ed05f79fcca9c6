//! Connections, who waits for them and for how long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::way::Way;
use super::writer::{Job, RolledBack, Writer, immediate_transaction};
use super::{Counters, DatabaseUrl, DbConnection, InUse};
use crate::error::Error;

/// How long a request waits for a connection before it is told that we are busy.
const PATIENCE: Duration = Duration::from_secs(4);

/// How often somebody who waits for a connection looks whether there is any hope.
const LOOK: Duration = Duration::from_millis(250);

/// Requests that may wait for a connection at the same time.
const WAITING: usize = 2048;

/// How often a transaction is tried again that lost against another one.
const ATTEMPTS: usize = 4;

/// The database of this instance: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    url: DatabaseUrl,
    pool: r2d2::Pool<Manager>,
    /// As many permits as connections, handed out first come, first served: r2d2's own waiting isn't fair.
    gate: Semaphore,
    waiting: AtomicUsize,
    writer: Option<Writer>,
    counters: Arc<Counters>,
    /// Did the last attempt to connect fail?
    unreachable: Arc<AtomicBool>,
    pool_size: u32,
    /// Last, so that the connections are gone when it goes.
    _in_use: Option<InUse>,
}

impl Database {
    /// Prepares a pool; connects when the first query comes.
    ///
    /// # Errors
    /// When the writer's thread can't be started.
    pub fn open(url: DatabaseUrl, pool_size: u32) -> Result<Self, Error> {
        let mut in_use = None;
        if let DatabaseUrl::Sqlite(path) = &url {
            create_private(path).map_err(|error| Error::unavailable(error.into()))?;
            in_use = InUse::by_many(path).map_err(|error| {
                Error::unavailable(match error.kind() {
                    std::io::ErrorKind::WouldBlock => {
                        anyhow::anyhow!("it is just being restored; try again when that is done")
                    }
                    _ => error.into(),
                })
            })?;
        }
        let counters = Arc::new(Counters::default());
        let unreachable = Arc::new(AtomicBool::new(false));
        let manager = Manager {
            url: url.clone(),
            counters: Arc::clone(&counters),
            unreachable: Arc::clone(&unreachable),
        };
        let pool = r2d2::Pool::builder()
            .max_size(pool_size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .error_handler(Box::new(LogConnectionErrors))
            .build_unchecked(manager);
        let writer = if url.is_sqlite() {
            let (url, counters) = (url.clone(), Arc::clone(&counters));
            let open = move || {
                DbConnection::open(&url, &counters)
                    .map_err(|error| Error::unavailable(error.into()))
            };
            Some(Writer::start(open).map_err(|error| Error::internal(error.into()))?)
        } else {
            None
        };
        Ok(Database {
            inner: Arc::new(Inner {
                url,
                pool,
                gate: Semaphore::new(usize::try_from(pool_size).unwrap_or(1)),
                waiting: AtomicUsize::new(0),
                writer,
                counters,
                unreachable,
                pool_size,
                _in_use: in_use,
            }),
        })
    }

    /// Where this database is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.inner.url
    }

    /// What was counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    /// Connections in use, and connections at the most.
    pub fn pool_use(&self) -> (u32, u32) {
        let state = self.inner.pool.state();
        (
            state.connections.saturating_sub(state.idle_connections),
            self.inner.pool_size,
        )
    }

    /// Reads. `query` may run again if its connection turns out to be dead.
    ///
    /// # Errors
    /// The query's own, or [`Error::Unavailable`] when there is no connection to be had.
    pub async fn read<T, F>(&self, query: F) -> Result<T, Error>
    where
        F: FnMut(&mut DbConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let this = self.clone();
        self.in_turn(move || this.read_now(query)).await
    }

    /// Changes, in one transaction that commits before this returns. `change` may run again if the
    /// transaction lost against another one, so it takes what it needs by reference.
    ///
    /// # Errors
    /// The change's own (nothing is changed then), or [`Error::Unavailable`].
    pub async fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        F: FnMut(&mut DbConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        match &self.inner.writer {
            Some(writer) => {
                let answer = submit(writer, change)?;
                answer.await.unwrap_or_else(|_| Err(writer_gone()))
            }
            None => {
                let this = self.clone();
                self.in_turn(move || this.transact(change)).await
            }
        }
    }

    /// [`Database::read`] for callers without an async runtime.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_now<T>(
        &self,
        mut query: impl FnMut(&mut DbConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Every pooled connection may be dead after the server was away; each is found out once.
        for _ in 0..=self.inner.pool_size {
            let mut pooled = self.connection()?;
            match query(&mut pooled.conn) {
                Err(Error::Unavailable(cause)) => {
                    pooled.broken = true;
                    if self.inner.url.is_sqlite() {
                        return Err(Error::Unavailable(cause));
                    }
                }
                answer => return answer,
            }
        }
        Err(Error::unavailable(anyhow::anyhow!(
            "no living connection to the database"
        )))
    }

    /// [`Database::write`] for callers without an async runtime.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_now<T, F>(&self, change: F) -> Result<T, Error>
    where
        F: FnMut(&mut DbConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        match &self.inner.writer {
            Some(writer) => submit(writer, change)?
                .blocking_recv()
                .unwrap_or_else(|_| Err(writer_gone())),
            None => self.transact(change),
        }
    }

    /// A connection of one's own, for migrations and checks at the start.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database can't be reached.
    pub fn connect(&self) -> Result<DbConnection, Error> {
        DbConnection::open(&self.inner.url, &self.inner.counters)
            .map_err(|error| Error::unavailable(error.into()))
    }

    /// A connection, as soon as there is one. Where none is left and the server can't be reached, nobody waits for long:
    /// the pool itself goes on trying.
    fn connection(&self) -> Result<r2d2::PooledConnection<Manager>, Error> {
        let pool = &self.inner.pool;
        let until = Instant::now() + PATIENCE;
        loop {
            match pool.get_timeout(LOOK) {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    let unreachable = self.inner.unreachable.load(Ordering::Relaxed)
                        && pool.state().connections == 0;
                    if unreachable || Instant::now() >= until {
                        return Err(Error::unavailable(error.into()));
                    }
                }
            }
        }
    }

    fn transact<T>(
        &self,
        mut change: impl FnMut(&mut DbConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut lost = None;
        for _ in 0..ATTEMPTS + usize::try_from(self.inner.pool_size).unwrap_or(0) {
            let mut pooled = self.connection()?;
            let way = pooled.way;
            let mut committing = false;
            let outcome = immediate_transaction(&mut pooled.conn, way, |conn| {
                let value = change(conn)?;
                committing = true;
                Ok(value)
            });
            match outcome {
                Err(Error::Unavailable(cause)) => {
                    let transient = cause
                        .downcast_ref::<diesel::result::Error>()
                        .is_some_and(super::violation::is_transient);
                    pooled.broken = !transient;
                    lost = Some(Error::Unavailable(cause));
                    // A commit whose answer was lost may have happened: it isn't ours to repeat.
                    if committing && !transient {
                        break;
                    }
                }
                answer => return answer,
            }
        }
        Err(lost.unwrap_or_else(writer_gone))
    }

    /// Waits for a turn, first come, first served, and then leaves the async worker.
    async fn in_turn<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: FnOnce() -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let busy =
            || Error::unavailable(anyhow::anyhow!("too many requests wait for the database"));
        if self.inner.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.inner.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(busy());
        }
        let turn = tokio::time::timeout(PATIENCE, self.inner.gate.acquire()).await;
        self.inner.waiting.fetch_sub(1, Ordering::Relaxed);
        let Ok(Ok(_turn)) = turn else {
            return Err(busy());
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|panic| Err(Error::internal(anyhow::anyhow!("{panic}"))))
    }
}

/// A new database file is for its owner's eyes only; the files that SQLite puts beside it follow it.
fn create_private(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn writer_gone() -> Error {
    Error::unavailable(anyhow::anyhow!("the database's writer is gone"))
}

/// A change on its way to the writer: the closure, then its result, then its answer.
struct Change<T, F> {
    change: F,
    result: Option<Result<T, Error>>,
    answer: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Job for Change<T, F>
where
    F: FnMut(&mut DbConnection) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut DbConnection) -> Result<(), RolledBack> {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.change)(conn)))
            .unwrap_or_else(|_| Err(Error::internal(anyhow::anyhow!("a change panicked"))));
        let failed = outcome.is_err();
        self.result = Some(outcome);
        if failed { Err(RolledBack) } else { Ok(()) }
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            // It failed by itself: that nobody else's work was committed doesn't change its reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(outage), _) => Err(outage),
            (Ok(()), None) => Err(writer_gone()),
        };
        // Whoever asked may have gone away meanwhile; the change stands all the same.
        let _ = self.answer.send(answer);
    }
}

fn submit<T, F>(writer: &Writer, change: F) -> Result<oneshot::Receiver<Result<T, Error>>, Error>
where
    F: FnMut(&mut DbConnection) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    let (answer, receiver) = oneshot::channel();
    writer
        .submit(Box::new(Change {
            change,
            result: None,
            answer,
        }))
        .map_err(|_| Error::unavailable(anyhow::anyhow!("too many changes wait for the writer")))?;
    Ok(receiver)
}

/// Opens connections for the pool, and takes back none that was found broken.
struct Manager {
    url: DatabaseUrl,
    counters: Arc<Counters>,
    unreachable: Arc<AtomicBool>,
}

struct Pooled {
    conn: DbConnection,
    way: Way,
    broken: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::ConnectionError;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let connected = DbConnection::open_on_its_way(&self.url, &self.counters);
        self.unreachable
            .store(connected.is_err(), Ordering::Relaxed);
        let (conn, way) = connected?;
        Ok(Pooled {
            conn,
            way,
            broken: false,
        })
    }

    fn is_valid(&self, _: &mut Pooled) -> Result<(), Self::Error> {
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.broken
            || std::thread::panicking()
            || diesel::r2d2::R2D2Connection::is_broken(&mut pooled.conn)
    }
}

#[derive(Debug)]
struct LogConnectionErrors;

impl r2d2::HandleError<diesel::ConnectionError> for LogConnectionErrors {
    fn handle_error(&self, error: diesel::ConnectionError) {
        tracing::warn!(%error, "Could not connect to the database");
    }
}
