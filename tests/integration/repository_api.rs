//! `/projects/:id/repository`: code as programs read and change it without cloning.

mod access;
mod archives;
mod branches;
mod commits;
mod files;
mod names;
mod tags;
mod tree;
mod writing;

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use latchkey::members::AccessLevel;
use serde_json::Value;

use crate::on_sqlite;
use crate::support::{Api, TestProject, TestResource, TestServer, TestToken};

/// `main` with two commits, `feature/one` beside it, `old` behind it, and two tags.
const HISTORY: &str = "\
commit refs/heads/main
mark :1
author Ada Lovelace <ada@example.com> 1700000000 +0100
committer Bob <bob@example.com> 1700000100 +0000
data 23
Begin

With two lines.
M 644 inline README.md
data 6
Hello
M 755 inline bin/run.sh
data 10
#!/bin/sh
M 644 inline src/deep/a.txt
data 4
one
commit refs/heads/main
mark :2
author Ada Lovelace <ada@example.com> 1700086400 +0100
committer Bob <bob@example.com> 1700086500 +0000
data 6
Go on
M 644 inline src/deep/a.txt
data 8
uno
due
M 644 inline größe.txt
data 3
xl
commit refs/heads/feature/one
mark :3
committer Carol <carol@example.com> 1700172800 -0500
data 8
Feature
from :1
M 644 inline feature.txt
data 2
f
reset refs/heads/old
from :1

reset refs/tags/light
from :2

tag v1.0
from :1
tagger Ada Lovelace <ada@example.com> 1700000200 +0000
data 14
First release
";

/// A private project with that history, and who asks.
struct Code {
    server: TestServer,
    project: TestProject,
    maintainer: TestToken,
    developer: TestToken,
}

impl Code {
    /// A project in which nothing is yet; none where Git isn't installed, which is said aloud.
    fn empty(server: &TestServer) -> Option<Code> {
        if !has_git() {
            return None;
        }
        let project = server
            .group("acme")
            .private()
            .create()
            .project("api")
            .create();
        let token = |name, level| project.token(name).role(level).create();
        Some(Code {
            server: server.clone(),
            maintainer: token("maintainer", AccessLevel::Maintainer),
            developer: token("developer", AccessLevel::Developer),
            project,
        })
    }

    /// A project with the history, pushed.
    fn with_history(server: &TestServer) -> Option<Code> {
        let code = Code::empty(server)?;
        code.push(HISTORY, "refs/*:refs/*");
        Some(code)
    }

    /// Pushes what this stream for `git fast-import` makes.
    fn push(&self, stream: &str, what: &str) {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "."], b"");
        git(
            folder.path(),
            &["fast-import", "--quiet"],
            stream.as_bytes(),
        );
        let host = self.server.url.trim_start_matches("http://");
        let (token, path) = (&self.maintainer.value, &self.project.full_path);
        let url = format!("http://x:{token}@{host}/{path}.git");
        git(folder.path(), &["push", "--quiet", &url, what], b"");
    }

    /// `/projects/7/repository…`
    fn path(&self, rest: &str) -> String {
        format!("{}/repository{rest}", self.project.path())
    }

    async fn get(&self, rest: &str) -> Value {
        self.developer
            .get(&self.path(rest))
            .await
            .expect(200)
            .json()
    }

    async fn outcome(&self, rest: &str) -> (u16, Value) {
        self.developer.get(&self.path(rest)).await.outcome()
    }

    /// The id of the commit that a revision stands for.
    async fn id(&self, revision: &str) -> String {
        let commit = self.get(&format!("/commits/{revision}")).await;
        commit["id"].as_str().unwrap().to_owned()
    }
}

/// One field of each row.
fn column(list: &Value, field: &str) -> Vec<String> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap().to_owned())
        .collect()
}

fn missing(what: &str) -> (u16, Value) {
    (
        404,
        serde_json::json!({ "message": format!("404 {what} Not Found") }),
    )
}

fn told(text: &str) -> (u16, Value) {
    (400, serde_json::json!({ "message": text }))
}

/// The texts of a caller's rows.
async fn names(api: &Api, path: &str) -> Vec<String> {
    column(&api.get(path).await.expect(200).json(), "name")
}

fn git(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(["-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git starts");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}

fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok();
    if !found {
        let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "git is not installed, and LATCHKEY_REQUIRE_CLIENTS=1"
        );
        let _ = writeln!(std::io::stderr(), "SKIPPED: git is not installed");
    }
    found
}
