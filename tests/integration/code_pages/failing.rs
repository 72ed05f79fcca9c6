//! What is left when a repository cannot be read.

use std::fs;

use super::{Scene, Story, names};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    a_repository_that_is_gone_is_made_anew,
    a_repository_that_cannot_be_read_is_a_failure_and_not_an_absence,
];

const PAGES: [&str; 8] = [
    "tree/main",
    "blob/main/README.md",
    "raw/main/README.md",
    "commits/main",
    "commit/main",
    "branches",
    "tags",
    "archive/main/code.zip",
];

async fn a_repository_that_is_gone_is_made_anew(server: TestServer) {
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let folder = server.repository(&scene.project);
    for page in ["tree", "branches", "tags", "commits"] {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        scene.open(page).await;
    }
    let _ = fs::remove_dir_all(&folder);
    let overview = server.get(&scene.overview()).await.expect(200).page();
    assert!(overview.says("Clone with HTTPS"), "{}", overview.main());
    // It can be pushed to.
    scene.push(&Story::of(&[("README.md", "hello\n")]));
    assert_eq!(names(&scene.open("tree/main").await), ["README.md"]);
}

async fn a_repository_that_cannot_be_read_is_a_failure_and_not_an_absence(server: TestServer) {
    let Some(scene) = Scene::on(&server, &Story::of(&[("README.md", "hello\n")])) else {
        return;
    };
    let folder = server.repository(&scene.project);
    let head = fs::read(folder.join("HEAD")).unwrap();
    fs::write(folder.join("HEAD"), "no reference at all").unwrap();
    for page in PAGES {
        let answer = scene.get(page).await;
        assert_eq!(answer.status, 503, "{page}: {}", answer.text());
        let told = answer.text();
        assert!(
            !told.contains(folder.to_str().unwrap()),
            "{page} tells where it lies"
        );
        assert!(!told.contains("fatal:"), "{page} repeats the program");
    }
    let overview = server.get(&scene.overview()).await.expect(200).page();
    assert!(overview.says("could not be loaded"), "{}", overview.main());
    assert!(
        overview.says(&scene.project.id.to_string()),
        "the rest is there"
    );
    fs::write(folder.join("HEAD"), head).unwrap();
    for page in PAGES {
        assert!(scene.get(page).await.status < 400, "{page} is back");
    }
}
