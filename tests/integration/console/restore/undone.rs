//! What a restore would undo: told, and up to the operator.

use chrono::{Days, NaiveDate};
use diesel::{RunQueryDsl, sql_query};
use latchkey::clock::Clock;
use serde_json::{Value, json};

use super::Console;
use crate::support::Answer;

/// Tokens as they were when the backup was taken, and what became of them since.
struct Story {
    console: Console,
    /// Values: kept, revoked, rotated, of somebody who is blocked, of a group that is gone.
    values: Vec<String>,
}

const NAMES: [&str; 5] = ["kept", "revoked", "rotated", "blocked", "gone"];

fn story() -> Story {
    let console = Console::with_group();
    console.person("bo", "");
    console.done("group create --path doomed");
    let values = vec![
        console.done("token create --group acme --name kept"),
        console.done("token create --group acme --name revoked"),
        console.done("token create --group acme --name rotated"),
        console.done("token create --user bo --name blocked --scope api"),
        console.done("token create --group doomed --name gone"),
        console.done("token create --group acme --name dead-already"),
    ];
    let id = |name: &str| {
        console.count(&format!("(SELECT id FROM access_tokens WHERE id <= (SELECT id FROM access_tokens WHERE name = '{name}'))"))
    };
    console.done(&format!("token revoke {}", id("dead-already")));
    console.done("backup copy.db");
    console.done(&format!("token revoke {}", id("revoked")));
    console.done(&format!("token rotate {}", id("rotated")));
    console.done("user block bo");
    let root = console.done("token create --user root --name cleaner --scope api");
    {
        let server = console.serve();
        let url = format!("{}/api/v4/groups/doomed", server.url);
        let http = crate::support::server::http_client().build().unwrap();
        let request = http.delete(url).header("PRIVATE-TOKEN", root);
        crate::support::server::runtime()
            .block_on(Answer::to(request))
            .expect(202);
    }
    console.allow_creation("acme", false);
    Story { console, values }
}

/// Which of the values open the API.
fn working(story: &Story) -> Vec<&'static str> {
    let server = story.console.serve();
    NAMES
        .into_iter()
        .zip(&story.values)
        .filter(|(_, value)| server.api("/personal_access_tokens/self", value).status == 200)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn a_restore_that_would_undo_a_revocation_waits_for_a_decision() {
    let story = story();
    let before = story.console.contents();
    let outcome = story.console.run("restore copy.db");
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("4 tokens would work again")
            && outcome.stderr.contains("--revoke")
            && outcome.stderr.contains("--revive"),
        "{outcome:?}"
    );
    for line in [
        "group     acme    revoked",
        "group     acme    rotated",
        "personal  bo      blocked  user blocked",
        "group     doomed  gone     deleted",
        "people who were blocked or deleted, and could act again: 1",
        "top-level groups in which the creation of tokens was turned off: 1",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {outcome:?}");
    }
    assert!(!outcome.stdout.contains("kept") && !outcome.stdout.contains("dead-already"));
    assert!(story.console.contents() == before, "nothing is touched");
    assert_eq!(working(&story), ["kept"]);
}

#[test]
fn revoke_lets_none_of_them_come_alive() {
    let story = story();
    let object = story.console.json("restore copy.db --revoke");
    assert_eq!(object["revoked"], 4);
    let names: Vec<&Value> = object["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| &token["name"])
        .collect();
    assert_eq!(names, ["revoked", "rotated", "blocked", "gone"]);
    assert_eq!(
        object["undoes"],
        json!({ "people": 1, "administrators": 0, "externals": 0, "passwords": 0, "emails": 0, "calendars": 0, "memberships": 1, "creation_switches": 1, "visibilities": 0, "webhooks": 0, "settings": 0 })
    );
    assert_eq!(working(&story), ["kept"]);
    let revocations =
        "audit_events WHERE event LIKE '%_access_token_deleted' AND actor_kind = 'system'";
    assert_eq!(story.console.count(revocations), 4);
}

#[test]
fn a_value_in_its_grace_comes_alive_like_any_other() {
    let console = Console::with_group();
    let old = console.done("token create --group acme --name graced");
    console.done("token rotate 1 --grace-period 3600");
    let works = |console: &Console| {
        let server = console.serve();
        server.api("/personal_access_tokens/self", &old).status == 200
    };
    console.done("backup copy.db");
    assert!(works(&console));
    console.done("token revoke 1");
    assert!(!works(&console));
    let outcome = console.run("restore copy.db");
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("graced"), "{outcome:?}");
    let object = console.json("restore copy.db --revoke");
    assert_eq!(object["revoked"], 1);
    assert!(!works(&console));
}

#[test]
fn revive_lets_them_work_again() {
    let story = story();
    let object = story.console.json("restore copy.db --revive");
    assert_eq!(
        (
            &object["revoked"],
            object["tokens"].as_array().unwrap().len()
        ),
        (&json!(0), 4)
    );
    assert_eq!(working(&story), NAMES);
}

