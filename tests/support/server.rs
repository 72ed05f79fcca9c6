//! A real server on a port that the system picks.

use std::{
    collections::BTreeMap,
    future::Future,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt::System};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use latchkey::{
    access_tokens::secret::fingerprint,
    actor::{Actor, Origin},
    app::{App, Fixed},
    clock::Clock,
    config::ExternalUrl,
    context::Context,
    db::{Database, DbConnection},
    error::Error,
    git::limits::Times,
    groups::plan::Offering,
    jobs::{self, Job},
    logging::Captured,
    mail::Post,
    server::background,
    settings,
};
use reqwest::{Method, RequestBuilder, header::HeaderMap, redirect::Policy};

use tempfile::TempDir;

use super::{
    Answer, Api, NodePlan, Visitor,
    storage::{Storage, folder},
};

/// The instance secret of every test.
pub const SECRET: &[u8] = b"a secret that is only good for tests, 32 bytes and more";

/// When every test begins, until it moves the clock: a Friday.
pub const BEGINNING: &str = "2026-11-20T10:00:00Z";

/// A server, stopped when the last handle to it is dropped.
#[derive(Clone)]
pub struct TestServer {
    inner: Arc<Inner>,
}

/// What a test server is made of.
pub struct Inner {
    /// The application behind it.
    pub app: App,
    /// Its clock, which stands still until it is moved.
    pub clock: Clock,
    /// `http://127.0.0.1:port`
    pub url: String,
    /// Its database.
    pub storage: Arc<Storage>,
    /// Mails are in `mail` below it.
    mail: TempDir,
    http: reqwest::Client,
    handle: ServerHandle,
    /// Ids that builders number their things with.
    pub(super) counter: Mutex<u32>,
}

impl Deref for TestServer {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The command is on its way as soon as the future is made; nobody needs to wait for its end.
        drop(self.handle.stop(false));
    }
}

/// What runs of Git may take, where nothing else is said.
pub fn watchful() -> Times {
    Times {
        watch: Duration::from_millis(200),
        ..Times::default()
    }
}

impl TestServer {
    /// A server on this database, under the address that it listens on.
    pub fn on(storage: Storage) -> TestServer {
        TestServer::under(storage, None)
    }

    /// A server on this database; people are told that it is reached under `external_url`.
    pub fn under(storage: Storage, external_url: Option<&str>) -> TestServer {
        TestServer::with_post(storage, external_url, Post::to_folder)
    }

    /// As [`TestServer::under`], with a say about where mails go; unless to a mail server, into the folder.
    pub fn with_post(
        storage: Storage,
        external_url: Option<&str>,
        post: impl FnOnce(PathBuf) -> Post,
    ) -> TestServer {
        let clock = Clock::fixed(moment(BEGINNING));
        TestServer::node(NodePlan {
            external_url: external_url.map(|url| url.parse().unwrap()),
            post: Box::new(post),
            ..NodePlan::on(Arc::new(storage), clock)
        })
    }

    /// One more server on the same database, with the same clock, offered to others as a service.
    pub fn hosted(&self) -> TestServer {
        TestServer::node(NodePlan {
            offering: Offering::Hosted,
            ..NodePlan::beside(self)
        })
    }

    /// One more server on the same database, with the same clock and repositories of its own, where runs of Git may
    /// take as long as this.
    pub fn with_git_times(&self, git_times: Times) -> TestServer {
        TestServer::node(NodePlan {
            git_times,
            ..NodePlan::beside(self)
        })
    }

    /// A server that is made like this.
    pub fn node(plan: NodePlan<'_>) -> TestServer {
        log_to_memory();
        let mail = folder();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let db = Database::open(plan.database, 4).unwrap();
        let own = mail.path().join("repositories");
        let app = App::new(
            db,
            plan.clock.clone(),
            SECRET,
            Fixed {
                external_url: plan
                    .external_url
                    .unwrap_or_else(|| ExternalUrl::of_listener(address)),
                trusted_proxies: plan.trusted_proxies,
                offering: plan.offering,
                repositories: plan.repositories.unwrap_or(own),
                git_times: plan.git_times,
            },
            fingerprint(SECRET),
            &(plan.post)(mail.path().join("mail")),
        )
        .unwrap();
        let (sender, receiver) = mpsc::channel();
        let served = app.clone();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = latchkey::server::run::start(served, listener, 1).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let handle = receiver.recv().expect("the server starts");
        TestServer {
            inner: Arc::new(Inner {
                app,
                clock: plan.clock,
                url: format!("http://{address}"),
                storage: plan.storage,
                mail,
                http: one_that_stays(),
                handle,
                counter: Mutex::new(0),
            }),
        }
    }

