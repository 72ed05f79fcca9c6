//! Many tokens at once: asked about, revoked together or not at all.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::json;

use super::{PATH, found};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both!(
    what_was_ticked_is_asked_about_and_then_revoked_together,
    what_was_revoked_meanwhile_is_passed_over,
    what_is_not_here_is_no_token_that_was_revoked,
    what_lies_elsewhere_cannot_be_revoked_here,
    whoever_is_no_owner_any_more_revokes_nothing,
    a_moved_place_takes_its_tokens_along,
);

async fn what_was_ticked_is_asked_about_and_then_revoked_together(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let group = company.acme.token("of a group").create();
    let project = company.p3.token("of a project").create();
    let spared = company.sub.token("spared").create();
    group.works().await;
    server.rest().await;
    let address = format!(
        "{PATH}/revoke?ids={}&ids={}&back=%2Fgroups%2Facme%2F-%2Ftoken_inventory%3Fsearch%3Dof",
        group.id, project.id
    );
    let page = alice.open(&address).await;
    for text in [
        "Revoke 2 access tokens?",
        "of a group acme",
        "of a project acme/sub/deep/p3",
        "Last used just now",
        "Never used",
        "Some of these tokens are in use.",
        "Revoke 2 tokens",
    ] {
        assert!(page.says(text), "{text}: {}", page.main());
    }
    assert!(group.works().await, "asking changes nothing");
    let form = page.form(&format!("{PATH}/revoke"));
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(
        answer.location(),
        "/groups/acme/-/token_inventory?search=of"
    );
    assert!(alice.open(PATH).await.says("Revoked 2 access tokens."));
    for (token, works) in [(&group, false), (&project, false), (&spared, true)] {
        assert_eq!(token.works().await, works);
    }
    for (kind, path) in [("group", "acme"), ("project", "acme/sub/deep")] {
        let event = server.the_event(&format!("{kind}_access_token_deleted"));
        assert_eq!(
            (
                event.actor_id,
                event.channel.as_str(),
                event.group_path.as_str()
            ),
            (Some(company.alice.id), "page", path)
        );
    }
    assert_eq!(server.events("bot_deleted").len(), 2);
    alice.submit(&form).await.expect(303);
    assert!(
        alice
            .open(PATH)
            .await
            .says("These tokens were revoked already.")
    );
    assert_eq!(server.events("group_access_token_deleted").len(), 1);
    for (query, said) in [
        ("", "No token was selected."),
        ("?ids=x", "No token was selected."),
        (
            "?ids=4711",
            "These tokens are not here, or not any more. Nothing was done to them.",
        ),
    ] {
        let path = format!("{PATH}/revoke{query}");
        let answer = alice.get(&path).await.expect(303);
        assert_eq!(answer.location(), PATH);
        assert!(alice.open(PATH).await.says(said), "{query}");
    }
    let from_elsewhere = format!("{PATH}/revoke?ids=1&back=//evil.example");
    let answer = alice.get(&from_elsewhere).await.expect(303);
    assert_eq!(answer.location(), PATH);
    let ids = spared.id.to_string();
    alice
        .post_without_token(&format!("{PATH}/revoke"), &[("ids", &ids)])
        .await
        .expect(403);
}

async fn what_was_revoked_meanwhile_is_passed_over(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let (one, two) = (
        company.acme.token("one").create(),
        company.p1.token("two").create(),
    );
    let path = format!("{PATH}/revoke");
    let page = alice
        .open(&format!("{path}?ids={}&ids={}", one.id, two.id))
        .await;
    let form = page.form(&path);
    one.delete("/personal_access_tokens/self").await.expect(204);
    alice.submit(&form).await.expect(303);
    assert!(
        alice
            .open(PATH)
            .await
            .says("Revoked access token two. 1 was revoked already.")
    );
    assert!(!two.works().await);
}

