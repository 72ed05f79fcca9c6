//! Bad days: the database goes away and comes back, or is busy with somebody else.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use latchkey::{
    access_tokens::secret::fingerprint,
    app::{App, Fixed},
    clock::Clock,
    config::ExternalUrl,
    db::{Database, DatabaseUrl, migrate},
    groups::{create::NewGroupForm, plan::Offering},
    mail::Post,
};
use serde_json::json;

use crate::support::{
    Company, TestResource, TestServer,
    postgres::postgres,
    server::{SECRET, runtime},
    storage::{Storage, folder},
};

/// A PostgreSQL server that a test may stop, with one database.
struct Stoppable {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl Stoppable {
    /// `None` where PostgreSQL isn't installed, or isn't ours to start.
    fn start() -> Option<Stoppable> {
        postgres()?;
        let programs = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .chain(std::env::split_paths(
                &std::env::var_os("PATH").unwrap_or_default(),
            ))
            .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())?;
        let folder = tempfile::TempDir::with_prefix_in("latchkey-stoppable-", "/tmp").unwrap();
        if let Some((user, group)) = unprivileged() {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Stoppable {
            programs,
            folder,
            port,
        };
        let data = server.data();
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "latchkey",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C",
            ],
        );
        server.control("start");
        Some(server)
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&format!(
            "postgres://latchkey@127.0.0.1:{}/postgres",
            self.port
        ))
        .unwrap()
    }

    fn control(&self, what: &str) {
        let (data, log) = (
            self.data(),
            self.folder.path().join("log").display().to_string(),
        );
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c fsync=off -k {}",
            self.port,
            self.folder.path().display()
        );
        self.run(
            "pg_ctl",
            &[
                "-D",
                &data,
                "-w",
                "-m",
                "immediate",
                "-l",
                &log,
                "-o",
                &options,
                what,
            ],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        assert!(
            command.status().unwrap().success(),
            "{program} {arguments:?}"
        );
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        let stopping = Command::new(self.programs.join("pg_ctl"))
            .args(["-D", &self.data(), "-m", "immediate", "stop"])
            .uid(unprivileged().map_or(0, |(user, _)| user))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // A test that failed while it was stopped has nothing left to stop.
        let _ = stopping;
    }
}

/// PostgreSQL refuses to be run by root.
fn unprivileged() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = users
        .lines()
        .find(|line| line.starts_with("postgres:"))?
        .split(':')
        .collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

/// What a server is on that has no storage of the tests' own.
struct Node {
    url: String,
    app: App,
    http: reqwest::Client,
    handle: actix_web::dev::ServerHandle,
}

impl Node {
    fn on(url: DatabaseUrl) -> Node {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let db = Database::open(url, 4).unwrap();
        migrate(&mut db.connect().unwrap()).unwrap();
        let clock = Clock::fixed("2026-11-20T10:00:00Z".parse().unwrap());
        let app = App::new(
            db,
            clock,
            SECRET,
            Fixed {
                external_url: ExternalUrl::of_listener(address),
                trusted_proxies: Vec::new(),
                offering: Offering::SelfManaged,
                repositories: std::env::temp_dir().join("latchkey-test-repositories"),
                git_times: Default::default(),
            },
            fingerprint(SECRET),
            &Post::to_folder(std::env::temp_dir().join("latchkey-test-mail")),
        )
        .unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let served = app.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = latchkey::server::run::start(served, listener, 1).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let http = crate::support::server::http_client()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Node {
            url: format!("http://{address}"),
            app,
            http,
            handle: receiver.recv().unwrap(),
        }
    }

