//! However a request says it, it says the same.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, Api, Company, TestResource, TestServer, query};

on_both![
    form_query_json_and_multipart_make_the_same,
    the_path_beats_the_body_and_the_body_the_query,
    what_a_get_asks_may_come_in_its_body,
];

type Fields<'a> = Vec<(&'a str, &'a str)>;

fn as_multipart(fields: &Fields) -> String {
    let parts: String = fields
        .iter()
        .map(|(name, value)| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    parts + "--edge--\r\n"
}

fn as_json(fields: &Fields) -> Value {
    let mut object = json!({});
    for (name, value) in fields {
        match name.strip_suffix("[]") {
            Some(name) => match object[name].as_array_mut() {
                Some(list) => list.push(json!(value)),
                None => object[name] = json!([value]),
            },
            None => object[*name] = json!(value),
        }
    }
    object
}

/// The same request in its four shapes.
fn shapes(
    api: &Api,
    method: &Method,
    path: &str,
    fields: &Fields,
) -> Vec<(&'static str, RequestBuilder)> {
    let request = || api.request(method.clone(), path);
    let in_query = format!("{path}?{}", query(fields).replace("%5B%5D", "[]"));
    vec![
        ("JSON", request().json(&as_json(fields))),
        ("form", request().form(fields)),
        ("query", api.request(method.clone(), &in_query)),
        (
            "multipart",
            request()
                .header("Content-Type", "multipart/form-data; boundary=edge")
                .body(as_multipart(fields)),
        ),
    ]
}

/// Without what tells one thing from the next.
fn comparable(object: &Value) -> Value {
    let mut object = object.clone();
    for key in ["id", "token", "user_id", "namespace_id", "updated_at"] {
        object.as_object_mut().unwrap().remove(key);
    }
    object
}

async fn form_query_json_and_multipart_make_the_same(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let sub = c.sub.id.to_string();
    let frank = c.frank.id.to_string();
    let rows: Vec<(Method, String, Fields)> = vec![
        (
            Method::POST,
            "/groups".into(),
            vec![
                ("name", "Größe & <b>"),
                ("path", "made"),
                ("parent_id", &sub),
                ("description", "a=b&c\nd+e %41"),
                ("visibility", "private"),
            ],
        ),
        (
            Method::POST,
            "/projects".into(),
            vec![
                ("name", "Größe +1"),
                ("path", "made"),
                ("namespace_id", &sub),
                ("description", "日本"),
            ],
        ),
        (
            Method::POST,
            format!("{}/members", c.p1.path()),
            vec![
                ("user_id", &frank),
                ("access_level", "30"),
                ("expires_at", "2026-12-24"),
            ],
        ),
        (
            Method::POST,
            format!("{}/access_tokens", c.p1.path()),
            vec![
                ("name", "ci"),
                ("scopes[]", "read_api"),
                ("scopes[]", "read_repository"),
                ("access_level", "20"),
                ("description", "ü"),
            ],
        ),
        (
            Method::POST,
            format!("/users/{frank}/personal_access_tokens"),
            vec![
                ("name", "ci"),
                ("scopes[]", "api"),
                ("expires_at", "2027-01-31"),
            ],
        ),
        (
            Method::POST,
            "/users".into(),
            vec![
                ("username", "newcomer"),
                ("name", "New Comer"),
                ("email", "new@example.com"),
                ("password", "a horse that staples batteries"),
                ("external", "true"),
            ],
        ),
        (
            Method::PUT,
            c.p1.path(),
            vec![("description", "a+b & c"), ("name", "P 1")],
        ),
        (
            Method::PUT,
            c.acme.path(),
            vec![
                ("resource_access_token_creation_allowed", "on"),
                ("description", "x"),
            ],
        ),
    ];
    for (method, path, fields) in &rows {
        let mut first = None;
        for (shape, request) in shapes(&root, method, path, fields) {
            let answer = Answer::to(request).await;
            let what = format!("{method} {path} as {shape}");
            assert!(
                matches!(answer.status, 200 | 201),
                "{what}: {} {}",
                answer.status,
                answer.text()
            );
            let made = answer.json();
            let expected = first.get_or_insert_with(|| made.clone());
            assert_eq!(comparable(&made), comparable(expected), "{what}");
            for (name, value) in fields {
                if made[name].is_string() {
                    assert_eq!(made[name], *value, "{what}: {name}");
                }
            }
            // Make room for the next.
            if method == Method::POST && !path.ends_with("access_tokens") {
                let gone = root.delete(&format!("{path}/{}", made["id"])).await;
                assert!(matches!(gone.status, 202 | 204), "{what}: {}", gone.status);
            }
        }
    }
}

async fn the_path_beats_the_body_and_the_body_the_query(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let body = json!({ "id": c.other.id, "description": "from the body" });
    let path = format!(
        "{}?id={}&description=from+the+query",
        c.acme.path(),
        c.sub.id
    );
    let changed = root.put(&path, body).await.expect(200).json();
    assert_eq!(changed["id"], c.acme.id);
    assert_eq!(changed["description"], "from the body");
    for group in [&c.other, &c.sub] {
        let shown = root.get(&group.path()).await.expect(200).json();
        assert_eq!(shown["description"], "", "{}", group.full_path);
    }
    // What one of them leaves out, the other may say.
    let tokens = format!("{}/access_tokens?name=ci&access_level=20", c.acme.path());
    let made = root.post(&tokens, json!({ "scopes": ["api"] })).await;
    let made = made.expect(201).json();
    assert_eq!(
        (&made["name"], &made["access_level"]),
        (&json!("ci"), &json!(20))
    );
}

async fn what_a_get_asks_may_come_in_its_body(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for request in [
        root.request(Method::GET, "/groups")
            .json(&json!({ "search": "dee", "per_page": 1 })),
        root.request(Method::GET, "/groups")
            .form(&[("search", "dee"), ("per_page", "1")]),
        root.request(Method::GET, "/groups?search=nothing")
            .json(&json!({ "search": "dee", "per_page": "1" })),
    ] {
        let answer = Answer::to(request).await.expect(200);
        assert_eq!(answer.header("x-per-page"), "1");
        let list = answer.json();
        assert_eq!(list.as_array().unwrap().len(), 1);
        assert_eq!(list[0]["full_path"], "acme/sub/deep");
    }
}
