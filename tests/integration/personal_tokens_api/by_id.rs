//! `GET`, `DELETE` and `POST …/rotate` of `/personal_access_tokens/:id`

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use super::{assert_is_personal_token, invalid, refused, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    everybody_sees_their_own_and_administrators_all,
    everybody_rotates_their_own_and_administrators_all,
    each_refusal_to_rotate_has_its_words,
    everybody_revokes_their_own_and_administrators_all,
    an_administrator_who_revokes_a_bots_token_keeps_the_bot,
    a_small_scope_changes_nothing,
];

fn path(id: i64) -> String {
    format!("/personal_access_tokens/{id}")
}

async fn everybody_sees_their_own_and_administrators_all(server: TestServer) {
    let c = Company::on(&server);
    let of_alice = c.alice.personal_token([Scope::Api]);
    let of_bob = c.bob.personal_token([Scope::Api]);
    let bot = c.acme.token("ci").create();
    for token in [&of_alice, &of_bob, &bot] {
        let own = token.get(&path(token.id)).await.expect(200);
        assert!(!own.text().contains(&token.value));
        let own = own.json();
        assert_is_personal_token(&own, false);
        assert_eq!(own["id"], token.id);
        assert_eq!(own["user_id"], token.user_id);
        let root = c.root.api().get(&path(token.id)).await.expect(200).json();
        assert_eq!(root["id"], token.id);
    }
    for (api, id) in [
        (&of_alice, of_bob.id),
        (&of_alice, bot.id),
        (&of_alice, 99_999_999),
        (&bot, of_alice.id),
        (&bot, 99_999_999),
    ] {
        let answer = api.get(&path(id)).await;
        assert_eq!(answer.outcome(), unauthorized(), "{id}");
    }
    let answer = c.root.api().get(&path(99_999_999)).await.expect(404);
    let text = answer.message();
    assert!(text.eq_ignore_ascii_case("404 not found"), "{text}");
    server.anonymous().get(&path(of_bob.id)).await.expect(401);
}

async fn everybody_rotates_their_own_and_administrators_all(server: TestServer) {
    let c = Company::on(&server);
    let of_alice = c.alice.personal_token([Scope::Api]);
    let rotator = c.alice.personal_token([Scope::Api]);
    let of_bob = c.bob.personal_token([Scope::ReadApi, Scope::ReadUser]);
    for (api, old) in [(rotator.api(), &of_alice), (c.root.api(), &of_bob)] {
        let rotate = format!("{}/rotate", path(old.id));
        let answer = api.post(&rotate, Value::Null).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let new = answer.json();
        assert_is_personal_token(&new, true);
        assert_ne!(new["id"], old.id);
        assert_eq!(new["user_id"], old.user_id);
        assert_eq!(new["expires_at"], server.days_ahead(7));
        assert_eq!(new["last_used_at"], Value::Null);
        assert!(!old.works().await);
        let next = server.with_token(new["token"].as_str().unwrap());
        next.get("/user").await.expect(200);
        let rotate = format!("{}/rotate", path(new["id"].as_i64().unwrap()));
        let body = json!({ "expires_at": "2026-12-24" });
        let dated = api.post(&rotate, body).await.expect(200).json();
        assert_eq!(dated["expires_at"], "2026-12-24");
    }
    let scopes = json!(["read_api", "read_user"]);
    let root = c.root.api();
    let list = format!("/personal_access_tokens?user_id={}&state=active", c.bob.id);
    let list = root.get(&list).await.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["scopes"], scopes);
}

