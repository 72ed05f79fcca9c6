//! People and bots in the admin area: the lists, a person's page, and what administrators do there.

mod changing;
mod listing;
mod losing;
mod showing;

use latchkey::users::{self, User};

use crate::on_both;
use crate::support::{Company, Page, TestResource, TestServer, Visitor};

on_both![
    only_administrators_find_any_of_it,
    a_form_without_its_token_changes_nothing,
    what_people_call_themselves_is_text,
];

/// What the admin area has about people, reading and writing.
const PAGES: [&str; 8] = [
    "/admin/users",
    "/admin/users/new",
    "/admin/users/bob",
    "/admin/users/bob/edit",
    "/admin/users/bob/block",
    "/admin/users/bob/unblock",
    "/admin/users/bob/delete",
    "/admin/users/bob/sessions",
];

/// The names in the list of users, in their order.
fn listed(page: &Page) -> Vec<String> {
    page.rows("users")
        .iter()
        .map(|row| {
            let (_, handle) = row[0].split_once('@').unwrap();
            handle.split_whitespace().next().unwrap().to_owned()
        })
        .collect()
}

fn find(server: &TestServer, id: i64) -> Option<User> {
    server.arrange(move |conn, _| users::store::find(conn, id))
}

/// How many lines of this name there are in the trail about this user.
fn told(server: &TestServer, event: &str, id: i64) -> i64 {
    let condition = format!("event = '{event}' AND target_kind = 'user' AND target_id = {id}");
    server.count("audit_events", &condition)
}

/// Is somebody signed in with this browser?
async fn is_in(browser: &Visitor) -> bool {
    browser.get("/dashboard/groups").await.status == 200
}

async fn only_administrators_find_any_of_it(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    for person in [&c.alice, &c.bob, &c.frank, &c.xenia] {
        let browser = person.signs_in().await;
        for path in PAGES {
            browser.get(path).await.expect(404);
        }
        for path in &PAGES[3..] {
            browser.post(path, &[("all", "1")]).await.expect(404);
        }
        browser.post("/admin/users", &[]).await.expect(404);
        for path in ["/admin/groups", "/admin/projects"] {
            browser.get(path).await.expect(404);
        }
    }
    for path in PAGES.iter().chain(&["/admin/groups", "/admin/projects"]) {
        let request = server.request(reqwest::Method::GET, path);
        let request = request.header("PRIVATE-TOKEN", &token.value);
        let answer = crate::support::Answer::to(request).await;
        assert_eq!(answer.status, 302, "a bot signs in nowhere: {path}");
        server.get(path).await.expect(302);
    }
    // Whoever was an administrator a moment ago isn't one now.
    let ada = server.person("ada").admin().create();
    let browser = ada.signs_in().await;
    browser.open("/admin/users").await;
    server.arrange(move |conn, ctx| {
        let changes = users::edit::PersonChanges {
            admin: Some(false),
            ..users::edit::PersonChanges::default()
        };
        users::edit::edit(conn, ctx, ada.id, &changes)
    });
    browser.get("/admin/users").await.expect(404);
    browser
        .post("/admin/users/bob/block", &[])
        .await
        .expect(404);
    assert!(find(&server, c.bob.id).unwrap().is_active());
}

async fn a_form_without_its_token_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.root.signs_in().await;
    let before = server.inventory();
    for path in PAGES[3..].iter().chain(&["/admin/users"]) {
        let fields = [("user[confirm]", "bob"), ("all", "1")];
        browser.post_without_token(path, &fields).await.expect(403);
    }
    assert_eq!(server.inventory(), before);
    assert!(find(&server, c.bob.id).unwrap().is_active());
    // Nor does looking.
    for path in PAGES {
        let status = browser.get(path).await.status;
        assert!(status == 200 || status == 303, "{path}: {status}");
    }
    assert_eq!(server.inventory(), before);
    assert!(find(&server, c.bob.id).unwrap().is_active());
}

async fn what_people_call_themselves_is_text(server: TestServer) {
    let root = server.person("root").admin().create();
    let evil = r#"<script>alert("x")</script>"#;
    let mallory = server.person("mallory").named(evil).create();
    let group = server.group("g").named(evil).owner(&mallory).create();
    group.project("p").named(evil).create();
    group.token(evil).create();
    let browser = root.signs_in().await;
    for path in [
        "/admin/users",
        "/admin/users?tab=bots",
        "/admin/users?search=%3Cscript%3E",
        "/admin/users/mallory",
        "/admin/users/mallory/edit",
        "/admin/users/mallory/block",
        "/admin/users/mallory/delete",
        "/admin/groups",
        "/admin/projects",
    ] {
        let page = browser.open(path).await;
        assert!(!page.html.contains("<script>alert"), "{path}");
        assert!(page.text().contains("alert"), "{path}");
    }
}
