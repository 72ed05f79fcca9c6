//! Looking through a push for tokens takes as long as the push itself at most, and no push gets by unseen.

use std::process::{Child, Command};
use std::time::Duration;

use latchkey::git::limits::Times;

use super::Scene;
use super::breaking_off::incoming;
use super::lasting::{programs_in, until};
use crate::on_sqlite;
use crate::support::{TestResource, TestServer, server::watchful};

on_sqlite![
    a_push_that_cant_be_looked_through_in_time_is_refused,
    a_search_ends_with_the_right_to_push,
    a_search_ends_with_the_client,
];

/// How long what must end may last.
const SOON: Duration = Duration::from_secs(5);

async fn a_push_that_cant_be_looked_through_in_time_is_refused(server: TestServer) {
    // There has to be something that can be seen without a look.
    let hasty = server.with_git_times(Times {
        search: Duration::ZERO,
        ..watchful()
    });
    server.set("refuse_pushed_tokens", "false");
    let Some(scene) = Scene::on(&hasty) else {
        return;
    };
    server.set("refuse_pushed_tokens", "true");
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("fine.txt", "fine\n");
    scene.nothing_comes_of("takes too long to look through this push", || {
        tree.push("origin", "HEAD:fine")
    });
}

/// A push that has come in and is looked through, for ever: the program that reads it for that stands still.
fn search(scene: &Scene, url: &str, tree: &str) -> Child {
    let repository = scene.project().server().repository(scene.project());
    until(SOON, "what came before has ended", || {
        programs_in(&repository).is_empty()
    });
    let tree = scene.git.init(tree);
    tree.commit_file("large.txt", "some text\n".repeat(20_000_000));
    let path = tree.path.to_str().unwrap().to_owned();
    let push = scene
        .git
        .start(["-C", &path, "push", "--quiet", url, "HEAD:large"]);
    let reader = || {
        let mut all = std::fs::read_dir("/proc").unwrap().flatten();
        let reader = all.find(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.contains("--batch-all-objects") && line.contains(repository.to_str().unwrap())
        });
        reader.map(|entry| entry.file_name().into_string().unwrap())
    };
    until(
        Duration::from_secs(60),
        "the push is looked through",
        || reader().is_some(),
    );
    let stopped = Command::new("kill")
        .args(["-STOP", &reader().expect("it takes a while")])
        .status();
    assert!(stopped.unwrap().success());
    assert_eq!(scene.project().server().app.git_turns.running(), 1);
    push
}

fn ends(scene: &Scene, what: &str) {
    let server = scene.project().server();
    let repository = server.repository(scene.project());
    until(SOON, what, || {
        programs_in(&repository).is_empty()
            && incoming(&repository).is_empty()
            && server.app.git_turns.running() == 0
    });
    assert_eq!(scene.branch("large"), None);
}

async fn a_search_ends_with_the_right_to_push(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let token = scene.company.acme.token("ci").create();
    let mut push = search(&scene, &scene.project().url_for(&token), "tree");
    let path = format!("{}/access_tokens/{}", scene.company.acme.path(), token.id);
    scene.company.alice.api().delete(&path).await.expect(204);
    ends(&scene, "the search has ended");
    assert!(!push.wait().unwrap().success());
}

async fn a_search_ends_with_the_client(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let mut push = search(&scene, &scene.developers_url(), "tree");
    let group = format!("-{}", push.id());
    let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(killed.unwrap().success());
    push.wait().unwrap();
    ends(&scene, "the search has ended");
}
