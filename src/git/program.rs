//! The program `git`, run so that nothing but its arguments decides what it does: no configuration of the machine's or
//! of a person's, no hooks, no questions.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The oldest version that is known to serve, and to honour `safe.directory` given on its command line.
pub const OLDEST: (u32, u32) = (2, 34);

/// Where Git is, and that it is there.
#[derive(Debug, Clone)]
pub struct Git {
    program: Arc<Path>,
}

/// What every run is told, whatever the machine's configuration says.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.bigFileThreshold=32m",
    "core.quotePath=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "pack.threads=1",
    "pack.windowMemory=64m",
    "protocol.allow=never",
    "advice.detachedHead=false",
];

impl Git {
    /// The program of this name on `PATH`, as an absolute path; the name itself where there is none, so that the
    /// failure comes when it is first run.
    pub fn find() -> Self {
        let found = std::env::var_os("PATH").and_then(|path| {
            std::env::split_paths(&path)
                .map(|folder| folder.join("git"))
                .find(|program| program.is_absolute() && program.is_file())
        });
        let program = found.unwrap_or_else(|| PathBuf::from("/usr/bin/git"));
        Git {
            program: program.into(),
        }
    }

    /// A run in this repository: environment and settings are set, the subcommand and its arguments are not.
    pub fn command(&self, repository: &Path) -> Command {
        let mut command = Command::new(&*self.program);
        command
            .env_clear()
            .env("PATH", self.path())
            // A folder that isn't there: nothing of a person's is read.
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/");
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        let mut safe = OsStr::new("safe.directory=").to_owned();
        safe.push(repository);
        command.arg("-c").arg(safe);
        command.env("GIT_DIR", repository);
        command
    }

    /// What `git version` says: `2.39.5`.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn version(&self) -> io::Result<String> {
        let output = Command::new(&*self.program)
            .arg("version")
            .env_clear()
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace()
            .nth(2)
            .map(str::to_owned)
            .ok_or_else(|| io::Error::other("git tells no version"))
    }

    /// Makes an empty bare repository whose `HEAD` is this branch. Nothing of a template comes along.
    ///
    /// # Errors
    /// When the disk or Git doesn't do it.
    pub fn init(&self, path: &Path, branch: &str) -> io::Result<()> {
        let mut command = self.command(path);
        command
            .env_remove("GIT_DIR")
            .args([
                "init",
                "--quiet",
                "--bare",
                "--template=",
                "--initial-branch",
            ])
            .arg(branch)
            .arg("--")
            .arg(path);
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("git init: {}", why.trim())))
    }

    /// Git finds its own parts where it lies, and the shell of a hook in the usual places.
    fn path(&self) -> std::ffi::OsString {
        let own = self.program.parent().unwrap_or(Path::new("/usr/bin"));
        let mut path = own.as_os_str().to_owned();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        path
    }
}

/// Is this version of Git one that serves?
pub fn serves(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_too_old_is_told() {
        for (version, good) in [
            ("2.34.0", true),
            ("2.39.5", true),
            ("3.0.0", true),
            ("2.33.8", false),
            ("1.99", false),
            ("", false),
            ("two", false),
        ] {
            assert_eq!(serves(version), good, "{version}");
        }
    }

    #[test]
    fn nothing_of_the_machine_is_inherited() {
        let command = Git::find().command(Path::new("/srv/repo.git"));
        let names: Vec<String> = command
            .get_envs()
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect();
        assert!(names.contains(&"GIT_CONFIG_NOSYSTEM".to_owned()));
        let arguments: Vec<String> = command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        assert!(arguments.contains(&"safe.directory=/srv/repo.git".to_owned()));
        assert!(arguments.contains(&"core.hooksPath=/dev/null".to_owned()));
    }
}