    /// Status, `Retry-After`, body, and how long it took.
    async fn get(&self, path: &str, token: &str, cookie: &str) -> (u16, String, String, Duration) {
        let began = Instant::now();
        let mut request = self.http.get(format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.header("PRIVATE-TOKEN", token);
        }
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        let retry = answer
            .headers()
            .get("retry-after")
            .map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        (
            answer.status().as_u16(),
            retry,
            answer.text().await.unwrap(),
            began.elapsed(),
        )
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

#[test]
fn a_database_that_is_away_is_an_outage_and_never_a_wrong_token() {
    let Some(postgres) = Stoppable::start() else {
        return;
    };
    let node = Node::on(postgres.url());
    let app = node.app.clone();
    let value = node
        .app
        .db
        .write_now(move |conn| {
            use latchkey::{access_tokens, actor, groups, members};
            let policy = app.policy_now(conn)?;
            let ctx = app.context(
                actor::Actor::system(actor::Origin::console()),
                policy,
                app.clock.now(),
            );
            let form = NewGroupForm {
                name: "acme".into(),
                path: "acme".into(),
                description: String::new(),
                visibility: None,
            };
            let group = groups::create::create(conn, &ctx, None, &form, None)?;
            let new = access_tokens::create::NewAccessToken {
                name: "ci".into(),
                description: None,
                scopes: vec![access_tokens::scope::Scope::Api],
                access_level: members::AccessLevel::Owner,
                expires_at: None,
            };
            let created = access_tokens::create::create(
                conn,
                &ctx,
                &access_tokens::Resource::Group(group),
                &new,
            )??;
            Ok(created.plaintext.expose().to_owned())
        })
        .unwrap();

    runtime().block_on(async {
        let session = "latchkey_session=of-somebody-who-is-signed-in";
        assert_eq!(node.get("/api/v4/groups/acme", &value, "").await.0, 200);
        assert_eq!(node.get("/-/readiness", "", "").await.0, 200);

        postgres.control("stop");
        for (path, token, cookie) in [
            ("/api/v4/groups/acme", value.as_str(), ""),
            ("/api/v4/user", &value, ""),
            ("/api/v4/user", "glpat-AAAAAAAAAAAAAAAAAAAA", ""),
            ("/api/v4/groups/acme", "", ""),
            ("/users/sign_in", "", ""),
            ("/-/readiness", "", ""),
        ] {
            let (status, retry, body, took) = node.get(path, token, cookie).await;
            assert_eq!(status, 503, "{path}: {body}");
            assert!(
                retry.parse::<u32>().is_ok_and(|seconds| seconds > 0),
                "{path}: Retry-After {retry:?}"
            );
            assert!(took < Duration::from_secs(3), "{path} took {took:?}");
            assert!(
                !body.contains("127.0.0.1") && !body.contains("libpq"),
                "the cause is for the log: {body}"
            );
        }
        assert_eq!(node.get("/-/liveness", "", "").await.0, 200);
        let (status, _, metrics, took) = node.get("/-/metrics", "", "").await;
        assert_eq!(status, 200);
        let lines: Vec<&str> = metrics.lines().collect();
        assert!(lines.contains(&"latchkey_database_up 0"), "{metrics}");
        assert!(metrics.contains("latchkey_http_requests_total{"));
        assert!(took < Duration::from_secs(6), "the metrics took {took:?}");
        assert_eq!(
            node.get("/help", "", session).await.0 / 100,
            5,
            "a session that can't be read isn't signed out"
        );

        postgres.control("start");
        let back = Instant::now();
        while node.get("/api/v4/groups/acme", &value, "").await.0 != 200 {
            assert!(
                back.elapsed() < Duration::from_secs(10),
                "no recovery within ten seconds"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(node.get("/-/readiness", "", "").await.0, 200);
        assert_eq!(node.get("/users/sign_in", "", "").await.0, 200);
        let (_, _, metrics, _) = node.get("/-/metrics", "", "").await;
        assert!(metrics.contains("\nlatchkey_database_up 1\n"), "{metrics}");
    });
}

#[test]
fn while_another_process_holds_sqlite_reading_goes_on_and_changes_are_told_to_come_back() {
    runtime().block_on(async {
        let server = TestServer::on(Storage::sqlite());
        let company = Company::on(&server);
        let alice = company.alice.api();
        let browser = company.alice.signs_in().await;
        let path = format!("{}/access_tokens", company.acme.path());
        let body = json!({ "name": "ci", "scopes": ["api"] });
        let before = server.inventory();

        let mut other =
            SqliteConnection::establish(server.storage.file().unwrap().to_str().unwrap()).unwrap();
        other
            .batch_execute("PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE")
            .unwrap();
        alice.get(&company.acme.path()).await.expect(200);
        browser
            .get(&company.acme.page("settings/access_tokens"))
            .await
            .expect(200);
        server.get("/-/readiness").await.expect(200);
        let began = Instant::now();
        let answer = alice.post(&path, body.clone()).await.expect(503);
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{:?}",
            began.elapsed()
        );
        assert!(!answer.header("retry-after").is_empty());
        other.batch_execute("ROLLBACK").unwrap();

        assert_eq!(
            server.inventory(),
            before,
            "an answer of 503 has changed nothing"
        );
        alice.post(&path, body).await.expect(201);
    });
}

#[test]
fn a_full_queue_of_passwords_is_told_to_come_back() {
    runtime().block_on(async {
        let server = TestServer::on(Storage::sqlite());
        let alice = server.person("alice").create();
        let token = alice.api();
        let group = server.group("acme").owner(&alice).create();
        server.set("sign_in_failures_per_address", "0");
        server.set("sign_in_failures_per_account", "0");
        let visitors: Vec<_> = (0..100).map(|_| server.visitor()).collect();
        let attempts = visitors
            .iter()
            .map(|visitor| visitor.sign_in("alice", "not her password at all"));
        let flood = futures_util::future::join_all(attempts);
        let path = group.path();
        let (answers, reading) = tokio::join!(flood, token.get(&path));
        reading.expect(200);
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer.status, 422 | 503))
        );
        for answer in answers.iter().filter(|answer| answer.status == 503) {
            assert!(!answer.header("retry-after").is_empty());
        }
    });
}

#[test]
fn a_folder_that_is_gone_is_told_in_one_line() {
    let data = folder();
    let missing = data.path().join("missing").join("latchkey.db");
    let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["user", "list", "--data-dir"])
        .arg(data.path())
        .args(["--database-url", &format!("sqlite://{}", missing.display())])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}
