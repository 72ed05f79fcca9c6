//! Whichever command comes first makes the instance; and what all commands have in common.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{Console, PASSWORD};

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_command_makes_a_data_directory_that_nobody_else_can_enter_and_a_key_for_its_owner_alone()
 {
    for first in [
        "user list",
        "group list",
        "project list",
        "settings get",
        "flag list",
        "migrate",
    ] {
        let console = Console::new();
        console.run(first).succeeded();
        assert_eq!(mode(console.data()), 0o700, "{first}");
        let key = console.data().join("secret.key");
        assert_eq!(mode(&key), 0o600, "{first}");
        let text = fs::read_to_string(&key).unwrap();
        let digits = text.trim_end();
        assert_eq!(digits.len(), 64, "{first}");
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        console.run("migrate --check").succeeded();
        console.run("user list").succeeded();
        assert_eq!(fs::read_to_string(&key).unwrap(), text, "{first}");
    }
}

#[test]
fn two_instances_have_two_keys() {
    let key = || {
        let console = Console::new();
        console.run("migrate").succeeded();
        fs::read_to_string(console.data().join("secret.key")).unwrap()
    };
    assert_ne!(key(), key());
}

#[test]
fn before_there_is_anybody_a_person_can_be_made_at_once() {
    let console = Console::new();
    console.person("root", "--admin");
    assert_eq!(console.json("user list")[0]["username"], "root");
    assert_eq!(mode(console.data()), 0o700);
}

#[test]
fn a_line_that_can_not_be_understood_ends_with_2_and_makes_nothing() {
    let console = Console::new();
    for line in [
        "",
        "lock",
        "user",
        "user list --everybody",
        "user create --username ann --email ann@example.com",
        "user create --username ann --email ann@example.com --password-stdin --password hunter2hunter2",
        "user create --username ann --email ann@example.com --password hunter2hunter2",
        "user password ann",
        "user password ann hunter2hunter2 --password-stdin",
        "user update ann",
        "user update ann --admin maybe",
        "group create",
        "group create --path acme --visibility secret",
        "project create --path api",
        "member add --group acme --user ann",
        "member add --group acme --user ann --role boss",
        "member add --group acme --project acme/api --user ann --role guest",
        "token create --name ci",
        "token create --group acme",
        "token create --user ann --name laptop",
        "token create --user ann --name laptop --scope api --role owner",
        "token create --group acme --name ci --expires-at 2027-02-29",
        "token create --group acme --name ci --role 17",
        "token inspect glpat-0123456789",
        "token revoke",
        "token revoke 1 --bot group_1_bot_0",
        "token rotate one",
        "settings set token_shape",
        "flag enable",
        "migrate --check --down 1",
        "migrate --down 0",
        "migrate --down many",
    ] {
        let said = console.run(line).not_understood();
        assert!(!said.is_empty(), "{line}");
        assert!(!console.data().exists(), "{line} makes something");
    }
}

#[test]
fn help_and_version_are_results() {
    let console = Console::new();
    assert_eq!(
        console.done("--version"),
        format!("latchkey {}", env!("CARGO_PKG_VERSION"))
    );
    for noun in [
        "", "serve", "demo", "migrate", "user", "group", "project", "member", "token", "settings",
        "flag",
    ] {
        let outcome = console.run(&format!("{noun} --help")).succeeded();
        assert!(outcome.stdout.contains("Usage: latchkey"), "{outcome:?}");
        assert_eq!(outcome.stderr, "");
    }
    assert!(!console.data().exists());
}

