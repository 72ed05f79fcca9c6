//! Clones, beside what `git http-backend` needs for the same ones.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey::clock::Clock;
use rand::RngExt as _;

use crate::{
    backend::Backend,
    database::{Database, Folder},
    program::Program,
    report::{self, Table},
};

/// How a measurement is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How large the repository is, in MiB of what can't be compressed.
    #[arg(long, default_value_t = 100)]
    mebibytes: usize,
    /// Clones from each.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Requests to each for what is asked first, which brings next to nothing.
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// Where everything goes for as long as it lasts.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Only print the result.
    #[arg(long)]
    dry: bool,
}

/// Measures clones and first requests, by turns, and reports both.
pub(crate) fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Program::build()?;
    let folder = Folder::new(&arguments.dir, "git")?;
    let database = Database::new(folder.path(), None, "git")?;
    let program = Program::on(&path, folder.path(), database.url().clone());
    program.run(
        &[
            "user",
            "create",
            "--admin",
            "--username",
            "root",
            "--email",
            "root@example.com",
            "--password-stdin",
        ],
        "open-sesame-42-and-more",
    )?;
    // Public, so that the same request can be made without a token: what that saves is what the token costs.
    program.run(
        &[
            "group",
            "create",
            "--path",
            "acme",
            "--visibility",
            "public",
        ],
        "",
    )?;
    program.run(
        &[
            "project",
            "create",
            "--path",
            "acme/api",
            "--visibility",
            "public",
        ],
        "",
    )?;
    let token = program.run(
        &["token", "create", "--group", "acme", "--name", "bench"],
        "",
    )?;
    let server = program.serve()?;
    let ours = format!("http://x:{token}@{}/acme/api.git", server.address());
    writeln!(io::stderr(), "A repository of {} MiB", arguments.mebibytes)?;
    let tree = folder.path().join("tree");
    fill(&tree, arguments.mebibytes)?;
    git(&tree, &["push", "--quiet", &ours, "main"])?;
    let repository = found(&folder.path().join("repositories"))?;
    let backend = Backend::start(&repository)?;
    let theirs = format!("http://{}/api.git", backend.address);

    let clone = folder.path().join("clone");
    let mut clones = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        writeln!(io::stderr(), "Clone {} of {}", round + 1, arguments.rounds)?;
        // Each goes first as often as the other.
        if round % 2 == 0 {
            clones.0.push(time_clone(&ours, &clone)?);
            clones.1.push(time_clone(&theirs, &clone)?);
        } else {
            clones.1.push(time_clone(&theirs, &clone)?);
            clones.0.push(time_clone(&ours, &clone)?);
        }
    }
    writeln!(io::stderr(), "First requests")?;
    let login = STANDARD.encode(format!("x:{token}"));
    let mut requests = (Vec::new(), Vec::new());
    let mut nameless = Vec::new();
    for _ in 0..arguments.requests {
        let own = |login: Option<&String>| {
            time_request(server.address(), "/acme/api.git", login.map(String::as_str))
        };
        requests.0.push(own(Some(&login))?);
        nameless.push(own(None)?);
        requests
            .1
            .push(time_request(&backend.address, "/api.git", None)?);
    }
    let authorisation = (requests.0.clone(), nameless);
    let mut table = Table::new(["", "Latchkey", "git http-backend", "ratio", "difference"]);
    for (what, (ours, theirs)) in [
        (
            format!(
                "clone of {} MiB, median of {}",
                arguments.mebibytes, arguments.rounds
            ),
            clones,
        ),
        (
            format!("info/refs, median of {}", arguments.requests),
            requests,
        ),
        (
            "the same with a token, and beside it Latchkey without".to_owned(),
            authorisation,
        ),
    ] {
        let (ours, theirs) = (median(ours), median(theirs));
        let (a, b) = (ours.as_secs_f64() * 1e3, theirs.as_secs_f64() * 1e3);
        table.row([
            what,
            format!("{a:.1} ms"),
            format!("{b:.1} ms"),
            format!("{:.2}", a / b),
            format!("{:+.2} ms", a - b),
        ]);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let circumstances = format!(
        "{}, SQLite, {cores} cores, {profile} build, commit {}. By turns, on the same repository and machine; \
         `git http-backend` behind a server that does nothing else.",
        Clock::System.now().date_naive(),
        report::commit()
    );
    report::print(&circumstances, &table)?;
    if arguments.dry {
        return Ok(());
    }
    report::publish("git", &circumstances, &table)
}

/// A repository with so much noise in it.
fn fill(tree: &Path, mebibytes: usize) -> anyhow::Result<()> {
    fs::create_dir_all(tree)?;
    git(tree, &["init", "--quiet", "--initial-branch=main"])?;
    let mut noise = vec![0_u8; 1 << 20];
    for number in 0..mebibytes {
        rand::rng().fill(&mut noise[..]);
        fs::write(tree.join(format!("{number}.bin")), &noise)?;
    }
    git(tree, &["add", "--all"])?;
    git(tree, &["commit", "--quiet", "--message", "Noise"])
}

/// The one repository that lies there.
fn found(root: &Path) -> anyhow::Result<PathBuf> {
    for spread in fs::read_dir(root)? {
        for entry in fs::read_dir(spread?.path())? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "git") {
                return Ok(path);
            }
        }
    }
    bail!("nothing was pushed")
}

fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = command(arguments).current_dir(folder).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("git {}: {said}", arguments.join(" "));
    }
    Ok(())
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "user.name=Bench",
            "-c",
            "user.email=bench@example.com",
        ])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

fn time_clone(url: &str, to: &Path) -> anyhow::Result<Duration> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let began = Instant::now();
    let output = command(&["clone", "--quiet", "--bare", url])
        .arg(to)
        .output()?;
    let took = began.elapsed();
    ensure!(
        output.status.success(),
        "git clone: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(took)
}

fn time_request(address: &str, path: &str, login: Option<&str>) -> anyhow::Result<Duration> {
    let login = login.map_or(String::new(), |login| {
        format!("Authorization: Basic {login}\r\n")
    });
    let request = format!(
        "GET {path}/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: {address}\r\n{login}Connection: close\r\n\r\n"
    );
    let began = Instant::now();
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let took = began.elapsed();
    ensure!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    Ok(took)
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}
