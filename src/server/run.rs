//! Opening, checking, serving and stopping.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_session::SessionMiddleware;
use actix_session::config::{BrowserSession, CookieContentSecurity};
use actix_web::cookie::SameSite;
use actix_web::{App as ActixApp, HttpServer, middleware, web};
use diesel::prelude::*;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::metrics::Metrics;
use super::{background, envelope, routes};
use crate::access_tokens::secret::fingerprint;
use crate::actor::{Actor, Origin};
use crate::app::{App, Fixed};
use crate::audit::system;
use crate::clock::Clock;
use crate::config::{Config, InstanceSecret};
use crate::context::Context;
use crate::db::schema::instance;
use crate::db::{Database, DatabaseUrl, DbConnection, SchemaState, migrate_and, schema_state};
use crate::error::Error;
use crate::git::limits::Times;
use crate::sessions::cookie::{DatabaseSessions, cookie_key, cookie_name};

/// How long requests that are running may take when the server stops, in seconds.
const GRACE: u64 = 30;

/// Why a start was given up; one clear line each.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is away.
    #[error("the database {0} can't be reached: {1}")]
    Database(DatabaseUrl, String),
    /// It was made by a newer Latchkey.
    #[error(
        "the database was migrated by a newer Latchkey ({0}); this program would not understand it, so it stops"
    )]
    Newer(String),
    /// It isn't ours.
    #[error("the database {0} holds tables that are not Latchkey's; give it an empty one")]
    Foreign(DatabaseUrl),
    /// It needs migrating, and several nodes may share it.
    #[error(
        "the database lacks {0} migration(s); stop all nodes and start one with --migrate, or run latchkey migrate"
    )]
    Older(usize),
    /// A migration failed.
    #[error("the database could not be migrated, nothing was changed: {0}")]
    Migration(String),
    /// Another secret than last time.
    #[error(
        "the instance secret is not the one that this database was used with; with it, no token would be found"
    )]
    OtherSecret,
    /// A restore into it was interrupted.
    #[error(
        "the database {0} was not restored to the end; drop it, and restore the backup into a new one"
    )]
    HalfRestored(DatabaseUrl),
    /// Mail can't be set up.
    #[error("{0}")]
    Mail(String),
    /// The copy before a migration failed.
    #[error("{0} could not be copied before migrating: {1}")]
    Copy(PathBuf, std::io::Error),
}

/// What may be done about an older schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// An empty database is filled, an older one refused: every command but `serve` and `migrate`.
    EmptyOnly,
    /// As the server does: SQLite is copied beside itself and migrated, PostgreSQL refused.
    WithCopy,
    /// Migrated, whichever it is.
    Always,
}

/// Opens the database; touches nothing in it.
///
/// # Errors
/// When it can't be opened.
pub fn open(config: &Config, secret: &InstanceSecret, clock: Clock) -> Result<App, StartError> {
    let db = Database::open(config.database_url.clone(), config.pool_size)
        .map_err(|error| StartError::Database(config.database_url.clone(), cause(&error)))?;
    App::new(
        db,
        clock,
        secret.expose(),
        Fixed {
            external_url: config.external_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            offering: config.offering,
            repositories: config.repositories(),
            git_times: Times::default(),
        },
        fingerprint(secret.expose()),
        &config.post,
    )
    .map_err(StartError::Mail)
}

