use chrono::{NaiveDate, TimeDelta};

use super::{Console, listed, made, names};

#[test]
fn the_new_value_is_printed_alone_and_the_old_one_stops() {
    let console = Console::with_group();
    let server = console.serve();
    let old = made(
        &console,
        "token create --group acme --name ci --role reporter --scope read_api",
    );
    let before = listed(&console, "--group acme", "ci");
    let new = made(&console, &format!("token rotate {}", before["id"]));
    assert_ne!(old, new);
    assert_eq!(server.api("/groups/acme", &old).status, 401);
    assert_eq!(server.api("/groups/acme", &new).status, 200);
    let after = listed(&console, "--group acme", "ci");
    for same in [
        "name",
        "scopes",
        "access_level",
        "user_id",
        "bot",
        "description",
    ] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_ne!(after["id"], before["id"]);
}

#[test]
fn the_new_value_lives_as_long_as_the_old_one_unless_told_otherwise() {
    let console = Console::with_group();
    let today: NaiveDate = {
        let made = console.json("group list")[0]["created_at"].clone();
        made.as_str().unwrap()[..10].parse().unwrap()
    };
    let after = |days| today + TimeDelta::days(days);
    let token = console.json(&format!(
        "token create --group acme --name ci --expires-at {}",
        after(20)
    ));
    let rotated = console.json(&format!("token rotate {}", token["id"]));
    assert_eq!(names(&rotated), ["id", "token", "bot", "expires_at"]);
    assert_eq!(rotated["bot"], token["bot"]);
    assert_eq!(rotated["expires_at"], after(20).to_string());
    let line = format!("token rotate {} --expires-at {}", rotated["id"], after(7));
    assert_eq!(console.json(&line)["expires_at"], after(7).to_string());
}

#[test]
fn what_can_not_be_rotated_is_refused() {
    let console = Console::with_group();
    console.person("ann", "");
    let token = console.json("token create --group acme --name ci");
    let personal = console.json("token create --user ann --name laptop --scope api");
    let rotated = console.json(&format!("token rotate {}", token["id"]));
    console.done(&format!("token revoke {}", rotated["id"]));
    for (line, word) in [
        ("token rotate 99".to_owned(), "there is no token 99"),
        (format!("token rotate {}", rotated["id"]), "already revoked"),
        (format!("token rotate {}", personal["id"]), "ann's own"),
    ] {
        let why = console.refused(&line);
        assert!(why.contains(word), "{line}: {why}");
    }
    let again = console.json("token create --group acme --name again");
    let why = console.refused(&format!(
        "token rotate {} --expires-at 2001-01-01",
        again["id"]
    ));
    assert!(!why.is_empty());
    let row = listed(&console, "--group acme", "again");
    assert_eq!((&row["id"], &row["active"]), (&again["id"], &true.into()));
}

#[test]
fn an_administrator_rotates_a_token_of_their_own() {
    let console = Console::with_administrator();
    let server = console.serve();
    made(
        &console,
        "token create --user root --name laptop --scope api",
    );
    let value = made(&console, "token rotate 1");
    assert_eq!(server.api("/user", &value).status, 200);
}
