//! `/users`, as programs read it and administrators change it.

mod administration;
mod creating;
mod listing;
mod showing;

use serde_json::{Value, json};

fn forbidden() -> (u16, Value) {
    (403, json!({ "message": "403 Forbidden" }))
}

fn user_missing() -> (u16, Value) {
    (404, json!({ "message": "404 User Not Found" }))
}

fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

/// The keys of an object.
fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}
