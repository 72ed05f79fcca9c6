//! Settings, Advanced: another address, another place and the end of groups and projects, each asked about first.

use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{Company, Page, Person, TestProject, TestResource, TestServer};

mod addresses;
mod ends;
mod places;
mod sight;

on_both![
    the_section_leads_to_what_one_may_do,
    each_page_is_for_those_who_may_do_what_it_asks,
    asking_changes_nothing,
    rubbish_does_nothing,
    names_are_shown_as_text,
];

const ACTIONS: [&str; 3] = ["path", "transfer", "delete"];

/// What happens then, as the page tells it.
#[track_caller]
fn told(page: &Page) -> String {
    page.part("consequences")
        .unwrap_or_else(|| panic!("no consequences in {}", page.main()))
        .text()
}

/// The fields with which each action would be done.
fn fields(action: &str, noun: &str, full_path: &str) -> Vec<(String, String)> {
    match action {
        "path" => vec![(format!("{noun}[path]"), "renamed".into())],
        "transfer" => vec![("group_id".into(), "top".into())],
        _ => vec![(format!("{noun}[confirm]"), full_path.into())],
    }
}

/// A project in this person's own namespace.
async fn own_project(server: &TestServer, person: &Person, path: &str) -> i64 {
    let body = serde_json::json!({ "path": path });
    let made = person.api().post("/projects", body).await.expect(201);
    assert!(server.count("projects", "") > 0);
    made.json()["id"].as_i64().unwrap()
}

async fn the_section_leads_to_what_one_may_do(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    let leads = |page: &Page, base: &str| -> Vec<&str> {
        let to = |action: &&str| page.links_to(&format!("{base}/{action}"));
        ACTIONS.into_iter().filter(to).collect()
    };
    let page = alice.open(&c.sub.page("edit")).await;
    assert_eq!(leads(&page, "/groups/acme/sub/-"), ACTIONS);
    assert!(!page.html.contains(r#"id="js-advanced-settings" open"#));
    let page = alice
        .open(&format!("{}?section=advanced", c.sub.page("edit")))
        .await;
    assert!(page.html.contains(r#"id="js-advanced-settings" open"#));
    assert!(!page.html.contains(r#"id="js-general-settings" open"#));

    let page = alice.open(&c.p1.page("edit")).await;
    assert_eq!(leads(&page, "/acme/p1/-"), ACTIONS);
    let bob = c.bob.signs_in().await;
    let page = bob.open(&c.p1.page("edit")).await;
    assert_eq!(leads(&page, "/acme/p1/-"), ["path"], "Maintainers");
}

async fn each_page_is_for_those_who_may_do_what_it_asks(server: TestServer) {
    let c = Company::on(&server);
    let before = server.inventory();
    for (person, group, project) in [
        (&c.alice, true, &ACTIONS[..]),
        (&c.root, true, &ACTIONS[..]),
        (&c.bob, false, &ACTIONS[..1]),
        (&c.carol, false, &[]),
        (&c.erin, false, &[]),
        (&c.frank, false, &[]),
        (&c.xenia, false, &[]),
        (&c.oscar, false, &[]),
    ] {
        let browser = person.signs_in().await;
        for action in ACTIONS {
            for (page, noun, path, allowed) in [
                (c.sub.page(action), "group", "acme/sub", group),
                (
                    c.p1.page(action),
                    "project",
                    "acme/p1",
                    project.contains(&action),
                ),
            ] {
                let status = if allowed { 200 } else { 404 };
                let who = &person.username;
                assert_eq!(browser.get(&page).await.status, status, "{who} {page}");
                if !allowed {
                    let fields = fields(action, noun, path);
                    let fields: Vec<(&str, &str)> =
                        fields.iter().map(|(a, b)| (&**a, &**b)).collect();
                    assert_eq!(
                        browser.post(&page, &fields).await.status,
                        404,
                        "{who} {page}"
                    );
                }
            }
        }
        // A person's own namespace has no such pages.
        for action in ACTIONS {
            let own = format!("/groups/{}/-/{action}", person.username);
            browser.get(&own).await.expect(404);
        }
    }
    let nobody = server.visitor();
    nobody.get(&c.sub.page("delete")).await.expect(302);
    let (page, typed) = (c.sub.page("delete"), [("group[confirm]", "acme/sub")]);
    nobody.post(&page, &typed).await.expect(302);
    // Without the token of a form of ours nobody does anything.
    let alice = c.alice.signs_in().await;
    alice.post_without_token(&page, &typed).await.expect(403);
    assert_eq!(server.inventory(), before);
    assert_eq!(server.count("groups", "path = 'renamed'"), 0);
}

async fn asking_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    let alice = c.alice.signs_in().await;
    let before = (server.inventory(), server.count("audit_events", ""));
    for page in [
        c.sub.page("path"),
        c.sub.page("delete"),
        c.sub.page("transfer"),
        format!("{}?group_id=top", c.sub.page("transfer")),
        format!("{}?group_id={}", c.sub.page("transfer"), c.other.id),
        format!("{}?group_id={}", c.p1.page("transfer"), c.other.id),
        c.p1.page("delete"),
    ] {
        alice.get(&page).await.expect(200);
    }
    assert_eq!(
        (server.inventory(), server.count("audit_events", "")),
        before
    );
    assert_eq!(server.count("groups", "full_path = 'acme/sub'"), 1);
}

async fn rubbish_does_nothing(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    let before = server.inventory();
    for action in ACTIONS {
        for page in [c.sub.page(action), c.p1.page(action)] {
            alice.send_rubbish(&page).await;
            let sent = alice.post(&page, &[]).await;
            assert_eq!(sent.status, 422, "{page}");
            sent.expect_refused_page(&page);
        }
    }
    alice.get("/groups/acme/sub/-/destroy").await.expect(404);
    assert_eq!(server.inventory(), before);
}

async fn names_are_shown_as_text(server: TestServer) {
    let alice = server
        .person("alice")
        .named("<script>alert(1)</script>")
        .create();
    let top = server.group("top").owner(&alice).create();
    let zoe = server
        .person("zoe")
        .named("<img src=x onerror=alert(1)>")
        .create();
    top.member(&zoe, AccessLevel::Developer);
    let long = "w".repeat(255);
    let group = top.subgroup(&long).named("<b>Nasty & nice</b>").create();
    let project: TestProject = group.project("p").named("\"><svg onload=x>").create();
    let browser = alice.signs_in().await;
    for page in [
        group.page("path"),
        group.page("transfer"),
        format!("{}?group_id=top", group.page("transfer")),
        group.page("delete"),
        project.page("path"),
        project.page("transfer"),
        project.page("delete"),
    ] {
        let page = browser.open(&page).await;
        for markup in ["<script>alert", "<img src=x", "<b>Nasty", "<svg onload"] {
            assert!(!page.html.contains(markup), "{markup}");
        }
        assert!(page.html.len() < 150_000);
    }
}
