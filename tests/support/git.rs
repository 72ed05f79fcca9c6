//! The program `git`, as people and pipelines run it, and what they ask a server for.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, dead_code)]

use std::{
    env, fmt, fs,
    io::{self, Write},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use latchkey::access_tokens::Resource;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;

use super::{TestProject, TestResource, TestServer, TestToken, storage::folder};

/// The oldest version that the product promises to work with.
const OLDEST: (u32, u32) = (2, 34);

/// Somebody's machine with Git: a home and a folder to work in, and no settings of whoever runs the tests.
pub struct GitClient {
    home: TempDir,
    protocol: Option<u8>,
}

/// A folder with a repository on that machine.
pub struct WorkTree<'a> {
    git: &'a GitClient,
    /// Where it is.
    pub path: PathBuf,
}

/// What came of a command.
pub struct Outcome {
    line: String,
    /// Its exit status; nothing if a signal ended it.
    pub status: Option<i32>,
    /// What it printed for programs.
    pub stdout: String,
    /// What it told the person.
    pub stderr: String,
}

impl GitClient {
    /// A new machine, or `None` where Git isn't installed, which is said aloud.
    ///
    /// With `LATCHKEY_REQUIRE_CLIENTS=1` its absence is a failure.
    pub fn new() -> Option<GitClient> {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        let installed = *INSTALLED.get_or_init(|| version().is_some_and(|found| found >= OLDEST));
        if installed {
            return Some(GitClient {
                home: folder(),
                protocol: None,
            });
        }
        let complaint = "git 2.34 or newer is not installed";
        let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_CLIENTS=1");
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
        None
    }

    /// The same machine, whose Git speaks this version of the protocol.
    pub fn speaking(mut self, version: u8) -> GitClient {
        self.protocol = Some(version);
        self
    }

    /// The folder in which everything is.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// A command to be, run in this folder; in a group of its own, so that a signal can reach all that it started.
    pub fn command<'a>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LC_ALL", "C.UTF-8")
            .env("NO_PROXY", "127.0.0.1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A transfer that stands still is a failure, not a test without an end.
            .env("GIT_HTTP_LOW_SPEED_LIMIT", "1")
            .env("GIT_HTTP_LOW_SPEED_TIME", "30")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(["-c", "init.defaultBranch=main", "-c", "gc.auto=0"])
            .args(["-c", "advice.detachedHead=false"]);
        if let Some(version) = self.protocol {
            command.arg("-c").arg(format!("protocol.version={version}"));
        }
        command
            .args(arguments)
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command in this folder to its end.
    pub fn run_in<'a>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Outcome {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let line = arguments.join(" ");
        Outcome::of(line, &mut self.command(folder, arguments), &[])
    }

    /// Runs a command to its end.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.run_in(self.folder(), arguments)
    }

    /// Starts a command and doesn't wait for it. It says nothing.
    pub fn start<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Child {
        let mut command = self.command(self.folder(), arguments);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("git starts")
    }

    /// Clones into a folder of this name, which works.
    #[track_caller]
    pub fn clone(&self, url: &str, name: &str) -> WorkTree<'_> {
        self.clone_with(url, name, &[])
    }

    /// The same, with options.
    #[track_caller]
    pub fn clone_with(&self, url: &str, name: &str, options: &[&str]) -> WorkTree<'_> {
        let arguments = ["clone"]
            .into_iter()
            .chain(options.iter().copied())
            .chain([url, name]);
        self.run(arguments).succeeded();
        self.tree(name)
    }

    /// A new repository, with nothing in it.
    pub fn init(&self, name: &str) -> WorkTree<'_> {
        self.run(["init", "--quiet", name]).succeeded();
        self.tree(name)
    }

    /// What the server shows of a repository, a line for each reference.
    #[track_caller]
    pub fn ls_remote(&self, url: &str) -> Vec<String> {
        let outcome = self.run(["ls-remote", url]).succeeded();
        outcome.stdout.lines().map(str::to_owned).collect()
    }

    fn tree(&self, name: &str) -> WorkTree<'_> {
        WorkTree {
            git: self,
            path: self.folder().join(name),
        }
    }
}

