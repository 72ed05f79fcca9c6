//! `GET /personal_access_tokens`

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use super::{assert_is_personal_token, invalid, unauthorized};
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    everybody_lists_their_own,
    administrators_list_everybodys,
    filters_and_orders_are_those_of_a_groups_tokens,
    a_filter_that_makes_no_sense_is_refused,
    a_list_comes_in_pages,
];

async fn ids(api: &Api, path: &str) -> Vec<i64> {
    let list = api.get(path).await.expect(200).json();
    let rows = list.as_array().unwrap().iter();
    rows.map(|token| token["id"].as_i64().unwrap()).collect()
}

async fn everybody_lists_their_own(server: TestServer) {
    let c = Company::on(&server);
    let first = c.alice.personal_token([Scope::Api]);
    let second = c.alice.personal_token([Scope::ReadUser]);
    c.bob.personal_token([Scope::Api]);
    let bot = c.acme.token("ci").create();
    c.acme.token("sibling").create();
    let list = first.get("/personal_access_tokens").await.expect(200);
    assert!(!list.text().contains(&first.value) && !list.text().contains(&second.value));
    for token in list.json().as_array().unwrap() {
        assert_is_personal_token(token, false);
        assert_eq!(token["user_id"], c.alice.id);
    }
    let path = "/personal_access_tokens";
    assert_eq!(ids(&first, path).await, [first.id, second.id]);
    assert_eq!(ids(&bot, path).await, [bot.id], "a bot has one");
    let own = format!("{path}?user_id={}", c.alice.id);
    assert_eq!(ids(&first, &own).await, [first.id, second.id]);
    for id in [c.bob.id, bot.user_id, 99_999_999] {
        let answer = first.get(&format!("{path}?user_id={id}")).await;
        assert_eq!(answer.outcome(), unauthorized(), "{id}");
        if id != bot.user_id {
            let answer = bot.get(&format!("{path}?user_id={id}")).await;
            assert_eq!(answer.outcome(), unauthorized(), "{id}");
        }
    }
    server.anonymous().get(path).await.expect(401);
    second.get(path).await.expect(403);
}

async fn administrators_list_everybodys(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.personal_token([Scope::Api]);
    let of_alice = c.alice.personal_token([Scope::Api]);
    let of_group = c.acme.token("ci").create();
    let of_project = c.p1.token("ci").create();
    let path = "/personal_access_tokens";
    assert_eq!(
        ids(&root, path).await,
        [root.id, of_alice.id, of_group.id, of_project.id]
    );
    for token in [&of_alice, &of_group, &of_project, &root] {
        let path = format!("{path}?user_id={}", token.user_id);
        assert_eq!(ids(&root, &path).await, [token.id]);
    }
    let nobody = root.get(&format!("{path}?user_id=99999999")).await;
    assert!(matches!(nobody.status, 200 | 404), "{}", nobody.text());
    if nobody.status == 200 {
        assert_eq!(nobody.json(), json!([]));
    }
}

async fn filters_and_orders_are_those_of_a_groups_tokens(server: TestServer) {
    let c = Company::on(&server);
    let first = c.alice.personal_token([Scope::Api]);
    first.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::days(1));
    let body =
        json!({ "name": "self made", "scopes": ["self_rotate"], "expires_at": "2026-12-01" });
    let made = first.post("/user/personal_access_tokens", body).await;
    let second = made.expect(201).json()["id"].as_i64().unwrap();
    server.clock.advance(TimeDelta::days(1));
    let third = c.alice.personal_token([Scope::Api]);
    third
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    let (a, b, z) = (first.id, second, third.id);
    for (query, expected) in [
        ("", vec![a, b, z]),
        ("state=active", vec![a, b]),
        ("state=inactive", vec![z]),
        ("revoked=true", vec![z]),
        ("revoked=false", vec![a, b]),
        ("created_before=2026-11-21T10:00:00Z", vec![a, b]),
        ("created_after=2026-11-22", vec![z]),
        ("expires_before=2026-12-02", vec![b]),
        ("expires_after=2026-12-02", vec![a, z]),
        ("last_used_before=2026-11-20", vec![]),
        ("search=MADE", vec![b]),
        ("search=%25", vec![]),
        ("search=script&revoked=false", vec![a]),
        ("sort=created_desc", vec![z, b, a]),
        ("sort=expires_asc&state=active", vec![b, a]),
        ("sort=name_desc&revoked=false", vec![b, a]),
        ("sort=nonsense", vec![a, b, z]),
    ] {
        let path = format!("/personal_access_tokens?{query}");
        assert_eq!(ids(&first, &path).await, expected, "{query}");
    }
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let alice = server.person("alice").create().api();
    for (query, problem) in [
        ("state=gone", "state does not have a valid value"),
        ("revoked=perhaps", "revoked is invalid"),
        ("created_after=yesterday", "created_after is invalid"),
        ("expires_before=2026-02-30", "expires_before is invalid"),
        ("user_id=alice", "user_id is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
    ] {
        let answer = alice.get(&format!("/personal_access_tokens?{query}")).await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
}

async fn a_list_comes_in_pages(server: TestServer) {
    let alice = server.person("alice").create();
    let tokens: Vec<i64> = (0..5)
        .map(|_| alice.personal_token([Scope::ReadApi]).id)
        .collect();
    let api = alice.personal_token([Scope::Api]);
    let path = "/personal_access_tokens?page=2&per_page=2";
    let answer = api.get(path).await.expect(200);
    assert_eq!(ids(&api, path).await, tokens[2..4]);
    assert_eq!(answer.header("x-total"), "6");
    assert_eq!(answer.header("x-next-page"), "3");
    assert!(answer.header("link").contains(r#"rel="next""#));
}
