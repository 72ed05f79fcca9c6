//! One endpoint as the document tells it: where its parameters stand, and how it may refuse.

use actix_web::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answers::Answers;
use super::glossary::{explained, section};
use crate::access_tokens::scope::ScopeNeed;
use crate::web::endpoint::{About, Access, Endpoint};
use crate::web::params::described::{Described, Kind};

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the body.
    Body,
}

/// The parameters of an endpoint, each with where it stands.
pub fn parameters(path: &str, method: &Method, about: &About) -> Vec<(Place, Described)> {
    let in_path = names_in(path).map(|name| {
        let kind = match name {
            "id" if path.starts_with("/groups") || path.starts_with("/projects") => Kind::Text,
            "branch" | "tag_name" | "sha" | "file_path" => Kind::Text,
            "format" => Kind::Word(vec!["tar.gz", "tar", "zip"]),
            _ => Kind::Integer,
        };
        let described = Described {
            name,
            kind,
            required: true,
        };
        (Place::Path, described)
    });
    let place = match *method {
        Method::POST | Method::PUT => Place::Body,
        _ => Place::Query,
    };
    let asked = (about.parameters)();
    in_path
        .chain(asked.into_iter().map(|described| (place, described)))
        .collect()
}

/// The names in braces.
fn names_in(path: &str) -> impl Iterator<Item = &'static str> {
    const NAMES: [&str; 8] = [
        "id",
        "token_id",
        "user_id",
        "branch",
        "tag_name",
        "sha",
        "file_path",
        "format",
    ];
    NAMES
        .into_iter()
        .filter(move |name| path.contains(&format!("{{{name}}}")))
}

/// The operation object of an endpoint. `answers` holds how it may succeed.
pub(super) fn operation(
    path: &str,
    endpoint: &Endpoint,
    about: &About,
    answers: &mut Answers,
) -> Value {
    let (scope, anonymous) = match endpoint.access {
        Access::Api {
            scope, anonymous, ..
        } => (scope, anonymous),
        _ => (ScopeNeed::Write, false),
    };
    let mut outside = Vec::new();
    let mut body = Map::new();
    let mut required = Vec::new();
    for (place, parameter) in parameters(path, &endpoint.method, about) {
        match place {
            Place::Body => {
                if parameter.required {
                    required.push(parameter.name);
                }
                body.insert(parameter.name.into(), field(path, &parameter));
            }
            _ => outside.push(elsewhere(path, place, &parameter)),
        }
    }
    if matches!(endpoint.method, Method::POST) && path.ends_with("access_tokens") {
        outside.push(idempotency_key());
    }
    refusals(path, &endpoint.method, answers);
    let mut operation = json!({
        "tags": [section(path)],
        "summary": about.summary,
        "description": needs(scope, anonymous),
        "operationId": operation_id(&endpoint.method, path),
        "parameters": outside,
        "responses": answers.responses,
        "security": security(anonymous),
    });
    if !body.is_empty() {
        let mut schema = json!({ "type": "object", "properties": body });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        operation["requestBody"] = json!({
            "required": !required.is_empty(),
            "content": { "application/json": { "schema": schema } },
        });
    }
    operation
}

fn needs(scope: ScopeNeed, anonymous: bool) -> String {
    let token = match scope.enough() {
        [] => "a token of any scope".to_owned(),
        scopes => {
            let names: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            format!("a token with the scope {}", names.join(" or "))
        }
    };
    if anonymous {
        format!("Public things without a credential; otherwise {token}.")
    } else {
        format!("Needs {token}.")
    }
}

fn security(anonymous: bool) -> Value {
    let mut ways = vec![json!({ "private_token": [] }), json!({ "bearer": [] })];
    if anonymous {
        ways.push(json!({}));
    }
    json!(ways)
}

/// `get_groups_id_access_tokens`
fn operation_id(method: &Method, path: &str) -> String {
    let words: Vec<&str> = path
        .split(['/', '{', '}', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    format!(
        "{}_{}",
        method.as_str().to_ascii_lowercase(),
        words.join("_")
    )
}

/// How any endpoint, and this one besides, may refuse.
fn refusals(path: &str, method: &Method, answers: &mut Answers) {
    for status in [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::URI_TOO_LONG,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        StatusCode::SERVICE_UNAVAILABLE,
    ] {
        answers.refuse(status);
    }
    // A person's token where only a bot's can be rotated.
    if path.ends_with("/self/rotate") {
        answers.refuse(StatusCode::METHOD_NOT_ALLOWED);
    }
    // Of a change that collides with what is there, or with another one at the same moment.
    if method != Method::GET {
        answers.refuse(StatusCode::CONFLICT);
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key with the same request makes one token within 24 hours, however often it is sent.",
        "schema": { "type": "string", "pattern": "^[ -~]{1,255}$" },
    })
}

/// A parameter in the path or the query.
fn elsewhere(path: &str, place: Place, parameter: &Described) -> Value {
    let is_list = matches!(
        parameter.kind,
        Kind::Words(_) | Kind::Integers | Kind::Texts
    );
    let name = if is_list {
        format!("{}[]", parameter.name)
    } else {
        parameter.name.to_owned()
    };
    json!({
        "name": name,
        "in": if place == Place::Path { "path" } else { "query" },
        "required": parameter.required,
        "description": explained(path, parameter.name),
        "schema": schema(&parameter.kind),
    })
}

/// A parameter in the body. What may be left out may be sent as `null` too.
fn field(path: &str, parameter: &Described) -> Value {
    let mut schema = schema(&parameter.kind);
    if !parameter.required {
        if let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.push(Value::Null);
        }
    }
    schema["description"] = json!(explained(path, parameter.name));
    schema
}

fn schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::IdOrPath => json!({ "type": ["string", "integer"] }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Positive => json!({ "type": "integer", "minimum": 1 }),
        Kind::Within(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::DateTime => json!({ "type": "string", "format": "date-time" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Number(numbers) => json!({ "type": "integer", "enum": numbers }),
        Kind::Words(words) => {
            json!({ "type": "array", "items": { "type": "string", "enum": words } })
        }
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Integers => json!({ "type": "array", "items": { "type": "integer" } }),
    }
}
