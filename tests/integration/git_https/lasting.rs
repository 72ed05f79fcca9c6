//! What large repositories and many clones cost the server: no more memory than small ones.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use latchkey::members::AccessLevel;

use super::{PULL, Scene, asked};
use crate::console::Console;
use crate::on_sqlite;
use crate::support::{
    Answer, GitClient, TestResource, TestServer,
    git::git_url,
    server::{http_client, runtime},
};

on_sqlite![
    twenty_clones_at_once_are_twenty_whole_ones,
    a_client_that_says_all_before_it_listens_is_answered,
    nobody_takes_more_than_their_share_of_turns,
    all_who_send_no_credential_from_one_address_share_a_few_turns,
];

/// Longer than anything here takes when it works.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that is about to happen; fails when it doesn't in this time.
#[track_caller]
pub(super) fn until(limit: Duration, what: &str, happened: impl Fn() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < limit, "not in {limit:?}: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// The programs that work in a repository; those that have ended and weren't waited for count, too.
pub(super) fn programs_in(repository: &Path) -> Vec<String> {
    let path = repository.to_str().unwrap().as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.windows(path.len()).any(|part| part == path) {
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

/// A clone by hand, over a connection that is read only when the test says so.
pub(super) struct Clone {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Clone {
    /// Asks for everything below a commit.
    pub(super) fn of(server: &str, full_path: &str, token: &str, commit: &str) -> Clone {
        let want = format!("want {commit} side-band-64k ofs-delta no-progress\n");
        let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
        Clone::with(server, full_path, token, body.as_bytes())
    }

    /// Asks with this body, which is written whole before anything is read.
    pub(super) fn with(server: &str, full_path: &str, token: &str, body: &[u8]) -> Clone {
        let mut clone = Clone::begun(
            server,
            full_path,
            Some(token),
            &format!("Content-Length: {}", body.len()),
        );
        clone.stream.write_all(body).unwrap();
        clone
    }

    /// Says that something will follow.
    fn begun(server: &str, full_path: &str, token: Option<&str>, length: &str) -> Clone {
        let host = server.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let login = token.map_or_else(String::new, |token| {
            let login = STANDARD.encode(format!("x:{token}"));
            format!("Authorization: Basic {login}\r\n")
        });
        let head = format!(
            "POST /{full_path}.git/{PULL} HTTP/1.1\r\nHost: {host}\r\n{login}\
             Content-Type: application/x-{PULL}-request\r\n{length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Clone {
            stream,
            received: Vec::new(),
        }
    }

    /// Reads until so many bytes have come; fails where the answer ends before.
    #[track_caller]
    pub(super) fn read(&mut self, enough: usize) {
        let mut piece = [0; 16 * 1024];
        while self.received.len() < enough {
            let size = self.stream.read(&mut piece).unwrap();
            let so_far = String::from_utf8_lossy(&self.received).into_owned();
            assert!(size > 0, "the answer ends: {so_far}");
            self.received.extend(&piece[..size]);
        }
    }

    /// Reads whatever comes; tells all that came, and whether the server said that this is the whole.
    pub(super) fn rest(mut self) -> (Vec<u8>, bool) {
        // A connection that is cut off has an end as well.
        let _ = self.stream.read_to_end(&mut self.received);
        let whole = self.received.ends_with(b"\r\n0\r\n\r\n");
        (self.received, whole)
    }
}

/// The body of an answer that came in chunks.
fn unchunked(answer: &[u8]) -> Vec<u8> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|at| at == what);
    let mut left = &answer[find(answer, b"\r\n\r\n").unwrap() + 4..];
    let mut body = Vec::new();
    loop {
        let end = find(left, b"\r\n").unwrap();
        let size = std::str::from_utf8(&left[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend(&left[end + 2..end + 2 + size]);
        left = &left[end + 2 + size + 2..];
    }
}

async fn twenty_clones_at_once_are_twenty_whole_ones(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let source = scene.git.init("source");
    let commit = source.commit_mebibytes(2);
    let what = format!("{commit}:refs/heads/large");
    source.push(&scene.url(), &what).succeeded();
    let url = scene.developers_url();
    let options = ["--branch=large"];
    let git = &scene.git;
    thread::scope(|scope| {
        for number in 0..20 {
            let (url, commit, options) = (&url, &commit, &options);
            scope.spawn(move || {
                let tree = git.clone_with(url, &format!("clone{number}"), options);
                assert_eq!(&tree.head(), commit);
                assert_eq!(tree.done(["status", "--porcelain"]), "");
            });
        }
    });
    let repository = server.repository(scene.project());
    until(Duration::from_secs(5), "no program is left", || {
        programs_in(&repository).is_empty()
    });
}

/// A server that writes all of a request to Git before it listens to Git waits for Git, which waits for the server.
async fn a_client_that_says_all_before_it_listens_is_answered(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    const HAVES: usize = 120_000;
    let source = scene.git.init("source");
    let commits = source.commit_often("long", 500);
    source.push(&scene.url(), "long").succeeded();
    let want = format!("want {} multi_ack_detailed side-band-64k\n", scene.main);
    let mut body = format!("{:04x}{want}0000", want.len() + 4);
    for commit in commits.iter().cycle().take(HAVES) {
        body.push_str(&format!("0032have {commit}\n"));
    }
    body.push_str("0009done\n");
    // More than the system itself holds back for a client that does not read.
    assert!(body.len() > 5_000_000);
    let url = server.url.clone();
    let token = scene.maintainer.value.clone();
    let (answer, whole) = Clone::with(&url, "acme/p1", &token, body.as_bytes()).rest();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "no answer");
    assert!(whole);
    let answer = unchunked(&answer);
    let acknowledged = answer.windows(4).filter(|part| part == b"ACK ").count();
    assert!(acknowledged > HAVES, "{acknowledged}");
    assert!(answer.windows(4).any(|part| part == b"PACK"));
}

async fn nobody_takes_more_than_their_share_of_turns(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    const MANY: usize = 70;
    let repository = server.repository(scene.project());
    let greedy = &scene.developer.value;
    let mut held: Vec<Clone> = (0..MANY)
        .map(|_| {
            let chunked = "Transfer-Encoding: chunked";
            let login = Some(greedy.as_str());
            let mut clone = Clone::begun(&server.url, "acme/p1", login, chunked);
            clone.stream.write_all(b"4\r\n0032\r\n").unwrap();
            clone
        })
        .collect();
    until(PATIENCE, "some have their turn", || {
        programs_in(&repository).len() > 1
    });
    // Others get theirs meanwhile.
    assert_eq!(scene.references().len(), 5);
    let (mut served, mut refused) = (0, 0);
    for clone in &mut held {
        clone.read(1);
        let answer = String::from_utf8_lossy(&clone.received).to_lowercase();
        if answer.starts_with("http/1.1 200") {
            served += 1;
            continue;
        }
        refused += 1;
        assert!(answer.starts_with("http/1.1 503"), "{answer}");
        assert!(answer.contains("\r\nretry-after: "), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/plain"), "{answer}");
    }
    assert_eq!((served, refused), (24, MANY - 24));
    assert_eq!(programs_in(&repository).len(), served);
    drop(held);
    until(Duration::from_secs(5), "no program is left", || {
        programs_in(&repository).is_empty()
    });
    let url = scene.developers_url();
    assert_eq!(scene.git.ls_remote(&url).len(), 5);
}

async fn all_who_send_no_credential_from_one_address_share_a_few_turns(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    const MANY: usize = 12;
    let group = server.group("open").public().create();
    let code = group.project("code").create();
    let owner = group.token("owner").role(AccessLevel::Owner).create();
    let tree = scene.git.clone(&scene.url(), "clone");
    tree.push(&code.url_for(&owner), "HEAD:main").succeeded();
    let repository = server.repository(&code);
    until(PATIENCE, "the push has ended", || {
        programs_in(&repository).is_empty()
    });
    let mut held: Vec<Clone> = (0..MANY)
        .map(|_| {
            let chunked = "Transfer-Encoding: chunked";
            let mut clone = Clone::begun(&server.url, "open/code", None, chunked);
            clone.stream.write_all(b"4\r\n0032\r\n").unwrap();
            clone
        })
        .collect();
    until(PATIENCE, "all turns are taken", || {
        programs_in(&repository).len() == 8
    });
    // Who sends a token isn't one of them.
    let login = Some(("x", owner.value.as_str()));
    let answer = asked(&server, "open/code", PULL, login).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut served = 0;
    for clone in &mut held {
        clone.read(12);
        let answer = String::from_utf8_lossy(&clone.received).into_owned();
        assert!(
            answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 503"),
            "{answer}"
        );
        served += usize::from(answer.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(served, 8);
}

/// The most memory that a program ever had, in mebibytes.
fn most_memory(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes / 1024
}

#[test]
fn a_hundred_mebibytes_go_through_a_server_that_stays_small() {
    let Some(git) = GitClient::new() else {
        return;
    };
    let console = Console::with_group();
    console.done("project create --path acme/large");
    let token = console.done("token create --group acme --name ci");
    let serving = console.serve();
    let url = git_url(&serving.url, "acme/large", "x", &token);
    let source = git.init("source");
    let commit = source.commit_mebibytes(100);
    source.push(&url, "main").succeeded();
    fs::remove_dir_all(&source.path).unwrap();
    let server = serving.child.id();
    let memory = |what: &str| {
        let most = most_memory(server);
        assert!(most < 150, "{what}: {most} MiB");
    };
    memory("after a push");
    // Those who don't read on must not make the server hold what they don't take.
    let slow: Vec<Clone> = (0..2)
        .map(|_| {
            let mut clone = Clone::of(&serving.url, "acme/large", &token, &commit);
            clone.read(1024 * 1024);
            clone
        })
        .collect();
    git.clone_with(&url, "clone", &["--bare"]);
    let head = git.run(["-C", "clone", "rev-parse", "main"]).succeeded();
    assert_eq!(head.stdout.trim(), commit);
    memory("after a clone");
    // What somebody still reads goes, too.
    let owner = console.done("token create --group acme --name own --role owner");
    let project = format!("{}/api/v4/projects/acme%2Flarge", serving.url);
    let deleted = runtime().block_on(async {
        let http = http_client().build().unwrap();
        Answer::to(http.delete(project).header("private-token", owner)).await
    });
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    let repositories: PathBuf = console.data().join("repositories");
    until(Duration::from_secs(10), "no program is left", || {
        programs_in(&repositories).is_empty()
    });
    for clone in slow {
        assert!(!clone.rest().1, "the project is gone");
    }
    let size = || -> u64 { files_in(&repositories).iter().map(|(_, size)| size).sum() };
    until(PATIENCE, "the repository is gone", || size() < 1024 * 1024);
}

/// Every file below a folder, with its size.
fn files_in(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(data) if data.is_dir() => found.extend(files_in(&path)),
            Ok(data) => found.push((path, data.len())),
            // It went meanwhile.
            Err(_) => {}
        }
    }
    found
}
