//! `/projects/:id/access_tokens`, and the pages of a project's tokens.

mod bots;
mod create;
mod list;
mod page;
mod reuse;
mod revoke;
mod roles;
mod rotate;
mod self_rotate;
mod show;
mod switch;
mod verbs;

use serde_json::{Value, json};

use crate::group_access_tokens::{assert_is_token_object, invalid, refused, unauthorized};
use crate::support::{TestProject, TestResource};

/// Where a project's tokens are, for programs.
fn tokens_of(project: &TestProject) -> String {
    format!("{}/access_tokens", project.path())
}

/// No token of this id on this project.
fn missing(id: &str) -> (u16, Value) {
    let text = format!("404 Could not find project access token with token_id: {id} Not Found");
    (404, json!({ "message": text }))
}

/// No such project, as far as the caller may know.
fn project_missing() -> (u16, Value) {
    (404, json!({ "message": "404 Project Not Found" }))
}

/// Nothing of this kind, for those who may know.
fn not_found() -> (u16, Value) {
    (404, json!({ "message": "404 Not Found" }))
}
