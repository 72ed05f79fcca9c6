//! The two doors, tried on a file of their own.

use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::schema::settings;
use super::{Database, DatabaseUrl, SchemaState, migrate, optimize, revert, schema_state};
use crate::error::Error;

fn fresh() -> (Database, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(dir.path().join("test.db"));
    let db = Database::open(url, 2).unwrap();
    migrate(&mut db.connect().unwrap()).unwrap();
    (db, dir)
}

fn put(db: &Database, key: &'static str) -> Result<(), Error> {
    db.write_now(move |conn| {
        diesel::insert_into(settings::table)
            .values((settings::key.eq(key), settings::value.eq("1")))
            .execute(conn)?;
        Ok(())
    })
}

fn keys(db: &Database) -> Vec<String> {
    db.read_now(|conn| {
        Ok(settings::table
            .select(settings::key)
            .order(settings::key)
            .load(conn)?)
    })
    .unwrap()
}

#[test]
fn a_failed_change_takes_back_itself_and_nothing_else() {
    let (db, _dir) = fresh();
    put(&db, "before").unwrap();
    let failed: Result<(), Error> = db.write_now(|conn| {
        diesel::insert_into(settings::table)
            .values((settings::key.eq("half"), settings::value.eq("1")))
            .execute(conn)?;
        Err(Error::refused("no"))
    });
    assert!(matches!(failed, Err(Error::Refused(_))));
    put(&db, "after").unwrap();
    assert_eq!(keys(&db), ["after", "before"]);
}

#[test]
fn a_change_that_panics_is_an_error_and_the_writer_goes_on() {
    let (db, _dir) = fresh();
    let panicked: Result<(), Error> = db.write_now(|_| panic!("as if there were a bug"));
    assert!(matches!(panicked, Err(Error::Internal(_))));
    put(&db, "after").unwrap();
    assert_eq!(keys(&db), ["after"]);
}

#[test]
fn changes_that_read_first_and_write_later_never_find_the_database_locked() {
    let (db, _dir) = fresh();
    put(&db, "counter").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    db.write_now(|conn| {
                        let value: String = settings::table
                            .find("counter")
                            .select(settings::value)
                            .get_result(conn)?;
                        let next = value.parse::<i64>().unwrap_or(0) + 1;
                        diesel::update(settings::table.find("counter"))
                            .set(settings::value.eq(next.to_string()))
                            .execute(conn)?;
                        Ok(())
                    })
                    .unwrap();
                }
            });
        }
    });
    let value: String = db
        .read_now(|conn| {
            Ok(settings::table
                .find("counter")
                .select(settings::value)
                .get_result(conn)?)
        })
        .unwrap();
    assert_eq!(value, "201");
}

#[test]
fn all_migrations_go_down_and_up_again() {
    let (db, _dir) = fresh();
    let mut conn = db.connect().unwrap();
    assert_eq!(schema_state(&mut conn).unwrap(), SchemaState::Current);
    revert(&mut conn, 2).unwrap();
    assert_eq!(schema_state(&mut conn).unwrap(), SchemaState::Older(2));
    revert(&mut conn, 1000).unwrap();
    assert_eq!(schema_state(&mut conn).unwrap(), SchemaState::Empty);
    migrate(&mut conn).unwrap();
    assert_eq!(schema_state(&mut conn).unwrap(), SchemaState::Current);
}

#[test]
fn newer_and_foreign_databases_are_told_apart() {
    use diesel::connection::SimpleConnection as _;
    let (db, _dir) = fresh();
    let mut conn = db.connect().unwrap();
    conn.batch_execute(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')",
    )
    .unwrap();
    assert_eq!(
        schema_state(&mut conn).unwrap(),
        SchemaState::Newer("29991231000000".into())
    );

    let dir = tempfile::tempdir().unwrap();
    let other = Database::open(DatabaseUrl::Sqlite(dir.path().join("other.db")), 1).unwrap();
    let mut conn = other.connect().unwrap();
    conn.batch_execute("CREATE TABLE invoices (id INTEGER)")
        .unwrap();
    assert_eq!(schema_state(&mut conn).unwrap(), SchemaState::Foreign);
}

