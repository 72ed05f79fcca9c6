//! `latchkey doctor`: each check, made to find something.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use diesel::{RunQueryDsl, sql_query};
use serde_json::Value;

use super::Console;

impl Console {
    /// How each check came out, the worst if there were several of a name, and the status of the command.
    fn examined(&self) -> (BTreeMap<String, (String, String)>, Option<i32>) {
        let outcome = self.run("doctor --json");
        let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
        for finding in outcome.object().as_array().unwrap() {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            let status = (text("status"), text("message"));
            let rank = |status: &str| {
                ["ok", "warning", "failed"]
                    .iter()
                    .position(|word| *word == status)
            };
            assert!(rank(&status.0).is_some(), "{finding}");
            // Whatever isn't well comes with what to do about it.
            assert_eq!(
                status.0 == "ok",
                finding["advice"] == Value::Null,
                "{finding}"
            );
            let entry = found.entry(text("check")).or_insert_with(|| status.clone());
            if rank(&status.0) > rank(&entry.0) {
                *entry = status;
            }
        }
        (found, outcome.status)
    }

    /// A check comes out like this, with this in its words.
    #[track_caller]
    fn diagnosed(&self, check: &str, status: &str, said: &str) {
        let (found, code) = self.examined();
        let (came_out, message) = found
            .get(check)
            .unwrap_or_else(|| panic!("{check} is not looked at: {found:?}"));
        assert_eq!(
            (came_out.as_str(), message.contains(said)),
            (status, true),
            "{check}: {message}"
        );
        let any_failed = found.values().any(|(status, _)| status == "failed");
        assert_eq!(code, Some(i32::from(any_failed)), "{found:?}");
    }

    /// Writes to the database as no way through the program would.
    pub(super) fn tamper(&self, statement: &str) {
        let mut conn = self.database();
        sql_query("PRAGMA foreign_keys = OFF")
            .execute(&mut conn)
            .unwrap();
        let changed = sql_query(statement).execute(&mut conn).unwrap();
        assert!(changed > 0, "{statement}");
    }

