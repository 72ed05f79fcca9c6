//! Files and archives as they are, in a way that no browser takes for a page of this site.

use super::{PNG, Scene, Story, encoded, link};
use crate::on_sqlite;
use crate::support::{Answer, TestServer, git::names_in_archive};

on_sqlite![
    a_raw_file_is_never_a_page_of_this_site,
    a_raw_file_is_saved_under_its_own_name,
    an_archive_holds_the_files_of_a_revision,
    an_archive_has_a_name_that_tells_what_it_is,
];

/// No script of it runs here, whatever it is.
#[track_caller]
fn is_kept_apart(answer: &Answer, name: &str) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
    let policies = answer.all("content-security-policy");
    assert_eq!(policies.len(), 1, "{name}: {policies:?}");
    let policy = policies[0];
    assert!(policy.contains("sandbox"), "{name}: {policy}");
    assert!(policy.contains("default-src 'none'"), "{name}: {policy}");
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
        "{name}: {policy}"
    );
    assert_eq!(answer.all("set-cookie"), [""; 0], "{name}");
}

async fn a_raw_file_is_never_a_page_of_this_site(server: TestServer) {
    let html = "<!doctype html><script>alert(document.cookie)</script>";
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let text: &[&str] = &[
        "page.html",
        "page.htm",
        "page.xhtml",
        "page.xml",
        "feed.rss",
        "code.js",
        "code.mjs",
        "style.css",
        "data.json",
        "page.svgz.txt",
        "sheet.xsl",
        "doc.mhtml",
        "none",
        "README.md",
        "app.webmanifest",
        ".htaccess",
        "x.SHTML",
    ];
    let mut story = Story::of(&[]);
    for name in text {
        story.file(name, html);
    }
    let others: [(&str, &[u8], &str, bool); 9] = [
        ("pic.png", PNG, "image/png", true),
        ("PIC.PNG", PNG, "image/png", true),
        ("draw.svg", svg.as_bytes(), "image/svg+xml", true),
        ("pic.gif", b"GIF89a\0\0", "image/gif", true),
        (
            "pic.jpg",
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            "image/jpeg",
            true,
        ),
        (
            "doc.pdf",
            b"%PDF-1.4\n\0\xff",
            "application/octet-stream",
            false,
        ),
        ("app.exe", b"MZ\0\0\xff", "application/octet-stream", false),
        (
            "app.wasm",
            b"\0asm\x01\0\0\0",
            "application/octet-stream",
            false,
        ),
        (
            "page.html.bin",
            b"<html>\0<script>",
            "application/octet-stream",
            false,
        ),
    ];
    for (name, content, ..) in &others {
        story.file(name, content);
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for name in text {
        let answer = scene.get(&format!("raw/main/{name}")).await.expect(200);
        assert_eq!(answer.text(), html, "{name}");
        assert_eq!(
            answer.header("content-type"),
            "text/plain; charset=utf-8",
            "{name}"
        );
        assert!(
            !answer
                .header("content-disposition")
                .starts_with("attachment"),
            "{name}"
        );
        is_kept_apart(&answer, name);
    }
    for (name, content, kind, shown) in &others {
        let answer = scene.get(&format!("raw/main/{name}")).await.expect(200);
        assert_eq!(answer.body, *content, "{name}");
        assert_eq!(answer.header("content-type"), *kind, "{name}");
        let attached = answer
            .header("content-disposition")
            .starts_with("attachment");
        assert_eq!(attached, !shown, "{name}");
        is_kept_apart(&answer, name);
    }
    for name in ["page.html", "pic.png", "draw.svg", "doc.pdf"] {
        let answer = scene.get(&format!("raw/main/{name}?inline=false")).await;
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment"),
            "{name}: {disposition}"
        );
        is_kept_apart(&answer, name);
    }
    // Nor can a wish of the address change that.
    let answer = scene.get("raw/main/doc.pdf?inline=true").await.expect(200);
    assert!(
        answer
            .header("content-disposition")
            .starts_with("attachment")
    );
}

