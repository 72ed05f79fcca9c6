//! `latchkey settings`

use serde_json::{Value, json};

use super::{Console, names};

#[test]
fn all_settings_are_shown_with_what_they_take_and_one_alone() {
    let console = Console::with_administrator();
    let all = console.json("settings get");
    for (key, value) in [
        ("personal_access_token_prefix", json!("glpat-")),
        ("token_shape", json!("checked")),
        ("max_personal_access_token_lifetime", Value::Null),
        ("require_personal_access_token_expiry", json!(true)),
        ("reuse_detection", json!("rotation")),
        ("bots_read_internal", json!(true)),
        ("active_tokens_per_group", json!(10_000)),
        ("session_idle_days", json!(7)),
        ("session_absolute_days", json!(30)),
    ] {
        assert_eq!(all[key], value, "{key}");
        let text = console.done(&format!("settings get {key}"));
        assert_eq!(
            text,
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        );
        assert_eq!(
            console.json(&format!("settings get {key}")),
            json!({ key: value })
        );
    }
    let table = console.done("settings get");
    assert_eq!(table.lines().count(), names(&all).len() + 1);
    for key in names(&all) {
        assert!(table.lines().any(|line| line.starts_with(key)), "{key}");
    }
}

#[test]
fn what_is_set_is_what_comes_back() {
    let console = Console::with_administrator();
    for (key, value, after) in [
        ("personal_access_token_prefix", "acme-", json!("acme-")),
        (
            "personal_access_token_prefix",
            "12345678901234567890",
            json!("12345678901234567890"),
        ),
        ("personal_access_token_prefix", "-1", json!("-1")),
        ("token_shape", "classic", json!("classic")),
        ("max_personal_access_token_lifetime", "90", json!(90)),
        ("max_personal_access_token_lifetime", "365", json!(365)),
        (
            "require_personal_access_token_expiry",
            "false",
            json!(false),
        ),
        ("default_group_visibility", "internal", json!("internal")),
        ("reuse_detection", "any_use", json!("any_use")),
        ("active_tokens_per_group", "0", json!(0)),
        ("session_idle_days", "1", json!(1)),
    ] {
        let line = format!("settings set {key} {value}");
        assert_eq!(console.json(&line), json!({ key: after }));
        assert_eq!(
            console.json(&format!("settings get {key}")),
            json!({ key: after })
        );
        assert_eq!(console.done(&line), format!("{key} is now {value}"));
    }
}

#[test]
fn blank_and_null_blank_what_can_be_blank() {
    let console = Console::with_administrator();
    for blank in ["\"\"", "null"] {
        for (key, value, after) in [
            ("max_personal_access_token_lifetime", "90", Value::Null),
            ("personal_access_token_prefix", "acme-", json!("")),
        ] {
            console.done(&format!("settings set {key} {value}"));
            assert_eq!(
                console.json(&format!("settings set {key} {blank}")),
                json!({ key: after })
            );
        }
        for key in [
            "session_idle_days",
            "token_shape",
            "registry_enabled",
            "active_tokens_per_group",
        ] {
            let before = console.json(&format!("settings get {key}"));
            console.refused(&format!("settings set {key} {blank}"));
            assert_eq!(console.json(&format!("settings get {key}")), before);
        }
    }
}

#[test]
fn values_with_a_former_prefix_stay_out_of_the_log_after_a_restart() {
    let console = Console::with_administrator();
    console.done("settings set personal_access_token_prefix former_");
    console.done("settings set personal_access_token_prefix latter_");
    let mut server = console.serve();
    let shown = "latest_AbCdEfGhIjKlMnOpQrSt";
    let secrets = ["former_AbCdEfGhIjKlMnOpQrSt", "latter_AbCdEfGhIjKlMnOpQrSt"];
    for value in [secrets[0], secrets[1], shown] {
        server.page(&format!("/groups/{value}"));
    }
    assert_eq!(server.terminate(), Some(0));
    let said: Vec<String> = server.stdout.iter().chain(server.stderr.iter()).collect();
    let is_told = |value: &str| said.iter().any(|line| line.contains(value));
    assert!(is_told(shown), "{said:?}");
    for value in secrets {
        assert!(!is_told(value), "{said:?}");
    }
}

