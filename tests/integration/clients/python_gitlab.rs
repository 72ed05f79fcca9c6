//! python-gitlab: the library, and its command line.

use super::Cast;
use crate::on_both;
use crate::support::{TestServer, clients::Clients};

on_both![
    python_gitlab_manages_the_tokens_of_a_group,
    python_gitlab_manages_the_tokens_of_a_project,
    python_gitlab_manages_personal_tokens,
    python_gitlab_manages_groups,
    python_gitlab_manages_projects,
    python_gitlab_reads_and_changes_code,
    python_gitlab_manages_members,
    python_gitlab_manages_users,
    python_gitlab_understands_each_refusal,
    the_command_line_of_python_gitlab_works,
];

async fn run(server: TestServer, script: &str, arguments: &[&str]) {
    if let Some(clients) = Clients::installed() {
        let script = clients.python(script).args(arguments.iter().copied());
        Cast::on(&server).plays(script).await;
    }
}

async fn python_gitlab_manages_the_tokens_of_a_group(server: TestServer) {
    run(server, "resource_tokens.py", &["group"]).await;
}

async fn python_gitlab_manages_the_tokens_of_a_project(server: TestServer) {
    run(server, "resource_tokens.py", &["project"]).await;
}

async fn python_gitlab_manages_personal_tokens(server: TestServer) {
    run(server, "personal_tokens.py", &[]).await;
}

async fn python_gitlab_manages_groups(server: TestServer) {
    run(server, "groups.py", &[]).await;
}

async fn python_gitlab_manages_projects(server: TestServer) {
    run(server, "projects.py", &[]).await;
}

async fn python_gitlab_reads_and_changes_code(server: TestServer) {
    run(server, "repository.py", &[]).await;
}

async fn python_gitlab_manages_members(server: TestServer) {
    run(server, "members.py", &[]).await;
}

async fn python_gitlab_manages_users(server: TestServer) {
    run(server, "users.py", &[]).await;
}

async fn python_gitlab_understands_each_refusal(server: TestServer) {
    run(server, "refusals.py", &[]).await;
}

async fn the_command_line_of_python_gitlab_works(server: TestServer) {
    run(server, "command_line.py", &[]).await;
}
