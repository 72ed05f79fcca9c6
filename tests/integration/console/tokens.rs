//! `latchkey token`

use serde_json::{Value, json};

use super::{Console, PASSWORD, names};

mod apply_expiry;
mod inspect;
mod revoke;
mod rotate;

/// A value alone on standard output, as `$(…)` takes it.
#[track_caller]
pub(super) fn made(console: &Console, line: &str) -> String {
    let outcome = console.run(line).succeeded();
    let value = outcome.stdout.strip_suffix('\n').unwrap().to_owned();
    let plain = |c: char| c.is_ascii_graphic();
    assert!(
        value.starts_with("glpat-") && value.chars().all(plain),
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains(&value), "{outcome:?}");
    value
}

/// The token of this name in a list.
#[track_caller]
fn listed(console: &Console, of: &str, name: &str) -> Value {
    let list = console.json(&format!("token list {of}"));
    let mut found = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|token| token["name"] == name);
    found
        .next_back()
        .unwrap_or_else(|| panic!("{list}"))
        .clone()
}

#[test]
fn a_groups_token_is_printed_alone_and_works_over_http() {
    let console = Console::with_group();
    let server = console.serve();
    let value = made(&console, "token create --group acme --name ci");
    let own = server
        .api("/personal_access_tokens/self", &value)
        .expect(200)
        .json();
    assert_eq!(own["name"], "ci");
    assert_eq!(own["active"], true);
    assert_eq!(server.api("/groups/acme", &value).status, 200);
    // Maintainers change what is in a group; its tokens are its Owners'.
    assert_eq!(server.api("/groups/acme/access_tokens", &value).status, 401);
}

#[test]
fn a_resource_token_is_maintainer_with_api_and_write_repository_for_a_year_unless_told_otherwise() {
    let console = Console::with_group();
    console.done("project create --path acme/api");
    for (of, kind) in [("--group acme", "group"), ("--project acme/api", "project")] {
        made(&console, &format!("token create {of} --name plain"));
        let plain = listed(&console, of, "plain");
        assert_eq!(plain["kind"], kind);
        assert_eq!(plain["access_level"], 40);
        assert_eq!(plain["scopes"], json!(["api", "write_repository"]));
        let made_on: chrono::NaiveDate =
            plain["created_at"].as_str().unwrap()[..10].parse().unwrap();
        let ends_on: chrono::NaiveDate = plain["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((ends_on - made_on).num_days(), 365);

        let ends_on = made_on + chrono::TimeDelta::days(90);
        let options = format!(
            "--role DEVELOPER --scope read_api,read_repository --scope self_rotate --expires-at {ends_on} --description deploys"
        );
        made(
            &console,
            &format!("token create {of} --name special {options}"),
        );
        let special = listed(&console, of, "special");
        assert_eq!(special["access_level"], 30);
        assert_eq!(
            special["scopes"],
            json!(["read_api", "read_repository", "self_rotate"])
        );
        assert_eq!(special["expires_at"], ends_on.to_string());
        assert_eq!(special["description"], "deploys");
    }
}

#[test]
fn as_json_it_is_one_object_with_the_value_and_nothing_beside_it() {
    let console = Console::with_group();
    let outcome = console
        .run("token create --group acme --name ci --json")
        .succeeded();
    let object = outcome.object();
    assert_eq!(names(&object), ["id", "token", "bot", "expires_at"]);
    assert_eq!(outcome.stderr, "");
    let group = console.json("group list")[0]["id"].clone();
    let bot = object["bot"].as_str().unwrap();
    assert!(bot.starts_with(&format!("group_{group}_bot_")), "{bot}");
    let row = listed(&console, "--group acme", "ci");
    assert_eq!((&row["id"], &row["bot"]), (&object["id"], &object["bot"]));

    let object = console.json("token create --user root --name laptop --scope api");
    assert_eq!(names(&object), ["id", "token", "bot", "expires_at"]);
    assert_eq!(object["bot"], Value::Null);
}

#[test]
fn people_name_what_their_own_token_opens() {
    let console = Console::with_administrator();
    console.person("ann", "");
    let server = console.serve();
    let value = made(
        &console,
        "token create --user ann --name laptop --scope read_user",
    );
    assert_eq!(
        server.api("/user", &value).expect(200).json()["username"],
        "ann"
    );
    let row = listed(&console, "--user ann", "laptop");
    assert_eq!(
        (&row["kind"], &row["scopes"]),
        (&json!("personal"), &json!(["read_user"]))
    );
    assert_eq!(
        (&row["bot"], &row["access_level"]),
        (&Value::Null, &Value::Null)
    );
    console
        .run("token create --user ann --name laptop")
        .not_understood();
    // What only administrators are offered.
    let why = console.refused("token create --user ann --name laptop --scope sudo");
    assert!(why.contains("read_user") && !why.contains("sudo"), "{why}");
    made(
        &console,
        "token create --user root --name power --scope sudo",
    );
}

#[test]
fn a_token_that_can_not_be_is_refused_and_nothing_is_left_of_it() {
    let console = Console::with_group();
    let long = "n".repeat(256);
    for (line, word) in [
        ("--group nothing --name ci", "there is no group nothing"),
        ("--group root --name ci", "there is no group root"),
        (
            "--project acme/none --name ci",
            "there is no project acme/none",
        ),
        (
            "--user nobody --name ci --scope api",
            "there is no user nobody",
        ),
        ("--group acme --name \"\"", "Name can't be blank"),
        (&format!("--group acme --name {long}"), "too long"),
        (
            "--group acme --name ci --scope everything",
            "read_repository",
        ),
        ("--group acme --name ci --scope sudo", "read_repository"),
        ("--group acme --name ci --expires-at 2001-01-01", "past"),
        (
            "--group acme --name ci --expires-at 2999-01-01",
            "must be before",
        ),
    ] {
        let why = console.refused(&format!("token create {line}"));
        assert!(why.contains(word), "{line}: {why}");
    }
    assert_eq!(console.count("access_tokens"), 0);
    assert_eq!(console.count("users WHERE kind = 'project_bot'"), 0);
    assert_eq!(console.count("memberships WHERE bot"), 0);
}

#[test]
fn making_ignores_the_switch_and_rotating_obeys_it() {
    let console = Console::with_group();
    console.done("group create --path acme/platform");
    console.done("project create --path acme/platform/api");
    console.allow_creation("acme", false);
    for of in [
        "--group acme",
        "--group acme/platform",
        "--project acme/platform/api",
    ] {
        let token = console.json(&format!("token create {of} --name ci"));
        let (id, value) = (&token["id"], token["token"].as_str().unwrap());
        let why = console.refused(&format!("token rotate {id}"));
        assert!(
            why.contains("turned off") && why.contains("token create"),
            "{why}"
        );
        let server = console.serve();
        let own = server.api("/personal_access_tokens/self", value);
        assert_eq!(own.status, 200, "it was not touched");
        assert_eq!(console.json(&format!("token list {of}"))[0]["id"], *id);
        assert_eq!(console.json(&format!("token revoke {id}"))["revoked"], true);
    }
    console.allow_creation("acme", true);
    let token = console.json("token create --group acme --name again");
    console.done(&format!("token rotate {}", token["id"]));
}

#[test]
fn the_list_has_all_of_one_place_and_nothing_of_another_and_never_a_value() {
    let console = Console::with_group();
    console.done("group create --path acme/platform");
    let value = made(
        &console,
        "token create --group acme --name one --scope read_api --role guest",
    );
    let gone = console.json("token create --group acme --name two");
    made(&console, "token create --group acme/platform --name three");
    console.done(&format!("token revoke {}", gone["id"]));

    let list = console.json("token list --group acme");
    let rows = list.as_array().unwrap();
    assert_eq!(
        names(&rows[0]),
        [
            "id",
            "kind",
            "name",
            "description",
            "scopes",
            "access_level",
            "expires_at",
            "active",
            "revoked",
            "created_at",
            "last_used_at",
            "user_id",
            "bot"
        ]
    );
    let seen: Vec<(&str, bool, bool)> = rows
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["active"].as_bool().unwrap(),
                row["revoked"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [("one", true, false), ("two", false, true)]);
    assert_eq!(rows[0]["last_used_at"], Value::Null);

    // The same by the id.
    let id = console.json("group list");
    let id = id
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["full_path"] == "acme")
        .unwrap()["id"]
        .clone();
    assert_eq!(console.json(&format!("token list --group {id}")), list);

    let table = console.run("token list --group acme").succeeded();
    assert_eq!(table.stdout.lines().count(), 3, "{table:?}");
    assert!(
        table.stdout.contains("Guest") && table.stdout.contains("revoked"),
        "{table:?}"
    );
    assert!(!table.said().contains(&value));
    assert!(!list.to_string().contains(&value));

    let none = console.run("token list --user root").succeeded();
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains("no tokens"), "{none:?}");
    console.refused("token list --group nothing");
}

