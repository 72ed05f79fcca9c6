//! A longest lifetime that was just lowered when the backup was taken.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, sql_query};
use latchkey::clock::Clock;
use serde_json::{Value, json};

use super::super::Console;
use super::postgres::{count, on};
use crate::support::postgres::postgres;

const LIFETIME: &str = "max_personal_access_token_lifetime";

/// Weeks before the restore.
const OVERDUE: &str = "UPDATE instance SET lifetime_enforcement_at = '2026-01-01 00:00:00'";

/// Two tokens, one of which lives longer than is allowed since a moment.
fn lowered(console: &Console) -> [String; 2] {
    let values = [10, 300].map(|days| {
        let end = (Clock::System.now() + TimeDelta::days(days)).date_naive();
        console.done(&format!(
            "token create --group acme --name for-{days} --expires-at {end}"
        ))
    });
    console.done(&format!("settings set {LIFETIME} 30"));
    values
}

fn assert_postponed(object: &Value) {
    let pending = &object["lifetime_enforcement"];
    for (key, value) in [
        ("days", json!(30)),
        ("before", Value::Null),
        ("tokens", json!(1)),
    ] {
        assert_eq!(pending[key], value, "{key}: {object}");
    }
    assert_eq!(object["undoes"]["settings"], 1, "{object}");
    let at: DateTime<Utc> = pending["at"].as_str().unwrap().parse().unwrap();
    let ahead = at - Clock::System.now();
    assert!(
        ahead > TimeDelta::minutes(170) && ahead <= TimeDelta::hours(3),
        "{ahead}"
    );
}

/// The restored instance enforces nothing yet, and the lowering can be undone.
fn assert_undoable(console: &Console, values: &[String]) {
    let server = console.serve();
    console.done("job run lifetime-enforcement");
    for value in values {
        server
            .api("/personal_access_tokens/self", value)
            .expect(200);
    }
    console.done(&format!("settings set {LIFETIME} null"));
}

#[test]
fn a_lowering_in_the_backup_gives_its_three_hours_once_more() {
    let console = Console::with_group();
    let values = lowered(&console);
    console.tamper(OVERDUE);
    console.done("backup copy.db");
    console.done(&format!("settings set {LIFETIME} null"));
    assert_postponed(&console.json("restore copy.db --dry-run"));
    let said = console.done("restore copy.db --dry-run");
    for part in [
        "lowered to 30 days: three hours after the restore 1 token beyond that will be revoked",
        "latchkey settings set max_personal_access_token_lifetime null",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert_postponed(&console.json("restore copy.db"));
    assert_undoable(&console, &values);
    assert_eq!(
        console.count("instance WHERE lifetime_enforcement_at IS NOT NULL"),
        0
    );
    let object = console.json("restore data/latchkey.db.before-restore --revive");
    assert_eq!(object["lifetime_enforcement"], Value::Null);
}

#[test]
fn a_lowering_in_a_dump_gives_its_three_hours_once_more() {
    let Some((console, database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("group create --path acme");
    let values = lowered(&console);
    let mut conn = PgConnection::establish(&database.url()).unwrap();
    sql_query(OVERDUE).execute(&mut conn).unwrap();
    drop(conn);
    console.done("backup copy.dump");
    console.done(&format!("settings set {LIFETIME} null"));
    let fresh = postgres().unwrap().create_database();
    let elsewhere = on(&fresh);
    let line = format!(
        "restore {} --previous-database {}",
        console.file("copy.dump").display(),
        database.name()
    );
    assert_postponed(&elsewhere.json(&format!("{line} --dry-run")));
    assert_eq!(count(&fresh, "pg_tables WHERE schemaname = 'public'"), 0);
    assert_postponed(&elsewhere.json(&line));
    assert_undoable(&elsewhere, &values);
    assert_eq!(
        count(&fresh, "instance WHERE lifetime_enforcement_at IS NOT NULL"),
        0
    );
}
