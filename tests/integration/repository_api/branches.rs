//! Branches: found, made and deleted.

use serde_json::json;

use super::{Code, column, missing, on_sqlite, told};
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_sqlite![
    branches_are_listed_by_name,
    a_branch_tells_of_itself_as_clients_know_it,
    a_branch_that_is_behind_is_merged,
    a_branch_begins_where_it_is_said,
    a_branch_that_cannot_be_is_refused,
    an_empty_repository_has_no_branches,
    a_project_tells_whether_something_was_pushed,
];
on_both![a_branch_comes_and_goes_and_the_trail_tells];

async fn branches_are_listed_by_name(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for (query, expected) in [
        ("", vec!["feature/one", "main", "old"]),
        ("?search=AI", vec!["main"]),
        ("?search=^o", vec!["old"]),
        ("?search=e$", vec!["feature/one"]),
        ("?search=nothing", vec![]),
        ("?per_page=2&page=2", vec!["old"]),
    ] {
        let list = code.get(&format!("/branches{query}")).await;
        assert_eq!(column(&list, "name"), expected, "{query}");
    }
    let answer = code
        .developer
        .get(&code.path("/branches?per_page=2"))
        .await
        .expect(200);
    assert_eq!(answer.header("x-total"), "3");
    assert_eq!(answer.header("x-next-page"), "2");
}

async fn a_branch_tells_of_itself_as_clients_know_it(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let branch = code.get("/branches/feature%2Fone").await;
    let id = branch["commit"]["id"].as_str().unwrap();
    assert_eq!(id.len(), 40);
    let url = format!("{}/acme/api/-", server.url);
    assert_eq!(
        branch,
        json!({
            "name": "feature/one",
            "commit": {
                "id": id,
                "short_id": &id[..8],
                "created_at": "2023-11-16T17:13:20.000-05:00",
                "parent_ids": [code.id("old").await],
                "title": "Feature",
                "message": "Feature\n",
                "author_name": "Carol",
                "author_email": "carol@example.com",
                "authored_date": "2023-11-16T17:13:20.000-05:00",
                "committer_name": "Carol",
                "committer_email": "carol@example.com",
                "committed_date": "2023-11-16T17:13:20.000-05:00",
                "web_url": format!("{url}/commit/{id}"),
            },
            "merged": false,
            "protected": false,
            "developers_can_push": false,
            "developers_can_merge": false,
            "can_push": true,
            "default": false,
            "web_url": format!("{url}/tree/feature/one"),
        })
    );
    let main = code.get("/branches/main").await;
    assert_eq!(
        (&main["default"], &main["protected"], &main["can_push"]),
        (&json!(true), &json!(true), &json!(false))
    );
    for name in ["nothing", "feature", "v1.0", "HEAD", "a..b", "-x", "a%00b"] {
        let outcome = code.outcome(&format!("/branches/{name}")).await;
        assert_eq!(outcome, missing("Branch"), "{name}");
    }
}

async fn a_branch_that_is_behind_is_merged(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let list = code.get("/branches").await;
    let merged: Vec<bool> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|branch| branch["merged"].as_bool().unwrap())
        .collect();
    assert_eq!(merged, [false, false, true]);
}

async fn a_branch_begins_where_it_is_said(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let first = code.id("old").await;
    for (name, start) in [
        ("a", "main"),
        ("b/c", "v1.0"),
        ("d", &first),
        ("e", &first[..8]),
    ] {
        let body = json!({ "branch": name, "ref": start });
        let path = code.path("/branches");
        let made = code.developer.post(&path, body).await.expect(201).json();
        assert_eq!(made["name"], name);
        assert_eq!(made["commit"]["id"], code.id(start).await, "{start}");
    }
}

async fn a_branch_that_cannot_be_is_refused(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for (name, start, expected) in [
        ("old", "main", told("Branch already exists")),
        ("a b", "main", told("Branch name is invalid")),
        ("-x", "main", told("Branch name is invalid")),
        ("HEAD", "main", told("Branch name is invalid")),
        ("x", "nothing", told("Invalid reference name: nothing")),
        ("x", "main~1", told("Invalid reference name: main~1")),
        ("x", "--all", told("Invalid reference name: --all")),
    ] {
        let body = json!({ "branch": name, "ref": start });
        let answer = code.developer.post(&code.path("/branches"), body).await;
        assert_eq!(answer.outcome(), expected, "{name} {start}");
    }
    // A folder where a branch is can't be.
    let body = json!({ "branch": "old/er", "ref": "main" });
    code.developer
        .post(&code.path("/branches"), body)
        .await
        .expect(409);
    let rejected = "event = 'repository_push_rejected'";
    assert_eq!(server.count("audit_events", rejected), 1);
    let answer = code
        .developer
        .post(&code.path("/branches"), json!({}))
        .await;
    assert_eq!(
        answer.outcome(),
        (400, json!({ "error": "branch is missing, ref is missing" }))
    );
}

async fn an_empty_repository_has_no_branches(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    assert_eq!(code.get("/branches").await, json!([]));
    assert_eq!(code.outcome("/branches/main").await, missing("Branch"));
    let body = json!({ "branch": "x", "ref": "main" });
    let answer = code.developer.post(&code.path("/branches"), body).await;
    assert_eq!(answer.outcome(), told("Invalid reference name: main"));
}

async fn a_project_tells_whether_something_was_pushed(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    let project = code.project.path();
    let told = async || code.developer.get(&project).await.expect(200).json()["empty_repo"].clone();
    assert_eq!(told().await, true);
    let file = json!({ "branch": "main", "commit_message": "x", "content": "x" });
    code.maintainer
        .post(&code.path("/files/a"), file)
        .await
        .expect(201);
    assert_eq!(told().await, false);
}

async fn a_branch_comes_and_goes_and_the_trail_tells(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let pushed = "event = 'repository_pushed'";
    assert_eq!(server.count("audit_events", pushed), 1);
    let body = json!({ "branch": "new/one", "ref": "main" });
    let path = code.path("/branches");
    code.developer.post(&path, body).await.expect(201);
    let one = code.path("/branches/new%2Fone");
    code.developer.get(&one).await.expect(200);
    code.developer.delete(&one).await.expect(204);
    assert_eq!(code.developer.get(&one).await.outcome(), missing("Branch"));
    assert_eq!(
        code.developer.delete(&one).await.outcome(),
        missing("Branch")
    );
    assert_eq!(server.count("audit_events", pushed), 3);
    let main = code.path("/branches/main");
    let refused = code.maintainer.delete(&main).await.expect(403);
    assert_eq!(
        refused.message(),
        "403 Forbidden - The default branch of a project cannot be deleted"
    );
    code.developer.get(&main).await.expect(200);
}
