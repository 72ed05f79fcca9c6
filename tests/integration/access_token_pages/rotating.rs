//! A new value for the same bot, after a question.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::one_time_value::at_once;
use super::{cell, field, names, tokens_of, value_in, value_of};
use crate::on_both;
use crate::support::{TestGroup, TestResource, TestServer, TestToken, Visitor};

const ACTIVE: &str = "active-tokens";

on_both![
    a_new_value_for_the_same_bot,
    the_same_lifetime_again_is_proposed,
    the_proposal_keeps_to_the_limits,
    a_token_without_an_end_keeps_none_where_that_is_allowed,
    the_date_may_be_another_one,
    a_bad_date_leaves_the_old_value_working,
    the_value_is_shown_once_here_too,
    two_at_once_make_one_new_value,
    what_was_rotated_is_not_rotated_again,
    an_expired_token_may_be_rotated_by_its_owner,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

fn question_of(acme: &TestGroup, token: &TestToken) -> String {
    format!("{}/{}/rotate", tokens_of(acme), token.id)
}

async fn a_new_value_for_the_same_bot(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme
        .token("deploy")
        .described("nightly")
        .role(AccessLevel::Developer)
        .scopes([Scope::ReadApi, Scope::WriteRepository])
        .expires("2026-12-20")
        .create();
    let before = server.inventory();
    let question = question_of(&acme, &token);
    let page = browser.open(&question).await;
    assert!(
        page.says("Rotate “") && page.says("deploy"),
        "{}",
        page.main()
    );
    assert!(page.says("The bot, role and scopes stay the same."));
    assert!(page.says("If the old value later tries to rotate, the token is revoked."));
    assert!(page.says("Rotate token") && page.says("Cancel") && page.links_to(&tokens_of(&acme)));
    assert!(token.works().await, "asking changes nothing");

    server.clock.advance(TimeDelta::hours(1));
    let answer = browser.submit(&page.form(&question)).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let value = value_of(&answer);
    assert_ne!(value, token.value);
    let page = answer.page();
    assert!(
        page.says("Your rotated group access token"),
        "{}",
        page.main()
    );
    assert_eq!(names(&page, ACTIVE), ["deploy"]);
    assert_eq!(cell(&page, ACTIVE, "deploy", "Role"), "Developer");
    assert_eq!(cell(&page, ACTIVE, "deploy", "Description"), "nightly");
    assert_eq!(cell(&page, ACTIVE, "deploy", "Last Used"), "Never");

    token.get("/personal_access_tokens/self").await.expect(401);
    let new = server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_ne!(new["id"], token.id);
    assert_eq!(new["user_id"], token.user_id);
    assert_eq!(new["name"], "deploy");
    assert_eq!(new["description"], "nightly");
    assert_eq!(
        new["scopes"],
        serde_json::json!(["read_api", "write_repository"])
    );
    assert_eq!(new["created_at"], "2026-11-20T11:00:00.000Z");
    let after = server.inventory();
    assert_eq!(
        (after.users, after.memberships, after.living),
        (before.users, before.memberships, before.living)
    );
    assert_eq!(
        server.count("audit_events", "event = 'group_access_token_rotated'"),
        1
    );
}

async fn the_same_lifetime_again_is_proposed(server: TestServer) {
    let (acme, _) = owner_of_acme(&server).await;
    let token = acme.token("ci").expires("2026-12-20").create();
    server.clock.advance(TimeDelta::days(10));
    // A session that nobody used for ten days is over.
    let browser = server.visitor();
    browser
        .sign_in("alice", crate::support::PASSWORD)
        .await
        .expect(303);
    let question = question_of(&acme, &token);
    let form = browser.open(&question).await.form(&question);
    // Thirty days, as at first, from the thirtieth of November.
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-30"));
    let value = value_of(&browser.submit(&form).await.expect(200));
    let new = server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(new["expires_at"], "2026-12-30");
    // The membership goes with it.
    server
        .clock
        .set(crate::support::server::moment("2026-12-29T23:59:59Z"));
    server
        .with_token(&value)
        .get(&acme.path())
        .await
        .expect(200);
    server.clock.advance(TimeDelta::seconds(1));
    server
        .with_token(&value)
        .get(&acme.path())
        .await
        .expect(401);
}

async fn the_proposal_keeps_to_the_limits(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").expires("2027-11-20").create();
    server.set("max_personal_access_token_lifetime", "30");
    let question = question_of(&acme, &token);
    let page = browser.open(&question).await;
    let form = page.form(&question);
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-20"));
    assert_eq!(
        page.tag("expiry-date-field").unwrap().get("max").unwrap(),
        "2026-12-20"
    );
    let answer = browser
        .submit(&form.clone().fill(&field("expires_at"), "2026-12-21"))
        .await
        .expect(422);
    assert!(
        answer.page().complaints()[0].contains("Expiration date is invalid"),
        "{:?}",
        answer.page().complaints()
    );
    assert!(token.works().await);
    value_of(&browser.submit(&form).await.expect(200));

    // Without an end before, and now one is needed.
    server.set("max_personal_access_token_lifetime", "");
    server.set("require_personal_access_token_expiry", "false");
    let endless = acme.token("endless").create();
    server.set("require_personal_access_token_expiry", "true");
    let question = question_of(&acme, &endless);
    let form = browser.open(&question).await.form(&question);
    let answer = browser.submit(&form).await.expect(200);
    let new = server
        .with_token(&value_of(&answer))
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(new["expires_at"], "2027-11-20");
}

async fn a_token_without_an_end_keeps_none_where_that_is_allowed(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.set("require_personal_access_token_expiry", "false");
    let token = acme.token("endless").create();
    let question = question_of(&acme, &token);
    let form = browser.open(&question).await.form(&question);
    assert_eq!(form.value(&field("expires_at")), Some(""));
    let value = value_of(&browser.submit(&form).await.expect(200));
    let new = server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(new["expires_at"], serde_json::json!(null));
}

async fn the_date_may_be_another_one(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for typed in ["2026-11-21", "2027-11-20"] {
        let token = acme.token("ci").create();
        let question = question_of(&acme, &token);
        let form = browser
            .open(&question)
            .await
            .form(&question)
            .fill(&field("expires_at"), typed);
        let value = value_of(&browser.submit(&form).await.expect(200));
        let new = server
            .with_token(&value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200)
            .json();
        assert_eq!(new["expires_at"], typed);
    }
}

async fn a_bad_date_leaves_the_old_value_working(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let question = question_of(&acme, &token);
    let form = browser.open(&question).await.form(&question);
    let before = server.inventory();
    for typed in [
        "2026-11-20",
        "2026-11-19",
        "2027-11-21",
        "2027-02-29",
        "soon",
        "x\0y",
        &"9".repeat(300),
    ] {
        let answer = browser
            .submit(&form.clone().fill(&field("expires_at"), typed))
            .await;
        assert_eq!(answer.status, 422, "{typed}");
        assert_eq!(answer.page().complaints().len(), 1, "{typed}");
        if !typed.contains('\0') {
            assert_eq!(
                answer.page().form(&question).value(&field("expires_at")),
                Some(typed),
                "kept"
            );
        }
        assert!(value_in(&answer).is_none());
        assert!(token.works().await, "{typed}");
    }
    assert_eq!(server.inventory(), before);
    browser.send_rubbish(&question).await;
    assert!(token.works().await);
    value_of(&browser.submit(&form).await.expect(200));
}

async fn the_value_is_shown_once_here_too(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let question = question_of(&acme, &token);
    let form = browser.open(&question).await.form(&question);
    let answer = browser.submit(&form).await.expect(200);
    let value = value_of(&answer);
    assert_eq!(answer.text().matches(&value).count(), 1);
    assert_eq!(answer.header("etag"), "");
    let before = server.inventory();
    for again in [
        browser.submit(&form).await,
        browser.copied().submit(&form).await,
    ] {
        assert!(again.status < 500 && !again.text().contains(&value) && value_in(&again).is_none());
        assert!(again.page().says("10:00 UTC"), "{}", again.page().main());
    }
    assert!(!browser.get(&tokens_of(&acme)).await.text().contains(&value));
    assert_eq!(server.inventory(), before);
    server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200);
}

