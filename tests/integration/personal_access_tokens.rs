//! `/personal_access_tokens/self`: what every token may do with itself.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    every_token_may_look_at_itself,
    a_session_is_no_token,
    a_token_ends_itself_and_its_bot_stays,
    people_and_bots_rotate_their_own_tokens,
    each_refusal_to_rotate_has_its_words,
    a_narrow_scope_opens_itself_and_nothing_else,
];

async fn every_token_may_look_at_itself(server: TestServer) {
    let company = Company::on(&server);
    let bot = company
        .acme
        .token("ci")
        .scopes([Scope::ReadRepository])
        .expires("2026-12-24")
        .create();
    let person = company.alice.personal_token([Scope::ReadUser]);
    let shown = bot
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    for (key, value) in [
        ("id", json!(bot.id)),
        ("name", json!("ci")),
        ("user_id", json!(bot.user_id)),
        ("scopes", json!(["read_repository"])),
        ("expires_at", json!("2026-12-24")),
        ("active", json!(true)),
        ("revoked", json!(false)),
        ("description", Value::Null),
        ("last_used_at", Value::Null),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    let shown_to_person = person
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(shown_to_person["user_id"], company.alice.id);
    for object in [shown, shown_to_person] {
        assert!(object.get("token").is_none());
        assert!(object.get("access_level").is_none());
    }
}

async fn a_session_is_no_token(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    let answer = browser
        .get("/api/v4/personal_access_tokens/self")
        .await
        .expect(400);
    assert_eq!(
        answer.message(),
        "400 Bad request - This endpoint requires token type to be a personal access token"
    );
    server
        .anonymous()
        .get("/personal_access_tokens/self")
        .await
        .expect(401);
}

async fn a_token_ends_itself_and_its_bot_stays(server: TestServer) {
    let company = Company::on(&server);
    let tokens = [
        company.acme.token("ci").create(),
        company.alice.personal_token([Scope::Api]),
    ];
    for token in tokens {
        let answer = token
            .delete("/personal_access_tokens/self")
            .await
            .expect(204);
        assert!(answer.body.is_empty());
        let refusal = token.get("/personal_access_tokens/self").await.expect(401);
        assert_eq!(refusal.json()["error"], "invalid_token");
        server.rest().await;
        assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 1);
        assert_eq!(
            server.count("access_tokens", &format!("id = {} AND revoked", token.id)),
            1
        );
    }
}

async fn people_and_bots_rotate_their_own_tokens(server: TestServer) {
    let company = Company::on(&server);
    let tokens = [
        company
            .acme
            .token("ci")
            .role(AccessLevel::Guest)
            .scopes([Scope::SelfRotate])
            .create(),
        company.alice.personal_token([Scope::Api]),
        company.erin.personal_token([Scope::SelfRotate]),
    ];
    for old in tokens {
        let answer = old
            .post("/personal_access_tokens/self/rotate", Value::Null)
            .await
            .expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let new = answer.json();
        assert_eq!(new["user_id"], old.user_id);
        assert_eq!(new["expires_at"], server.days_ahead(7));
        assert!(new.get("access_level").is_none());
        assert!(!old.works().await);
        let next = server.with_token(new["token"].as_str().unwrap());
        let dated = next
            .post(
                "/personal_access_tokens/self/rotate",
                json!({ "expires_at": "2026-12-24" }),
            )
            .await
            .expect(200);
        assert_eq!(dated.json()["expires_at"], "2026-12-24");
    }
}

async fn each_refusal_to_rotate_has_its_words(server: TestServer) {
    let alice = server.person("alice").create();
    let token = alice.personal_token([Scope::Api]);
    let path = "/personal_access_tokens/self/rotate";
    let before = server.inventory();
    for (body, expected) in [
        (
            json!({ "expires_at": "2026-02-30" }),
            json!({ "error": "expires_at is invalid" }),
        ),
        (
            json!({ "expires_at": "2027-11-21" }),
            json!({ "message": "400 Bad request - Expiration date must be before 2027-11-20" }),
        ),
    ] {
        assert_eq!(token.post(path, body).await.outcome(), (400, expected));
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);

    let browser = alice.signs_in().await;
    let secret = browser.authenticity_token().await;
    let request = server
        .request(reqwest::Method::POST, &format!("/api/v4{path}"))
        .header("X-CSRF-Token", secret);
    let answer = browser.send(request).await;
    assert_eq!(
        answer.outcome(),
        (405, json!({ "message": "405 Method Not Allowed" }))
    );
}

async fn a_narrow_scope_opens_itself_and_nothing_else(server: TestServer) {
    let company = Company::on(&server);
    let narrow = [
        Scope::ReadRegistry,
        Scope::WriteRegistry,
        Scope::ReadRepository,
        Scope::WriteRepository,
        Scope::CreateRunner,
        Scope::ManageRunner,
        Scope::AiFeatures,
        Scope::K8sProxy,
        Scope::SelfRotate,
    ];
    for scope in narrow {
        let token = company
            .acme
            .token("ci")
            .role(AccessLevel::Owner)
            .scopes([scope])
            .create();
        token.get("/personal_access_tokens/self").await.expect(200);
        for path in [
            "/user",
            "/version",
            "/groups/acme",
            "/groups/acme/projects",
            "/groups/acme/access_tokens",
        ] {
            let answer = token.get(path).await;
            assert_eq!(answer.status, 403, "{} {path}", scope.name());
        }
    }
    for scope in [Scope::Sudo, Scope::AdminMode] {
        let token = company.root.personal_token([scope]);
        token.get("/personal_access_tokens/self").await.expect(200);
        token.get("/user").await.expect(403);
    }
    let reading_users = company.alice.personal_token([Scope::ReadUser]);
    reading_users.get("/user").await.expect(200);
    reading_users.get("/groups/acme").await.expect(403);
}
