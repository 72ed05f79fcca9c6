//! Who may read, and who may write.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{Code, names, on_sqlite};
use crate::on_both;
use crate::support::{Api, TestResource, TestServer};

on_both![reading_takes_scope_visibility_and_role];
on_sqlite![
    anybody_reads_what_is_public,
    writing_takes_a_developer_and_on_the_default_branch_a_maintainer,
    nothing_is_written_to_an_archived_project,
];

const READS: [&str; 8] = [
    "/branches",
    "/branches/main",
    "/tags",
    "/commits",
    "/commits/main",
    "/tree",
    "/files/README.md?ref=main",
    "/archive",
];

async fn reading_takes_scope_visibility_and_role(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let project = &code.project;
    let token = |name, level, scope| project.token(name).role(level).scopes([scope]).create();
    let outsider = server.person("outsider").create();
    for rest in READS {
        let path = code.path(rest);
        for (scope, status) in [
            (Scope::Api, 200),
            (Scope::ReadApi, 200),
            (Scope::ReadRepository, 403),
            (Scope::WriteRepository, 403),
        ] {
            let api = token("reader", AccessLevel::Reporter, scope);
            assert_eq!(api.get(&path).await.status, status, "{scope:?} {rest}");
        }
        let guest = token("guest", AccessLevel::Guest, Scope::Api);
        guest.get(&path).await.expect(403);
        let hidden = (404, json!({ "message": "404 Project Not Found" }));
        let foreign = outsider.personal_token([Scope::Api]);
        assert_eq!(foreign.get(&path).await.outcome(), hidden, "{rest}");
        assert_eq!(server.anonymous().get(&path).await.outcome(), hidden);
    }
}

async fn anybody_reads_what_is_public(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    let open = server
        .group("open")
        .public()
        .create()
        .project("site")
        .create();
    let maintainer = open.token("m").create();
    let path = format!("{}/repository", open.path());
    let body = json!({ "branch": "main", "commit_message": "Write", "content": "x" });
    let file = format!("{path}/files/README.md");
    maintainer.post(&file, body).await.expect(201);
    let anybody = server.anonymous();
    assert_eq!(names(&anybody, &format!("{path}/branches")).await, ["main"]);
    for rest in READS {
        anybody.get(&format!("{path}{rest}")).await.expect(200);
    }
    let encoded = "/projects/open%2Fsite/repository/tree";
    assert_eq!(names(&anybody, encoded).await, ["README.md"]);
    anybody.delete(&file).await.expect(401);
    let foreign = code.maintainer;
    foreign
        .delete(&format!("{file}?branch=x&commit_message=y"))
        .await
        .expect(403);
}

/// Everything that changes something, on a branch.
async fn writes(code: &Code, api: &Api, branch: &str) -> Vec<u16> {
    let body =
        |content: &str| json!({ "branch": branch, "commit_message": "Write", "content": content });
    let file = code.path("/files/new.txt");
    let gone = format!("{file}?branch={branch}&commit_message=Away");
    let mut statuses = vec![
        api.post(&file, body("1")).await.status,
        api.put(&file, body("2")).await.status,
        api.delete(&gone).await.status,
    ];
    let made = json!({ "branch": format!("{branch}-2"), "ref": branch });
    statuses.push(api.post(&code.path("/branches"), made).await.status);
    statuses.push(
        api.delete(&code.path(&format!("/branches/{branch}-2")))
            .await
            .status,
    );
    statuses
}

async fn writing_takes_a_developer_and_on_the_default_branch_a_maintainer(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let project = &code.project;
    let token = |level, scope| project.token("t").role(level).scopes([scope]).create();
    let done = vec![201, 200, 204, 201, 204];
    let branch_only = vec![403, 403, 403, 201, 204];
    let refused = vec![403; 5];
    for (level, scope, branch, expected) in [
        (AccessLevel::Reporter, Scope::Api, "old", &refused),
        (AccessLevel::Developer, Scope::ReadApi, "old", &refused),
        (
            AccessLevel::Developer,
            Scope::WriteRepository,
            "old",
            &refused,
        ),
        (AccessLevel::Developer, Scope::Api, "old", &done),
        (AccessLevel::Developer, Scope::Api, "main", &branch_only),
        (AccessLevel::Maintainer, Scope::ReadApi, "main", &refused),
        (AccessLevel::Maintainer, Scope::Api, "main", &done),
    ] {
        let statuses = writes(&code, &token(level, scope), branch).await;
        assert_eq!(&statuses, expected, "{level:?} {scope:?} {branch}");
    }
}

async fn nothing_is_written_to_an_archived_project(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let id = code.project.id;
    server.sql(&format!(
        "UPDATE projects SET archived = TRUE WHERE id = {id}"
    ));
    assert_eq!(writes(&code, &code.maintainer, "old").await, [403; 5]);
    let branch = code.get("/branches/old").await;
    assert_eq!(
        branch["can_push"],
        Value::Bool(false),
        "and it is still read"
    );
}
