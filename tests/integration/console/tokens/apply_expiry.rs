//! `latchkey token apply-expiry`

use chrono::{Days, NaiveDate};
use latchkey::clock::Clock;
use serde_json::Value;

use super::super::Console;
use super::made;

/// A group with two tokens without an end, one with, and a person's own without.
fn console() -> Console {
    let console = Console::with_group();
    console.done("project create --path acme/api");
    console.done("settings set require_personal_access_token_expiry false");
    made(&console, "token create --group acme --name ci");
    made(&console, "token create --project acme/api --name deploy");
    made(
        &console,
        "token create --user root --name laptop --scope api",
    );
    made(
        &console,
        "token create --group acme --name dated --expires-at 2099-01-01",
    );
    console.done("settings set require_personal_access_token_expiry true");
    console
}

fn in_a_year() -> NaiveDate {
    Clock::System.now().date_naive() + Days::new(365)
}

fn endless(console: &Console) -> i64 {
    console.count("access_tokens WHERE expires_at IS NULL")
}

#[track_caller]
fn names(object: &Value) -> Vec<&str> {
    let tokens = object["tokens"].as_array().unwrap();
    tokens
        .iter()
        .map(|token| token["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_dry_run_lists_what_would_change_and_changes_nothing() {
    let console = console();
    let said = console.done("token apply-expiry --dry-run");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(lines[0].starts_with("ID"), "{said}");
    for (line, words) in lines[1..4].iter().zip([
        ["ci", "group", "acme"],
        ["deploy", "project", "acme/api"],
        ["laptop", "personal", "root"],
    ]) {
        for word in words {
            assert!(line.contains(word), "{line}");
        }
        assert!(line.ends_with(&in_a_year().to_string()), "{line}");
    }
    assert!(lines[4].starts_with("3 tokens would get"), "{said}");
    assert_eq!(endless(&console), 3);
    assert_eq!(
        console.count("audit_events WHERE event LIKE '%token_updated'"),
        0
    );
}

#[test]
fn each_token_without_a_date_gets_one_and_a_second_run_changes_nothing() {
    let console = console();
    let first = console.json("token apply-expiry");
    assert_eq!(first["mode"], "A");
    assert_eq!(first["count"], 3);
    assert_eq!(first["expires_at"], in_a_year().to_string());
    assert_eq!(names(&first), ["ci", "deploy", "laptop"]);
    assert_eq!(endless(&console), 0);
    assert_eq!(
        console.done("token apply-expiry"),
        "There is no token without an expiry date"
    );
    assert_eq!(
        console.count("audit_events WHERE event LIKE '%token_updated'"),
        3
    );
}

#[test]
fn a_shorter_maximum_of_the_instance_counts() {
    let console = console();
    console.done("settings set max_personal_access_token_lifetime 30");
    let expected = Clock::System.now().date_naive() + Days::new(30);
    let given = console.json("token apply-expiry");
    assert_eq!(given["expires_at"], expected.to_string());
}

#[test]
fn another_day_to_count_from_is_one_that_has_come_and_leaves_tokens_alive() {
    let console = console();
    let today = Clock::System.now().date_naive();
    let last_month = today - Days::new(30);
    let dry = console.json(&format!("token apply-expiry --dry-run --on {last_month}"));
    assert_eq!(dry["expires_at"], (last_month + Days::new(365)).to_string());
    for (day, why) in [
        (today + Days::new(1), "yet to come"),
        (today - Days::new(365), "at once"),
    ] {
        let refused = console.refused(&format!("token apply-expiry --on {day}"));
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(endless(&console), 3);
}

#[test]
fn a_history_is_answered_with_a_reason_and_mode_a_alone_changes_anything_when_told_to() {
    let console = console();
    for (history, mode, word) in [
        (
            "--from-version 15.11 --upgraded-on 2024-07-24",
            Value::from("B"),
            "after 2024-07-23",
        ),
        (
            "--from-version 16.1 --upgraded-on 2024-07-20",
            Value::Null,
            "silent",
        ),
        ("--new-install 16.9.10", Value::from("B"), "16.9.10"),
        ("--new-install 16.9.9", Value::Null, "silent"),
    ] {
        let answer = console.json(&format!("token apply-expiry {history}"));
        assert_eq!(answer["mode"], mode, "{history}");
        assert_eq!(answer["count"], 0, "{history}");
        assert!(
            answer["reason"].as_str().unwrap().contains(word),
            "{answer}"
        );
        let said = console.done(&format!("token apply-expiry --apply {history}"));
        assert!(
            said.contains("Nothing is changed") && said.contains(word),
            "{said}"
        );
    }
    assert_eq!(endless(&console), 3);
    for history in ["--from-version 15.11 --upgraded-on 2024-07-23", "--hosted"] {
        for option in ["", "--dry-run"] {
            let said = console.done(&format!("token apply-expiry {option} {history}"));
            assert!(said.starts_with("Mode A: "), "{said}");
            assert!(said.contains("3 tokens would get"), "{said}");
            assert_eq!(said.contains("--apply"), option.is_empty(), "{said}");
        }
    }
    assert_eq!(endless(&console), 3);
    let tomorrow = Clock::System.now().date_naive() + Days::new(1);
    for (day, why) in [
        ("2023-05-21".to_owned(), "before 2023-05-22"),
        (tomorrow.to_string(), "yet to come"),
    ] {
        for option in ["", "--apply", "--dry-run"] {
            let line =
                format!("token apply-expiry {option} --from-version 15.11 --upgraded-on {day}");
            let refused = console.refused(&line);
            assert!(
                refused.starts_with("--upgraded-on: ") && refused.contains(why),
                "{refused}"
            );
        }
    }
    let done =
        console.json("token apply-expiry --apply --from-version 15.11 --upgraded-on 2024-07-20");
    assert_eq!(
        (&done["mode"], &done["count"]),
        (&Value::from("A"), &Value::from(3))
    );
    assert_eq!(endless(&console), 0);
}