async fn two_at_once_make_one_new_value(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for _ in 0..3 {
        let token = acme.token("ci").create();
        let question = question_of(&acme, &token);
        // One form sent twice, and another that was opened beside it.
        let form = browser.open(&question).await.form(&question);
        let beside = browser.open(&question).await.form(&question);
        let (one, other) = tokio::join!(at_once(&browser, &form, 3), at_once(&browser, &beside, 3));
        let values: Vec<String> = one.iter().chain(&other).filter_map(value_in).collect();
        assert!(one.iter().chain(&other).all(|answer| answer.status < 500));
        assert_eq!(values.len(), 1);
        assert!(!token.works().await);
        server
            .with_token(&values[0])
            .get("/personal_access_tokens/self")
            .await
            .expect(200);
        let living = format!("user_id = {} AND NOT revoked", token.user_id);
        assert_eq!(server.count("access_tokens", &living), 1);
    }
}

async fn what_was_rotated_is_not_rotated_again(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let question = question_of(&acme, &token);
    let page = browser.open(&question).await;
    let (form, later) = (
        page.form(&question),
        browser.open(&question).await.form(&question),
    );
    let value = value_of(&browser.submit(&form).await.expect(200));
    let answer = browser.submit(&later).await;
    assert!(matches!(answer.status, 404 | 422), "{}", answer.status);
    assert!(value_in(&answer).is_none());
    if answer.status == 422 {
        assert!(
            answer
                .page()
                .text()
                .to_lowercase()
                .contains("already revoked"),
            "{}",
            answer.page().main()
        );
    }
    assert!(
        browser.get(&question).await.status != 200
            || !browser.get(&question).await.page().says("Rotate token")
    );
    // Asking for it with a person's right is no alarm: the new value lives.
    server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200);
}

async fn an_expired_token_may_be_rotated_by_its_owner(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    let token = acme.token("ci").expires("2026-11-25").create();
    server
        .clock
        .set(crate::support::server::moment("2026-11-26T10:00:00Z"));
    let question = question_of(&acme, &token);
    let form = browser.open(&question).await.form(&question);
    assert_eq!(
        form.value(&field("expires_at")),
        Some("2026-12-01"),
        "five days again"
    );
    let value = value_of(&browser.submit(&form).await.expect(200));
    server
        .with_token(&value)
        .get(&acme.path())
        .await
        .expect(200);
}
