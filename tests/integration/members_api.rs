//! `/groups/:id/members` and `/projects/:id/members`, as programs list and change them.

mod adding;
mod changing;
mod leaving;
mod listing;

use serde_json::{Value, json};

use crate::support::{Company, TestResource};

/// A group and a project, under rules that are mostly the same.
fn both(company: &Company) -> [(&'static str, &dyn TestResource); 2] {
    [("group", &company.sub), ("project", &company.p2)]
}

fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

fn forbidden() -> (u16, Value) {
    (403, json!({ "message": "403 Forbidden" }))
}
