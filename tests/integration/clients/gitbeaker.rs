//! gitbeaker, the library for JavaScript.

use super::Cast;
use crate::on_both;
use crate::support::{TestServer, clients::Clients};

on_both![
    gitbeaker_manages_tokens,
    gitbeaker_manages_groups_and_projects,
    gitbeaker_manages_members_and_users,
    gitbeaker_understands_each_refusal,
];

async fn run(server: TestServer, script: &str) {
    if let Some(clients) = Clients::installed() {
        Cast::on(&server).plays(clients.node(script)).await;
    }
}

async fn gitbeaker_manages_tokens(server: TestServer) {
    run(server, "tokens.mjs").await;
}

async fn gitbeaker_manages_groups_and_projects(server: TestServer) {
    run(server, "groups_and_projects.mjs").await;
}

async fn gitbeaker_manages_members_and_users(server: TestServer) {
    run(server, "members_and_users.mjs").await;
}

async fn gitbeaker_understands_each_refusal(server: TestServer) {
    run(server, "refusals.mjs").await;
}
