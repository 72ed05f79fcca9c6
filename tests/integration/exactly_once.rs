//! Each of a token's owners is told once in each interval, however many nodes run the check at the same moment, and
//! however often one is killed. Real programs on a real database.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use latchkey::members::AccessLevel;

use crate::support::{
    MailServer, TestGroup, TestResource, TestServer,
    server::{SECRET, run_on_postgres, run_on_sqlite},
    storage::folder,
};

/// Programs of their own go by the machine's clock: the day so many days from now.
fn days_ahead(days: i64) -> String {
    let now = latchkey::clock::Clock::System.now();
    (now + chrono::TimeDelta::days(days))
        .date_naive()
        .to_string()
}

/// The moment that each check is told to take for the present.
fn as_of() -> String {
    format!("{}T01:00:00Z", days_ahead(0))
}

/// `latchkey job run NAME` on the database of a test, as a program of its own.
fn job(server: &TestServer, data: &Path, name: &str, options: &[&str]) -> Child {
    command(server, data, name, options).spawn().unwrap()
}

fn command(server: &TestServer, data: &Path, name: &str, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command
        .args(["job", "run", name, "--json"])
        .args(options)
        .arg("--data-dir")
        .arg(data)
        .args(["--database-url", &server.storage.address()])
        .env_clear()
        .env("LATCHKEY_SECRET", std::str::from_utf8(SECRET).unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Two of them at the same moment, both to their end.
#[track_caller]
fn both_end_well(mut start: impl FnMut() -> Child) {
    let nodes = [start(), start()];
    for node in nodes {
        let ended = node.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{said}");
    }
}

/// A group with two Owners, and one token whose row the others are copied from.
fn acme(server: &TestServer) -> TestGroup {
    let acme = server.group("acme").create();
    for name in ["alice", "bo"] {
        acme.member(&server.person(name).create(), AccessLevel::Owner);
    }
    acme.token("pattern").expires("2027-10-01").create();
    server.sql("UPDATE access_tokens SET revoked = TRUE");
    acme
}

/// So many tokens more that end in five days.
fn tokens_due(server: &TestServer, number: usize) {
    let digest = if server.is_on_postgres() {
        "decode(md5(random()::text) || md5(random()::text), 'hex')"
    } else {
        "randomblob(32)"
    };
    server.sql(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number}) \
         INSERT INTO access_tokens (user_id, group_id, root_id, name, scopes, digest, hint, expires_at, created_at, updated_at) \
         SELECT user_id, group_id, root_id, 'due', scopes, {digest}, hint, '{}', created_at, updated_at \
         FROM access_tokens, numbers WHERE name = 'pattern'",
        days_ahead(5)
    ));
}

/// Everybody was put down for every token that is due, once, with one mail each.
#[track_caller]
fn told_once(server: &TestServer, tokens: i64) {
    let due = "name = 'due' AND seven_days_notification_sent_at IS NOT NULL";
    assert_eq!(server.count("access_tokens", due), tokens, "all are marked");
    assert_eq!(server.count("expiry_notices", ""), tokens * 2);
    assert_eq!(
        server.count("emails", "kind = 'token_expiring'"),
        tokens * 2
    );
    let twice = "(SELECT token_id, user_id FROM expiry_notices GROUP BY token_id, user_id HAVING count(*) > 1) twice";
    assert_eq!(server.count(twice, ""), 0);
    let without = "email_key IS NULL OR email_key NOT IN (SELECT key FROM emails)";
    assert_eq!(server.count("expiry_notices", without), 0);
}

#[test]
fn two_nodes_that_check_at_the_same_moment_tell_everybody_once() {
    run_on_postgres(at_the_same_moment);
}

async fn at_the_same_moment(server: TestServer) {
    let data = folder();
    let mail = MailServer::start();
    acme(&server);
    for round in 1..=50 {
        tokens_due(&server, 20);
        both_end_well(|| job(&server, data.path(), "expiry-check", &["--now", &as_of()]));
        told_once(&server, round * 20);
        if let Some(mail) = &mail {
            both_end_well(|| {
                command(&server, data.path(), "deliver-mail", &[])
                    .env("LATCHKEY_SMTP_URL", mail.url())
                    .spawn()
                    .unwrap()
            });
        }
    }
    if let Some(mail) = &mail {
        let ids: BTreeSet<String> = mail
            .mails(2_000)
            .iter()
            .map(|mail| mail.header("Message-ID").to_owned())
            .collect();
        assert_eq!(ids.len(), 2_000, "each of 50 × 20 tokens × 2 Owners, once");
    }
}

#[test]
fn a_check_that_is_killed_again_and_again_tells_everybody_once_sqlite() {
    run_on_sqlite(killed_again_and_again);
}

#[test]
fn a_check_that_is_killed_again_and_again_tells_everybody_once_postgres() {
    run_on_postgres(killed_again_and_again);
}

async fn killed_again_and_again(server: TestServer) {
    let data = folder();
    acme(&server);
    tokens_due(&server, 6_000);
    let mut killed = 0;
    // Each a little later than the one before: between all steps, and in the middle of them.
    for round in 0_u64.. {
        let mut node = job(&server, data.path(), "expiry-check", &["--now", &as_of()]);
        let deadline = Instant::now() + Duration::from_millis(30 + round * 17);
        let ended = loop {
            if let Some(status) = node.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() >= deadline {
                node.kill().unwrap();
                node.wait().unwrap();
                break None;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        };
        match ended {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => killed += 1,
        }
        // As if the time had passed after which a dead node's lease lapses.
        server.sql(
            "UPDATE jobs SET lease_until = '2026-01-01 00:00:00' WHERE lease_until IS NOT NULL",
        );
    }
    assert!(killed > 3, "killed {killed} times only");
    told_once(&server, 6_000);
    assert!(server.count("job_runs", "outcome = 'abandoned'") > 0);
    assert_eq!(server.count("job_runs", "outcome = 'running'"), 0);
}

#[test]
fn a_node_whose_clock_is_not_the_databases_runs_no_job() {
    run_on_postgres(clocks_apart);
}

async fn clocks_apart(server: TestServer) {
    let data = folder();
    let address = server.storage.address();
    let name = address
        .rsplit('/')
        .next()
        .unwrap()
        .split('?')
        .next()
        .unwrap();
    // The database's clock is an hour ahead from now on, for whoever connects.
    server.sql(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql \
         AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$",
    );
    server.sql(&format!(
        "ALTER DATABASE {name} SET search_path = public, pg_catalog"
    ));
    let ended = job(&server, data.path(), "clean-up", &[])
        .wait_with_output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("clock"), "{said}");
    assert_eq!(server.count("job_runs", ""), 0);
}
