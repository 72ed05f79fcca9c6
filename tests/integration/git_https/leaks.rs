//! A token in what is pushed: refused, with the place, and nothing changes.

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use super::Scene;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    a_push_with_a_token_that_works_is_refused_with_commit_file_and_line,
    a_token_in_an_earlier_commit_or_a_message_is_found_as_well,
    a_token_that_works_no_more_may_be_pushed,
    what_the_server_has_already_is_not_looked_at_again,
    an_administrator_turns_it_off,
];

async fn a_push_with_a_token_that_works_is_refused_with_commit_file_and_line(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let content = format!("# deploy\nurl: https://x:{}@host\n", secret.value);
    let commit = tree.commit_file("deploy/näme.env", &content);
    let before = scene.references();
    let refused = tree.push("origin", "HEAD:leak").refused();
    let place = format!("commit {}, file deploy/näme.env, line 2", &commit[..10]);
    assert!(refused.contains(&place), "{refused}");
    let hint = &secret.value[secret.value.len() - 4..];
    assert!(
        refused.contains(&format!("a token ending in {hint}")),
        "{refused}"
    );
    assert!(
        !refused.contains(&secret.value),
        "the value is not repeated"
    );
    assert_eq!(scene.references(), before);
    let event = server.the_event("repository_push_refused");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["token_ids"], json!([secret.id]));
    // Scene::on pushed once; this push is not written down as one.
    assert_eq!(
        server.count("audit_events", "event = 'repository_pushed'"),
        1
    );
    assert!(secret.works().await, "it is for its owner to end it");
}

async fn a_token_in_an_earlier_commit_or_a_message_is_found_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let person = server.person("pat").create();
    let secret = person.personal_token([Scope::Api]);
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("config.txt", format!("{}\n", secret.value));
    tree.commit_file("config.txt", "gone again\n");
    tree.push("origin", "HEAD:earlier")
        .refused_with("file config.txt, line 1");

    let tree = scene.git.clone(&scene.developers_url(), "another");
    tree.done([
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        &format!("Use it\n\nwith {}", secret.value),
    ]);
    tree.push("origin", "HEAD:message")
        .refused_with(", message, line ");
    assert_eq!(scene.branch("earlier").or(scene.branch("message")), None);
}

async fn a_token_that_works_no_more_may_be_pushed(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let path = format!("{}/access_tokens/{}", scene.company.acme.path(), secret.id);
    let alice = scene.company.alice.api();
    alice.delete(&path).await.expect(204);
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("old.txt", &secret.value);
    // Nor is anything that only looks like one.
    let noise = format!("{}x", &secret.value[..secret.value.len() - 1]);
    tree.commit_file("noise.txt", noise);
    tree.push("origin", "HEAD:old").succeeded();
}

async fn what_the_server_has_already_is_not_looked_at_again(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    server.set("refuse_pushed_tokens", "false");
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("there.txt", &secret.value);
    tree.push("origin", "HEAD:there").succeeded();
    server.set("refuse_pushed_tokens", "true");
    tree.commit_file("more.txt", "nothing wrong with this\n");
    tree.push("origin", "HEAD:there").succeeded();
}

async fn an_administrator_turns_it_off(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("there.txt", &secret.value);
    tree.push("origin", "HEAD:there").refused();
    server.set("refuse_pushed_tokens", "false");
    tree.push("origin", "HEAD:there").succeeded();
}
