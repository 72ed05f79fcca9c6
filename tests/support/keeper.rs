//! A PostgreSQL server that is there as long as somebody wants it: for the tests, and for the bench, which include this
//! file both.

// Each program uses its own part of this.
#![allow(dead_code)]

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader},
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A shell that runs the server and waits for the end of its input, which comes when this process ends, be it by
/// `kill -9`. Then it stops the server.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Where the server listens, on 127.0.0.1.
    pub(crate) port: u16,
    shell: Child,
}

impl Keeper {
    /// Runs a script with the folder of PostgreSQL's programs, a folder for the server's files, a free port and whatever
    /// else it takes. It says `ready` when the server is, and what it says before that is a complaint.
    pub(crate) fn start(
        script: &str,
        programs: &Path,
        folder: &Path,
        others: &[String],
    ) -> io::Result<Keeper> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .args([programs, folder])
            .arg(port.to_string())
            .args(others)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some((user, group)) = unprivileged_user() {
            chown(folder, Some(user), Some(group))?;
        }
        set_apart(&mut command, folder);
        let mut shell = command.spawn()?;
        let mut complaint = String::new();
        let output = shell.stdout.take().map(BufReader::new);
        for line in output.into_iter().flat_map(BufReader::lines) {
            let line = line?;
            if line == "ready" {
                return Ok(Keeper { port, shell });
            }
            complaint.push_str(&line);
            complaint.push('\n');
        }
        shell.wait()?;
        Err(io::Error::other(complaint))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The folder with `initdb` and its companions; Debian keeps them away from PATH, one folder for each version.
pub(crate) fn find_programs() -> Option<PathBuf> {
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
        .chain([PathBuf::from("/usr/local/bin")])
        .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

/// Has a program run in this folder, as somebody who may run a server.
pub(crate) fn set_apart(command: &mut Command, folder: &Path) {
    command
        .current_dir(folder)
        // Without PGHOST and its like.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        // Out of reach of Ctrl-C, which is for us.
        .process_group(0);
    if let Some((user, group)) = unprivileged_user() {
        command.uid(user).gid(group);
    }
}

/// Who runs a server when we run as root, which PostgreSQL and PgBouncer refuse to.
pub(crate) fn unprivileged_user() -> Option<(u32, u32)> {
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
