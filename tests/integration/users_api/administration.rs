//! `PUT` and `DELETE /users/:id`, `POST /users/:id/block` and `…/unblock`

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{forbidden, invalid, user_missing};
use crate::on_both;
use crate::support::{Company, PASSWORD, TestResource, TestServer};

on_both![
    what_is_given_changes_and_nothing_else,
    only_administrators_change_people,
    each_refusal_names_its_field_and_changes_nothing,
    a_blocked_persons_token_is_told_so,
    a_deleted_persons_token_is_unknown,
    oneself_and_the_last_administrator_stay,
    who_is_not_there_is_missing,
    bots_are_left_alone,
];

async fn what_is_given_changes_and_nothing_else(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let path = format!("/users/{}", c.frank.id);
    let mut expected = root.get(&path).await.expect(200).json();
    for (field, sent, key, shown) in [
        ("name", json!("Franky"), "name", json!("Franky")),
        (
            "email",
            json!("franky@example.com"),
            "email",
            json!("franky@example.com"),
        ),
        ("external", json!(true), "external", json!(true)),
        ("external", json!("false"), "external", json!(false)),
        ("admin", json!(true), "is_admin", json!(true)),
        ("admin", json!(0), "is_admin", json!(false)),
    ] {
        let changed = root.put(&path, json!({ field: sent })).await;
        let changed = changed.expect(200).json();
        assert_eq!(changed[key], shown, "{field}");
        expected[key] = shown;
        for key in [
            "id", "username", "name", "state", "external", "is_admin", "bot",
        ] {
            let now = root.get(&path).await.expect(200).json();
            assert_eq!(now[key], expected[key], "after {field}: {key}");
        }
    }
    let password = "two horses staple nothing";
    let answer = root.put(&path, json!({ "password": password })).await;
    assert!(!answer.expect(200).text().contains(password));
    for (password, works) in [(PASSWORD, false), (password, true)] {
        let browser = server.visitor();
        browser.sign_in("frank", password).await;
        let status = browser.get("/api/v4/user").await.status;
        assert_eq!(status == 200, works, "{password}");
    }
}

async fn only_administrators_change_people(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("ci").role(AccessLevel::Owner).create();
    let before = server.inventory();
    let tokens = server.count("users", "state = 'active'");
    for (who, api) in [
        ("another", c.alice.api()),
        ("oneself", c.frank.api()),
        ("a bot", bot.api()),
    ] {
        let path = format!("/users/{}", c.frank.id);
        for body in [json!({ "admin": true }), json!({ "name": "F" })] {
            let answer = api.put(&path, body).await;
            assert_eq!(answer.outcome(), forbidden(), "{who}");
        }
        assert_eq!(api.delete(&path).await.outcome(), forbidden(), "{who}");
        for action in ["block", "unblock"] {
            let answer = api.post(&format!("{path}/{action}"), Value::Null).await;
            assert_eq!(answer.outcome(), forbidden(), "{who}: {action}");
        }
        // The same for somebody who isn't there.
        let answer = api.delete("/users/99999999").await;
        assert!(matches!(answer.status, 403 | 404), "{who}");
    }
    assert_eq!(server.inventory().users, before.users);
    assert_eq!(server.count("users", "state = 'active'"), tokens);
    let reader = c.root.personal_token([Scope::ReadApi]);
    let path = format!("/users/{}", c.frank.id);
    reader.delete(&path).await.expect(403);
    server.anonymous().delete(&path).await.expect(401);
}

async fn each_refusal_names_its_field_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let path = format!("/users/{}", c.frank.id);
    let before = root.get(&path).await.expect(200).json();
    for (field, value) in [
        ("email", json!("no address")),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\u{0}b")),
        ("password", json!("short")),
        ("password", json!("frank")),
    ] {
        let mut body = json!({ "external": true });
        body[field] = value;
        let answer = root.put(&path, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(answer.json()["message"][field].is_array(), "{body}");
    }
    for (field, value) in [("admin", json!("x")), ("email", json!(["a@b.c"]))] {
        let answer = root.put(&path, json!({ field: value })).await;
        assert_eq!(answer.outcome(), invalid(&format!("{field} is invalid")));
    }
    let taken = json!({ "email": "ALICE@example.com" });
    let answer = root.put(&path, taken).await.expect(409);
    let text = answer.message().to_lowercase();
    assert!(text.contains("email") && text.contains("has already been taken"));
    assert_eq!(root.get(&path).await.expect(200).json(), before);
}

