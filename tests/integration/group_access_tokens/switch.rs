//! The switch of a top-level group: may tokens be made in it?

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use super::{refused, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    off_nobody_creates_or_rotates_anywhere_below,
    off_existing_tokens_go_on,
    a_subgroup_has_no_switch_of_its_own,
    the_effective_value_is_shown_to_owners,
];

async fn off_nobody_creates_or_rotates_anywhere_below(server: TestServer) {
    let company = Company::on(&server);
    let groups = [&company.acme, &company.sub, &company.deep];
    let tokens = groups.map(|group| group.token("ci").create());
    company.acme.allow_creation(false);
    let body = json!({ "name": "x", "scopes": ["api"] });
    let before = server.inventory();
    for (group, token) in groups.into_iter().zip(&tokens) {
        let path = format!("{}/access_tokens", group.path());
        for person in [&company.alice, &company.root] {
            let api = person.api();
            assert_eq!(
                api.post(&path, body.clone()).await.outcome(),
                refused("User does not have permission to create group access token"),
                "{}",
                person.username
            );
        }
        let rotate = format!("{path}/{}/rotate", token.id);
        assert_eq!(
            company.alice.api().post(&rotate, json!({})).await.outcome(),
            unauthorized()
        );
        let answer = company.root.api().post(&rotate, json!({})).await;
        assert_eq!(
            answer.outcome(),
            (404, json!({ "message": "404 Not Found" }))
        );
        assert!(token.works().await);
    }
    let after = server.inventory();
    assert_eq!(
        (after.users, after.memberships),
        (before.users, before.memberships)
    );

    // Other top-level groups have switches of their own.
    let path = format!("{}/access_tokens", company.other.path());
    company
        .oscar
        .api()
        .post(&path, body.clone())
        .await
        .expect(201);

    company.acme.allow_creation(true);
    let path = format!("{}/access_tokens", company.deep.path());
    company.alice.api().post(&path, body).await.expect(201);
}

async fn off_existing_tokens_go_on(server: TestServer) {
    let company = Company::on(&server);
    let token = company.deep.token("ci").create();
    let second = company.deep.token("second").create();
    company.acme.allow_creation(false);
    let path = format!("{}/access_tokens", company.deep.path());
    let alice = company.alice.api();
    assert!(token.works().await);
    assert_eq!(
        alice
            .get(&path)
            .await
            .expect(200)
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    alice.get(&format!("{path}/{}", token.id)).await.expect(200);
    token
        .post(&format!("{path}/self/rotate"), Value::Null)
        .await
        .expect(200);
    alice
        .delete(&format!("{path}/{}", second.id))
        .await
        .expect(204);
    assert!(!second.works().await);
    // A person's own tokens have nothing to do with it.
    company
        .alice
        .personal_token([Scope::Api])
        .get("/user")
        .await
        .expect(200);
}

async fn a_subgroup_has_no_switch_of_its_own(server: TestServer) {
    let company = Company::on(&server);
    let (sub, alice) = (company.sub.resource(), company.alice.actor());
    let latchkey::access_tokens::Resource::Group(sub) = sub else {
        unreachable!()
    };
    let refusal = server.attempt_as(alice, move |conn, ctx| {
        latchkey::groups::update::allow_token_creation(conn, ctx, &sub, false).map(|_| ())
    });
    let refusal = refusal.unwrap_err().to_string();
    assert!(
        refusal.contains("can only be changed on a top-level group"),
        "{refusal}"
    );
    let path = format!("{}/access_tokens", company.sub.path());
    company
        .alice
        .api()
        .post(&path, json!({ "name": "x", "scopes": ["api"] }))
        .await
        .expect(201);
}

async fn the_effective_value_is_shown_to_owners(server: TestServer) {
    let company = Company::on(&server);
    let key = "resource_access_token_creation_allowed";
    for allowed in [true, false] {
        company.acme.allow_creation(allowed);
        for person in [&company.alice, &company.root] {
            for group in [&company.acme, &company.deep] {
                let shown = person.api().get(&group.path()).await.expect(200).json();
                assert_eq!(shown[key], json!(allowed));
            }
        }
        let to_maintainer = company
            .bob
            .api()
            .get(&company.acme.path())
            .await
            .expect(200)
            .json();
        assert!(to_maintainer.get(key).is_none());
    }
}
