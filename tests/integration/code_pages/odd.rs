//! Whatever somebody pushes: nothing of it keeps the pages from being shown, or shows as what it isn't.

use super::{Scene, Story, encoded, lines, link, names, parts, row, rows};
use crate::on_sqlite;
use crate::support::TestServer;

on_sqlite![
    a_message_without_end_keeps_nothing_from_being_shown,
    a_name_that_looks_like_an_id_is_a_name,
    no_tag_stands_before_a_folder_of_a_branch,
    the_bytes_of_a_folder_are_its_page,
    a_readme_is_found_wherever_it_stands,
    what_is_no_text_is_no_readme,
    letters_of_an_older_kind_are_shown,
    what_turns_the_direction_of_writing_is_in_sight,
    a_branch_is_shown_whatever_it_is_called,
    without_the_default_branch_the_others_are_listed,
    behind_the_last_page_there_is_the_last_one,
    a_file_that_only_moved_changed_no_line,
    a_name_in_no_alphabet_is_shown_and_leads_nowhere,
    the_default_branch_can_be_switched_to_however_many_there_are,
    no_branch_takes_the_address_of_a_commit,
    a_readme_keeps_its_html_beside_what_is_shown_as_letters,
];

async fn a_message_without_end_keeps_nothing_from_being_shown(server: TestServer) {
    let long = "x".repeat(20_000_000);
    let mut story = Story::of(&[("README.md", "# Hello")]);
    story.annotated("v1", "main", &long);
    story.commit("main", &format!("A title\n\n{long}"));
    for number in 0..50 {
        story.file(&format!("{number}.txt"), "x");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert_eq!(rows(&page).len(), 51);
    assert!(row(&page, "7.txt").text.contains("A title"));
    assert!(page.html.len() < 200_000, "{} bytes", page.html.len());
    for (rest, testid) in [
        ("commits/main", "commit-row"),
        ("branches", "branch-row"),
        ("tags", "tag-row"),
    ] {
        let page = scene.open(rest).await;
        assert!(!parts(&page, testid).is_empty(), "{rest}");
        assert!(page.html.len() < 200_000, "{rest}: {}", page.html.len());
    }
    let commit = row(&scene.open("tree/main").await, "7.txt");
    assert!(commit.text.contains("A title"));
    let api = format!("/api/v4/projects/{}/repository/branches", scene.project.id);
    let told = scene.server.get(&api).await.expect(200).json();
    assert_eq!(told[0]["commit"]["title"], "A title");
}

async fn a_name_that_looks_like_an_id_is_a_name(server: TestServer) {
    let odd = format!("\u{1}{}", "0".repeat(40));
    let mut story = Story::of(&[("first.txt", "x")]);
    story
        .commit("main", "Odd")
        .file(&odd, "x")
        .file("zz.txt", "x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert!(row(&page, "zz.txt").text.contains("Odd"));
    assert!(row(&page, "first.txt").text.contains("Begin"));
}

async fn no_tag_stands_before_a_folder_of_a_branch(server: TestServer) {
    let mut story = Story::of(&[("docs/real.txt", "x")]);
    story.branch("other", "main");
    story.commit("other", "Other").file("planted.txt", "x");
    story.tag("main/docs", "other");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    assert_eq!(names(&scene.open("tree/main/docs").await), ["real.txt"]);
    let tagged = scene.open("tree/main/docs?ref_type=tags").await;
    assert!(names(&tagged).contains(&"planted.txt".to_owned()));
}

async fn the_bytes_of_a_folder_are_its_page(server: TestServer) {
    let Some(scene) = Scene::on(&server, &Story::of(&[("src/a.rs", "x")])) else {
        return;
    };
    for (asked, page) in [
        ("raw/main", "tree/main"),
        ("raw/main/", "tree/main"),
        ("raw/main/src", "tree/main/src"),
    ] {
        let answer = scene.get(asked).await;
        let expected = (303, scene.at(page));
        assert_eq!(
            (answer.status, answer.location().to_owned()),
            expected,
            "{asked}"
        );
    }
}

async fn a_readme_is_found_wherever_it_stands(server: TestServer) {
    let mut story = Story::of(&[("README.md", "Found *me*")]);
    for number in 0..250 {
        story.file(&format!("folder-{number:03}/a"), "x");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for rest in ["tree/main", "tree/main?page=2"] {
        let page = scene.open(rest).await;
        assert_eq!(parts(&page, "rendered"), ["Found me"], "{rest}");
    }
}

async fn what_is_no_text_is_no_readme(server: TestServer) {
    let mut story = Story::of(&[]);
    story.file("README", b"\0\xff\0").file("a.txt", "x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert!(!page.html.contains("id=\"readme\""));
}

async fn letters_of_an_older_kind_are_shown(server: TestServer) {
    let mut story = Story::of(&[]);
    story.file("old.txt", b"gr\xf6\xdfe\n");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    assert_eq!(lines(&scene.open("blob/main/old.txt").await), ["größe"]);
    let raw = scene.get("raw/main/old.txt").await.expect(200);
    assert_eq!(
        raw.header("content-type"),
        "text/plain; charset=windows-1252"
    );
}

async fn what_turns_the_direction_of_writing_is_in_sight(server: TestServer) {
    let line = "if admin {\u{202e} } fi";
    let Some(scene) = Scene::on(&server, &Story::of(&[("a.txt", line)])) else {
        return;
    };
    let shown = "if admin {⟨U+202E⟩ } fi";
    assert_eq!(lines(&scene.open("blob/main/a.txt").await), [shown]);
    let commit = link(&scene.open("commits/main").await, "Begin");
    let page = scene.follow(&commit).await.expect(200).page();
    assert!(
        page.main().contains(&format!("+{shown}")),
        "{}",
        page.main()
    );
}

async fn a_branch_is_shown_whatever_it_is_called(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "x")]);
    let odd = ["-dash", "@", "0123456789012345678901234567890123456789"];
    for name in odd {
        story.branch(name, "main");
        story.commit(name, "Odd").file("odd.txt", "x");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let branches = scene.open("branches").await;
    for name in odd {
        let page = scene
            .follow(&link(&branches, name))
            .await
            .expect(200)
            .page();
        assert!(names(&page).contains(&"odd.txt".to_owned()), "{name}");
    }
}

