use serde_json::{Value, json};

use super::super::Outcome;
use super::{Console, made, names};

fn inspect(console: &Console, value: &str, options: &str) -> Outcome {
    let line = format!("token inspect {options}");
    let outcome = console.type_in(&line, &format!("{value}\n"));
    assert!(
        value.is_empty() || !outcome.said().contains(value),
        "the value is printed: {outcome:?}"
    );
    outcome
}

fn state(console: &Console, value: &str) -> Value {
    inspect(console, value, "--json").succeeded().object()["state"].clone()
}

#[test]
fn a_live_value_is_told_by_what_it_opens() {
    let console = Console::with_group();
    console.done("project create --path acme/api");
    console.person("ann", "");
    let token =
        console.json("token create --project acme/api --name ci --role developer --scope read_api");
    let value = token["token"].as_str().unwrap();
    let told = inspect(&console, value, "--json").succeeded().object();
    assert_eq!(
        names(&told),
        [
            "id",
            "kind",
            "name",
            "state",
            "resource",
            "username",
            "bot",
            "access_level",
            "role",
            "scopes",
            "expires_at",
            "created_at"
        ]
    );
    for (name, expected) in [
        ("id", token["id"].clone()),
        ("kind", json!("project")),
        ("name", json!("ci")),
        ("state", json!("active")),
        ("resource", json!("acme/api")),
        ("username", token["bot"].clone()),
        ("bot", json!(true)),
        ("access_level", json!(30)),
        ("role", json!("Developer")),
        ("scopes", json!(["read_api"])),
        ("expires_at", token["expires_at"].clone()),
    ] {
        assert_eq!(told[name], expected, "{name}");
    }
    let text = inspect(&console, value, "").succeeded().stdout;
    for words in [
        "project access token",
        "active",
        "acme/api",
        "Developer",
        "read_api",
    ] {
        assert!(text.contains(words), "{text}");
    }

    let value = made(
        &console,
        "token create --user ann --name laptop --scope api",
    );
    let told = inspect(&console, &value, "--json").succeeded().object();
    assert_eq!(
        (&told["kind"], &told["username"]),
        (&json!("personal"), &json!("ann"))
    );
    assert_eq!(
        (&told["bot"], &told["role"], &told["resource"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
}

#[test]
fn looking_is_no_use() {
    let console = Console::with_group();
    let value = made(&console, "token create --group acme --name ci");
    inspect(&console, &value, "").succeeded();
    assert_eq!(console.count("access_token_uses"), 0);
    assert_eq!(
        console.json("token list --group acme")[0]["last_used_at"],
        Value::Null
    );
}

#[test]
fn a_dead_value_is_told_with_its_state() {
    let console = Console::with_group();
    console.person("ann", "");
    let value = made(&console, "token create --group acme --name ci");
    console.done("token revoke 1");
    assert_eq!(state(&console, &value), "revoked");

    let old = made(&console, "token create --group acme --name rotated");
    let new = made(&console, "token rotate 2");
    assert_eq!(
        (state(&console, &old), state(&console, &new)),
        (json!("revoked"), json!("active"))
    );

    let personal = made(
        &console,
        "token create --user ann --name laptop --scope api",
    );
    console.done("user block ann");
    assert_eq!(state(&console, &personal), "blocked");
    console.done("user unblock ann");
    assert_eq!(state(&console, &personal), "active");

    diesel::RunQueryDsl::execute(
        diesel::sql_query(
            "UPDATE access_tokens SET expires_at = '2001-01-01' WHERE name = 'laptop'",
        ),
        &mut console.database(),
    )
    .unwrap();
    assert_eq!(state(&console, &personal), "expired");
}

#[test]
fn a_value_that_is_no_token_of_this_instance_ends_with_1() {
    let console = Console::with_group();
    let value = made(&console, "token create --group acme --name ci");
    let elsewhere = {
        let other = Console::with_group();
        made(&other, "token create --group acme --name ci")
    };
    let mut mistyped = value.clone();
    let last = if mistyped.pop() == Some('a') {
        'b'
    } else {
        'a'
    };
    mistyped.push(last);
    let long = "x".repeat(5000);
    for unknown in [
        elsewhere.as_str(),
        &mistyped,
        "glpat-00000000000000000000",
        "nothing like a token",
        "\u{e4}\u{0}",
        long.as_str(),
        "",
    ] {
        let why = inspect(&console, unknown, "").refused();
        assert!(why.contains("no token"), "{why}");
        inspect(&console, unknown, "--json").refused();
    }
    // The line is all that counts.
    let outcome = console.type_in("token inspect", &format!("{value}\r\nsecond line\n"));
    outcome.succeeded();
}
