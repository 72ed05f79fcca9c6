//! The command line as an operator meets it: the real program, its arguments, what it prints and how it ends.

use std::{
    fmt, fs,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, server::runtime, storage::folder};

mod backup;
mod demo;
mod doctor;
mod first_command;
mod flags;
mod import;
mod jobs;
mod migrate;
mod people;
mod places;
mod restore;
mod secrets;
mod serve;
mod settings;
mod tokens;

/// The first administrator's password.
const PASSWORD: &str = "one horse staples all batteries";

/// Longer than any command takes; a server that should have refused to start would be waited for in vain.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody's terminal, in a folder of their own, with an instance in `data` as soon as the first command ran.
pub(crate) struct Console {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// What came of a command.
struct Outcome {
    line: String,
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Console {
    /// Nothing is there yet.
    fn new() -> Console {
        Console {
            folder: folder(),
            environment: Vec::new(),
        }
    }

    /// With the administrator `root`.
    fn with_administrator() -> Console {
        let console = Console::new();
        console.person("root", "--admin");
        console
    }

    /// Also with the group `acme`, which root owns.
    pub(crate) fn with_group() -> Console {
        let console = Console::with_administrator();
        console.done("group create --path acme --visibility internal");
        console
    }

    /// The same under a secret of one's own.
    fn with_group_and_secret(secret: &str) -> Console {
        let console = Console::new().with("LATCHKEY_SECRET", secret);
        console.person("root", "--admin");
        console.done("group create --path acme --visibility internal");
        console
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The same folder with a variable set.
    fn with(mut self, name: &'static str, value: &str) -> Console {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Makes a person whose password is [`PASSWORD`].
    fn person(&self, username: &str, options: &str) {
        let line = format!(
            "user create --username {username} --email {username}@example.com --password-stdin {options}"
        );
        self.type_in(&line, &format!("{PASSWORD}\n")).succeeded();
    }

    /// A command by its words, which are parted by spaces; `""` is an empty one.
    fn command(&self, line: &str) -> Command {
        let words = line.split_whitespace();
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .args(words.map(|word| if word == "\"\"" { "" } else { word }))
            .env_clear()
            .envs(
                self.environment
                    .iter()
                    .map(|(name, value)| (name, value.as_str())),
            )
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end, with nothing to read.
    fn run(&self, line: &str) -> Outcome {
        self.type_in(line, "")
    }

    /// Runs a command to its end; `input` is on its standard input.
    fn type_in(&self, line: &str, input: &str) -> Outcome {
        let mut child = self.command(line).spawn().unwrap();
        // A command that has refused its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let status = ended(&mut child);
        let output = child.wait_with_output().unwrap();
        Outcome {
            line: line.to_owned(),
            status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that works prints, without the line end.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> String {
        self.run(line).succeeded().stdout.trim_end().to_owned()
    }

    /// What a command that works prints for programs.
    #[track_caller]
    fn json(&self, line: &str) -> Value {
        let outcome = self.run(&format!("{line} --json")).succeeded();
        outcome.object()
    }

    /// Why a command is refused.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        self.run(line).refused()
    }

    /// The server, on a free port.
    pub(crate) fn serve(&self) -> Serving {
        Serving::start(self.command("serve --listen 127.0.0.1:0"), |line| {
            line.strip_prefix("Listening on ").map(str::to_owned)
        })
    }

    /// The database, as it lies there.
    fn database(&self) -> SqliteConnection {
        let file = self.data().join("latchkey.db");
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        sql_query("PRAGMA busy_timeout = 10000")
            .execute(&mut conn)
            .unwrap();
        conn
    }

    /// Turns the creation of tokens on or off for a top-level group, as its Owner does on a page.
    fn allow_creation(&self, group: &str, allowed: bool) {
        let changed = sql_query(
            "UPDATE groups SET resource_access_token_creation_allowed = ? WHERE full_path = ?",
        )
        .bind::<sql_types::Bool, _>(allowed)
        .bind::<sql_types::Text, _>(group)
        .execute(&mut self.database());
        assert_eq!(changed, Ok(1));
    }

    /// The one number that a query asks for.
    fn count(&self, query: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = sql_types::BigInt)]
            number: i64,
        }
        let query = format!("SELECT count(*) AS number FROM {query}");
        let counted: Count = sql_query(&query).get_result(&mut self.database()).unwrap();
        counted.number
    }

    /// Everything that lies in the data directory, one file after the other.
    fn bytes_on_disk(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.data()).unwrap() {
            all.extend(fs::read(entry.unwrap().path()).unwrap());
        }
        all
    }
}

/// As a terminal would show it.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n$ latchkey {}\n{}", self.line, self.said())?;
        write!(f, "(status {:?})", self.status)
    }
}

