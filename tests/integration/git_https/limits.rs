//! Pushes that are too large, or broken.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;

use super::{PUSH, Scene, request};
use crate::on_sqlite;
use crate::support::{Answer, TestServer, TestToken, git::Noise};

on_sqlite![
    a_push_over_the_limit_is_refused_and_the_person_is_told,
    a_client_that_says_all_before_it_listens_is_told,
    an_announced_length_over_the_limit_is_refused_at_once,
    a_request_for_a_clone_is_no_larger_than_it_needs_to_be,
    a_malformed_object_is_refused,
    a_push_that_breaks_off_changes_nothing,
];

async fn a_push_over_the_limit_is_refused_and_the_person_is_told(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    server.set("git_push_limit_bytes", "65536");
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let mut noise = Noise::default();
    tree.commit_file("small.bin", noise.bytes(40_000));
    tree.push("origin", "HEAD:small").succeeded();
    // With an announced length, and without.
    for size in [200_000, 1_500_000, 3_000_000] {
        tree.done(["reset", "--quiet", "--hard", &scene.main]);
        tree.commit_file("large.bin", noise.bytes(size));
        scene.nothing_comes_of("remote: ", || {
            let push = tree.push("origin", "HEAD:large");
            let told = push.stderr.to_lowercase();
            let why = ["maximum allowed size", "limit", "too large", "larger"];
            assert!(
                why.iter().any(|words| told.contains(words)),
                "{size}: {push:?}"
            );
            push
        });
    }
    server.set("git_push_limit_bytes", "4000000");
    tree.push("origin", "HEAD:large").succeeded();
}

