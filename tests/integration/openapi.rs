//! The document of the API and the page that people read, held against the route table, against the contract, and
//! against the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, path::Path};

use latchkey::server::routes;
use regex::Regex;
use serde_json::Value;

use crate::on_both;
use crate::support::{TestServer, server::run_on_sqlite};

on_both![the_document_is_served_to_everybody];

/// What clients call, written down from the contract and not from the code.
const CONTRACT: &str = "
    GET /groups                                   POST /groups
    GET /groups/{id}                              PUT /groups/{id}
    DELETE /groups/{id}                           POST /groups/{id}/transfer
    GET /groups/{id}/subgroups                    GET /groups/{id}/descendant_groups
    GET /groups/{id}/projects
    GET /groups/{id}/members                      POST /groups/{id}/members
    GET /groups/{id}/members/all                  GET /groups/{id}/members/all/{user_id}
    GET /groups/{id}/members/{user_id}            PUT /groups/{id}/members/{user_id}
    DELETE /groups/{id}/members/{user_id}
    GET /groups/{id}/access_tokens                POST /groups/{id}/access_tokens
    GET /groups/{id}/access_tokens/{token_id}     DELETE /groups/{id}/access_tokens/{token_id}
    POST /groups/{id}/access_tokens/{token_id}/rotate
    POST /groups/{id}/access_tokens/self/rotate
    GET /projects                                 POST /projects
    GET /projects/{id}                            PUT /projects/{id}
    DELETE /projects/{id}                         PUT /projects/{id}/transfer
    GET /projects/{id}/members                    POST /projects/{id}/members
    GET /projects/{id}/members/all                GET /projects/{id}/members/all/{user_id}
    GET /projects/{id}/members/{user_id}          PUT /projects/{id}/members/{user_id}
    DELETE /projects/{id}/members/{user_id}
    GET /projects/{id}/access_tokens              POST /projects/{id}/access_tokens
    GET /projects/{id}/access_tokens/{token_id}   DELETE /projects/{id}/access_tokens/{token_id}
    POST /projects/{id}/access_tokens/{token_id}/rotate
    POST /projects/{id}/access_tokens/self/rotate
    GET /projects/{id}/repository/branches        POST /projects/{id}/repository/branches
    GET /projects/{id}/repository/branches/{branch}
    DELETE /projects/{id}/repository/branches/{branch}
    GET /projects/{id}/repository/tags            GET /projects/{id}/repository/tags/{tag_name}
    GET /projects/{id}/repository/commits         GET /projects/{id}/repository/commits/{sha}
    GET /projects/{id}/repository/tree
    GET /projects/{id}/repository/files/{file_path}
    POST /projects/{id}/repository/files/{file_path}
    PUT /projects/{id}/repository/files/{file_path}
    DELETE /projects/{id}/repository/files/{file_path}
    GET /projects/{id}/repository/files/{file_path}/raw
    GET /projects/{id}/repository/archive         GET /projects/{id}/repository/archive.{format}
    GET /personal_access_tokens                   GET /personal_access_tokens/{id}
    DELETE /personal_access_tokens/{id}           POST /personal_access_tokens/{id}/rotate
    GET /personal_access_tokens/self              DELETE /personal_access_tokens/self
    POST /personal_access_tokens/self/rotate      GET /personal_access_tokens/self/associations
    GET /user                                     POST /user/personal_access_tokens
    GET /users                                    POST /users
    GET /users/{id}                               PUT /users/{id}
    DELETE /users/{id}                            POST /users/{id}/block
    POST /users/{id}/unblock                      POST /users/{user_id}/personal_access_tokens
    GET /version                                  GET /metadata
    GET /application/settings                     PUT /application/settings
    GET /openapi.json
";

/// `GET /groups/{id}` and so on, with what the document says of each.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            found.insert(name, operation.clone());
        }
    }
    found
}

async fn document(server: &TestServer) -> Value {
    server
        .anonymous()
        .get("/openapi.json")
        .await
        .expect(200)
        .json()
}

async fn the_document_is_served_to_everybody(server: TestServer) {
    let document = document(&server).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["servers"][0]["url"],
        format!("{}/api/v4", server.url)
    );
    server
        .with_token("glpat-not-one-of-ours-0000")
        .get("/openapi.json")
        .await
        .expect(401);
}

#[test]
fn the_route_table_and_the_document_say_the_same() {
    run_on_sqlite(async |server| {
        let documented: BTreeSet<String> =
            operations(&document(&server).await).into_keys().collect();
        let routed: BTreeSet<String> = routes::all()
            .iter()
            .filter_map(|area| Some((area.prefix.strip_prefix("/api/v4")?, &area.endpoints)))
            .flat_map(|(prefix, endpoints)| {
                endpoints
                    .iter()
                    .map(move |endpoint| format!("{} {prefix}{}", endpoint.method, endpoint.path))
            })
            .collect();
        assert_eq!(documented, routed);
    });
}

