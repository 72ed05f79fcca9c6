//! `POST /users/:user_id/personal_access_tokens` and `POST /user/personal_access_tokens`

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{assert_is_personal_token, forbidden, invalid, refused};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    an_administrator_makes_a_token_for_somebody,
    nobody_else_makes_one_for_anybody,
    each_refusal_has_its_words_and_leaves_nothing_behind,
    administrators_scopes_are_for_administrators_tokens,
    oneself_may_ask_for_little,
    no_bot_gets_a_personal_token,
];

fn for_user(id: i64) -> String {
    format!("/users/{id}/personal_access_tokens")
}

const FOR_ONESELF: &str = "/user/personal_access_tokens";

async fn an_administrator_makes_a_token_for_somebody(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let body = json!({
        "name": " ci ", "scopes": ["read_user", "api"], "expires_at": "2027-01-31",
        "description": "made for her",
    });
    let answer = root.post(&for_user(c.alice.id), body).await.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = answer.json();
    assert_is_personal_token(&made, true);
    for (key, value) in [
        ("name", json!("ci")),
        ("scopes", json!(["read_user", "api"])),
        ("expires_at", json!("2027-01-31")),
        ("description", json!("made for her")),
        ("user_id", json!(c.alice.id)),
        ("active", json!(true)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    let token = server.with_token(made["token"].as_str().unwrap());
    assert_eq!(token.get("/user").await.json()["username"], "alice");
    let body = json!({ "name": "ci", "scopes": ["api"] });
    let made = root.post(&for_user(c.alice.id), body).await.expect(201);
    assert_eq!(made.json()["expires_at"], "2027-11-20");
    assert_eq!(made.json()["description"], Value::Null);
}

async fn nobody_else_makes_one_for_anybody(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("ci").role(AccessLevel::Owner).create();
    let body = json!({ "name": "x", "scopes": ["api"] });
    for (who, api) in [("Owner", c.alice.api()), ("bot", bot.api())] {
        for id in [c.alice.id, c.bob.id, c.root.id, bot.user_id] {
            let answer = api.post(&for_user(id), body.clone()).await;
            assert_eq!(answer.outcome(), forbidden(), "{who} for {id}");
        }
    }
    let path = for_user(c.alice.id);
    server
        .anonymous()
        .post(&path, body.clone())
        .await
        .expect(401);
    for scope in [Scope::ReadApi, Scope::Sudo, Scope::AdminMode] {
        let narrow = c.root.personal_token([scope]);
        let answer = narrow.post(&path, body.clone()).await.expect(403);
        assert_eq!(answer.error(), "insufficient_scope");
    }
    assert_eq!(server.count("access_tokens", "name = 'x'"), 0);
}

async fn each_refusal_has_its_words_and_leaves_nothing_behind(server: TestServer) {
    let c = Company::on(&server);
    let (root, frank) = (c.root.api(), c.frank.api());
    let long = "x".repeat(256);
    let before = server.inventory();
    for (api, path, scope) in [
        (&root, for_user(c.alice.id), "api"),
        (&frank, FOR_ONESELF.to_owned(), "k8s_proxy"),
    ] {
        let with = |field: &str, value: Value| {
            let mut body = json!({ "name": "x", "scopes": [scope] });
            body[field] = value;
            body
        };
        for (body, expected) in [
            (json!({ "scopes": [scope] }), invalid("name is missing")),
            (json!({ "name": "x" }), invalid("scopes is missing")),
            (json!({}), invalid("name is missing, scopes is missing")),
            (
                with("scopes", json!(["nonsense"])),
                invalid("scopes does not have a valid value"),
            ),
            (
                with("expires_at", json!("2027-02-29")),
                invalid("expires_at is invalid"),
            ),
            (with("name", json!(" ")), refused("Name can't be blank")),
            (
                with("name", json!("a\u{0}b")),
                refused("Name contains invalid characters"),
            ),
            (
                with("name", json!(long)),
                refused("Name is too long (maximum is 255 characters)"),
            ),
            (
                with("description", json!(long)),
                refused("Description is too long (maximum is 255 characters)"),
            ),
            (with("scopes", json!([])), refused("Scopes can't be blank")),
            (
                with("expires_at", json!("2027-11-21")),
                refused("Expiration date must be before 2027-11-20"),
            ),
        ] {
            let answer = api.post(&path, body.clone()).await;
            assert_eq!(answer.outcome(), expected, "{path} {body}");
        }
        let past = with("expires_at", json!("2026-11-19"));
        let answer = api.post(&path, past).await.expect(400);
        let text = answer.message();
        assert!(text.starts_with("400 Bad request - "), "{path}: {text}");
        assert!(
            text.contains("cannot be a date in the past"),
            "{path}: {text}"
        );
    }
    for unknown in [99_999_999, 0] {
        let body = json!({ "name": "x", "scopes": ["api"] });
        let answer = root.post(&for_user(unknown), body).await;
        let expected = (404, json!({ "message": "404 User Not Found" }));
        assert_eq!(answer.outcome(), expected);
    }
    assert_eq!(server.inventory(), before);
}

async fn administrators_scopes_are_for_administrators_tokens(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for scope in ["sudo", "admin_mode"] {
        let body = json!({ "name": "x", "scopes": ["api", scope] });
        let made = root.post(&for_user(c.root.id), body.clone()).await;
        assert_eq!(made.expect(201).json()["scopes"], json!(["api", scope]));
        let answer = root.post(&for_user(c.alice.id), body).await;
        let problem = "scopes does not have a valid value";
        assert_eq!(answer.outcome(), invalid(problem), "{scope}");
    }
    for scope in ["read_user", "api", "read_api", "self_rotate", "k8s_proxy"] {
        let body = json!({ "name": "x", "scopes": [scope] });
        root.post(&for_user(c.alice.id), body).await.expect(201);
    }
}

async fn oneself_may_ask_for_little(server: TestServer) {
    let c = Company::on(&server);
    for person in [&c.frank, &c.root, &c.xenia] {
        let api = person.api();
        for scopes in [
            json!(["k8s_proxy"]),
            json!(["self_rotate"]),
            json!(["self_rotate", "k8s_proxy"]),
        ] {
            let body = json!({ "name": "own", "scopes": scopes, "description": "d" });
            let made = api.post(FOR_ONESELF, body).await.expect(201);
            assert_eq!(made.header("cache-control"), "no-store");
            let made = made.json();
            assert_is_personal_token(&made, true);
            assert_eq!(made["user_id"], person.id);
            assert_eq!(made["scopes"], scopes);
            assert_eq!(made["description"], "d");
            let token = server.with_token(made["token"].as_str().unwrap());
            token.get("/personal_access_tokens/self").await.expect(200);
            token.get("/user").await.expect(403);
        }
        for scope in [
            "api",
            "read_api",
            "read_user",
            "sudo",
            "admin_mode",
            "read_repository",
            "write_repository",
        ] {
            let body = json!({ "name": "own", "scopes": ["k8s_proxy", scope] });
            let answer = api.post(FOR_ONESELF, body).await;
            let problem = "scopes does not have a valid value";
            assert_eq!(answer.outcome(), invalid(problem), "{scope}");
        }
        let body = json!({ "name": "own", "scopes": ["k8s_proxy"] });
        let narrow = person.personal_token([Scope::ReadApi, Scope::SelfRotate]);
        narrow.post(FOR_ONESELF, body).await.expect(403);
    }
}

async fn no_bot_gets_a_personal_token(server: TestServer) {
    let c = Company::on(&server);
    let bots = [
        c.acme.token("ci").role(AccessLevel::Owner).create(),
        c.p1.token("ci").role(AccessLevel::Owner).create(),
    ];
    let before = server.inventory();
    for bot in &bots {
        let body = json!({ "name": "x", "scopes": ["k8s_proxy"] });
        let answer = bot.post(FOR_ONESELF, body.clone()).await;
        assert_eq!(answer.outcome(), forbidden());
    }
    assert_eq!(server.inventory(), before);
}