#[test]
fn a_value_is_printed_once_and_kept_nowhere() {
    let console = Console::with_group();
    let mut values = vec![made(&console, "token create --group acme --name ci")];
    let id = listed(&console, "--group acme", "ci")["id"].clone();
    values.push(made(&console, &format!("token rotate {id}")));
    values.push(made(
        &console,
        "token create --user root --name laptop --scope api",
    ));
    let mut said = String::new();
    for line in [
        "token list --group acme",
        "token list --user root --json",
        "user list --json",
        "settings get",
        "group list",
        "token revoke 1",
        "token rotate 1",
    ] {
        said.push_str(&console.run(line).said());
    }
    let bytes = console.bytes_on_disk();
    for value in &values {
        let found = |bytes: &[u8]| {
            bytes
                .windows(value.len())
                .any(|window| window == value.as_bytes())
        };
        assert!(!found(said.as_bytes()), "printed again");
        assert!(!found(&bytes), "kept");
    }
    assert!(!said.contains(PASSWORD));
}

#[test]
fn nothing_about_tokens_works_where_they_are_turned_off() {
    let console = Console::with_group();
    let token = console.json("token create --group acme --name ci");
    console.done("settings set disable_personal_access_tokens true");
    for line in [
        "token create --group acme --name more".to_owned(),
        "token create --user root --name more --scope api".to_owned(),
        "token list --group acme".to_owned(),
        format!("token rotate {}", token["id"]),
    ] {
        let why = console.refused(&line);
        assert!(
            why.contains("settings set disable_personal_access_tokens false"),
            "{why}"
        );
    }
    console.done("settings set disable_personal_access_tokens false");
    assert_eq!(
        console
            .json("token list --group acme")
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
