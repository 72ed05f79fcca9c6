//! What whoever runs the server relies on: health, metrics, logs, start and stop of the real program.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use latchkey::access_tokens::scope::Scope;
use reqwest::Method;
use serde_json::Value;

use crate::{
    on_both,
    support::{
        Answer, Company, TestResource, TestServer,
        server::{logged, runtime},
        storage::folder,
    },
};

on_both!(
    health_needs_no_credential,
    metrics_are_for_this_machine_and_hidden_from_what_was_forwarded,
    metrics_name_routes_and_nobody,
    every_answer_has_a_request_id_of_its_own_that_the_log_knows,
    head_is_answered_wherever_get_is,
    what_is_not_there_is_told_in_the_form_of_its_neighbours,
);

async fn health_needs_no_credential(server: TestServer) {
    for path in ["/-/liveness", "/-/health", "/-/readiness"] {
        let answer = server.get(path).await.expect(200);
        assert_eq!(
            answer.json(),
            serde_json::json!({ "status": "ok" }),
            "{path}"
        );
        // A credential that is no good changes nothing.
        let with_nonsense = server
            .request(Method::GET, path)
            .header("PRIVATE-TOKEN", "glpat-nonsense");
        Answer::to(with_nonsense).await.expect(200);
    }
}

async fn metrics_are_for_this_machine_and_hidden_from_what_was_forwarded(server: TestServer) {
    server.get("/-/metrics").await.expect(200);
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        let request = server
            .request(Method::GET, "/-/metrics")
            .header(header, "127.0.0.1");
        Answer::to(request).await.expect(404);
    }
}

async fn metrics_name_routes_and_nobody(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    token.get(&company.acme.path()).await.expect(200);
    token
        .get(&format!("/groups/{}", company.sub.encoded_path()))
        .await
        .expect(200);
    company
        .alice
        .signs_in()
        .await
        .get(&company.acme.page("settings/access_tokens"))
        .await
        .expect(200);
    server.get("/nothing/like-this").await;
    let text = server.get("/-/metrics").await.expect(200).text();
    assert!(text.contains("latchkey_http_requests_total{method=\"GET\",route=\"/api/v4/groups/{id}\",status=\"200\"} 2"), "{text}");
    for name in [
        "acme",
        "alice",
        "deep",
        "like-this",
        token.value.as_str(),
        token.username.as_str(),
    ] {
        assert!(!text.contains(name), "{name} is in a label:\n{text}");
    }
}

async fn every_answer_has_a_request_id_of_its_own_that_the_log_knows(server: TestServer) {
    let mut seen = Vec::new();
    for path in [
        "/-/liveness",
        "/api/v4/user",
        "/api/v4/nothing",
        "/help",
        "/nothing",
        "/users/sign_in",
    ] {
        let answer = server.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() >= 16, "{path}: {id:?}");
        let line: Value = logged()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["request_id"] == id.as_str())
            .unwrap_or_else(|| panic!("{path} is not in the log, or not as JSON"));
        assert_eq!(line["status"], answer.status, "{path}");
        assert_eq!(line["path"], path);
        assert_eq!(line["method"], "GET");
        assert!(
            line["duration_ms"].is_u64() && line["route"].is_string() && line["ip"].is_string(),
            "{line}"
        );
        seen.push(id);
    }
    // What a client sends is not taken for one of ours.
    let request = server
        .request(Method::GET, "/-/liveness")
        .header("X-Request-Id", seen[0].clone());
    seen.push(Answer::to(request).await.header("x-request-id").to_owned());
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

async fn head_is_answered_wherever_get_is(server: TestServer) {
    let company = Company::on(&server);
    let token = company.alice.personal_token([Scope::ReadApi]);
    for path in [
        company.acme.path(),
        format!("{}/access_tokens", company.acme.path()),
        "/user".into(),
        "/groups/nothing".into(),
    ] {
        let get = token.get(&path).await;
        let head = token.send(Method::HEAD, &path, Value::Null).await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty());
        assert_eq!(head.header("x-total"), get.header("x-total"), "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
    }
    let browser = company.alice.signs_in().await;
    for path in [
        "/",
        "/help",
        "/-/liveness",
        "/nothing/here",
        &company.acme.page("settings/access_tokens"),
    ] {
        let get = browser.get(path).await;
        let head = browser.send(server.request(Method::HEAD, path)).await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty());
    }
}

async fn what_is_not_there_is_told_in_the_form_of_its_neighbours(server: TestServer) {
    let missing = serde_json::json!({ "error": "404 Not Found" });
    for path in [
        "/api/v4/nothing",
        "/api/v4",
        "/api/v4/groups/1/nothing",
        "/api/v3/user",
        "/api",
    ] {
        let answer = server.get(path).await.expect(404);
        assert_eq!(answer.json(), missing, "{path}");
        assert!(
            answer
                .header("content-type")
                .starts_with("application/json"),
            "{path}"
        );
    }
    for (method, path) in [
        (Method::PATCH, "/api/v4/user"),
        (Method::POST, "/api/v4/groups/1"),
        (Method::PUT, "/api/v4/version"),
    ] {
        let answer = Answer::to(server.request(method.clone(), path))
            .await
            .expect(405);
        assert_eq!(
            answer.json(),
            serde_json::json!({ "error": "405 Not Allowed" }),
            "{method} {path}"
        );
    }
    let visitor = server.person("alice").create().signs_in().await;
    let answer = visitor.get("/nothing/like/this").await.expect(404);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(
        answer.page().says("404") || answer.page().title().contains("not found"),
        "{}",
        answer.page().title()
    );
    Answer::to(server.request(Method::DELETE, "/-/liveness"))
        .await
        .expect(405);
}

