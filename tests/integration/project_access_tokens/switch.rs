//! The switch of the top-level group, as the projects below it feel it.

use serde_json::{Value, json};

use super::{not_found, refused, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    off_nobody_creates_or_rotates_in_any_project_below,
    off_existing_tokens_go_on,
];

async fn off_nobody_creates_or_rotates_in_any_project_below(server: TestServer) {
    let company = Company::on(&server);
    let projects = [&company.p1, &company.p2, &company.p3];
    let tokens = projects.map(|project| project.token("ci").create());
    company.acme.allow_creation(false);
    let body = json!({ "name": "x", "scopes": ["api"], "access_level": 10 });
    for (project, token) in projects.into_iter().zip(&tokens) {
        let path = tokens_of(project);
        let rotate = format!("{path}/{}/rotate", token.id);
        let before = server.inventory();
        for (person, rotation) in [
            (&company.bob, unauthorized()),
            (&company.alice, unauthorized()),
            (&company.root, not_found()),
        ] {
            let api = person.api();
            let text = "User does not have permission to create project access token";
            let answer = api.post(&path, body.clone()).await;
            let who = format!("{} in {}", person.username, project.full_path);
            assert_eq!(answer.outcome(), refused(text), "{who}");
            let answer = api.post(&rotate, json!({})).await;
            assert_eq!(answer.outcome(), rotation, "{who}");
        }
        assert!(token.works().await);
        let after = server.inventory();
        assert_eq!(
            (after.users, after.memberships),
            (before.users, before.memberships)
        );
    }
    // Another top-level group has a switch of its own.
    let oscar = company.oscar.api();
    let path = tokens_of(&company.p9);
    oscar.post(&path, body.clone()).await.expect(201);
    company.acme.allow_creation(true);
    let bob = company.bob.api();
    bob.post(&tokens_of(&company.p3), body).await.expect(201);
}

async fn off_existing_tokens_go_on(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p3.token("ci").create();
    let second = company.p3.token("second").create();
    company.acme.allow_creation(false);
    let path = tokens_of(&company.p3);
    let bob = company.bob.api();
    let list = bob.get(&path).await.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    bob.get(&format!("{path}/{}", token.id)).await.expect(200);
    token
        .post(&format!("{path}/self/rotate"), Value::Null)
        .await
        .expect(200);
    bob.delete(&format!("{path}/{}", second.id))
        .await
        .expect(204);
    assert!(!second.works().await);
}
