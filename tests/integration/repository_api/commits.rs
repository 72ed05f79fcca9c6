//! The history.

use serde_json::json;

use super::{Code, column, missing, on_sqlite};
use crate::support::TestServer;

on_sqlite![
    the_latest_commit_comes_first,
    commits_are_narrowed_down,
    a_commit_tells_how_much_it_changes,
    a_commit_that_is_not_there_is_not_found,
    an_empty_repository_has_no_commits,
    beyond_all_commits_there_are_none,
];

async fn the_latest_commit_comes_first(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let answer = code
        .developer
        .get(&code.path("/commits?per_page=1"))
        .await
        .expect(200);
    assert_eq!(column(&answer.json(), "title"), ["Go on"]);
    assert_eq!(answer.header("x-next-page"), "2");
    assert_eq!(answer.header("x-total"), "", "nobody counts a history");
    let second = code.get("/commits?per_page=1&page=2").await;
    assert_eq!(column(&second, "title"), ["Begin"]);
    assert_eq!(second[0]["message"], "Begin\n\nWith two lines.\n");
    assert_eq!(second[0]["authored_date"], "2023-11-14T23:13:20.000+01:00");
    assert_eq!(second[0]["created_at"], "2023-11-14T22:15:00.000+00:00");
    assert_eq!(second[0]["parent_ids"], json!([]));
    assert_eq!(code.get("/commits?page=9").await, json!([]));
}

async fn commits_are_narrowed_down(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for (query, expected) in [
        ("", vec!["Go on", "Begin"]),
        ("ref_name=feature/one", vec!["Feature", "Begin"]),
        ("ref_name=v1.0", vec!["Begin"]),
        ("path=README.md", vec!["Begin"]),
        ("path=src/deep", vec!["Go on", "Begin"]),
        ("path=nothing", vec![]),
        ("path=../x", vec![]),
        ("path=*", vec![]),
        ("since=2023-11-15T00:00:00Z", vec!["Go on"]),
        ("until=2023-11-15T00:00:00Z", vec!["Begin"]),
        ("since=2024-01-01", vec![]),
    ] {
        let list = code.get(&format!("/commits?{query}")).await;
        assert_eq!(column(&list, "title"), expected, "{query}");
    }
    let outcome = code.outcome("/commits?since=yesterday").await;
    assert_eq!(outcome, (400, json!({ "error": "since is invalid" })));
}

async fn a_commit_tells_how_much_it_changes(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let id = code.id("main").await;
    let stats = json!({ "additions": 3, "deletions": 1, "total": 4 });
    for revision in [&id, &id[..8], "main", "light", "HEAD"] {
        let commit = code.get(&format!("/commits/{revision}")).await;
        assert_eq!(commit["id"], id, "{revision}");
        assert_eq!(commit["stats"], stats, "{revision}");
        assert_eq!(commit["project_id"], code.project.id);
    }
    let first = code.get("/commits/old").await;
    assert_eq!(first["stats"]["additions"], 3, "the first of all");
    let branch = code.get("/commits/feature%2Fone?stats=false").await;
    assert_eq!(branch["title"], "Feature");
    assert!(branch.get("stats").is_none());
}

async fn a_commit_that_is_not_there_is_not_found(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for revision in [
        "nothing",
        "0123456789012345678901234567890123456789",
        "0123456",
        "main~1",
        "--all",
        "main%0Aold",
        // A file, not a commit.
        "e965047ad7c57865823c7d992b1d046ea66edf78",
    ] {
        let outcome = code.outcome(&format!("/commits/{revision}")).await;
        assert_eq!(outcome, missing("Commit"), "{revision}");
    }
    let outcome = code.outcome("/commits?ref_name=nothing").await;
    assert_eq!(outcome, missing("Commit"));
}

async fn beyond_all_commits_there_are_none(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for page in ["1000", "200000000"] {
        assert_eq!(code.get(&format!("/commits?page={page}")).await, json!([]));
    }
}

async fn an_empty_repository_has_no_commits(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    assert_eq!(code.get("/commits").await, json!([]));
    assert_eq!(code.outcome("/commits/HEAD").await, missing("Commit"));
}
