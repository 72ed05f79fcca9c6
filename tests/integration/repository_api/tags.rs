//! Tags.

use serde_json::json;

use super::{Code, column, missing, on_sqlite};
use crate::support::TestServer;

on_sqlite![tags_are_listed_and_shown, an_empty_repository_has_no_tags];

async fn tags_are_listed_and_shown(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for (query, expected) in [
        ("", vec!["light", "v1.0"]),
        ("?sort=asc", vec!["v1.0", "light"]),
        ("?order_by=name&sort=asc", vec!["light", "v1.0"]),
        ("?order_by=name", vec!["v1.0", "light"]),
        ("?search=^v", vec!["v1.0"]),
        ("?per_page=1&page=2", vec!["v1.0"]),
    ] {
        let list = code.get(&format!("/tags{query}")).await;
        assert_eq!(column(&list, "name"), expected, "{query}");
    }
    let tag = code.get("/tags/v1.0").await;
    assert_eq!(tag["message"], "First release");
    assert_eq!(tag["created_at"], "2023-11-14T22:16:40.000+00:00");
    assert_eq!(tag["commit"]["title"], "Begin");
    assert_ne!(tag["target"], tag["commit"]["id"]);
    let light = code.get("/tags/light").await;
    assert_eq!(light["target"], light["commit"]["id"]);
    assert_eq!(
        (&light["message"], &light["created_at"], &light["release"]),
        (&json!(""), &json!(null), &json!(null))
    );
    for name in ["nothing", "main", "-l", "v1"] {
        let outcome = code.outcome(&format!("/tags/{name}")).await;
        assert_eq!(outcome, missing("Tag"), "{name}");
    }
}

async fn an_empty_repository_has_no_tags(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    assert_eq!(code.get("/tags").await, json!([]));
}
