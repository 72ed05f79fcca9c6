//! Files written, changed and deleted.

use serde_json::{Value, json};

use super::{Code, column, on_sqlite, told};
use crate::on_both;
use crate::support::{Api, TestServer};

on_both![
    a_file_is_written_by_a_commit_of_whoever_asks,
    a_token_that_works_is_not_committed,
];
on_sqlite![
    the_first_commit_makes_the_branch,
    a_branch_begins_with_a_file,
    what_does_not_fit_is_refused_and_changes_nothing,
    only_the_file_changes,
    a_file_that_changed_meanwhile_is_not_overwritten,
    of_two_at_once_nothing_is_lost,
    content_comes_as_text_or_as_base64,
];

fn write(branch: &str, content: &str) -> Value {
    json!({ "branch": branch, "commit_message": "Write it", "content": content })
}

async fn a_file_is_written_by_a_commit_of_whoever_asks(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    let file = code.path("/files/docs%2Fa.md");
    let idle = code
        .developer
        .get(&format!("/projects/{}", code.project.id))
        .await
        .json();
    server.clock.advance(chrono::TimeDelta::hours(1));
    let answer = code.maintainer.post(&file, write("main", "one\n")).await;
    assert_eq!(
        answer.outcome(),
        (201, json!({ "file_path": "docs/a.md", "branch": "main" }))
    );
    let commit = code.get("/commits/main").await;
    let now = server
        .now()
        .format("%Y-%m-%dT%H:%M:%S.000+00:00")
        .to_string();
    let email = commit["author_email"].as_str().unwrap();
    assert_eq!(commit["author_name"], "maintainer");
    assert!(email.contains("noreply"), "{email}");
    assert_eq!(commit["committer_email"], email);
    assert_eq!(
        (&commit["message"], &commit["created_at"]),
        (&json!("Write it"), &json!(now))
    );

    let mut signed = write("main", "two\n");
    signed["author_name"] = json!("Grace <x>\nHopper");
    signed["author_email"] = json!("grace@example.com");
    let answer = code.maintainer.put(&file, signed).await;
    assert_eq!(
        answer.outcome(),
        (200, json!({ "file_path": "docs/a.md", "branch": "main" }))
    );
    let commit = code.get("/commits/main").await;
    assert_eq!(commit["author_name"], "Grace xHopper");
    assert_eq!(commit["author_email"], "grace@example.com");
    assert_eq!(commit["committer_name"], "maintainer");
    assert_eq!(
        commit["stats"],
        json!({ "additions": 1, "deletions": 1, "total": 2 })
    );

    let gone = format!("{file}?branch=main&commit_message=Away");
    code.maintainer.delete(&gone).await.expect(204);
    assert_eq!(code.get("/tree").await, json!([]));
    let log = code.get("/commits").await;
    assert_eq!(column(&log, "title"), ["Away", "Write it", "Write it"]);

    let pushed = "event = 'repository_pushed'";
    assert_eq!(server.count("audit_events", pushed), 3);
    let project = code
        .developer
        .get(&format!("/projects/{}", code.project.id))
        .await
        .json();
    assert_ne!(project["last_activity_at"], idle["last_activity_at"]);
}

async fn the_first_commit_makes_the_branch(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    let file = code.path("/files/README.md");
    code.developer
        .post(&file, write("main", "x"))
        .await
        .expect(403);
    code.developer
        .post(&file, write("work", "x"))
        .await
        .expect(201);
    let branches = code.get("/branches").await;
    assert_eq!(column(&branches, "name"), ["work"]);
    assert_eq!(branches[0]["commit"]["parent_ids"], json!([]));
    let other = code.path("/files/other.md");
    let answer = code.maintainer.post(&other, write("main", "x")).await;
    let text = "You can only create or edit files when you are on a branch";
    assert_eq!(answer.outcome(), told(text), "it is no longer empty");
}

