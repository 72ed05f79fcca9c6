//! A database full of tokens, the same ones each time, straight into the tables.

pub(crate) mod layout;
pub(crate) mod people;
mod postgres;
mod rows;
mod sqlite;
mod stock;
mod table;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Context as _, ensure};
use latchkey::{access_tokens::secret::DigestKey, db::DatabaseUrl};

pub(crate) use rows::path_of;
pub(crate) use stock::Stock;

use crate::{
    database::{Database, Folder},
    place::{Place, Where},
    program::{Program, SECRET},
    report::grouped,
};
use layout::Layout;

/// What is to be filled.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many tokens, each with its bot; several sizes with commas between them.
    #[arg(long, value_delimiter = ',', default_value = "1000000")]
    tokens: Vec<u64>,
    /// Groups from a top-level group down to the lowest one below it.
    #[arg(long, default_value_t = 5)]
    depth: u64,
    /// An empty database, `postgres://…` or `sqlite://FILE`, instead of those that `--keep` keeps.
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    place: Where,
}

/// Fills databases and leaves them there.
pub(crate) fn seed(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Program::build()?;
    if let Some(url) = &arguments.url {
        let url = DatabaseUrl::parse(url).context("--url")?;
        let tokens = arguments.tokens.first().copied().unwrap_or_default();
        let folder = Folder::new(&std::env::temp_dir(), "seed")?;
        let program = Program::on(&path, folder.path(), url.clone());
        return fill(&program, &Database::given(url), layout(tokens, arguments));
    }
    ensure!(
        arguments.place.keeps(),
        "where to? --keep DIR, or --url URL of an empty database"
    );
    let mut place = Place::open(&arguments.place, path)?;
    for tokens in &arguments.tokens {
        for kind in arguments.place.kinds() {
            place.instance(kind, layout(*tokens, arguments))?;
        }
    }
    Ok(())
}

fn layout(tokens: u64, arguments: &Arguments) -> Layout {
    Layout {
        tokens,
        depth: arguments.depth,
    }
}

/// The key that digests are made with.
fn key() -> DigestKey {
    DigestKey::derive(SECRET.as_bytes())
}

/// Fills an empty database: people, groups, bots and tokens.
pub(crate) fn fill(program: &Program, database: &Database, layout: Layout) -> anyhow::Result<()> {
    let began = Instant::now();
    program.run(&["migrate"], "")?;
    people::settle(program)?;
    let key = key();
    let say = |what: &str| {
        let seconds = began.elapsed().as_secs();
        writeln!(io::stderr(), "{seconds:>5} s  {}: {what}", database.url())
    };
    let tokens = grouped(layout.tokens.cast_signed());
    say(&format!("{tokens} tokens, depth {}", layout.depth))?;
    let mut work = |store: &mut dyn table::Store| {
        rows::fill(store, layout, &key, &mut |table| Ok(say(table.name())?))?;
        Ok(say("indexes")?)
    };
    match database.url() {
        DatabaseUrl::Sqlite(path) => sqlite::Sqlite::fill(path, &mut work)?,
        DatabaseUrl::Postgres(_) => postgres::Postgres::fill(database.url(), &mut work)?,
    }
    people::join(&mut database.connect()?, &key)?;
    say("done")?;
    Ok(())
}

/// Where an SQLite database of this size is kept.
pub(crate) fn folder_name(layout: Layout) -> PathBuf {
    PathBuf::from(format!("sqlite-{}-{}", layout.tokens, layout.depth))
}

/// What a PostgreSQL database of this size is called.
pub(crate) fn database_name(layout: Layout) -> String {
    format!("latchkey_bench_{}_{}", layout.tokens, layout.depth)
}