async fn what_is_not_here_is_no_token_that_was_revoked(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let (here, revoked, moves) = (
        company.acme.token("here").create(),
        company.p1.token("revoked").create(),
        company.p3.token("moves").create(),
    );
    let path = format!("{PATH}/revoke");
    let ids = [here.id, revoked.id, moves.id].map(|id| format!("ids={id}"));
    let page = alice.open(&format!("{path}?{}", ids.join("&"))).await;
    let form = page.form(&path).tick("ids", "4711");
    // Its bot goes as well, and nothing is left but the trail.
    let one = format!("{}/access_tokens/{}", company.p1.path(), revoked.id);
    company.alice.api().delete(&one).await.expect(204);
    server.rest().await;
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", revoked.id)),
        0
    );
    crate::transfers::transfer(&company.sub, company.root.actor(), Some(&company.other)).unwrap();
    alice.submit(&form).await.expect(303);
    let page = alice.open(PATH).await;
    let told = "Revoked access token here. 1 was revoked already. \
                2 are not here, or not any more: nothing was done to them.";
    assert!(page.flash().contains(told), "{}", page.flash());
    assert!(!page.flash().starts_with("Done"), "{}", page.flash());
    assert!(!here.works().await && moves.works().await);
    // Once more, and one that is elsewhere alone.
    alice.submit(&form).await.expect(303);
    let told = "No token was revoked. 2 were revoked already. \
                2 are not here, or not any more: nothing was done to them.";
    assert!(alice.open(PATH).await.says(told));
    // Whether one that lies elsewhere was revoked is nobody's business here.
    let elsewhere = format!("{}/access_tokens/{}", company.p3.path(), moves.id);
    company.root.api().delete(&elsewhere).await.expect(204);
    let id = moves.id.to_string();
    alice.post(&path, &[("ids", &id)]).await.expect(303);
    let told = "These tokens are not here, or not any more. Nothing was done to them.";
    assert!(alice.open(PATH).await.says(told));
    alice.get(&format!("{path}?ids={id}")).await.expect(303);
    assert!(alice.open(PATH).await.says(told));
}

async fn what_lies_elsewhere_cannot_be_revoked_here(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let own = company.p3.token("own").create();
    let personal = company.alice.personal_token([Scope::Api]);
    let others = [
        company.other.token("elsewhere").create(),
        company.p9.token("elsewhere too").create(),
        personal,
    ];
    let ids: Vec<String> = others
        .iter()
        .chain([&own])
        .map(|token| format!("ids={}", token.id))
        .collect();
    let path = format!("{PATH}/revoke");
    let page = alice.open(&format!("{path}?{}", ids.join("&"))).await;
    let text = page.main();
    assert!(text.contains("Revoke “ own ”?") && !text.contains("elsewhere"));
    assert!(!text.contains("script"), "{text}");
    let mut form = page.form(&path);
    for token in &others {
        form = form.tick("ids", &token.id.to_string());
    }
    alice.submit(&form).await.expect(303);
    assert!(!own.works().await);
    for token in &others {
        assert!(token.works().await);
    }
    // Alone they are as good as none.
    let asked = alice
        .get(&format!("{path}?ids={}", others[0].id))
        .await
        .expect(303);
    let none = alice.get(&format!("{path}?ids=4711")).await.expect(303);
    assert_eq!(asked.location(), none.location());
}

async fn whoever_is_no_owner_any_more_revokes_nothing(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let token = company.p3.token("ci").create();
    let frank = company.frank.signs_in().await;
    let path = format!("{PATH}/revoke");
    let page = frank.open(&format!("{path}?ids={}", token.id)).await;
    let form = page.form(&path);
    let member = format!("/groups/{}/members/{}", company.acme.id, company.frank.id);
    company
        .alice
        .api()
        .put(&member, json!({ "access_level": 40 }))
        .await
        .expect(200);
    frank.submit(&form).await.expect(404);
    assert!(token.works().await);
    // Whoever was let in as an Owner and is none behind the lock, neither.
    let (acme, id) = (company.acme.id, token.id);
    let outcome = server.attempt_as(company.frank.actor(), move |conn, ctx| {
        let root = latchkey::groups::store::find(conn, acme)?.unwrap();
        latchkey::access_tokens::revoke::revoke_below(conn, ctx, &root, &[id])
    });
    assert!(outcome.is_err());
    assert!(token.works().await);
}

async fn a_moved_place_takes_its_tokens_along(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p3.token("moves").create();
    company.other.member(&company.alice, AccessLevel::Owner);
    let (alice, oscar) = (
        company.alice.signs_in().await,
        company.oscar.signs_in().await,
    );
    let path = format!("{PATH}/revoke");
    let page = alice.open(&format!("{path}?ids={}", token.id)).await;
    let form = page.form(&path);
    company
        .alice
        .api()
        .post(
            &format!("/groups/{}/transfer", company.sub.id),
            json!({ "group_id": company.other.id }),
        )
        .await
        .expect(201);
    assert!(found(&alice, "").await.is_empty());
    let there = oscar.open("/groups/other/-/token_inventory").await;
    assert!(there.says("moves") && there.says("other/sub/deep/p3"));
    alice.submit(&form).await.expect(303);
    assert!(token.works().await, "it is not below acme any more");
}
