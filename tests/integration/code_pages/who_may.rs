//! Who sees code, and what the others see instead.

use reqwest::Method;

use super::{Scene, Story, link, names};
use crate::support::{Answer, Company, TestResource, TestServer, Visitor};
use crate::{on_both, on_sqlite};

on_both![
    a_private_project_is_read_by_reporters_and_up,
    an_internal_project_is_read_by_whoever_isnt_external,
    code_moves_with_its_project,
    whoever_loses_their_session_or_account_sees_no_code,
];

on_sqlite![
    an_archived_project_is_still_read,
    nobody_in_particular_reads_a_public_project,
    a_guest_sees_the_project_without_its_code,
    pages_answer_to_get_and_head_alone,
    code_of_private_projects_is_kept_by_no_cache,
];

const PAGES: [&str; 11] = [
    "tree",
    "tree/main",
    "tree/main/src",
    "blob/main/README.md",
    "raw/main/README.md",
    "commits",
    "commits/main/README.md",
    "commit/main",
    "branches",
    "tags",
    "archive/main/code.zip",
];

fn story() -> Story {
    let mut story = Story::of(&[("README.md", "# Confidential plan\n"), ("src/a.txt", "a\n")]);
    story.tag("v1", "main");
    story
}

/// The company, and its private project with code in it.
fn company(server: &TestServer) -> Option<(Company, Scene)> {
    let company = Company::on(server);
    let scene = Scene::in_project(company.p1.clone())?;
    scene.push(&story());
    Some((company, scene))
}

/// Each page opens, or leads to one that does.
async fn reads(scene: &Scene, visitor: &Visitor, who: &str) {
    for page in PAGES {
        let answer = visitor.follow(&scene.at(page)).await;
        assert_eq!(answer.status, 200, "{who}: {page}");
        assert!(
            !answer.page_or_nothing().contains("user[password]"),
            "{who}: {page}"
        );
    }
    let overview = visitor.open(&scene.overview()).await;
    assert_eq!(names(&overview), ["src", "README.md"], "{who}");
}

/// Each page is as if it weren't there, the same as one that isn't.
async fn finds_nothing(scene: &Scene, visitor: &Visitor, who: &str) {
    let nowhere = visitor.get("/nowhere/at-all/-/tree/main").await;
    for page in PAGES.into_iter().chain(["blob/nothing/at/all"]) {
        let answer = visitor.get(&scene.at(page)).await;
        assert_eq!(answer.status, 404, "{who}: {page}");
        assert_eq!(
            answer.comparable_text(),
            nowhere.comparable_text(),
            "{who}: {page}"
        );
    }
}

/// Each page asks to sign in, the same as one that isn't there.
async fn is_asked_to_sign_in(scene: &Scene, visitor: &Visitor, who: &str) {
    for page in PAGES.into_iter().chain(["blob/nothing/at/all"]) {
        let answer = visitor.get(&scene.at(page)).await;
        assert!(
            matches!(answer.status, 302 | 303),
            "{who}: {page}: {}",
            answer.status
        );
        assert!(
            answer.location().contains("/users/sign_in"),
            "{who}: {page}"
        );
    }
    let nowhere = visitor.get("/nowhere/at-all/-/tree/main").await;
    assert!(nowhere.location().contains("/users/sign_in"), "{who}");
}

impl Answer {
    /// The source of the page, if it is one.
    fn page_or_nothing(&self) -> String {
        if self.header("content-type").starts_with("text/html") {
            self.text()
        } else {
            String::new()
        }
    }
}

async fn a_private_project_is_read_by_reporters_and_up(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    for person in [&company.dave, &company.root] {
        reads(&scene, &person.signs_in().await, &person.username).await;
    }
    for person in [&company.frank, &company.xenia] {
        finds_nothing(&scene, &person.signs_in().await, &person.username).await;
    }
    for person in [&company.erin, &company.paula] {
        let visitor = person.signs_in().await;
        for page in PAGES {
            let status = visitor.get(&scene.at(page)).await.status;
            assert_eq!(status, 404, "{}: {page}", person.username);
        }
    }
    is_asked_to_sign_in(&scene, &server.visitor(), "nobody").await;
}

async fn an_internal_project_is_read_by_whoever_isnt_external(server: TestServer) {
    let company = Company::on(&server);
    let open = server.group("open").internal().create();
    let Some(scene) = Scene::in_project(open.project("code").create()) else {
        return;
    };
    scene.push(&story());
    reads(&scene, &company.frank.signs_in().await, "frank").await;
    let xenia = company.xenia.signs_in().await;
    finds_nothing(&scene, &xenia, "xenia").await;
    open.member(&company.xenia, latchkey::members::AccessLevel::Reporter);
    reads(&scene, &xenia, "xenia as a member").await;
    is_asked_to_sign_in(&scene, &server.visitor(), "nobody").await;
}

