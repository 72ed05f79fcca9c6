//! Branches, tags and commits at the beginning of an address.

use super::{Scene, Story, lines, link, names, row};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    a_branch_with_slashes_is_told_from_folders,
    a_tag_and_a_branch_of_one_name_are_told_apart,
    a_commit_is_named_by_its_id_whole_or_short,
    a_revision_that_is_not_there_is_not_found,
    without_a_revision_the_default_branch_is_shown,
    somebody_who_switches_the_branch_stays_where_they_are,
    what_another_branch_lacks_leads_to_the_nearest_folder_there,
];

async fn a_branch_with_slashes_is_told_from_folders(server: TestServer) {
    let mut story = Story::of(&[
        ("docs/new/where.txt", "main\n"),
        ("new/where.txt", "top\n"),
        ("where.txt", "main top\n"),
    ]);
    story
        .branch("docs/new", "main")
        .commit("docs/new", "Branch");
    story
        .file("where.txt", "branch\n")
        .file("docs/new/where.txt", "branch folder\n");
    // A tag whose name is the beginning of the branch's.
    story.tag("docs", "main");
    story
        .branch("odd#1/50%/ü+x", "main")
        .commit("odd#1/50%/ü+x", "Odd")
        .file("where.txt", "odd\n");
    story
        .branch("x/-/tree/main", "main")
        .commit("x/-/tree/main", "Dash")
        .file("where.txt", "dash\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (address, content) in [
        ("main/docs/new/where.txt", "main"),
        ("docs/new/where.txt", "branch"),
        ("docs/new/docs/new/where.txt", "branch folder"),
        ("docs/where.txt", "main top"),
        ("docs/new/where.txt?ref_type=tags", "top"),
        ("docs/new/where.txt?ref_type=heads", "branch"),
        ("docs/docs/new/where.txt", "main"),
        ("odd%231/50%25/%C3%BC+x/where.txt", "odd"),
        ("odd%231%2F50%25%2F%C3%BC%2Bx/where.txt", "odd"),
        ("x/-/tree/main/where.txt", "dash"),
    ] {
        let page = scene.open(&format!("blob/{address}")).await;
        assert_eq!(lines(&page), [content], "{address}");
        let raw = scene.get(&format!("raw/{address}")).await.expect(200);
        assert_eq!(raw.text(), format!("{content}\n"), "{address}");
    }
    let page = scene.open("tree/docs/new").await;
    assert_eq!(names(&page), ["docs", "new", "where.txt"]);
    let file = scene.follow(&row(&page, "where.txt").href.unwrap()).await;
    assert_eq!(lines(&file.expect(200).page()), ["branch"]);
}

async fn a_tag_and_a_branch_of_one_name_are_told_apart(server: TestServer) {
    let mut story = Story::of(&[
        ("src/where.txt", "the tag\n"),
        ("README.md", "[where](src/where.txt)\n"),
    ]);
    story.tag("same", "main").branch("same", "main");
    story
        .commit("same", "Of the branch")
        .file("src/where.txt", "the branch\n");
    story
        .commit("main", "Of main")
        .file("src/where.txt", "main\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (kind, content) in [("heads", "the branch"), ("tags", "the tag")] {
        let raw = scene
            .get(&format!("raw/same/src/where.txt?ref_type={kind}"))
            .await;
        assert_eq!(raw.expect(200).text(), format!("{content}\n"));
        // Whoever is there stays there.
        let top = scene.open(&format!("tree/same?ref_type={kind}")).await;
        let readme = top.part("rendered").expect("it is drawn");
        let src = scene
            .follow(&row(&top, "src").href.unwrap())
            .await
            .expect(200)
            .page();
        let file = scene
            .follow(&row(&src, "where.txt").href.unwrap())
            .await
            .expect(200)
            .page();
        assert_eq!(lines(&file), [content]);
        let linked = scene
            .follow(&link(&readme, "where"))
            .await
            .expect(200)
            .page();
        assert_eq!(lines(&linked), [content], "a link of the README");
        let raw = scene.follow(&link(&file, "Raw")).await.expect(200);
        assert_eq!(raw.text(), format!("{content}\n"));
        let history = scene
            .follow(&link(&file, "History"))
            .await
            .expect(200)
            .page();
        assert_eq!(history.says("Of the branch"), kind == "heads", "{kind}");
        let up = scene.follow(&link(&src, "..")).await.expect(200).page();
        let again = scene
            .follow(&row(&up, "src").href.unwrap())
            .await
            .expect(200)
            .page();
        let file = scene.follow(&row(&again, "where.txt").href.unwrap()).await;
        assert_eq!(lines(&file.expect(200).page()), [content]);
        let list = scene
            .open(if kind == "heads" { "branches" } else { "tags" })
            .await;
        let found = scene.follow(&link(&list, "same")).await.expect(200).page();
        let src = scene
            .follow(&row(&found, "src").href.unwrap())
            .await
            .expect(200)
            .page();
        let file = scene.follow(&row(&src, "where.txt").href.unwrap()).await;
        assert_eq!(lines(&file.expect(200).page()), [content], "from the list");
    }
    // Without a word about it, one of them.
    let raw = scene.get("raw/same/src/where.txt").await.expect(200).text();
    assert!(raw.starts_with("the "), "{raw}");
    scene.misses("tree/main?ref_type=tags").await;
    assert!(scene.get("tree/main?ref_type=nonsense").await.status < 500);
}