#[test]
fn a_new_database_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (db, dir) = fresh();
    put(&db, "something").unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn lower_folds_every_script() {
    let (db, _dir) = fresh();
    let folded: String = db
        .read_now(|conn| Ok(diesel::select(super::lower("ÜBERBLICK ŁÓDŹ")).get_result(conn)?))
        .unwrap();
    assert_eq!(folded, "überblick łódź");
}

#[test]
fn what_begins_and_ends_a_transaction_is_not_counted_as_a_query() {
    let (db, _dir) = fresh();
    let before = db.counters().queries();
    put(&db, "kept").unwrap();
    assert_eq!(db.counters().queries() - before, 1);
    let failed: Result<(), Error> = db.write_now(|conn| {
        conn.transaction(|conn| settings::table.count().get_result::<i64>(conn))?;
        Err(Error::refused("no"))
    });
    assert!(failed.is_err());
    assert_eq!(db.counters().queries() - before, 2);
    assert_eq!(keys(&db), ["kept"]);
    assert_eq!(db.counters().queries() - before, 3);
}

#[test]
fn a_server_that_cannot_be_reached_keeps_nobody_waiting() {
    // Nothing listens there.
    let url = DatabaseUrl::Postgres("postgres://somebody@127.0.0.1:1/nothing".into());
    let db = Database::open(url, 2).unwrap();
    let began = Instant::now();
    let away = |answer: Result<(), Error>| matches!(answer, Err(Error::Unavailable(_)));
    assert!(away(db.read_now(|_| Ok(()))));
    assert!(away(db.write_now(|_| Ok(()))));
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// `.cargo/config.toml` says what for.
#[test]
fn sqlite_is_compiled_so_that_lists_are_planned_once_and_nothing_is_counted_or_locked_in_vain() {
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    let mut statement = conn.prepare("PRAGMA compile_options").unwrap();
    let options: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for wanted in ["ENABLE_QPSG", "DEFAULT_MEMSTATUS=0", "THREADSAFE=2"] {
        assert!(options.iter().any(|option| option == wanted), "{options:?}");
    }
}

/// How many rows SQLite believes a table to have, if it has counted them, and how often its plans were thrown away.
fn known(db: &Database) -> (Option<String>, i64) {
    let DatabaseUrl::Sqlite(path) = db.url() else {
        panic!("these tests are on SQLite");
    };
    let conn = rusqlite::Connection::open(path).unwrap();
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    // The table is made by the first count.
    let counted = number("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'");
    let settings = (counted > 0).then(|| {
        let stat = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'settings'";
        let stat: String = conn.query_row(stat, [], |row| row.get(0)).unwrap();
        stat.split(' ').next().unwrap_or_default().to_owned()
    });
    (settings, number("PRAGMA schema_version"))
}

#[test]
fn sqlite_learns_how_its_tables_are_filled_and_leaves_alone_what_it_knows() {
    let (db, _dir) = fresh();
    let fill = |from: usize, to: usize| {
        db.write_now(move |conn| {
            for key in from..to {
                diesel::insert_into(settings::table)
                    .values((settings::key.eq(key.to_string()), settings::value.eq("1")))
                    .execute(conn)?;
            }
            Ok(())
        })
        .unwrap();
    };
    fill(0, 3);
    assert_eq!(known(&db).0, None);
    // The program is started anew now and then, and has looked at no table yet.
    let optimized = || {
        let again = Database::open(db.url().clone(), 2).unwrap();
        again.write_now(optimize).unwrap();
        known(&again)
    };
    let (settings, version) = optimized();
    assert_eq!(settings.as_deref(), Some("3"));
    assert_eq!(optimized(), (settings, version), "nothing has changed");
    fill(3, 100);
    assert_eq!(optimized().0.as_deref(), Some("100"), "more than tenfold");
}

#[test]
fn a_journal_that_one_change_made_long_is_cut_again() {
    let (db, dir) = fresh();
    let length = || dir.path().join("test.db-wal").metadata().unwrap().len();
    let limit = 16 << 20;
    db.write_now(|conn| {
        let long = "x".repeat(20 << 20);
        diesel::insert_into(settings::table)
            .values((settings::key.eq("long"), settings::value.eq(long)))
            .execute(conn)?;
        Ok(())
    })
    .unwrap();
    assert!(length() > limit);
    put(&db, "after").unwrap();
    assert!(length() <= limit, "{} bytes", length());
}