#[test]
fn what_else_is_undone_is_told_in_numbers() {
    let console = Console::with_group();
    for (name, options) in [("ann", "--admin"), ("bo", ""), ("cy", "")] {
        console.person(name, options);
        console.done(&format!(
            "member add --group acme --user {name} --role maintainer"
        ));
    }
    console.done("project create --path acme/api");
    console.tamper("UPDATE groups SET visibility = 'public' WHERE full_path = 'acme'");
    console.tamper("UPDATE projects SET visibility = 'internal'");
    for name in ["kept", "deleted", "disabled"] {
        console.tamper(&format!(
            "INSERT INTO webhooks (group_id, name, url, salt, created_at, updated_at)
             SELECT id, '{name}', 'https://hooks.example.com', zeroblob(32), '2026-01-01', '2026-01-01' FROM groups WHERE full_path = 'acme'"
        ));
    }
    console.tamper("UPDATE users SET calendar_salt = zeroblob(32) WHERE username IN ('bo', 'cy')");
    console.done("backup copy.db");
    console.done("user update ann --admin false");
    console
        .type_in(
            "user password bo --password-stdin",
            "another horse and more batteries\n",
        )
        .succeeded();
    console.done("settings set session_idle_days 3");
    console.done("flag enable retain_resource_access_token_user_after_revoke");
    for statement in [
        "UPDATE groups SET visibility = 'internal' WHERE full_path = 'acme'",
        "UPDATE projects SET visibility = 'private'",
        "UPDATE users SET external = TRUE WHERE username = 'cy'",
        "UPDATE users SET email = 'bo@example.org', email_key = 'bo@example.org' WHERE username = 'bo'",
        "UPDATE users SET calendar_salt = randomblob(32) WHERE username = 'bo'",
        "DELETE FROM webhooks WHERE name = 'deleted'",
        "UPDATE webhooks SET state = 'disabled', disabled_at = '2026-11-01', disabled_reason = 'Somebody said so' WHERE name = 'disabled'",
        "DELETE FROM memberships WHERE user_id = (SELECT id FROM users WHERE username = 'bo')",
        "UPDATE memberships SET access_level = 20 WHERE user_id = (SELECT id FROM users WHERE username = 'cy')",
        "UPDATE memberships SET access_level = 50 WHERE user_id = (SELECT id FROM users WHERE username = 'ann')",
    ] {
        sql_query(statement)
            .execute(&mut console.database())
            .unwrap();
    }
    assert_eq!(
        console.json("restore copy.db --dry-run")["undoes"],
        json!({ "people": 0, "administrators": 1, "externals": 1, "passwords": 1, "emails": 1, "calendars": 1, "memberships": 2, "creation_switches": 0, "visibilities": 2, "webhooks": 2, "settings": 2 })
    );
}

/// A backup of tokens without an end, one with, and what gave some an earlier one since.
fn dated() -> Console {
    let console = Console::with_group();
    console.done("settings set require_personal_access_token_expiry false");
    console.done("token create --group acme --name endless");
    console.done("token create --user root --name own --scope api");
    console.done("token create --group acme --name put-off --expires-at 2098-01-01");
    console.done("token create --group acme --name brought-forward --expires-at 2099-01-01");
    console.done("token create --group acme --name as-it-was --expires-at 2099-01-01");
    console.done("backup copy.db");
    console.done("token apply-expiry");
    for (date, name) in [("2098-12-31", "put-off"), ("2098-02-03", "brought-forward")] {
        console.tamper(&format!(
            "UPDATE access_tokens SET expires_at = '{date}' WHERE name = '{name}'"
        ));
    }
    console
}

/// The end that `token apply-expiry` gives.
fn in_a_year() -> NaiveDate {
    Clock::System.now().date_naive() + Days::new(365)
}

fn ends(console: &Console) -> Vec<String> {
    let mut all = Vec::new();
    for options in ["--group acme", "--user root"] {
        for token in console
            .json(&format!("token list {options}"))
            .as_array()
            .unwrap()
        {
            let end = token["expires_at"].as_str().unwrap_or("never");
            all.push(format!("{} {end}", token["name"].as_str().unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_restore_that_would_let_tokens_live_longer_waits_for_a_decision() {
    let console = dated();
    let before = console.contents();
    let outcome = console.run("restore copy.db");
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("3 tokens would live longer")
            && outcome.stderr.contains("--revoke")
            && outcome.stderr.contains("--revive"),
        "{outcome:?}"
    );
    for line in [
        format!(
            "group     acme   endless          Never          {}",
            in_a_year()
        ),
        format!(
            "personal  root   own              Never          {}",
            in_a_year()
        ),
        "group     acme   brought-forward  2099-01-01     2098-02-03".to_owned(),
    ] {
        assert!(outcome.stdout.contains(&line), "{line}: {outcome:?}");
    }
    for name in ["put-off", "as-it-was"] {
        assert!(!outcome.stdout.contains(name), "{name}: {outcome:?}");
    }
    assert!(console.contents() == before, "nothing is touched");
}

#[test]
fn revoke_keeps_the_earlier_ends_and_revive_does_not() {
    let console = dated();
    let object = console.json("restore copy.db --revoke");
    assert_eq!(
        (&object["revoked"], &object["shortened"]),
        (&json!(0), &json!(3))
    );
    assert_eq!(object["later_ends"][0]["expires_at"], Value::Null);
    assert_eq!(
        object["later_ends"][0]["expires_at_now"],
        json!(in_a_year())
    );
    assert_eq!(
        ends(&console),
        [
            "as-it-was 2099-01-01".to_owned(),
            "brought-forward 2098-02-03".to_owned(),
            format!("endless {}", in_a_year()),
            format!("own {}", in_a_year()),
            "put-off 2098-01-01".to_owned(),
        ]
    );
    let told = "audit_events WHERE event LIKE '%_access_token_updated' AND actor_kind = 'system' AND details LIKE '%\"reason\":\"restore\"%'";
    assert_eq!(console.count(told), 3);
    assert_eq!(
        console.count(&format!(
            "memberships WHERE bot AND expires_at = '{}'",
            in_a_year()
        )),
        1,
        "the bot's membership ends with its token"
    );

    let console = dated();
    let object = console.json("restore copy.db --revive");
    assert_eq!(
        (&object["revoked"], &object["shortened"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        ends(&console),
        [
            "as-it-was 2099-01-01",
            "brought-forward 2099-01-01",
            "endless never",
            "own never",
            "put-off 2098-01-01",
        ]
    );
}
