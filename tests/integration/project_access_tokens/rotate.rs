//! `POST /projects/:id/access_tokens/:token_id/rotate`

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{assert_is_token_object, invalid, refused, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_new_value_for_the_same_bot,
    each_refusal_has_its_words_and_leaves_the_old_value_alive,
    a_maintainer_rotates_no_owners_token,
    an_expired_token_may_be_rotated_by_a_maintainer,
    a_token_of_somewhere_else_is_unknown_here,
];

async fn a_new_value_for_the_same_bot(server: TestServer) {
    let company = Company::on(&server);
    let old = company
        .p1
        .token("deploy")
        .described("nightly")
        .role(AccessLevel::Reporter)
        .scopes([Scope::WriteRepository, Scope::ReadApi])
        .expires("2027-01-31")
        .create();
    old.get("/user").await.expect(200);
    server.rest().await;
    let bob = company.bob.api();
    let before = server.inventory();
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), old.id);
    let answer = bob.post(&path, Value::Null).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let new = answer.json();
    assert_is_token_object(&new, true);
    assert_ne!(new["id"], old.id);
    for (key, value) in [
        ("user_id", json!(old.user_id)),
        ("name", json!("deploy")),
        ("description", json!("nightly")),
        ("scopes", json!(["write_repository", "read_api"])),
        ("access_level", json!(20)),
        ("expires_at", json!(server.days_ahead(7))),
        ("last_used_at", Value::Null),
        ("active", json!(true)),
        ("revoked", json!(false)),
    ] {
        assert_eq!(new[key], value, "{key}");
    }
    assert!(!old.works().await);
    let value = new["token"].as_str().unwrap();
    let user = server.with_token(value).get("/user").await.expect(200);
    assert_eq!(user.json()["username"], json!(old.username));
    let after = server.inventory();
    assert_eq!(
        (after.users, after.memberships, after.living),
        (before.users, before.memberships, before.living)
    );
    let member = format!("{}/members/{}", company.p1.path(), old.user_id);
    let member = bob.get(&member).await.expect(200).json();
    assert_eq!(member["expires_at"], server.days_ahead(7));

    let path = format!("{}/{}/rotate", tokens_of(&company.p1), new["id"]);
    let body = json!({ "expires_at": "2026-12-24" });
    let dated = bob.post(&path, body).await.expect(200);
    assert_eq!(dated.json()["expires_at"], "2026-12-24");
}

async fn each_refusal_has_its_words_and_leaves_the_old_value_alive(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let token = company.p1.token("ci").create();
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), token.id);
    let past = "Could not provision maintainer access to the access token. \
                ERROR: Expires at cannot be a date in the past";
    let before = server.inventory();
    for (date, expected) in [
        (json!("soon"), invalid("expires_at is invalid")),
        (json!(["2027-01-01"]), invalid("expires_at is invalid")),
        (
            json!("2027-11-21"),
            refused("Expiration date must be before 2027-11-20"),
        ),
        (json!("2026-11-19"), refused(past)),
    ] {
        let answer = bob.post(&path, json!({ "expires_at": date })).await;
        assert_eq!(answer.outcome(), expected, "{date}");
        assert_eq!(server.inventory(), before, "{date}");
    }
    server.set("max_personal_access_token_lifetime", "5");
    let answer = bob.post(&path, json!({ "expires_at": "2026-11-26" })).await;
    assert_eq!(answer.outcome(), refused("Expiration date is invalid"));
    assert!(token.works().await);
    let shortened = bob.post(&path, json!({})).await.expect(200).json();
    assert_eq!(shortened["expires_at"], "2026-11-25");
    for _ in 0..2 {
        let again = bob.post(&path, json!({})).await;
        assert_eq!(again.outcome(), refused("token already revoked"));
    }
    let value = shortened["token"].as_str().unwrap();
    server.with_token(value).get("/user").await.expect(200);
}

async fn a_maintainer_rotates_no_owners_token(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").role(AccessLevel::Owner).create();
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), token.id);
    let answer = company.bob.api().post(&path, json!({})).await;
    let text = "Not eligible to rotate token with access level higher than the user";
    assert_eq!(answer.outcome(), refused(text));
    assert!(token.works().await);
    company.alice.api().post(&path, json!({})).await.expect(200);
    let second = company.p1.token("ci").role(AccessLevel::Owner).create();
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), second.id);
    company.root.api().post(&path, json!({})).await.expect(200);
}

async fn an_expired_token_may_be_rotated_by_a_maintainer(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").expires("2026-11-21").create();
    server.clock.advance(TimeDelta::days(1));
    token.get("/user").await.expect(401);
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), token.id);
    let new = company.bob.api().post(&path, json!({})).await.expect(200);
    let value = new.json()["token"].as_str().unwrap().to_owned();
    let project = company.p1.path();
    server.with_token(&value).get(&project).await.expect(200);
}

async fn a_token_of_somewhere_else_is_unknown_here(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let of_group = company.acme.token("of the group").create();
    let beside = company.p2.token("beside").create();
    let personal = company.bob.personal_token([Scope::Api]);
    for id in [of_group.id, beside.id, personal.id, 99_999_999, 0] {
        let path = format!("{}/{id}/rotate", tokens_of(&company.p1));
        let answer = bob.post(&path, json!({})).await;
        assert_eq!(answer.outcome(), unauthorized(), "{id}");
        let answer = company.root.api().post(&path, json!({})).await;
        assert_eq!(answer.outcome(), super::not_found(), "{id}");
    }
    for token in [of_group, beside, personal] {
        assert!(token.works().await);
    }
}
