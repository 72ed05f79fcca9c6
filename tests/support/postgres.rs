//! A PostgreSQL cluster for the tests of one process: made when the first test asks, gone when the process is.
//!
//! `LATCHKEY_TEST_POSTGRES_URL` names a server to use instead; its user must be allowed to create databases.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, dead_code)]

use std::{
    env,
    io::{self, Write},
    path::Path,
    process::Command,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use tempfile::TempDir;

use super::keeper::{Keeper, find_programs};

/// A server, and the right to create databases on it.
pub struct Cluster {
    /// The URL up to the database's name.
    base: String,
    /// What follows the database's name.
    parameters: String,
    admin: Mutex<PgConnection>,
    /// Stops the server once this process is gone; `None` for a server that isn't ours.
    _keeper: Option<Keeper>,
}

/// A database of a test's own, dropped at its end.
pub struct TestDatabase {
    cluster: &'static Cluster,
    name: String,
}

/// The cluster of this process, or `None` where no PostgreSQL is installed, which is said aloud.
///
/// With `LATCHKEY_REQUIRE_POSTGRES=1` its absence is a failure.
pub fn postgres() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| {
        if let Ok(url) = env::var("LATCHKEY_TEST_POSTGRES_URL") {
            return Some(Cluster::given(&url));
        }
        let programs = find_programs();
        if programs.is_none() {
            let complaint =
                "PostgreSQL is not installed (no initdb on PATH or in /usr/lib/postgresql)";
            let required = env::var("LATCHKEY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_POSTGRES=1");
            // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
        }
        programs.map(|programs| Cluster::start(&programs))
    });
    cluster.as_ref()
}

/// Are PostgreSQL's programs for backups installed? If not, that is said aloud, or a failure as in [`postgres`].
pub fn dumps() -> bool {
    let missing = ["pg_dump", "pg_restore"]
        .into_iter()
        .find(|program| latchkey::backup::program_version(program).is_none());
    if let Some(program) = missing {
        let complaint = format!("PostgreSQL's {program} is not installed");
        let required = env::var("LATCHKEY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
        assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_POSTGRES=1");
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
    }
    missing.is_none()
}

impl Cluster {
    /// A server of our own, ready for connections.
    fn start(programs: &Path) -> Cluster {
        // Another program may take the free port before the server does.
        let mut complaints = Vec::new();
        for _ in 0..3 {
            match start(programs) {
                Ok(keeper) => {
                    let base = format!("postgres://latchkey@127.0.0.1:{}/", keeper.port);
                    return Cluster::connect(base, String::new(), "postgres", Some(keeper));
                }
                Err(complaint) => complaints.push(complaint.to_string()),
            }
        }
        panic!("PostgreSQL doesn't start:\n{}", complaints.join("\n"));
    }

    /// Somebody else's server; the database in the URL is where we create ours from.
    fn given(url: &str) -> Cluster {
        let (location, parameters) = match url.split_once('?') {
            Some((location, parameters)) => (location, format!("?{parameters}")),
            None => (url, String::new()),
        };
        let (scheme, rest) = location
            .split_once("://")
            .expect("LATCHKEY_TEST_POSTGRES_URL begins with postgres://");
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = if database.is_empty() {
            "postgres"
        } else {
            database
        };
        Cluster::connect(
            format!("{scheme}://{authority}/"),
            parameters,
            database,
            None,
        )
    }

    fn connect(
        base: String,
        parameters: String,
        database: &str,
        keeper: Option<Keeper>,
    ) -> Cluster {
        let admin = PgConnection::establish(&format!("{base}{database}{parameters}"))
            .unwrap_or_else(|error| panic!("PostgreSQL at {base} can't be reached: {error}"));
        Cluster {
            base,
            parameters,
            admin: Mutex::new(admin),
            _keeper: keeper,
        }
    }

    /// An empty database.
    pub fn create_database(&'static self) -> TestDatabase {
        self.create("template1")
    }

    /// A copy of the database called `template`, to which nobody may be connected.
    pub fn create_from_template(&'static self, template: &str) -> TestDatabase {
        self.create(template)
    }

    fn create(&'static self, template: &str) -> TestDatabase {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Other processes, on other machines too, may use the same server.
        let name = format!(
            "latchkey_test_{}_{count}_{:08x}",
            std::process::id(),
            rand::random::<u32>()
        );
        self.execute(&format!(
            "CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""
        ));
        TestDatabase {
            cluster: self,
            name,
        }
    }

    fn execute(&self, statement: &str) {
        sql_query(statement)
            .execute(&mut *self.admin())
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    fn admin(&self) -> MutexGuard<'_, PgConnection> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestDatabase {
    /// What goes into `LATCHKEY_DATABASE_URL`.
    pub fn url(&self) -> String {
        format!(
            "{}{}{}",
            self.cluster.base, self.name, self.cluster.parameters
        )
    }

    /// What [`Cluster::create_from_template`] takes.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // A test that stopped the server has no database left to drop.
        let _ = sql_query(statement).execute(&mut *self.cluster.admin());
    }
}

/// Runs the server until nobody wants it, and removes its files.
const KEEP: &str = r#"
trap '' HUP INT TERM
programs=$1 folder=$2 port=$3
fail() { cat "$folder"/*.log; rm -rf "$folder"; exit 1; }

# A linguistic order where the server knows one: what sorts alike on both databases must say so itself.
"$programs/initdb" -D "$folder/data" -U latchkey -A trust -E UTF8 --no-sync \
    --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US >"$folder/1.log" 2>&1 ||
  { rm -rf "$folder/data" && "$programs/initdb" -D "$folder/data" -U latchkey -A trust -E UTF8 --no-sync \
    --locale=C >"$folder/1.log" 2>&1; } || fail

cat >>"$folder/data/postgresql.conf" <<END
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$folder'
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
END
"$programs/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/2.log" start >"$folder/3.log" 2>&1 || fail

echo ready
exec >/dev/null
cat >/dev/null
"$programs/pg_ctl" -D "$folder/data" -m immediate stop
rm -rf "$folder"
"#;

/// Where the server's files go: into memory where there is room, because each test copies a database of a thousand
/// files, and disks take their time for that.
fn roomiest() -> &'static str {
    const MEMORY: &str = "/dev/shm";
    const ENOUGH: u64 = 4 << 20; // KiB
    let df = Command::new("df").args(["-Pk", MEMORY]).output();
    let free = df.ok().and_then(|df| {
        let text = String::from_utf8(df.stdout).ok()?;
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
    });
    match free {
        Some(free) if u64::ge(&free, &ENOUGH) => MEMORY,
        _ => "/tmp",
    }
}

fn start(programs: &Path) -> io::Result<Keeper> {
    // Not where TMPDIR says: the path of a socket must be short, and another user must get there.
    let folder = TempDir::with_prefix_in("latchkey-postgres-", roomiest())?;
    let keeper = Keeper::start(KEEP, programs, folder.path(), &[])?;
    // The shell removes it.
    let _ = folder.keep();
    Ok(keeper)
}
