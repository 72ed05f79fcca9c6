//! `/groups`, as programs list, make, change, move and delete them.

mod create;
mod delete;
mod hidden;
mod list;
mod update;

use serde_json::{Value, json};

use crate::support::Api;

fn forbidden() -> (u16, Value) {
    (403, json!({ "message": "403 Forbidden" }))
}

fn group_missing() -> (u16, Value) {
    (404, json!({ "message": "404 Group Not Found" }))
}

fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

/// The full paths in a list.
async fn paths(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.expect(200).json();
    let rows = list.as_array().unwrap().iter();
    rows.map(|group| group["full_path"].as_str().unwrap().to_owned())
        .collect()
}