/// A connection on which a push begins, its head written and nothing of its body.
fn by_hand(server: &TestServer, token: &TestToken, length: &str) -> TcpStream {
    let host = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    let login = STANDARD.encode(format!("x:{}", token.value));
    let head = format!(
        "POST /acme/p1.git/{PUSH} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {login}\r\n\
         Content-Type: application/x-{PUSH}-request\r\nConnection: close\r\n{length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// Git stops listening in the middle; what the client says from then on is heard all the same, and so is the report.
async fn a_client_that_says_all_before_it_listens_is_told(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    server.set("git_push_limit_bytes", "65536");
    let before = scene.references();
    let zero = "0".repeat(40);
    let line = format!("{zero} {} refs/heads/large\0report-status", scene.main);
    let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    // One object of eight mebibytes, stored as it is.
    body.extend(b"PACK\0\0\0\x02\0\0\0\x01\xb0\x80\x80\x20\x78\x01");
    body.extend(Noise::default().bytes(8 * 1024 * 1024));
    let mut stream = by_hand(&server, &scene.developer, "Transfer-Encoding: chunked");
    let head = format!("{:x}\r\n", body.len());
    for part in [head.as_bytes(), &body, b"\r\n0\r\n\r\n"] {
        stream
            .write_all(part)
            .expect("the server listens to the end");
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("ng refs/heads/large"), "{answer}");
    assert_eq!(scene.references(), before);
}

async fn an_announced_length_over_the_limit_is_refused_at_once(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    server.set("git_push_limit_bytes", "65536");
    let before = scene.references();
    let path = format!("/acme/p1.git/{PUSH}");
    let login = Some(("x", scene.developer.value.as_str()));
    let post = request(&server, Method::POST, &path, login)
        .header("content-type", "application/x-git-receive-pack-request")
        .body(vec![b'0'; 16 * 1024 * 1024]);
    let answer = Answer::to(post).await;
    assert_eq!(answer.status, 413);
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert!(answer.text().contains("65536") || answer.text().contains("64"));
    // Nothing of the body has to come.
    let mut stream = by_hand(&server, &scene.developer, "Content-Length: 99999999999");
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    assert_eq!(scene.references(), before);
}

async fn a_request_for_a_clone_is_no_larger_than_it_needs_to_be(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let line = format!("0032have {}\n", "a".repeat(40));
    let body = line.repeat(40 * 1024 * 1024 / line.len());
    let post = request(
        &server,
        Method::POST,
        "/acme/p1.git/git-upload-pack",
        Some(("x", &scene.maintainer.value)),
    )
    .header("content-type", "application/x-git-upload-pack-request")
    .body(format!("0032want {}\n0000{body}", scene.main));
    // Refused, or the connection ends; in any case not taken for good, and the server goes on.
    if let Ok(answer) = post.send().await {
        let status = answer.status().as_u16();
        let whole = answer.bytes().await;
        assert!((400..500).contains(&status) || whole.is_err(), "{status}");
    }
    assert_eq!(scene.references().len(), 5);
}

async fn a_malformed_object_is_refused(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let root = tree.done(["rev-parse", "HEAD^{tree}"]);
    let blob = tree.done(["rev-parse", "HEAD:README.md"]);
    let commit = |content: String| {
        let made = [
            "hash-object",
            "-t",
            "commit",
            "-w",
            "--literally",
            "--stdin",
        ];
        let made = tree.feed(made, content.as_bytes()).succeeded();
        made.stdout.trim().to_owned()
    };
    let who = "Ada <ada@example.com> 1700000000 +0000";
    let without_author = commit(format!("tree {root}\ncommitter {who}\n\nNo author\n"));
    // A tree that would write into the settings of whoever checks it out.
    let mut entry = b"100644 .git\0".to_vec();
    entry.extend((0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()));
    let made = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let made = tree.feed(made, &entry).succeeded();
    let evil = made.stdout.trim();
    let into_settings = commit(format!(
        "tree {evil}\nauthor {who}\ncommitter {who}\n\nEvil\n"
    ));
    for (object, words) in [
        (without_author, "missingAuthor"),
        (into_settings, "hasDotgit"),
    ] {
        scene.nothing_comes_of(words, || {
            tree.push("origin", &format!("{object}:refs/heads/broken"))
        });
    }
    scene
        .git
        .clone(&scene.url(), "fine")
        .done(["fsck", "--strict"]);
}

async fn a_push_that_breaks_off_changes_nothing(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let commit = tree.commit_file("one.txt", Noise::default().bytes(300_000));
    let pack = ["pack-objects", "--revs", "--stdout", "--quiet"];
    let wanted = format!("{commit}\n^{}\n", scene.main);
    // Through a file: an outcome holds text.
    fs_pack(&tree, &pack, &wanted);
    let pack = std::fs::read(tree.path.join("some.pack")).unwrap();
    let zero = "0".repeat(40);
    let line = format!("{zero} {commit} refs/heads/cut\0report-status");
    let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    let commands = body.len();
    body.extend(&pack);
    let mut broken = body.clone();
    let middle = body.len() / 2;
    broken[middle] ^= 0xff;
    let before = scene.references();
    let events = || server.count("audit_events", "event = 'repository_pushed'");
    let pushed = events();
    let path = format!("/acme/p1.git/{PUSH}");
    let post = |body: Vec<u8>| {
        request(
            &server,
            Method::POST,
            &path,
            Some(("x", &scene.developer.value)),
        )
        .header("content-type", "application/x-git-receive-pack-request")
        .body(body)
    };
    for body in [
        broken,
        body[..body.len() - 1].to_vec(),
        body[..middle].to_vec(),
        body[..commands].to_vec(),
        body[..commands - 4].to_vec(),
        body[..20].to_vec(),
    ] {
        let size = body.len();
        let answer = Answer::to(post(body)).await;
        assert!(answer.status < 500, "{size}: {}", answer.status);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("ok refs/heads/cut"), "{size}: {text}");
        assert_eq!(scene.references(), before, "{size}");
    }
    assert_eq!(events(), pushed);
    // Whole, it is taken.
    let answer = Answer::to(post(body)).await.expect(200);
    assert!(
        answer.text().contains("ok refs/heads/cut"),
        "{}",
        answer.text()
    );
    assert_eq!((scene.branch("cut"), events()), (Some(commit), pushed + 1));
}

fn fs_pack(tree: &crate::support::WorkTree<'_>, arguments: &[&str], wanted: &str) {
    let to_file = format!("alias.into-file=!git {} >some.pack", arguments.join(" "));
    tree.feed(["-c", &to_file, "into-file"], wanted.as_bytes())
        .succeeded();
}
