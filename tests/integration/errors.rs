//! The exact words of refusals: clients compare them.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, TestResource, TestServer};

on_both![
    each_way_of_not_being_let_in_has_its_own_words,
    an_expired_and_revoked_token_is_told_that_it_is_expired,
    a_small_scope_is_told_which_scopes_would_do,
    an_unknown_route_is_not_a_wrong_method,
    failing_credentials_are_slowed_down_and_valid_ones_never,
    checks_come_in_their_documented_order,
    a_broken_body_is_told_so,
    an_error_never_repeats_a_token,
];

const EXPIRED: &str = "Token is expired. You can either do re-authorization or token refresh.";
const REVOKED: &str = "Token was revoked. You have to re-authorize from the user.";
const NARROW: &str = "The request requires higher privileges than provided by the access token.";

fn unauthorized() -> Value {
    json!({ "message": "401 Unauthorized" })
}

async fn each_way_of_not_being_let_in_has_its_own_words(server: TestServer) {
    let alice = server.person("alice").create();
    let carol = server.person("carol").create();
    let acme = server.group("acme").owner(&alice).create();
    let expired = acme.token("expired").expires("2026-11-21").create();
    let revoked = acme.token("revoked").create();
    revoked
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    let blocked = carol.personal_token([Scope::Api]);
    carol.block();
    server.clock.advance(chrono::TimeDelta::days(1));

    assert_eq!(
        server.anonymous().get("/user").await.outcome(),
        (401, unauthorized())
    );
    let unknown = server
        .with_token("glpat-AAAAAAAAAAAAAAAAAAAA")
        .get("/user")
        .await;
    assert_eq!(unknown.outcome(), (401, unauthorized()));

    let answer = expired.get("/user").await;
    let body = json!({ "error": "invalid_token", "error_description": EXPIRED });
    assert_eq!(answer.outcome(), (401, body));
    assert_eq!(
        answer.header("www-authenticate"),
        format!(r#"Bearer realm="The API", error="invalid_token", error_description="{EXPIRED}""#)
    );

    let answer = revoked.get("/user").await;
    let body = json!({ "error": "invalid_token", "error_description": REVOKED });
    assert_eq!(answer.outcome(), (401, body));
    assert_eq!(
        answer.header("www-authenticate"),
        format!(r#"Bearer realm="The API", error="invalid_token", error_description="{REVOKED}""#)
    );

    let body = json!({ "message": "403 Forbidden - Your account has been blocked." });
    assert_eq!(blocked.get("/user").await.outcome(), (403, body));
}

async fn an_expired_and_revoked_token_is_told_that_it_is_expired(server: TestServer) {
    let acme = server.group("acme").create();
    let token = acme.token("both").expires("2026-11-21").create();
    token
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    assert_eq!(
        token.get("/user").await.json()["error_description"],
        REVOKED
    );
    server.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(
        token.get("/user").await.json()["error_description"],
        EXPIRED
    );
}

async fn a_small_scope_is_told_which_scopes_would_do(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let path = acme.path();
    let narrow = alice.personal_token([Scope::ReadRepository]);
    let reading = alice.personal_token([Scope::ReadApi]);
    let insufficient = |scope: &str| json!({ "error": "insufficient_scope", "error_description": NARROW, "scope": scope });

    let answer = narrow.get(&path).await;
    assert_eq!(answer.outcome(), (403, insufficient("api read_api")));
    assert_eq!(
        answer.header("www-authenticate"),
        format!(
            r#"Bearer realm="The API", error="insufficient_scope", error_description="{NARROW}""#
        )
    );

    let answer = reading
        .post(&format!("{path}/access_tokens"), json!({}))
        .await;
    assert_eq!(answer.outcome(), (403, insufficient("api read_api")));

    let answer = reading
        .post(&format!("{path}/access_tokens/self/rotate"), Value::Null)
        .await;
    assert_eq!(answer.outcome(), (403, insufficient("api self_rotate")));
    let answer = reading
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await;
    assert_eq!(answer.outcome(), (403, insufficient("api self_rotate")));

    let answer = narrow.get("/user").await.expect(403).json();
    let mut scopes: Vec<&str> = answer["scope"].as_str().unwrap().split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["api", "read_api", "read_user"]);
}

async fn an_unknown_route_is_not_a_wrong_method(server: TestServer) {
    let alice = server.person("alice").create().api();
    for path in [
        "/nothing",
        "/groups/1/nothing",
        "/personal_access_tokens/self/nothing",
        "/",
        "",
    ] {
        let answer = alice.get(path).await;
        assert_eq!(
            answer.outcome(),
            (404, json!({ "error": "404 Not Found" })),
            "{path}"
        );
    }
    for (method, path) in [
        (Method::PUT, "/user"),
        (Method::DELETE, "/version"),
        (Method::PATCH, "/projects/1"),
        (Method::POST, "/personal_access_tokens/self"),
        (Method::PUT, "/groups/1/access_tokens"),
    ] {
        let answer = alice.send(method.clone(), path, Value::Null).await;
        assert_eq!(
            answer.outcome(),
            (405, json!({ "error": "405 Not Allowed" })),
            "{method} {path}"
        );
    }
    // Nothing turns a method into another one.
    let acme = server.group("acme").create();
    let token = acme.token("ci").create();
    let path = format!("/api/v4{}/access_tokens/{}", acme.path(), token.id);
    let overridden = server
        .request(Method::GET, &format!("{path}?_method=delete"))
        .header("X-HTTP-Method-Override", "DELETE")
        .header(
            "PRIVATE-TOKEN",
            &server
                .person("root")
                .admin()
                .create()
                .personal_token([Scope::Api])
                .value,
        );
    Answer::to(overridden).await.expect(200);
    assert!(token.works().await);
}

async fn failing_credentials_are_slowed_down_and_valid_ones_never(server: TestServer) {
    let alice = server.person("alice").create().api();
    let acme = server.group("acme").create();
    let expired = acme.token("expired").expires("2026-11-21").create();
    server.clock.advance(chrono::TimeDelta::days(1));
    server.set("failing_credentials_per_minute", "3");

    let guess = |number: u32| server.with_token(&format!("glpat-AAAAAAAAAAAAAAAAAAA{number}"));
    for number in 0..3 {
        guess(number).get("/user").await.expect(401);
    }
    let answer = guess(3).get("/user").await;
    assert_eq!(
        answer.outcome(),
        (429, json!({ "message": "429 Too Many Requests" }))
    );
    assert_eq!(answer.header("retry-after"), "60");

    alice.get("/user").await.expect(200);
    assert_eq!(
        expired.get("/user").await.expect(401).json()["error"],
        "invalid_token"
    );
    server.anonymous().get("/user").await.expect(401);

    server.clock.advance(chrono::TimeDelta::minutes(1));
    guess(4).get("/user").await.expect(401);

    server.set("failing_credentials_per_minute", "0");
    for number in 0..6 {
        guess(number).get("/user").await.expect(401);
    }
}

/// Credential, block, scope, parameters, visibility, right.
async fn checks_come_in_their_documented_order(server: TestServer) {
    let alice = server.person("alice").create();
    let bob = server.person("bob").create();
    let acme = server.group("acme").owner(&alice).create();
    acme.member(&bob, AccessLevel::Maintainer);
    let hidden = server.group("hidden").private().create();
    let bad = json!({ "name": "ci", "scopes": ["nonsense"] });
    let create = |group: &str| format!("/groups/{group}/access_tokens");

    let nobody = server.with_token("glpat-AAAAAAAAAAAAAAAAAAAA");
    nobody
        .post(&create("hidden"), bad.clone())
        .await
        .expect(401);
    let reader = alice.personal_token([Scope::ReadApi]);
    reader
        .post(&create("hidden"), bad.clone())
        .await
        .expect(403);
    let answer = alice
        .api()
        .post(&create(&hidden.id.to_string()), bad.clone())
        .await
        .expect(400);
    assert_eq!(answer.error(), "scopes does not have a valid value");
    let good = json!({ "name": "ci", "scopes": ["api"] });
    alice
        .api()
        .post(&create("hidden"), good.clone())
        .await
        .expect(404);
    let answer = bob.api().post(&create("acme"), bad).await.expect(400);
    assert_eq!(
        answer.error(),
        "scopes does not have a valid value",
        "parameters come before the right"
    );
    let answer = bob.api().post(&create("acme"), good).await.expect(400);
    assert_eq!(
        answer.message(),
        "400 Bad request - User does not have permission to create group access token"
    );
}

async fn a_broken_body_is_told_so(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let path = format!("/api/v4{}/access_tokens", acme.path());
    let value = alice.personal_token([Scope::Api]).value;
    let before = server.inventory();
    let utf16: Vec<u8> =
        r#"{"name":"x","scopes":["api"]}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: [(&str, Vec<u8>); 8] = [
        ("half an object", b"{".to_vec()),
        ("an array", b"[]".to_vec()),
        ("a text", br#""x""#.to_vec()),
        (
            "garbage behind it",
            br#"{"name":"x","scopes":["api"]} x"#.to_vec(),
        ),
        ("UTF-16", utf16),
        (
            "not UTF-8",
            b"{\"name\":\"\xff\",\"scopes\":[\"api\"]}".to_vec(),
        ),
        (
            "half a surrogate pair",
            br#"{"name":"\ud800","scopes":["api"]}"#.to_vec(),
        ),
        (
            "a key twice",
            br#"{"name":"x","name":"y","scopes":["api"]}"#.to_vec(),
        ),
    ];
    for (what, body) in bodies {
        let request = server
            .request(Method::POST, &path)
            .header("PRIVATE-TOKEN", &value)
            .header("Content-Type", "application/json")
            .body(body);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert_eq!(
            answer.error(),
            "message body does not match declared format",
            "{what}"
        );
    }
    let deep = format!(
        r#"{{"name":{}1{},"scopes":["api"]}}"#,
        "[".repeat(65),
        "]".repeat(65)
    );
    let too_deep = server
        .request(Method::POST, &path)
        .header("PRIVATE-TOKEN", &value)
        .header("Content-Type", "application/json")
        .body(deep);
    Answer::to(too_deep).await.expect(400);
    // Nothing at all, and null, say nothing about any parameter.
    for body in ["", "null"] {
        let request = server
            .request(Method::POST, &path)
            .header("PRIVATE-TOKEN", &value)
            .header("Content-Type", "application/json")
            .body(body);
        let answer = Answer::to(request).await.expect(400);
        assert!(!answer.error().is_empty(), "{body:?}: {}", answer.text());
    }
    assert_eq!(server.inventory(), before);
}

async fn an_error_never_repeats_a_token(server: TestServer) {
    let acme = server.group("acme").create();
    let token = acme.token("ci").create();
    let alice = server.person("alice").create().api();
    for path in [
        format!("/groups/{}", token.value),
        format!("/groups/{}/access_tokens/{}", acme.id, token.value),
        format!("/{}", token.value),
        format!("/groups?state={}", token.value),
    ] {
        let answer = alice.get(&path).await;
        assert!(
            !answer.text().contains(&token.value),
            "{path}: {}",
            answer.text()
        );
    }
}
