//! `latchkey import` and `latchkey export`

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey::access_tokens::imported::Salt;
use serde_json::{Value, json};

use super::{Console, tokens::made};

const SECRET: &str = "a secret that two instances share, 32 bytes and more";

const SALT: &str = "the salt of the old instance, 32";

fn digest(value: &str) -> String {
    STANDARD.encode(Salt::parse(SALT).unwrap().hash(value))
}

/// A group with so many bots, each with a token whose value is `value` and its number.
fn file(bots: usize) -> Value {
    let bot = |number: usize| format!("group_1_bot_{number}");
    json!({
        "format": "latchkey-import",
        "version": 1,
        "digests": { "kind": "sha256", "salt": SALT },
        "users": [{ "username": "ann", "name": "Ann", "email": "ann@example.com" }],
        "groups": [{ "path": "acme", "name": "Acme" }],
        "bots": (0..bots).map(|number| json!({
            "username": bot(number), "name": "ci", "group": "acme", "access_level": 40,
        })).collect::<Vec<_>>(),
        "tokens": (0..bots).map(|number| json!({
            "user": bot(number), "name": "ci", "scopes": ["api"], "digest": digest(&format!("value{number}")),
        })).collect::<Vec<_>>(),
    })
}

/// Writes it where commands are run.
fn write(console: &Console, file: &Value) {
    fs::write(console.folder.path().join("old.json"), file.to_string()).unwrap();
}

#[test]
fn values_work_at_once_on_a_server_that_runs() {
    let console = Console::with_administrator();
    let server = console.serve();
    assert_eq!(server.api("/user", "value1").status, 401);
    write(&console, &file(3));
    let said = console.done("import old.json");
    for line in [
        "users        1 made, 0 here already",
        "bots         3 made, 0 here already",
        "tokens       3 made, 0 here already",
        "Imported",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
    for word in ["have no expiry date", "have no password", "have no owner"] {
        assert!(said.contains(word), "{word}\n{said}");
    }
    server.api("/groups/acme", "value1").expect(200);
    let again = console.done("import old.json");
    assert!(
        again.ends_with("Nothing to do: everything is here already"),
        "{again}"
    );
    // Imported values are known to the console, too.
    let known = console
        .type_in("token inspect --json", "value2\n")
        .succeeded();
    assert_eq!(known.object()["resource"], "acme");
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let console = Console::with_administrator();
    write(&console, &file(2));
    let dry = console.json("import old.json --dry-run");
    assert_eq!(dry["dry_run"], true);
    assert_eq!(dry["tokens"], json!({ "created": 2, "existing": 0 }));
    assert_eq!(console.count("users"), 1);
    assert_eq!(console.count("imported_digests"), 0);
    assert_eq!(
        console.count("audit_events WHERE event LIKE '%imported'"),
        0
    );
    let said = console.done("import old.json --dry-run");
    assert!(
        said.ends_with("Nothing was changed: this was a dry run"),
        "{said}"
    );
    let real = console.json("import old.json");
    assert_eq!(real["tokens"], dry["tokens"]);
    assert_eq!(console.count("access_tokens"), 2);
}

#[test]
fn whoever_can_not_be_read_or_is_wrong_is_refused_in_one_line() {
    let console = Console::with_administrator();
    let missing = console.refused("import nowhere.json");
    assert!(
        missing.starts_with("nowhere.json can't be read: "),
        "{missing}"
    );
    let folder = console.refused("import .");
    assert!(folder.contains("is no file"), "{folder}");
    let mut wrong = file(3);
    wrong["tokens"][2]["expires_at"] = json!("tomorrow");
    write(&console, &wrong);
    let why = console.refused("import old.json");
    assert!(why.starts_with("tokens[2].expires_at: "), "{why}");
    wrong["tokens"][2]["expires_at"] = Value::Null;
    wrong["tokens"][2]["user"] = json!("nobody");
    write(&console, &wrong);
    let why = console.refused("import old.json --dry-run");
    assert_eq!(why, "tokens[2].user: there is no user nobody");
    assert_eq!(console.count("users"), 1);
}

#[test]
fn who_is_killed_in_the_middle_has_made_nothing() {
    let console = Console::with_administrator();
    write(&console, &file(10_001));
    let mut child = console.command("import old.json").spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("20000 of 20004 entries") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(console.count("users"), 1);
    assert_eq!(console.count("access_tokens"), 0);
    let done = console.json("import old.json");
    assert_eq!(done["tokens"]["created"], 10_001);
}

#[test]
fn an_instance_with_the_same_secret_takes_what_another_has_and_no_other_does() {
    let old = Console::with_group_and_secret(SECRET);
    let value = made(&old, "token create --group acme --name ci");
    let said = old.done("export all.json");
    assert!(
        said.starts_with("Exported 1 users, 1 groups, 0 projects, 1 memberships, 1 bots, 1 tokens"),
        "{said}"
    );
    let told = "audit_events WHERE event = 'system_exported' AND details LIKE '%all.json%'";
    assert_eq!(old.count(told), 1);
    let file = old.folder.path().join("all.json");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = old.refused("export all.json");
    assert!(again.starts_with("all.json can't be made: "), "{again}");
    assert_eq!(old.count(told), 1, "nothing was exported");

    let new = Console::new().with("LATCHKEY_SECRET", SECRET);
    fs::copy(&file, new.folder.path().join("all.json")).unwrap();
    new.done("import all.json");
    let server = new.serve();
    server.api("/groups/acme", &value).expect(200);
    let list = new.json("token list --group acme");
    assert_eq!(list[0]["name"], "ci");

    let foreign = Console::new();
    fs::copy(&file, foreign.folder.path().join("all.json")).unwrap();
    let why = foreign.refused("import all.json");
    assert!(why.starts_with("digests.secret_fingerprint: "), "{why}");
}
