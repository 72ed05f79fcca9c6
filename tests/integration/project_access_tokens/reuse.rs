//! A project token's value that was rotated away and comes back: two parties hold it.

use serde_json::{Value, json};

use super::tokens_of;
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer, TestToken};

on_both![
    an_old_value_that_asks_to_rotate_ends_its_family,
    any_other_use_of_an_old_value_revokes_nothing,
    a_maintainer_who_rotates_a_revoked_id_ends_nothing,
];

const REUSED: &str = "event = 'project_access_token_reuse_detected'";

/// A token rotated twice, once by itself and once by a Maintainer: the first value is old, the last one lives.
async fn family(company: &Company) -> (TestToken, Api) {
    let server = &company.p1.server;
    let first = company.p1.token("ci").create();
    let tokens = tokens_of(&company.p1);
    let own = format!("{tokens}/self/rotate");
    let second = first.post(&own, Value::Null).await.expect(200).json();
    let by_id = format!("{tokens}/{}/rotate", second["id"]);
    let bob = company.bob.api();
    let third = bob.post(&by_id, Value::Null).await.expect(200).json();
    (first, server.with_token(third["token"].as_str().unwrap()))
}

async fn lives(api: &Api) -> bool {
    api.get("/personal_access_tokens/self").await.status == 200
}

async fn an_old_value_that_asks_to_rotate_ends_its_family(server: TestServer) {
    let company = Company::on(&server);
    let bystander = company.p1.token("bystander").create();
    let (first, _) = family(&company).await;
    let tokens = tokens_of(&company.p1);
    for (number, path) in [
        format!("{tokens}/self/rotate"),
        format!("{tokens}/{}/rotate", first.id),
        format!("{tokens}/99999/rotate"),
        "/projects/acme%2Fp1/access_tokens/self/rotate".to_owned(),
        "/projects/99999999/access_tokens/1/rotate".to_owned(),
        "/personal_access_tokens/self/rotate".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let (first, third) = family(&company).await;
        assert!(lives(&third).await);
        let answer = first.post(&path, json!({})).await.expect(401).json();
        assert_eq!(answer["error"], "invalid_token", "{path}");
        assert!(!lives(&third).await, "{path}");
        if number == 0 {
            assert_eq!(server.count("audit_events", REUSED), 1);
        }
    }
    assert!(bystander.works().await);
}

async fn any_other_use_of_an_old_value_revokes_nothing(server: TestServer) {
    let company = Company::on(&server);
    let (first, third) = family(&company).await;
    let tokens = tokens_of(&company.p1);
    let body = json!({ "name": "x", "scopes": ["api"] });
    first.get("/user").await.expect(401);
    first.get(&tokens).await.expect(401);
    first
        .get(&format!("{tokens}/{}", first.id))
        .await
        .expect(401);
    first.post(&tokens, body).await.expect(401);
    let one = format!("{tokens}/{}", first.id);
    first.delete(&one).await.expect(401);
    first
        .delete("/personal_access_tokens/self")
        .await
        .expect(401);
    assert!(lives(&third).await);
    assert_eq!(server.count("audit_events", REUSED), 0);
}

async fn a_maintainer_who_rotates_a_revoked_id_ends_nothing(server: TestServer) {
    let company = Company::on(&server);
    let (first, third) = family(&company).await;
    let path = format!("{}/{}/rotate", tokens_of(&company.p1), first.id);
    let answer = company.bob.api().post(&path, json!({})).await;
    assert_eq!(answer.outcome(), super::refused("token already revoked"));
    assert!(lives(&third).await);
    assert_eq!(server.count("audit_events", REUSED), 0);
}
