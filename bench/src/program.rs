//! The program that is measured: built if need be, and run as its users run it.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};
use latchkey::db::DatabaseUrl;

/// Of databases that nobody uses for anything else.
pub(crate) const SECRET: &str = "good for nothing but measuring, 32 bytes and more";

/// `latchkey`, with a data directory and a database.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    data: PathBuf,
    url: DatabaseUrl,
}

impl Program {
    /// The program of this profile, as the sources are now.
    pub(crate) fn build() -> anyhow::Result<PathBuf> {
        let folder = env::current_exe()?
            .parent()
            .context("a program is in a folder")?
            .to_owned();
        // Under `cargo run`: what is measured must not be older than what measures it.
        if let Some(cargo) = env::var_os("CARGO") {
            let profile = match folder.file_name().and_then(|name| name.to_str()) {
                Some("debug") | None => "dev",
                Some(name) => name,
            };
            let status = Command::new(cargo)
                .current_dir(root())
                .args([
                    "build",
                    "--quiet",
                    "--bin",
                    "latchkey",
                    "--profile",
                    profile,
                ])
                .status()?;
            if !status.success() {
                bail!("latchkey can't be built");
            }
        }
        let path = folder.join("latchkey");
        if !path.is_file() {
            bail!("{} is missing: build it first", path.display());
        }
        Ok(path)
    }

    /// The program on this database.
    pub(crate) fn on(path: &Path, data: &Path, url: DatabaseUrl) -> Program {
        Program {
            path: path.to_owned(),
            data: data.to_owned(),
            url,
        }
    }

    /// A command to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let url = match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        };
        let mut command = Command::new(&self.path);
        command
            .env_clear()
            .args(arguments)
            .current_dir(&self.data)
            .env("LATCHKEY_DATA_DIR", &self.data)
            .env("LATCHKEY_DATABASE_URL", url)
            .env("LATCHKEY_SECRET", SECRET)
            .env("LATCHKEY_LOG", "warn")
            // Loads may say that they come from somewhere else.
            .env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command that has to succeed, with a line on its standard input, and says what it printed.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(stdin) = child.stdin.take() {
            writeln!(&stdin, "{input}")?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("latchkey {}: {said}", arguments.join(" "));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts the server on a free port of this machine, and waits until it answers.
    pub(crate) fn serve(&self) -> anyhow::Result<Server> {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts the server at this address.
    pub(crate) fn serve_at(&self, address: &str) -> anyhow::Result<Server> {
        let mut child = self
            .command(&["serve", "--listen", address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("it was asked for")?).lines();
        let mut server = Server {
            child,
            address: String::new(),
        };
        for line in &mut lines {
            if let Some(url) = line?.strip_prefix("Listening on http://") {
                url.clone_into(&mut server.address);
                break;
            }
        }
        if server.address.is_empty() {
            bail!("the server ended before it listened");
        }
        // Read on, or the server would wait for somebody to do it.
        std::thread::spawn(move || lines.count());
        Ok(server)
    }
}

/// A running server, ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `127.0.0.1:port`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder with the sources.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