// The real program.

/// `latchkey serve` on a free port, ended when dropped.
struct Program {
    child: Child,
    url: String,
    announced: Vec<String>,
}

fn program(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .env_clear()
        .current_dir(data);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut child = program(data, arguments)
        .envs(environment.iter().copied())
        .spawn()
        .unwrap();
    let began = Instant::now();
    // A server that starts although it should refuse to would be waited for in vain.
    while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(30) {
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

impl Program {
    fn serve(data: &Path) -> Program {
        let mut child = program(data, &["serve", "--listen", "127.0.0.1:0"])
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut announced = Vec::new();
        let url = loop {
            let line = lines
                .next()
                .expect("the server says where it listens")
                .unwrap();
            if let Some(url) = line.strip_prefix("Listening on ") {
                break url.to_owned();
            }
            announced.push(line);
        };
        // Read on, or the server would wait for somebody to do it.
        std::thread::spawn(move || lines.count());
        Program {
            child,
            url,
            announced,
        }
    }

    fn terminate(&mut self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_program_starts_announces_itself_and_stops_when_asked() {
    let data = folder();
    let began = Instant::now();
    let mut server = Program::serve(data.path());
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(server.url.starts_with("http://127.0.0.1:"));
    for line in &server.announced {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "away from a terminal the log is JSON: {line}"
        );
    }
    runtime().block_on(async {
        let http = crate::support::server::http_client().build().unwrap();
        let ready = http.get(format!("{}/-/readiness", server.url)).send().await.unwrap();
        assert_eq!(ready.status(), 200);

        // A request whose body is still on its way when the server is asked to stop.
        let mut slow = std::net::TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        use std::io::Write as _;
        slow.write_all(b"POST /users/sign_in HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n").unwrap();
        slow.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The server says that it has taken the request up: what still waits for its turn at that moment is cut off.
        let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        let mut told = vec![0; go_on.len()];
        slow.read_exact(&mut told).unwrap();
        assert_eq!(String::from_utf8_lossy(&told), go_on);
        slow.write_all(b"12345").unwrap();
        server.terminate();
        let url = server.url.trim_start_matches("http://").to_owned();
        let refused = Instant::now();
        while std::net::TcpStream::connect(&url).is_ok() {
            assert!(refused.elapsed() < Duration::from_secs(10), "new connections are still taken");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow.write_all(b"67890").unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "a running request is answered: {answer:?}");
    });
    let stopped = Instant::now();
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(
            stopped.elapsed() < Duration::from_secs(32),
            "it doesn't stop"
        );
        std::thread::park_timeout(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    let key = fs::metadata(data.path().join("secret.key")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777,
        0o600
    );
}

#[test]
fn without_an_administrator_a_link_is_offered_outside_of_the_log() {
    let data = folder();
    let mut server = Program::serve(data.path());
    let stderr = server.child.stderr.take().unwrap();
    let said: Vec<String> = BufReader::new(stderr)
        .lines()
        .take(2)
        .map(Result::unwrap)
        .collect();
    let link = said
        .iter()
        .find_map(|line| Some(line.trim().strip_prefix(&server.url)?.to_owned()))
        .expect("a link");
    assert!(link.starts_with("/setup?token="), "{link}");
    runtime().block_on(async {
        let http = crate::support::server::http_client().build().unwrap();
        assert_eq!(
            http.get(format!("{}{link}", server.url))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        assert_eq!(
            http.get(format!("{}/setup?token=guessed", server.url))
                .send()
                .await
                .unwrap()
                .status(),
            404
        );
    });
    assert!(!server.announced.iter().any(|line| line.contains("token=")));
}

/// Refused with status 1, in one line that says these words.
#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let status = output.status.code();
    assert!(matches!(status, Some(1 | 2)), "{status:?}: {said}");
    assert_eq!(said.trim().lines().count(), 1, "one line: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing: {said}");
    }
}

#[test]
fn a_bad_configuration_is_refused_in_one_line_that_names_it() {
    for (environment, words) in [
        (
            ("LATCHKEY_LISTEN", "everywhere"),
            ["LATCHKEY_LISTEN", "address"],
        ),
        (
            ("LATCHKEY_EXTERNAL_URL", "example.com"),
            ["LATCHKEY_EXTERNAL_URL", "http"],
        ),
        (
            ("LATCHKEY_DATABASE_URL", "mysql://root:hunter22@h/d"),
            ["LATCHKEY_DATABASE_URL", "sqlite://"],
        ),
        (
            ("LATCHKEY_DATABASE_URL", "/var/lib/x.db"),
            ["LATCHKEY_DATABASE_URL", "sqlite://"],
        ),
        (("LATCHKEY_SECRET", "short"), ["LATCHKEY_SECRET", "32"]),
        (
            ("LATCHKEY_SECRET_FILE", "/nowhere/key"),
            ["/nowhere/key", "read"],
        ),
        (("LATCHKEY_LOG", "chatty"), ["LATCHKEY_LOG", "info"]),
        (
            ("LATCHKEY_LOG_FORMAT", "xml"),
            ["LATCHKEY_LOG_FORMAT", "json"],
        ),
        (("LATCHKEY_WORKERS", "0"), ["LATCHKEY_WORKERS", "1"]),
        (
            ("LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/99"),
            ["LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/99"],
        ),
        (
            ("LATCHKEY_OFFERING", "free"),
            ["LATCHKEY_OFFERING", "hosted"],
        ),
        (
            ("LATCHKEY_CONFIG", "/nowhere/latchkey.toml"),
            ["/nowhere/latchkey.toml", ""],
        ),
    ] {
        let data = folder();
        let output = run(
            data.path(),
            &["serve", "--listen", "127.0.0.1:0"][..if environment.0 == "LATCHKEY_LISTEN" {
                1
            } else {
                3
            }],
            &[environment],
        );
        refused(&output, &words);
        assert!(
            !String::from_utf8_lossy(&output.stderr).contains("hunter22"),
            "a password is told"
        );
        assert!(
            !data.path().join("latchkey.db").exists(),
            "{} leaves a database behind",
            environment.0
        );
    }
    let data = folder();
    fs::write(data.path().join("c.toml"), "lissten = \"127.0.0.1:0\"\n").unwrap();
    let config = data.path().join("c.toml");
    refused(
        &run(
            data.path(),
            &["serve", "--config", config.to_str().unwrap()],
            &[],
        ),
        &["lissten", "c.toml"],
    );
    let both = [
        ("LATCHKEY_SECRET", "0123456789012345678901234567890123"),
        ("LATCHKEY_SECRET_FILE", "x"),
    ];
    refused(
        &run(data.path(), &["serve", "--listen", "127.0.0.1:0"], &both),
        &["LATCHKEY_SECRET_FILE"],
    );
    let postgres = [("LATCHKEY_DATABASE_URL", "postgres://h/d")];
    refused(
        &run(
            data.path(),
            &["serve", "--listen", "127.0.0.1:0"],
            &postgres,
        ),
        &["LATCHKEY_SECRET"],
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &run(data.path(), &["serve", "--listen", &address], &[]),
        &["in use"],
    );
}

#[test]
fn another_secret_than_last_time_is_refused_and_nothing_is_changed() {
    let data = folder();
    let first = [(
        "LATCHKEY_SECRET",
        "the first secret, which is long enough to be one",
    )];
    let second = [(
        "LATCHKEY_SECRET",
        "the second secret, which is long enough to be one",
    )];
    assert!(run(data.path(), &["migrate"], &first).status.success());
    let before = fs::read(data.path().join("latchkey.db")).unwrap();
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["user", "list"],
        &["migrate"],
    ] {
        refused(&run(data.path(), command, &second), &["secret"]);
    }
    assert_eq!(fs::read(data.path().join("latchkey.db")).unwrap(), before);
    assert!(run(data.path(), &["user", "list"], &first).status.success());
}

#[test]
fn a_schema_that_is_not_ours_is_refused_and_nothing_is_changed() {
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')";
    for (statement, word) in [(newer, "newer"), ("", "not Latchkey's")] {
        let data = folder();
        let file = data.path().join("latchkey.db");
        if statement.is_empty() {
            let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            conn.batch_execute("CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (7)")
                .unwrap();
            // An operator who has a database has a secret, too.
            let key = data.path().join("secret.key");
            fs::write(&key, "0".repeat(64)).unwrap();
            fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        } else {
            assert!(run(data.path(), &["migrate"], &[]).status.success());
            let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            conn.batch_execute(statement).unwrap();
            conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
                .unwrap();
        }
        let tables = |file: &Path| {
            let bytes = fs::read(file).unwrap();
            String::from_utf8_lossy(&bytes)
                .matches("CREATE TABLE")
                .count()
        };
        let before = tables(&file);
        for command in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["user", "list"],
            &["migrate"],
        ] {
            refused(&run(data.path(), command, &[]), &[word]);
        }
        assert_eq!(tables(&file), before);
    }
}

#[test]
fn an_older_schema_is_copied_before_the_server_migrates_it() {
    let data = folder();
    assert!(run(data.path(), &["migrate"], &[]).status.success());
    assert!(
        run(data.path(), &["migrate", "--down", "1"], &[])
            .status
            .success()
    );
    refused(&run(data.path(), &["user", "list"], &[]), &["migrate"]);
    let server = Program::serve(data.path());
    assert!(data.path().join("latchkey.db.before-migration").exists());
    drop(server);
    assert!(
        run(data.path(), &["migrate", "--check"], &[])
            .status
            .success()
    );
}
