//! A value that was rotated away and comes back: two parties hold it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer, TestToken};

on_both![
    an_old_value_that_asks_to_rotate_ends_its_family,
    the_alarm_rings_on_every_rotation_path_and_carrier,
    any_other_use_of_an_old_value_revokes_nothing,
    the_alarm_rings_past_the_date_too,
    an_owner_who_rotates_a_revoked_id_ends_nothing,
    a_setting_makes_any_use_ring_the_alarm,
];

/// A token rotated twice: the first value is old, the last one lives.
async fn family(company: &Company) -> (TestToken, Api) {
    let first = company.acme.token("ci").create();
    let path = "/personal_access_tokens/self/rotate";
    let second = first.post(path, Value::Null).await.expect(200).json();
    let second = company
        .acme
        .server
        .with_token(second["token"].as_str().unwrap());
    let third = second.post(path, Value::Null).await.expect(200).json();
    (
        first,
        company
            .acme
            .server
            .with_token(third["token"].as_str().unwrap()),
    )
}

async fn lives(api: &Api) -> bool {
    api.get("/personal_access_tokens/self").await.status == 200
}

async fn an_old_value_that_asks_to_rotate_ends_its_family(server: TestServer) {
    let company = Company::on(&server);
    let bystander = company.acme.token("bystander").create();
    let (first, third) = family(&company).await;
    assert!(lives(&third).await);
    let path = format!("{}/access_tokens/self/rotate", company.acme.path());
    let answer = first.post(&path, json!({})).await.expect(401);
    assert_eq!(answer.json()["error"], "invalid_token");
    assert!(!lives(&third).await, "the descendant is dead too");
    assert!(bystander.works().await);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_access_token_reuse_detected'"
        ),
        1
    );
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_access_token_reuse_detected' AND ip = '127.0.0.1'"
        ),
        1
    );
}

async fn the_alarm_rings_on_every_rotation_path_and_carrier(server: TestServer) {
    let company = Company::on(&server);
    let group = company.acme.path();
    let paths = [
        format!("{group}/access_tokens/self/rotate"),
        "/groups/acme/access_tokens/self/rotate".into(),
        "/personal_access_tokens/self/rotate".into(),
        format!("{group}/access_tokens/99999/rotate"),
        "/groups/99999/access_tokens/1/rotate".into(),
    ];
    for path in paths {
        let (first, third) = family(&company).await;
        first.post(&path, json!({})).await.expect(401);
        assert!(!lives(&third).await, "{path}");
    }
    let (first, third) = family(&company).await;
    let path = format!(
        "/personal_access_tokens/self/rotate?private_token={}",
        first.value
    );
    server.anonymous().post(&path, json!({})).await.expect(401);
    assert!(!lives(&third).await, "as a parameter");
}

async fn any_other_use_of_an_old_value_revokes_nothing(server: TestServer) {
    let company = Company::on(&server);
    let (first, third) = family(&company).await;
    let group = format!("{}/access_tokens", company.acme.path());
    first.get("/user").await.expect(401);
    first.get(&group).await.expect(401);
    first
        .post(&group, json!({ "name": "x", "scopes": ["api"] }))
        .await
        .expect(401);
    first.get("/personal_access_tokens/self").await.expect(401);
    first
        .delete("/personal_access_tokens/self")
        .await
        .expect(401);
    first.get("/personal_access_tokens/self/rotate").await;
    assert!(lives(&third).await);
}

async fn the_alarm_rings_past_the_date_too(server: TestServer) {
    let company = Company::on(&server);
    let first = company.acme.token("ci").expires("2026-11-21").create();
    let path = "/personal_access_tokens/self/rotate";
    let second = first
        .post(path, json!({ "expires_at": "2026-12-24" }))
        .await
        .expect(200)
        .json();
    let second = server.with_token(second["token"].as_str().unwrap());
    server.clock.advance(TimeDelta::days(1));
    let answer = first.post(path, json!({})).await.expect(401).json();
    assert!(
        answer["error_description"]
            .as_str()
            .unwrap()
            .starts_with("Token is expired")
    );
    assert!(!lives(&second).await);
}

async fn an_owner_who_rotates_a_revoked_id_ends_nothing(server: TestServer) {
    let company = Company::on(&server);
    let (first, third) = family(&company).await;
    let path = format!("{}/access_tokens/{}/rotate", company.acme.path(), first.id);
    company.alice.api().post(&path, json!({})).await.expect(400);
    assert!(lives(&third).await);
}

async fn a_setting_makes_any_use_ring_the_alarm(server: TestServer) {
    let company = Company::on(&server);
    let (first, third) = family(&company).await;
    server.set("reuse_detection", "any_use");
    first.get("/user").await.expect(401);
    assert!(!lives(&third).await);
}
