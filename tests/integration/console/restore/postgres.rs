//! `latchkey restore` on PostgreSQL, with its own programs.

use std::fs;

use super::Console;
use crate::{
    console::backup::SECRET,
    support::postgres::{TestDatabase, postgres},
};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt,
};

/// The one number that a query asks for.
pub(in crate::console) fn count(database: &TestDatabase, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let mut conn = PgConnection::establish(&database.url()).unwrap();
    let counted: Count = sql_query(format!("SELECT count(*) AS number FROM {query}"))
        .get_result(&mut conn)
        .unwrap();
    counted.number
}

/// What is in a database that was made empty: tables and functions.
fn tables(database: &TestDatabase) -> i64 {
    count(database, "pg_tables WHERE schemaname = 'public'")
        + count(
            database,
            "pg_proc WHERE pronamespace = 'public'::regnamespace",
        )
}

pub(super) fn on(database: &TestDatabase) -> Console {
    Console::new()
        .with("LATCHKEY_DATABASE_URL", &database.url())
        .with("LATCHKEY_SECRET", SECRET)
        .with("PATH", &std::env::var("PATH").unwrap())
}

#[test]
fn a_dump_comes_back_into_an_empty_database_and_what_it_undoes_is_told() {
    let Some((console, database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("group create --path acme");
    let kept = console.done("token create --group acme --name kept");
    let revoked = console.done("token create --group acme --name revoked");
    console.done("backup copy.dump");
    let tokens = console.json("token list --group acme");
    let id = &tokens
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["name"] == "revoked")
        .unwrap()["id"];
    console.done(&format!("token revoke {id}"));

    // Over a database nothing is ever put, nor beside what is left of one.
    let left = postgres().unwrap().create_database();
    let mut conn = PgConnection::establish(&left.url()).unwrap();
    sql_query("CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        .execute(&mut conn)
        .unwrap();
    let line = format!("restore {} --revive", console.file("copy.dump").display());
    let why = on(&left).refused(&line);
    assert!(why.contains("is not empty"), "{why}");
    let why = console.refused("restore copy.dump --revive");
    assert!(
        why.contains("is not empty") && why.contains("--previous-database"),
        "{why}"
    );

    let fresh = postgres().unwrap().create_database();
    let elsewhere = on(&fresh);
    let restore = format!(
        "restore {} --previous-database {}",
        console.file("copy.dump").display(),
        database.name()
    );
    {
        let _server = console.serve();
        let why = elsewhere.refused(&restore);
        assert!(
            why.contains("it is in use") && why.contains("stop all nodes"),
            "{why}"
        );
    }
    let outcome = elsewhere.run(&restore);
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("1 token would work again"),
        "{outcome:?}"
    );
    assert_eq!(tables(&fresh), 0, "nothing is left of it");
    assert_eq!(
        elsewhere.json(&format!("{restore} --dry-run"))["tokens"][0]["name"],
        "revoked"
    );
    assert_eq!(tables(&fresh), 0, "nothing is left of it");

    let object = elsewhere.json(&format!("{restore} --revoke"));
    assert_eq!(object["outcome"], "restored");
    assert_eq!(object["revoked"], 1);
    assert_eq!(
        count(
            &fresh,
            "audit_events WHERE event IN ('system_backup', 'system_restored')"
        ),
        2
    );
    let server = elsewhere.serve();
    server
        .api("/personal_access_tokens/self", &kept)
        .expect(200);
    server
        .api("/personal_access_tokens/self", &revoked)
        .expect(401);
    // The counters of ids have come along.
    drop(server);
    elsewhere.person("later", "");
}

#[test]
fn without_the_previous_database_nobody_can_tell_what_is_undone() {
    let Some((console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("backup copy.dump");
    let fresh = postgres().unwrap().create_database();
    let line = format!("restore {}", console.file("copy.dump").display());
    for (options, said) in [
        ("", "nobody can tell which revocations that would undo"),
        (
            "--revoke",
            "--revoke can't tell which tokens it is to revoke",
        ),
    ] {
        let outcome = on(&fresh).run(&format!("{line} {options}"));
        assert_eq!(outcome.status, Some(1), "{outcome:?}");
        assert!(
            outcome.stderr.contains(said)
                && outcome.stderr.contains("--previous-database")
                && outcome.stderr.contains("--revive"),
            "{outcome:?}"
        );
        assert_eq!(tables(&fresh), 0, "nothing is left of it");
    }
    let said = on(&fresh).done(&format!("{line} --revive"));
    assert!(
        said.contains("Nobody can tell which revocations this undoes"),
        "{said}"
    );
    assert_eq!(on(&fresh).json("user list")[0]["username"], "root");
}

#[test]
fn what_is_no_dump_of_this_instance_is_refused_and_the_database_stays_empty() {
    let Some((console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("backup copy.dump");
    let copy = fs::read(console.file("copy.dump")).unwrap();
    fs::write(console.file("truncated.dump"), &copy[..copy.len() / 2]).unwrap();
    fs::write(console.file("text"), "not a dump").unwrap();
    let sqlite = Console::with_administrator();
    sqlite.done("backup copy.db");
    fs::copy(sqlite.file("copy.db"), console.file("copy.db")).unwrap();

    let newer = Console::on_postgres().unwrap();
    newer.0.person("root", "--admin");
    let mut conn = PgConnection::establish(&newer.1.url()).unwrap();
    newer.0.done("backup foreign.dump");
    sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .execute(&mut conn)
        .unwrap();
    let dumped = std::process::Command::new("pg_dump")
        .args(["--format=custom", "--file"])
        .arg(console.file("newer.dump"))
        .arg(newer.1.url())
        .status()
        .unwrap();
    assert!(dumped.success());
    drop(conn);

    let fresh = postgres().unwrap().create_database();
    let mut elsewhere = on(&fresh);
    let refused = |elsewhere: &Console, file: &str, said: &str| {
        for options in ["", "--revive", "--dry-run"] {
            let line = format!("restore {} {options}", console.file(file).display());
            let why = elsewhere.refused(&line);
            assert!(why.contains(said), "{file}: {why}");
            assert_eq!(tables(&fresh), 0, "{file}");
        }
    };
    refused(&elsewhere, "no-such-file", "No such file");
    refused(&elsewhere, "text", "is no backup");
    refused(&elsewhere, "copy.db", "backup of an SQLite database");
    refused(&elsewhere, "truncated.dump", "pg_restore failed");
    refused(
        &elsewhere,
        "newer.dump",
        "made by a newer Latchkey (29990101000000)",
    );
    elsewhere
        .environment
        .retain(|(name, _)| *name != "LATCHKEY_SECRET");
    let elsewhere = elsewhere.with(
        "LATCHKEY_SECRET",
        "another secret, of 32 bytes and more, too",
    );
    refused(
        &elsewhere,
        "copy.dump",
        "the instance secret is not the one",
    );
}

#[test]
fn a_database_that_is_not_restored_to_the_end_is_refused_by_every_start() {
    let Some((console, _database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    console.done("backup copy.dump");
    // What a restore has done when it is killed before its last step.
    let fresh = postgres().unwrap().create_database();
    let script = format!(
        "pg_restore --list '{0}' | grep -v 'TABLE DATA public instance ' | pg_restore --use-list=/dev/stdin --dbname='{1}' '{0}'",
        console.file("copy.dump").display(),
        fresh.url()
    );
    let restored = std::process::Command::new("sh")
        .args(["-c", &script])
        .status()
        .unwrap();
    assert!(restored.success());
    for line in ["serve --listen 127.0.0.1:0", "user list"] {
        let why = on(&fresh).refused(line);
        assert!(why.contains("was not restored to the end"), "{why}");
    }
    let outcome = on(&fresh).run("doctor");
    assert_eq!(outcome.status, Some(1), "{outcome:?}");
    assert!(
        outcome.stdout.contains("not restored to the end"),
        "{outcome:?}"
    );
}

#[test]
fn the_documented_programs_do_it_too() {
    let Some((console, database)) = Console::on_postgres() else {
        return;
    };
    console.person("root", "--admin");
    let fresh = postgres().unwrap().create_database();
    let script = format!(
        "pg_dump --format=custom --no-owner --no-privileges --file=latchkey.dump --dbname='{}' && \
         pg_restore --single-transaction --exit-on-error --no-owner --no-privileges --dbname='{}' latchkey.dump",
        database.url(),
        fresh.url()
    );
    let done = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(console.folder.path())
        .status()
        .unwrap();
    assert!(done.success());
    assert_eq!(on(&fresh).json("user list")[0]["username"], "root");
    // The same file is one that latchkey restore takes.
    let other = postgres().unwrap().create_database();
    on(&other).done(&format!(
        "restore {} --revive",
        console.file("latchkey.dump").display()
    ));
    assert_eq!(on(&other).json("user list")[0]["username"], "root");
}