    /// The same server, as it is reached at another address: that of a proxy in front of it.
    pub fn reached_at(&self, url: &str) -> TestServer {
        TestServer {
            inner: Arc::new(Inner {
                app: self.app.clone(),
                clock: self.clock.clone(),
                url: url.to_owned(),
                storage: Arc::clone(&self.storage),
                mail: folder(),
                http: one_that_stays(),
                handle: self.handle.clone(),
                // Far from the numbers of those who reach it directly.
                counter: Mutex::new(1_000),
            }),
        }
    }

    /// Where mails go that no server gets.
    pub fn mail_folder(&self) -> PathBuf {
        self.mail.path().join("mail")
    }

    /// Is this the run on PostgreSQL?
    pub fn is_on_postgres(&self) -> bool {
        matches!(*self.storage, Storage::Postgres(_))
    }

    /// A caller of the API without a credential.
    pub fn anonymous(&self) -> Api {
        Api::new(self, None)
    }

    /// A caller of the API with this token value.
    pub fn with_token(&self, value: &str) -> Api {
        Api::new(self, Some(value))
    }

    /// A browser that nobody has signed in with.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self)
    }

    /// Any path, without a credential.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// A request to be completed; redirects are not followed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends bytes that no well-behaved client would, and reads until the server closes the connection.
    /// `{host}` stands for the server's address.
    pub async fn raw(&self, request: &str) -> Answer {
        let request = request.replace("{host}", self.url.trim_start_matches("http://"));
        self.raw_bytes(request.into_bytes()).await
    }

    /// As [`TestServer::raw`], with any bytes.
    pub async fn raw_bytes(&self, request: Vec<u8>) -> Answer {
        let address = self.url.trim_start_matches("http://").to_owned();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            // A server that has read enough may close before everything is written.
            let _ = stream.write_all(&request);
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            parse_answer(&bytes)
        })
        .await
        .unwrap()
    }

    /// Now, by the server's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The date so many days from now.
    pub fn days_ahead(&self, days: i64) -> String {
        (self.now() + TimeDelta::days(days))
            .date_naive()
            .to_string()
    }

    /// Arranges something in the database, as the system does: a verb of the product, usually.
    pub fn arrange<T: Send + 'static>(
        &self,
        change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.arrange_as(Actor::system(Origin::console()), change)
    }

    /// As [`TestServer::arrange`], on behalf of somebody.
    #[track_caller]
    pub fn arrange_as<T: Send + 'static>(
        &self,
        actor: Actor,
        change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.attempt_as(actor, change)
            .expect("what a test arranges works")
    }

    /// As [`TestServer::arrange_as`], for what may fail.
    pub fn attempt_as<T: Send + 'static>(
        &self,
        actor: Actor,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let app = self.app.clone();
        // Away from the test's own runtime, where nothing may block.
        thread::scope(|scope| {
            let work = scope.spawn(move || {
                let database = app.db.clone();
                database.write_now(move |conn| {
                    let policy = app.policy_now(conn)?;
                    let ctx = app.context(actor.clone(), policy, app.clock.now());
                    change(conn, &ctx)
                })
            });
            work.join().expect("an arrangement doesn't panic")
        })
    }

    /// Changes a setting of the instance, as the console does.
    pub fn set(&self, key: &'static str, value: &str) {
        let value = value.to_owned();
        self.arrange(move |conn, ctx| settings::change::set(conn, ctx, key, &value).map(|_| ()));
    }

    /// Switches a flag of the instance, as the console does.
    pub fn flag(&self, name: &'static str, enabled: bool) {
        self.arrange(move |conn, ctx| settings::switch::switch(conn, ctx, name, enabled));
    }

    /// Has a top-level group keep the bots of revoked tokens or not, or do as the instance does.
    pub fn retain_bots_of(&self, path: &'static str, enabled: Option<bool>) {
        self.arrange(move |conn, ctx| {
            settings::switch::switch_for_group(conn, ctx, settings::RETAIN, enabled, path)
        });
    }

    /// Keeps the bots of revoked tokens.
    pub fn retain_bots(&self, enabled: bool) {
        self.flag("retain_resource_access_token_user_after_revoke", enabled);
    }

    /// Runs a statement behind the product's back.
    pub fn sql(&self, statement: &str) {
        let statement = statement.to_owned();
        self.arrange(move |conn, _| {
            let done = match conn {
                DbConnection::Sqlite(conn) => sql_query(&statement).execute(conn),
                DbConnection::Postgres(conn) => sql_query(&statement).execute(conn),
            };
            Ok(done.unwrap_or_else(|error| panic!("{statement}: {error}")))
        });
    }

    /// The number of rows of `table`, all of them or those that `condition` is true for.
    pub fn count(&self, table: &str, condition: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let condition = if condition.is_empty() {
            "TRUE"
        } else {
            condition
        };
        let query = format!("SELECT count(*) AS number FROM {table} WHERE {condition}");
        self.arrange(move |conn, _| {
            let count: Result<Count, _> = match conn {
                DbConnection::Sqlite(conn) => sql_query(&query).get_result(conn),
                DbConnection::Postgres(conn) => sql_query(&query).get_result(conn),
            };
            Ok(count
                .unwrap_or_else(|error| panic!("{query}: {error}"))
                .number)
        })
    }

    /// How much of everything there is: a refused request changes none of it.
    pub fn inventory(&self) -> Inventory {
        Inventory {
            users: self.count("users", ""),
            groups: self.count("groups", ""),
            projects: self.count("projects", ""),
            memberships: self.count("memberships", ""),
            tokens: self.count("access_tokens", ""),
            living: self.count("access_tokens", "NOT revoked"),
        }
    }

    /// Lets the server do what it does in the background: write last uses, and delete bots that are gone.
    pub async fn rest(&self) {
        background::flush_uses(&self.app).await;
        background::flush_days(&self.app).await;
        self.run_job(Job::BotDeletion).await;
    }

    /// Runs a job by hand, at the moment that the clock shows. Returns how many of what.
    pub async fn run_job(&self, job: Job) -> BTreeMap<String, i64> {
        let report = jobs::run::by_hand(&self.app, job, None, Duration::ZERO).await;
        let counts = report.expect("the job runs").counts;
        counts.into_iter().collect()
    }

    /// Runs whatever the scheduler finds due at this moment, each to its end, and returns their names.
    pub async fn run_due_jobs(&self) -> Vec<&'static str> {
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        let mut names = Vec::new();
        for (job, due) in jobs::scheduler::due(&self.app).await.unwrap() {
            jobs::run::in_turn(self.app.clone(), job, due, stopped.clone()).await;
            names.push(job.name());
        }
        names
    }

    /// The next number for a thing that needs a name of its own.
    pub fn next(&self) -> u32 {
        let mut counter = self.counter.lock().unwrap();
        *counter += 1;
        *counter
    }
}