    /// With a group, a project, and a token in each.
    fn busy() -> Console {
        let console = Console::with_group();
        console.done("project create --path acme/api");
        console.done("token create --group acme --name ci");
        console.done("token create --project acme/api --name deploy");
        console
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A database gives its mode to the files that it keeps beside it, and a command that ends doesn't always take those
/// away.
fn chmod_with_companions(database: &Path, mode: u32) {
    chmod(database, mode);
    for suffix in ["-wal", "-shm"] {
        let companion = database.with_extension(format!("db{suffix}"));
        if let Err(error) = fs::set_permissions(&companion, fs::Permissions::from_mode(mode)) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
        }
    }
}

#[test]
fn a_healthy_instance_is_found_to_be_well_beside_its_server_and_without() {
    let console = Console::busy();
    let (found, code) = console.examined();
    let not_well: Vec<&String> = found
        .iter()
        .filter(|(_, (status, _))| status != "ok")
        .map(|(check, _)| check)
        .collect();
    assert_eq!(not_well, ["external URL", "mail server"]);
    assert_eq!(code, Some(0), "warnings are no failure");
    let _server = console.serve();
    assert_eq!(console.examined().1, Some(0));
    let said = console.done("doctor");
    assert_eq!(
        said.lines().count(),
        found.len() + 2,
        "a line for each, three for the database's files: {said}"
    );
    assert!(
        said.lines().all(|line| ["ok ", "warning ", "failed "]
            .iter()
            .any(|word| line.starts_with(word))),
        "{said}"
    );
}

#[test]
fn on_postgres_a_healthy_instance_is_found_to_be_well() {
    let Some((console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("group create --path acme");
    console.done("token create --group acme --name ci");
    let (found, code) = console.examined();
    assert_eq!(code, Some(0), "{found:?}");
    assert!(found["clock"].1.contains("s apart"), "{found:?}");
    assert!(!found.contains_key("database file"));
}

#[test]
fn nothing_is_made_or_changed() {
    let console = Console::new();
    let (found, code) = console.examined();
    assert_eq!(code, Some(0), "{found:?}");
    assert_eq!(found["database"].0, "warning");
    assert!(
        !console.data().exists(),
        "no data directory, no secret, no database"
    );
    // An empty database isn't migrated either.
    fs::create_dir(console.data()).unwrap();
    fs::write(console.data().join("latchkey.db"), "").unwrap();
    chmod(&console.data(), 0o700);
    chmod(&console.data().join("latchkey.db"), 0o600);
    console.diagnosed("schema", "warning", "empty");
    assert_eq!(fs::read(console.data().join("latchkey.db")).unwrap(), b"");
    assert!(!console.data().join("secret.key").exists());

    let console = Console::busy();
    // The first command has made the tables, and said so in the trail.
    let told = console.count("audit_events");
    let before = fs::read(console.data().join("latchkey.db")).unwrap();
    console.examined();
    assert!(fs::read(console.data().join("latchkey.db")).unwrap() == before);
    assert_eq!(console.count("audit_events"), told);
}

#[test]
fn a_configuration_that_can_not_be_used_is_told() {
    let console = Console::with_administrator().with("LATCHKEY_LISTEN", "nowhere");
    console.diagnosed("configuration", "failed", "LATCHKEY_LISTEN");
    let outcome = console.run("doctor");
    assert_eq!(outcome.status, Some(1));
    assert!(
        outcome.stdout.starts_with("failed   configuration: "),
        "{outcome:?}"
    );
    assert_eq!(outcome.stderr, "error: 1 check has failed\n");
}

#[test]
fn what_people_type_should_be_https_and_mails_should_reach_them() {
    let console = Console::with_administrator();
    console.diagnosed("external URL", "warning", "this machine alone");
    console.diagnosed("mail server", "warning", "there is none");
    let console = console.with("LATCHKEY_EXTERNAL_URL", "http://tokens.example.com");
    console.diagnosed("external URL", "warning", "is not https");
    let console = Console::with_administrator()
        .with("LATCHKEY_EXTERNAL_URL", "https://tokens.example.com")
        .with("LATCHKEY_SMTP_URL", "smtps://ann:s3cret@mail.example.com");
    console.diagnosed("external URL", "ok", "https://tokens.example.com");
    console.diagnosed("mail server", "ok", "mail.example.com");
    assert!(!console.run("doctor --json").said().contains("s3cret"));
}

#[test]
fn files_are_their_owners_alone() {
    let console = Console::with_administrator();
    let (data, secret, database) = (
        console.data(),
        console.data().join("secret.key"),
        console.data().join("latchkey.db"),
    );
    let alone: fn(&Path, u32) = chmod;
    for (check, path, private, set_mode) in [
        ("data directory", &data, 0o700, alone),
        ("secret file", &secret, 0o600, alone),
        ("database file", &database, 0o600, chmod_with_companions),
    ] {
        console.diagnosed(check, "ok", "belongs to user");
        set_mode(path, private | 0o040);
        console.diagnosed(check, "warning", "its group");
        set_mode(path, private | 0o004);
        console.diagnosed(check, "failed", "everybody");
        set_mode(path, private);
    }
    fs::write(data.join("latchkey.db.restoring"), "").unwrap();
    console.diagnosed("database file", "warning", "interrupted");
    // Only an administrator of the machine gives files away.
    if std::os::unix::fs::chown(&secret, Some(12_345), None).is_ok() {
        console.diagnosed(
            "secret file",
            "failed",
            "belongs to user 12345, but the data directory to user",
        );
    }
}

#[test]
fn there_has_to_be_room() {
    // When it is little, and when none, is tested beside the check.
    Console::with_administrator().diagnosed("disk space", "ok", "MiB are free");
}

#[test]
fn the_secret_has_to_be_the_one_that_the_database_was_used_with() {
    let console = Console::with_administrator();
    console.diagnosed("instance secret", "ok", "it is the one");
    let secret = console.data().join("secret.key");
    let digits = fs::read_to_string(&secret).unwrap();
    fs::write(&secret, digits.chars().rev().collect::<String>()).unwrap();
    console.diagnosed("instance secret", "failed", "not the one");
    fs::write(&secret, "short").unwrap();
    console.diagnosed("secret file", "failed", "a secret has at least");
    fs::remove_file(&secret).unwrap();
    console.diagnosed("secret file", "warning", "isn't there");
    console.diagnosed("instance secret", "failed", "missing");
}

#[test]
fn the_schema_has_to_be_this_programs() {
    let console = Console::with_administrator();
    console.diagnosed("schema", "ok", "current");
    console.done("migrate --down 1");
    console.diagnosed("schema", "failed", "missing: 1");
    console.done("migrate");
    console.tamper("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', '2999-01-01')");
    console.diagnosed("schema", "failed", "newer");
    let foreign = Console::new();
    fs::create_dir(foreign.data()).unwrap();
    sql_query("CREATE TABLE songs (id INTEGER)")
        .execute(&mut foreign.database())
        .unwrap();
    foreign.diagnosed("schema", "failed", "not Latchkey's");
}

#[test]
fn a_database_that_can_not_be_reached_or_read_is_told() {
    let console = Console::new()
        .with(
            "LATCHKEY_DATABASE_URL",
            "postgres://ann:s3cret@127.0.0.1:1/latchkey",
        )
        .with("LATCHKEY_SECRET", super::backup::SECRET);
    console.diagnosed("database", "failed", "can't be opened");
    assert!(!console.run("doctor").said().contains("s3cret"));
    let console = Console::with_administrator();
    fs::write(console.data().join("latchkey.db"), vec![7; 100_000]).unwrap();
    let (found, code) = console.examined();
    assert_eq!(code, Some(1), "{found:?}");
}

#[test]
fn a_damaged_file_is_told() {
    let console = Console::busy();
    sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut console.database())
        .unwrap();
    let path = console.data().join("latchkey.db");
    let mut bytes = fs::read(&path).unwrap();
    // Pages of tables and indexes, but not the first one, which says what there is.
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 40_000] {
        *byte ^= 0x55;
    }
    fs::write(&path, bytes).unwrap();
    console.diagnosed("integrity", "failed", "the file is damaged: ");
    let said = console.run("doctor").stdout;
    let about = said
        .lines()
        .filter(|line| line.contains("the file is damaged"))
        .count();
    assert_eq!(about, 1, "{said}");
    assert!(said.contains("restore the last backup"), "{said}");
}

#[test]
fn imported_tokens_need_their_salt() {
    let console = Console::busy();
    console.diagnosed("imported tokens", "ok", "none needs a salt");
    console.tamper("UPDATE access_tokens SET digest_version = 2 WHERE name = 'ci'");
    console.diagnosed("imported tokens", "failed", "there is none");
    console.tamper(
        "INSERT INTO imported_salts (digest, sealed, created_at) VALUES (zeroblob(32), zeroblob(60), '2026-01-01')",
    );
    console.diagnosed(
        "imported tokens",
        "failed",
        "can't be decrypted with this instance secret: 1 of 1",
    );
}

#[test]
fn rows_that_belong_together_are_looked_at() {
    for (check, status, said, statement) in [
        (
            "foreign keys",
            "failed",
            " to users",
            "DELETE FROM users WHERE kind = 'project_bot'",
        ),
        (
            "tokens",
            "failed",
            "2 tokens without a user",
            "DELETE FROM users WHERE kind = 'project_bot'",
        ),
        (
            "memberships",
            "failed",
            "2 memberships without",
            "DELETE FROM users WHERE kind = 'project_bot'",
        ),
        (
            "memberships",
            "failed",
            "1 membership without",
            "UPDATE memberships SET project_id = 999 WHERE project_id IS NOT NULL",
        ),
        (
            "bots with tokens",
            "failed",
            "2 bots without a token",
            "DELETE FROM access_tokens",
        ),
        (
            "bots with memberships",
            "warning",
            "2 bots are",
            "DELETE FROM memberships WHERE bot",
        ),
        (
            "routes",
            "failed",
            "1 route leads",
            "UPDATE routes SET group_id = 999 WHERE path_key = 'acme'",
        ),
        (
            "addresses",
            "failed",
            "2 groups or projects",
            "DELETE FROM routes WHERE path_key LIKE 'acme%'",
        ),
        (
            "token roots",
            "failed",
            "2 tokens name",
            "UPDATE access_tokens SET root_id = 999",
        ),
        (
            "group tree",
            "failed",
            "1 group has",
            "UPDATE groups SET traversal = '7/' WHERE full_path = 'acme'",
        ),
        (
            "projects",
            "failed",
            "1 project without",
            "UPDATE projects SET group_id = 999",
        ),
        (
            "personal namespaces",
            "failed",
            "1 person without",
            "DELETE FROM groups WHERE kind = 'user'",
        ),
    ] {
        let console = Console::busy();
        console.diagnosed(check, "ok", "");
        console.tamper(statement);
        console.diagnosed(check, status, said);
    }
}

#[test]
fn somebody_has_to_be_there_who_can_act() {
    let console = Console::with_group();
    console.person("bo", "");
    console.diagnosed("administrators", "ok", "1 administrator");
    console.diagnosed("owners", "ok", "");
    console.tamper("UPDATE users SET state = 'blocked' WHERE username = 'root'");
    console.diagnosed("administrators", "failed", "nobody");
    console.diagnosed(
        "owners",
        "warning",
        "1 top-level group without an Owner who may act: acme",
    );
    console
        .tamper("UPDATE users SET state = 'active', confirmed_at = NULL WHERE username = 'root'");
    console.diagnosed("administrators", "failed", "nobody");
    console.tamper(
        "UPDATE users SET confirmed_at = created_at, admin = FALSE WHERE username = 'root'",
    );
    console.diagnosed("administrators", "failed", "nobody");
    console.diagnosed("owners", "ok", "");
    console.tamper("UPDATE memberships SET expires_at = '2020-01-01' WHERE access_level = 50");
    console.diagnosed("owners", "warning", "acme");
}

#[test]
fn jobs_that_fail_or_do_not_run_and_mails_that_stay_are_told() {
    let console = Console::with_administrator();
    console.done("job run clean-up");
    console.diagnosed("jobs", "ok", "");
    console.diagnosed("mails", "ok", "0 mails wait");
    console.tamper("UPDATE jobs SET handled_until = '2026-01-01 00:00:00'");
    console.diagnosed("jobs", "warning", "clean-up since 2026-01-01");
    console.tamper("UPDATE jobs SET failures = 2 WHERE name = 'clean-up'");
    console.diagnosed("jobs", "failed", "failing: clean-up");
    console.tamper(
        "INSERT INTO emails (key, kind, user_id, data, state, due_at, created_at)
         SELECT 'key', 'kind', id, '{}', 'waiting', '2026-01-01 00:00:00', '2026-01-01 00:00:00' FROM users WHERE username = 'root'",
    );
    console.diagnosed(
        "mails",
        "warning",
        "1 mail waits to be sent, the oldest one since 2026-01-01",
    );
}

#[test]
fn code_that_belongs_to_nobody_is_told_and_left_alone() {
    let console = Console::busy();
    console.diagnosed("git", "ok", "2.");
    console.diagnosed("repositories", "ok", "0 repositories");
    let orphan = console
        .data()
        .join("repositories/00/999-1764000000000000.git");
    fs::create_dir_all(&orphan).unwrap();
    console.diagnosed(
        "repositories",
        "warning",
        "1 of 1 repository without a project",
    );
    assert!(orphan.exists());
}
