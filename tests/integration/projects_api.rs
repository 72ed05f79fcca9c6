//! `/projects`, as programs list, make, change, move and delete them.

mod changes;
mod create;
mod list;
mod names;

use serde_json::{Value, json};

use crate::support::Api;

fn forbidden() -> (u16, Value) {
    (403, json!({ "message": "403 Forbidden" }))
}

fn project_missing() -> (u16, Value) {
    (404, json!({ "message": "404 Project Not Found" }))
}

fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

/// A field that can't be so.
fn wrong(field: &str, problem: &str) -> (u16, Value) {
    (400, json!({ "message": { field: [problem] } }))
}

/// The full paths in a list.
async fn paths(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.expect(200).json();
    let rows = list.as_array().unwrap().iter();
    rows.map(|project| project["path_with_namespace"].as_str().unwrap().to_owned())
        .collect()
}
