//! `GET /users/:id` and `GET /user`

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use super::{keys, user_missing};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    everybody_is_shown_what_is_for_everybody,
    administrators_are_shown_the_rest,
    bots_are_shown_like_anybody,
    who_is_not_there_is_missing,
    a_blocked_person_is_shown_as_blocked,
];

/// What is for oneself and for administrators.
const PRIVATE: [&str; 14] = [
    "email",
    "is_admin",
    "identities",
    "can_create_group",
    "can_create_project",
    "two_factor_enabled",
    "external",
    "private_profile",
    "commit_email",
    "last_sign_in_at",
    "confirmed_at",
    "current_sign_in_at",
    "projects_limit",
    "namespace_id",
];

async fn everybody_is_shown_what_is_for_everybody(server: TestServer) {
    let c = Company::on(&server);
    let path = format!("/users/{}", c.alice.id);
    let bot = c.other.token("ci").create();
    for (who, api) in [
        ("outsider", c.frank.api()),
        ("external", c.xenia.api()),
        ("bot", bot.api()),
        ("reader", c.frank.personal_token([Scope::ReadUser]).api()),
    ] {
        let shown = api.get(&path).await.expect(200).json();
        for (key, value) in [
            ("id", json!(c.alice.id)),
            ("username", json!("alice")),
            ("name", json!("Alice")),
            ("state", json!("active")),
            ("locked", json!(false)),
            ("avatar_url", Value::Null),
            ("web_url", json!(format!("{}/alice", server.url))),
            ("created_at", json!("2026-11-20T10:00:00.000Z")),
            ("bio", json!("")),
            ("location", json!("")),
            ("website_url", json!("")),
            ("organization", json!("")),
            ("job_title", json!("")),
            ("bot", json!(false)),
            ("followers", json!(0)),
            ("following", json!(0)),
        ] {
            assert_eq!(shown[key], value, "{who}: {key}");
            assert!(shown.get(key).is_some(), "{who}: {key}");
        }
        for key in PRIVATE {
            assert!(shown.get(key).is_none(), "{who}: {key}");
        }
        assert!(!shown.to_string().contains('@'), "{who}: {shown}");
    }
    server.anonymous().get(&path).await.expect(401);
}

async fn administrators_are_shown_the_rest(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for (person, admin, external) in [(&c.xenia, false, true), (&c.root, true, false)] {
        let path = format!("/users/{}", person.id);
        let shown = root.get(&path).await.expect(200).json();
        assert_eq!(shown["email"], json!(person.email));
        assert_eq!(shown["is_admin"], admin);
        assert_eq!(shown["external"], external);
        for key in PRIVATE {
            assert!(keys(&shown).contains(&key), "{key}");
        }
        assert!(!shown.to_string().contains("argon2"));
    }
    // Oneself finds them under an address of its own.
    let own = c.alice.api().get("/user").await.expect(200).json();
    assert_eq!(own["email"], "alice@example.com");
    for key in PRIVATE {
        let is_there = own.get(key).is_some();
        assert_eq!(is_there, key != "is_admin", "{key}");
    }
}

async fn bots_are_shown_like_anybody(server: TestServer) {
    let c = Company::on(&server);
    for token in [
        c.acme.token("deploy").create(),
        c.p1.token("deploy").create(),
    ] {
        let path = format!("/users/{}", token.user_id);
        let shown = c.frank.api().get(&path).await.expect(200).json();
        assert_eq!(shown["bot"], true);
        assert_eq!(shown["name"], "deploy");
        assert_eq!(shown["username"], json!(token.username));
        assert_eq!(shown["state"], "active");
        assert_eq!(
            token.get(&path).await.expect(200).json()["id"],
            token.user_id
        );
        let own = token.get("/user").await.expect(200).json();
        assert_eq!(own["bot"], true);
        assert_eq!(own["projects_limit"], 0);
    }
}

async fn who_is_not_there_is_missing(server: TestServer) {
    let c = Company::on(&server);
    for id in ["99999999", "0", "-1", "99999999999999999999"] {
        for person in [&c.frank, &c.root] {
            let answer = person.api().get(&format!("/users/{id}")).await;
            assert_eq!(answer.outcome(), user_missing(), "{id}");
        }
    }
}

async fn a_blocked_person_is_shown_as_blocked(server: TestServer) {
    let c = Company::on(&server);
    c.carol.block();
    let path = format!("/users/{}", c.carol.id);
    for person in [&c.frank, &c.root] {
        let shown = person.api().get(&path).await.expect(200).json();
        assert_eq!(shown["state"], "blocked");
    }
}
