//! `/personal_access_tokens` and what makes personal tokens, as their holders and administrators use them.

mod associations;
mod by_id;
mod creating;
mod listing;

use serde_json::{Value, json};

fn unauthorized() -> (u16, Value) {
    (401, json!({ "message": "401 Unauthorized" }))
}

fn forbidden() -> (u16, Value) {
    (403, json!({ "message": "403 Forbidden" }))
}

fn invalid(problem: &str) -> (u16, Value) {
    (400, json!({ "error": problem }))
}

fn refused(reason: &str) -> (u16, Value) {
    (
        400,
        json!({ "message": format!("400 Bad request - {reason}") }),
    )
}

/// Is it a personal token as clients know it?
#[track_caller]
fn assert_is_personal_token(object: &Value, with_value: bool) {
    let documented = [
        "id",
        "name",
        "revoked",
        "created_at",
        "description",
        "scopes",
        "user_id",
        "last_used_at",
        "active",
        "expires_at",
    ];
    for key in documented {
        assert!(object.get(key).is_some(), "{key} is missing in {object}");
    }
    assert!(object.get("access_level").is_none(), "{object}");
    assert_eq!(object["token"].is_string(), with_value, "{object}");
    assert_eq!(object.get("token").is_some(), with_value, "{object}");
}
