//! `latchkey migrate`

use serde_json::json;

use super::{Console, Outcome};

/// What `--check` says for programs, and with which status.
fn check(console: &Console) -> (Option<i32>, serde_json::Value) {
    let outcome: Outcome = console.run("migrate --check --json");
    (outcome.status, outcome.object())
}

#[test]
fn an_empty_database_is_told_and_not_touched_by_a_check() {
    let console = Console::new();
    let why = console.refused("migrate --check");
    assert!(why.contains("empty"), "{why}");
    assert_eq!(
        check(&console),
        (Some(1), json!({ "state": "empty", "missing": 0 }))
    );
    assert!(!console.data().join("latchkey.db").exists());
    assert_eq!(
        console.json("migrate"),
        json!({ "before": "empty", "applied": 0, "state": "current" })
    );
    assert_eq!(
        check(&console),
        (Some(0), json!({ "state": "current", "missing": 0 }))
    );
    assert_eq!(console.done("migrate --check"), "The schema is current");
}

#[test]
fn once_more_there_is_nothing_to_do() {
    let console = Console::with_administrator();
    assert_eq!(
        console.json("migrate"),
        json!({ "before": "current", "applied": 0, "state": "current" })
    );
    assert!(console.done("migrate").starts_with("Nothing to do"));
    assert!(!console.data().join("latchkey.db.before-migration").exists());
    assert_eq!(console.json("user list")[0]["username"], "root");
}

#[test]
fn what_is_taken_back_is_missing_until_it_is_applied_again() {
    let console = Console::with_administrator();
    assert_eq!(console.json("migrate --down 2"), json!({ "reverted": 2 }));
    assert_eq!(
        check(&console),
        (Some(1), json!({ "state": "older", "missing": 2 }))
    );
    let why = console.refused("migrate --check");
    assert!(why.starts_with("2 migrations missing"), "{why}");
    // Other commands don't guess what to do with it.
    for line in [
        "user list",
        "token list --group acme",
        "settings set session_idle_days 3",
    ] {
        let why = console.refused(line);
        assert!(why.contains("latchkey migrate"), "{why}");
    }
    assert_eq!(
        console.json("migrate"),
        json!({ "before": "older", "applied": 2, "state": "current" })
    );
    assert!(console.data().join("latchkey.db.before-migration").exists());
    assert_eq!(console.json("user list")[0]["username"], "root");
}

#[test]
fn everything_can_be_taken_back() {
    let console = Console::with_administrator();
    let all = console.json("migrate --down 1000")["reverted"]
        .as_u64()
        .unwrap();
    assert!(all >= 7);
    assert_eq!(check(&console).1["state"], "empty");
    assert_eq!(console.done("migrate --down 1"), "Took back 0 migrations");
    assert_eq!(console.json("user list"), json!([]));
}
