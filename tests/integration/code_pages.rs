//! A project's code as people look at it in a browser: files, READMEs, history, branches and tags.

mod addresses;
mod commits;
mod downloads;
mod failing;
mod history;
mod markup;
mod odd;
mod reading;
mod readme;
mod references;
mod revisions;
mod who_may;

use std::io::Write as _;
use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use tokio::sync::OnceCell;

use crate::support::{
    Answer, GitClient, Page, TestProject, TestResource, TestServer, TestToken, Visitor, WorkTree,
    page::{readable, unescaped},
};

/// What a repository is made of, told from its beginning, as `git fast-import` reads it.
#[derive(Default)]
struct Story {
    stream: Vec<u8>,
    commits: i64,
}

impl Story {
    /// A story that begins with a commit on `main`, which adds these files.
    fn of(files: &[(&str, &str)]) -> Story {
        let mut story = Story::default();
        story.commit("main", "Begin");
        for (path, content) in files {
            story.file(path, content);
        }
        story
    }

    /// Goes on with a commit on this branch, a minute after the one before; what it changes follows.
    fn commit(&mut self, branch: &str, message: &str) -> &mut Story {
        self.commit_by("Ada <ada@example.com>", branch, message)
    }

    /// The same, by somebody else.
    fn commit_by(&mut self, author: &str, branch: &str, message: &str) -> &mut Story {
        self.commits += 1;
        let at = 1_790_000_000 + self.commits * 60;
        self.line(&format!("commit refs/heads/{branch}"));
        self.line(&format!("author {author} {at} +0000"));
        self.line(&format!("committer {author} {at} +0000"));
        self.data(message)
    }

    /// A branch that begins where another one is now.
    fn branch(&mut self, name: &str, from: &str) -> &mut Story {
        self.reference(&format!("refs/heads/{name}"), from)
    }

    /// A tag without a message.
    fn tag(&mut self, name: &str, from: &str) -> &mut Story {
        self.reference(&format!("refs/tags/{name}"), from)
    }

    fn reference(&mut self, name: &str, from: &str) -> &mut Story {
        self.line(&format!("reset {name}\nfrom refs/heads/{from}\n"))
    }

    /// A tag with a message.
    fn annotated(&mut self, name: &str, from: &str, message: &str) -> &mut Story {
        self.line(&format!("tag {name}\nfrom refs/heads/{from}"));
        self.line("tagger Ada <ada@example.com> 1790000000 +0000");
        self.data(message)
    }

    /// Makes the commit a merge of this branch.
    fn merging(&mut self, branch: &str) -> &mut Story {
        self.line(&format!("merge refs/heads/{branch}"))
    }

    fn file(&mut self, path: &str, content: impl AsRef<[u8]>) -> &mut Story {
        self.entry("100644", path, content)
    }

    fn program(&mut self, path: &str, content: &str) -> &mut Story {
        self.entry("100755", path, content)
    }

    fn link(&mut self, path: &str, target: &str) -> &mut Story {
        self.entry("120000", path, target)
    }

    fn submodule(&mut self, path: &str, commit: &str) -> &mut Story {
        self.line(&format!("M 160000 {commit} {}", quoted(path)))
    }

    fn renamed(&mut self, from: &str, to: &str) -> &mut Story {
        self.line(&format!("R {} {}", quoted(from), quoted(to)))
    }

    fn removed(&mut self, path: &str) -> &mut Story {
        self.line(&format!("D {}", quoted(path)))
    }

    fn entry(&mut self, mode: &str, path: &str, content: impl AsRef<[u8]>) -> &mut Story {
        self.line(&format!("M {mode} inline {}", quoted(path)));
        self.data(content)
    }

    fn data(&mut self, content: impl AsRef<[u8]>) -> &mut Story {
        let content = content.as_ref();
        self.line(&format!("data {}", content.len()));
        self.stream.extend_from_slice(content);
        self.line("")
    }

    /// A command as it is.
    fn line(&mut self, text: &str) -> &mut Story {
        writeln!(self.stream, "{text}").unwrap();
        self
    }
}

fn quoted(path: &str) -> String {
    let path = path.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", path.replace('\n', "\\n"))
}

/// A project whose code is looked at, and whoever pushes to it.
struct Scene {
    git: GitClient,
    server: TestServer,
    project: TestProject,
    maintainer: TestToken,
    reader: OnceCell<Visitor>,
}

impl Scene {
    /// A public project in which nothing is yet; none where Git isn't installed, which is said aloud.
    fn empty(server: &TestServer) -> Option<Scene> {
        let group = server.group("acme").public().create();
        Scene::in_project(group.project("code").create())
    }

    /// The same of this project.
    fn in_project(project: TestProject) -> Option<Scene> {
        Some(Scene {
            git: GitClient::new()?,
            server: project.server.clone(),
            maintainer: project.token("maintainer").create(),
            project,
            reader: OnceCell::new(),
        })
    }

    /// A public project in which this happened.
    fn on(server: &TestServer, story: &Story) -> Option<Scene> {
        let scene = Scene::empty(server)?;
        scene.push(story);
        Some(scene)
    }

