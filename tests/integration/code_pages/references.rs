//! The lists of branches and tags.

use super::{Scene, Story, link, names, next_page, parts};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    branches_are_listed_and_lead_to_their_files,
    tags_are_listed_with_what_they_say,
    lists_are_searched_and_paged,
    a_tag_of_no_commit_fails_no_page,
];

async fn branches_are_listed_and_lead_to_their_files(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n")]);
    let odd = [
        "feature/one",
        "50%",
        "a#b",
        "a+b",
        "ü/ö",
        "it's",
        "a&b=c;d",
        "\"quoted\"",
        "@x",
        "{x}",
        "100%25",
        "HEAD2",
    ];
    for (number, name) in odd.iter().enumerate() {
        story
            .branch(name, "main")
            .commit(name, &format!("Of {name}"));
        story.file(&format!("only-{number}.txt"), "x\n");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("branches").await;
    let rows = parts(&page, "branch-row");
    assert_eq!(rows.len(), odd.len() + 1);
    let main: Vec<_> = rows.iter().filter(|row| row.starts_with("main ")).collect();
    assert_eq!(main.len(), 1, "{rows:?}");
    assert!(
        main[0].to_lowercase().contains("default") && main[0].to_lowercase().contains("protected"),
        "{main:?}"
    );
    assert!(
        !rows
            .iter()
            .any(|row| row.contains("feature/one") && row.to_lowercase().contains("protected"))
    );
    for (number, name) in odd.iter().enumerate() {
        let found = scene.follow(&link(&page, name)).await;
        assert_eq!(found.status, 200, "{name}");
        let found = found.page();
        assert!(
            names(&found).contains(&format!("only-{number}.txt")),
            "{name}: {:?}",
            names(&found)
        );
        let history = scene
            .follow(&link(&found, "History"))
            .await
            .expect(200)
            .page();
        assert!(history.says(&format!("Of {name}")), "{name}");
        let archive = scene.follow(&link(&found, "tar")).await;
        assert_eq!(archive.status, 200, "{name}");
    }
}

async fn tags_are_listed_with_what_they_say(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "old\n")]);
    story
        .annotated("v1.0", "main", "The first\n\nWith notes.")
        .tag("light", "main")
        .tag("release/2+0", "main");
    story.commit("main", "Go on").file("a.txt", "new\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tags").await;
    let rows = parts(&page, "tag-row");
    assert_eq!(rows.len(), 3);
    let first = rows.iter().find(|row| row.contains("v1.0")).unwrap();
    assert!(
        first.contains("The first") && first.contains("With notes."),
        "{first}"
    );
    assert!(
        rows.iter()
            .all(|row| row.contains("Begin") && !row.contains("Go on"))
    );
    for name in ["v1.0", "light", "release/2+0"] {
        let found = scene.follow(&link(&page, name)).await.expect(200).page();
        let file = scene
            .follow(&super::row(&found, "a.txt").href.unwrap())
            .await;
        assert_eq!(super::lines(&file.expect(200).page()), ["old"], "{name}");
    }
}

async fn lists_are_searched_and_paged(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n")]);
    for number in 0..120 {
        story
            .branch(&format!("work/{number:03}"), "main")
            .tag(&format!("t{number:03}"), "main");
    }
    story.branch("Fix_100%", "main").branch("fix-all", "main");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (list, row, number) in [("branches", "branch-row", 123), ("tags", "tag-row", 120)] {
        let mut found = Vec::new();
        let mut next = Some(scene.at(list));
        for _ in 0..20 {
            let Some(address) = next else { break };
            let page = scene.follow(&address).await.expect(200).page();
            let rows = parts(&page, row);
            assert!(rows.len() <= 100, "{list}: {} at once", rows.len());
            found.extend(rows);
            next = next_page(&page);
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), number, "{list}");
        for odd in ["0", "-1", "x", "1000", "18446744073709551615"] {
            assert!(
                scene.get(&format!("{list}?page={odd}")).await.status < 500,
                "{list} {odd}"
            );
        }
    }
    for (search, number) in [
        ("fix", 2),
        ("FIX", 2),
        ("100%25", 1),
        ("work/11", 10),
        ("nothing", 0),
        ("*", 0),
        (".", 0),
        ("%00", 0),
        ("_", 1),
    ] {
        let page = scene.open(&format!("branches?search={search}")).await;
        assert_eq!(parts(&page, "branch-row").len(), number, "{search}");
    }
    // A search is kept from page to page.
    let page = scene.open("branches?search=work").await;
    let next = next_page(&page).expect("there is more");
    let rows = parts(&scene.follow(&next).await.expect(200).page(), "branch-row");
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row.contains("work/")),
        "{next}"
    );
    // With many of them a file can still be opened.
    let page = scene.open("blob/main/a.txt").await;
    assert!(page.html.len() < 100_000, "{}", page.html.len());
}

async fn a_tag_of_no_commit_fails_no_page(server: TestServer) {
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let mut story = Story::of(&[("a.txt", "1\n"), ("src/b.txt", "2\n")]);
    story.annotated("inner", "main", "Inner");
    let tree = scene.push(&story);
    tree.done(["tag", "blob", "main:a.txt"]);
    tree.done(["tag", "-a", "-m", "Of a folder", "folder", "main:src"]);
    tree.done(["tag", "-a", "-m", "Of a tag", "outer", "inner"]);
    tree.push(
        &scene.project.url_for(&scene.maintainer),
        "refs/tags/*:refs/tags/*",
    )
    .succeeded();
    let page = scene.open("tags").await;
    assert_eq!(parts(&page, "tag-row").len(), 4);
    for address in page.links().into_iter().filter(|link| link.contains("/-/")) {
        let status = scene.follow(&address).await.status;
        assert_eq!(status, 200, "{address}");
    }
    assert_eq!(
        super::names(&scene.open("tree/outer").await),
        ["src", "a.txt"]
    );
    for kind in ["tree", "commits", "commit"] {
        for name in ["blob", "folder"] {
            scene.misses(&format!("{kind}/{name}")).await;
        }
    }
}
