//! Another address.

use super::{own_project, told};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};
use crate::transfers::all_in_step;

on_both![
    a_group_gets_another_url_and_says_what_that_means,
    a_project_gets_another_url,
    an_address_that_cannot_be_is_told_and_kept,
];

async fn a_group_gets_another_url_and_says_what_that_means(server: TestServer) {
    let c = Company::on(&server);
    let tokens = [c.sub.token("ci").create(), c.p3.token("ci").create()];
    c.sub.token("old").expires("2026-11-21").create();
    server.sql("UPDATE access_tokens SET expires_at = '2026-11-01' WHERE name = 'old'");
    // Rotated away, and still working: no token of its own.
    c.deep.token("grace").create();
    server.sql(
        "UPDATE access_tokens SET revoked = TRUE, grace_until = '2026-11-21 00:00:00' WHERE name = 'grace'",
    );
    c.acme.token("above").create();
    let alice = c.alice.signs_in().await;
    let page = alice.open(&c.sub.page("path")).await;
    let said = told(&page);
    for part in [
        "The addresses of 1 subgroup and 2 projects change with it.",
        "The old address leads nowhere from then on, and others may take it.",
        "2 active access tokens go on working",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let form = page.form(&c.sub.page("path"));
    assert_eq!(form.value("group[path]"), Some("sub"));
    assert!(page.says(&format!("{}/acme/", server.app.external_url)));
    let form = form.fill("group[path]", "renamed");
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(
        answer.location(),
        "/groups/acme/renamed/-/edit?section=advanced#js-advanced-settings"
    );
    let page = alice
        .open("/groups/acme/renamed/-/edit?section=advanced")
        .await;
    assert_eq!(
        page.flash(),
        "Group 'sub' was successfully updated.",
        "under the head of the same section"
    );
    assert!(page.html.contains(r#"id="js-advanced-settings" open"#));
    let at = |text: &str| page.html.find(text).unwrap();
    assert!(at("js-advanced-settings") < at("was successfully updated"));

    alice.get("/acme/sub").await.expect(404);
    alice.get("/acme/renamed/deep/p3").await.expect(200);
    for token in &tokens {
        assert!(token.works().await);
    }
    all_in_step(&server);
    for event in ["group_updated", "group_renamed"] {
        let by_alice = format!("event = '{event}' AND actor_name = 'Alice'");
        assert_eq!(server.count("audit_events", &by_alice), 1, "{event}");
    }
}

async fn a_project_gets_another_url(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("ci").create();
    let bob = c.bob.signs_in().await;
    let page = bob.open(&c.p1.page("path")).await;
    let said = told(&page);
    assert!(said.contains("another clone address"), "{said}");
    assert!(
        said.contains("1 active access token goes on working"),
        "{said}"
    );
    let form = page
        .form(&c.p1.page("path"))
        .fill("project[path]", " shop ");
    let answer = bob.submit(&form).await.expect(303);
    assert_eq!(
        answer.location(),
        "/acme/shop/-/edit?section=advanced#js-advanced-settings"
    );
    let page = bob.open("/acme/shop/-/edit?section=advanced").await;
    assert_eq!(page.flash(), "Project 'p1' was successfully updated.");
    bob.get("/acme/p1").await.expect(404);
    assert!(token.works().await);
    all_in_step(&server);
    for event in ["project_updated", "project_renamed"] {
        let by_bob = format!("event = '{event}' AND actor_name = 'Bob'");
        assert_eq!(server.count("audit_events", &by_bob), 1, "{event}");
    }
    // In one's own namespace too.
    own_project(&server, &c.alice, "own").await;
    let alice = c.alice.signs_in().await;
    let page = alice.open("/alice/own/-/path").await;
    let form = page.form("/alice/own/-/path").fill("project[path]", "mine");
    alice.submit(&form).await.expect(303);
    alice.get("/alice/mine").await.expect(200);
}

async fn an_address_that_cannot_be_is_told_and_kept(server: TestServer) {
    let c = Company::on(&server);
    c.acme.project("taken").create();
    let alice = c.alice.signs_in().await;
    let before = server.count("audit_events", "");
    for (page, field, says) in [
        (c.sub.page("path"), "group[path]", "Group URL"),
        (c.p1.page("path"), "project[path]", "Project URL"),
    ] {
        let form = alice.open(&page).await.form(&page);
        let same = form.value(field).unwrap().to_owned();
        for typed in [
            "",
            "with space",
            "-starts",
            "ends.git",
            "a/b",
            "taken",
            "TAKEN",
            "über",
            &same,
            &"x".repeat(256),
        ] {
            let answer = alice.submit(&form.clone().fill(field, typed)).await;
            assert_eq!(answer.status, 422, "{typed:?}");
            let page_again = answer.page();
            let complaints = page_again.complaints();
            assert_eq!(complaints.len(), 1, "{typed:?} {complaints:?}");
            assert!(complaints[0].starts_with(says), "{typed:?} {complaints:?}");
            assert_eq!(page_again.form(&page).value(field), Some(typed), "{page}");
        }
    }
    // A top-level address is also nobody's user name, and no word of ours.
    let page = c.acme.page("path");
    let form = alice.open(&page).await.form(&page);
    for typed in ["bob", "admin", "other"] {
        let answer = alice.submit(&form.clone().fill("group[path]", typed)).await;
        assert_eq!(answer.status, 422, "{typed}");
    }
    assert_eq!(server.count("audit_events", ""), before);
    all_in_step(&server);
}
