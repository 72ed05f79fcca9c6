//! What requests notice of a backup that is taken beside them.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::Days;
use diesel::connection::SimpleConnection as _;
use latchkey::{clock::Clock, db::DatabaseUrl};

use crate::{
    database::{Database, Folder},
    load::{Latencies, Load},
    population::Population,
    program::Program,
    report::{self, Table},
};

/// How a measurement is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How large the database is, in MiB.
    #[arg(long, default_value_t = 1024)]
    size: u64,
    /// Reading requests a second.
    #[arg(long, default_value_t = 200)]
    reads: u32,
    /// Requests a second that make a token each.
    #[arg(long, default_value_t = 20)]
    writes: u32,
    /// Backups, one after the other.
    #[arg(long, default_value_t = 5)]
    backups: u32,
    /// Where the database and the backups go for as long as it lasts.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Only print the result.
    #[arg(long)]
    dry: bool,
}

/// Answers to both kinds of requests.
struct Answers {
    reads: Latencies,
    writes: Latencies,
}

/// Fills a database, and measures requests alone and beside backups.
pub(crate) fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Program::build()?;
    let folder = Folder::new(&arguments.dir, "backup")?;
    let database = Database::new(folder.path(), None, "backup")?;
    let program = Program::on(&path, folder.path(), database.url().clone());
    say("Filling the database")?;
    program.run(&["migrate"], "")?;
    let token = caller(&program)?;
    let population = Population {
        groups: 1_000,
        owners: 2,
        tokens: 100_000,
        expires_at: Clock::System.now().date_naive() + Days::new(200),
    };
    population.fill(&database)?;
    let size = grow(&database, arguments.size)?;

    let server = program.serve()?;
    let read = Load {
        address: server.address().to_owned(),
        path: "/api/v4/groups/measured".to_owned(),
        token,
        rate: arguments.reads,
        body: None,
    };
    let write = Load {
        path: "/api/v4/groups/measured/access_tokens".to_owned(),
        rate: arguments.writes,
        body: Some(format!(
            r#"{{"name":"made","scopes":["read_api"],"access_level":30,"expires_at":"{}"}}"#,
            population.expires_at
        )),
        ..read.clone()
    };
    let meanwhile = |work: &mut dyn FnMut() -> anyhow::Result<()>| -> anyhow::Result<Answers> {
        let (reading, writing) = (read.start(), write.start());
        let worked = work();
        let answers = Answers {
            reads: reading.finish()?,
            writes: writing.finish()?,
        };
        worked.map(|()| answers)
    };
    meanwhile(&mut || pause(Duration::from_secs(3)))?;
    say("Requests beside backups")?;
    let mut took = Vec::new();
    let copy = folder.path().join("copy.db");
    let during = meanwhile(&mut || {
        for _ in 0..arguments.backups {
            let began = Instant::now();
            program.run(&["backup", copy.to_str().context("a path")?, "--force"], "")?;
            took.push(began.elapsed());
        }
        Ok(())
    })?;
    say("Requests alone")?;
    let as_long = took.iter().sum();
    let alone = meanwhile(&mut || pause(as_long))?;

    let table = table(&alone, &during, &took);
    let circumstances = circumstances(arguments, size);
    report::print(&circumstances, &table)?;
    if arguments.dry {
        return Ok(());
    }
    report::publish("backup", &circumstances, &table)
}

fn pause(time: Duration) -> anyhow::Result<()> {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
    Ok(())
}

/// A group's owner, and a token that reads and makes tokens.
fn caller(program: &Program) -> anyhow::Result<String> {
    let person = ["--username", "bench", "--email", "bench@example.com"];
    let mut create = vec!["user", "create", "--password-stdin"];
    create.extend(person);
    program.run(&create, "a horse that staples batteries")?;
    program.run(
        &["group", "create", "--path", "measured", "--owner", "bench"],
        "",
    )?;
    program.run(
        &[
            "token", "create", "--user", "bench", "--name", "load", "--scope", "api",
        ],
        "",
    )
}

/// Lines in the trail, as years bring them, until the file is so many MiB large. Says how large it is.
fn grow(database: &Database, mib: u64) -> anyhow::Result<u64> {
    let DatabaseUrl::Sqlite(file) = database.url() else {
        anyhow::bail!("only SQLite is copied by Latchkey itself");
    };
    let mut conn = database.connect()?;
    loop {
        conn.batch_execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, ip, user_agent, request_id,
                 target_kind, target_id, target_name, group_traversal, group_path, details)
             SELECT '2026-01-01 10:00:00', 'group_access_token_created', 'human', 'Owner ' || i, 'api', '192.0.2.1',
                 'python-gitlab/4.13', hex(randomblob(16)), 'access_token', i, 'deploy ' || i, '1000/', 'team1',
                 '{\"fingerprint\":\"' || hex(randomblob(150)) || '\"}' FROM n;
             PRAGMA wal_checkpoint(TRUNCATE);",
        )?;
        let size = size_of(file)?;
        if size >= mib {
            return Ok(size);
        }
    }
}

fn size_of(file: &Path) -> anyhow::Result<u64> {
    Ok(fs::metadata(file)?.len() / 1024 / 1024)
}

/// What has to be known to make sense of the numbers.
fn circumstances(arguments: &Arguments, size: u64) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "{}, SQLite, {size} MiB, {cores} cores, {profile} build, commit {}. {} backups, {} reads/s, {} writes/s.",
        Clock::System.now().date_naive(),
        report::commit(),
        arguments.backups,
        arguments.reads,
        arguments.writes,
    )
}

fn table(alone: &Answers, during: &Answers, took: &[Duration]) -> Table {
    let mut table = Table::new(["", "alone", "beside a backup", "ratio"]);
    let mut row = |what: &str, alone: f64, during: f64, digits: usize| {
        table.row([
            what.to_owned(),
            format!("{alone:.digits$}"),
            format!("{during:.digits$}"),
            format!("{:.2}", during / alone),
        ]);
    };
    let pairs = [
        ("reads", &alone.reads, &during.reads),
        ("writes", &alone.writes, &during.writes),
    ];
    for (what, alone, during) in pairs {
        row(what, alone.count() as f64, during.count() as f64, 0);
        for (name, permille) in [("p50", 500), ("p99", 990), ("longest", 1000)] {
            let of = |latencies: &Latencies| latencies.permille(permille).as_secs_f64() * 1000.0;
            row(&format!("{what}: {name}, ms"), of(alone), of(during), 2);
        }
    }
    let seconds = took.iter().sum::<Duration>().as_secs_f64() / took.len().max(1) as f64;
    table.row([
        "seconds for a backup".to_owned(),
        String::new(),
        format!("{seconds:.2}"),
        String::new(),
    ]);
    table
}

fn say(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{what}")?)
}
