//! READMEs: drawn, harmless, and with links that lead somewhere.

use regex::Regex;

use super::{PNG, Scene, Story, lines, link, pictures};
use crate::on_sqlite;
use crate::support::{Page, TestServer};

on_sqlite![
    a_readme_is_drawn_below_the_files,
    a_readme_that_is_no_markdown_is_text,
    nothing_in_a_readme_runs,
    links_and_pictures_of_a_readme_lead_into_its_repository,
    a_readme_of_a_branch_or_a_tag_shows_what_lies_beside_it,
    links_of_a_readme_stay_in_the_project,
];

const README: &str = "\
# Welcome

Some *emphasis*, `code`, ~~gone~~ and https://example.com/bare.

| Left | Right |
|------|------:|
| one  | two   |

- [x] done
- [ ] open

```rust
fn main() { let a = \"<b>\"; }
```

1. first
2. second

> quoted
";

async fn a_readme_is_drawn_below_the_files(server: TestServer) {
    let story = Story::of(&[
        ("README.md", README),
        ("docs/readme.markdown", "## Inside\n"),
        ("src/a.txt", "a\n"),
    ]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    for address in [scene.overview(), scene.at("tree/main")] {
        let page = server.get(&address).await.expect(200).page();
        let readme = page.part("rendered").expect("the README is drawn").html;
        for part in [
            "<em>emphasis</em>",
            "<table ",
            "<td",
            "<del>gone</del>",
            "<blockquote>",
            "<ol>",
            "<pre",
        ] {
            assert!(readme.contains(part), "{part}: {readme}");
        }
        assert!(readme.contains("&lt;b&gt;"), "code is text: {readme}");
        assert!(
            readme.contains("href=\"https://example.com/bare\""),
            "{readme}"
        );
        assert!(page.links_to(&scene.at("blob/main/README.md")));
    }
    let inside = scene.open("tree/main/docs").await;
    assert!(inside.part("rendered").expect("it is drawn").says("Inside"));
    assert!(!scene.open("tree/main/src").await.has("rendered"));
}

async fn a_readme_that_is_no_markdown_is_text(server: TestServer) {
    let mut story = Story::of(&[
        ("README", "# plain <b>text</b>\n"),
        ("txt/README.txt", "*stars*\n"),
    ]);
    story
        .file("bin/README.md", b"\0\x01\x02")
        .file("none/README.md", "")
        .link("link/README.md", "../README");
    story
        .file("README.d/a.txt", "a\n")
        .file("folder/README.md/x.txt", "x\n");
    story.file("large/README.md", "x".repeat(513 * 1024));
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let page = scene.open("tree/main").await;
    assert!(page.says("# plain <b>text</b>"), "{}", page.main());
    assert!(scene.open("tree/main/txt").await.says("*stars*"));
    for folder in ["bin", "none", "link", "folder", "large"] {
        let page = scene.open(&format!("tree/main/{folder}")).await;
        assert!(page.html.len() < 100_000, "{folder}");
    }
}

const ATTACK: &str = r#"
<script>alert(1)</script>
<img src=x onerror=alert(2)>
<svg onload=alert(3)><script>alert(4)</script></svg>
<iframe src="https://evil.example"></iframe>
<object data="x"></object><embed src="x">
<form action="/users/sign_out" method="post"><button>Click</button><input name="q"></form>
<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example">
<link rel="stylesheet" href="https://evil.example/x.css">
<style>body { display: none }</style>
<p style="position:fixed;inset:0" class="alert" id="main" onclick="alert(5)">over</p>
<a href="javascript:alert(6)">six</a>
<a href=" &#x6A;avascript:alert(7)">seven</a>
<details open ontoggle=alert(8)><summary>x</summary></details>
<math><mtext><table><mglyph><style><img src=x onerror=alert(9)></style></mglyph></table></mtext></math>
<video src=x onerror=alert(10)></video>
<textarea><img title="</textarea><img src=x onerror=alert(11)>">

[ten](javascript:alert(10)) [eleven](JaVaScRiPt:alert(11)) [twelve](<java
script:alert(12)>) [thirteen](data:text/html,<script>alert(13)</script>) [fourteen](vbscript:x)
![fifteen](javascript:alert(15)) ![sixteen](data:text/html;base64,PHNjcmlwdD4=)
[seventeen]: javascript:alert(17)
[seventeen] <javascript:alert(18)> [x](https://example.com "\" onmouseover=alert(19) x=\"")
`<script>alert(20)</script>` ![a"onerror="alert(21)](b.png)

```"><script>alert(22)</script>
x
```
"#;

async fn nothing_in_a_readme_runs(server: TestServer) {
    let story = Story::of(&[("README.md", ATTACK), ("b.png", "x")]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let tag = Regex::new(r#"<([a-zA-Z0-9]+)((?:[^>"]|"[^"]*")*)>"#).unwrap();
    let attribute = Regex::new(r#"\s([a-zA-Z-]+)(?:="([^"]*)")?"#).unwrap();
    for address in [
        scene.overview(),
        scene.at("tree/main"),
        scene.at("blob/main/README.md"),
    ] {
        let page = server.get(&address).await.expect(200).page();
        let readme = page.part("rendered").expect("it is drawn").html;
        for found in tag.captures_iter(&readme) {
            let (name, attributes) = (found[1].to_lowercase(), &found[2]);
            for forbidden in [
                "script", "iframe", "object", "embed", "form", "button", "base", "meta", "link",
                "style", "svg", "math", "video", "textarea",
            ] {
                assert_ne!(name, forbidden, "{address}: {readme}");
            }
            for one in attribute.captures_iter(attributes) {
                let (key, value) = (
                    one[1].to_lowercase(),
                    one.get(2).map_or("", |value| value.as_str()),
                );
                let value = crate::support::page::unescaped(value).to_lowercase();
                let squeezed: String = value
                    .chars()
                    .filter(|c| !c.is_whitespace() && !c.is_control())
                    .collect();
                assert!(
                    !key.starts_with("on") && key != "style",
                    "{address}: {}",
                    &found[0]
                );
                // The frame's own element is the first tag.
                if found.get(0).unwrap().start() > 0 {
                    assert!(key != "id" || value != "main", "{address}: {}", &found[0]);
                    assert!(
                        key != "class" || value != "alert",
                        "{address}: {}",
                        &found[0]
                    );
                }
                if key == "href" || key == "src" {
                    for scheme in ["javascript:", "data:", "vbscript:"] {
                        assert!(!squeezed.starts_with(scheme), "{address}: {}", &found[0]);
                    }
                }
            }
        }
        // What was meant well is still there.
        assert!(readme.contains("href=\"https://example.com\""), "{readme}");
        assert!(readme.contains("&lt;script&gt;alert(20)"), "{readme}");
    }
}

const LINKS: &str = "\
[guide](docs/guide.md) [dot](./docs/guide.md) [root](/docs/guide.md) [part](docs/guide.md#part) [here](#welcome)
[folder](docs) [slash](docs/) [spaced](<a b.txt>) [encoded](a%20b.txt) [hash](c%23.txt) [outside](https://example.com/x) [mail](mailto:a@example.com)
[gone](nothing.txt) [self](.)

![logo](img/logo.png) ![dot](./img/logo.png) ![root](/img/logo.png) ![ümlaut](img/ü.png)
";

/// The drawn README of a folder.
async fn readme(scene: &Scene, folder: &str) -> Page {
    let page = scene.open(folder).await;
    page.part("rendered").expect("it is drawn")
}

/// The pictures of a README are there, so many of them.
async fn shows_pictures(scene: &Scene, readme: &Page, number: usize) {
    let pictures = pictures(&readme.html);
    assert_eq!(pictures.len(), number, "{}", readme.html);
    for picture in pictures {
        let raw = scene.follow(&picture).await;
        assert_eq!(raw.status, 200, "{picture}");
        assert_eq!(raw.header("content-type"), "image/png", "{picture}");
        assert!(raw.body == PNG, "{picture}");
    }
}

async fn links_and_pictures_of_a_readme_lead_into_its_repository(server: TestServer) {
    let mut story = Story::of(&[
        ("README.md", LINKS),
        ("docs/guide.md", "the guide\n"),
        ("a b.txt", "spaced\n"),
        ("c#.txt", "hashed\n"),
        (
            "docs/README.md",
            "[sibling](guide.md) [up](../a%20b.txt) [root](/c%23.txt) ![up](../img/logo.png) ![root](/img/logo.png)\n",
        ),
    ]);
    story.file("img/logo.png", PNG).file("img/ü.png", PNG);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let overview = server.get(&scene.overview()).await.expect(200).page();
    let blob = scene.open("blob/main/README.md").await;
    for page in [
        overview,
        scene.open("tree/main").await,
        scene.open("tree").await,
        blob,
    ] {
        let readme = page.part("rendered").expect("it is drawn");
        for label in ["guide", "dot", "root", "part"] {
            let found = scene
                .follow(link(&readme, label).trim_end_matches("#part"))
                .await;
            assert!(found.expect(200).page().says("the guide"), "{label}");
        }
        assert!(link(&readme, "part").ends_with("/docs/guide.md#part"));
        assert!(link(&readme, "here").ends_with("welcome"));
        for label in ["folder", "slash"] {
            let found = scene.follow(&link(&readme, label)).await.expect(200).page();
            assert!(
                super::names(&found).contains(&"guide.md".to_owned()),
                "{label}"
            );
        }
        for (label, content) in [
            ("spaced", "spaced"),
            ("encoded", "spaced"),
            ("hash", "hashed"),
        ] {
            let found = scene.follow(&link(&readme, label)).await.expect(200).page();
            assert_eq!(lines(&found), [content], "{label}");
        }
        assert_eq!(link(&readme, "outside"), "https://example.com/x");
        assert_eq!(link(&readme, "mail"), "mailto:a@example.com");
        let gone = link(&readme, "gone");
        scene
            .misses(gone.strip_prefix(&scene.at("")).unwrap())
            .await;
        assert_eq!(scene.follow(&link(&readme, "self")).await.status, 200);
        shows_pictures(&scene, &readme, 4).await;
    }
    for address in ["tree/main/docs", "blob/main/docs/README.md"] {
        let readme = readme(&scene, address).await;
        for (label, content) in [("up", "spaced"), ("root", "hashed")] {
            let found = scene.follow(&link(&readme, label)).await.expect(200).page();
            assert_eq!(lines(&found), [content], "{address}: {label}");
        }
        let found = scene.follow(&link(&readme, "sibling")).await.expect(200);
        assert!(found.page().says("the guide"));
        shows_pictures(&scene, &readme, 2).await;
    }
}

async fn a_readme_of_a_branch_or_a_tag_shows_what_lies_beside_it(server: TestServer) {
    let text = "![logo](pics/logo.png) [note](pics/note.txt)\n";
    let mut story = Story::of(&[("other.txt", "nothing of it\n")]);
    story
        .branch("feature/a#1", "main")
        .commit("feature/a#1", "Add a picture");
    story
        .file("README.md", text)
        .file("pics/logo.png", PNG)
        .file("pics/note.txt", "noted\n");
    story.file(
        "sub/README.md",
        "![logo](../pics/logo.png) [note](/pics/note.txt)\n",
    );
    story.tag("release/1.0", "feature/a#1");
    // The same name twice, with other things in it.
    story.branch("same", "feature/a#1").tag("same", "main");
    let Some(scene) = Scene::empty(&server) else {
        return;
    };
    let tree = scene.push(&story);
    let id = tree.done(["rev-parse", "feature/a#1"]);
    let short = &id[..8];
    for address in [
        "tree/feature/a%231",
        "tree/feature/a%231/sub",
        "tree/release/1.0",
        "tree/release/1.0/sub",
        "tree/same?ref_type=heads",
        "tree/same/sub?ref_type=heads",
        "tree/feature/a%231?ref_type=heads",
        "tree/release/1.0?ref_type=tags",
        &format!("tree/{id}"),
        &format!("tree/{short}/sub"),
    ] {
        let readme = readme(&scene, address).await;
        shows_pictures(&scene, &readme, 1).await;
        let found = scene.follow(&link(&readme, "note")).await;
        assert_eq!(found.status, 200, "{address}: {}", readme.html);
        assert_eq!(lines(&found.page()), ["noted"], "{address}");
    }
}

async fn links_of_a_readme_stay_in_the_project(server: TestServer) {
    let text = "\
[a](../../../../users/sign_out) [b](/../../../users/sign_out) [c](docs/../../../../../admin) [d](%2e%2e/%2e%2e/%2e%2e/%2e%2e/admin)
[e](//evil.example/x) [f](\\\\evil.example) [g](/\\evil.example) ![h](//evil.example/x.png) ![i](../../../../uploads/x.png) [j](?x=1) [k]()
[l](/%2e%2e/%2e%2e/%2e%2e/admin) [m](..\\..\\..\\admin)
";
    let story = Story::of(&[("README.md", text)]);
    let Some(scene) = Scene::on(&server, &story) else {
        return;
    };
    let readme = readme(&scene, "tree/main").await;
    let base = reqwest::Url::parse(&format!("{}{}", server.url, scene.at("tree/main"))).unwrap();
    let inside = format!("{}{}", server.url, scene.at(""));
    let all = readme.links().into_iter().chain(pictures(&readme.html));
    for link in all {
        // As a browser understands it.
        let found = base.join(&link).unwrap();
        let stays = found.as_str().starts_with(&inside);
        // Another site may be named, as long as it is one that the text names, too.
        let named = found.host_str() == Some("evil.example");
        assert!(stays || named, "{link} leads to {found}");
        assert!(
            !found.as_str().contains("/admin") || found.as_str().contains("/-/"),
            "{link}"
        );
    }
}
