//! Where the databases are that are measured, and whether they outlive the run.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::{
    cluster::{self, Cluster},
    database::{Database, Folder},
    program::Program,
    seed::{self, layout::Layout},
};

/// What Latchkey keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// As people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }
}

/// Where.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Where {
    /// Which databases.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "sqlite,postgres"
    )]
    on: Vec<Kind>,
    /// A PostgreSQL server whose user may create databases, instead of one that is started for the purpose.
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// A folder in which filled databases are kept, and used again by the next run.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// A folder on the disk that is to be measured, for databases that aren't kept.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

impl Where {
    /// Does what is filled outlive the run?
    pub(crate) fn keeps(&self) -> bool {
        self.keep.is_some()
    }

    /// The databases that were asked for.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = self.on.clone();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// The place itself, with what runs there.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    program: PathBuf,
    keeps: bool,
    server: Option<String>,
    // Dropped in this order: the server of the databases before the folder.
    cluster: Option<Cluster>,
    _folder: Option<Folder>,
}

/// A filled database, and the program on it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) kind: Kind,
    pub(crate) layout: Layout,
    pub(crate) database: Database,
    pub(crate) program: Program,
}

impl Place {
    /// A place for this program's databases.
    pub(crate) fn open(arguments: &Where, program: PathBuf) -> anyhow::Result<Place> {
        let (path, folder) = match &arguments.keep {
            Some(keep) => {
                fs::create_dir_all(keep).with_context(|| keep.display().to_string())?;
                (keep.clone(), None)
            }
            None => {
                let folder = Folder::new(&arguments.dir, "run")?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let path = path.canonicalize()?;
        let (mut cluster, mut server) = (None, arguments.postgres.clone());
        if arguments.on.contains(&Kind::Postgres) && server.is_none() {
            // Not inside of the other one, which is for its owner alone.
            let folder = match arguments.keeps() {
                true => path.join("postgres"),
                false => cluster::passing_folder(&arguments.dir)?,
            };
            let started = Cluster::start(&folder, arguments.keeps())?;
            server = Some(started.url());
            cluster = Some(started);
        }
        Ok(Place {
            path,
            program,
            keeps: arguments.keeps(),
            server,
            cluster,
            _folder: folder,
        })
    }

    /// Where files can be written on the disk that is measured.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Is PostgreSQL one of our own?
    pub(crate) fn has_cluster(&self) -> bool {
        self.cluster().is_some()
    }

    /// PostgreSQL, if it is one of our own.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// A database of this size, filled if it isn't there yet.
    pub(crate) fn instance(&mut self, kind: Kind, layout: Layout) -> anyhow::Result<Instance> {
        let (data, database) = match kind {
            Kind::Sqlite => self.sqlite(layout)?,
            Kind::Postgres => self.postgres(layout)?,
        };
        let program = Program::on(&self.program, &data, database.url().clone());
        // A database that was kept may be older than the program.
        program.run(&["migrate"], "")?;
        Ok(Instance {
            kind,
            layout,
            database,
            program,
        })
    }

    fn sqlite(&self, layout: Layout) -> anyhow::Result<(PathBuf, Database)> {
        let data = self.path.join(seed::folder_name(layout));
        if data.exists() && has_outgrown(&Database::new(&data, None, "")?, layout)? {
            fs::remove_dir_all(&data)?;
        }
        if !data.exists() {
            // It gets its name when it is complete.
            let part = data.with_extension("part");
            let _ = fs::remove_dir_all(&part);
            private(&part)?;
            let database = Database::new(&part, None, "")?;
            let program = Program::on(&self.program, &part, database.url().clone());
            seed::fill(&program, &database, layout)?;
            fs::rename(&part, &data)?;
        }
        Ok((data.clone(), Database::new(&data, None, "")?))
    }

    fn postgres(&self, layout: Layout) -> anyhow::Result<(PathBuf, Database)> {
        let server = self.server.as_deref().context("no PostgreSQL")?;
        let name = seed::database_name(layout);
        let data = self.path.join(&name);
        if !data.exists() {
            private(&data)?;
        }
        if !self.keeps {
            let database = Database::new(
                &data,
                Some(server),
                name.trim_start_matches("latchkey_bench_"),
            )?;
            let program = Program::on(&self.program, &data, database.url().clone());
            seed::fill(&program, &database, layout)?;
            return Ok((data, database));
        }
        if !Database::exists(server, &name)? || has_outgrown(&Database::on(server, &name)?, layout)?
        {
            let part = format!("{name}_part");
            let database = Database::fresh(server, &part)?;
            let program = Program::on(&self.program, &data, database.url().clone());
            seed::fill(&program, &database, layout)?;
            Database::take_away(server, &name)?;
            Database::rename(server, &part, &name)?;
        }
        Ok((data, Database::on(server, &name)?))
    }
}

/// Have loads made so many tokens in a database that was kept that it isn't of its size any more?
fn has_outgrown(database: &Database, layout: Layout) -> anyhow::Result<bool> {
    let tokens = database.number("SELECT count(*) AS number FROM access_tokens")?;
    Ok(tokens.unsigned_abs() > layout.tokens + layout.tokens / 10 + SPARE)
}

/// Tokens beside those that loads draw from.
const SPARE: u64 = 1_000;

fn private(path: &Path) -> anyhow::Result<()> {
    Ok(fs::DirBuilder::new().mode(0o700).create(path)?)
}
