//! `/groups/:id/access_tokens`

mod create;
mod list;
mod permissions;
mod retention;
mod reuse;
mod revoke;
mod rotate;
mod self_rotate;
mod show;
mod switch;
mod uses;

use serde_json::{Value, json};

/// A rule of the product that said no, as the API puts it.
pub(crate) fn refused(reason: &str) -> (u16, Value) {
    (
        400,
        json!({ "message": format!("400 Bad request - {reason}") }),
    )
}

/// A parameter that can't be.
pub(crate) fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

pub(crate) fn unauthorized() -> (u16, Value) {
    (401, json!({ "message": "401 Unauthorized" }))
}

/// No token of this id on this group.
fn missing(id: &str) -> (u16, Value) {
    let text = format!("404 Could not find group access token with token_id: {id} Not Found");
    (404, json!({ "message": text }))
}

/// No such group, as far as the caller may know.
fn group_missing() -> (u16, Value) {
    (404, json!({ "message": "404 Group Not Found" }))
}

/// Is it an object as clients know it: the documented keys, none that tells a secret?
#[track_caller]
pub(crate) fn assert_is_token_object(object: &Value, with_value: bool) {
    let mut documented = vec![
        "access_level",
        "active",
        "created_at",
        "description",
        "expires_at",
        "id",
        "last_used_at",
        "name",
        "revoked",
        "scopes",
        "user_id",
    ];
    if with_value {
        documented.push("token");
    }
    let later = ["last_used_ips", "resource_type", "resource_id"];
    let keys: Vec<&str> = object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    for key in &documented {
        assert!(keys.contains(key), "{key} is missing in {object}");
    }
    for key in keys {
        assert!(
            documented.contains(&key) || later.contains(&key),
            "{key} doesn't belong into {object}"
        );
    }
    let created_at = object["created_at"].as_str().unwrap();
    let shape = regex::Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
    assert!(shape.is_match(created_at), "{created_at}");
    for key in ["id", "user_id", "access_level"] {
        assert!(
            object[key].is_i64() || object[key].is_null(),
            "{key} in {object}"
        );
    }
}
