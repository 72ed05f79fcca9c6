//! Files, one by one.

use reqwest::Method;
use serde_json::json;

use super::{Code, missing, on_sqlite};
use crate::support::{Answer, TestServer};

on_sqlite![
    a_file_is_shown_whole_with_all_that_is_known,
    its_headers_tell_the_same_without_its_content,
    a_file_is_sent_as_it_is,
    a_file_that_is_not_there_is_not_found,
    a_file_that_is_too_large_is_refused,
];

async fn a_file_is_shown_whole_with_all_that_is_known(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let file = code.get("/files/bin%2Frun.sh?ref=main").await;
    assert_eq!(
        file,
        json!({
            "file_name": "run.sh",
            "file_path": "bin/run.sh",
            "size": 10,
            "encoding": "base64",
            "content_sha256": "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf",
            "ref": "main",
            "blob_id": "1a2485251c33a70432394c93fb89330ef214bfc9",
            "commit_id": code.id("main").await,
            "last_commit_id": code.id("old").await,
            "execute_filemode": true,
            "content": "IyEvYmluL3NoCg==",
        })
    );
    let old = code.get("/files/src%2Fdeep%2Fa.txt?ref=v1.0").await;
    assert_eq!(old["content"], "b25lCg==");
    let named = code.get("/files/gr%C3%B6%C3%9Fe.txt?ref=HEAD").await;
    assert_eq!(named["file_name"], "größe.txt");
}

async fn its_headers_tell_the_same_without_its_content(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let path = code.path("/files/README.md?ref=main");
    let shown = code.developer.get(&path).await.expect(200);
    let head = Answer::to(code.developer.request(Method::HEAD, &path))
        .await
        .expect(200);
    assert!(head.body.is_empty());
    let file = shown.json();
    for (name, field) in [
        ("x-gitlab-blob-id", "blob_id"),
        ("x-gitlab-commit-id", "commit_id"),
        ("x-gitlab-content-sha256", "content_sha256"),
        ("x-gitlab-encoding", "encoding"),
        ("x-gitlab-file-name", "file_name"),
        ("x-gitlab-file-path", "file_path"),
        ("x-gitlab-last-commit-id", "last_commit_id"),
        ("x-gitlab-ref", "ref"),
    ] {
        assert_eq!(head.header(name), file[field], "{name}");
        assert_eq!(shown.header(name), file[field], "{name}");
    }
    assert_eq!(head.header("x-gitlab-size"), "6");
    assert_eq!(head.header("x-gitlab-execute-filemode"), "false");
    let missing = code.path("/files/nothing?ref=main");
    Answer::to(code.developer.request(Method::HEAD, &missing))
        .await
        .expect(404);
}

async fn a_file_is_sent_as_it_is(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let raw = code.path("/files/src%2Fdeep%2Fa.txt/raw");
    let answer = code.developer.get(&raw).await.expect(200);
    assert_eq!(answer.text(), "uno\ndue\n");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-gitlab-size"), "8");
    let old = code.developer.get(&format!("{raw}?ref=old")).await;
    assert_eq!(old.text(), "one\n");
}

async fn a_file_that_is_not_there_is_not_found(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for path in [
        "nothing",
        "src",
        "README.md%2Fx",
        "..%2FREADME.md",
        "%2FREADME.md",
        "README.md%00",
        "a%252Fb",
        ":README.md",
    ] {
        let outcome = code.outcome(&format!("/files/{path}?ref=main")).await;
        assert_eq!(outcome, missing("File"), "{path}");
    }
    let outcome = code.outcome("/files/README.md?ref=nothing").await;
    assert_eq!(outcome, missing("Commit"));
    assert_eq!(
        code.outcome("/files/README.md").await,
        (400, json!({ "error": "ref is missing" }))
    );
}

async fn a_file_that_is_too_large_is_refused(server: TestServer) {
    let Some(code) = Code::empty(&server) else {
        return;
    };
    for (name, size, status) in [
        ("most", 10 * 1024 * 1024, 200),
        ("more", 10 * 1024 * 1024 + 1, 400),
    ] {
        let content = "x".repeat(size);
        let stream = format!(
            "commit refs/heads/{name}\ncommitter A <a@x> 1 +0000\ndata 1\nm\nM 644 inline f\ndata {size}\n{content}\n"
        );
        code.push(&stream, &format!("refs/heads/{name}"));
        let raw = code.path(&format!("/files/f/raw?ref={name}"));
        let answer = code.developer.get(&raw).await.expect(status);
        if status == 400 {
            assert!(answer.message().contains("larger than 10 MiB"));
        }
    }
}
