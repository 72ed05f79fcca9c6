//! `latchkey user`

use serde_json::json;

use super::{Console, PASSWORD, names};

const CREATE: &str = "user create --username ann --email ann@example.com --password-stdin";

#[test]
fn a_person_is_made_with_a_password_from_standard_input_and_signs_in_with_it() {
    let console = Console::new();
    // Up to the end of the line, which may be either kind; what follows is not looked at.
    for (name, input) in [
        ("ann", format!("{PASSWORD}\n")),
        ("bea", format!("{PASSWORD}\r\nand more\n")),
        ("cid", PASSWORD.to_owned()),
    ] {
        let line = CREATE.replace("ann", name);
        let outcome = console
            .type_in(&format!("{line} --admin --json"), &input)
            .succeeded();
        let person = outcome.object();
        assert_eq!(
            names(&person),
            [
                "id",
                "username",
                "name",
                "email",
                "state",
                "is_admin",
                "external",
                "created_at",
                "last_sign_in_at"
            ]
        );
        assert_eq!(person["username"], name);
        assert_eq!(person["email"], format!("{name}@example.com"));
        assert_eq!(person["state"], "active");
        assert_eq!(person["is_admin"], true);
        assert_eq!(person["external"], false);
        assert_eq!(outcome.stderr, "");
    }
    let server = console.serve();
    for name in ["ann", "bea", "cid"] {
        assert!(server.sign_in(name, PASSWORD).is_some(), "{name}");
        assert!(server.sign_in(name, &format!("{PASSWORD} ")).is_none());
    }
}

#[test]
fn what_a_person_is_made_as_is_told() {
    let console = Console::new();
    let said = console.type_in(
        &format!("{CREATE} --external --name Ännchen"),
        &format!("{PASSWORD}\n"),
    );
    assert_eq!(
        said.succeeded().stdout,
        "Created ann (id 1, active, external)\n"
    );
    let people = console.json("user list");
    assert_eq!(people[0]["name"], "Ännchen");
    assert_eq!(people[0]["external"], true);
    assert_eq!(people[0]["is_admin"], false);
}

#[test]
fn a_bad_password_is_refused_in_a_line_that_names_the_rule_and_nobody_is_made() {
    let console = Console::new();
    let long = "x".repeat(1025);
    for (password, rule) in [
        ("7 chars", "too short (minimum is 8"),
        ("password1", "too common"),
        ("latchkey", "your user name"),
        ("ann@example.com", "your mail address"),
        (long.as_str(), "too long (maximum is 1024"),
        ("", "no password came on standard input"),
    ] {
        let why = console.type_in(CREATE, &format!("{password}\n")).refused();
        assert!(why.contains(rule), "{why}");
        assert!(!why.contains(&long));
    }
    assert_eq!(console.json("user list"), json!([]));
    let why = console.type_in(CREATE, "").refused();
    assert!(why.contains("no password"), "{why}");
}

#[test]
fn names_and_addresses_are_taken_once() {
    let console = Console::with_administrator();
    console.person("ann", "");
    for (username, email) in [
        ("ann", "other@example.com"),
        ("ANN", "other@example.com"),
        ("other", "ann@example.com"),
        ("other", "ANN@example.com"),
        ("not good", "good@example.com"),
        ("good", "bad"),
    ] {
        let username = username.replace(' ', "/");
        let line = format!("user create --username {username} --email {email} --password-stdin");
        let why = console.type_in(&line, &format!("{PASSWORD}\n")).refused();
        assert!(!why.is_empty());
    }
    assert_eq!(console.json("user list").as_array().unwrap().len(), 2);
}

