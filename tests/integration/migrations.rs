//! The schema: up and down on both databases, the same on both, and the same as `src/db/schema.rs` says.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use diesel::{
    QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use latchkey::db::{
    Counters, Database, DatabaseUrl, DbConnection, SchemaState, migrate, revert, schema_state,
};
use latchkey::users::{create::NewPerson, sign_up::sign_up};
use regex::Regex;
use tempfile::TempDir;

use crate::support::{
    TestServer,
    postgres::{TestDatabase, postgres},
    storage::{Storage, folder},
};

/// A database without tables.
enum Empty {
    Sqlite(TempDir),
    Postgres(TestDatabase),
}

impl Empty {
    fn both() -> Vec<Empty> {
        let postgres = postgres().map(|cluster| Empty::Postgres(cluster.create_database()));
        [Empty::Sqlite(folder())]
            .into_iter()
            .chain(postgres)
            .collect()
    }

    fn url(&self) -> DatabaseUrl {
        match self {
            Empty::Sqlite(folder) => DatabaseUrl::Sqlite(folder.path().join("empty.db")),
            Empty::Postgres(database) => DatabaseUrl::parse(&database.url()).unwrap(),
        }
    }

    fn connect(&self) -> DbConnection {
        DbConnection::open(&self.url(), &Arc::new(Counters::default())).unwrap()
    }
}

/// `users.name` to whether it may be null.
type Columns = BTreeMap<String, bool>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    nullable: String,
}

fn columns(conn: &mut DbConnection) -> Columns {
    let found: Vec<Column> = match conn {
        // A primary key can't be null, whether or not its declaration says so; `AUTOINCREMENT` can't say so.
        DbConnection::Sqlite(conn) => sql_query(
            "SELECT t.name || '.' || c.name AS place,
                    CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'no' ELSE 'yes' END AS nullable
             FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
        )
        .load(conn),
        DbConnection::Postgres(conn) => sql_query(
            "SELECT table_name || '.' || column_name AS place, lower(is_nullable::text) AS nullable
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%'",
        )
        .load(conn),
    }
    .unwrap();
    found
        .into_iter()
        .map(|column| (column.place, column.nullable == "yes"))
        .collect()
}