impl Outcome {
    /// Status 0.
    #[track_caller]
    fn succeeded(self) -> Outcome {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// Status 1, nothing on standard output, and on standard error one line: this is it.
    #[track_caller]
    fn refused(self) -> String {
        assert_eq!(self.status, Some(1), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one line: {self:?}");
        let why = self.stderr.trim_end().strip_prefix("error: ");
        why.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// Status 2, and nothing on standard output.
    #[track_caller]
    fn not_understood(self) -> String {
        assert_eq!(self.status, Some(2), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert_ne!(self.stderr, "", "{self:?}");
        self.stderr
    }

    /// Standard output as the one JSON value that it is, on one line.
    #[track_caller]
    fn object(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whatever was said, on both.
    fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The names in an object, in their order.
#[track_caller]
fn names(object: &Value) -> Vec<&str> {
    let object = object
        .as_object()
        .unwrap_or_else(|| panic!("{object} is no object"));
    object.keys().map(String::as_str).collect()
}

/// Waits for the end of a program; ends it if that doesn't come.
fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        thread::park_timeout(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("a command doesn't come to its end");
}

/// A server that runs, ended when dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// What it is reached under.
    pub(crate) url: String,
    /// Lines of standard output, up to the one that said so.
    before: Vec<String>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Serving {
    /// Starts it, and waits for the line that tells its address, which `find` finds there.
    fn start(mut command: Command, find: impl Fn(&str) -> Option<String>) -> Serving {
        let mut child = command.spawn().unwrap();
        let stdout = lines_of(child.stdout.take().unwrap());
        let stderr = lines_of(child.stderr.take().unwrap());
        let mut before = Vec::new();
        let url = loop {
            let Ok(line) = stdout.recv_timeout(PATIENCE) else {
                let why: Vec<String> = stderr.try_iter().collect();
                let _ = child.kill();
                panic!("the server doesn't say where it is: {before:?} {why:?}");
            };
            let found = find(&line);
            before.push(line);
            if let Some(url) = found {
                break url;
            }
        };
        Serving {
            child,
            url,
            before,
            stdout,
            stderr,
        }
    }

    /// The next line of standard output.
    #[track_caller]
    fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("another line")
    }

    /// The next line of standard error.
    #[track_caller]
    fn complaint(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("another line")
    }

    /// Asks the API with a token.
    fn api(&self, path: &str, token: &str) -> Answer {
        let url = format!("{}/api/v4{path}", self.url);
        ask(|http| http.get(url).header("PRIVATE-TOKEN", token))
    }

    /// Opens a page as a stranger.
    fn page(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.url);
        ask(|http| http.get(url))
    }

    /// A browser, and whether it could sign in.
    fn sign_in(&self, username: &str, password: &str) -> Option<reqwest::Client> {
        let address = format!("{}/users/sign_in", self.url);
        let browser = crate::support::server::http_client()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let asked = browser.clone();
        let answer = runtime().block_on(async move {
            let page = Answer::to(asked.get(&address)).await.expect(200).page();
            let form = page
                .form("/users/sign_in")
                .fill("user[login]", username)
                .fill("user[password]", password);
            Answer::to(asked.post(&address).form(&form.fields)).await
        });
        (answer.status == 303).then_some(browser)
    }

    /// Is the browser signed in still?
    fn knows(&self, browser: &reqwest::Client) -> bool {
        let request = browser.get(format!("{}/dashboard/groups", self.url));
        runtime().block_on(Answer::to(request)).status == 200
    }

    /// Asks it to stop, as a service manager does, and tells with which status it did.
    fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        ended(&mut self.child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a pipe to its end, lest the program wait for somebody to do it.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens any more; the pipe has to be emptied all the same.
            let _ = sender.send(line);
        }
    });
    receiver
}

fn ask(request: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder) -> Answer {
    let http = crate::support::server::http_client().build().unwrap();
    runtime().block_on(Answer::to(request(http)))
}