#[test]
fn the_list_has_people_and_no_bots() {
    let console = Console::with_group();
    console.person("ann", "--external");
    console.done("token create --group acme --name ci");
    let list = console.json("user list");
    let people: Vec<(&str, bool, bool)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            (
                person["username"].as_str().unwrap(),
                person["is_admin"].as_bool().unwrap(),
                person["external"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(people, [("ann", false, true), ("root", true, false)]);
    let table = console.done("user list");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("ID"), "{table}");
    for word in ["ann@example.com", "active", "external", "never"] {
        assert!(lines[1].contains(word), "{table}");
    }
    assert!(lines[2].contains("administrator"), "{table}");
}

#[test]
fn blocking_ends_sessions_and_stops_tokens_until_unblocked() {
    let console = Console::with_administrator();
    console.person("ann", "");
    let token = console.done("token create --user ann --name laptop --scope api");
    let server = console.serve();
    let browser = server.sign_in("ann", PASSWORD).unwrap();
    assert!(server.knows(&browser));
    assert_eq!(server.api("/user", &token).status, 200);

    assert_eq!(console.json("user block ann")["state"], "blocked");
    assert!(!server.knows(&browser));
    assert!(matches!(server.api("/user", &token).status, 401 | 403));
    assert!(server.sign_in("ann", PASSWORD).is_none());
    // Once more changes nothing, and is no failure.
    assert_eq!(console.json("user block ann")["state"], "blocked");
    assert_eq!(
        console.count("audit_events WHERE event = 'user_blocked'"),
        1
    );

    assert_eq!(console.json("user unblock ann")["state"], "active");
    assert!(!server.knows(&browser), "an ended session stays ended");
    assert_eq!(server.api("/user", &token).status, 200);
    assert!(server.sign_in("ann", PASSWORD).is_some());
}

#[test]
fn a_new_password_ends_the_sessions_and_the_old_one() {
    let console = Console::with_administrator();
    let server = console.serve();
    let browser = server.sign_in("root", PASSWORD).unwrap();
    let new = "two horses staple nothing";
    let outcome = console.type_in("user password root --password-stdin", &format!("{new}\n"));
    assert_eq!(
        outcome.succeeded().stdout,
        "Changed the password of root (id 1, active, administrator)\n"
    );
    assert!(!server.knows(&browser));
    assert!(server.sign_in("root", PASSWORD).is_none());
    assert!(server.sign_in("root", new).is_some());

    for (password, rule) in [
        ("short", "too short"),
        ("password1", "too common"),
        ("root", "too short"),
    ] {
        let outcome = console.type_in("user password root --password-stdin", password);
        let why = outcome.refused();
        assert!(why.contains(rule), "{why}");
    }
    assert!(server.sign_in("root", new).is_some());
}

#[test]
fn standing_is_changed_by_itself() {
    let console = Console::with_administrator();
    console.person("ann", "");
    let standing = |line: &str| {
        let person = console.json(line);
        (
            person["is_admin"].as_bool().unwrap(),
            person["external"].as_bool().unwrap(),
        )
    };
    assert_eq!(standing("user update ann --admin true"), (true, false));
    assert_eq!(standing("user update ann --external true"), (true, true));
    assert_eq!(
        standing("user update ann --admin false --external false"),
        (false, false)
    );
}

#[test]
fn the_last_administrator_stays() {
    let console = Console::with_administrator();
    for line in ["user update root --admin false", "user block root"] {
        console.refused(line);
    }
    let root = &console.json("user list")[0];
    assert_eq!(
        (&root["is_admin"], &root["state"]),
        (&json!(true), &json!("active"))
    );
    console.person("ada", "--admin");
    console.done("user update root --admin false");
    console.refused("user update ada --admin false");
}

#[test]
fn who_is_not_there_is_named_and_bots_are_none_of_the_people() {
    let console = Console::with_group();
    let bot = console.json("token create --group acme --name ci")["bot"]
        .as_str()
        .unwrap()
        .to_owned();
    for verb in ["block", "unblock", "update --admin true"] {
        let why = console.refused(&format!("user {verb} nobody"));
        assert_eq!(why, "there is no user nobody");
        let why = console.refused(&format!("user {verb} {bot}"));
        assert!(why.contains("token revoke --bot"), "{why}");
    }
    let why = console
        .type_in("user password nobody --password-stdin", PASSWORD)
        .refused();
    assert_eq!(why, "there is no user nobody");
    let why = console
        .type_in(&format!("user password {bot} --password-stdin"), PASSWORD)
        .refused();
    assert!(why.contains("token revoke --bot"), "{why}");
}
