//! What no well-behaved client sends, to every route: a 4xx with a JSON error, and nothing that breaks.

mod bodies;
mod forms;
mod methods;
mod names;
mod parameters;
mod paths;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Company, TestResource};

/// An answer that says no, as programs read it.
#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(
        (400..500).contains(&answer.status),
        "{what}: {} {text}",
        answer.status
    );
    let kind = answer.header("content-type");
    assert!(kind.starts_with("application/json"), "{what}: {kind}");
    let json = answer.json();
    assert!(
        json.get("message").is_some() || json.get("error").is_some(),
        "{what}: {text}"
    );
}

/// Every list, of things that are there.
fn lists(c: &Company) -> Vec<String> {
    let (group, project) = (c.acme.path(), c.p1.path());
    let mut lists = vec![
        "/groups".to_owned(),
        "/projects".to_owned(),
        "/users".to_owned(),
        "/personal_access_tokens".to_owned(),
        "/personal_access_tokens/self/associations".to_owned(),
        format!("{group}/subgroups"),
        format!("{group}/descendant_groups"),
        format!("{group}/projects"),
    ];
    for place in [group, project] {
        for list in ["members", "members/all", "access_tokens"] {
            lists.push(format!("{place}/{list}"));
        }
    }
    lists
}

/// Every route that reads, of things that are there.
fn readings(c: &Company) -> Vec<String> {
    let mut all = lists(c);
    let token = c.acme.token("read").create();
    let of_project = c.p1.token("read").create();
    all.extend([
        c.acme.path(),
        c.p1.path(),
        format!("{}/members/{}", c.acme.path(), c.bob.id),
        format!("{}/members/all/{}", c.acme.path(), c.bob.id),
        format!("{}/members/all/{}", c.p1.path(), c.bob.id),
        format!("{}/members/{}", c.p1.path(), of_project.user_id),
        format!("{}/access_tokens/{}", c.acme.path(), token.id),
        format!("{}/access_tokens/{}", c.p1.path(), of_project.id),
        "/personal_access_tokens/self".to_owned(),
        format!("/personal_access_tokens/{}", token.id),
        "/user".to_owned(),
        format!("/users/{}", c.bob.id),
        "/version".to_owned(),
        "/metadata".to_owned(),
        "/application/settings".to_owned(),
        "/openapi.json".to_owned(),
    ]);
    all
}

/// Every route that takes a body, with a body that it would take.
fn writings(c: &Company) -> Vec<(Method, String, Value)> {
    let (group, project) = (c.acme.path(), c.p1.path());
    let token = c.acme.token("written").create().id;
    let of_project = c.p1.token("written").create().id;
    let wanted = json!({ "name": "x", "scopes": ["api"] });
    let member = json!({ "user_id": c.frank.id, "access_level": 10 });
    let level = json!({ "access_level": 10 });
    let date = json!({ "expires_at": "2026-12-24" });
    let post = |path: String, body: &Value| (Method::POST, path, body.clone());
    let put = |path: String, body: &Value| (Method::PUT, path, body.clone());
    vec![
        post("/groups".into(), &json!({ "name": "x", "path": "x" })),
        put(group.clone(), &json!({ "description": "x" })),
        post(
            format!("{}/transfer", c.sub.path()),
            &json!({ "group_id": c.other.id }),
        ),
        post(format!("{group}/members"), &member),
        put(format!("{group}/members/{}", c.erin.id), &level),
        post(format!("{group}/access_tokens"), &wanted),
        post(format!("{group}/access_tokens/{token}/rotate"), &date),
        post("/projects".into(), &json!({ "name": "x" })),
        put(project.clone(), &json!({ "description": "x" })),
        put(
            format!("{project}/transfer"),
            &json!({ "namespace": "other" }),
        ),
        post(format!("{project}/members"), &member),
        post(format!("{project}/access_tokens"), &wanted),
        post(
            format!("{project}/access_tokens/{of_project}/rotate"),
            &date,
        ),
        post(
            "/users".into(),
            &json!({
                "username": "newcomer", "name": "N", "email": "n@example.com",
                "password": "a horse that staples batteries",
            }),
        ),
        put(format!("/users/{}", c.frank.id), &json!({ "name": "F" })),
        post(
            format!("/users/{}/personal_access_tokens", c.frank.id),
            &wanted,
        ),
        post(
            "/user/personal_access_tokens".into(),
            &json!({ "name": "x", "scopes": ["k8s_proxy"] }),
        ),
        post(format!("/personal_access_tokens/{token}/rotate"), &date),
    ]
}
