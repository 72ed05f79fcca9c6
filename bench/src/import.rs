//! An import of tokens with their bots and memberships.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::ensure;
use latchkey::clock::Clock;

use crate::{
    database::{Database, Folder},
    process::{Needed, run_to_end},
    program::Program,
    report::{self, Table, grouped},
};

/// How a measurement is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Tokens, each with a bot and its membership. A tenth of them is measured, too.
    #[arg(long, default_value_t = 100_000)]
    tokens: u32,
    /// Groups that they belong to, each with an Owner.
    #[arg(long, default_value_t = 1_000)]
    groups: u32,
    /// A PostgreSQL server whose user may create databases, instead of SQLite.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Where the file and SQLite's go for as long as it lasts.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Only print the result.
    #[arg(long)]
    dry: bool,
}

/// What was measured with so many tokens.
struct Measured {
    tokens: u32,
    file_bytes: u64,
    first: Needed,
    again: Needed,
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
    let section = format!("import on {}", arguments.database());
    report::publish(&section, &circumstances, &table)
}

fn measure_with(arguments: &Arguments, path: &Path, tokens: u32) -> anyhow::Result<Measured> {
    let name = format!("import_{tokens}");
    let folder = Folder::new(&arguments.dir, &name)?;
    let database = Database::new(folder.path(), arguments.postgres.as_deref(), &name)?;
    let program = Program::on(path, folder.path(), database.url().clone());
    program.run(&["migrate"], "")?;
    let file = folder.path().join("import.json");
    write_file(&file, arguments.groups, tokens)?;
    let import = || {
        let mut command = program.command(&["import", "import.json", "--json"]);
        command.stdout(Stdio::null());
        run_to_end(command)
    };
    writeln!(io::stderr(), "{tokens} tokens: the import")?;
    let first = import()?;
    let count = |table: &str| database.number(&format!("SELECT count(*) AS number FROM {table}"));
    ensure!(
        count("access_tokens")? == i64::from(tokens),
        "tokens are missing"
    );
    ensure!(
        count("memberships")? == i64::from(tokens + arguments.groups),
        "memberships are missing"
    );
    writeln!(io::stderr(), "{tokens} tokens: the same once more")?;
    let again = import()?;
    ensure!(
        count("access_tokens")? == i64::from(tokens),
        "it isn't idempotent"
    );
    Ok(Measured {
        tokens,
        file_bytes: file.metadata()?.len(),
        first,
        again,
    })
}

/// The same file each time.
fn write_file(path: &Path, groups: u32, tokens: u32) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write!(
        out,
        r#"{{"format":"latchkey-import","version":1,"prefixes":["glpat-"],"digests":{{"kind":"sha256","salt":"good for nothing but measuring"}}"#
    )?;
    list(&mut out, "users", groups, |entry, n| {
        write!(
            entry,
            r#"{{"username":"owner{n}","name":"Owner {n}","email":"owner{n}@example.com"}}"#
        )
    })?;
    list(&mut out, "groups", groups, |entry, n| {
        write!(
            entry,
            r#"{{"path":"team{n}","name":"Team {n}","visibility":"private"}}"#
        )
    })?;
    list(&mut out, "memberships", groups, |entry, n| {
        write!(
            entry,
            r#"{{"user":"owner{n}","group":"team{n}","access_level":50}}"#
        )
    })?;
    list(&mut out, "bots", tokens, |entry, n| {
        let group = n % groups;
        write!(
            entry,
            r#"{{"username":"group_{group}_bot_{n:032x}","name":"token {n}","group":"team{group}","access_level":40,"created_by":"owner{group}","created_at":"2025-01-01T10:00:00Z"}}"#
        )
    })?;
    list(&mut out, "tokens", tokens, |entry, n| {
        let group = n % groups;
        // Forty-three characters of Base64 that no two tokens share.
        write!(
            entry,
            r#"{{"user":"group_{group}_bot_{n:032x}","name":"token {n}","scopes":["api","read_repository"],"digest":"{:0>42}A=","expires_at":"2099-01-01","created_at":"2025-01-01T10:00:00Z","last_used_at":"2026-01-01T10:00:00Z"}}"#,
            spread(n)
        )
    })?;
    writeln!(out, "}}")?;
    Ok(out
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?)
}

/// As hashes are: neighbours in the file aren't neighbours in the index.
fn spread(number: u32) -> String {
    format!("{:08x}{number:08x}", number.wrapping_mul(0x9E37_79B9))
}

fn list(
    out: &mut impl Write,
    key: &str,
    count: u32,
    entry: impl Fn(&mut String, u32) -> std::fmt::Result,
) -> anyhow::Result<()> {
    write!(out, ",\n\"{key}\":[")?;
    let mut text = String::new();
    for number in 0..count {
        text.clear();
        entry(&mut text, number)?;
        let comma = if number == 0 { "" } else { "," };
        write!(out, "{comma}\n{text}")?;
    }
    write!(out, "]")?;
    Ok(())
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
        "{}, {}, {cores} cores, {profile} build, commit {}. {} groups, an Owner each; every token has a bot and a membership.",
        Clock::System.now().date_naive(),
        arguments.database(),
        report::commit(),
        grouped(i64::from(arguments.groups)),
    )
}

fn table(few: &Measured, many: &Measured) -> Table {
    let mut table = Table::new([
        "",
        &format!("{} tokens", grouped(i64::from(few.tokens))),
        &format!("{} tokens", grouped(i64::from(many.tokens))),
        "ratio",
    ]);
    let mut row = |what: &str, of: &dyn Fn(&Measured) -> f64| {
        let (few, many) = (of(few), of(many));
        table.row([
            what.to_owned(),
            format!("{few:.2}"),
            format!("{many:.2}"),
            format!("{:.2}", many / few),
        ]);
    };
    row("the file, MiB", &|of| of.file_bytes as f64 / 1_048_576.0);
    row("seconds", &|of| of.first.time.as_secs_f64());
    row("peak memory, MiB", &|of| of.first.peak_kib as f64 / 1024.0);
    row(
        "of that its own, without the pages of SQLite's file, MiB",
        &|of| of.first.own_kib as f64 / 1024.0,
    );
    row("once more: seconds", &|of| of.again.time.as_secs_f64());
    row("once more: memory of its own, MiB", &|of| {
        of.again.own_kib as f64 / 1024.0
    });
    table
}