async fn a_raw_file_is_saved_under_its_own_name(server: TestServer) {
    let all = [
        ("dir/plain.bin", "plain.bin"),
        ("dir/größe ü.bin", "größe ü.bin"),
        ("日本語.bin", "日本語.bin"),
        ("a\"b.bin", "a\"b.bin"),
        ("a;b=c.bin", "a;b=c.bin"),
        ("100% + %41.bin", "100% + %41.bin"),
        ("a\r\nSet-Cookie: x=y.bin", "a\r\nSet-Cookie: x=y.bin"),
        ("back\\slash.bin", "back\\slash.bin"),
    ];
    let mut story = Story::of(&[]);
    for (path, _) in all {
        story.line(&format!(
            "M 100644 inline {}",
            super::quoted(path).replace('\r', "\\r")
        ));
        story.data(b"\0\x01");
    }
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (path, name) in all {
        let answer = scene.get(&format!("raw/main/{}", encoded(path))).await;
        assert_eq!(answer.status, 200, "{path:?}");
        let disposition = answer.header("content-disposition").to_owned();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert!(disposition.is_ascii() && answer.header("set-cookie").is_empty());
        assert_eq!(
            saved_as(&disposition),
            name.replace(['\r', '\n'], "_"),
            "{disposition}"
        );
    }
}

/// The name under which a browser saves it.
fn saved_as(disposition: &str) -> String {
    if let Some((_, name)) = disposition.split_once("filename*=UTF-8''") {
        let name = name.split(';').next().unwrap();
        let decoded = percent_encoding::percent_decode_str(name).decode_utf8();
        return decoded.unwrap().into_owned();
    }
    let (_, name) = disposition
        .split_once("filename=\"")
        .expect("it has a name");
    let name = name.strip_suffix('"').unwrap();
    name.replace("\\\"", "\"").replace("\\\\", "\\")
}

async fn an_archive_holds_the_files_of_a_revision(server: TestServer) {
    let mut story = Story::of(&[("src/a.txt", "old\n"), ("README.md", "hello\n")]);
    story
        .annotated("v1", "main", "The first")
        .branch("feature/x", "main");
    story
        .commit("feature/x", "Feature")
        .file("feature.txt", "f\n");
    story.tag("same", "main").branch("same", "feature/x");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (revision, has_feature) in [
        ("main", false),
        ("v1", false),
        ("feature/x", true),
        ("HEAD", false),
    ] {
        for (ending, flags) in [("tar.gz", "-tz"), ("tar", "-t")] {
            let answer = scene.get(&format!("archive/{revision}/x.{ending}")).await;
            let names = names_in_archive(flags, &answer.expect(200).body);
            assert!(
                names.iter().any(|name| name.ends_with("/src/a.txt")),
                "{revision} {names:?}"
            );
            let feature = names.iter().any(|name| name.ends_with("/feature.txt"));
            assert_eq!(feature, has_feature, "{revision}");
            let top = names[0].split('/').next().unwrap().to_owned();
            assert!(
                names.iter().all(|name| name.starts_with(&top)),
                "one folder holds all"
            );
        }
        let zip = scene
            .get(&format!("archive/{revision}/x.zip"))
            .await
            .expect(200);
        assert!(zip.body.starts_with(b"PK"), "{revision}");
    }
    for (kind, has_feature) in [("heads", true), ("tags", false)] {
        let answer = scene
            .get(&format!("archive/same/x.tar?ref_type={kind}"))
            .await;
        let names = names_in_archive("-t", &answer.expect(200).body);
        assert_eq!(
            names.iter().any(|name| name.ends_with("/feature.txt")),
            has_feature,
            "{kind}"
        );
    }
    // Those of the pages lead to them.
    let pages = [scene.open("tree/feature/x").await, scene.open("tags").await];
    for page in pages {
        for ending in ["zip", "tar.gz", "tar"] {
            let answer = scene.follow(&link(&page, ending)).await;
            assert_eq!(answer.status, 200, "{ending}");
            assert!(
                answer
                    .header("content-disposition")
                    .starts_with("attachment")
            );
        }
    }
}

async fn an_archive_has_a_name_that_tells_what_it_is(server: TestServer) {
    let mut story = Story::of(&[("README.md", "hello\n")]);
    story.branch("feature/ü\"x", "main");
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for (address, ending) in [
        ("main/code-main.zip", ".zip"),
        ("main/code%2Bx.tar.gz", ".tar.gz"),
        ("feature/%C3%BC%22x/code.tar", ".tar"),
    ] {
        let answer = scene.get(&format!("archive/{address}")).await.expect(200);
        let disposition = answer.header("content-disposition");
        assert!(disposition.starts_with("attachment"), "{disposition}");
        let name = saved_as(disposition);
        assert!(name.ends_with(ending) && !name.contains('/'), "{name}");
        assert!(name.starts_with("code"), "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("content-type").starts_with("text/html"));
    }
}
