//! A PostgreSQL server of the bench's own, as durable as PostgreSQL is without being told otherwise.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::keeper::{Keeper, find_programs, set_apart};

/// Runs the server until the end of its input, which comes when the bench ends, however it does. What is kept is ended
/// so that it can be started again.
const KEEP: &str = r#"
trap '' HUP INT TERM
programs=$1 folder=$2 port=$3 memory=$4 kept=$5
fail() { cat "$folder"/*.log; [ "$kept" = yes ] || rm -rf "$folder"; exit 1; }
[ -e "$folder/data/PG_VERSION" ] ||
  "$programs/initdb" -D "$folder/data" -U latchkey -A trust -E UTF8 --locale=C >"$folder/1.log" 2>&1 || fail
"$programs/pg_ctl" -D "$folder/data" -w -t 300 -l "$folder/2.log" -o "-c port=$port -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories='$folder' -c shared_buffers=${memory}MB -c max_wal_size=8GB -c max_connections=200" \
  start >"$folder/3.log" 2>&1 || fail
echo ready
exec >/dev/null
cat >/dev/null
if [ "$kept" = yes ]; then "$programs/pg_ctl" -D "$folder/data" -m fast -w -t 300 stop
else "$programs/pg_ctl" -D "$folder/data" -m immediate stop; rm -rf "$folder"; fi
"#;

/// A running server.
#[derive(Debug)]
pub(crate) struct Cluster {
    keeper: Keeper,
    /// `pg_ctl`, and the folder that it is about.
    control: PathBuf,
    data: PathBuf,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Whoever is connected is thrown out, what was committed is written.
    Fast,
    /// As if the power failed: it recovers from its log when it starts again.
    Immediate,
}

impl Cluster {
    /// Starts one whose files are in this folder, which is made where it isn't there, and gone at the end unless it is to
    /// be kept.
    pub(crate) fn start(folder: &Path, kept: bool) -> anyhow::Result<Cluster> {
        let programs = find_programs().context(
            "PostgreSQL is not installed: no initdb on PATH or in /usr/lib/postgresql; --postgres URL names a server",
        )?;
        if !folder.exists() {
            fs::DirBuilder::new().mode(0o700).create(folder)?;
        }
        // Another user, and another working directory, will look for it.
        let folder = &folder.canonicalize()?;
        let kept = if kept { "yes" } else { "no" };
        Keeper::start(
            KEEP,
            &programs,
            folder,
            &[buffers().to_string(), kept.to_owned()],
        )
        .map(|keeper| Cluster {
            keeper,
            control: programs.join("pg_ctl"),
            data: folder.join("data"),
        })
        .with_context(|| format!("PostgreSQL in {} doesn't start", folder.display()))
    }

    /// As its superuser, with its first database.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://latchkey@127.0.0.1:{}/postgres",
            self.keeper.port
        )
    }

    /// Stops it, and waits until it has ended. The keeper doesn't mind.
    pub(crate) fn stop(&self, how: Stop) -> anyhow::Result<()> {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.control(&["-m", mode, "-w", "-t", "60", "stop"])
    }

    /// Starts it again as it was, and doesn't wait for it.
    pub(crate) fn start_again(&self) -> anyhow::Result<()> {
        // It finds its options where the first start has left them.
        let log = self.data.with_file_name("2.log");
        self.control(&["-W", "-l", &log.to_string_lossy(), "restart"])
    }

    fn control(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.control);
        command
            .arg("-D")
            .arg(&self.data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        set_apart(&mut command, &self.data);
        let status = command.status()?;
        ensure!(status.success(), "pg_ctl {}: {status}", arguments.join(" "));
        Ok(())
    }
}

/// A quarter of the machine's memory, in MiB, as PostgreSQL's manual advises; 4 GiB at the most.
fn buffers() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = info.lines().find_map(|line| {
        let rest = line.strip_prefix("MemTotal:")?;
        rest.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    (kib.unwrap_or(512 << 10) / 1024 / 4).clamp(128, 4096)
}

/// A folder for a server that nobody keeps. Not where TMPDIR says: the path of a socket must be short, and another user
/// must get there.
pub(crate) fn passing_folder(parent: &Path) -> io::Result<PathBuf> {
    let path = parent.join(format!("latchkey-bench-postgres-{}", std::process::id()));
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(path),
    }
}