#[test]
fn a_bad_value_is_refused_with_what_is_allowed_and_changes_nothing() {
    let console = Console::with_administrator();
    let before = console.json("settings get");
    for (key, value, allowed) in [
        (
            "personal_access_token_prefix",
            "123456789012345678901",
            "maximum is 20 characters",
        ),
        ("personal_access_token_prefix", "acme!", "A-Z a-z 0-9"),
        ("personal_access_token_prefix", "ä", "A-Z a-z 0-9"),
        ("token_shape", "round", "checked or classic"),
        ("max_personal_access_token_lifetime", "0", "1 to 365"),
        ("max_personal_access_token_lifetime", "366", "1 to 365"),
        ("max_personal_access_token_lifetime", "-1", "1 to 365"),
        ("max_personal_access_token_lifetime", "1.5", "1 to 365"),
        ("max_personal_access_token_lifetime", "long", "1 to 365"),
        (
            "require_personal_access_token_expiry",
            "maybe",
            "true or false",
        ),
        ("require_personal_access_token_expiry", "1", "true or false"),
        (
            "default_group_visibility",
            "secret",
            "private, internal or public",
        ),
        ("reuse_detection", "never", "rotation or any_use"),
        ("active_tokens_per_group", "-5", "a number"),
        ("active_tokens_per_group", "99999999999", "a number"),
        ("session_idle_days", "0", "1 to 365"),
        ("session_absolute_days", "366", "1 to 365"),
    ] {
        let why = console.refused(&format!("settings set {key} {value}"));
        assert!(
            why.contains(key) && why.contains(allowed),
            "{key} {value}: {why}"
        );
    }
    assert_eq!(console.json("settings get"), before);
    assert_eq!(
        console.count("audit_events WHERE event = 'application_setting_changed'"),
        0
    );
}

#[test]
fn an_unknown_key_is_refused_with_those_that_there_are() {
    let console = Console::with_administrator();
    for line in [
        "settings get tokens_per_person",
        "settings set tokens_per_person 5",
        "settings set Token_Shape classic",
        "settings set \"\" 1",
    ] {
        let why = console.refused(line);
        for key in names(&console.json("settings get")) {
            assert!(why.contains(key), "{line}: {why}");
        }
    }
}

#[test]
fn what_is_set_holds_for_the_next_token() {
    let console = Console::with_group();
    let value = |line: &str| console.done(line);
    console.done("settings set personal_access_token_prefix acme_");
    assert!(value("token create --group acme --name one").starts_with("acme_"));
    console.done("settings set personal_access_token_prefix \"\"");
    console.done("settings set token_shape classic");
    let bare = value("token create --group acme --name two");
    assert_eq!(bare.len(), 20, "{bare}");
    console.done("settings set max_personal_access_token_lifetime 30");
    let why = console.refused("token create --group acme --name three --expires-at 2999-01-01");
    assert!(!why.is_empty());
    console.done("settings set active_tokens_per_group 2");
    let why = console.refused("token create --group acme --name three");
    assert!(why.contains("limit"), "{why}");
}

#[test]
fn who_lowers_the_longest_lifetime_is_told_what_it_will_end_and_how_to_undo_it() {
    let console = Console::with_group();
    let pending = || console.count("instance WHERE lifetime_enforcement_at IS NOT NULL");
    console.done("token create --group acme --name one");
    console.done("token create --group acme --name two");
    let lower = "settings set max_personal_access_token_lifetime";
    // Nothing lives longer than that.
    assert_eq!(console.run(&format!("{lower} 365")).stderr, "");
    for json in ["", " --json"] {
        let warned = console.run(&format!("{lower} 7{json}")).stderr;
        assert!(
            warned.starts_with("2 active tokens would live longer and are revoked at 20"),
            "{warned}"
        );
        let undo = format!("latchkey {lower} null");
        assert!(warned.trim_end().ends_with(&undo), "{warned}");
        assert_eq!(pending(), 1);
        assert_eq!(console.run(&format!("{lower} null")).stderr, "");
        assert_eq!(pending(), 0);
    }
}
