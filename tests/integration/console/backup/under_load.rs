//! A backup while the server takes 200 writes a second: whole, and without anything half.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::DirBuilderExt as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Console, SECRET};
use crate::console::{PATIENCE, Serving};
use crate::support::postgres;

/// Writes a second that the server has to take meanwhile.
const RATE: f64 = 200.0;

/// The same on PostgreSQL, which copies itself and has to share two cores with an unoptimised server.
const RATE_ON_POSTGRES: f64 = 80.0;

/// A token whose creation was answered: when, and its value.
type Answered = (Instant, String);

/// Makes tokens until it is told to stop, one request after the other on each of some connections.
struct Writers {
    stop: Arc<AtomicBool>,
    answered: Arc<Mutex<Vec<Answered>>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Writers {
    fn start(server: &Serving, token: &str) -> Writers {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::default());
        let address = server.url.strip_prefix("http://").unwrap().to_owned();
        let threads = (0..6)
            .map(|_| {
                let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
                let (address, token) = (address.clone(), token.to_owned());
                thread::spawn(move || write_on(&address, &token, &stop, &answered))
            })
            .collect();
        Writers {
            stop,
            answered,
            threads,
        }
    }

    /// Answers a second between two moments.
    fn rate(&self, from: Instant, to: Instant) -> f64 {
        let answered = self.answered.lock().unwrap();
        let number = answered
            .iter()
            .filter(|(at, _)| (from..to).contains(at))
            .count();
        number as f64 / (to - from).as_secs_f64()
    }

    fn finish(self) -> Vec<Answered> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let answered = self.answered.lock().unwrap();
        answered.clone()
    }
}

fn write_on(address: &str, token: &str, stop: &AtomicBool, answered: &Mutex<Vec<Answered>>) {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    let body = r#"{"name":"ci","scopes":["api"],"access_level":30,"expires_at":"EXPIRES"}"#;
    let expires = latchkey::clock::Clock::System.now().date_naive() + chrono::Days::new(30);
    let body = body.replace("EXPIRES", &expires.to_string());
    let request = format!(
        "POST /api/v4/groups/acme/access_tokens HTTP/1.1\r\nHost: {address}\r\nPRIVATE-TOKEN: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    while !stop.load(Ordering::Relaxed) {
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        stream.read_line(&mut line).unwrap();
        let status = line.clone();
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).unwrap();
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        assert!(status.contains(" 201 "), "{status}");
        let made: Value = serde_json::from_slice(&body).unwrap();
        let value = made["token"].as_str().unwrap().to_owned();
        answered.lock().unwrap().push((Instant::now(), value));
    }
}

/// Takes backups under load until the load was what it has to be while one was taken. Says what was answered before
/// that backup began.
fn back_up_under_load(console: &Console, file: &str, wanted: f64) -> Vec<String> {
    let token = console.done("token create --user root --name load --scope api");
    let server = console.serve();
    let writers = Writers::start(&server, &token);
    let began = Instant::now();
    // A second to have something that a backup takes a moment for.
    thread::park_timeout(Duration::from_secs(1));
    let mut rates = Vec::new();
    let from = loop {
        let from = Instant::now();
        console.done(&format!("backup {file} --force"));
        // A copy may take less time than a rate can be told from.
        thread::park_timeout(Duration::from_millis(500).saturating_sub(from.elapsed()));
        let rate = writers.rate(from, Instant::now());
        rates.push(rate);
        if rate >= wanted {
            break from;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "too few writes a second: {rates:?}"
        );
    };
    let answered = writers.finish();
    answered
        .into_iter()
        .filter(|(at, _)| *at < from)
        .map(|(_, value)| value)
        .collect()
}

/// What would be half: a part of what one creation makes without the other parts.
const HALVES: [&str; 4] = [
    "access_tokens t WHERE group_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.user_id)",
    "users u WHERE kind = 'project_bot' AND NOT EXISTS (SELECT 1 FROM access_tokens t WHERE t.user_id = u.id)",
    "users u WHERE kind = 'project_bot' AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id)",
    "access_tokens t WHERE group_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_events e
        WHERE e.event = 'group_access_token_created' AND e.target_id = t.id)",
];

/// Each of the values opens the API; a hundred of many are asked for.
fn all_work(console: &Console, values: &[String]) {
    let server = console.serve();
    assert!(values.len() > 20, "{}", values.len());
    let step = values.len().div_ceil(100);
    for value in values.iter().rev().step_by(step) {
        server
            .api("/personal_access_tokens/self", value)
            .expect(200);
    }
}

#[test]
fn on_sqlite_all_that_was_answered_before_it_began_is_in_it_and_nothing_is_half() {
    let console = Console::with_group();
    let values = back_up_under_load(&console, "copy.db", RATE);

    let elsewhere = Console::new();
    fs::DirBuilder::new()
        .mode(0o700)
        .create(elsewhere.data())
        .unwrap();
    fs::copy(
        console.data().join("secret.key"),
        elsewhere.data().join("secret.key"),
    )
    .unwrap();
    elsewhere.done(&format!(
        "restore {} --revive",
        console.file("copy.db").display()
    ));
    assert_eq!(
        elsewhere.count("pragma_integrity_check WHERE integrity_check = 'ok'"),
        1
    );
    assert_eq!(elsewhere.count("pragma_foreign_key_check"), 0);
    for half in HALVES {
        assert_eq!(elsewhere.count(half), 0, "{half}");
    }
    let tokens = elsewhere.count("access_tokens WHERE group_id IS NOT NULL");
    assert!(
        tokens >= values.len() as i64,
        "{tokens} of {}",
        values.len()
    );
    all_work(&elsewhere, &values);
    let wrong: Vec<Value> = findings(&elsewhere, "failed");
    assert_eq!(wrong, Vec::<Value>::new());
}

#[test]
fn on_postgres_all_that_was_answered_before_it_began_is_in_it_and_nothing_is_half() {
    let Some((console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("group create --path acme");
    let values = back_up_under_load(&console, "copy.dump", RATE_ON_POSTGRES);

    let other = postgres::postgres().unwrap().create_database();
    let elsewhere = Console::new()
        .with("LATCHKEY_DATABASE_URL", &other.url())
        .with("LATCHKEY_SECRET", SECRET)
        .with("PATH", &std::env::var("PATH").unwrap());
    elsewhere.done(&format!(
        "restore {} --revive",
        console.file("copy.dump").display()
    ));
    for half in HALVES {
        assert_eq!(
            super::super::restore::postgres::count(&other, half),
            0,
            "{half}"
        );
    }
    all_work(&elsewhere, &values);
    assert_eq!(findings(&elsewhere, "failed"), Vec::<Value>::new());
}

/// What the doctor finds, of this status.
fn findings(console: &Console, status: &str) -> Vec<Value> {
    let all = console.run("doctor --json").object();
    let all = all.as_array().unwrap().clone();
    all.into_iter()
        .filter(|finding| finding["status"] == status)
        .collect()
}
