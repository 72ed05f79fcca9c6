//! What lies in the company's repositories: enough to clone, to look at and to push to.

use std::io::{self, Write as _};
use std::process::Stdio;

use chrono::{DateTime, Utc};

use super::{CODE, ago};
use crate::app::App;
use crate::error::Error;
use crate::projects::Project;
use crate::projects::store::{ProjectRef, find_by_ref};

/// A commit: how many days ago, by whom, what for, the branch it is on, what files say since.
type Commit = (i64, Author, &'static str, &'static str, &'static [File]);

/// A name and an address.
type Author = (&'static str, &'static str);

/// A path, and what is in the file.
type File = (&'static str, &'static str);

const ALICE: Author = ("Alice Doe", "alice@acme.example");
const BOB: Author = ("Bob Berg", "bob@acme.example");
const CAROL: Author = ("Carol Chen", "carol@acme.example");

/// Of a project the commits, each after the one before it or beside it, and tags: name, days ago, which commit.
const API: &[Commit] = &[
    (
        400,
        BOB,
        "Describe what partners may call",
        "main",
        &[
            ("README.md", include_str!("code/api/README.md")),
            ("docs/errors.md", include_str!("code/api/errors.md")),
            ("openapi.yaml", include_str!("code/api/openapi.yaml")),
        ],
    ),
    (
        212,
        CAROL,
        "Serve orders\n\nRead only for now: writing waits for the new contract.",
        "main",
        &[
            ("src/main.rs", include_str!("code/api/main.rs")),
            ("src/orders.rs", include_str!("code/api/orders.rs")),
        ],
    ),
    (
        3,
        BOB,
        "Refund orders",
        "feature/refunds",
        &[("src/refunds.rs", include_str!("code/api/refunds.rs"))],
    ),
    (
        2,
        CAROL,
        "Deploy with a group access token",
        "main",
        &[("deploy.sh", include_str!("code/api/deploy.sh"))],
    ),
];

const HANDBOOK: &[Commit] = &[(
    180,
    ALICE,
    "Write down how we treat credentials",
    "main",
    &[("README.md", include_str!("code/handbook/README.md"))],
)];

/// Fills the repositories of some projects. They stay empty where Git isn't installed.
///
/// # Errors
/// When the database or the disk is away.
pub(super) fn write(app: &App, now: DateTime<Utc>) -> Result<(), Error> {
    if app.repositories.git().version().is_err() {
        return Ok(());
    }
    for (path, commits, tags) in [
        (CODE, API, &[("v1.0", 210, 2)][..]),
        ("acme/handbook", HANDBOOK, &[]),
    ] {
        let name = ProjectRef::Path(path.into());
        let found = app.db.read_now(move |conn| find_by_ref(conn, &name))?;
        if let Some(project) = found {
            import(app, &project, &stream(commits, tags, now)).map_err(Error::unavailable)?;
        }
    }
    Ok(())
}

fn import(app: &App, project: &Project, stream: &[u8]) -> anyhow::Result<()> {
    let path = app.repositories.ensure(project)?;
    let mut run = app
        .repositories
        .git()
        .command(&path)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = run.stdin.take() {
        stdin.write_all(stream)?;
    }
    let output = run.wait_with_output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("git fast-import: {}", why.trim())).into());
    }
    Ok(())
}

/// What `git fast-import` reads.
fn stream(commits: &[Commit], tags: &[(&str, i64, usize)], now: DateTime<Utc>) -> Vec<u8> {
    let mut stream = String::new();
    let data = |text: &str| format!("data {}\n{text}\n", text.len());
    let mut begun: Vec<&str> = Vec::new();
    for (number, (days, (name, email), message, branch, files)) in (1..).zip(commits) {
        let at = ago(now, *days, 10, 40).timestamp();
        stream += &format!("commit refs/heads/{branch}\nmark :{number}\n");
        stream += &format!("committer {name} <{email}> {at} +0000\n");
        stream += &data(message);
        if !begun.contains(branch) {
            if !begun.is_empty() {
                stream += "from refs/heads/main\n";
            }
            begun.push(branch);
        }
        for (path, content) in *files {
            let mode = if path.ends_with(".sh") {
                "100755"
            } else {
                "100644"
            };
            stream += &format!("M {mode} inline {path}\n");
            stream += &data(content);
        }
    }
    for (name, days, target) in tags {
        let ((who, email), at) = (BOB, ago(now, *days, 10, 40).timestamp());
        stream += &format!("tag {name}\nfrom :{target}\n");
        stream += &format!("tagger {who} <{email}> {at} +0000\n");
        stream += &data("What partners have signed");
    }
    stream.into_bytes()
}