async fn without_the_default_branch_the_others_are_listed(server: TestServer) {
    let mut story = Story::default();
    story.commit("other", "Begin").file("a.txt", "x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for rest in ["tree", "commits", "tree/main"] {
        let answer = scene.get(rest).await;
        let expected = (303, scene.at("branches"));
        assert_eq!(
            (answer.status, answer.location().to_owned()),
            expected,
            "{rest}"
        );
    }
    server.get(&scene.overview()).await.expect(200);
}

async fn behind_the_last_page_there_is_the_last_one(server: TestServer) {
    let Some(scene) = Scene::on(&server, &Story::of(&[("a.txt", "x")])) else {
        return;
    };
    assert_eq!(names(&scene.open("tree/main?page=99").await), ["a.txt"]);
    let beyond = scene.get("commits/main?page=99").await;
    let first = format!("{}?page=1", scene.at("commits/main"));
    assert_eq!((beyond.status, beyond.location().to_owned()), (303, first));
    for (list, testid) in [("branches", "branch-row"), ("tags", "tag-row")] {
        let page = scene.open(&format!("{list}?page=99")).await;
        assert_eq!(parts(&page, testid).len(), usize::from(list == "branches"));
    }
}

async fn a_file_that_only_moved_changed_no_line(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "1\n2\n3\n4\n5\n")]);
    story.commit("main", "Move").renamed("a.txt", "b.txt");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let commit = link(&scene.open("commits/main").await, "Move");
    let page = scene.follow(&commit).await.expect(200).page();
    let main = page.main();
    assert!(
        main.contains("1 file, 0 lines added and 0 removed"),
        "{main}"
    );
    assert!(main.contains("Nothing in it changed."), "{main}");
}

async fn a_name_in_no_alphabet_is_shown_and_leads_nowhere(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "x")]);
    story.line("M 100644 inline \"odd\\377.txt\"").data("x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert_eq!(row(&page, "odd\u{fffd}.txt").href, None);
    assert!(row(&page, "a.txt").href.is_some());
    scene
        .misses(&format!("blob/main/{}", encoded("odd\u{fffd}.txt")))
        .await;
}

async fn the_default_branch_can_be_switched_to_however_many_there_are(server: TestServer) {
    let mut story = Story::of(&[("a.txt", "x")]);
    for number in 0..15 {
        story.branch(&format!("feature/{number:02}"), "main");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/feature/03").await;
    let main = scene.follow(&link(&page, "main")).await.expect(200).page();
    assert!(names(&main).contains(&"a.txt".to_owned()));
}

async fn no_branch_takes_the_address_of_a_commit(server: TestServer) {
    let Some(scene) = Scene::on(&server, &Story::of(&[("README.md", "as it was\n")])) else {
        return;
    };
    let permalink = link(&scene.open("blob/main/README.md").await, "Permalink");
    let id = permalink.split('/').rev().nth(1).unwrap().to_owned();
    let mut story = Story::of(&[("README.md", "as it was\n")]);
    let planted = format!("{id}/README.md");
    story.branch(&planted, "main");
    story
        .commit(&planted, "Planted")
        .file("README.md", "planted\n");
    scene.push(&story);
    let page = scene.follow(&permalink).await.expect(200).page();
    assert_eq!(parts(&page, "rendered"), ["as it was"]);
}

async fn a_readme_keeps_its_html_beside_what_is_shown_as_letters(server: TestServer) {
    let readme =
        "<p align=\"center\">\n\n![Logo](logo.png)\n\n</p>\n\n<svg><b>x</b></svg>\n\nVec<u8>\n";
    let Some(scene) = Scene::on(&server, &Story::of(&[("README.md", readme)])) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert_eq!(super::pictures(&page.html), [scene.at("raw/main/logo.png")]);
    let shown = parts(&page, "rendered").join(" ");
    assert!(
        shown.contains("<svg>") && shown.contains("Vec<u8>"),
        "{shown}"
    );
}
