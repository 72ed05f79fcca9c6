//! What to ask about code.

use std::process::Command;

use latchkey::access_tokens::{Resource, scope::Scope};
use serde_json::{Value, json};

use super::{Body, Caller, Case, Stage};
use crate::support::{Person, TestProject, TestResource};

/// Puts a file and a tag into a repository in which nothing is yet.
pub(super) async fn begin(owner: &Person, project: &TestProject) {
    let path = format!("{}/repository/files/README.md", project.path());
    let body = json!({ "branch": "main", "commit_message": "Begin", "content": "x" });
    let token = owner.personal_token([Scope::Api]);
    token.post(&path, body).await.expect(201);
    name_main(project, "refs/tags/v1");
}

impl Stage {
    /// As [`Stage::cases`], for what lies below `/repository`.
    pub(super) fn repository_cases(&self, route: &str, _: &Caller) -> Option<Vec<Case>> {
        let base = format!("/api/v4{}/repository", self.project.path());
        let case = |note, rest: &str, body| Case {
            note,
            path: format!("{base}{rest}"),
            body,
        };
        let get = |rest: &str| vec![case("", rest, Body::None)];
        let send = |note, rest: &str, body: Value| case(note, rest, Body::Json(body));
        let unique = || format!("n{}", self.server.next());
        let content = |branch: &str| json!({ "branch": branch, "commit_message": "Write", "content": unique() });
        let away = |branch: &str| format!("/files/README.md?branch={branch}&commit_message=Away");
        let (method, path) = route.split_once(' ')?;
        let (_, rest) = path.split_once("/repository")?;
        const DEFAULT: &str = "default branch";
        Some(match (method, rest) {
            ("POST", "/branches") => {
                let body = json!({ "branch": unique(), "ref": "main" });
                vec![send("", rest, body)]
            }
            ("GET", "/branches/{branch}") => get("/branches/main"),
            ("DELETE", "/branches/{branch}") => vec![
                case("", &format!("/branches/{}", self.branch()), Body::None),
                case(DEFAULT, "/branches/main", Body::None),
            ],
            ("GET", "/tags/{tag_name}") => get("/tags/v1"),
            ("GET", "/commits/{sha}") => get("/commits/main"),
            ("GET", "/files/{file_path}") => get("/files/README.md?ref=main"),
            ("GET", "/files/{file_path}/raw") => get("/files/README.md/raw"),
            ("POST", "/files/{file_path}") => {
                let file = format!("/files/{}", unique());
                vec![
                    send("", &file, content(&self.branch())),
                    send(DEFAULT, &file, content("main")),
                ]
            }
            ("PUT", "/files/{file_path}") => vec![
                send("", "/files/README.md", content(&self.branch())),
                send(DEFAULT, "/files/README.md", content("main")),
            ],
            ("DELETE", "/files/{file_path}") => {
                vec![case("", &away(&self.branch()), Body::None)]
            }
            ("GET", "/archive.{format}") => get("/archive.zip"),
            ("GET", "/branches" | "/tags" | "/commits" | "/tree" | "/archive") => get(rest),
            _ => return None,
        })
    }

    /// A branch of its own beside `main`.
    fn branch(&self) -> String {
        let name = format!("b{}", self.server.next());
        name_main(&self.project, &format!("refs/heads/{name}"));
        name
    }
}

/// Gives the commit of `main` another name.
fn name_main(project: &TestProject, reference: &str) {
    let Resource::Project(found) = project.resource() else {
        unreachable!("a project is a project")
    };
    let made = Command::new("git")
        .arg("--git-dir")
        .arg(project.server.app.repositories.path((&found).into()))
        .args(["update-ref", reference, "refs/heads/main"])
        .status();
    assert!(made.expect("git starts").success());
}
