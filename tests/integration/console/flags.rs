//! `latchkey flag`

use serde_json::{Value, json};

use super::{Console, names};

const RETAIN: &str = "retain_resource_access_token_user_after_revoke";

#[track_caller]
fn flag(console: &Console, name: &str, options: &str) -> Value {
    let list = console.json(&format!("flag list {options}"));
    let mut flags = list.as_array().unwrap().iter();
    let found = flags.find(|flag| flag["name"] == name);
    found.unwrap_or_else(|| panic!("{list}")).clone()
}

#[test]
fn every_flag_is_listed_with_its_state_and_effect() {
    let console = Console::with_administrator();
    let list = console.json("flag list");
    let flags = list.as_array().unwrap();
    assert!(flags.len() >= 5);
    for flag in flags {
        assert_eq!(
            names(flag),
            ["name", "enabled", "permanent", "effect", "since"]
        );
        assert_eq!(
            flag["enabled"], flag["permanent"],
            "off until it is switched: {flag}"
        );
    }
    let table = console.done("flag list");
    assert_eq!(table.lines().count(), flags.len() + 1, "{table}");
    assert!(table.contains("on, permanent"), "{table}");
}

#[test]
fn a_flag_is_switched_for_the_whole_instance() {
    let console = Console::with_group();
    let name = "buffered_token_expiration_limit";
    let today: chrono::NaiveDate = console.json("group list")[0]["created_at"]
        .as_str()
        .unwrap()[..10]
        .parse()
        .unwrap();
    let far = today + chrono::TimeDelta::days(400);
    let line = format!("token create --group acme --name ci --expires-at {far}");
    console.refused(&line);
    assert_eq!(
        console.json(&format!("flag enable {name}")),
        json!({ "name": name, "enabled": true, "group": null })
    );
    assert_eq!(flag(&console, name, "")["enabled"], true);
    console.done(&line);
    assert_eq!(
        console.done(&format!("flag disable {name}")),
        format!("{name} is now off")
    );
    assert_eq!(flag(&console, name, "")["enabled"], false);
    console.refused(&line);
}

#[test]
fn a_top_level_group_has_its_own_say_about_keeping_bots_which_wins() {
    let console = Console::with_group();
    console.done("group create --path other");
    let enabled = |options: &str| flag(&console, RETAIN, options)["enabled"] == true;
    assert_eq!(
        console.json(&format!("flag enable {RETAIN} --group acme")),
        json!({ "name": RETAIN, "enabled": true, "group": "acme" })
    );
    assert!(enabled("--group acme") && !enabled("--group other") && !enabled(""));
    console.done(&format!("flag enable {RETAIN}"));
    console.done(&format!("flag disable {RETAIN} --group acme"));
    assert!(!enabled("--group acme") && enabled("--group other") && enabled(""));
}

#[test]
fn a_group_has_no_say_about_anything_else() {
    let console = Console::with_group();
    console.done("group create --path acme/platform");
    for name in [
        "buffered_token_expiration_limit",
        "expiring_pats_30d_60d_notifications",
        "pat_expiry_inherited_members_notification",
    ] {
        for verb in ["enable", "disable"] {
            let why = console.refused(&format!("flag {verb} {name} --group acme"));
            assert!(why.contains(name) && why.contains(RETAIN), "{why}");
        }
        assert_eq!(flag(&console, name, "")["enabled"], false);
    }
    for group in ["acme/platform", "nothing", "root"] {
        let why = console.refused(&format!("flag enable {RETAIN} --group {group}"));
        assert!(why.contains(group), "{why}");
    }
    assert_eq!(flag(&console, RETAIN, "")["enabled"], false);
}

#[test]
fn unknown_and_permanent_flags_are_refused() {
    let console = Console::with_administrator();
    let why = console.refused("flag enable retain_everything");
    for flag in console.json("flag list").as_array().unwrap() {
        assert!(why.contains(flag["name"].as_str().unwrap()), "{why}");
    }
    let why = console.refused("flag disable k8s_proxy_pat");
    assert!(why.contains("permanent"), "{why}");
    assert_eq!(flag(&console, "k8s_proxy_pat", "")["enabled"], true);
}