async fn each_refusal_to_rotate_has_its_words(server: TestServer) {
    let c = Company::on(&server);
    let of_alice = c.alice.personal_token([Scope::Api]);
    let of_bob = c.bob.personal_token([Scope::Api]);
    let bot = c.acme.token("ci").create();
    let rotate = |id: i64| format!("{}/rotate", path(id));
    for (api, id) in [
        (&of_alice, of_bob.id),
        (&of_alice, bot.id),
        (&of_alice, 99_999_999),
        (&bot, of_alice.id),
    ] {
        let answer = api.post(&rotate(id), json!({})).await;
        assert_eq!(answer.outcome(), unauthorized(), "{id}");
    }
    let root = c.root.api();
    let answer = root.post(&rotate(99_999_999), json!({})).await.expect(404);
    assert!(answer.message().eq_ignore_ascii_case("404 not found"));
    let other = c.alice.personal_token([Scope::Api]);
    for (body, expected) in [
        (
            json!({ "expires_at": "x" }),
            invalid("expires_at is invalid"),
        ),
        (
            json!({ "expires_at": "2027-11-21" }),
            refused("Expiration date must be before 2027-11-20"),
        ),
    ] {
        let answer = of_alice.post(&rotate(other.id), body).await;
        assert_eq!(answer.outcome(), expected);
        assert!(other.works().await);
    }
    other
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    for api in [of_alice.api(), root] {
        let answer = api.post(&rotate(other.id), json!({})).await;
        assert_eq!(answer.outcome(), refused("token already revoked"));
    }
    for token in [of_alice, of_bob, bot] {
        assert!(token.works().await);
    }
}

async fn everybody_revokes_their_own_and_administrators_all(server: TestServer) {
    let c = Company::on(&server);
    let of_alice = c.alice.personal_token([Scope::Api]);
    let second = c.alice.personal_token([Scope::Api]);
    let of_bob = c.bob.personal_token([Scope::Api]);
    let bot = c.acme.token("ci").create();
    let (foreign, unknown) = (
        (400, json!({ "message": "400 Bad request" })),
        (404, json!({ "message": "404 Not found" })),
    );
    for (api, id) in [
        (&of_alice, of_bob.id),
        (&of_alice, bot.id),
        (&bot, of_alice.id),
    ] {
        assert_eq!(api.delete(&path(id)).await.outcome(), foreign, "{id}");
    }
    for api in [of_alice.api(), bot.api(), c.root.api()] {
        let answer = api.delete(&path(99_999_999)).await;
        assert_eq!(answer.outcome(), unknown);
    }
    for token in [&of_alice, &second, &of_bob, &bot] {
        assert!(token.works().await);
    }
    let answer = of_alice.delete(&path(second.id)).await.expect(204);
    assert!(answer.body.is_empty());
    assert!(!second.works().await);
    let shown = of_alice.get(&path(second.id)).await.expect(200).json();
    assert_eq!(
        (&shown["revoked"], &shown["active"]),
        (&json!(true), &json!(false))
    );
    c.root.api().delete(&path(of_bob.id)).await.expect(204);
    assert!(!of_bob.works().await);
    of_alice.delete(&path(of_alice.id)).await.expect(204);
    let refusal = of_alice.get("/user").await.expect(401).json();
    assert_eq!(refusal["error"], "invalid_token");
}

async fn an_administrator_who_revokes_a_bots_token_keeps_the_bot(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("ci").create();
    c.root.api().delete(&path(bot.id)).await.expect(204);
    assert!(!bot.works().await);
    server.rest().await;
    assert_eq!(server.count("users", &format!("id = {}", bot.user_id)), 1);
    let tokens = format!("{}/access_tokens/{}", c.acme.path(), bot.id);
    let shown = c.alice.api().get(&tokens).await.expect(200).json();
    assert_eq!(shown["revoked"], true);
    // A bot ends itself the same way.
    let other = c.p1.token("ci").create();
    other.delete(&path(other.id)).await.expect(204);
    assert!(!other.works().await);
    server.rest().await;
    assert_eq!(server.count("users", &format!("id = {}", other.user_id)), 1);
}

async fn a_small_scope_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let target = c.alice.personal_token([Scope::Api]);
    let rotate = format!("{}/rotate", path(target.id));
    for (scope, reads) in [
        (Scope::ReadApi, 200),
        (Scope::ReadUser, 403),
        (Scope::SelfRotate, 403),
        (Scope::K8sProxy, 403),
    ] {
        let token = c.alice.personal_token([scope]);
        let name = scope.name();
        assert_eq!(token.get(&path(target.id)).await.status, reads, "{name}");
        assert_eq!(token.post(&rotate, json!({})).await.status, 403, "{name}");
        assert_eq!(token.delete(&path(target.id)).await.status, 403, "{name}");
    }
    assert!(target.works().await);
}
