//! Folders and files.

use super::{PNG, Scene, Story, lines, link, names, pictures, row, rows};
use latchkey::members::AccessLevel;

use crate::on_sqlite;
use crate::support::git::Noise;
use crate::support::{TestResource, TestServer};

on_sqlite![
    the_overview_shows_the_files_and_who_changed_them_last,
    a_file_is_shown_line_by_line,
    what_is_no_text_is_shown_as_what_it_is,
    text_over_half_a_mebibyte_is_not_shown,
    a_large_file_is_not_shown_but_downloads_whole,
    a_large_folder_is_shown_in_pages,
    nothing_fails_while_nothing_is_pushed,
];

async fn the_overview_shows_the_files_and_who_changed_them_last(server: TestServer) {
    let mut story = Story::of(&[
        ("z.txt", "z\n"),
        ("src/deep/a.txt", "a\n"),
        ("B.txt", "b\n"),
    ]);
    story.commit("main", "Change z").file("z.txt", "zz\n");
    story.commit_by("Bob <bob@example.com>", "main", "Go deeper");
    story.file("src/deep/b.txt", "b\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.server.get(&scene.overview()).await.expect(200).page();
    // Folders come first.
    let mut found = names(&page);
    assert_eq!(found.remove(0), "src");
    found.sort();
    assert_eq!(found, ["B.txt", "z.txt"]);
    assert!(row(&page, "src").text.contains("Go deeper"));
    assert!(row(&page, "z.txt").text.contains("Change z"));
    assert!(row(&page, "B.txt").text.contains("Begin"));
    // Who was the last, and where to clone from.
    assert!(page.main().contains("Bob committed"), "{}", page.main());
    assert!(page.says(&format!("{}/acme/code.git", server.url)));
    // Down into a folder, and up again.
    let src = scene.follow(&row(&page, "src").href.unwrap()).await;
    let src = src.expect(200).page();
    assert_eq!(names(&src), ["deep"]);
    let deep = scene.follow(&row(&src, "deep").href.unwrap()).await;
    let deep = deep.expect(200).page();
    assert_eq!(names(&deep), ["a.txt", "b.txt"]);
    assert!(row(&deep, "a.txt").text.contains("Begin"));
    let up = scene.follow(&link(&deep, "..")).await.expect(200).page();
    assert_eq!(names(&up), ["deep"]);
    let file = scene.follow(&row(&deep, "b.txt").href.unwrap()).await;
    assert_eq!(lines(&file.expect(200).page()), ["b"]);
}

async fn a_file_is_shown_line_by_line(server: TestServer) {
    let story = Story::of(&[
        ("unix.txt", "one\n\n  three\tx\n"),
        ("dos.txt", "one\r\ntwo\r\n"),
        ("open.txt", "one\ntwo"),
        ("marked.txt", "\u{feff}one\n"),
        ("notes.md", "# Title\n\nText.\n"),
    ]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("blob/main/unix.txt").await;
    assert_eq!(lines(&page), ["one", "", "  three\tx"]);
    assert!(page.main().contains("15 bytes"), "{}", page.main());
    assert!(page.main().contains("Begin"), "the last commit is named");
    let page = scene.open("blob/main/dos.txt").await;
    let shown: Vec<String> = lines(&page)
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect();
    assert_eq!(shown, ["one", "two"]);
    assert_eq!(
        lines(&scene.open("blob/main/open.txt").await),
        ["one", "two"]
    );
    let marked = lines(&scene.open("blob/main/marked.txt").await);
    assert!(marked.len() == 1 && marked[0].ends_with("one"));
    // Markdown is drawn, and its source is one click away.
    let drawn = scene.open("blob/main/notes.md").await;
    let text = drawn.part("rendered").expect("it is drawn");
    assert!(text.html.contains("Title</h"), "{}", text.html);
    assert_eq!(lines(&drawn), [""; 0]);
    assert!(drawn.links().iter().any(|link| link.contains("plain=1")));
    let source = scene.open("blob/main/notes.md?plain=1").await;
    assert_eq!(lines(&source), ["# Title", "", "Text."]);
    assert!(!source.has("rendered"));
}

async fn what_is_no_text_is_shown_as_what_it_is(server: TestServer) {
    let mut story = Story::of(&[("empty", ""), ("a.txt", "a\n")]);
    story
        .file("picture.png", PNG)
        .file("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
        .file("false.png", "no picture at all\n")
        .file("data.bin", b"PRIVATE\0\x01\x02PRIVATE")
        .file("latin1.txt", b"caf\xe9 au lait\n")
        .program("run.sh", "#!/bin/sh\n")
        .link("shortcut", "a.txt")
        .link("away", "/etc/passwd")
        .submodule("vendor/lib", "1234567890123456789012345678901234567890");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("blob/main/empty").await;
    assert!(page.says("This file is empty."));
    for name in ["picture.png", "drawing.svg"] {
        let page = scene.open(&format!("blob/main/{name}")).await;
        let shown = pictures(&page.html);
        assert_eq!(shown, [scene.at(&format!("raw/main/{name}"))]);
        let raw = scene.follow(&shown[0]).await.expect(200);
        assert!(raw.header("content-type").starts_with("image/"), "{name}");
    }
    // What claims to be a picture and isn't harms nobody.
    scene.open("blob/main/false.png").await;
    let page = scene.open("blob/main/data.bin").await;
    assert!(!page.says("PRIVATE"), "bytes are no text");
    assert_eq!(lines(&page), [""; 0]);
    assert!(page.links_to(&format!("{}?inline=false", scene.at("raw/main/data.bin"))));
    // Text of another encoding: shown in some way, or withheld, but no failure.
    scene.open("blob/main/latin1.txt").await;
    let page = scene.open("blob/main/run.sh").await;
    assert!(
        page.main().to_lowercase().contains("executable"),
        "{}",
        page.main()
    );
    // A link is its target's name; nothing of the server's disk is read.
    let page = scene.open("blob/main/shortcut").await;
    assert!(page.says("a.txt"), "{}", page.main());
    let page = scene.open("blob/main/away").await;
    assert!(page.says("/etc/passwd") && !page.says("root:"));
    let raw = scene.get("raw/main/away").await;
    assert!(!raw.text().contains("root:"));
    // Another repository is named with its commit, and nowhere a page that isn't there.
    let folder = scene.open("tree/main/vendor").await;
    let lib = row(&folder, "lib @ 12345678");
    assert_eq!(lib.href, None);
    assert!(folder.says("12345678"), "{}", folder.main());
    for page in [
        "blob/main/vendor/lib",
        "tree/main/vendor/lib",
        "raw/main/vendor/lib",
        "tree/main/vendor/lib/x",
    ] {
        scene.misses(page).await;
    }
}

async fn text_over_half_a_mebibyte_is_not_shown(server: TestServer) {
    let line = "x".repeat(1023) + "\n";
    let most = line.repeat(512);
    let more = format!("{most}y");
    let story = Story::of(&[("most.txt", &most), ("more.txt", &more), ("more.md", &more)]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("blob/main/most.txt").await;
    assert_eq!(lines(&page).len(), 512);
    for name in ["more.txt", "more.md", "more.md?plain=1"] {
        let page = scene.open(&format!("blob/main/{name}")).await;
        assert!(page.says("too large"), "{name}: {}", page.main());
        assert!(page.html.len() < 100_000, "{name}");
    }
    let raw = scene.get("raw/main/more.txt").await.expect(200);
    assert!(raw.text() == more, "raw is whole");
}

async fn a_large_file_is_not_shown_but_downloads_whole(server: TestServer) {
    let large = Noise::default().bytes(11 * 1024 * 1024);
    let mut picture = PNG.to_vec();
    picture.extend_from_slice(&large);
    let mut story = Story::of(&[]);
    story.file("large.bin", &large).file("large.png", &picture);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for name in ["large.bin", "large.png"] {
        let page = scene.open(&format!("blob/main/{name}")).await;
        assert!(page.says("too large"), "{name}: {}", page.main());
        assert_eq!(pictures(&page.html), [""; 0], "{name}");
    }
    let raw = scene
        .get("raw/main/large.bin?inline=false")
        .await
        .expect(200);
    assert!(raw.body == large, "{} bytes came", raw.body.len());
}

async fn a_large_folder_is_shown_in_pages(server: TestServer) {
    let mut story = Story::of(&[]);
    for number in 0..450 {
        story.file(&format!("many/{number:03}.txt"), "x\n");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let mut found = Vec::new();
    let mut pages = 0;
    for number in 1..=50 {
        let page = scene.open(&format!("tree/main/many?page={number}")).await;
        let rows = rows(&page);
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 250, "{} at once", rows.len());
        assert!(rows.iter().all(|row| row.text.contains("Begin")));
        found.extend(rows.into_iter().map(|row| row.name));
        pages += 1;
        if found.len() == 450 {
            assert_eq!(super::next_page(&page), None);
            break;
        }
        let next = page
            .links()
            .iter()
            .any(|link| link.contains(&format!("page={}", number + 1)));
        assert_eq!(next, found.len() < 450, "page {number} leads on");
    }
    assert!(pages > 1);
    let all: Vec<String> = (0..450).map(|number| format!("{number:03}.txt")).collect();
    assert_eq!(found, all);
    for odd in [
        "0",
        "-1",
        "x",
        "",
        "99999999999999999999",
        "18446744073709551615",
    ] {
        let status = scene
            .get(&format!("tree/main/many?page={odd}"))
            .await
            .status;
        assert!(status < 500, "page {odd}: {status}");
    }
}

async fn nothing_fails_while_nothing_is_pushed(server: TestServer) {
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let maintainer = server.person("mia").create();
    scene.project.member(&maintainer, AccessLevel::Maintainer);
    let overview = maintainer.signs_in().await.open(&scene.overview()).await;
    assert!(overview.says("git push"), "{}", overview.main());
    for page in ["tree", "commits", "tree/main", "commits/main"] {
        let page = scene.open(page).await;
        assert!(page.says("Nothing has been pushed yet."), "{}", page.main());
        assert!(page.links_to(&scene.overview()));
    }
    assert!(
        scene
            .open("branches")
            .await
            .says("This project has no branches.")
    );
    assert!(scene.open("tags").await.says("This project has no tags."));
    for page in [
        "blob/main/README.md",
        "raw/main/README.md",
        "commit/main",
        "commit/HEAD",
        "commit/1234567890123456789012345678901234567890",
        "archive/main/code.zip",
        "tree/main/src",
        "tree/nothing",
    ] {
        scene.misses(page).await;
    }
}