async fn a_commit_is_named_by_its_id_whole_or_short(server: TestServer) {
    let mut story = Story::of(&[("where.txt", "old\n")]);
    story.annotated("v1", "main", "The first");
    story.commit("main", "Go on").file("where.txt", "new\n");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let old = tree.done(["rev-parse", "main~1"]);
    let blob = tree.done(["rev-parse", "main:where.txt"]);
    let root = tree.done(["rev-parse", "main^{tree}"]);
    for revision in [&old, &old[..8], &old[..7], "v1", "refs/tags/v1"] {
        let page = scene.get(&format!("blob/{revision}/where.txt")).await;
        if revision.starts_with("refs/") && page.status == 404 {
            continue;
        }
        assert_eq!(page.status, 200, "{revision}");
        assert_eq!(lines(&page.page()), ["old"], "{revision}");
    }
    // The permalink of a file stays what it is.
    let link = link(&scene.open("blob/main/where.txt").await, "Permalink");
    assert!(link.contains(&tree.done(["rev-parse", "main"])), "{link}");
    // Objects that are no commits are no revisions.
    for other in [&blob, &root, "1234567", "12345678901234567890", "abc"] {
        for kind in ["tree", "commits"] {
            scene.misses(&format!("{kind}/{other}")).await;
        }
        scene.misses(&format!("blob/{other}/where.txt")).await;
        scene.misses(&format!("commit/{other}")).await;
    }
    // A branch that is called like a commit is a branch.
    let short = &old[..8];
    tree.push(
        &scene.project.url_for(&scene.maintainer),
        &format!("main:refs/heads/{short}"),
    )
    .succeeded();
    let page = scene
        .open(&format!("blob/{short}/where.txt?ref_type=heads"))
        .await;
    assert_eq!(lines(&page), ["new"]);
}

