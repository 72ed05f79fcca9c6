//! `Idempotency-Key`: a program that doesn't know whether its request arrived sends it again, and makes no second token.

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use reqwest::{Method, header::HeaderValue};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, Api, Company, TestResource, TestServer};

on_both![
    the_same_request_again_shows_the_token_without_its_value,
    another_body_under_the_same_key_is_a_conflict,
    callers_routes_and_resources_have_keys_of_their_own,
    what_was_refused_is_not_remembered,
    a_key_is_remembered_for_a_day,
    a_key_that_is_no_key_is_refused,
    without_a_key_every_request_makes_a_token,
    of_many_at_once_one_makes_a_token,
    who_has_lost_the_right_sees_nothing,
    a_token_that_is_gone_is_not_made_again,
];

async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    let request = api.request(Method::POST, path).json(body);
    Answer::to(request.header("Idempotency-Key", key)).await
}

fn wanted(name: &str) -> Value {
    json!({ "name": name, "scopes": ["api"], "access_level": 30 })
}

#[track_caller]
fn is_replay(answer: &Answer, made: &Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("idempotency-replayed"), "true");
    let mut expected = made.clone();
    let value = expected.as_object_mut().unwrap().remove("token").unwrap();
    assert!(!answer.text().contains(value.as_str().unwrap()));
    assert_eq!(answer.json(), expected);
}

async fn the_same_request_again_shows_the_token_without_its_value(server: TestServer) {
    let c = Company::on(&server);
    let (alice, root) = (c.alice.api(), c.root.api());
    let group = format!("{}/access_tokens", c.acme.path());
    let project = format!("{}/access_tokens", c.p1.path());
    let own = json!({ "name": "own", "scopes": ["k8s_proxy"] });
    let personal = json!({ "name": "theirs", "scopes": ["api"] });
    let of_frank = format!("/users/{}/personal_access_tokens", c.frank.id);
    for (api, path, body) in [
        (&alice, group.as_str(), &wanted("ci")),
        (&alice, &project, &wanted("ci")),
        (&alice, "/user/personal_access_tokens", &own),
        (&root, &of_frank, &personal),
    ] {
        let first = keyed(api, path, "once", body).await.expect(201);
        assert_eq!(first.header("idempotency-replayed"), "", "{path}");
        let made = first.json();
        let before = server.inventory();
        for _ in 0..2 {
            is_replay(&keyed(api, path, "once", body).await, &made);
        }
        assert_eq!(server.inventory(), before, "{path}");
        let value = made["token"].as_str().unwrap();
        let token = server.with_token(value);
        token.get("/personal_access_tokens/self").await.expect(200);
    }
}

async fn another_body_under_the_same_key_is_a_conflict(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    let first = keyed(&alice, &path, "once", &wanted("ci"))
        .await
        .expect(201);
    let before = server.inventory();
    let mut dated = wanted("ci");
    dated["expires_at"] = json!("2026-12-24");
    let mut stronger = wanted("ci");
    stronger["access_level"] = json!(50);
    for body in [wanted("other"), dated, stronger] {
        let answer = keyed(&alice, &path, "once", &body).await.expect(409);
        assert!(answer.json()["message"].is_string(), "{}", answer.text());
        assert_eq!(answer.header("idempotency-replayed"), "");
    }
    assert_eq!(server.inventory(), before);
    let again = keyed(&alice, &path, "once", &wanted("ci")).await;
    is_replay(&again, &first.json());
}

