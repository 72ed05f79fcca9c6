//! `latchkey job`

use super::{Console, names};

const NAMES: [&str; 8] = [
    "expired-memberships",
    "expiry-check",
    "expired-mails",
    "inactive-bots",
    "bot-deletion",
    "lifetime-enforcement",
    "deliver-mail",
    "clean-up",
];

#[test]
fn every_job_is_listed_with_its_times() {
    let console = Console::with_administrator();
    let list = console.json("job list");
    let jobs = list.as_array().unwrap();
    let listed: Vec<&str> = jobs
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert_eq!(listed, NAMES);
    for job in jobs {
        assert_eq!(
            names(job),
            [
                "name",
                "schedule",
                "does",
                "failures",
                "next_run_at",
                "last_run"
            ]
        );
        assert_eq!(job["last_run"], serde_json::Value::Null);
    }
    let table = console.done("job list");
    let first: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(first, NAMES);
    assert!(table.contains("daily at 00:10 UTC"), "{table}");
    assert!(table.contains("daily at 01:00 UTC"), "{table}");
    assert!(table.contains("every 5 seconds"), "{table}");
}

#[test]
fn a_job_runs_without_a_server_as_of_any_moment_and_is_remembered() {
    let console = Console::with_group();
    let until = chrono_date(&console, 20);
    console.done(&format!(
        "token create --group acme --name ci --scope api --expires-at {until}"
    ));
    let counts = |line: &str| console.json(line)["counts"].clone();
    for line in ["job run expiry-check", "job run expiry-check --now"] {
        assert_eq!(counts(line)["tokens"], 0, "20 days are left");
    }
    let later = format!(
        "job run expiry-check --now {}T01:00:00Z",
        chrono_date(&console, 15)
    );
    assert_eq!(counts(&later)["mails"], 1);
    assert_eq!(counts(&later)["mails"], 0, "a second run tells nobody");
    assert_eq!(
        console.done("job run expiry-check"),
        "expiry-check: nothing to do"
    );
    let last = &console.json("job list")[1]["last_run"];
    assert_eq!(last["outcome"], "done");
    assert_eq!(console.count("job_runs WHERE cause = 'console'"), 5);
    assert_eq!(console.count("emails WHERE kind = 'token_expiring'"), 1);
}

/// The day so many days from the day on which the group was made.
fn chrono_date(console: &Console, days: i64) -> chrono::NaiveDate {
    let made = console.json("group list")[0]["created_at"].clone();
    let today: chrono::NaiveDate = made.as_str().unwrap()[..10].parse().unwrap();
    today + chrono::TimeDelta::days(days)
}

#[test]
fn a_dry_run_tells_what_would_be_revoked_and_changes_nothing() {
    let console = Console::with_group();
    let until = chrono_date(&console, 300);
    console.done(&format!(
        "token create --group acme --name ci --scope api --expires-at {until}"
    ));
    console.done("settings set revoke_unused_tokens_after_days 60");
    let dry_run = "job run lifetime-enforcement --dry-run";
    assert_eq!(console.json(dry_run), serde_json::json!([]));
    let later = format!("{dry_run} --now {}T04:00:00Z", chrono_date(&console, 100));
    for _ in 0..2 {
        let told = console.json(&later);
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
        let token = &told[0];
        assert_eq!(token["name"], "ci");
        assert_eq!(token["kind"], "group");
        assert_eq!(token["full_path"], "acme");
        assert_eq!(token["last_used_at"], serde_json::Value::Null);
        assert_eq!(token["expires_at"], until.to_string());
        assert_eq!(token["why"], "unused_tokens");
    }
    let table = console.done(&later);
    assert!(table.contains("ci") && table.contains("unused"), "{table}");
    assert_eq!(console.count("access_tokens WHERE revoked"), 0);
    assert_eq!(console.count("job_runs"), 0);
    assert_eq!(
        console.count("audit_events WHERE event LIKE '%_by_policy'"),
        0
    );
    let real = format!(
        "job run lifetime-enforcement --now {}T04:00:00Z",
        chrono_date(&console, 100)
    );
    assert_eq!(
        console.json(&real)["counts"]["unused_tokens"],
        1,
        "as it was told"
    );
    assert_eq!(console.count("access_tokens WHERE revoked"), 1);
}

#[test]
fn a_dry_run_of_any_other_job_is_refused() {
    let console = Console::with_administrator();
    for name in NAMES.iter().filter(|name| **name != "lifetime-enforcement") {
        let said = console
            .run(&format!("job run {name} --dry-run"))
            .not_understood();
        assert!(said.contains("lifetime-enforcement"), "{said}");
    }
    assert_eq!(console.count("job_runs"), 0);
}

#[test]
fn what_is_no_job_or_no_moment_is_not_understood() {
    let console = Console::new();
    let said = console.run("job run mow-the-lawn").not_understood();
    for name in NAMES {
        assert!(said.contains(name), "{said}");
    }
    let said = console
        .run("job run clean-up --now 2026-02-30T01:00:00Z")
        .not_understood();
    assert!(said.contains("2026-11-20T01:00:00Z"), "{said}");
}

#[test]
fn a_job_runs_beside_the_server() {
    let console = Console::with_administrator();
    let serving = console.serve();
    assert_eq!(console.done("job run clean-up"), "clean-up: nothing to do");
    drop(serving);
}

/// Waits until there are so many of them.
#[track_caller]
fn wait_for(number: i64, count: impl Fn() -> i64) {
    let began = std::time::Instant::now();
    while count() < number {
        assert!(
            began.elapsed() < super::PATIENCE,
            "{} instead of {number}",
            count()
        );
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_starts_makes_up_for_a_run_that_was_missed() {
    let console = Console::with_administrator();
    console.done("job run clean-up");
    sql(
        &console,
        "UPDATE jobs SET handled_until = '2026-01-01 00:00:00' WHERE name = 'expiry-check'",
    );
    let serving = console.serve();
    let done = "job_runs WHERE job = 'expiry-check' AND cause = 'schedule' AND outcome = 'done'";
    wait_for(1, || console.count(done));
    drop(serving);
    let serving = console.serve();
    wait_for(1, || console.count(done));
    drop(serving);
    assert_eq!(console.count(done), 1);
}

#[test]
fn what_is_put_into_the_outbox_leaves_within_seconds() {
    let console = Console::with_administrator();
    let serving = console.serve();
    console.done("token create --user root --name script --scope api");
    let mails = || {
        let folder = std::fs::read_dir(console.data().join("mail"));
        folder.map_or(0, |files| i64::try_from(files.count()).unwrap())
    };
    wait_for(1, mails);
    wait_for(1, || console.count("emails WHERE state = 'sent'"));
    drop(serving);
}

/// Changes something behind the product's back.
fn sql(console: &Console, statement: &str) {
    use diesel::RunQueryDsl as _;
    let changed = diesel::sql_query(statement).execute(&mut console.database());
    assert_eq!(changed, Ok(1));
}