#[test]
fn everything_that_the_contract_names_is_there() {
    run_on_sqlite(async |server| {
        let documented: BTreeSet<String> =
            operations(&document(&server).await).into_keys().collect();
        let words: Vec<&str> = CONTRACT.split_whitespace().collect();
        let promised: BTreeSet<String> = words
            .chunks(2)
            .map(|pair| format!("{} {}", pair[0], pair[1]))
            .collect();
        assert_eq!(documented, promised);
    });
}

/// The places where one part of the document refers to another.
fn references<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                into.insert(reference);
            }
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[test]
fn the_document_hangs_together() {
    run_on_sqlite(async |server| {
        let document = document(&server).await;
        let mut named = BTreeSet::new();
        references(&document, &mut named);
        assert!(named.len() > 15, "{named:?}");
        for reference in named {
            let place = reference.trim_start_matches('#');
            assert!(document.pointer(place).is_some(), "{reference} is nowhere");
        }
        let operations = operations(&document);
        let ids: BTreeSet<&str> = operations
            .values()
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), operations.len(), "operation ids are unique");
        for (name, operation) in &operations {
            assert_ne!(operation["summary"], "", "{name}");
            let success = operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .any(|status| status.starts_with('2'));
            assert!(success, "{name} never succeeds");
        }
    });
}

#[test]
fn a_token_and_its_value_have_schemas_of_their_own() {
    run_on_sqlite(async |server| {
        let document = document(&server).await;
        let schema = |operation: &str, status: &str| {
            operations(&document)[operation]["responses"][status]["content"]["application/json"]["schema"]
                ["$ref"]
                .as_str()
                .unwrap()
                .trim_start_matches("#/components/schemas/")
                .to_owned()
        };
        let created = schema("POST /groups/{id}/access_tokens", "201");
        let personal = schema("POST /users/{user_id}/personal_access_tokens", "201");
        assert_ne!(created, personal);
        let schemas = &document["components"]["schemas"];
        assert!(schemas[&created].to_string().contains("\"token\""));
        let shown = schema("GET /groups/{id}/access_tokens/{token_id}", "200");
        assert!(!schemas[&shown].to_string().contains("\"token\""));
    });
}

/// The names of an operation's parameters with what the document says that they mean.
fn explained(operation: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<(String, String)> = operation["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| {
            let name = text(&parameter["name"]).trim_end_matches("[]").to_owned();
            (name, text(&parameter["description"]))
        })
        .collect();
    let body = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"];
    for (name, field) in body.as_object().into_iter().flatten() {
        found.push((name.clone(), text(&field["description"])));
    }
    found
}

#[test]
fn every_parameter_is_explained() {
    run_on_sqlite(async |server| {
        for (name, operation) in operations(&document(&server).await) {
            for (parameter, explanation) in explained(&operation) {
                assert!(!explanation.is_empty(), "{name}: {parameter}");
            }
        }
    });
}

/// A parameter that is asked for behind the first `?` would be read, and told to nobody.
#[test]
fn every_parameter_that_the_sources_read_is_in_the_document() {
    run_on_sqlite(async |server| {
        let documented: BTreeSet<String> = operations(&document(&server).await)
            .values()
            .flat_map(explained)
            .map(|(name, _)| name)
            .collect();
        let asked = Regex::new(r#"params\s*\.\w+\(\s*"(\w+)""#).unwrap();
        let mut read = BTreeSet::new();
        for file in [
            "access_tokens/api/parameters.rs",
            "git/api/parameters.rs",
            "groups/api/parameters.rs",
            "projects/api/parameters.rs",
            "users/api/parameters.rs",
            "members/api.rs",
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
            let source = fs::read_to_string(path).unwrap();
            let before = read.len();
            read.extend(
                asked
                    .captures_iter(&source)
                    .map(|found| found[1].to_owned()),
            );
            assert!(read.len() > before, "nothing is read in {file}");
        }
        let untold: Vec<&String> = read.difference(&documented).collect();
        assert!(untold.is_empty(), "{untold:?}");
    });
}

#[test]
fn people_read_the_same_on_a_page() {
    run_on_sqlite(async |server| {
        let page = server.get("/help/api").await.expect(200).text();
        let start = page.find("PRIVATE-TOKEN: ").unwrap();
        let bearer = page.find("Authorization: Bearer ").unwrap();
        for (name, operation) in operations(&document(&server).await) {
            let path = name.split(' ').nth(1).unwrap();
            let at = page.find(&format!("<code>{path}</code>"));
            assert!(
                at.is_some_and(|at| at > start && at > bearer),
                "{name} comes after the examples"
            );
            let summary = operation["summary"]
                .as_str()
                .unwrap()
                .replace('\'', "&#39;");
            assert!(page.contains(&summary), "{name}");
        }
    });
}