async fn callers_routes_and_resources_have_keys_of_their_own(server: TestServer) {
    let c = Company::on(&server);
    let (alice, root) = (c.alice.api(), c.root.api());
    let tokens = |place: &dyn TestResource| format!("{}/access_tokens", place.path());
    let mut ids = Vec::new();
    for (api, path) in [
        (&alice, tokens(&c.acme)),
        (&root, tokens(&c.acme)),
        (&alice, tokens(&c.sub)),
        (&alice, tokens(&c.p1)),
        (&alice, tokens(&c.p2)),
    ] {
        let made = keyed(api, &path, "same", &wanted("ci")).await;
        ids.push(made.expect(201).json()["id"].as_i64().unwrap());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    // Another key is another token; the same group under its path is the same group.
    let path = tokens(&c.acme);
    let first = keyed(&alice, &path, "a", &wanted("x")).await.expect(201);
    let second = keyed(&alice, &path, "b", &wanted("x")).await.expect(201);
    assert_ne!(first.json()["id"], second.json()["id"]);
    let by_path = "/groups/acme/access_tokens";
    let again = keyed(&alice, by_path, "a", &wanted("x")).await;
    is_replay(&again, &first.json());
}

async fn what_was_refused_is_not_remembered(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    let bad = json!({ "name": "ci", "scopes": ["nonsense"] });
    keyed(&alice, &path, "once", &bad).await.expect(400);
    keyed(&alice, &path, "once", &bad).await.expect(400);
    let mut late = wanted("ci");
    late["expires_at"] = json!("2028-01-01");
    keyed(&alice, &path, "once", &late).await.expect(400);
    c.acme.allow_creation(false);
    keyed(&alice, &path, "once", &wanted("ci"))
        .await
        .expect(400);
    c.acme.allow_creation(true);
    let made = keyed(&alice, &path, "once", &wanted("ci"))
        .await
        .expect(201);
    is_replay(
        &keyed(&alice, &path, "once", &wanted("ci")).await,
        &made.json(),
    );
    // What is refused under a used key is refused, whatever was made with it.
    keyed(&server.anonymous(), &path, "once", &wanted("ci"))
        .await
        .expect(401);
    let reader = c.alice.personal_token([Scope::ReadApi]);
    keyed(&reader, &path, "once", &wanted("ci"))
        .await
        .expect(403);
}

async fn a_key_is_remembered_for_a_day(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    let first = keyed(&alice, &path, "daily", &wanted("ci"))
        .await
        .expect(201);
    let almost = TimeDelta::hours(24) - TimeDelta::seconds(1);
    server.clock.advance(almost);
    is_replay(
        &keyed(&alice, &path, "daily", &wanted("ci")).await,
        &first.json(),
    );
    server.clock.advance(TimeDelta::seconds(2));
    let second = keyed(&alice, &path, "daily", &wanted("ci"))
        .await
        .expect(201);
    assert_ne!(second.json()["id"], first.json()["id"]);
    is_replay(
        &keyed(&alice, &path, "daily", &wanted("ci")).await,
        &second.json(),
    );
    // A key whose day is over may come with another body.
    server.clock.advance(TimeDelta::hours(25));
    keyed(&alice, &path, "daily", &wanted("other"))
        .await
        .expect(201);
}

async fn a_key_that_is_no_key_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    let before = server.inventory();
    let long = "k".repeat(256);
    for key in [
        "".as_bytes(),
        long.as_bytes(),
        "schlüssel".as_bytes(),
        b"\xff",
        b"a\tb",
    ] {
        let request = alice
            .request(Method::POST, &path)
            .json(&wanted("ci"))
            .header("Idempotency-Key", HeaderValue::from_bytes(key).unwrap());
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 400, "{key:?}: {}", answer.text());
        assert!(answer.json().is_object());
    }
    assert_eq!(server.inventory(), before);
    let longest = "k".repeat(255);
    for key in [longest.as_str(), "a b", "!\"#$%&'()~", "0"] {
        let made = keyed(&alice, &path, key, &wanted("ci")).await.expect(201);
        is_replay(
            &keyed(&alice, &path, key, &wanted("ci")).await,
            &made.json(),
        );
    }
    // Upper and lower case are different keys.
    keyed(&alice, &path, "Key", &wanted("ci")).await.expect(201);
    keyed(&alice, &path, "key", &wanted("ci")).await.expect(201);
}

async fn without_a_key_every_request_makes_a_token(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    for _ in 0..2 {
        alice.post(&path, wanted("ci")).await.expect(201);
    }
    assert_eq!(server.count("access_tokens", "name = 'ci'"), 2);
}

async fn of_many_at_once_one_makes_a_token(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for place in [c.acme.path(), c.p1.path()] {
        let path = format!("{place}/access_tokens");
        let before = server.count("access_tokens", "name = 'ci'");
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (api, path) = (alice.clone(), path.clone());
                tokio::spawn(async move { keyed(&api, &path, "burst", &wanted("ci")).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            let answer = task.await.unwrap();
            match answer.status {
                201 => made += 1,
                200 => {
                    assert_eq!(answer.header("idempotency-replayed"), "true");
                    assert!(answer.json().get("token").is_none());
                }
                409 => {}
                status => panic!("{status}: {}", answer.text()),
            }
        }
        assert_eq!(made, 1, "{path}");
        let after = server.count("access_tokens", "name = 'ci'");
        assert_eq!(after, before + 1, "{path}");
    }
}

async fn who_has_lost_the_right_sees_nothing(server: TestServer) {
    let c = Company::on(&server);
    c.acme.member(&c.frank, AccessLevel::Owner);
    let frank = c.frank.api();
    let path = format!("{}/access_tokens", c.acme.path());
    keyed(&frank, &path, "once", &wanted("ci"))
        .await
        .expect(201);
    let member = format!("{}/members/{}", c.acme.path(), c.frank.id);
    let alice = c.alice.api();
    let demoted = json!({ "access_level": 40 });
    alice.put(&member, demoted).await.expect(200);
    let answer = keyed(&frank, &path, "once", &wanted("ci")).await;
    let text = "400 Bad request - User does not have permission to create group access token";
    assert_eq!(answer.outcome(), (400, json!({ "message": text })));
    alice.delete(&member).await.expect(204);
    let answer = keyed(&frank, &path, "once", &wanted("ci")).await;
    let text = json!({ "message": "404 Group Not Found" });
    assert_eq!(answer.outcome(), (404, text));
    c.frank.block();
    keyed(&frank, &path, "once", &wanted("ci"))
        .await
        .expect(403);
    assert_eq!(server.count("access_tokens", "name = 'ci'"), 1);
}

async fn a_token_that_is_gone_is_not_made_again(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let path = format!("{}/access_tokens", c.acme.path());
    for key in ["marked", "deleted", "kept"] {
        server.retain_bots(key == "kept");
        let made = keyed(&alice, &path, key, &wanted("ci")).await;
        let made = made.expect(201).json();
        let one = format!("{path}/{}", made["id"]);
        alice.delete(&one).await.expect(204);
        if key == "deleted" {
            server.rest().await;
        }
        let before = server.inventory();
        let answer = keyed(&alice, &path, key, &wanted("ci")).await;
        // As much as a look at the token itself would tell.
        let shown = alice.get(&one).await;
        if key == "kept" {
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.json(), shown.expect(200).json());
            assert_eq!(answer.json()["revoked"], true);
        } else {
            shown.expect(404);
            assert_eq!(answer.status, 409, "{key}: {}", answer.text());
        }
        let value = made["token"].as_str().unwrap();
        assert!(!answer.text().contains(value), "{key}");
        assert_eq!(server.inventory(), before, "{key}");
    }
}
