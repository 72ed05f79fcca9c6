//! `POST /groups/:id/access_tokens/self/rotate`

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{assert_is_token_object, group_missing, invalid, refused, unauthorized};
use crate::on_both;
use crate::support::{Company, TestGroup, TestResource, TestServer};

on_both![
    a_token_rotates_itself_at_any_role,
    each_refusal_has_its_words,
    turned_off_creation_does_not_stop_it,
];

fn path(group: &TestGroup) -> String {
    format!("{}/access_tokens/self/rotate", group.path())
}

async fn a_token_rotates_itself_at_any_role(server: TestServer) {
    let company = Company::on(&server);
    for level in AccessLevel::ALL {
        for scope in [Scope::Api, Scope::SelfRotate] {
            let old = company
                .acme
                .token("ci")
                .role(level)
                .scopes([scope])
                .create();
            let new = old
                .post(&path(&company.acme), Value::Null)
                .await
                .expect(200);
            assert_eq!(new.header("cache-control"), "no-store");
            let new = new.json();
            assert_is_token_object(&new, true);
            assert_eq!(new["user_id"], old.user_id);
            assert_eq!(new["access_level"], level.number());
            assert_eq!(new["expires_at"], server.days_ahead(7));
            assert!(!old.works().await);
            let value = new["token"].as_str().unwrap();
            server
                .with_token(value)
                .get("/personal_access_tokens/self")
                .await
                .expect(200);
        }
    }
    let dated = company.acme.token("ci").create();
    let new = dated
        .post(&path(&company.acme), json!({ "expires_at": "2026-12-24" }))
        .await
        .expect(200);
    assert_eq!(new.json()["expires_at"], "2026-12-24");
}

async fn each_refusal_has_its_words(server: TestServer) {
    let company = Company::on(&server);
    let not_applicable = (405, json!({ "message": "405 Method Not Allowed" }));
    let before = company.alice.personal_token([Scope::Api]);
    let answer = before.post(&path(&company.acme), json!({})).await;
    assert_eq!(answer.outcome(), not_applicable);

    let token = company.acme.token("ci").create();
    let answer = token
        .post(&path(&company.acme), json!({ "expires_at": "x" }))
        .await;
    assert_eq!(answer.outcome(), invalid("expires_at is invalid"));
    let answer = token
        .post(&path(&company.acme), json!({ "expires_at": "2027-11-21" }))
        .await;
    assert_eq!(
        answer.outcome(),
        refused("Expiration date must be before 2027-11-20")
    );
    // Somebody else's group: hidden, and in sight.
    assert_eq!(
        token.post(&path(&company.other), json!({})).await.outcome(),
        group_missing()
    );
    let open = server.group("open").public().create();
    assert_eq!(
        token.post(&path(&open), json!({})).await.outcome(),
        unauthorized()
    );
    assert_eq!(
        token.post(&path(&company.sub), json!({})).await.outcome(),
        unauthorized()
    );
    assert!(token.works().await);

    let narrow = company
        .acme
        .token("narrow")
        .scopes([Scope::ReadApi, Scope::WriteRepository])
        .create();
    let answer = narrow
        .post(&path(&company.acme), json!({}))
        .await
        .expect(403);
    assert_eq!(answer.json()["error"], "insufficient_scope");

    let short = company.acme.token("short").expires("2026-11-21").create();
    server.clock.advance(TimeDelta::days(1));
    let answer = short
        .post(&path(&company.acme), json!({}))
        .await
        .expect(401);
    assert_eq!(answer.json()["error"], "invalid_token");
}

async fn turned_off_creation_does_not_stop_it(server: TestServer) {
    let company = Company::on(&server);
    let token = company.sub.token("ci").scopes([Scope::SelfRotate]).create();
    company.acme.allow_creation(false);
    token.post(&path(&company.sub), json!({})).await.expect(200);
}
