//! `latchkey backup`

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::Console;
use crate::support::{postgres, postgres::TestDatabase};

mod under_load;

impl Console {
    /// On a database of its own on the tests' PostgreSQL server, if there is one with its programs; that lasts as long
    /// as the second.
    pub(super) fn on_postgres() -> Option<(Console, TestDatabase)> {
        let database = postgres::postgres()?.create_database();
        if !postgres::dumps() {
            return None;
        }
        let console = Console::new()
            .with("LATCHKEY_DATABASE_URL", &database.url())
            .with("LATCHKEY_SECRET", SECRET)
            // Where pg_dump and pg_restore are.
            .with("PATH", &std::env::var("PATH").unwrap());
        Some((console, database))
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is in the folder, but for the data directory.
    pub(super) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "data")
            .collect();
        names.sort();
        names
    }
}

/// The secret of instances on PostgreSQL.
pub(super) const SECRET: &str = "as good a secret as any, of 32 bytes and more";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_backup_is_one_private_file_and_says_that_the_secret_is_not_in_it() {
    let console = Console::with_group();
    let value = console.done("token create --group acme --name ci");
    let outcome = console.run("backup copy.db").succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("Backed up the database to copy.db ("),
        "{outcome:?}"
    );
    assert!(
        outcome.stderr.contains("secret is not in it") && outcome.stderr.contains("secret.key"),
        "{outcome:?}"
    );
    assert_eq!(console.files(), ["copy.db"]);
    assert_eq!(mode(&console.file("copy.db")), 0o600);
    let bytes = fs::read(console.file("copy.db")).unwrap();
    let secret = fs::read(console.data().join("secret.key")).unwrap();
    for hidden in [value.as_bytes(), secret.trim_ascii()] {
        assert!(!bytes.windows(hidden.len()).any(|window| window == hidden));
    }
    let object = console.json("backup other.db");
    assert_eq!(
        object["bytes"],
        fs::metadata(console.file("other.db")).unwrap().len()
    );
}

#[test]
fn each_backup_is_in_the_trail_and_in_its_own_copy_of_it() {
    let console = Console::with_administrator();
    console.done("backup copy.db");
    let events = "audit_events WHERE event = 'system_backup' AND actor_name = 'root' AND channel = 'console'";
    assert_eq!(console.count(events), 1);
    fs::rename(console.file("copy.db"), console.data().join("latchkey.db")).unwrap();
    assert_eq!(console.count(events), 1);
}

#[test]
fn a_file_that_is_there_is_only_written_over_when_that_is_asked_for() {
    let console = Console::with_administrator();
    fs::write(console.file("copy.db"), "mine").unwrap();
    let why = console.refused("backup copy.db");
    assert!(
        why.contains("copy.db is there already") && why.contains("--force"),
        "{why}"
    );
    assert_eq!(fs::read(console.file("copy.db")).unwrap(), b"mine");
    assert_eq!(
        console.count("audit_events WHERE event LIKE 'system_backup%'"),
        0
    );
    console.done("backup copy.db --force");
    assert!(
        fs::read(console.file("copy.db"))
            .unwrap()
            .starts_with(b"SQLite")
    );
    assert_eq!(mode(&console.file("copy.db")), 0o600);
    assert_eq!(console.files(), ["copy.db"]);
}

#[test]
fn a_backup_that_can_not_be_made_leaves_nothing() {
    let console = Console::with_administrator();
    fs::write(console.file("plain"), "").unwrap();
    fs::create_dir(console.file("folder")).unwrap();
    for (file, said) in [
        ("no/such/folder/copy.db", "can't be written"),
        ("plain/copy.db", "can't be written"),
        ("folder", "is there already, and is no file"),
        ("data/latchkey.db", "is the database itself"),
        ("data/latchkey.db-wal", "is a file of the database"),
        ("data/latchkey.db-shm", "is a file of the database"),
        ("data/../data/latchkey.db-wal", "is a file of the database"),
        (
            "data/latchkey.db.before-restore",
            "is a file of the database",
        ),
        ("data/latchkey.db.restoring", "is a file of the database"),
        ("data/secret.key", "is the instance secret"),
    ] {
        let why = console.refused(&format!("backup {file}"));
        assert!(why.contains(said), "{file}: {why}");
        let why = console.refused(&format!("backup {file} --force"));
        assert!(why.contains(said), "{file}: {why}");
    }
    assert_eq!(console.files(), ["folder", "plain"]);
    assert_eq!(console.json("user list")[0]["username"], "root");
    let why = Console::new().refused("backup copy.db");
    assert!(why.starts_with("there is no database"), "{why}");
}

