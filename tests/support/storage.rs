//! A database of a test's own, already migrated.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use latchkey::db::{Counters, DatabaseUrl, DbConnection, migrate};
use tempfile::TempDir;

use super::postgres::{self, postgres};

/// Where a test's rows are; gone when dropped.
pub enum Storage {
    /// A file in a folder of its own.
    Sqlite(TempDir),
    /// A database on the tests' server.
    Postgres(postgres::TestDatabase),
}

impl Storage {
    /// A migrated SQLite file.
    pub fn sqlite() -> Storage {
        static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let folder = folder();
            let path = folder.path().join("template.db");
            migrated(&DatabaseUrl::Sqlite(path.clone()));
            fs::read(path).unwrap()
        });
        let folder = folder();
        fs::write(folder.path().join("latchkey.db"), template).unwrap();
        Storage::Sqlite(folder)
    }

    /// A migrated database on PostgreSQL, or `None` where there is no server.
    pub fn postgres() -> Option<Storage> {
        static TEMPLATE: OnceLock<postgres::TestDatabase> = OnceLock::new();
        let cluster = postgres()?;
        let template = TEMPLATE.get_or_init(|| {
            let database = cluster.create_database();
            migrated(&DatabaseUrl::parse(&database.url()).unwrap());
            database
        });
        Some(Storage::Postgres(
            cluster.create_from_template(template.name()),
        ))
    }

    /// Where it is.
    pub fn url(&self) -> DatabaseUrl {
        match self {
            Storage::Sqlite(_) => DatabaseUrl::Sqlite(self.file().unwrap()),
            Storage::Postgres(database) => DatabaseUrl::parse(&database.url()).unwrap(),
        }
    }

    /// Where it is, as the command line takes it.
    pub fn address(&self) -> String {
        match self {
            Storage::Sqlite(_) => format!("sqlite://{}", self.file().unwrap().display()),
            Storage::Postgres(database) => database.url(),
        }
    }

    /// The SQLite file.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Storage::Sqlite(folder) => Some(folder.path().join("latchkey.db")),
            Storage::Postgres(_) => None,
        }
    }
}

/// In memory where the machine offers that: every commit waits for the disk.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    TempDir::with_prefix_in("latchkey-test-", parent).unwrap()
}

fn migrated(url: &DatabaseUrl) {
    let mut conn = DbConnection::open(url, &Arc::new(Counters::default())).unwrap();
    migrate(&mut conn).unwrap();
}