async fn a_branch_begins_with_a_file(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let file = code.path("/files/a.txt");
    let with_start = |branch: &str, start: &str| {
        let mut body = write(branch, "x");
        body["start_branch"] = json!(start);
        body
    };
    let post = async |body| code.developer.post(&file, body).await.outcome();
    let (status, _) = post(with_start("work", "main")).await;
    assert_eq!(status, 201);
    let made = code.get("/commits/work").await;
    assert_eq!(made["parent_ids"], json!([code.id("main").await]));
    let text =
        "A branch called 'old' already exists. Switch to that branch in order to make changes";
    assert_eq!(post(with_start("old", "main")).await, told(text));
    let text = "Cannot find start branch 'nothing'";
    assert_eq!(post(with_start("x", "nothing")).await, told(text));
}

async fn what_does_not_fit_is_refused_and_changes_nothing(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    const TAKEN: &str = "A file with this name already exists";
    const MISSING: &str = "A file with this name doesn't exist";
    let before = code.get("/branches").await;
    let invalid = |text: &str| (400, json!({ "error": text }));
    for (path, body, creating, changing) in [
        ("README.md", write("main", "x"), Some(told(TAKEN)), None),
        (
            "src",
            write("main", "x"),
            Some(told(TAKEN)),
            Some(told(MISSING)),
        ),
        (
            "README.md%2Fx",
            write("main", "x"),
            Some(told(TAKEN)),
            Some(told(MISSING)),
        ),
        ("nothing", write("main", "x"), None, Some(told(MISSING))),
        (
            ".git%2Fconfig",
            write("main", "x"),
            Some(invalid("file_path is invalid")),
            None,
        ),
        (
            "a%2F..%2Fb",
            write("main", "x"),
            Some(invalid("file_path is invalid")),
            None,
        ),
        (
            "git~1%2Fhooks",
            write("main", "x"),
            Some(invalid("file_path is invalid")),
            None,
        ),
        (
            "a",
            write("a b", "x"),
            Some(invalid("branch is invalid")),
            None,
        ),
        (
            "a",
            json!({ "branch": "main", "commit_message": " ", "content": "" }),
            Some(invalid("commit_message is invalid")),
            None,
        ),
        (
            "a",
            json!({}),
            Some(invalid(
                "content is missing, branch is missing, commit_message is missing",
            )),
            None,
        ),
    ] {
        let file = code.path(&format!("/files/{path}"));
        if let Some(expected) = creating {
            let answer = code.maintainer.post(&file, body.clone()).await;
            assert_eq!(answer.outcome(), expected, "POST {path}");
        }
        if let Some(expected) = changing {
            let answer = code.maintainer.put(&file, body).await;
            assert_eq!(answer.outcome(), expected, "PUT {path}");
            let gone = format!("{file}?branch=main&commit_message=Away");
            let answer = code.maintainer.delete(&gone).await;
            assert_eq!(answer.outcome(), expected, "DELETE {path}");
        }
    }
    let file = code.path("/files/.gitmodules");
    let evil = "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n";
    let answer = code.maintainer.post(&file, write("main", evil)).await;
    let text = "Git does not take a file like this: a clone of it could do harm";
    assert_eq!(answer.outcome(), told(text));
    let rejected = "event = 'repository_push_rejected'";
    assert_eq!(server.count("audit_events", rejected), 1);
    assert_eq!(code.get("/branches").await, before);
}

async fn only_the_file_changes(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let before = code.get("/tree?recursive=true").await;
    let file = code.path("/files/bin%2Frun.sh");
    code.maintainer
        .put(&file, write("main", "#!/bin/bash\n"))
        .await
        .expect(200);
    let after = code.get("/tree?recursive=true").await;
    assert_eq!(column(&after, "path"), column(&before, "path"));
    assert_eq!(
        column(&after, "mode"),
        column(&before, "mode"),
        "a program stays one"
    );
    let same = |path: &str| {
        let id = |list: &Value| {
            let rows = list.as_array().unwrap().iter();
            rows.filter(|row| row["path"] == path)
                .map(|row| row["id"].clone())
                .next()
        };
        id(&before) == id(&after)
    };
    assert!(same("src") && same("README.md") && !same("bin") && !same("bin/run.sh"));
}

