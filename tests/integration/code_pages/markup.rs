//! What people push is shown as text, whatever it looks like.

use super::{Scene, Story, link, parts};
use crate::on_sqlite;
use crate::support::{Page, TestServer, page::unescaped};

on_sqlite![
    markup_in_files_names_and_messages_is_text,
    every_page_of_code_forbids_scripts,
];

/// A name that Git takes for a branch, a tag and a folder, and a browser for a picture.
const EVIL: &str = "x\"><img/src=x/onerror=alert(1)>";
const SCRIPT: &str = "</li></ol></pre></bdi></title><script>alert('pwned')</script>'\"&lt;b&gt;";

/// Nothing that was pushed became part of the page.
#[track_caller]
fn harmless(page: &Page, what: &str) {
    for mark in [
        "<script>alert",
        "<img/src",
        "\"><img",
        "<svg/onload",
        "<b>bold",
    ] {
        assert!(!page.html.contains(mark), "{what}: {mark}");
    }
}

async fn markup_in_files_names_and_messages_is_text(server: TestServer) {
    let mut story = Story::of(&[("page.html", SCRIPT), ("README", SCRIPT)]);
    story.commit_by(
        "<b>bold</b>\"'& <evil@example.com>"
            .replace("<b>bold</b>", "bold")
            .as_str(),
        "main",
        &format!("{SCRIPT}\n\n{SCRIPT}\nmore"),
    );
    let name = "<svg/onload=alert(1)>.txt".replace('/', "\u{2215}");
    story
        .file(&format!("{EVIL}/{name}"), SCRIPT)
        .file("page.html", format!("<b>bold</b>{SCRIPT}"));
    story.renamed("README", "<script>alert('pwned')<\u{2215}script>");
    story.branch(EVIL, "main").tag(&format!("t{EVIL}"), "main");
    story.annotated("v1", "main", &format!("{SCRIPT}\n\nnotes {SCRIPT}"));
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let id = tree.done(["rev-parse", "main"]);
    let branch = super::encoded(EVIL);
    for (address, texts) in [
        ("tree/main".to_owned(), vec!["x\"><img", SCRIPT.trim()]),
        (
            format!("tree/main/{branch}"),
            vec!["alert(1)>.txt", "onerror=alert(1)>"],
        ),
        (format!("tree/{branch}"), vec![EVIL]),
        (format!("tree/t{branch}"), vec![EVIL]),
        (format!("blob/{branch}/page.html"), vec![SCRIPT, EVIL]),
        ("blob/main/page.html".to_owned(), vec![SCRIPT, EVIL]),
        (
            format!("blob/main/{branch}/{}", super::encoded(&name)),
            vec![SCRIPT, &name],
        ),
        ("commits/main".to_owned(), vec![SCRIPT, "bold"]),
        (format!("commits/{branch}"), vec![SCRIPT, EVIL]),
        (format!("commits/main/{branch}"), vec![SCRIPT]),
        (
            format!("commit/{id}"),
            vec![SCRIPT, "more", "<b>bold</b>", &name],
        ),
        ("branches".to_owned(), vec![EVIL, SCRIPT]),
        ("tags".to_owned(), vec![EVIL, SCRIPT, "notes"]),
        ("branches?search=%22%3E%3Cimg/src".to_owned(), vec![EVIL]),
        ("tags?search=%22%3E%3Cimg/srcnothing".to_owned(), vec![]),
    ] {
        let page = scene.open(&address).await;
        harmless(&page, &address);
        let source = unescaped(&page.html);
        for text in texts {
            assert!(source.contains(text), "{address}: {text}");
        }
    }
    let overview = server.get(&scene.overview()).await.expect(200).page();
    harmless(&overview, "the overview");
    // The name of a branch is in links, too; they lead to it.
    let row = link(&scene.open("branches").await, EVIL);
    let page = scene.follow(&row).await.expect(200).page();
    assert_eq!(parts(&page, "file-row").len(), 3);
    for missing in [
        format!("tree/{branch}nothing"),
        format!("blob/main/{branch}nothing"),
    ] {
        let page = scene.misses(&missing).await;
        harmless(&page, &missing);
    }
}

async fn every_page_of_code_forbids_scripts(server: TestServer) {
    let mut story = Story::of(&[("README.md", "hello\n")]);
    story.tag("v1", "main");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let commit = format!("commit/{}", tree.done(["rev-parse", "main"]));
    for page in [
        "tree/main",
        "blob/main/README.md",
        "commits/main",
        "branches",
        "tags",
        &commit,
    ] {
        let answer = scene.get(page).await.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self'"), "{page}: {policy}");
        assert!(!policy.contains("unsafe"), "{page}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
}
