//! Files of any name, at addresses that mean just one thing.

use super::{Scene, Story, lines, link, names, parts, row, rows};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    a_file_of_any_name_opens_where_its_folder_says,
    a_path_may_look_like_any_other_address,
    a_folder_and_a_file_find_each_others_address,
    nothing_outside_of_a_repository_is_reached,
    a_name_that_is_no_text_fails_no_page,
];

async fn a_file_of_any_name_opens_where_its_folder_says(server: TestServer) {
    let long = "l".repeat(251) + ".txt";
    let all = [
        " lead",
        "100%.txt",
        "%2F %41.txt",
        "%00",
        "#1.txt",
        "why?.txt",
        "a+b.txt",
        "ü 日本語 🦀",
        "\"quoted\" it's.txt",
        "a&amp;b<c>.txt",
        "back\\slash.txt",
        "semi;colon=1&x",
        "--output=x",
        ":(top)x",
        "[ab]*.txt",
        "~",
        "{rest:.+}",
        "a\n\tb.txt",
        "...",
        "HEAD",
        "\u{202e}txt.exe",
        &long,
    ];
    let mut story = Story::of(&[]);
    for (number, name) in all.iter().enumerate() {
        story.file(&format!("odd/{name}/{name}"), format!("number {number}\n"));
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let folders = scene.open("tree/main/odd").await;
    let mut shown = names(&folders);
    let mut expected = all.map(str::to_owned);
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    for (number, name) in all.iter().enumerate() {
        let content = format!("number {number}");
        let folder = scene.follow(&row(&folders, name).href.unwrap()).await;
        assert_eq!(folder.status, 200, "{name:?}");
        let file = row(&folder.page(), name).href.unwrap();
        let page = scene.follow(&file).await;
        assert_eq!(page.status, 200, "{file}");
        let page = page.page();
        assert_eq!(lines(&page).concat(), content, "{name:?}");
        let history = scene.follow(&link(&page, "History")).await;
        assert_eq!(parts(&history.page(), "commit-row").len(), 1, "{name:?}");
        let raw = scene.follow(&link(&page, "Raw")).await;
        assert_eq!(raw.text(), format!("{content}\n"), "{name:?}");
    }
}

async fn a_path_may_look_like_any_other_address(server: TestServer) {
    let paths = [
        "x/-/edit",
        "x.git/info/refs",
        "x.git/git-upload-pack",
        "-/blob/main/x",
        "a/-/tree/main/b",
        "-/settings/access_tokens",
        "tree/-/raw/main/x",
        "api/v4/projects",
        "-/raw/main/-/raw/main/y",
        "info/refs",
        "a.git",
        "-/commits",
        "blob",
        "tree/main",
        "-/-/-",
        "main/main",
    ];
    let mut story = Story::of(&[]);
    for path in paths {
        story.file(path, format!("this is {path}\n"));
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for path in paths {
        let page = scene.open(&format!("blob/main/{path}")).await;
        assert_eq!(lines(&page), [format!("this is {path}")], "{path}");
        let raw = scene.get(&format!("raw/main/{path}")).await.expect(200);
        assert_eq!(raw.text(), format!("this is {path}\n"));
        let page = scene.open(&format!("commits/main/{path}")).await;
        assert!(page.says("Begin"), "{path}");
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let page = scene.open(&format!("tree/main/{folder}")).await;
        assert!(names(&page).contains(&name.to_owned()), "{path}");
    }
}

async fn a_folder_and_a_file_find_each_others_address(server: TestServer) {
    let story = Story::of(&[("src/a b/x.txt", "x\n"), ("README.md", "hello\n")]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (asked, found) in [
        ("blob/main/src/a%20b", "tree/main/src/a%20b"),
        ("tree/main/src/a%20b/x.txt", "blob/main/src/a%20b/x.txt"),
        ("tree/main/README.md", "blob/main/README.md"),
        ("raw/main/src", "tree/main/src"),
    ] {
        let answer = scene.get(asked).await;
        assert!(
            matches!(answer.status, 301..=303),
            "{asked}: {}",
            answer.status
        );
        assert_eq!(
            answer.location().trim_start_matches(&server.url),
            scene.at(found)
        );
    }
    // What a link was kept of keeps what was asked with it.
    let answer = scene.get("tree/main/README.md?ref_type=heads").await;
    assert!(
        answer.location().ends_with("?ref_type=heads"),
        "{}",
        answer.location()
    );
    for nothing in ["blob/main/README.md/x", "tree/main/README.md/x"] {
        scene.misses(nothing).await;
    }
    // A slash at the end changes nothing.
    assert_eq!(names(&scene.open("tree/main/src/").await), ["a b"]);
}

async fn nothing_outside_of_a_repository_is_reached(server: TestServer) {
    let story = Story::of(&[("src/x.txt", "x\n"), ("README.md", "hello\n")]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for kind in ["tree", "blob", "raw", "commits"] {
        for rest in [
            "main/../../../../etc/passwd",
            "main/%2e%2e/%2e%2e/etc/passwd",
            "main/src/../README.md",
            "main/src/%2e%2e/README.md",
            "main/./README.md",
            "main/src//x.txt",
            "main//etc/passwd",
            "main/%00",
            "main/README.md%00",
            "main/README.md%0a",
            "main%00/README.md",
            "main/.git/config",
            "main:README.md",
            "main:src/x.txt",
            "main%5E%7Btree%7D/README.md",
            "main..main/README.md",
            "HEAD@%7B1%7D/README.md",
            ":/Begin",
            "--output=%2Ftmp%2Flatchkey-pwned/README.md",
            "--all/README.md",
            "-n/README.md",
            "%ff/README.md",
            "main/%ff",
            "main/%2e%2e",
            "../main/README.md",
            "refs%2fheads%2fmain%2f..%2fmain/README.md",
            "%2e%2e/README.md",
        ] {
            let asked = format!("{kind}/{rest}");
            let answer = scene.exactly(&asked).await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!text.contains("root:"), "{asked}");
            assert!(
                matches!(answer.status, 400 | 404),
                "{asked}: {}",
                answer.status
            );
        }
    }
    for rest in [
        "commit/--all",
        "commit/main..main",
        "commit/main:README.md",
        "commit/%00",
        "commit/:/Begin",
        "archive/--output=x/code.zip",
        "archive/main/..%2f..%2fx.zip",
        "archive/%00/code.zip",
    ] {
        let status = scene.exactly(rest).await.status;
        assert!(
            matches!(status, 400 | 404) || (rest.contains("..%2f") && status == 200),
            "{rest}: {status}"
        );
    }
    assert!(!std::path::Path::new("/tmp/latchkey-pwned").exists());
}

async fn a_name_that_is_no_text_fails_no_page(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "a\n")]);
    story
        .line("M 644 inline \"latin/caf\\351.txt\"")
        .data("coffee\n");
    story
        .line("M 644 inline \"caf\\351/in.txt\"")
        .data("inside\n");
    story
        .commit("main", "Change")
        .line("M 644 inline \"latin/caf\\351.txt\"")
        .data("more coffee\n");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    server.get(&scene.overview()).await.expect(200);
    let page = scene.open("tree/main").await;
    assert_eq!(rows(&page).len(), 3);
    let page = scene.open("tree/main/latin").await;
    assert!(names(&page)[0].starts_with("caf"), "{:?}", names(&page));
    let id = tree.done(["rev-parse", "main"]);
    let page = scene.open(&format!("commit/{id}")).await;
    assert!(page.says("more coffee"), "{}", page.main());
    for rest in [
        "blob/main/latin/caf%E9.txt",
        "raw/main/latin/caf%E9.txt",
        "tree/main/caf%E9",
        "commits/main/latin/caf%E9.txt",
    ] {
        assert!(scene.exactly(rest).await.status < 500, "{rest}");
    }
}