impl WorkTree<'_> {
    /// Runs a command here to its end.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.git.run_in(&self.path, arguments)
    }

    /// What a command that works prints, without the line end.
    #[track_caller]
    pub fn done<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        self.run(arguments).succeeded().stdout.trim_end().to_owned()
    }

    /// Runs a command that reads this.
    pub fn feed<'a>(&self, arguments: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Outcome {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let line = arguments.join(" ");
        Outcome::of(line, &mut self.git.command(&self.path, arguments), input)
    }

    /// Writes a file and commits it; returns the commit.
    #[track_caller]
    pub fn commit_file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, content).expect("a file can be written");
        self.done(["add", name]);
        self.done(["commit", "--quiet", "-m", &format!("Write {name}")]);
        self.head()
    }

    /// Makes many commits, each on the one before, on a branch that is made or goes on; returns all, oldest first.
    #[track_caller]
    pub fn commit_often(&self, branch: &str, number: usize) -> Vec<String> {
        let mut stream = Vec::new();
        let name = format!("refs/heads/{branch}");
        let start = self.run(["rev-parse", "--verify", "--quiet", &name]);
        for count in 0..number {
            let text = format!("{branch} {count}\n");
            writeln!(stream, "commit {name}").expect("memory");
            writeln!(stream, "committer Ada <ada@example.com> 1900000000 +0000").expect("memory");
            write!(stream, "data {}\n{text}", text.len()).expect("memory");
            if count == 0 && start.status == Some(0) {
                write!(stream, "from {}", start.stdout).expect("memory");
            }
            write!(
                stream,
                "M 644 inline {branch}.txt\ndata {}\n{text}",
                text.len()
            )
            .expect("memory");
        }
        self.feed(["fast-import", "--quiet", "--force"], &stream)
            .succeeded();
        let limit = format!("-{number}");
        let list = self.done(["rev-list", "--reverse", &limit, &name]);
        list.lines().map(str::to_owned).collect()
    }

    /// Commits files of one mebibyte each that can't be made smaller, on `main`; returns the commit.
    #[track_caller]
    pub fn commit_mebibytes(&self, number: usize) -> String {
        const MEBIBYTE: usize = 1024 * 1024;
        let mut stream = Vec::with_capacity((number + 1) * MEBIBYTE);
        write!(
            stream,
            "commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata 4\nbig\n"
        )
        .expect("memory");
        let mut noise = Noise::default();
        for count in 0..number {
            write!(stream, "M 644 inline {count}.bin\ndata {MEBIBYTE}\n").expect("memory");
            stream.extend(noise.bytes(MEBIBYTE));
            stream.push(b'\n');
        }
        let import = ["-c", "core.compression=0", "fast-import", "--quiet"];
        self.feed(import, &stream).succeeded();
        self.done(["rev-parse", "refs/heads/main"])
    }

    /// The commit that is checked out.
    #[track_caller]
    pub fn head(&self) -> String {
        self.done(["rev-parse", "HEAD"])
    }

    /// A file that is checked out.
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path.join(name)).ok()
    }

    /// Pushes this to there: `HEAD:main`.
    pub fn push(&self, url: &str, what: &str) -> Outcome {
        self.run(["push", url, what])
    }

    /// The number of commits that are reachable from here.
    #[track_caller]
    pub fn commits(&self) -> usize {
        let number = self.done(["rev-list", "--count", "HEAD"]);
        number.parse().expect("a number")
    }
}

impl Outcome {
    /// Runs a command that reads `input`, and waits for its end.
    pub fn of(line: String, command: &mut Command, input: &[u8]) -> Outcome {
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("git starts");
        if let Some(mut stdin) = child.stdin.take() {
            // One that has read enough may be gone already.
            let _ = stdin.write_all(input);
        }
        let output = child.wait_with_output().expect("git ends");
        Outcome {
            line,
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It worked.
    #[track_caller]
    pub fn succeeded(self) -> Outcome {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// It was refused: this is what the person reads.
    #[track_caller]
    pub fn refused(self) -> String {
        let said = self.status.is_some_and(|status| status > 0);
        assert!(said && !self.stderr.is_empty(), "{self:?}");
        self.stderr
    }

    /// It was refused with these words.
    #[track_caller]
    pub fn refused_with(self, words: &str) {
        let shown = format!("{self:?}");
        assert!(self.refused().contains(words), "{words}? {shown}");
    }
}

/// As a terminal would show it.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n$ git {}\n{}{}", self.line, self.stdout, self.stderr)?;
        write!(f, "(status {:?})", self.status)
    }
}

/// Bytes in which no program finds a pattern, the same in every run.
pub struct Noise(u64);

impl Default for Noise {
    fn default() -> Self {
        Noise(0x9e37_79b9_7f4a_7c15)
    }
}

impl Noise {
    /// The next ones.
    pub fn bytes(&mut self, number: usize) -> Vec<u8> {
        let mut all = Vec::with_capacity(number + 8);
        while all.len() < number {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            all.extend(self.0.to_le_bytes());
        }
        all.truncate(number);
        all
    }
}

impl TestServer {
    /// The address of a project's repository with a credential in it, as it stands in scripts.
    pub fn git_url(&self, project: &TestProject, user: &str, password: &str) -> String {
        git_url(&self.url, &project.full_path, user, password)
    }

    /// The folder of a project's repository on the server.
    pub fn repository(&self, project: &TestProject) -> PathBuf {
        let Resource::Project(project) = project.resource() else {
            unreachable!("a project is a project")
        };
        self.app.repositories.path((&project).into())
    }
}

impl TestProject {
    /// The address of the repository for whoever has this token.
    pub fn url_for(&self, token: &TestToken) -> String {
        self.server().git_url(self, "anything", &token.value)
    }

    /// The address of the repository for whoever has none.
    pub fn url_for_nobody(&self) -> String {
        format!("{}/{}.git", self.server().url, self.full_path)
    }
}

/// An address with a credential, below that of a server.
pub fn git_url(server: &str, full_path: &str, user: &str, password: &str) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let host = server.trim_start_matches("http://");
    let (user, password) = (encode(user), encode(password));
    format!("http://{user}:{password}@{host}/{full_path}.git")
}

/// The version of the installed program, if there is one.
fn version() -> Option<(u32, u32)> {
    let output = Command::new("git").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The names in an archive, as `tar` lists them with these flags.
pub fn names_in_archive(flags: &str, archive: &[u8]) -> Vec<String> {
    let mut child = Command::new("tar")
        .arg(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar lists");
    child
        .stdin
        .take()
        .expect("it was asked for")
        .write_all(archive)
        .expect("tar reads");
    let output = child.wait_with_output().expect("tar ends");
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    text.lines().map(str::to_owned).collect()
}