#[test]
fn a_disk_that_gets_full_fails_the_backup_and_leaves_no_part_of_it() {
    let console = Console::with_administrator();
    let outcome = console.limited("backup copy.db", 256);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("could not be copied"),
        "{outcome:?}"
    );
    assert_eq!(console.files(), Vec::<String>::new());
    assert_eq!(console.json("user list")[0]["username"], "root");
}

#[test]
fn a_database_that_waits_for_a_migration_can_be_backed_up() {
    let console = Console::with_administrator();
    console.done("migrate --down 1");
    console.done("backup copy.db");
    assert_eq!(console.files(), ["copy.db"]);
}

#[test]
fn without_pg_dump_the_command_is_told_that_would_have_to_be_run() {
    let console = Console::new()
        .with(
            "LATCHKEY_DATABASE_URL",
            "postgres://ann:s3cret@db.example.com/latchkey",
        )
        .with("LATCHKEY_SECRET", SECRET)
        .with("PATH", "/nowhere");
    let why = console.refused("backup copy.dump");
    assert!(
        why.contains("pg_dump --format=custom --no-owner --no-privileges --file='copy.dump' --dbname='postgres://ann@db.example.com/latchkey'"),
        "{why}"
    );
    assert!(!why.contains("s3cret"), "{why}");
    fs::write(console.file("copy.dump"), "PGDMP").unwrap();
    let why = console.refused("restore copy.dump");
    assert!(
        why.contains("pg_restore --single-transaction --exit-on-error"),
        "{why}"
    );
    assert!(!why.contains("s3cret"), "{why}");
}

#[test]
fn on_postgres_a_backup_is_a_dump_and_no_password_is_on_a_command_line() {
    let Some((mut console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    let outcome = console.run("backup copy.dump").succeeded();
    assert!(outcome.stderr.contains("LATCHKEY_SECRET"), "{outcome:?}");
    assert!(
        fs::read(console.file("copy.dump"))
            .unwrap()
            .starts_with(b"PGDMP")
    );
    assert_eq!(mode(&console.file("copy.dump")), 0o600);
    let why = console.refused("backup copy.dump");
    assert!(why.contains("is there already"), "{why}");

    // The tests' server trusts everybody: any password will do.
    let (_, url) = console
        .environment
        .iter_mut()
        .find(|(name, _)| *name == "LATCHKEY_DATABASE_URL")
        .unwrap();
    *url = url.replacen('@', ":s3cret@", 1);
    let spy = console.file("spy");
    fs::create_dir(&spy).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >>{0}/seen\necho \"password $PGPASSWORD\" >>{0}/seen\nexec /usr/bin/env PATH=\"${{PATH#*:}}\" pg_dump \"$@\"\n",
        spy.display()
    );
    fs::write(spy.join("pg_dump"), script).unwrap();
    fs::set_permissions(
        spy.join("pg_dump"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let (_, path) = console
        .environment
        .iter_mut()
        .find(|(name, _)| *name == "PATH")
        .unwrap();
    *path = format!("{}:{path}", spy.display());
    console.done("backup other.dump");
    let seen = fs::read_to_string(spy.join("seen")).unwrap();
    assert!(seen.contains("--dbname=postgres://latchkey@"), "{seen}");
    assert_eq!(
        seen.matches("s3cret").count(),
        seen.matches("password s3cret").count(),
        "{seen}"
    );
    assert!(seen.contains("password s3cret"), "{seen}");
}

impl Console {
    /// Runs a command that may write no file larger than this, as on a disk that gets full.
    pub(super) fn limited(&self, line: &str, kib: u32) -> super::Outcome {
        let command = self.command(line);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec {}",
            kib * 2,
            words.join(" ")
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .envs(
                self.environment
                    .iter()
                    .map(|(name, value)| (name, value.as_str())),
            )
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        super::Outcome {
            line: line.to_owned(),
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
