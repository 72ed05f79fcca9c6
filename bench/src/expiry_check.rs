//! The check that tells people which tokens end soon.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::ensure;
use chrono::Days;
use latchkey::clock::Clock;

use crate::{
    database::{Database, Folder},
    load::{Latencies, Load},
    population::Population,
    process::{Needed, run_to_end},
    program::Program,
    report::{self, Table, grouped},
};

/// How long requests are measured while nothing else goes on.
const IDLE: Duration = Duration::from_secs(10);

/// Who owns each group.
const OWNERS: u32 = 2;

/// How a measurement is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Tokens that end on the same day. A tenth of them is measured, too.
    #[arg(long, default_value_t = 100_000)]
    tokens: u32,
    /// Groups that they belong to, each with two Owners.
    #[arg(long, default_value_t = 1_000)]
    groups: u32,
    /// Requests a second while it is measured.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// A PostgreSQL server whose user may create databases, instead of SQLite.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where SQLite's file and the mails go for as long as it lasts.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Only print the result.
    #[arg(long)]
    dry: bool,
}

/// What was measured with so many tokens.
struct Measured {
    tokens: u32,
    first: Needed,
    mails: i64,
    again: Needed,
    mails_again: i64,
    idle: Latencies,
    during: Latencies,
}

/// Measures a tenth of the tokens and all of them, and reports both.
pub(crate) fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Program::build()?;
    let few = measure_with(arguments, &path, arguments.tokens / 10)?;
    let many = measure_with(arguments, &path, arguments.tokens)?;
    let (table, circumstances) = (table(&few, &many), circumstances(arguments));
    report::print(&circumstances, &table)?;
    if arguments.dry {
        return Ok(());
    }
    let section = format!("expiry-check on {}", arguments.database());
    report::publish(&section, &circumstances, &table)
}

fn measure_with(arguments: &Arguments, path: &Path, tokens: u32) -> anyhow::Result<Measured> {
    let name = tokens.to_string();
    let folder = Folder::new(&arguments.dir, &name)?;
    let database = Database::new(folder.path(), arguments.postgres.as_deref(), &name)?;
    let program = Program::on(path, folder.path(), database.url().clone());
    say(&format!("{tokens} tokens: filling the database"))?;
    program.run(&["migrate"], "")?;
    let token = caller(&program)?;
    // Far enough for the server's own clock not to see it coming.
    let expires_at = Clock::System.now().date_naive() + Days::new(200);
    let population = Population {
        groups: arguments.groups,
        owners: OWNERS,
        tokens,
        expires_at,
    };
    population.fill(&database)?;

    let server = program.serve()?;
    let load = Load {
        address: server.address().to_owned(),
        path: "/api/v4/groups/measured".to_owned(),
        token,
        rate: arguments.rate,
        body: None,
    };
    load.run_for(Duration::from_secs(1))?;
    say(&format!("{tokens} tokens: requests alone"))?;
    let idle = load.run_for(IDLE)?;

    say(&format!("{tokens} tokens: the check"))?;
    let day = format!("{}T01:00:00Z", expires_at - Days::new(5));
    let check = || {
        let mut command = program.command(&["job", "run", "expiry-check", "--now", &day]);
        command.stdout(Stdio::null());
        run_to_end(command)
    };
    let mails = || database.number("SELECT count(*) AS number FROM emails");
    let before = mails()?;
    let running = load.start();
    let first = check();
    let during = running.finish()?;
    let first = first?;
    let sent = mails()? - before;
    say(&format!("{tokens} tokens: the check once more"))?;
    let again = check()?;
    let measured = Measured {
        tokens,
        first,
        mails: sent,
        again,
        mails_again: mails()? - before - sent,
        idle,
        during,
    };
    ensure!(
        measured.mails == i64::from(tokens) * i64::from(OWNERS),
        "{} mails for {tokens} tokens",
        measured.mails
    );
    ensure!(measured.mails_again == 0, "somebody is told twice");
    Ok(measured)
}

/// Makes a person with a group and a token of it, and says the token's value.
fn caller(program: &Program) -> anyhow::Result<String> {
    program.run(
        &[
            "user",
            "create",
            "--username",
            "bench",
            "--email",
            "bench@example.com",
            "--password-stdin",
        ],
        "a horse that staples batteries",
    )?;
    program.run(
        &["group", "create", "--path", "measured", "--owner", "bench"],
        "",
    )?;
    program.run(
        &[
            "token", "create", "--group", "measured", "--name", "load", "--scope", "read_api",
        ],
        "",
    )
}

impl Arguments {
    fn database(&self) -> &'static str {
        if self.postgres.is_some() {
            "PostgreSQL"
        } else {
            "SQLite"
        }
    }
}

/// What has to be known to make sense of the numbers.
fn circumstances(arguments: &Arguments) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "{}, {}, {cores} cores, {profile} build, commit {}. {} groups, {OWNERS} Owners each, {} requests/s.",
        Clock::System.now().date_naive(),
        arguments.database(),
        report::commit(),
        grouped(i64::from(arguments.groups)),
        arguments.rate,
    )
}

fn table(few: &Measured, many: &Measured) -> Table {
    let mut table = Table::new([
        "",
        &format!("{} tokens", grouped(i64::from(few.tokens))),
        &format!("{} tokens", grouped(i64::from(many.tokens))),
        "ratio",
    ]);
    let mut row = |what: &str, of: &dyn Fn(&Measured) -> f64, show: &dyn Fn(f64) -> String| {
        let (few, many) = (of(few), of(many));
        let ratio = if few > 0.0 {
            format!("{:.2}", many / few)
        } else {
            String::new()
        };
        table.row([what.to_owned(), show(few), show(many), ratio]);
    };
    let whole = |value: f64| grouped(value.round() as i64);
    let precise = |value: f64| format!("{value:.2}");
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    row("mails put into the outbox", &|of| of.mails as f64, &whole);
    row("seconds", &|of| of.first.time.as_secs_f64(), &precise);
    row(
        "peak memory of the job, MiB",
        &|of| of.first.peak_kib as f64 / 1024.0,
        &precise,
    );
    row(
        "of that its own, without the pages of SQLite's file, MiB",
        &|of| of.first.own_kib as f64 / 1024.0,
        &precise,
    );
    row(
        "once more: seconds",
        &|of| of.again.time.as_secs_f64(),
        &precise,
    );
    row("once more: mails", &|of| of.mails_again as f64, &whole);
    row("requests meanwhile", &|of| of.during.count() as f64, &whole);
    row(
        "p50 alone, ms",
        &|of| milliseconds(of.idle.permille(500)),
        &precise,
    );
    row(
        "p50 meanwhile, ms",
        &|of| milliseconds(of.during.permille(500)),
        &precise,
    );
    row(
        "p99 alone, ms",
        &|of| milliseconds(of.idle.permille(990)),
        &precise,
    );
    row(
        "p99 meanwhile, ms",
        &|of| milliseconds(of.during.permille(990)),
        &precise,
    );
    row(
        "p99 meanwhile / p99 alone",
        &|of| of.during.permille(990).as_secs_f64() / of.idle.permille(990).as_secs_f64(),
        &precise,
    );
    table
}

fn say(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{what}")?)
}
