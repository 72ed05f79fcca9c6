//! Everything in one file.

use super::{Code, missing, on_sqlite};
use crate::support::{TestServer, git::names_in_archive};

on_sqlite![
    an_archive_has_everything_in_a_folder,
    an_archive_of_nothing_is_not_found,
];

async fn an_archive_has_everything_in_a_folder(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    let id = code.id("feature%2Fone").await;
    let folder = format!("api-feature-one-{id}");
    for (ending, flags) in [("", "-tz"), (".tar.gz", "-tz"), (".tar", "-t")] {
        let path = code.path(&format!("/archive{ending}?sha=feature/one"));
        let answer = code.developer.get(&path).await.expect(200);
        let names = names_in_archive(flags, &answer.body);
        assert!(
            names.contains(&format!("{folder}/feature.txt")),
            "{names:?}"
        );
        assert!(names.contains(&format!("{folder}/src/deep/a.txt")));
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        let named = if ending.is_empty() { ".tar.gz" } else { ending };
        assert_eq!(
            answer.header("content-disposition"),
            format!("attachment; filename=\"{folder}{named}\"")
        );
    }
    let zip = code.developer.get(&code.path("/archive.zip")).await;
    assert!(zip.body.starts_with(b"PK"));
    assert_eq!(zip.header("content-type"), "application/zip");
    let part = code
        .developer
        .get(&code.path("/archive.tar?path=src"))
        .await;
    let names = names_in_archive("-t", &part.expect(200).body);
    assert!(names.iter().any(|name| name.ends_with("src/deep/a.txt")));
    assert!(!names.iter().any(|name| name.ends_with("README.md")));
}

async fn an_archive_of_nothing_is_not_found(server: TestServer) {
    let Some(code) = Code::with_history(&server) else {
        return;
    };
    for rest in [
        "?sha=nothing",
        "?sha=--output=/tmp/x",
        "?path=nothing",
        "?path=../x",
    ] {
        let outcome = code.outcome(&format!("/archive{rest}")).await;
        assert_eq!(outcome, missing("File"), "{rest}");
    }
    let odd = code.developer.get(&code.path("/archive.rar")).await;
    odd.expect(404);
}
