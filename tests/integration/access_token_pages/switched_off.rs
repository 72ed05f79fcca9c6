//! The switch of the top-level group: nobody makes tokens, and those that exist go on.

use latchkey::members::AccessLevel;

use super::{SCOPES, field, filled, names, tokens_of, value_in, value_of};
use crate::on_both;
use crate::support::{Company, TestGroup, TestResource, TestServer, Visitor};

on_both![
    nothing_is_made_or_rotated_anywhere_below,
    only_those_who_may_turn_it_on_are_led_there,
    tokens_that_exist_go_on_and_can_be_revoked,
    what_was_opened_before_makes_nothing_afterwards,
    instance_without_tokens_shows_none,
];

async fn nothing_is_made_or_rotated_anywhere_below(server: TestServer) {
    let c = Company::on(&server);
    let tokens: Vec<_> = [&c.acme, &c.sub, &c.deep]
        .map(|group| group.token("ci").create())
        .into();
    let elsewhere = c.other.token("theirs").create();
    c.acme.allow_creation(false);
    let before = server.inventory();
    for person in [&c.alice, &c.root] {
        let browser = person.signs_in().await;
        for (group, token) in [&c.acme, &c.sub, &c.deep].into_iter().zip(&tokens) {
            let who = format!("{} in {}", person.username, group.full_path);
            let path = tokens_of(group);
            let page = browser.open(&format!("{path}?new=1")).await;
            assert!(
                !page.has("add-new-token-button") && !page.has("create-token-button"),
                "{who}"
            );
            assert!(page.find_form(&path).is_none(), "{who}");
            assert!(
                page.says("Creating group access tokens is turned off for this group."),
                "{who}: {}",
                page.main()
            );
            assert!(
                page.says("Existing tokens keep working and can still be managed."),
                "{who}"
            );
            assert_eq!(names(&page, "active-tokens"), ["ci"], "{who}");
            assert!(
                !page.has("rotate-button") && page.has("revoke-button"),
                "{who}"
            );

            let name = field("name");
            let level = field("access_level");
            let forged = [
                ("form_nonce", "fresh"),
                (name.as_str(), "forged"),
                (level.as_str(), "10"),
                (SCOPES, "api"),
            ];
            let answer = browser.post(&path, &forged).await;
            assert_eq!(answer.status, 422, "{who}");
            assert!(
                answer.page().says("turned off for this group")
                    || answer
                        .page()
                        .says("User does not have permission to create group access token"),
                "{who}: {}",
                answer.page().main()
            );
            assert!(value_in(&answer).is_none());
            let rotate = format!("{path}/{}/rotate", token.id);
            let asked = browser.get(&rotate).await;
            assert!(!asked.page().says("Rotate token"), "{who}");
            let answer = browser
                .post(&rotate, &[("_method", "put"), ("form_nonce", "fresh")])
                .await;
            assert_eq!(answer.status, 422, "{who}");
            assert!(
                answer.page().says("turned off for this group"),
                "{who}: {}",
                answer.page().main()
            );
            assert!(value_in(&answer).is_none() && token.works().await, "{who}");
        }
    }
    assert_eq!(server.inventory(), before);

    // Other top-level groups don't notice.
    let oscar = c.oscar.signs_in().await;
    value_of(
        &oscar
            .submit(&filled(&oscar, &c.other, "ours").await)
            .await
            .expect(200),
    );
    assert!(elsewhere.works().await);
    c.acme.allow_creation(true);
    let alice = c.alice.signs_in().await;
    value_of(
        &alice
            .submit(&filled(&alice, &c.deep, "again").await)
            .await
            .expect(200),
    );
}

async fn only_those_who_may_turn_it_on_are_led_there(server: TestServer) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    c.acme.allow_creation(false);
    let settings = c.acme.page("edit");
    let leads = async |visitor: &Visitor, group: &TestGroup| {
        let page = visitor.open(&tokens_of(group)).await;
        let note = page
            .part("creation-disabled")
            .map(|part| part.links())
            .unwrap_or_default();
        note.iter()
            .any(|link| link.split('#').next() == Some(settings.as_str()))
    };
    let (alice, root, olga) = (
        c.alice.signs_in().await,
        c.root.signs_in().await,
        olga.signs_in().await,
    );
    for visitor in [&alice, &root] {
        assert!(leads(visitor, &c.acme).await && leads(visitor, &c.sub).await);
        assert!(
            visitor
                .open(&tokens_of(&c.sub))
                .await
                .says("group settings")
        );
    }
    assert!(!leads(&olga, &c.sub).await);
}

async fn tokens_that_exist_go_on_and_can_be_revoked(server: TestServer) {
    let c = Company::on(&server);
    let (one, two) = (c.acme.token("one").create(), c.sub.token("two").create());
    c.acme.allow_creation(false);
    let alice = c.alice.signs_in().await;
    one.get(&c.acme.path()).await.expect(200);
    let rotated = one
        .post(
            "/personal_access_tokens/self/rotate",
            serde_json::Value::Null,
        )
        .await
        .expect(200);
    let value = rotated.json()["token"].as_str().unwrap().to_owned();
    server
        .with_token(&value)
        .get(&c.acme.path())
        .await
        .expect(200);

    let question = format!("{}/{}/revoke", tokens_of(&c.sub), two.id);
    let form = alice.open(&question).await.form(&question);
    alice.submit(&form).await.expect(303);
    assert!(!two.works().await);
}

async fn what_was_opened_before_makes_nothing_afterwards(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let alice = c.alice.signs_in().await;
    let form = filled(&alice, &c.acme, "late").await;
    let question = format!("{}/{}/rotate", tokens_of(&c.acme), token.id);
    let rotation = alice.open(&question).await.form(&question);
    c.acme.allow_creation(false);
    let before = server.inventory();
    let answer = alice.submit(&form).await.expect(422);
    assert!(!answer.page().has("create-token-button"));
    alice.submit(&rotation).await.expect(422);
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
}

async fn instance_without_tokens_shows_none(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let alice = c.alice.signs_in().await;
    let form = filled(&alice, &c.acme, "late").await;
    server.set("disable_personal_access_tokens", "true");
    let before = server.inventory();
    alice.get(&tokens_of(&c.acme)).await.expect(404);
    alice.submit(&form).await.expect(404);
    let revoke = format!("{}/{}/revoke", tokens_of(&c.acme), token.id);
    alice.post(&revoke, &[("_method", "put")]).await.expect(404);
    assert_eq!(server.inventory(), before);
    assert!(!token.works().await);
}
