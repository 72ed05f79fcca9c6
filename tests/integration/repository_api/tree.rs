//! What lies in folders.

use serde_json::json;

use super::{Code, column, missing, on_sqlite};
use crate::support::TestServer;

on_sqlite![
    folders_come_before_files,
    a_tree_goes_as_deep_as_asked,
    a_folder_that_is_not_there_is_not_found,
    an_empty_repository_has_an_empty_tree,
];

async fn folders_come_before_files(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let list = code.get("/tree").await;
    assert_eq!(
        column(&list, "path"),
        ["bin", "src", "README.md", "größe.txt"]
    );
    assert_eq!(
        list[2],
        json!({
            "id": "e965047ad7c57865823c7d992b1d046ea66edf78",
            "name": "README.md",
            "type": "blob",
            "path": "README.md",
            "mode": "100644",
        })
    );
    assert_eq!(
        (&list[0]["type"], &list[0]["mode"]),
        (&json!("tree"), &json!("040000"))
    );
    let second = code.get("/tree?per_page=3&page=2").await;
    assert_eq!(column(&second, "path"), ["größe.txt"]);
    assert_eq!(code.get("/tree?page=3").await, json!([]));
}

async fn a_tree_goes_as_deep_as_asked(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for (query, expected) in [
        ("path=src", vec!["src/deep"]),
        ("path=src/deep/", vec!["src/deep/a.txt"]),
        (
            "path=src&recursive=true",
            vec!["src/deep", "src/deep/a.txt"],
        ),
        ("path=bin&ref=old", vec!["bin/run.sh"]),
        (
            "ref=feature/one",
            vec!["bin", "src", "README.md", "feature.txt"],
        ),
        ("ref=v1.0", vec!["bin", "src", "README.md"]),
        ("ref=HEAD&per_page=1", vec!["bin"]),
    ] {
        let list = code.get(&format!("/tree?{query}")).await;
        assert_eq!(column(&list, "path"), expected, "{query}");
    }
    let answer = code
        .developer
        .get(&code.path("/tree?recursive=true&per_page=2&page=2"))
        .await
        .expect(200);
    assert_eq!(answer.header("x-total"), "7");
    assert_eq!(answer.header("x-next-page"), "3");
}

async fn a_folder_that_is_not_there_is_not_found(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for query in [
        "ref=nothing",
        "path=nothing",
        "path=README.md",
        "path=../etc",
        "path=/src",
        "path=src//deep",
        "ref=--help",
        "ref=main:src",
        "ref=refs/keep-around/x",
        "path=*",
        "path=:(top)src",
    ] {
        let outcome = code.outcome(&format!("/tree?{query}")).await;
        assert_eq!(outcome, missing("Tree"), "{query}");
    }
}

async fn an_empty_repository_has_an_empty_tree(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    assert_eq!(code.get("/tree").await, json!([]));
    assert_eq!(code.outcome("/tree?ref=main").await, missing("Tree"));
    assert_eq!(code.outcome("/tree?path=src").await, missing("Tree"));
}
