//! `GET /projects/:id/access_tokens/:token_id`

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use super::{assert_is_token_object, missing, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_token_is_shown_without_its_value,
    what_is_no_token_of_this_project_is_missing,
    the_right_is_checked_before_the_id,
    a_token_without_a_membership_has_no_role,
];

async fn a_token_is_shown_without_its_value(server: TestServer) {
    let company = Company::on(&server);
    let token = company
        .p1
        .token("deploy")
        .described("nightly")
        .scopes([Scope::WriteRepository, Scope::ReadApi])
        .role(latchkey::members::AccessLevel::Planner)
        .expires("2026-12-24")
        .create();
    let path = format!("{}/{}", tokens_of(&company.p1), token.id);
    let shown = company.bob.api().get(&path).await.expect(200);
    assert!(!shown.text().contains(&token.value));
    let shown = shown.json();
    assert_is_token_object(&shown, false);
    for (key, value) in [
        ("id", json!(token.id)),
        ("user_id", json!(token.user_id)),
        ("name", json!("deploy")),
        ("description", json!("nightly")),
        ("scopes", json!(["write_repository", "read_api"])),
        ("access_level", json!(15)),
        ("expires_at", json!("2026-12-24")),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        ("last_used_at", Value::Null),
        ("active", json!(true)),
        ("revoked", json!(false)),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
}

async fn what_is_no_token_of_this_project_is_missing(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let of_group = company.acme.token("of the group").create();
    let beside = company.p2.token("beside").create();
    let personal = company.bob.personal_token([Scope::Api]);
    let here = company.p1.token("here").create();
    let group = format!("{}/access_tokens", company.acme.path());
    for id in [
        of_group.id.to_string(),
        beside.id.to_string(),
        personal.id.to_string(),
        "99999999".to_owned(),
        "0".to_owned(),
        "self".to_owned(),
        "ci".to_owned(),
    ] {
        let path = format!("{}/{id}", tokens_of(&company.p1));
        assert_eq!(bob.get(&path).await.outcome(), missing(&id), "{id}");
        assert_eq!(bob.delete(&path).await.outcome(), missing(&id), "{id}");
    }
    for token in [&of_group, &beside, &personal, &here] {
        assert!(token.works().await);
    }
    // Nor is a project's token one of the group.
    let answer = company
        .alice
        .api()
        .get(&format!("{group}/{}", here.id))
        .await
        .expect(404);
    assert!(answer.message().contains("group access token"));
}

async fn the_right_is_checked_before_the_id(server: TestServer) {
    let company = Company::on(&server);
    for id in ["99999999", "self"] {
        let path = format!("{}/{id}", tokens_of(&company.p1));
        let answer = company.carol.api().get(&path).await;
        assert_eq!(answer.outcome(), unauthorized(), "{id}");
    }
}

async fn a_token_without_a_membership_has_no_role(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("lost").create();
    server.sql(&format!(
        "DELETE FROM memberships WHERE user_id = {}",
        token.user_id
    ));
    let alice = company.alice.api();
    let list = alice.get(&tokens_of(&company.p1)).await.expect(200);
    assert_eq!(list.json(), json!([]));
    let path = format!("{}/{}", tokens_of(&company.p1), token.id);
    let shown = alice.get(&path).await.expect(200).json();
    assert_eq!(shown["access_level"], Value::Null);
    assert_eq!(
        alice.delete(&path).await.outcome(),
        super::refused("Failed to find bot user")
    );
    token.get(&company.p1.path()).await.expect(404);
}