/// Brings the schema to what this program wants, if that is allowed, and checks that the secret is the
/// one that the database knows.
///
/// # Errors
/// One clear line; the database is as it was.
pub fn prepare_schema(app: &App, how: Migrate) -> Result<(), StartError> {
    let url = app.db.url().clone();
    let mut conn = app
        .db
        .connect()
        .map_err(|error| StartError::Database(url.clone(), cause(&error)))?;
    let state = schema_state(&mut conn)
        .map_err(|error| StartError::Database(url.clone(), error.to_string()))?;
    match (state, how) {
        (SchemaState::Current, _) => {}
        (SchemaState::Newer(version), _) => return Err(StartError::Newer(version)),
        (SchemaState::Foreign, _) => return Err(StartError::Foreign(url)),
        (SchemaState::Older(missing), Migrate::EmptyOnly) => {
            return Err(StartError::Older(missing));
        }
        (SchemaState::Older(missing), Migrate::WithCopy) => {
            let DatabaseUrl::Sqlite(path) = &url else {
                return Err(StartError::Older(missing));
            };
            copy_beside(&mut conn, path)?;
            run_migrations(app, &mut conn)?;
        }
        (SchemaState::Older(_), Migrate::Always) | (SchemaState::Empty, _) => {
            run_migrations(app, &mut conn)?
        }
    }
    check_secret(&mut conn, app.secret_fingerprint(), &url)
}

fn cause(error: &Error) -> String {
    use std::error::Error as _;
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn run_migrations(app: &App, conn: &mut DbConnection) -> Result<(), StartError> {
    let done = migrate_and(conn, |conn, applied| {
        let ctx = by_itself(app, conn)?;
        Ok(system::migrated(conn, &ctx, applied)?)
    })
    .map_err(|error| StartError::Migration(error.to_string()))?;
    tracing::info!(migrations = done, "Migrated the database");
    Ok(())
}

/// What a verb needs when nobody acts but the program itself, started by whoever called it.
fn by_itself(app: &App, conn: &mut DbConnection) -> Result<Context, Error> {
    let policy = app.policy_now(conn)?;
    Ok(app.context(Actor::system(Origin::console()), policy, app.clock.now()))
}

/// A consistent copy, whatever is being written meanwhile.
fn copy_beside(conn: &mut DbConnection, path: &std::path::Path) -> Result<(), StartError> {
    use diesel::connection::SimpleConnection as _;
    let mut name = path.as_os_str().to_owned();
    name.push(".before-migration");
    let copy = PathBuf::from(name);
    match std::fs::remove_file(&copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StartError::Copy(copy, error));
        }
        _ => {}
    }
    make_private(&copy).map_err(|error| StartError::Copy(copy.clone(), error))?;
    let quoted = copy.display().to_string().replace('\'', "''");
    conn.batch_execute(&format!("VACUUM INTO '{quoted}'"))
        .map_err(|error| StartError::Copy(copy.clone(), std::io::Error::other(error)))?;
    tracing::info!(copy = %copy.display(), "Copied the database before migrating it");
    Ok(())
}

/// An empty file for its owner's eyes only, to be filled.
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
}

/// The first start notes the secret's fingerprint; every later one compares.
fn check_secret(conn: &mut DbConnection, ours: &str, url: &DatabaseUrl) -> Result<(), StartError> {
    let failed = |error: diesel::result::Error| match error {
        diesel::result::Error::NotFound => StartError::HalfRestored(url.clone()),
        error => StartError::Database(url.clone(), error.to_string()),
    };
    diesel::update(instance::table.find(1))
        .filter(instance::secret_fingerprint.is_null())
        .set(instance::secret_fingerprint.eq(ours))
        .execute(conn)
        .map_err(failed)?;
    let known: Option<String> = instance::table
        .find(1)
        .select(instance::secret_fingerprint)
        .get_result(conn)
        .map_err(failed)?;
    if known.as_deref() == Some(ours) {
        Ok(())
    } else {
        Err(StartError::OtherSecret)
    }
}

/// Starts serving on a socket that is bound already. The caller drives the returned server; signals are
/// the caller's too.
///
/// # Errors
/// When the socket can't be used.
pub fn start(
    app: App,
    listener: TcpListener,
    workers: usize,
) -> std::io::Result<actix_web::dev::Server> {
    start_with(app, listener, workers, MetricsAccess::default())
}

