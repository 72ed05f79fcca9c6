//! A commit: who made it, and what it changed.

use super::{PNG, Scene, Story, lines, link, parts};
use crate::on_sqlite;
use crate::support::{TestServer, page::unescaped};

on_sqlite![
    the_first_commit_adds_all_of_its_files,
    a_commit_shows_what_happened_to_each_file,
    a_huge_change_is_cut,
    a_commit_is_found_by_whatever_names_it,
    odd_commits_fail_no_page,
    a_commit_of_another_project_is_not_found,
];

async fn the_first_commit_adds_all_of_its_files(server: TestServer) {
    let story = Story::of(&[("a.txt", "one\ntwo\n"), ("src/b.txt", "three\n")]);
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let id = tree.done(["rev-parse", "main"]);
    let page = scene.open(&format!("commit/{id}")).await;
    assert!(page.says(&id) && page.says("Ada committed") && !page.says("Parent"));
    let changes = parts(&page, "file-change");
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(
        changes[0].contains("a.txt") && changes[0].contains("+one +two"),
        "{changes:?}"
    );
    assert!(changes[1].contains("src/b.txt") && changes[1].contains("+three"));
    assert!(page.main().contains("2 files"), "{}", page.main());
}

async fn a_commit_shows_what_happened_to_each_file(server: TestServer) {
    let long = "the same line again and again\n".repeat(20);
    let mut story = Story::of(&[
        ("changed.txt", "one\ntwo\nthree\n"),
        ("removed.txt", "gone\n"),
        ("moved.txt", &long),
        ("mode.sh", "x\n"),
        ("kind", "text\n"),
        ("open.txt", "end"),
    ]);
    story
        .file("data.bin", b"\0\x01SECRETBYTES")
        .file("pic.png", PNG);
    story.submodule("lib", "1234567890123456789012345678901234567890");
    story.commit("main", "Change all");
    story
        .file("changed.txt", "one\n<b>zwei</b>\nthree\n")
        .removed("removed.txt");
    story
        .renamed("moved.txt", "to/here \"now\".txt")
        .program("mode.sh", "x\n");
    story
        .link("kind", "open.txt")
        .file("open.txt", "end\n")
        .file("new empty", "");
    story
        .file("data.bin", b"\0\x02SECRETBYTES")
        .file("pic.png", b"\x89PNG\r\n\x1a\n\0");
    story.submodule("lib", "0987654321098765432109876543210987654321");
    story.file(
        "-- a/fake b/fake",
        "+++ b/x\n--- a/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n",
    );
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let id = tree.done(["rev-parse", "main"]);
    let page = scene.open(&format!("commit/{id}")).await;
    let changes = parts(&page, "file-change");
    let change = |name: &str| {
        let found = changes.iter().find(|change| change.contains(name));
        found
            .cloned()
            .unwrap_or_else(|| panic!("no {name} in {changes:#?}"))
    };
    let changed = change("changed.txt");
    assert!(
        changed.contains("-two") && changed.contains("+<b>zwei</b>"),
        "{changed}"
    );
    assert!(!page.html.contains("<b>zwei"), "it is text");
    assert!(change("removed.txt").contains("-gone"));
    change("to/here \"now\".txt");
    assert!(
        change("mode.sh").contains("755") || change("mode.sh").to_lowercase().contains("mode"),
        "{}",
        change("mode.sh")
    );
    change("new empty");
    change("open.txt");
    assert!(!page.says("SECRETBYTES"), "bytes are no text");
    change("data.bin");
    change("pic.png");
    assert!(change("lib").contains("0987654321"), "{}", change("lib"));
    let fake = change("-- a/fake b/fake");
    assert!(
        fake.contains("++++ b/x")
            && fake.contains("+--- a/x")
            && fake.contains("+diff --git a/x b/x"),
        "{fake}"
    );
    // Its files link to themselves as they were then.
    let file = link(&page, "changed.txt");
    let shown = scene.follow(&file).await.expect(200).page();
    assert_eq!(lines(&shown), ["one", "<b>zwei</b>", "three"]);
    assert!(file.contains(&id), "{file}");
}

async fn a_huge_change_is_cut(server: TestServer) {
    let mut story = Story::of(&[
        ("huge.txt", &"a line of it\n".repeat(200_000)),
        ("wide.txt", &"x".repeat(3_000_000)),
    ]);
    story.commit("main", "Many files");
    for number in 0..3000 {
        story.file(
            &format!("many/{number}.txt"),
            format!("content of {number}\n"),
        );
    }
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    for revision in ["main", "main~1"] {
        let id = tree.done(["rev-parse", revision]);
        let page = scene.open(&format!("commit/{id}")).await;
        assert!(
            page.html.len() < 3 * 1024 * 1024,
            "{revision}: {} bytes",
            page.html.len()
        );
        assert!(page.says("too large to be shown"), "{revision}");
        assert!(page.html.contains("</html>"));
    }
}