async fn nobody_in_particular_reads_a_public_project(server: TestServer) {
    let Some(scene) = Scene::on(&server, &story()) else {
        return;
    };
    reads(&scene, &server.visitor(), "nobody").await;
    let page = scene.open("tree/main").await;
    assert!(
        page.links().iter().any(|link| link.contains("/-/branches")),
        "the sidebar leads on"
    );
    let xenia = server.person("xenia").external().create();
    reads(&scene, &xenia.signs_in().await, "an external person").await;
}

async fn a_guest_sees_the_project_without_its_code(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    let erin = company.erin.signs_in().await;
    let page = erin.open(&scene.overview()).await;
    assert!(page.says("p1"));
    for hidden in [
        "Confidential plan",
        "README.md",
        "src",
        "Begin",
        "Ada committed",
    ] {
        assert!(!page.main().contains(hidden), "{hidden}: {}", page.main());
    }
    for link in page.links() {
        for part in ["/-/tree", "/-/blob", "/-/commit", "/-/branches", "/-/tags"] {
            assert!(!link.contains(part), "{link}");
        }
    }
}

async fn an_archived_project_is_still_read(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    server.sql("UPDATE projects SET archived = TRUE WHERE path = 'p1'");
    reads(&scene, &company.dave.signs_in().await, "dave").await;
}

async fn code_moves_with_its_project(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    let root = company.root.signs_in().await;
    let page = root.open(&scene.at("tree/main")).await;
    let api = company.root.api();
    let to = serde_json::json!({ "namespace": company.other.id });
    let moved = api
        .put(&format!("{}/transfer", scene.project.path()), to)
        .await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    let found = root.open("/other/p1/-/tree/main").await;
    assert_eq!(names(&found), names(&page));
    assert!(
        found.links().iter().all(|link| !link.contains("acme/p1")),
        "{:?}",
        found.links()
    );
    let file = root.open(&link(&found, "README.md")).await;
    assert!(file.says("Confidential plan"));
    // Dave is a Reporter where it was, and nobody where it is.
    let dave = company.dave.signs_in().await;
    for path in ["/acme/p1/-/tree/main", "/other/p1/-/tree/main"] {
        assert_eq!(dave.get(path).await.status, 404, "{path}");
    }
}

async fn whoever_loses_their_session_or_account_sees_no_code(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    let dave = company.dave.signs_in().await;
    let copied = dave.copied();
    reads(&scene, &copied, "with a copied cookie").await;
    dave.sign_out().await;
    is_asked_to_sign_in(&scene, &copied, "with a cookie of before").await;
    let carol = company.carol.signs_in().await;
    carol.open(&scene.at("tree/main")).await;
    company.carol.block();
    is_asked_to_sign_in(&scene, &carol, "blocked").await;
}

async fn pages_answer_to_get_and_head_alone(server: TestServer) {
    let Some(scene) = Scene::on(&server, &story()) else {
        return;
    };
    for page in PAGES {
        let path = scene.at(page);
        let get = server.get(&path).await;
        let head = Answer::to(server.request(Method::HEAD, &path)).await;
        assert_eq!(head.status, get.status, "{page}");
        assert!(head.body.is_empty(), "{page}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{page}"
        );
        let disposition = "content-disposition";
        assert_eq!(head.header(disposition), get.header(disposition), "{page}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = Answer::to(server.request(method.clone(), &path)).await;
            assert_eq!(answer.status, 405, "{method} {page}");
            let allowed = answer.header("allow");
            assert!(allowed.contains("GET"), "{method} {page}: {allowed}");
        }
    }
    // A form that was posted to it has no effect either.
    let posted = server
        .visitor()
        .post(&scene.at("tree/main"), &[("x", "y")])
        .await;
    assert_eq!(posted.status, 405);
}

async fn code_of_private_projects_is_kept_by_no_cache(server: TestServer) {
    let Some((company, scene)) = company(&server) else {
        return;
    };
    let dave = company.dave.signs_in().await;
    for page in PAGES {
        let answer = dave.get(&scene.at(page)).await;
        let cache = answer.header("cache-control");
        assert!(
            cache.contains("private") || cache.contains("no-store"),
            "{page}: {cache:?}"
        );
        assert!(!cache.contains("public"), "{page}: {cache:?}");
    }
}