    /// Makes a repository of the story and pushes all of it.
    #[track_caller]
    fn push(&self, story: &Story) -> WorkTree<'_> {
        let tree = self.git.init(&format!("story-{}", self.server.next()));
        tree.feed(["fast-import", "--quiet"], &story.stream)
            .succeeded();
        tree.push(&self.project.url_for(&self.maintainer), "refs/*:refs/*")
            .succeeded();
        tree
    }

    /// The overview's address.
    fn overview(&self) -> String {
        format!("/{}", self.project.full_path)
    }

    /// The address of one of its pages: `blob/main/README.md`.
    fn at(&self, rest: &str) -> String {
        self.project.page(rest)
    }

    /// What nobody in particular gets at such an address.
    async fn get(&self, rest: &str) -> Answer {
        self.server.get(&self.at(rest)).await
    }

    /// The page that nobody in particular sees there.
    async fn open(&self, rest: &str) -> Page {
        let answer = self.get(rest).await;
        assert_eq!(answer.status, 200, "{rest}: {}", answer.page().main());
        answer.page()
    }

    /// A browser of somebody who may read what everybody may, and is signed in.
    async fn reader(&self) -> &Visitor {
        let signing_in = async || self.server.person("reader").create().signs_in().await;
        self.reader.get_or_init(signing_in).await
    }

    /// There is nothing at such an address; whoever isn't signed in is asked to.
    async fn misses(&self, rest: &str) -> Page {
        let nobody = self.get(rest).await;
        let asked = nobody.location().contains("/users/sign_in");
        assert!(asked, "{rest}: {}", nobody.status);
        let answer = self.reader().await.get(&self.at(rest)).await;
        assert_eq!(answer.status, 404, "{rest}");
        answer.page()
    }

    /// What the reader gets at an address that no client puts in order first.
    async fn exactly(&self, rest: &str) -> Answer {
        let path = self.at(rest);
        let cookies = self.reader().await.cookies();
        let cookies: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {{host}}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
        );
        self.server.raw(&request).await
    }

    /// Follows a link of a page to the page behind it.
    async fn follow(&self, link: &str) -> Answer {
        let link = link.strip_prefix(&self.server.url).unwrap_or(link);
        assert!(link.starts_with('/'), "{link}");
        self.server.visitor().follow(link).await
    }
}

/// A row of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    href: Option<String>,
    /// All that can be read in it.
    text: String,
}

/// The rows of a folder, top to bottom, without the way up.
fn rows(page: &Page) -> Vec<Row> {
    static ROW: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)<tr data-testid="file-row">(.*?)</tr>"#).unwrap());
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?s)<(?:a href="([^"]*)"|span) dir="auto">(.*?)</(?:a|span)>"#).unwrap()
    });
    ROW.captures_iter(&page.html)
        .map(|row| {
            let found = NAME.captures(&row[1]).expect("a row has a name");
            let href = found.get(1);
            Row {
                name: unescaped(&found[2]),
                href: href.map(|href| unescaped(href.as_str())),
                text: readable(&row[1]),
            }
        })
        .collect()
}

/// The row of this name.
#[track_caller]
fn row(page: &Page, name: &str) -> Row {
    let rows = rows(page);
    let found = rows.iter().find(|row| row.name == name).cloned();
    found.unwrap_or_else(|| panic!("no {name} in {rows:?}"))
}

/// The names in a folder, top to bottom.
fn names(page: &Page) -> Vec<String> {
    rows(page).into_iter().map(|row| row.name).collect()
}

/// What can be read in each element that tests know under this name.
fn parts(page: &Page, testid: &str) -> Vec<String> {
    let mut rest = page.html.as_str();
    let mut found = Vec::new();
    let mark = format!(r#"data-testid="{testid}""#);
    while let Some(at) = rest.find(&mark) {
        let start = rest[..at].rfind('<').expect("an attribute is in a tag");
        let part = Page::new(rest[start..].to_owned()).part(testid);
        found.push(part.expect("an element ends").text());
        rest = &rest[at + mark.len()..];
    }
    found
}

/// The lines of a file as they are shown.
fn lines(page: &Page) -> Vec<String> {
    static LINE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)<li id="L\d+">(.*?)</li>"#).unwrap());
    LINE.captures_iter(&page.html)
        .map(|found| unescaped(&found[1]))
        .collect()
}

/// The link of a page that reads like this.
#[track_caller]
fn link(page: &Page, label: &str) -> String {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>"#).unwrap());
    let found = LINK
        .captures_iter(&page.html)
        .find(|found| readable(&found[2]) == label);
    let found = found.unwrap_or_else(|| panic!("no link {label} in {}", page.main()));
    unescaped(&found[1])
}

/// Where the pictures of a page come from.
fn pictures(html: &str) -> Vec<String> {
    static PICTURE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(?s)<img\b[^>]*?src="([^"]*)""#).unwrap());
    PICTURE
        .captures_iter(html)
        .map(|found| unescaped(&found[1]))
        .collect()
}

/// Where the link to the next page leads.
fn next_page(page: &Page) -> Option<String> {
    static NEXT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"<a\b[^>]*rel="next"[^>]*>"#).unwrap());
    let tag = NEXT.find(&page.html)?;
    static HREF: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"href="([^"]*)""#).unwrap());
    Some(unescaped(&HREF.captures(tag.as_str())?[1]))
}

/// A path with each of its segments fit for an address.
fn encoded(path: &str) -> String {
    let encode = |segment| utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string();
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// The beginning of a picture, which is all that matters here.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
