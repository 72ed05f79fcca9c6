//! Odd values of parameters.

use latchkey::access_tokens::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, lists, readings, writings};
use crate::on_both;
use crate::support::{Answer, Company, TestServer};

on_both![
    wrong_page_numbers_are_refused_by_every_list,
    unknown_parameters_are_ignored,
    a_list_is_no_text_and_an_object_no_number,
    numbers_may_be_as_large_as_they_want,
    odd_text_in_a_query_breaks_nothing,
];

async fn wrong_page_numbers_are_refused_by_every_list(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for list in lists(&c) {
        for (query, problem) in [
            ("per_page=0", "per_page has a value not allowed"),
            ("per_page=-5", "per_page has a value not allowed"),
            ("page=-1", "page has a value not allowed"),
            ("page=0", "page has a value not allowed"),
            ("page=x", "page is invalid"),
            ("per_page=1e1", "per_page is invalid"),
            ("per_page=2.0", "per_page is invalid"),
            ("page[]=1", "page is invalid"),
            ("per_page[a]=1", "per_page is invalid"),
        ] {
            let answer = root.get(&format!("{list}?{query}")).await;
            if query.contains('[') && answer.status == 200 {
                // Nobody asked for a parameter of this name.
                continue;
            }
            let expected = (400, json!({ "error": problem }));
            assert_eq!(answer.outcome(), expected, "{list}?{query}");
        }
        root.get(&format!("{list}?per_page=&page="))
            .await
            .expect(200);
        let past = root.get(&format!("{list}?page=100000")).await;
        assert_eq!(past.status, 200, "{list}");
    }
}

async fn unknown_parameters_are_ignored(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let odd = "foo=bar&foo=baz&list[]=1&map[a][b]=2&%E2%82%AC=%00&=&&sudo=1&a";
    for path in readings(&c) {
        let plain = root.get(&path).await.expect(200);
        let decorated = root.get(&format!("{path}?{odd}")).await;
        assert_eq!(decorated.status, 200, "{path}");
        if path != "/openapi.json" {
            assert_eq!(decorated.json(), plain.json(), "{path}");
        }
    }
    let body = json!({
        "name": "x", "scopes": ["api"], "foo": { "bar": [1, null] }, "id": 7, "user_id": 1,
        "revoked": true, "token": "glpat-chosen-by-the-client",
    });
    let made = root
        .post("/groups/acme/access_tokens", body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["revoked"], false);
    assert_ne!(made["token"], "glpat-chosen-by-the-client");
    assert_ne!(made["user_id"], 1);
}

async fn sends(c: &Company, method: &Method, path: &str, body: &Value) -> Answer {
    c.root.api().send(method.clone(), path, body.clone()).await
}

async fn a_list_is_no_text_and_an_object_no_number(server: TestServer) {
    let c = Company::on(&server);
    for (method, path, body) in writings(&c) {
        let before = server.count("access_tokens", "name = 'x'");
        for field in body.as_object().unwrap().keys() {
            let mut odd = vec![json!({ "a": 1 }), json!([["x"]]), json!([{ "a": 1 }])];
            if field != "scopes" {
                odd.push(json!(["x"]));
                odd.push(json!([]));
            }
            for value in odd {
                let mut sent = body.clone();
                sent[field] = value.clone();
                let answer = sends(&c, &method, &path, &sent).await;
                let what = format!("{method} {path} {field}={value}");
                assert_refused(&answer, &what);
                assert_eq!(answer.status, 400, "{what}: {}", answer.text());
                assert!(
                    answer.error().starts_with(field.as_str()),
                    "{what}: {}",
                    answer.text()
                );
            }
        }
        assert_eq!(server.count("access_tokens", "name = 'x'"), before);
    }
}

async fn numbers_may_be_as_large_as_they_want(server: TestServer) {
    let c = Company::on(&server);
    for (method, path, body) in writings(&c) {
        for (field, value) in body.as_object().unwrap() {
            if !value.is_number() {
                continue;
            }
            for huge in [
                "9223372036854775807",
                "9223372036854775808",
                "18446744073709551616",
                "-9223372036854775809",
                "1e400",
                "1e308",
                "0.1",
                "-0",
                "123456789012345678901234567890",
            ] {
                let mut sent = body.clone();
                sent[field] = json!("HUGE");
                for text in [
                    sent.to_string().replace("\"HUGE\"", huge),
                    sent.to_string().replace("HUGE", huge),
                ] {
                    let request = c
                        .root
                        .api()
                        .request(method.clone(), &path)
                        .header("Content-Type", "application/json")
                        .body(text.clone());
                    let answer = Answer::to(request).await;
                    assert_refused(&answer, &format!("{method} {path} {text}"));
                }
            }
        }
    }
}

async fn odd_text_in_a_query_breaks_nothing(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::Api]).value;
    let names = [
        "search",
        "query",
        "username",
        "state",
        "sort",
        "order_by",
        "visibility",
        "min_access_level",
        "created_after",
        "last_used_before",
        "expires_before",
        "revoked",
        "owned",
        "user_id",
        "user_ids[]",
        "skip_groups[]",
        "id_after",
        "cursor",
        "active",
        "per_page",
    ];
    for list in lists(&c) {
        for name in names {
            for value in [
                "%00",
                "%FF",
                "%ED%A0%80",
                "%",
                "%zz",
                "'%20OR%20'1'='1",
                "%22;--",
                "-1",
                "9223372036854775808",
            ] {
                let path = format!("/api/v4{list}?{name}={value}");
                let answer = server
                    .raw(&format!(
                        "GET {path} HTTP/1.1\r\nHost: {{host}}\r\nPRIVATE-TOKEN: {token}\r\nConnection: close\r\n\r\n"
                    ))
                    .await;
                if answer.status != 200 {
                    assert_refused(&answer, &path);
                }
            }
        }
    }
}