/// Unique or not, table, columns, condition: of every index that a migration names.
fn indexes(folder: &str) -> Vec<String> {
    let pattern =
        Regex::new(r"(?s)CREATE (UNIQUE )?INDEX (\w+) ON (\w+)\s*\((.*?)\)\s*(WHERE [^;]+)?;")
            .unwrap();
    let mut found: Vec<String> = sql_files(folder, "up.sql")
        .iter()
        .flat_map(|(_, text)| {
            pattern
                .captures_iter(text)
                .map(|index| {
                    let part = |at: usize| index.get(at).map_or("", |part| part.as_str()).trim();
                    // What PostgreSQL alone has to be told, so that its order of texts serves LIKE and ranges.
                    let columns = part(4)
                        .replace(" text_pattern_ops", "")
                        .replace(" COLLATE \"C\"", "");
                    format!(
                        "{}{} ON {} ({columns}) {}",
                        part(1),
                        part(2),
                        part(3),
                        part(5)
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
    found.sort();
    found
}

/// Name of the migration and text, oldest first.
fn sql_files(folder: &str, file: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(folder);
    let mut found: Vec<(String, String)> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(path.join(file));
            (
                name.clone(),
                text.unwrap_or_else(|_| panic!("migrations/{folder}/{name} has no {file}")),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_migration_goes_down_and_up_again_and_leaves_the_same_schema() {
    let steps = sql_files("sqlite", "up.sql").len();
    for database in Empty::both() {
        let conn = &mut database.connect();
        assert_eq!(schema_state(conn).unwrap(), SchemaState::Empty);
        assert_eq!(migrate(conn).unwrap(), steps);
        assert_eq!(schema_state(conn).unwrap(), SchemaState::Current);
        let whole = columns(conn);
        for back in 1..=steps {
            assert_eq!(revert(conn, 1).unwrap(), 1);
            let state = schema_state(conn).unwrap();
            let expected = if back == steps {
                SchemaState::Empty
            } else {
                SchemaState::Older(back)
            };
            assert_eq!(state, expected, "{}", database.url());
        }
        assert_eq!(
            columns(conn),
            Columns::new(),
            "a down.sql leaves something behind"
        );
        assert_eq!(migrate(conn).unwrap(), steps);
        assert_eq!(columns(conn), whole);
        assert_eq!(revert(conn, steps).unwrap(), steps);
        assert_eq!(columns(conn), Columns::new());
        assert_eq!(
            revert(conn, 1).unwrap(),
            0,
            "there is nothing left to take back"
        );
    }
}

#[test]
fn a_failing_migration_changes_nothing() {
    for database in Empty::both() {
        let conn = &mut database.connect();
        migrate(conn).unwrap();
        revert(conn, 4).unwrap();
        // The last thing that the last migration makes is there already.
        conn.batch_execute("CREATE INDEX access_tokens_living_of_project ON users (id)")
            .unwrap();
        let before = columns(conn);
        assert!(migrate(conn).is_err());
        assert_eq!(columns(conn), before);
        assert_eq!(schema_state(conn).unwrap(), SchemaState::Older(4));
        // What those before had made is gone as well: the name is free.
        conn.batch_execute("ALTER TABLE users ADD COLUMN calendar_salt TEXT")
            .unwrap();
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder| {
        sql_files(folder, "down.sql")
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert_eq!(indexes("sqlite"), indexes("postgres"));
    assert!(!indexes("sqlite").is_empty());
}

#[test]
fn both_databases_have_the_same_tables_columns_and_nulls() {
    let found: Vec<Columns> = Empty::both()
        .iter()
        .map(|database| {
            let conn = &mut database.connect();
            migrate(conn).unwrap();
            columns(conn)
        })
        .collect();
    for other in &found[1..] {
        assert_eq!(other, &found[0]);
    }
}

#[test]
fn the_code_and_the_database_agree_about_the_schema() {
    let database = Empty::Sqlite(folder());
    let conn = &mut database.connect();
    migrate(conn).unwrap();
    let real = columns(conn);
    let source =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/schema.rs")).unwrap();
    let table = Regex::new(r"(?s)diesel::table! \{\s*(\w+) \([^)]*\) \{(.*?)\n    \}").unwrap();
    let column = Regex::new(r"(\w+) -> ([\w<>]+)").unwrap();
    let mut declared = Columns::new();
    for table in table.captures_iter(&source) {
        for column in column.captures_iter(&table[2]) {
            declared.insert(
                format!("{}.{}", &table[1], &column[1]),
                column[2].starts_with("Nullable"),
            );
        }
    }
    assert_eq!(declared, real);
}

#[test]
fn of_four_that_migrate_an_empty_postgres_at_once_one_does_the_work() {
    let Some(cluster) = postgres() else { return };
    let program = env!("CARGO_BIN_EXE_latchkey");
    for _ in 0..3 {
        let database = cluster.create_database();
        let data = folder();
        let started: Vec<_> = (0..4)
            .map(|node| {
                std::process::Command::new(program)
                    .args(["migrate", "--database-url", &database.url()])
                    .arg("--data-dir")
                    .arg(data.path().join(format!("node{node}")))
                    .env_clear()
                    .env(
                        "LATCHKEY_SECRET",
                        "the secret that all four nodes of this test share",
                    )
                    .stdout(std::process::Stdio::piped())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for node in started {
            let done = node.wait_with_output().unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        }
        let url = DatabaseUrl::parse(&database.url()).unwrap();
        let conn = &mut Database::open(url, 1).unwrap().connect().unwrap();
        assert_eq!(schema_state(conn).unwrap(), SchemaState::Current);
    }
}

#[test]
fn a_database_of_somebody_else_is_told_apart_and_left_alone() {
    for database in Empty::both() {
        let conn = &mut database.connect();
        conn.batch_execute("CREATE TABLE orders (id INTEGER);")
            .unwrap();
        assert_eq!(schema_state(conn).unwrap(), SchemaState::Foreign);
        let conn = &mut database.connect();
        assert_eq!(columns(conn).keys().collect::<Vec<_>>(), ["orders.id"]);
    }
}

#[test]
fn who_signed_up_before_the_upgrade_is_known_by_the_trail() {
    for storage in [Some(Storage::sqlite()), Storage::postgres()]
        .into_iter()
        .flatten()
    {
        let url = storage.url();
        let server = TestServer::on(storage);
        server.person("ann").create();
        server.set("signup_enabled", "true");
        let eve = NewPerson {
            username: "eve".into(),
            name: "Eve".into(),
            email: "eve@example.com".into(),
            password_hash: None,
            admin: false,
            external: false,
        };
        server.arrange(move |conn, ctx| sign_up(conn, ctx, &eve));
        let conn = &mut DbConnection::open(&url, &Arc::new(Counters::default())).unwrap();
        revert(conn, 1).unwrap();
        migrate(conn).unwrap();
        let condition = "username = 'eve' AND signed_up_at = created_at";
        assert_eq!(server.count("users", condition), 1);
        assert_eq!(server.count("users", "signed_up_at IS NOT NULL"), 1);
    }
}

#[test]
fn limits_are_the_databases_own_too() {
    for storage in [Some(Storage::sqlite()), Storage::postgres()]
        .into_iter()
        .flatten()
    {
        let server = TestServer::on(storage);
        let acme = server.group("acme").create();
        let root = acme.id;
        let long = "x".repeat(256);
        for refused in [
            format!("UPDATE groups SET name = '{long}' WHERE id = {root}"),
            format!("UPDATE groups SET name = '' WHERE id = {root}"),
            format!("UPDATE groups SET visibility = 'secret' WHERE id = {root}"),
            "UPDATE users SET kind = 'robot'".to_owned(),
            "UPDATE users SET kind = 'project_bot', bot_group_id = NULL".to_owned(),
            "INSERT INTO instance (id) VALUES (2)".to_owned(),
        ] {
            let statement = refused.clone();
            server.person(&format!("p{}", server.next())).create();
            let outcome = server.attempt_as(
                latchkey::actor::Actor::system(latchkey::actor::Origin::console()),
                move |conn, _| {
                    Ok(match conn {
                        DbConnection::Sqlite(conn) => sql_query(&statement).execute(conn),
                        DbConnection::Postgres(conn) => sql_query(&statement).execute(conn),
                    }?)
                },
            );
            assert!(outcome.is_err(), "{refused}");
        }
    }
}
