//! What pushes may consist of, and what lies in a repository beside it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use super::Scene;
use crate::on_sqlite;
use crate::support::{GitClient, TestServer};

on_sqlite![
    a_hook_that_lies_in_the_repository_doesnt_run,
    many_references_go_in_one_push,
    all_kinds_of_content_come_back_as_they_went,
    a_large_push_comes_in_pieces,
];

async fn a_hook_that_lies_in_the_repository_doesnt_run(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let repository = server.repository(scene.project());
    let traces = scene.git.folder().join("traces");
    let script = |name: &str| {
        let path = repository.join("hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            &path,
            format!("#!/bin/sh\necho {name} >>{}\nexit 1\n", traces.display()),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    for name in [
        "pre-receive",
        "update",
        "proc-receive",
        "post-receive",
        "post-update",
        "reference-transaction",
        "push-to-checkout",
        "pre-auto-gc",
        "post-index-change",
        "fsmonitor-watchman",
    ] {
        script(name);
    }
    let planted = script("pack-objects");
    let planted = planted.display();
    let config = repository.join("config");
    let mut text = fs::read_to_string(&config).unwrap();
    text.push_str(&format!(
        "[core]\n\thooksPath = {0}/hooks\n\tfsmonitor = {planted}\n[uploadpack]\n\tpackObjectsHook = {planted}\n",
        repository.display()
    ));
    fs::write(&config, text).unwrap();
    let tree = scene.git.clone(&scene.url(), "clone");
    tree.commit_file("one.txt", "1\n");
    tree.push("origin", "HEAD:main").succeeded();
    tree.push("origin", ":work").succeeded();
    tree.done(["fetch", "--quiet"]);
    assert!(!traces.exists(), "{:?}", fs::read_to_string(&traces));
}

async fn many_references_go_in_one_push(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.url(), "clone");
    let commit = tree.head();
    let mut list = String::new();
    for number in 0..500 {
        list.push_str(&format!("create refs/tags/t{number} {commit}\n"));
    }
    tree.feed(["update-ref", "--stdin"], list.as_bytes())
        .succeeded();
    tree.run(["push", "--quiet", "origin", "--tags"])
        .succeeded();
    let tags = scene
        .references()
        .iter()
        .filter(|line| line.contains("refs/tags/t"))
        .count();
    assert_eq!(tags, 500);
    let event = &server.events("repository_pushed")[0];
    let told: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(told["refs_in_all"], 500);
    let named = told["refs"].as_array().unwrap().len();
    assert!((1..=100).contains(&named), "{named}");
    tree.run([
        "push",
        "--quiet",
        "--prune",
        "origin",
        "refs/tags/nothing*:refs/tags/t*",
    ])
    .succeeded();
    assert_eq!(scene.references().len(), 5, "{:?}", scene.references());
}

async fn all_kinds_of_content_come_back_as_they_went(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let all_bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    for (name, content) in [
        ("empty", &b""[..]),
        ("bytes.bin", &all_bytes),
        ("ümläut und space.txt", "🦊\n".as_bytes()),
        ("-dash/--help", b"x"),
        ("deep/er/and/deep/er/file", b"y"),
    ] {
        let path = tree.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    std::os::unix::fs::symlink("empty", tree.path.join("link")).unwrap();
    tree.done(["add", "."]);
    let message = "Subject: 0000 \u{1F98A}\n\n0000\n\nPACK\n";
    tree.done(["commit", "--quiet", "-m", message]);
    tree.push("origin", "HEAD:refs/heads/všechno/🦊")
        .succeeded();
    let other = GitClient::new().unwrap();
    let clone = other.clone_with(&scene.url(), "clone", &["--branch=všechno/🦊"]);
    assert_eq!(clone.head(), tree.head());
    assert_eq!(fs::read(clone.path.join("bytes.bin")).unwrap(), all_bytes);
    clone.done(["fsck", "--strict"]);
    assert_eq!(clone.done(["status", "--porcelain"]), "");
}

/// Beyond a mebibyte the program sends no length, after it has asked with an empty request whether it may.
async fn a_large_push_comes_in_pieces(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.init("large");
    let commit = tree.commit_mebibytes(6);
    tree.push(
        &scene.developers_url(),
        &format!("{commit}:refs/heads/large"),
    )
    .succeeded();
    let clone = scene
        .git
        .clone_with(&scene.url(), "clone", &["--branch=large"]);
    assert_eq!(clone.head(), commit);
    clone.done(["fsck", "--strict"]);
}
