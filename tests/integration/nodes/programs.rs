//! Nodes as operators run them: programs of their own, started, upgraded and stopped beside each other.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query};
use serde_json::{Value, json};

use crate::support::{
    postgres::{TestDatabase, postgres},
    server::{SECRET, http_client, runtime},
    storage::folder,
};

/// `latchkey serve`, killed when dropped.
struct Program {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

fn command(data: &Path, database: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .args(["--database-url", database])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LATCHKEY_SECRET", std::str::from_utf8(SECRET).unwrap())
        .current_dir(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

impl Program {
    fn start(data: &Path, database: &str, more: &[&str]) -> Starting {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--pool-size", "4"];
        arguments.extend(more);
        Starting(command(data, database, &arguments).spawn().unwrap())
    }

    fn get(&self, path: &str) -> String {
        ask(
            &self.url,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
    }

    fn terminate(&self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.unwrap().success());
    }

    /// The status with which it ends.
    fn end(&mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        panic!("it goes on and on: {}", self.log.lock().unwrap());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that hasn't said yet where it listens.
struct Starting(Child);

impl Starting {
    #[track_caller]
    fn started(mut self) -> Program {
        let log = Arc::<Mutex<String>>::default();
        let mut lines = BufReader::new(self.0.stdout.take().unwrap()).lines();
        let url = loop {
            let Some(Ok(line)) = lines.next() else {
                let output = self.0.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                panic!("it doesn't start: {said}\n{}", log.lock().unwrap());
            };
            if let Some(url) = line.strip_prefix("Listening on ") {
                break url.to_owned();
            }
            log.lock().unwrap().push_str(&(line + "\n"));
        };
        let kept = Arc::clone(&log);
        // Read on, or the server would wait for somebody to do it.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Program {
            child: self.0,
            url,
            log,
        }
    }

    /// It ends without having served.
    fn refused(mut self) -> Output {
        let began = Instant::now();
        // One that serves although it should refuse to would be waited for in vain.
        while self.0.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(30) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        self.0.wait_with_output().unwrap()
    }
}

fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn ask(url: &str, request: &str) -> String {
    let mut stream = connect(url);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

fn count(database: &str, what: &str) -> i64 {
    let mut conn = PgConnection::establish(database).unwrap();
    let number: Number = sql_query(format!("SELECT count(*) AS number FROM {what}"))
        .get_result(&mut conn)
        .unwrap();
    number.number
}

fn execute(database: &str, statements: &str) {
    let mut conn = PgConnection::establish(database).unwrap();
    conn.batch_execute(statements).unwrap();
}

/// An empty database.
fn empty() -> Option<TestDatabase> {
    Some(postgres()?.create_database())
}

/// A group's address in the API and a value that may do everything in it.
fn arranged(data: &Path, database: &str) -> String {
    let mut admin = command(
        data,
        database,
        &[
            "user",
            "create",
            "--username",
            "root",
            "--email",
            "root@example.com",
            "--admin",
            "--password-stdin",
        ],
    );
    admin.stdin(Stdio::piped());
    let mut child = admin.spawn().unwrap();
    let password = b"a horse that staples batteries\n";
    child.stdin.take().unwrap().write_all(password).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    done(command(
        data,
        database,
        &["group", "create", "--path", "acme"],
    ));
    let token = [
        "token", "create", "--user", "root", "--name", "ci", "--scope", "api",
    ];
    done(command(data, database, &token)).trim().to_owned()
}

async fn call(node: &Program, method: &str, path: &str, value: &str, body: Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let client = http_client().build().unwrap();
    let mut request = client.request(method, format!("{}/api/v4{path}", node.url));
    request = request.header("PRIVATE-TOKEN", value);
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

#[test]
fn nodes_that_start_at_the_same_moment_on_an_empty_database_all_serve() {
    let Some(database) = empty() else {
        return;
    };
    let (database, data) = (database.url(), folder());
    let starting = [(); 3].map(|()| Program::start(data.path(), &database, &[]));
    let nodes = starting.map(Starting::started);
    for node in &nodes {
        let answer = node.get("/-/readiness");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(
        count(&database, "audit_events WHERE event = 'system_migrated'"),
        1
    );
    assert_eq!(
        count(&database, "audit_events WHERE event = 'system_started'"),
        3
    );
}

#[test]
fn what_was_answered_by_one_program_holds_for_the_next_request_to_another() {
    let Some(database) = empty() else {
        return;
    };
    let (database, data) = (database.url(), folder());
    let value = arranged(data.path(), &database);
    let starting = [(); 2].map(|()| Program::start(data.path(), &database, &[]));
    let [a, b] = starting.map(Starting::started);
    runtime().block_on(async {
        let tokens = "/groups/acme/access_tokens";
        let own = "/personal_access_tokens/self";
        for round in 0..40 {
            let (made_on, ended_on) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
            let body = json!({ "name": "ci", "scopes": ["api"] });
            let (status, made) = call(made_on, "POST", tokens, &value, body).await;
            assert_eq!(status, 201, "{made}");
            let token = made["token"].as_str().unwrap();
            let (status, _) = call(ended_on, "GET", own, token, Value::Null).await;
            assert_eq!(status, 200);
            let path = format!("{tokens}/{}", made["id"]);
            let (status, _) = call(ended_on, "DELETE", &path, &value, Value::Null).await;
            assert_eq!(status, 204);
            let (status, _) = call(made_on, "GET", own, token, Value::Null).await;
            assert_eq!(status, 401, "round {round}");
        }
    });
}

#[test]
fn of_two_newer_nodes_that_start_at_once_one_migrates() {
    let Some(database) = empty() else {
        return;
    };
    let (database, data) = (database.url(), folder());
    done(command(data.path(), &database, &["migrate"]));
    done(command(data.path(), &database, &["migrate", "--down", "1"]));
    let refused = Program::start(data.path(), &database, &[]).refused();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("the database lacks 1 migration"), "{said}");
    let migrated = "audit_events WHERE event = 'system_migrated'";
    let before = count(&database, migrated);
    let starting = [(); 2].map(|()| Program::start(data.path(), &database, &["--migrate"]));
    for node in starting.map(Starting::started) {
        let answer = node.get("/-/readiness");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(count(&database, migrated), before + 1);
}

#[test]
fn a_node_goes_on_while_a_newer_one_adds_to_the_schema_and_is_not_started_again_after_it() {
    let Some(database) = empty() else {
        return;
    };
    let (database, data) = (database.url(), folder());
    let value = arranged(data.path(), &database);
    let node = Program::start(data.path(), &database, &[]).started();
    let tokens = "/groups/acme/access_tokens";
    let works = async || {
        let body = json!({ "name": "ci", "scopes": ["api"] });
        let (status, made) = call(&node, "POST", tokens, &value, body).await;
        assert_eq!(status, 201, "{made}");
        let rotate = format!("{tokens}/{}/rotate", made["id"]);
        let (status, rotated) = call(&node, "POST", &rotate, &value, json!({})).await;
        assert_eq!(status, 200, "{rotated}");
        let (status, _) = call(&node, "GET", tokens, &value, Value::Null).await;
        assert_eq!(status, 200);
    };
    runtime().block_on(async {
        // Whatever it has prepared by now is in use when the tables change.
        for _ in 0..8 {
            works().await;
        }
        execute(
            &database,
            "BEGIN; \
             ALTER TABLE access_tokens ADD COLUMN of_tomorrow TEXT; \
             ALTER TABLE users ADD COLUMN of_tomorrow BIGINT NOT NULL DEFAULT 7; \
             CREATE INDEX of_tomorrow ON access_tokens (of_tomorrow); \
             INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000'); \
             COMMIT",
        );
        for _ in 0..8 {
            works().await;
        }
    });
    let refused = Program::start(data.path(), &database, &[]).refused();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("migrated by a newer Latchkey"), "{said}");
}

#[test]
fn a_node_that_is_asked_to_stop_says_so_answers_on_and_finishes_what_has_begun() {
    let Some(database) = empty() else {
        return;
    };
    let (database, data) = (database.url(), folder());
    let value = arranged(data.path(), &database);
    let mut node = Program::start(data.path(), &database, &["--stop-delay", "3"]).started();
    let body = r#"{"name":"late","scopes":["api"]}"#;
    let (half, rest) = body.split_at(10);
    let mut slow = connect(&node.url);
    let head = format!(
        "POST /api/v4/groups/acme/access_tokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\nPRIVATE-TOKEN: {value}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{half}",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // A connection that a proxy keeps.
    let mut kept = BufReader::new(connect(&node.url));
    let request = b"GET /-/liveness HTTP/1.1\r\nHost: x\r\n\r\n";
    kept.get_mut().write_all(request).unwrap();
    let (headers, _) = read_answer(&mut kept);
    assert!(!headers.contains("connection: close"), "{headers}");

    node.terminate();
    let began = Instant::now();
    let not_ready = loop {
        let answer = node.get("/-/readiness");
        if answer.starts_with("HTTP/1.1 503") || began.elapsed() > Duration::from_secs(5) {
            break answer;
        }
    };
    assert!(not_ready.contains("the node is stopping"), "{not_ready}");
    let answer = node.get("/-/liveness");
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "it answers on: {answer}"
    );
    kept.get_mut().write_all(request).unwrap();
    let (headers, _) = read_answer(&mut kept);
    assert!(headers.starts_with("http/1.1 200"), "{headers}");
    assert!(headers.contains("connection: close"), "{headers}");

    // Beyond the delay: no new connection is taken, and what has begun comes to its end.
    while TcpStream::connect(node.url.trim_start_matches("http://")).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    slow.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(node.end(), Some(0), "{}", node.log.lock().unwrap());
    assert_eq!(count(&database, "access_tokens WHERE name = 'late'"), 1);
}

/// The head of an answer, in small letters, and its body.
fn read_answer(stream: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap();
    let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn a_container_asks_the_program_itself_whether_the_server_is_ready() {
    let data = folder();
    let database = format!("sqlite://{}/latchkey.db", data.path().display());
    let node = Program::start(data.path(), &database, &[]).started();
    let listen = node.url.trim_start_matches("http://").to_owned();
    let check = |arguments: &[&str]| {
        let mut command = command(data.path(), &database, arguments);
        command.env("LATCHKEY_LISTEN", &listen).output().unwrap()
    };
    for arguments in [&["healthcheck"][..], &["healthcheck", "--live", "--json"]] {
        let output = check(arguments);
        assert!(output.status.success(), "{output:?}");
    }
    drop(node);
    let output = check(&["healthcheck"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("does not answer"), "{said}");
    assert!(fs::exists(data.path().join("latchkey.db")).unwrap());
}