async fn a_blocked_persons_token_is_told_so(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let token = c.alice.personal_token([Scope::Api]);
    let of_group = c.acme.token("ci").create();
    let path = format!("/users/{}", c.alice.id);
    for _ in 0..2 {
        let block = format!("{path}/block");
        let answer = root.post(&block, Value::Null).await;
        assert_eq!(answer.outcome(), (201, json!(true)));
        let text = json!({ "message": "403 Forbidden - Your account has been blocked." });
        for route in ["/user", "/groups/acme", "/personal_access_tokens/self"] {
            let answer = token.get(route).await;
            assert_eq!(answer.outcome(), (403, text.clone()), "{route}");
        }
        // What she made for the group goes on.
        assert!(of_group.works().await);
        let unblock = format!("{path}/unblock");
        let answer = root.post(&unblock, Value::Null).await;
        assert_eq!(answer.outcome(), (201, json!(true)));
        token.get("/groups/acme").await.expect(200);
    }
    assert_eq!(server.count("audit_events", "event = 'user_blocked'"), 2);
}

async fn a_deleted_persons_token_is_unknown(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let token = c.carol.personal_token([Scope::Api]);
    let path = format!("/users/{}", c.carol.id);
    let answer = root.delete(&path).await.expect(204);
    assert!(answer.body.is_empty());
    token.get("/user").await.expect(401);
    for person in [&c.root, &c.frank] {
        let answer = person.api().get(&path).await;
        assert_eq!(answer.outcome(), user_missing());
    }
    assert_eq!(root.delete(&path).await.outcome(), user_missing());
    let members = format!("{}/members", c.acme.path());
    let members = c.erin.api().get(&members).await.expect(200);
    assert!(!members.text().contains("carol"));
}

async fn oneself_and_the_last_administrator_stay(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let path = format!("/users/{}", c.root.id);
    let refused = |answer: crate::support::Answer, what: &str| {
        assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        assert!(answer.message().starts_with("403 Forbidden"), "{what}");
    };
    let block = format!("{path}/block");
    refused(root.post(&block, Value::Null).await, "blocks oneself");
    refused(root.delete(&path).await, "deletes oneself");
    refused(
        root.put(&path, json!({ "admin": false })).await,
        "the last one steps down",
    );
    // With a second administrator it is still oneself.
    let second = server.person("second").admin().create();
    refused(root.post(&block, Value::Null).await, "blocks oneself");
    refused(root.delete(&path).await, "deletes oneself");
    second.api().post(&block, Value::Null).await.expect(201);
    root.get("/user").await.expect(403);
    refused(
        second
            .api()
            .put(&format!("/users/{}", second.id), json!({ "admin": false }))
            .await,
        "a blocked one doesn't count",
    );
}

async fn who_is_not_there_is_missing(server: TestServer) {
    let root = server.person("root").admin().create().api();
    for id in ["99999999", "0", "-1", "99999999999999999999"] {
        let path = format!("/users/{id}");
        let changed = root.put(&path, json!({ "name": "x" })).await;
        assert_eq!(changed.outcome(), user_missing(), "{id}");
        assert_eq!(root.delete(&path).await.outcome(), user_missing(), "{id}");
        for action in ["block", "unblock"] {
            let answer = root.post(&format!("{path}/{action}"), Value::Null).await;
            assert_eq!(answer.outcome(), user_missing(), "{id}: {action}");
        }
    }
}

async fn bots_are_left_alone(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let token = c.acme.token("ci").create();
    let path = format!("/users/{}", token.user_id);
    for body in [
        json!({ "name": "x" }),
        json!({ "admin": true }),
        json!({ "password": PASSWORD }),
    ] {
        let answer = root.put(&path, body.clone()).await;
        assert!(
            (400..500).contains(&answer.status),
            "{body}: {}",
            answer.status
        );
    }
    let answer = root.delete(&path).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let shown = root.get(&path).await.expect(200).json();
    assert_eq!(
        (&shown["name"], &shown["is_admin"]),
        (&json!("ci"), &json!(false))
    );
    assert!(token.works().await);
}