/// Who may read the metrics besides this machine itself.
#[derive(Debug, Clone, Default)]
pub struct MetricsAccess {
    /// Networks.
    pub allowed: Vec<ipnet::IpNet>,
    /// A bearer token.
    pub token: Option<crate::config::MetricsToken>,
}

/// As [`start`], with a say about the metrics.
///
/// # Errors
/// When the socket can't be used.
pub fn start_with(
    app: App,
    listener: TcpListener,
    workers: usize,
    metrics_access: MetricsAccess,
) -> std::io::Result<actix_web::dev::Server> {
    let metrics = web::Data::new(Metrics::new());
    let access = web::Data::new(metrics_access);
    let key = cookie_key(&app);
    let server = HttpServer::new(move || {
        let secure = app.external_url.is_https();
        let sessions = SessionMiddleware::builder(DatabaseSessions::new(app.clone()), key.clone())
            .cookie_name(cookie_name(&app).to_owned())
            .cookie_secure(secure)
            .cookie_http_only(true)
            .cookie_same_site(SameSite::Lax)
            .cookie_path("/".into())
            .cookie_content_security(CookieContentSecurity::Signed)
            .session_lifecycle(BrowserSession::default())
            .build();
        ActixApp::new()
            .app_data(web::Data::new(app.clone()))
            .app_data(metrics.clone())
            .app_data(access.clone())
            .configure(routes::configure)
            .wrap(sessions)
            .wrap(middleware::from_fn(envelope::around))
    })
    .workers(workers)
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(GRACE)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// What [`serve`] needs to know besides the application.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Threads that answer requests.
    pub workers: usize,
    /// Who may read the metrics.
    pub metrics: MetricsAccess,
    /// For how long requests are still taken after the signal to stop, while the node says that it isn't ready.
    pub stop_delay: Duration,
}

/// Serves until SIGTERM or SIGINT, then lets running requests finish, and writes what is still to be
/// written. `announce` is called once signals are heeded and requests are answered.
///
/// # Errors
/// When the socket can't be used, or `announce` fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    serving: Serving,
    announce: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Before anybody is told that we run: a signal that comes early must stop us as gently as a late one.
    let mut signals = Signals::listen()?;
    note_start(&app).await;
    let server = start_with(app.clone(), listener, serving.workers, serving.metrics)?;
    let handle = server.handle();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (stop_jobs, jobs_stopped) = tokio::sync::watch::channel(false);
    let uses = tokio::spawn(background::write_uses(app.clone(), stopped));
    let jobs = tokio::spawn(background::run_jobs(app.clone(), jobs_stopped));
    let removing = tokio::spawn(background::remove_repositories(
        app.clone(),
        stop_jobs.subscribe(),
    ));
    let running = tokio::spawn(server);
    announce()?;
    signals.any().await;
    app.stopping.store(true, Ordering::Relaxed);
    if !serving.stop_delay.is_zero() {
        let seconds = serving.stop_delay.as_secs();
        tracing::info!(seconds, "Asked to stop: not ready any more, but answering");
        // Whoever asks twice is in a hurry.
        let _ = tokio::time::timeout(serving.stop_delay, signals.any()).await;
    }
    tracing::info!("Stopping: no new requests, running ones may finish");
    // Jobs come to their end while requests do.
    let _ = stop_jobs.send(true);
    handle.stop(true).await;
    running.await??;
    // The loop may have ended already; then there is nobody to tell.
    let _ = stop.send(true);
    jobs.await?;
    removing.await?;
    uses.await?;
    tracing::info!("Stopped");
    Ok(())
}

/// A database that can't be written to can still be read, and so it is served.
async fn note_start(app: &App) {
    let starting = app.clone();
    let noted = app.db.write(move |conn| {
        let ctx = by_itself(&starting, conn)?;
        system::started(conn, &ctx)
    });
    if let Err(error) = noted.await {
        tracing::warn!(%error, "The start could not be written to the audit trail");
    }
}

/// The signals that ask a server to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
