//! `/user`, `/version`, and who counts as a seat.

use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    the_caller_is_shown_to_itself,
    the_version_is_one_that_clients_can_compare
];

async fn the_caller_is_shown_to_itself(server: TestServer) {
    let company = Company::on(&server);
    let url = &server.url;
    let alice = company.alice.api().get("/user").await.expect(200).json();
    for (key, value) in [
        ("id", json!(company.alice.id)),
        ("username", json!("alice")),
        ("name", json!("Alice")),
        ("state", json!("active")),
        ("web_url", json!(format!("{url}/alice"))),
        ("avatar_url", json!(null)),
        ("email", json!("alice@example.com")),
        ("bot", json!(false)),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        ("external", json!(false)),
    ] {
        assert_eq!(alice[key], value, "{key}");
    }
    assert!(alice.get("is_admin").is_none());
    assert!(!alice.to_string().contains("argon2"));
    assert_eq!(
        company.root.api().get("/user").await.json()["is_admin"],
        true
    );
    assert_eq!(
        company.xenia.api().get("/user").await.json()["external"],
        true
    );

    let token = company.acme.token("ci").create();
    let bot = token.get("/user").await.expect(200).json();
    for (key, value) in [
        ("bot", json!(true)),
        ("name", json!("ci")),
        ("username", json!(token.username)),
        (
            "email",
            json!(format!("{}@noreply.127.0.0.1", token.username)),
        ),
        ("can_create_group", json!(false)),
        ("can_create_project", json!(false)),
    ] {
        assert_eq!(bot[key], value, "{key}");
    }
    server.anonymous().get("/user").await.expect(401);
    company
        .alice
        .personal_token([Scope::ReadUser])
        .get("/user")
        .await
        .expect(200);
}

async fn the_version_is_one_that_clients_can_compare(server: TestServer) {
    let alice = server.person("alice").create();
    let version = alice.api().get("/version").await.expect(200).json();
    assert_eq!(version["version"], "17.7.0");
    assert!(version["revision"].is_string());
    assert_eq!(version["latchkey_version"], env!("CARGO_PKG_VERSION"));
    server.anonymous().get("/version").await.expect(401);
    alice
        .personal_token([Scope::ReadUser])
        .get("/version")
        .await
        .expect(403);
}
