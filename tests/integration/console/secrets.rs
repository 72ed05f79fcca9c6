//! The instance secret: where it comes from, and that no command works with another one.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{Console, names};

const FIRST: &str = "the first secret of this instance, which is long enough";
const SECOND: &str = "a second secret for this instance, which is long enough";

/// A command of every noun that looks at data.
const COMMANDS: [&str; 8] = [
    "user list",
    "group list",
    "project list",
    "token list --user root",
    "token create --user root --name more --scope api",
    "settings get",
    "flag list",
    "migrate",
];

#[test]
fn both_ways_to_give_it_at_once_are_refused() {
    let console = Console::new()
        .with("LATCHKEY_SECRET", FIRST)
        .with("LATCHKEY_SECRET_FILE", "secret");
    fs::write(console.folder.path().join("secret"), FIRST).unwrap();
    for line in COMMANDS.iter().chain(&["serve --listen 127.0.0.1:0"]) {
        let outcome = console.run(line);
        assert!(matches!(outcome.status, Some(1 | 2)), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
        for name in ["LATCHKEY_SECRET", "LATCHKEY_SECRET_FILE"] {
            assert!(outcome.stderr.contains(name), "{outcome:?}");
        }
        assert!(!outcome.said().contains(FIRST));
        assert!(!console.data().exists(), "{line}");
    }
}

#[test]
fn another_secret_is_refused_by_every_command_in_one_line_and_never_told() {
    let mut console = Console::new().with("LATCHKEY_SECRET", FIRST);
    console.person("root", "--admin");
    assert!(!console.data().join("secret.key").exists());
    console.environment = vec![("LATCHKEY_SECRET", SECOND.to_owned())];
    for line in COMMANDS {
        let why = console.refused(line);
        assert!(why.contains("secret"), "{why}");
        assert!(!why.contains(FIRST) && !why.contains(SECOND), "{why}");
    }
    assert_eq!(console.count("access_tokens"), 0);
    console.environment = vec![("LATCHKEY_SECRET", FIRST.to_owned())];
    assert_eq!(console.json("user list")[0]["username"], "root");
}

#[test]
fn a_file_is_the_same_as_the_variable_less_one_line_end() {
    let mut console = Console::new().with("LATCHKEY_SECRET", FIRST);
    console.person("root", "--admin");
    console.environment = vec![("LATCHKEY_SECRET_FILE", "secret".to_owned())];
    let file = console.folder.path().join("secret");
    let with = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        console.run("user list")
    };
    with(FIRST).succeeded();
    with(&format!("{FIRST}\n")).succeeded();
    with(&format!("{FIRST}\n\n")).refused();
    with(SECOND).refused();
    with("short").refused();
}

#[test]
fn a_key_that_was_swapped_or_lost_is_refused_and_not_made_anew() {
    let console = Console::with_administrator();
    let key = console.data().join("secret.key");
    let right = fs::read_to_string(&key).unwrap();
    fs::write(&key, "0".repeat(64)).unwrap();
    for line in COMMANDS {
        let why = console.refused(line);
        assert!(
            why.contains("secret") && !why.contains(right.trim_end()),
            "{why}"
        );
    }
    fs::remove_file(&key).unwrap();
    for line in COMMANDS {
        let why = console.refused(line);
        assert!(why.contains("secret"), "{why}");
        assert!(!key.exists(), "{line}");
    }
    fs::write(&key, &right).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    console.done("user list");
}

#[test]
fn no_command_prints_the_key() {
    let console = Console::with_group();
    let key = fs::read_to_string(console.data().join("secret.key")).unwrap();
    let key = key.trim_end();
    for line in COMMANDS {
        for form in ["", "--json"] {
            let said = console.run(&format!("{line} {form}")).succeeded().said();
            assert!(!said.contains(key), "{line}");
        }
    }
    let settings = console.json("settings get");
    assert!(!names(&settings).iter().any(|name| name.contains("secret")));
}
