//! Clones and pushes that end before their end: because the client went, or because it may no longer.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::git::limits::Times;
use latchkey::members::AccessLevel;

use super::lasting::{Clone, programs_in, until};
use super::{PUSH, Scene};
use crate::support::{TestResource, TestServer, TestToken, server::watchful};
use crate::{on_both, on_sqlite};

on_both![a_clone_ends_with_the_right_to_it];

on_sqlite![
    no_program_outlives_the_client,
    no_program_outlives_the_client_of_a_push,
    a_push_ends_with_the_right_to_it,
    a_token_that_ends_while_a_push_comes_in_changes_nothing,
];

/// How long what must end may last.
const SOON: Duration = Duration::from_secs(5);

/// How large the repository is: more than lies in all buffers between Git and a client that doesn't read.
const MEBIBYTES: usize = 20;

/// The project, with so much in it that no clone of it is over at once; and the commit to ask for.
fn enlarge(scene: &Scene) -> String {
    // Noise holds no tokens, and looking for them takes its time.
    scene
        .project()
        .server()
        .set("refuse_pushed_tokens", "false");
    let source = scene.git.init("source");
    let commit = source.commit_mebibytes(MEBIBYTES);
    source
        .push(&scene.url(), &format!("{commit}:refs/heads/large"))
        .succeeded();
    std::fs::remove_dir_all(&source.path).unwrap();
    commit
}

/// Sends a signal to a program and to all that it started.
fn signal(child: &Child, name: &str) {
    let group = format!("-{}", child.id());
    let sent = Command::new("kill")
        .args([&format!("-{name}"), "--", &group])
        .status()
        .unwrap();
    assert!(sent.success(), "{name}");
}

async fn no_program_outlives_the_client(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    enlarge(&scene);
    let repository = server.repository(scene.project());
    let url = scene.url();
    let running = || !programs_in(&repository).is_empty();
    until(SOON, "the push has ended", || !running());
    let mut client = scene
        .git
        .start(["clone", "--bare", "--quiet", &url, "killed"]);
    let partial = scene.git.folder().join("killed/objects/pack");
    // Stopped first, so that it is in the middle of it for certain.
    until(Duration::from_secs(30), "the clone has begun", || {
        let mut files = std::fs::read_dir(&partial).into_iter().flatten().flatten();
        files.any(|file| file.metadata().is_ok_and(|data| data.len() > 1024 * 1024))
    });
    signal(&client, "STOP");
    assert!(running(), "the clone was over too soon");
    signal(&client, "KILL");
    client.wait().unwrap();
    until(SOON, "no program is left", || !running());
    // One that goes without a word, before it has read anything of what it asked for.
    let commit = scene.branch("large").unwrap();
    until(SOON, "the look has ended", || !running());
    let silent = Clone::of(&server.url, "acme/p1", &scene.maintainer.value, &commit);
    until(SOON, "the clone has begun", running);
    drop(silent);
    until(SOON, "no program is left", || !running());
}

/// What Git holds back in a repository for pushes that go on.
pub(super) fn incoming(repository: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository.join("objects")).unwrap();
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_str().unwrap().contains("incoming"))
        .collect()
}

