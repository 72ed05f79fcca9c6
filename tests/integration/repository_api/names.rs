//! Names that are hard to get right.

use serde_json::json;

use super::{Code, column, on_sqlite};
use crate::support::TestServer;

on_sqlite![
    a_branch_wins_over_a_tag_of_its_name,
    names_are_taken_as_they_are_written,
];

async fn a_branch_wins_over_a_tag_of_its_name(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let first = code.id("old").await;
    code.push(
        &format!("{}reset refs/tags/main\nfrom :1\n\n", super::HISTORY),
        "refs/tags/main",
    );
    let main = code.get("/commits/main").await;
    assert_ne!(
        main["id"], first,
        "nobody puts a tag before the protected branch"
    );
    assert_eq!(code.id("refs%2Ftags%2Fmain").await, first);
}

async fn names_are_taken_as_they_are_written(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    for path in [
        "-x",
        "--help",
        "a b+c.txt",
        "100%.txt",
        "[a]*?.txt",
        "ö/ü",
        ":(glob)x",
        "a;$(id)",
    ] {
        let encoded =
            percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC);
        let file = code.path(&format!("/files/{encoded}"));
        let body = json!({ "branch": "main", "commit_message": "Write", "content": path });
        let made = code.maintainer.post(&file, body).await.expect(201).json();
        assert_eq!(made, json!({ "file_path": path, "branch": "main" }));
        let raw = code.developer.get(&format!("{file}/raw")).await.expect(200);
        assert_eq!(raw.text(), path);
        let log = code.get(&format!("/commits?path={encoded}")).await;
        assert_eq!(log.as_array().unwrap().len(), 1, "{path}");
    }
    let all = code.get("/tree?recursive=true&per_page=100").await;
    assert_eq!(column(&all, "path").len(), 9);
}