async fn a_revision_that_is_not_there_is_not_found(server: TestServer) {
    let story = Story::of(&[("README.md", "hello\n")]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for rest in [
        "nothing",
        "nothing/README.md",
        "mai/README.md",
        "main2/README.md",
        "MAIN/README.md",
        "main/readme.md",
        "main/nothing",
        "heads/main/README.md",
        "origin/main/README.md",
        &"x".repeat(900),
        &format!("main/{}", "y/".repeat(450)),
    ] {
        for kind in ["tree", "blob", "raw", "commits"] {
            scene.misses(&format!("{kind}/{rest}")).await;
        }
    }
    let said = scene.misses("tree/nothing").await;
    assert!(said.html.contains("</html>"));
    for rest in [
        "archive/nothing/code.zip",
        "archive/main/code.rar",
        "archive/main/code",
        "archive/main",
        "commit/nothing",
    ] {
        scene.misses(rest).await;
    }
}

async fn without_a_revision_the_default_branch_is_shown(server: TestServer) {
    let mut story = Story::of(&[("README.md", "hello\n"), ("src/a.txt", "a\n")]);
    story
        .branch("other", "main")
        .commit("other", "Other")
        .file("b.txt", "b\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for rest in [
        "tree",
        "tree/",
        "commits",
        "commits/",
        "tree/HEAD",
        "commits/HEAD",
    ] {
        let answer = scene.follow(&scene.at(rest)).await;
        assert_eq!(answer.status, 200, "{rest}");
        let page = answer.page();
        assert!(page.says("Begin") && !page.says("b.txt"), "{rest}");
    }
    let blob = scene.get("blob/main").await;
    assert!(matches!(blob.status, 301..=303 | 404), "{}", blob.status);
}

async fn somebody_who_switches_the_branch_stays_where_they_are(server: TestServer) {
    let mut story = Story::of(&[("src/where.txt", "main\n")]);
    story
        .branch("feature/x", "main")
        .commit("feature/x", "Feature")
        .file("src/where.txt", "feature\n");
    story.tag("v1", "feature/x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (name, content) in [("feature/x", "feature"), ("v1", "feature")] {
        let page = scene.open("blob/main/src/where.txt").await;
        let found = scene.follow(&link(&page, name)).await.expect(200).page();
        assert_eq!(lines(&found), [content], "{name}");
        let page = scene.open("tree/main/src").await;
        let found = scene.follow(&link(&page, name)).await.expect(200).page();
        assert_eq!(names(&found), ["where.txt"]);
        let file = scene.follow(&row(&found, "where.txt").href.unwrap()).await;
        assert_eq!(lines(&file.page()), [content], "{name}");
        let page = scene.open("commits/main/src").await;
        let found = scene.follow(&link(&page, name)).await.expect(200).page();
        assert!(found.says("Feature"), "{name}");
    }
}

async fn what_another_branch_lacks_leads_to_the_nearest_folder_there(server: TestServer) {
    let mut story = Story::of(&[
        ("src/a/b/only here.txt", "main\n"),
        ("src/a/other.txt", "other\n"),
        ("docs/x/y.md", "docs\n"),
    ]);
    story
        .branch("feature/x", "main")
        .commit("feature/x", "Feature")
        .removed("src/a/b/only here.txt")
        .removed("docs/x/y.md")
        .file("docs", "a file of the folder's name\n");
    story.tag("v1", "feature/x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (page, folder, missing) in [
        (
            "blob/main/src/a/b/only%20here.txt",
            &["other.txt"][..],
            "src/a/b/only here.txt",
        ),
        ("tree/main/src/a/b", &["other.txt"], "src/a/b"),
        ("tree/main/docs/x", &["src", "docs"], "docs/x"),
        ("blob/main/docs/x/y.md", &["src", "docs"], "docs/x/y.md"),
    ] {
        let shown = scene.open(page).await;
        for name in ["feature/x", "v1"] {
            let found = scene.follow(&link(&shown, name)).await.expect(200).page();
            assert_eq!(names(&found), folder, "{page} in {name}");
            let told = found
                .part("missing")
                .expect("what is missing is told")
                .text();
            assert!(told.starts_with(missing), "{told}");
        }
    }
    // An address that somebody wrote leads where it leads, and a notice says only what is so.
    for rest in [
        "blob/feature/x/src/a/b/only%20here.txt",
        "tree/feature/x/src/a/b",
    ] {
        scene.misses(rest).await;
    }
    for rest in [
        "tree/feature/x/src/a?missing=src/a/other.txt",
        "tree/feature/x/src/a?missing=docs/x",
        "tree/feature/x/src/a?missing=src/a/",
        "tree/feature/x/src/a?missing=",
        "tree/main/src/a?missing=src/a/../x",
    ] {
        let page = scene.open(rest).await;
        assert!(page.part("missing").is_none(), "{rest}");
    }
    // The history of what was removed is there all the same.
    let shown = scene.open("commits/main/src/a/b/only%20here.txt").await;
    let found = scene
        .follow(&link(&shown, "feature/x"))
        .await
        .expect(200)
        .page();
    assert!(found.says("Feature"));
}