#[test]
fn an_option_wins_over_the_environment_and_that_over_the_file() {
    let there = |console: &Console, name: &str| console.folder.path().join(name).exists();
    let config = |console: &Console| -> PathBuf {
        let file = console.folder.path().join("latchkey.toml");
        fs::write(&file, "data_dir = \"by-file\"\n").unwrap();
        file
    };
    let console = Console::new();
    config(&console);
    console.done("migrate --config latchkey.toml");
    assert!(there(&console, "by-file") && !there(&console, "data"));

    let console = Console::new().with("LATCHKEY_DATA_DIR", "by-environment");
    config(&console);
    console.done("migrate --config latchkey.toml");
    assert!(there(&console, "by-environment") && !there(&console, "by-file"));
    console.done("migrate --config latchkey.toml --data-dir by-option");
    assert!(there(&console, "by-option") && !there(&console, "by-file"));
    console.done("user list --database-url sqlite://elsewhere.db");
    assert!(there(&console, "elsewhere.db"));
}

#[test]
fn a_command_works_beside_a_running_server_and_holds_from_the_next_request_on() {
    let console = Console::with_administrator();
    let server = console.serve();
    let token = console.done("token create --user root --name laptop --scope api");
    assert_eq!(server.api("/groups/acme", &token).status, 404);
    console.done("group create --path acme");
    assert_eq!(server.api("/groups/acme", &token).status, 200);
    console.done("settings set disable_personal_access_tokens true");
    assert_eq!(server.api("/groups/acme", &token).status, 401);
    console.done("settings set disable_personal_access_tokens false");
    assert_eq!(server.api("/groups/acme", &token).status, 200);
}

#[test]
fn the_audit_trail_names_the_acting_administrator() {
    let console = Console::new();
    console.done("settings set session_idle_days 5");
    console.person("root", "--admin");
    console.person("ada", "--admin");
    console.person("bo", "");
    console.done("settings set session_idle_days 6");
    console.done("settings set session_idle_days 8 --as ada");
    for name in ["bo", "nobody"] {
        let why = console.refused(&format!("settings set session_idle_days 9 --as {name}"));
        assert!(why.contains(name) && why.contains("administrator"), "{why}");
    }
    let changes = |condition: &str| {
        console.count(&format!(
            "audit_events WHERE event = 'application_setting_changed' AND channel = 'console' AND {condition}"
        ))
    };
    assert_eq!(changes("actor_id IS NULL AND actor_name = 'system'"), 1);
    assert_eq!(changes("actor_name = 'root'"), 1);
    assert_eq!(changes("actor_name = 'ada'"), 1);
    assert_eq!(changes("TRUE"), 3);
    assert_eq!(console.done("settings get session_idle_days"), "8");
}

#[test]
fn a_blocked_administrator_does_not_act() {
    let console = Console::with_administrator();
    console.person("ada", "--admin");
    console.done("user block root --as ada");
    console.done("group create --path acme");
    assert_eq!(
        console.count("audit_events WHERE event = 'group_created' AND actor_name = 'ada'"),
        1
    );
    let why = console.refused("group create --path other --as root");
    assert!(why.contains("root"), "{why}");
}

#[test]
fn results_are_apart_from_everything_else() {
    let console = Console::new();
    for line in ["user list", "group list", "project list"] {
        let empty = console.run(line).succeeded();
        assert_eq!(empty.stdout, "", "{line}");
        assert_eq!(empty.stderr.lines().count(), 1, "{line}");
        let json = console.run(&format!("{line} --json")).succeeded();
        assert_eq!(json.stdout, "[]\n", "{line}");
        assert_eq!(json.stderr, "", "{line}");
    }
}

#[test]
fn the_password_is_on_no_stream_and_on_no_disk() {
    let console = Console::new();
    for line in [
        "user create --username root --email root@example.com --admin --password-stdin",
        "user create --username root --email root@example.com --admin --password-stdin --json",
        "user password root --password-stdin",
        "user password nobody --password-stdin",
    ] {
        let outcome = console.type_in(line, &format!("{PASSWORD}\n"));
        assert!(!outcome.said().contains(PASSWORD), "{line}");
    }
    let bytes = console.bytes_on_disk();
    let found = bytes
        .windows(PASSWORD.len())
        .any(|window| window == PASSWORD.as_bytes());
    assert!(!found);
}
