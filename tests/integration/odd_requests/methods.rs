//! Methods: HEAD wherever GET is, and no other than those that a route has.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_refused, readings};
use crate::on_both;
use crate::support::{Answer, Api, Company, TestResource, TestServer};

on_both![
    head_is_get_without_the_body,
    head_is_refused_as_get_is,
    a_wrong_method_is_told_the_right_ones,
    no_header_and_no_parameter_changes_the_method,
];

/// All headers but those that differ from answer to answer.
fn headers(answer: &Answer) -> BTreeMap<String, Vec<String>> {
    let changing = ["date", "x-request-id", "x-runtime", "connection"];
    answer
        .headers
        .keys()
        .filter(|name| !changing.contains(&name.as_str()))
        .map(|name| {
            let values = answer.all(name.as_str());
            let values = values.iter().map(|value| (*value).to_owned());
            (name.to_string(), values.collect())
        })
        .collect()
}

async fn compare(api: &Api, path: &str) -> u16 {
    let get = api.get(path).await;
    let head = Answer::to(api.request(Method::HEAD, path)).await;
    assert_eq!(head.status, get.status, "HEAD {path}");
    assert!(head.body.is_empty(), "HEAD {path}");
    assert!(!get.body.is_empty(), "GET {path}");
    let (mut of_get, mut of_head) = (headers(&get), headers(&head));
    // The length of a body that isn't sent may be left out; if it is told, it is the right one.
    let told = of_head.remove("content-length");
    let right = of_get.remove("content-length");
    if let (Some(told), Some(right)) = (told, right) {
        assert_eq!(told, right, "HEAD {path}");
    }
    of_get.remove("transfer-encoding");
    of_head.remove("transfer-encoding");
    assert_eq!(of_head, of_get, "HEAD {path}");
    get.status
}

async fn head_is_get_without_the_body(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for path in readings(&c) {
        assert_eq!(compare(&root, &path).await, 200, "{path}");
    }
}

async fn head_is_refused_as_get_is(server: TestServer) {
    let c = Company::on(&server);
    let own = "/personal_access_tokens/self";
    for path in readings(&c) {
        let status = compare(&server.anonymous(), &path).await;
        assert!(matches!(status, 200 | 401 | 404), "{path}: {status}");
        let narrow = c
            .acme
            .token("ci")
            .scopes([latchkey::access_tokens::scope::Scope::ReadRepository])
            .create();
        let status = compare(&narrow, &path).await;
        let open = path.starts_with(own) || path == "/openapi.json";
        assert_eq!(status, if open { 200 } else { 403 }, "{path}");
    }
    for path in ["/groups/nothing", "/nothing", "/groups?per_page=0"] {
        compare(&c.root.api(), path).await;
    }
}

async fn a_wrong_method_is_told_the_right_ones(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let token = c.acme.token("ci").create();
    let (group, project) = (c.acme.path(), c.p1.path());
    let mut routes = vec![
        ("/groups".to_owned(), vec!["GET", "POST"]),
        (group.clone(), vec!["GET", "PUT", "DELETE"]),
        (format!("{group}/subgroups"), vec!["GET"]),
        (format!("{group}/descendant_groups"), vec!["GET"]),
        (format!("{group}/projects"), vec!["GET"]),
        (format!("{group}/transfer"), vec!["POST"]),
        ("/projects".to_owned(), vec!["GET", "POST"]),
        (project.clone(), vec!["GET", "PUT", "DELETE"]),
        (format!("{project}/transfer"), vec!["PUT"]),
        ("/personal_access_tokens".to_owned(), vec!["GET"]),
        (
            "/personal_access_tokens/self".to_owned(),
            vec!["GET", "DELETE"],
        ),
        (
            "/personal_access_tokens/self/associations".to_owned(),
            vec!["GET"],
        ),
        (
            "/personal_access_tokens/self/rotate".to_owned(),
            vec!["POST"],
        ),
        (
            format!("/personal_access_tokens/{}", token.id),
            vec!["GET", "DELETE"],
        ),
        (
            format!("/personal_access_tokens/{}/rotate", token.id),
            vec!["POST"],
        ),
        ("/users".to_owned(), vec!["GET", "POST"]),
        (
            format!("/users/{}", c.erin.id),
            vec!["GET", "PUT", "DELETE"],
        ),
        (format!("/users/{}/block", c.erin.id), vec!["POST"]),
        (format!("/users/{}/unblock", c.erin.id), vec!["POST"]),
        (
            format!("/users/{}/personal_access_tokens", c.erin.id),
            vec!["POST"],
        ),
        ("/user".to_owned(), vec!["GET"]),
        ("/user/personal_access_tokens".to_owned(), vec!["POST"]),
        ("/version".to_owned(), vec!["GET"]),
        ("/metadata".to_owned(), vec!["GET"]),
        ("/application/settings".to_owned(), vec!["GET", "PUT"]),
    ];
    for place in [group, project] {
        routes.extend([
            (format!("{place}/members"), vec!["GET", "POST"]),
            (format!("{place}/members/all"), vec!["GET"]),
            (format!("{place}/members/all/{}", c.erin.id), vec!["GET"]),
            (
                format!("{place}/members/{}", c.erin.id),
                vec!["GET", "PUT", "DELETE"],
            ),
            (format!("{place}/access_tokens"), vec!["GET", "POST"]),
            (
                format!("{place}/access_tokens/{}", token.id),
                vec!["GET", "DELETE"],
            ),
            (format!("{place}/access_tokens/1/rotate"), vec!["POST"]),
            (format!("{place}/access_tokens/self/rotate"), vec!["POST"]),
        ]);
    }
    let before = server.inventory();
    for (path, right) in routes {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            if right.contains(&method) {
                continue;
            }
            let sent = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = root.send(sent, &path, Value::Null).await;
            let expected = (405, json!({ "error": "405 Not Allowed" }));
            assert_eq!(answer.outcome(), expected, "{method} {path}");
            let allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            for method in &right {
                assert!(allowed.contains(method), "{path}: {allowed:?}");
            }
            assert!(!allowed.contains(&method), "{method} {path}: {allowed:?}");
            assert_eq!(
                allowed.contains(&"HEAD"),
                right.contains(&"GET"),
                "{path}: {allowed:?}"
            );
        }
    }
    assert_eq!(server.inventory(), before);
    let answer = root.send(Method::POST, "/nothing", Value::Null).await;
    assert_eq!(answer.status, 404);
    let odd = Method::from_bytes(b"BREW").unwrap();
    assert_refused(&root.send(odd, "/user", Value::Null).await, "BREW");
}

async fn no_header_and_no_parameter_changes_the_method(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let path = format!("{}/access_tokens/{}", c.acme.path(), token.id);
    let root = c.root.api();
    for header in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        let request = root.request(Method::GET, &path).header(header, "DELETE");
        Answer::to(request).await.expect(200);
    }
    for method in ["delete", "DELETE"] {
        root.get(&format!("{path}?_method={method}"))
            .await
            .expect(200);
        let form = [("_method", method)];
        let request = root.request(Method::POST, &path).form(&form);
        Answer::to(request).await.expect(405);
    }
    assert!(token.works().await);
}