/// Writes a piece of a body whose length isn't announced.
pub(super) fn write_chunk(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// A push by hand that has begun, three objects being announced, and that says no more unless the test does.
pub(super) fn begin_push(server: &TestServer, token: &TestToken, commit: &str) -> TcpStream {
    let host = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let login = STANDARD.encode(format!("x:{}", token.value));
    let zero = "0".repeat(40);
    let line = format!("{zero} {commit} refs/heads/half\0report-status side-band-64k");
    let commands = format!("{:04x}{line}0000", line.len() + 4);
    let request = format!(
        "POST /acme/p1.git/{PUSH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {login}\r\n\
         Content-Type: application/x-{PUSH}-request\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let body = [commands.as_bytes(), b"PACK\0\0\0\x02\0\0\0\x03"].concat();
    write_chunk(&mut stream, &body).unwrap();
    stream
}

async fn no_program_outlives_the_client_of_a_push(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let repository = server.repository(scene.project());
    let running = || !programs_in(&repository).is_empty();
    let before = scene.references();
    until(SOON, "the look has ended", || !running());
    let push = begin_push(&server, &scene.developer, &scene.work);
    until(SOON, "something is held back", || {
        !incoming(&repository).is_empty()
    });
    drop(push);
    until(SOON, "no program is left", || !running());
    assert_eq!(scene.references(), before);
    until(SOON, "nothing of it stays", || {
        incoming(&repository).is_empty()
    });
}

async fn a_push_ends_with_the_right_to_it(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let repository = server.repository(scene.project());
    let running = || !programs_in(&repository).is_empty();
    let before = scene.references();
    until(SOON, "the look has ended", || !running());
    let token = scene.company.acme.token("ci").create();
    let push = begin_push(&server, &token, &scene.work);
    until(SOON, "something is held back", || {
        !incoming(&repository).is_empty()
    });
    // Of another push, that goes on.
    let other = begin_push(&server, &scene.maintainer, &scene.work);
    until(SOON, "both push", || incoming(&repository).len() == 2);
    let path = format!("{}/access_tokens/{}", scene.company.acme.path(), token.id);
    scene.company.alice.api().delete(&path).await.expect(204);
    until(SOON, "nothing of it stays", || {
        incoming(&repository).len() == 1
    });
    assert!(running(), "the other one goes on");
    drop(push);
    drop(other);
    until(SOON, "nothing stays", || {
        !running() && incoming(&repository).is_empty()
    });
    assert_eq!(scene.references(), before);
}

async fn a_clone_ends_with_the_right_to_it(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let commit = enlarge(&scene);
    let company = &scene.company;
    let alice = company.alice.api();
    let repository = server.repository(scene.project());
    let running = || !programs_in(&repository).is_empty();
    until(SOON, "the push has ended", || !running());
    let begin = |token: &TestToken| {
        let mut clone = Clone::of(&server.url, "acme/p1", &token.value, &commit);
        clone.read(256 * 1024);
        assert!(running());
        (clone, Instant::now())
    };
    let ends = |what: &str, (clone, began): (Clone, Instant)| {
        until(SOON, what, || !running());
        assert!(began.elapsed() < SOON * 2, "{what}");
        let (received, whole) = clone.rest();
        assert!(!whole, "{what}: told that it is the whole");
        assert!(
            received.len() < MEBIBYTES * 1024 * 1024,
            "{what}: it is the whole"
        );
    };
    let role = AccessLevel::Reporter;
    let reads = |name: &str| {
        let token = company.acme.token(name).role(role);
        token.scopes([Scope::ReadRepository])
    };

    let revoked = reads("revoked").create();
    let clone = begin(&revoked);
    let path = format!("{}/access_tokens/{}", company.acme.path(), revoked.id);
    alice.delete(&path).await.expect(204);
    ends("revoked", clone);

    let expiring = reads("expiring").expires(&server.days_ahead(1)).create();
    let clone = begin(&expiring);
    server.clock.advance(TimeDelta::days(1));
    ends("expired", clone);

    let dave = company.dave.personal_token([Scope::ReadRepository]);
    let clone = begin(&dave);
    company.dave.block();
    ends("blocked", clone);

    let carol = company.carol.personal_token([Scope::ReadRepository]);
    let clone = begin(&carol);
    let member = format!("{}/members/{}", company.acme.path(), company.carol.id);
    alice.delete(&member).await.expect(204);
    ends("no longer a member", clone);

    let bob = company.bob.personal_token([Scope::ReadRepository]);
    let clone = begin(&bob);
    let member = format!("{}/members/{}", company.acme.path(), company.bob.id);
    let guest = serde_json::json!({ "access_level": 10 });
    alice.put(&member, guest).await.expect(200);
    ends("a Guest now", clone);

    let last = reads("last").create();
    let clone = begin(&last);
    alice.delete(&company.p1.path()).await.expect(202);
    ends("the project is deleted", clone);
}

/// Without anybody looking meanwhile: the token is looked at again when Git asks.
async fn a_token_that_ends_while_a_push_comes_in_changes_nothing(server: TestServer) {
    let server = server.with_git_times(Times {
        watch: Duration::from_secs(600),
        ..watchful()
    });
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let before = scene.references();
    let events = || server.count("audit_events", "event = 'repository_pushed'");
    let pushed = events();
    let tree = scene.git.clone(&scene.url(), "clone");
    let commit = tree.commit_file("one.txt", "one\n");
    let to_file = "alias.into-file=!git pack-objects --revs --stdout --quiet >some.pack";
    let wanted = format!("{commit}\n^{}\n", scene.main);
    tree.feed(["-c", to_file, "into-file"], wanted.as_bytes())
        .succeeded();
    let pack = std::fs::read(tree.path.join("some.pack")).unwrap();
    assert_eq!(pack[..12], *b"PACK\0\0\0\x02\0\0\0\x03", "three objects");
    let repository = server.repository(scene.project());
    let tomorrow = server.days_ahead(1);
    for ending in ["revoked", "expired"] {
        let token = scene.company.acme.token("ci").expires(&tomorrow).create();
        let mut push = begin_push(&server, &token, &commit);
        until(SOON, "something is held back", || {
            !incoming(&repository).is_empty()
        });
        if ending == "revoked" {
            let path = format!("{}/access_tokens/{}", scene.company.acme.path(), token.id);
            scene.company.alice.api().delete(&path).await.expect(204);
        } else {
            server.clock.advance(TimeDelta::days(1));
        }
        write_chunk(&mut push, &pack[12..]).unwrap();
        push.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        push.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let told = "You are not allowed to push code to this project.";
        assert!(answer.contains(told), "{ending}: {answer}");
        assert_eq!(events(), pushed, "{ending}");
    }
    assert_eq!(scene.references(), before);
}
