//! The OpenAPI document of the API, made of the route table: what an endpoint asks for and answers with is
//! told by the code that serves it.

mod answers;
mod glossary;
mod operation;

pub use answers::Answers;
pub use glossary::{explained, section};
pub use operation::{Place, parameters};

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::endpoint::{Access, Area};

/// What every path of the API starts with.
pub const BASE: &str = "/api/v4";

/// The document, for people and programs that reach us under `external_url`. `version` is the release whose
/// behaviour this is.
pub fn document(areas: &[Area], external_url: &str, version: &str) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    let mut sections: Vec<&'static str> = Vec::new();
    for area in areas.iter().filter(|area| area.prefix.starts_with(BASE)) {
        for endpoint in &area.endpoints {
            let (Some(about), Access::Api { .. }) = (&endpoint.about, endpoint.access) else {
                continue;
            };
            let path = format!("{}{}", area.prefix, endpoint.path);
            let path = path.strip_prefix(BASE).unwrap_or(&path);
            let mut answers = Answers::default();
            (about.answer)(&mut answers);
            let operation = operation::operation(path, endpoint, about, &mut answers);
            schemas.append(&mut answers.schemas);
            if !sections.contains(&section(path)) {
                sections.push(section(path));
            }
            let item = paths.entry(path).or_insert_with(|| json!({}));
            item[endpoint.method.as_str().to_ascii_lowercase()] = operation;
        }
    }
    schemas.insert("Problem".into(), problem());
    let tags: Vec<Value> = sections
        .iter()
        .map(|name| json!({ "name": name }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": version,
            "description": "Groups, projects, members, users, and the access tokens that let programs in. Parameters that stand in a body may be sent as JSON, as a form or as a multipart form; an optional one that is `null` or empty counts as not sent, but where it says that an empty text takes something away; unknown ones are ignored.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": format!("{external_url}{BASE}") }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "Why not",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
            "securitySchemes": {
                "private_token": { "type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

/// What every refusal looks like.
fn problem() -> Value {
    json!({
        "type": "object",
        "properties": {
            "message": {
                "description": "A sentence, or sentences by field.",
                "anyOf": [
                    { "type": "string" },
                    { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } },
                ],
            },
            "error": { "type": "string", "description": "What is wrong with a parameter, or `invalid_token` or `insufficient_scope`." },
            "error_description": { "type": "string" },
            "scope": { "type": "string", "description": "The scopes of which one would do, with spaces between them." },
        },
        "anyOf": [{ "required": ["message"] }, { "required": ["error"] }],
        "additionalProperties": false,
    })
}
