//! The end.

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{own_project, told};
use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};
use crate::transfers::all_in_step;

on_both![
    a_deletion_says_what_goes_and_wants_the_full_path,
    what_is_counted_is_what_lists_count,
    its_tokens_stay_dead_when_the_address_is_used_again,
    a_project_is_deleted,
    whoever_deletes_goes_where_they_may_look,
    more_than_ten_thousand_are_not_counted_on,
];

async fn a_deletion_says_what_goes_and_wants_the_full_path(server: TestServer) {
    let c = Company::on(&server);
    let tokens = [c.sub.token("ci").create(), c.p2.token("ci").create()];
    let beside = c.acme.token("above").create();
    c.sub.member(&c.frank, AccessLevel::Guest);
    c.p2.member(&c.frank, AccessLevel::Developer);
    c.sub.webhook("pager", "https://hooks.example.com/a");
    let alice = c.alice.signs_in().await;
    let path = c.sub.page("delete");
    let page = alice.open(&path).await;
    assert!(page.says("This cannot be undone."));
    let said = told(&page);
    for part in [
        "1 subgroup and 2 projects are deleted with it, with all their code.",
        "2 active access tokens stop working at once, and never work again.",
        "2 roles that people have in it end.",
        "1 webhook is deleted, with the log of deliveries.",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let form = page.form(&path);
    let before = (server.inventory(), server.count("audit_events", ""));
    for typed in [
        "",
        "sub",
        "acme",
        "acme/Sub",
        "acme/sub/",
        "acme/sub/deep",
        "yes",
    ] {
        let answer = alice
            .submit(&form.clone().fill("group[confirm]", typed))
            .await;
        assert_eq!(answer.status, 422, "{typed:?}");
        let page = answer.page();
        assert!(page.complaints()[0].contains("Nothing was deleted."));
        assert_eq!(page.form(&path).value("group[confirm]"), Some(typed));
    }
    assert_eq!(
        (server.inventory(), server.count("audit_events", "")),
        before
    );

    let form = form.fill("group[confirm]", " acme/sub ");
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/acme");
    let page = alice.open("/acme").await;
    assert_eq!(page.flash(), "Done: Group 'sub' was deleted.");
    for gone in ["/acme/sub", "/acme/sub/deep", "/acme/sub/p2"] {
        alice.get(gone).await.expect(404);
    }
    for token in &tokens {
        token.get("/user").await.expect(401);
    }
    assert!(beside.works().await);
    let event = "event = 'group_deleted' AND actor_name = 'Alice'";
    assert_eq!(server.count("audit_events", event), 1);
    // The same form again finds nothing.
    alice.submit(&form).await.expect(404);
    all_in_step(&server);
}

async fn what_is_counted_is_what_lists_count(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    for place in [&c.sub as &dyn TestResource, &c.p1] {
        let (token, noun) = (place.token("ci").create(), place.resource().noun());
        let rotate = format!("{}/access_tokens/{}/rotate", place.path(), token.id);
        let grace = json!({ "grace_period": 3600, "expires_at": "2027-01-01" });
        let api = c.alice.api();
        api.post(&rotate, grace).await.expect(200);
        assert!(token.works().await, "in its grace");
        let blocked = server.person(&format!("blocked{noun}")).create();
        let ended = server.person(&format!("ended{noun}")).create();
        for person in [&c.frank, &blocked, &ended] {
            place.member(person, AccessLevel::Guest);
        }
        blocked.block();
        server.sql(&format!(
            "UPDATE memberships SET expires_at = '2026-11-20' WHERE user_id = {}",
            ended.id
        ));
        let said = told(&alice.open(&place.page("delete")).await);
        for part in [
            "1 active access token stops working at once, and never works again.",
            "1 role that people have in it ends.",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

async fn its_tokens_stay_dead_when_the_address_is_used_again(server: TestServer) {
    let c = Company::on(&server);
    let token = c.sub.token("ci").role(AccessLevel::Owner).create();
    let alice = c.alice.signs_in().await;
    let fields = [("group[confirm]", "acme/sub")];
    alice.post(&c.sub.page("delete"), &fields).await.expect(303);
    let again = c.acme.subgroup("sub").create();
    for path in [
        "/user",
        "/groups/acme%2Fsub",
        "/personal_access_tokens/self",
    ] {
        token.get(path).await.expect(401);
    }
    server.rest().await;
    token.get(&again.path()).await.expect(401);
    let page = alice.open(&again.page("settings/access_tokens")).await;
    assert!(page.says("This group has no active access tokens."));
}

async fn a_project_is_deleted(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("ci").create();
    c.p1.member(&c.frank, AccessLevel::Developer);
    let alice = c.alice.signs_in().await;
    let path = c.p1.page("delete");
    let page = alice.open(&path).await;
    let said = told(&page);
    for part in [
        "All its code is deleted",
        "1 active access token stops working at once, and never works again.",
        "1 role that people have in it ends.",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let form = page.form(&path);
    let wrong = alice
        .submit(&form.clone().fill("project[confirm]", "p1"))
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(
        wrong.page().form(&path).value("project[confirm]"),
        Some("p1")
    );
    let form = form.fill("project[confirm]", "acme/p1");
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/acme");
    assert_eq!(
        alice.open("/acme").await.flash(),
        "Done: Project 'p1' was deleted."
    );
    token.get("/user").await.expect(401);
    alice.get("/acme/p1").await.expect(404);
    let event = "event = 'project_deleted' AND actor_name = 'Alice'";
    assert_eq!(server.count("audit_events", event), 1);
    all_in_step(&server);
}

async fn whoever_deletes_goes_where_they_may_look(server: TestServer) {
    let c = Company::on(&server);
    // Nothing is above a top-level group.
    let oscar = c.oscar.signs_in().await;
    let fields = [("group[confirm]", "other")];
    let answer = oscar.post(&c.other.page("delete"), &fields).await;
    assert_eq!(answer.expect(303).location(), "/dashboard/groups");
    // And what is above may be hidden.
    c.sub.member(&c.frank, AccessLevel::Owner);
    let frank = c.frank.signs_in().await;
    let answer = frank
        .post(&c.sub.page("delete"), &[("group[confirm]", "acme/sub")])
        .await;
    assert_eq!(answer.expect(303).location(), "/dashboard/groups");
    let page = frank.open("/dashboard/groups").await;
    assert_eq!(page.flash(), "Done: Group 'sub' was deleted.");
    c.p1.member(&c.xenia, AccessLevel::Owner);
    let xenia = c.xenia.signs_in().await;
    let answer = xenia
        .post(&c.p1.page("delete"), &[("project[confirm]", "acme/p1")])
        .await;
    assert_eq!(answer.expect(303).location(), "/dashboard/projects");
    own_project(&server, &c.alice, "own").await;
    let alice = c.alice.signs_in().await;
    let answer = alice
        .post("/alice/own/-/delete", &[("project[confirm]", "alice/own")])
        .await;
    let there = answer.expect(303).location().to_owned();
    alice.get(&there).await.expect(200);
}

async fn more_than_ten_thousand_are_not_counted_on(server: TestServer) {
    let c = Company::on(&server);
    add_tokens(&server, &c.sub, 10_001);
    let alice = c.alice.signs_in().await;
    let said = told(&alice.open(&c.acme.page("delete")).await);
    assert!(said.contains("10,000+ active access tokens stop"), "{said}");
    let there = format!("{}?group_id=top", c.sub.page("transfer"));
    let said = told(&alice.open(&there).await);
    assert!(
        said.contains("10,000+ active access tokens go on"),
        "{said}"
    );
}