/// How many rows there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// People and bots.
    pub users: i64,
    /// Groups and personal namespaces.
    pub groups: i64,
    /// Projects.
    pub projects: i64,
    /// Memberships.
    pub memberships: i64,
    /// Tokens of all kinds.
    pub tokens: i64,
    /// Those that aren't revoked.
    pub living: i64,
}

fn one_that_stays() -> reqwest::Client {
    http_client().redirect(Policy::none()).build().unwrap()
}

/// A client of HTTP that goes straight to where it is sent.
pub fn http_client() -> reqwest::ClientBuilder {
    latchkey::tls::provide();
    reqwest::Client::builder().no_proxy()
}

/// A moment, written down.
pub fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment such as 2026-11-20T10:00:00Z")
}

/// Runs a test on SQLite.
pub fn run_on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(TestServer) -> F) {
    run(Storage::sqlite(), test);
}

/// Runs a test on PostgreSQL, if there is one.
pub fn run_on_postgres<F: Future<Output = ()>>(test: impl FnOnce(TestServer) -> F) {
    if let Some(storage) = Storage::postgres() {
        run(storage, test);
    }
}

fn run<F: Future<Output = ()>>(storage: Storage, test: impl FnOnce(TestServer) -> F) {
    runtime().block_on(async { test(TestServer::on(storage)).await });
}

/// What a test runs in.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// All that the servers of this process logged, of every test: what is looked for must be unique.
pub fn logged() -> String {
    log_to_memory().text()
}

fn log_to_memory() -> &'static Captured {
    static LOG: std::sync::OnceLock<Captured> = std::sync::OnceLock::new();
    LOG.get_or_init(|| {
        let captured = Captured::default();
        let target = latchkey::logging::Target::Memory(captured.clone());
        let subscriber = latchkey::logging::subscriber("info", None, target).unwrap();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        captured
    })
}

fn parse_answer(bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse().ok());
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Some((name, value)) = line.split_once(':') {
            let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
    }
    Answer {
        // Nothing at all came back: the connection was closed.
        status: status.unwrap_or(0),
        headers,
        body: bytes.get(end + 4..).unwrap_or_default().to_vec(),
    }
}
