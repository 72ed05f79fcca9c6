//! A PostgreSQL server of the bench's own, as durable as PostgreSQL is without being told otherwise.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader},
    net::TcpListener,
    os::unix::{fs::DirBuilderExt as _, fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};

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
    port: u16,
    shell: Child,
}

impl Cluster {
    /// Starts one whose files are in this folder, which is made where it isn't there, and gone at the end unless it is to
    /// be kept.
    pub(crate) fn start(folder: &Path, kept: bool) -> anyhow::Result<Cluster> {
        let programs = programs().context(
            "PostgreSQL is not installed: no initdb on PATH or in /usr/lib/postgresql; --postgres URL names a server",
        )?;
        if !folder.exists() {
            fs::DirBuilder::new().mode(0o700).create(folder)?;
        }
        // Another user, and another working directory, will look for it.
        let folder = &folder.canonicalize()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEP, "sh"])
            .args([&programs, folder])
            .arg(port.to_string())
            .arg(buffers().to_string())
            .arg(if kept { "yes" } else { "no" })
            .current_dir(folder)
            // Without PGHOST and its like.
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C, which is for the bench.
            .process_group(0);
        if let Some((user, group)) = unprivileged_user() {
            chown(folder, Some(user), Some(group))?;
            command.uid(user).gid(group);
        }
        let mut shell = command.spawn().context("the shell of PostgreSQL")?;
        let output = shell.stdout.take().context("it was asked for")?;
        let mut complaint = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line == "ready" {
                return Ok(Cluster { port, shell });
            }
            complaint.push_str(&format!("{line}\n"));
        }
        shell.wait()?;
        bail!(
            "PostgreSQL in {} doesn't start:\n{complaint}",
            folder.display()
        );
    }

    /// As its superuser, with its first database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://latchkey@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The folder with `initdb` and its companions; Debian keeps them away from PATH, one folder for each version.
fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort_by_key(|version| {
        let number = version.file_name().and_then(|name| name.to_str());
        std::cmp::Reverse(number.and_then(|number| number.parse::<u32>().ok()))
    });
    env::split_paths(&path)
        .chain(versions.into_iter().map(|version| version.join("bin")))
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
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

/// Who runs the server when the bench runs as root, which PostgreSQL refuses to.
fn unprivileged_user() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() != b"0" {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |wanted: &str| {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find(|fields| fields.clone().next() == Some(wanted))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
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
