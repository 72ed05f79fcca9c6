//! When a token was last used, and from where.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_use_is_noted_at_most_every_ten_minutes,
    only_a_successful_request_is_a_use,
    a_use_is_no_change_of_the_token,
];

async fn a_use_is_noted_at_most_every_ten_minutes(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    let alice = company.alice.api();
    let use_it = async || {
        token.get("/user").await.expect(200);
        server.rest().await;
        alice.get(&path).await.expect(200).json()["last_used_at"].clone()
    };
    assert_eq!(alice.get(&path).await.json()["last_used_at"], Value::Null);
    assert_eq!(use_it().await, json!("2026-11-20T10:00:00.000Z"));
    server.clock.advance(TimeDelta::seconds(599));
    assert_eq!(use_it().await, json!("2026-11-20T10:00:00.000Z"));
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(use_it().await, json!("2026-11-20T10:10:00.000Z"));
    let shown = alice.get(&path).await.json();
    if let Some(addresses) = shown.get("last_used_ips") {
        assert_eq!(*addresses, json!(["127.0.0.1"]));
    }
}

async fn only_a_successful_request_is_a_use(server: TestServer) {
    let company = Company::on(&server);
    let narrow = company
        .acme
        .token("narrow")
        .scopes([Scope::ReadRepository])
        .create();
    let short = company.acme.token("short").expires("2026-11-21").create();
    let dead = company.acme.token("dead").create();
    server.retain_bots(true);
    let alice = company.alice.api();
    let path = format!("{}/access_tokens", company.acme.path());
    alice
        .delete(&format!("{path}/{}", dead.id))
        .await
        .expect(204);
    server.clock.advance(TimeDelta::days(1));
    narrow.get("/user").await.expect(403);
    short.get("/user").await.expect(401);
    dead.get("/user").await.expect(401);
    server.rest().await;
    for token in alice
        .get(&path)
        .await
        .expect(200)
        .json()
        .as_array()
        .unwrap()
    {
        assert_eq!(token["last_used_at"], Value::Null, "{}", token["name"]);
    }
}

async fn a_use_is_no_change_of_the_token(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    server.clock.advance(TimeDelta::days(1));
    token.get("/user").await.expect(200);
    server.rest().await;
    let changed = format!("id = {} AND updated_at > created_at", token.id);
    assert_eq!(server.count("access_tokens", &changed), 0);
}
