//! A group that the caller may not see answers like one that isn't there.

use latchkey::members::AccessLevel;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    hidden_and_missing_have_one_status_and_one_body,
    hidden_groups_are_in_no_list_and_no_total,
];

async fn hidden_and_missing_have_one_status_and_one_body(server: TestServer) {
    let c = Company::on(&server);
    let token = c.other.token("ci").create();
    let bot = c.acme.token("ci").role(AccessLevel::Owner).create();
    let (hidden, missing) = (c.other.path(), "/groups/99999999".to_owned());
    let rows = [
        (Method::GET, "", Value::Null),
        (Method::PUT, "", json!({ "description": "x" })),
        (Method::PUT, "", json!({ "path": "acme" })),
        (Method::PUT, "", json!({ "visibility": "public" })),
        (Method::DELETE, "", Value::Null),
        (Method::POST, "/transfer", json!({ "group_id": c.acme.id })),
        (Method::POST, "/transfer", Value::Null),
        (Method::GET, "/subgroups", Value::Null),
        (Method::GET, "/descendant_groups", Value::Null),
        (Method::GET, "/projects", Value::Null),
        (Method::GET, "/members", Value::Null),
        (Method::GET, "/members/all", Value::Null),
        (Method::GET, "/members/1", Value::Null),
        (Method::GET, "/members/all/1", Value::Null),
        (
            Method::POST,
            "/members",
            json!({ "user_id": c.oscar.id, "access_level": 10 }),
        ),
        (Method::PUT, "/members/1", json!({ "access_level": 10 })),
        (Method::DELETE, "/members/1", Value::Null),
        (Method::GET, "/access_tokens", Value::Null),
        (
            Method::POST,
            "/access_tokens",
            json!({ "name": "x", "scopes": ["api"] }),
        ),
        (Method::GET, "/access_tokens/1", Value::Null),
        (Method::DELETE, "/access_tokens/1", Value::Null),
        (Method::POST, "/access_tokens/1/rotate", Value::Null),
    ];
    for (who, api) in [("outsider", c.frank.api()), ("bot", bot.api())] {
        for (method, below, body) in &rows {
            let ask = |group: &str| {
                let path = format!("{group}{below}");
                let (api, method, body) = (api.clone(), method.clone(), body.clone());
                async move { api.send(method, &path, body).await }
            };
            let (one, two) = (ask(&hidden).await, ask(&missing).await);
            let what = format!("{who}: {method} {below}");
            assert_eq!(one.outcome(), two.outcome(), "{what}");
            assert_eq!(one.status, 404, "{what}");
            assert_eq!(one.message(), "404 Group Not Found", "{what}");
        }
    }
    // Nothing happened to it.
    let shown = c.oscar.api().get("/groups/other").await.expect(200).json();
    assert_eq!(shown["visibility"], "private");
    assert!(token.works().await);
}

async fn hidden_groups_are_in_no_list_and_no_total(server: TestServer) {
    let c = Company::on(&server);
    let frank = c.frank.api();
    for query in [
        "",
        "?search=acme",
        "?search=sub",
        "?visibility=private",
        "?top_level_only=true",
        "?order_by=id&sort=desc",
        "?all_available=true",
        "?min_access_level=10",
    ] {
        let answer = frank.get(&format!("/groups{query}")).await.expect(200);
        assert_eq!(answer.json(), json!([]), "{query}");
        assert_eq!(answer.header("x-total"), "0", "{query}");
        assert_eq!(answer.header("x-next-page"), "", "{query}");
    }
    // With a public group around it a hidden one shows in neither rows nor numbers.
    let open = server.group("open").public().create();
    open.subgroup("kept").private().create();
    open.project("secret").private().create();
    for list in ["subgroups", "descendant_groups", "projects"] {
        let path = format!("{}/{list}?include_subgroups=true", open.path());
        let answer = frank.get(&path).await.expect(200);
        assert_eq!(answer.json(), json!([]), "{path}");
        assert_eq!(answer.header("x-total"), "0", "{path}");
    }
}
