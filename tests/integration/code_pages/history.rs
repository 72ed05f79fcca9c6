//! Commits, one after the other.

use super::{Scene, Story, link, next_page, parts};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    a_branch_tells_its_commits_newest_first,
    a_long_history_is_told_in_pages,
    a_path_tells_the_commits_that_changed_it,
    a_renamed_file_tells_what_came_before,
    a_merge_tells_both_sides,
];

async fn a_branch_tells_its_commits_newest_first(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n")]);
    story.branch("side", "main").commit_by(
        "Bob <bob@example.com>",
        "side",
        "On the side\n\nWith a reason.",
    );
    story
        .file("b.txt", "b\n")
        .commit("main", "Go on")
        .file("a.txt", "2\n");
    story.commit("main", "").file("a.txt", "3\n");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let rows = parts(&scene.open("commits/main").await, "commit-row");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(
        rows[1].contains("Go on") && rows[2].contains("Begin"),
        "{rows:?}"
    );
    assert!(rows[2].contains("Ada committed"));
    assert!(rows[2].contains(&tree.done(["rev-parse", "main~2"])[..7]));
    let page = scene.open("commits/side").await;
    let rows = parts(&page, "commit-row");
    assert!(
        rows.len() == 2 && rows[0].contains("Bob committed"),
        "{rows:?}"
    );
    assert!(!rows[0].contains("With a reason."), "the title is enough");
    let commit = scene
        .follow(&link(&page, "On the side"))
        .await
        .expect(200)
        .page();
    assert!(commit.says("With a reason.") && commit.says(&tree.done(["rev-parse", "side"])));
    // A commit without a word can be opened as well.
    let silent = scene.open("commits/main").await;
    let id = tree.done(["rev-parse", "main"]);
    assert!(silent.links_to(&scene.at(&format!("commit/{id}"))));
    scene.open(&format!("commit/{id}")).await;
}

async fn a_long_history_is_told_in_pages(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "0\n")]);
    for number in 1..95 {
        story
            .commit("main", &format!("Number {number}."))
            .file("a.txt", format!("{number}\n"));
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for address in ["commits/main", "commits/main/a.txt"] {
        let mut found = Vec::new();
        let mut next = Some(scene.at(address));
        for _ in 0..20 {
            let Some(address) = next else { break };
            let page = scene.follow(&address).await.expect(200).page();
            found.extend(parts(&page, "commit-row"));
            next = next_page(&page);
        }
        assert_eq!(found.len(), 95, "{address}");
        for (row, number) in found.iter().zip((1..95).rev()) {
            assert!(row.contains(&format!("Number {number}.")), "{row}");
        }
    }
    for odd in [
        "0",
        "-1",
        "x",
        "1000",
        "99999999999999999999",
        "4294967295",
        "18446744073709551615",
    ] {
        let status = scene.get(&format!("commits/main?page={odd}")).await.status;
        assert!(status < 500, "{odd}: {status}");
    }
}

async fn a_path_tells_the_commits_that_changed_it(server: TestServer) {
    let mut story = Story::of(&[
        ("src/a.txt", "1\n"),
        ("src/b.txt", "1\n"),
        ("other.txt", "1\n"),
    ]);
    story.commit("main", "Change a").file("src/a.txt", "2\n");
    story.commit("main", "Change b").file("src/b.txt", "2\n");
    story
        .commit("main", "Change other")
        .file("other.txt", "2\n");
    story.commit("main", "Remove b").removed("src/b.txt");
    story
        .commit("main", "Stars")
        .file("*.txt", "x\n")
        .file(":(glob)x", "x\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (path, expected) in [
        ("src/a.txt", &["Change a", "Begin"][..]),
        ("src", &["Remove b", "Change b", "Change a", "Begin"][..]),
        ("other.txt", &["Change other", "Begin"][..]),
        // Names are no patterns.
        ("*.txt", &["Stars"][..]),
        (":(glob)x", &["Stars"][..]),
    ] {
        let rows = parts(
            &scene.open(&format!("commits/main/{path}")).await,
            "commit-row",
        );
        assert_eq!(rows.len(), expected.len(), "{path}: {rows:?}");
        for (row, title) in rows.iter().zip(expected) {
            assert!(row.contains(title), "{path}: {rows:?}");
        }
    }
    // From the file to its history and on to the file as it was.
    let file = scene.open("blob/main/src/a.txt").await;
    let history = scene
        .follow(&link(&file, "History"))
        .await
        .expect(200)
        .page();
    let commit = scene
        .follow(&link(&history, "Begin"))
        .await
        .expect(200)
        .page();
    let files = scene
        .follow(&link(&commit, "Browse files"))
        .await
        .expect(200)
        .page();
    assert_eq!(super::names(&files), ["src", "other.txt"]);
}

async fn a_renamed_file_tells_what_came_before(server: TestServer) {
    let text = "a line that is long enough to be known again\n".repeat(10);
    let mut story = Story::of(&[("old name.txt", &text), ("other.txt", "other\n")]);
    story
        .commit("main", "Change it under the old name")
        .file("old name.txt", format!("{text}more\n"));
    story
        .commit("main", "Rename it")
        .renamed("old name.txt", "new/name.txt");
    story
        .commit("main", "Change it under the new name")
        .file("new/name.txt", format!("{text}more and more\n"));
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let rows = parts(&scene.open("commits/main/new/name.txt").await, "commit-row");
    let titles = [
        "under the new name",
        "Rename it",
        "under the old name",
        "Begin",
    ];
    assert_eq!(rows.len(), 4, "{rows:?}");
    for (row, title) in rows.iter().zip(titles) {
        assert!(row.contains(title), "{rows:?}");
    }
    let rename = scene
        .open(&format!("commit/{}", tree.done(["rev-parse", "main~1"])))
        .await;
    let changes = parts(&rename, "file-change");
    assert_eq!(changes.len(), 1, "a rename is one change");
    assert!(
        changes[0].contains("old name.txt") && changes[0].contains("new/name.txt"),
        "{changes:?}"
    );
    assert!(changes[0].contains("Moved"), "{changes:?}");
}

async fn a_merge_tells_both_sides(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n"), ("b.txt", "1\n")]);
    story
        .branch("side", "main")
        .commit("side", "On the side")
        .file("b.txt", "2\n");
    story.commit("main", "Meanwhile").file("a.txt", "2\n");
    story
        .commit("main", "Merge the side")
        .merging("side")
        .file("b.txt", "2\n");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let rows = parts(&scene.open("commits/main").await, "commit-row");
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows[0].contains("Merge the side"));
    assert!(rows.iter().any(|row| row.contains("On the side")));
    let merge = tree.done(["rev-parse", "main"]);
    let page = scene.open(&format!("commit/{merge}")).await;
    assert!(page.says("Parents"), "{}", page.main());
    for parent in ["main^1", "main^2"] {
        let id = tree.done(["rev-parse", parent]);
        assert!(
            page.links_to(&scene.at(&format!("commit/{id}"))),
            "{parent}"
        );
    }
    // What it brought to the branch.
    let changes = parts(&page, "file-change");
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].contains("b.txt"));
}
