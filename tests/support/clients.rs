//! Programs that others wrote for the API, run as their users run them.
//!
//! `tests/clients/install` puts them into `target/clients`; the scripts that use them are beside it.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, dead_code)]

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{TestServer, server::BEGINNING};

/// What says which clients, in which versions, are to be installed.
const PINS: [&str; 2] = ["requirements.txt", "package-lock.json"];

/// The installed clients.
pub struct Clients {
    folder: PathBuf,
}

/// A run of a client to be.
pub struct Run {
    command: Command,
    what: String,
    home: tempfile::TempDir,
}

impl Clients {
    /// The clients, or `None` where they aren't installed as they are pinned, which is said aloud.
    ///
    /// With `LATCHKEY_REQUIRE_CLIENTS=1` their absence is a failure.
    pub fn installed() -> Option<Clients> {
        let folder = root().join("target/clients");
        // The installer copies these when it is done: old and half-made installations have others, or none.
        let is_current = PINS.iter().all(|pins| {
            let wanted = fs::read(scripts().join(pins)).expect("what is pinned can be read");
            fs::read(folder.join(pins)).is_ok_and(|found| found == wanted)
        });
        if is_current {
            return Some(Clients { folder });
        }
        let complaint = "the clients of the API are not installed, or not the pinned ones (tests/clients/install)";
        let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_CLIENTS=1");
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
        None
    }

    /// A script of `tests/clients/python_gitlab`.
    pub fn python(&self, script: &str) -> Run {
        let script = scripts().join("python_gitlab").join(script);
        self.program("python/bin/python3").arg("-B").arg(script)
    }

    /// A script of `tests/clients/calendar`.
    pub fn calendar(&self, script: &str) -> Run {
        let script = scripts().join("calendar").join(script);
        self.program("python/bin/python3").arg("-B").arg(script)
    }

    /// A script of `tests/clients/gitbeaker`.
    pub fn node(&self, script: &str) -> Run {
        let script = scripts().join("gitbeaker").join(script);
        let modules = self.folder.join("node");
        Run::new(Command::new("node"))
            .env("LATCHKEY_NODE_FOLDER", modules)
            .arg(script)
    }

    /// axe-core, a script that looks at a page as assistive technology does and names what is in its way.
    pub fn axe(&self) -> String {
        fs::read_to_string(self.path("node/node_modules/axe-core/axe.min.js"))
            .expect("axe-core can be read")
    }

    /// The program that tries out all that the API's document says.
    pub fn schemathesis(&self) -> Run {
        let config = scripts().join("schemathesis.toml");
        self.program("python/bin/schemathesis")
            .arg("--config-file")
            .arg(config)
            .arg("run")
    }

    fn program(&self, path: &str) -> Run {
        Run::new(Command::new(self.path(path)))
    }

    /// Something that was installed.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

impl Run {
    /// With an environment of its own: no settings of whoever runs the tests.
    fn new(mut command: Command) -> Run {
        let home = tempfile::tempdir().expect("a folder for what the client writes");
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", home.path())
            .env("NO_PROXY", "127.0.0.1")
            .env("LANG", "C.UTF-8")
            .current_dir(home.path())
            .stdin(Stdio::null());
        Run {
            what: format!("{}", Path::new(command.get_program()).display()),
            command,
            home,
        }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<Path>) -> Run {
        let argument = argument.as_ref();
        self.what = format!("{} {}", self.what, argument.display());
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        arguments
            .into_iter()
            .fold(self, |run, argument| run.arg(argument))
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Run {
        self.command.env(name, value.as_ref());
        self
    }

    /// Runs it against this server, and fails with all that it said unless it succeeds.
    pub async fn against(self, server: &TestServer) {
        let run = self
            .env("LATCHKEY_URL", &server.url)
            .env("LATCHKEY_TODAY", &BEGINNING[..10]);
        let what = run.what.clone();
        // Away from the test's own runtime, where nothing may block.
        let output = tokio::task::spawn_blocking(move || run.output())
            .await
            .expect("the client runs")
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(
            output.status.success(),
            "{what}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn output(mut self) -> io::Result<Output> {
        self.command.output()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn scripts() -> PathBuf {
    root().join("tests/clients")
}
