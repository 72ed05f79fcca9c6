//! `latchkey restore`

use std::{fs, path::PathBuf, time::Duration};

use diesel::{RunQueryDsl, sql_query};
use serde_json::{Value, json};

use super::Console;

mod interrupted;
mod lowering;
pub(super) mod postgres;
mod undone;

impl Console {
    /// All that is in the data directory, name and contents. What is in the WAL is moved to where it belongs first.
    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.database())
            .unwrap();
        let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(self.data())
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        all.retain(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm"));
        all.sort();
        all
    }

    /// Runs statements on a file in the folder.
    fn change(&self, file: &str, statements: &[&str]) {
        let path = self.file(file);
        let mut conn =
            <diesel::SqliteConnection as diesel::Connection>::establish(path.to_str().unwrap())
                .unwrap();
        for statement in statements {
            sql_query(*statement).execute(&mut conn).unwrap();
        }
    }

    /// User names, sorted.
    fn people(&self) -> Vec<String> {
        let users = self.json("user list");
        let mut names: Vec<String> = users
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["username"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// With a backup that knows root, and a person who came later.
    fn with_backup() -> Console {
        let console = Console::with_administrator();
        console.done("backup copy.db");
        console.person("later", "");
        console
    }
}

#[test]
fn a_restored_instance_is_as_it_was_and_the_other_database_is_kept() {
    let console = Console::with_backup();
    let object = console.json("restore copy.db");
    let aside = console.data().join("latchkey.db.before-restore");
    assert_eq!(object["outcome"], "restored");
    assert_eq!(object["compared"], true);
    assert_eq!(object["tokens"], json!([]));
    assert_eq!(object["revoked"], 0);
    assert_eq!(PathBuf::from(object["previous"].as_str().unwrap()), aside);
    assert!(object["taken_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(console.people(), ["root"]);
    assert_eq!(
        console.count("audit_events WHERE event = 'system_restored'"),
        1
    );

    // Back to what was put aside, and what is put aside now has another name.
    let object = console.json(&format!("restore {}", aside.display()));
    assert_eq!(console.people(), ["later", "root"]);
    let second = object["previous"].as_str().unwrap();
    assert!(second.contains("latchkey.db.before-restore-2"), "{second}");
    assert!(aside.exists() && PathBuf::from(second).exists());
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(console.data().join("latchkey.db"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn on_a_new_machine_nobody_can_tell_what_is_undone_and_that_is_said() {
    let console = Console::with_backup();
    let elsewhere = Console::new();
    let line = format!("restore {}", console.file("copy.db").display());
    let why = elsewhere.refused(&line);
    assert!(why.contains("the instance secret is missing"), "{why}");
    assert!(!elsewhere.data().exists(), "nothing was made");
    fs::create_dir(elsewhere.data()).unwrap();
    fs::copy(
        console.data().join("secret.key"),
        elsewhere.data().join("secret.key"),
    )
    .unwrap();
    let whole = fs::read(elsewhere.data().join("secret.key")).unwrap();
    for (options, told) in [
        ("", "nobody can tell which revocations that would undo"),
        (
            "--revoke",
            "--revoke can't tell which tokens it is to revoke",
        ),
    ] {
        let outcome = elsewhere.run(&format!("{line} {options}"));
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(
            outcome.stderr.contains(told) && outcome.stderr.contains("--revive"),
            "{outcome:?}"
        );
        assert!(!elsewhere.data().join("latchkey.db").exists());
        assert_eq!(
            fs::read(elsewhere.data().join("secret.key")).unwrap(),
            whole
        );
    }
    let line = format!("{line} --revive");
    let said = elsewhere.done(&line);
    assert!(
        said.contains(
            "Nobody can tell which revocations this undoes: there is no present database"
        ),
        "{said}"
    );
    assert_eq!(elsewhere.people(), ["root"]);
    // And the secret alone in the environment will do.
    let digits = fs::read_to_string(console.data().join("secret.key")).unwrap();
    let third = Console::new().with("LATCHKEY_SECRET", digits.trim());
    third.done(&line);
    assert_eq!(third.people(), ["root"]);
}

#[test]
fn nothing_is_touched_while_anybody_uses_the_database() {
    let console = Console::with_backup();
    let server = console.serve();
    for options in ["", "--dry-run", "--revive"] {
        let why = console.refused(&format!("restore copy.db {options}"));
        assert!(
            why.contains("is in use by a server or another program"),
            "{why}"
        );
    }
    drop(server);
    // Somebody with another program.
    let mut other = console.database();
    sql_query("SELECT count(*) FROM users")
        .execute(&mut other)
        .unwrap();
    let why = console.refused("restore copy.db");
    assert!(why.contains("is in use"), "{why}");
    drop(other);
    console.done("restore copy.db");
    assert_eq!(console.people(), ["root"]);
}

#[test]
fn a_wrong_secret_is_told_in_one_line_by_the_restore_and_by_the_start() {
    let console = Console::with_backup();
    let elsewhere = Console::with_administrator();
    let before = elsewhere.contents();
    let file = console.file("copy.db");
    for options in ["", "--revive", "--dry-run"] {
        let why = elsewhere.refused(&format!("restore {} {options}", file.display()));
        assert!(
            why.starts_with("the instance secret is not the one that"),
            "{why}"
        );
        assert_eq!(elsewhere.contents(), before);
    }
    // Put there by hand, past all that.
    for companion in ["latchkey.db-wal", "latchkey.db-shm"] {
        let _ = fs::remove_file(elsewhere.data().join(companion));
    }
    fs::copy(&file, elsewhere.data().join("latchkey.db")).unwrap();
    for line in ["serve --listen 127.0.0.1:0", "user list"] {
        let why = elsewhere.refused(line);
        assert!(
            why.starts_with("the instance secret is not the one"),
            "{why}"
        );
    }
}

#[test]
fn what_is_no_whole_backup_is_refused_and_nothing_is_touched() {
    let console = Console::with_backup();
    let copy = fs::read(console.file("copy.db")).unwrap();
    fs::write(console.file("text"), "not a database at all, whatever else").unwrap();
    fs::write(console.file("empty"), "").unwrap();
    fs::write(console.file("dump"), "PGDMP and so on").unwrap();
    fs::write(console.file("truncated.db"), &copy[..copy.len() / 2]).unwrap();
    let mut damaged = copy.clone();
    for byte in damaged.iter_mut().skip(8192).step_by(7).take(20_000) {
        *byte ^= 0x55;
    }
    fs::write(console.file("damaged.db"), damaged).unwrap();
    console.change("foreign.db", &["CREATE TABLE songs (id INTEGER)"]);
    fs::write(console.file("hollow.db"), &copy).unwrap();
    console.change(
        "hollow.db",
        &[
            "PRAGMA writable_schema = ON",
            "DELETE FROM sqlite_master",
            "VACUUM",
        ],
    );
    fs::write(console.file("newer.db"), &copy).unwrap();
    console.change(
        "newer.db",
        &["INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', '2999-01-01')"],
    );
    fs::write(console.file("live.db"), &copy).unwrap();
    fs::write(console.file("live.db-wal"), "something").unwrap();
    let before = console.contents();
    for (file, said) in [
        ("no-such-file", "No such file"),
        ("data", "is no file"),
        ("data/latchkey.db", "is the present database itself"),
        ("text", "it isn't an SQLite file"),
        ("empty", "it isn't an SQLite file"),
        ("dump", "backup of a PostgreSQL database"),
        ("truncated.db", "is no whole database"),
        ("damaged.db", "is no whole database"),
        ("foreign.db", "not Latchkey's"),
        ("hollow.db", "not Latchkey's"),
        ("newer.db", "made by a newer Latchkey (29990101000000)"),
        ("live.db", "with -wal at the end"),
    ] {
        for options in ["", "--revive", "--dry-run"] {
            let why = console.refused(&format!("restore {file} {options}"));
            assert!(why.contains(said), "{file}: {why}");
            assert!(
                console.contents() == before,
                "{file} {options} touches something"
            );
        }
    }
}

#[test]
fn a_backup_of_an_older_latchkey_is_migrated_before_it_is_in_place() {
    let console = Console::with_administrator();
    console.done("migrate --down 1");
    console.done("backup copy.db");
    console.done("migrate");
    console.person("later", "");
    console.done("restore copy.db");
    assert_eq!(console.done("migrate --check"), "The schema is current");
    assert_eq!(console.people(), ["root"]);
}

#[test]
fn a_present_database_that_can_not_be_read_is_put_aside_and_nothing_of_it_gets_into_the_new_one() {
    let console = Console::with_backup();
    let database = console.data().join("latchkey.db");
    fs::write(&database, vec![7; 100_000]).unwrap();
    for companion in ["latchkey.db-wal", "latchkey.db-shm", "latchkey.db-journal"] {
        fs::write(console.data().join(companion), "of the old one").unwrap();
    }
    let object = console.json("restore copy.db --revive");
    assert_eq!(object["compared"], false);
    let why = object["not_compared_because"].as_str().unwrap();
    assert!(why.contains("can't be read"), "{why}");
    assert_eq!(console.people(), ["root"]);
    let aside = console.data().join("latchkey.db.before-restore");
    assert_eq!(fs::read(&aside).unwrap(), vec![7; 100_000]);
    assert!(!console.data().join("latchkey.db-journal").exists());
}

#[test]
fn a_dry_run_tells_all_and_does_nothing() {
    let console = Console::with_backup();
    let before = console.contents();
    let object = console.json("restore copy.db --dry-run");
    assert_eq!(object["outcome"], "dry_run");
    assert_eq!(object["previous"], Value::Null);
    assert!(console.contents() == before);
    assert_eq!(console.people(), ["later", "root"]);
}

#[test]
fn a_link_leads_to_the_database_after_a_restore_as_before() {
    let console = Console::with_backup();
    let elsewhere = console.file("elsewhere.db");
    let database = console.data().join("latchkey.db");
    fs::rename(&database, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &database).unwrap();
    console.done("restore copy.db");
    assert!(fs::symlink_metadata(&database).unwrap().is_symlink());
    assert!(console.file("elsewhere.db.before-restore").exists());
    assert_eq!(console.people(), ["root"]);
}

#[test]
fn links_that_were_good_once_are_not_good_again() {
    let console = Console::with_administrator();
    console.tamper(
        "INSERT INTO account_links (user_id, purpose, salt, digest, created_at, expires_at)
         SELECT id, 'password_reset', zeroblob(32), zeroblob(32), '2026-01-01', '2999-01-01' FROM users WHERE username = 'root'",
    );
    console.tamper(
        "UPDATE instance SET setup_token_digest = zeroblob(32), setup_token_expires_at = '2999-01-01'",
    );
    console.done("backup copy.db");
    console.done("restore copy.db");
    assert_eq!(console.count("account_links"), 0);
    assert_eq!(
        console.count(
            "instance WHERE setup_token_digest IS NOT NULL OR setup_token_expires_at IS NOT NULL"
        ),
        0
    );
}

#[test]
fn of_when_a_backup_is_its_newest_change_tells() {
    let console = Console::with_administrator();
    let copy = console.file("plain.db");
    sql_query(format!("VACUUM INTO '{}'", copy.display()))
        .execute(&mut console.database())
        .unwrap();
    let said = console.done("restore plain.db --dry-run");
    assert!(
        said.starts_with("The backup's newest change is of 20"),
        "{said}"
    );
}

#[test]
fn everybody_has_to_sign_in_again() {
    let console = Console::with_administrator();
    let server = console.serve();
    let browser = server.sign_in("root", super::PASSWORD).unwrap();
    console.done("backup copy.db");
    assert!(server.knows(&browser));
    drop(server);
    assert_eq!(console.count("sessions WHERE user_id IS NOT NULL"), 1);
    // The server was killed, and its connections with it.
    std::thread::park_timeout(Duration::from_millis(10));
    console.done("restore copy.db");
    assert_eq!(console.count("sessions"), 0);
}