async fn a_commit_is_found_by_whatever_names_it(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n")]);
    story
        .branch("feature/x", "main")
        .annotated("v1", "main", "The first");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let id = tree.done(["rev-parse", "main"]);
    let home = scene.at(&format!("commit/{id}"));
    for name in ["main", "feature/x", "v1", "HEAD", &id[..8], &id[..12]] {
        let answer = scene.get(&format!("commit/{name}")).await;
        if answer.status != 200 {
            assert!(
                matches!(answer.status, 301..=303),
                "{name}: {}",
                answer.status
            );
            assert_eq!(
                answer.location().trim_start_matches(&server.url),
                home,
                "{name}"
            );
        }
        let page = scene.follow(&scene.at(&format!("commit/{name}"))).await;
        assert!(page.page().says(&id), "{name}");
    }
    let shouted = scene
        .follow(&scene.at(&format!("commit/{}", id.to_uppercase())))
        .await;
    assert_eq!(shouted.status, 200, "ids are known in capitals, too");
    for odd in [
        format!("{id}.patch"),
        format!("{id}.diff"),
        format!("{id}/x"),
        format!("{}0", &id[..39].replace(&id[38..39], "x")),
        "0".repeat(40),
    ] {
        scene.misses(&format!("commit/{odd}")).await;
    }
}

async fn odd_commits_fail_no_page(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "0\n")]);
    let mut number = 0;
    let mut commit = |story: &mut Story, who: &str, when: &str, message: &[u8]| {
        number += 1;
        story.line(&format!(
            "commit refs/heads/main\nauthor {who} {when}\ncommitter {who} {when}"
        ));
        story.data(message).file("a.txt", format!("{number}\n"));
    };
    commit(
        &mut story,
        "<nobody@example.com>",
        "1790000000 +0000",
        b"No name",
    );
    commit(&mut story, "Ada <>", "1790000000 +1400", b"No address");
    commit(&mut story, "Ada <a@b>", "0 +0000", b"At the beginning");
    commit(
        &mut story,
        "Ada <a@b>",
        "253402300800 +0000",
        b"In the year ten thousand",
    );
    commit(
        &mut story,
        "Ada <a@b>",
        "9999999999999 +0000",
        b"Long after all",
    );
    commit(
        &mut story,
        "Ada <a@b>",
        "1790000000 -1200",
        b"caf\xe9 in latin1\n\nwith \xff bytes",
    );
    commit(&mut story, "Ada <a@b>", "1790000000 +0000", b"");
    commit(&mut story, "Ada <a@b>", "1790000000 +0000", b"\n\n\n");
    commit(
        &mut story,
        "Ada <a@b>",
        "1790000000 +0000",
        "x".repeat(100_000).as_bytes(),
    );
    commit(
        &mut story,
        "Ada <a@b>",
        "1790000000 +0000",
        b"one\x1e\x1f\x01two\tthree\x1b[31m",
    );
    commit(
        &mut story,
        &format!("{} <a@b>", "N".repeat(5000)),
        "1790000000 +0000",
        "\u{202e}turned round".as_bytes(),
    );
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    server.get(&scene.overview()).await.expect(200);
    for page in ["tree/main", "blob/main/a.txt", "branches"] {
        scene.open(page).await;
    }
    let page = scene.open("commits/main").await;
    assert_eq!(parts(&page, "commit-row").len(), 12);
    let all = tree.done(["rev-list", "main"]);
    for id in all.lines() {
        let page = scene.open(&format!("commit/{id}")).await;
        assert!(page.says(id));
    }
    let text = unescaped(&page.html);
    for title in [
        "No name",
        "At the beginning",
        "In the year ten thousand",
        "in latin1",
    ] {
        assert!(text.contains(title), "{title}");
    }
    assert!(page.html.len() < 60_000, "a long title is shortened");
}

async fn a_commit_of_another_project_is_not_found(server: TestServer) {
    let Some(scene) = Scene::on(&server, &Story::of(&[("a.txt", "1\n")])) else {
        return;
    };
    let group = server.group("other").private().create();
    let secret = Scene::in_project(group.project("secret").create()).unwrap();
    let tree = secret.push(&Story::of(&[("secret.txt", "s\n")]));
    let id = tree.done(["rev-parse", "main"]);
    for page in [
        format!("commit/{id}"),
        format!("tree/{id}"),
        format!("raw/{id}/secret.txt"),
        format!("archive/{id}/x.zip"),
    ] {
        scene.misses(&page).await;
    }
}