async fn a_file_that_changed_meanwhile_is_not_overwritten(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let file = code.path("/files/src%2Fdeep%2Fa.txt");
    let (old, new) = (code.id("old").await, code.id("main").await);
    let put = async |known: &str| {
        let mut body = write("main", "x");
        body["last_commit_id"] = json!(known);
        code.maintainer.put(&file, body).await
    };
    let text = "You are attempting to update a file that has changed since you started editing it.";
    assert_eq!(put(&old).await.outcome(), told(text));
    put(&new).await.expect(200);
    assert_eq!(put(&new).await.outcome(), told(text));
}

async fn of_two_at_once_nothing_is_lost(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let files: Vec<String> = (0..8)
        .map(|at| code.path(&format!("/files/f{at}")))
        .collect();
    let api: &Api = &code.maintainer;
    let writing = files.iter().map(|file| api.post(file, write("main", "x")));
    let answers = futures_util::future::join_all(writing).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 201 | 409))
    );
    assert!(made > 0);
    let log = code.get("/commits?per_page=100").await;
    assert_eq!(log.as_array().unwrap().len(), 2 + made);
    let tree = column(&code.get("/tree?per_page=100").await, "path");
    for (at, answer) in answers.iter().enumerate() {
        let there = tree.contains(&format!("f{at}"));
        assert_eq!(there, answer.status == 201, "f{at}");
    }
    let rejected = "event = 'repository_push_rejected'";
    let told = server.count("audit_events", rejected);
    assert_eq!(usize::try_from(told).unwrap(), 8 - made);
}

async fn content_comes_as_text_or_as_base64(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    for (at, (content, encoding, bytes)) in [
        ("YQ==", json!("text"), &b"YQ=="[..]),
        ("YQ==", json!(null), b"YQ=="),
        ("AP8K\n/w==\n", json!("base64"), b"\0\xff\n\xff"),
        ("", json!("base64"), b""),
    ]
    .into_iter()
    .enumerate()
    {
        let file = code.path(&format!("/files/f{at}"));
        let mut body = write("main", content);
        body["encoding"] = encoding;
        code.maintainer.post(&file, body).await.expect(201);
        let raw = code.developer.get(&format!("{file}/raw")).await.expect(200);
        assert_eq!(raw.body, bytes, "{at}");
    }
    for (content, encoding, text) in [
        ("%%%", "base64", "content is invalid"),
        ("x", "rot13", "encoding does not have a valid value"),
    ] {
        let mut body = write("main", content);
        body["encoding"] = json!(encoding);
        let answer = code.maintainer.post(&code.path("/files/x"), body).await;
        assert_eq!(answer.outcome(), (400, json!({ "error": text })));
    }
}

async fn a_token_that_works_is_not_committed(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    let file = code.path("/files/.env");
    let secret = format!("a\nTOKEN={}\n", code.developer.value);
    let refused = code.maintainer.post(&file, write("main", &secret)).await;
    let message = refused.expect(400).message();
    assert!(message.contains("file .env, line 2"), "{message}");
    assert!(!message.contains(&code.developer.value));
    assert_eq!(code.get("/branches").await, json!([]));
    let event = "event = 'repository_push_refused'";
    assert_eq!(server.count("audit_events", event), 1);
    // In the message as well.
    let mut body = write("main", "x");
    body["commit_message"] = json!(secret);
    code.maintainer.post(&file, body).await.expect(400);
    let repository = server.app.repositories.root();
    let left = std::fs::read_dir(repository).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".commit-")
    });
    assert_eq!(left.count(), 0, "nothing stays behind");
    server.set("refuse_pushed_tokens", "false");
    code.maintainer
        .post(&file, write("main", &secret))
        .await
        .expect(201);
}
