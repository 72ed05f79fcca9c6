//! What is taken away on one node is gone on every other, for each request that starts after the answer.

use std::time::Instant;

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::json;

use super::three;
use crate::on_postgres;
use crate::support::{Api, Company, TestResource, TestServer};

on_postgres![
    a_revoked_token_is_never_accepted_by_another_node,
    a_token_in_use_on_all_nodes_is_refused_by_all_from_the_moment_its_revocation_is_answered,
    a_rotated_value_is_never_accepted_by_another_node,
    a_request_that_was_on_its_way_to_another_node_sets_off_no_alarm_and_a_later_one_does,
    whoever_is_blocked_is_out_on_every_node,
    whoever_is_no_member_any_more_sees_nothing_on_any_node,
    a_token_ends_on_all_nodes_at_the_same_moment,
];

const OWN: &str = "/personal_access_tokens/self";

/// Both at once.
async fn on_both_others(nodes: &[TestServer; 3], but: usize, value: &str, path: &str) -> [u16; 2] {
    let at = |step: usize| nodes[(but + step) % 3].with_token(value);
    let (one, other) = (at(1), at(2));
    let (one, other) = tokio::join!(one.get(path), other.get(path));
    [one.status, other.status]
}

async fn a_revoked_token_is_never_accepted_by_another_node(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    for round in 0..200 {
        let token = company.acme.token("ci").create();
        let node = &nodes[round % 3];
        // What a node knows of it is not to be of any use.
        if round % 2 == 0 {
            let statuses = on_both_others(&nodes, round, &token.value, OWN).await;
            assert_eq!(statuses, [200, 200]);
        }
        node.with_token(&token.value).delete(OWN).await.expect(204);
        let statuses = on_both_others(&nodes, round, &token.value, OWN).await;
        assert_eq!(statuses, [401, 401], "round {round}");
    }
}

async fn a_token_in_use_on_all_nodes_is_refused_by_all_from_the_moment_its_revocation_is_answered(
    server: TestServer,
) {
    let nodes = three(&server);
    let company = Company::on(&server);
    for round in 0..20 {
        let token = company.acme.token("ci").create();
        let busy = async |api: Api| {
            let (mut last_accepted, mut refused) = (None, 0);
            while refused < 5 {
                let started = Instant::now();
                match api.get(OWN).await.status {
                    200 => last_accepted = Some(started),
                    401 => refused += 1,
                    other => panic!("{other}"),
                }
            }
            last_accepted
        };
        let revoke = async {
            let api = nodes[round % 3].with_token(&token.value);
            for _ in 0..3 {
                api.get(OWN).await.expect(200);
            }
            api.delete(OWN).await.expect(204);
            Instant::now()
        };
        let on = |step: usize| nodes[(round + step) % 3].with_token(&token.value);
        let (answered, one, other) = tokio::join!(revoke, busy(on(1)), busy(on(2)));
        for last_accepted in [one, other].into_iter().flatten() {
            assert!(last_accepted <= answered, "round {round}");
        }
    }
}

async fn a_rotated_value_is_never_accepted_by_another_node(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let mut value = company.acme.token("ci").create().value;
    for round in 0..50 {
        let api = nodes[round % 3].with_token(&value);
        let new = api
            .post(&format!("{OWN}/rotate"), json!({}))
            .await
            .expect(200);
        let new = new.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(on_both_others(&nodes, round, &value, OWN).await, [401, 401]);
        assert_eq!(on_both_others(&nodes, round, &new, OWN).await, [200, 200]);
        value = new;
    }
}

async fn a_request_that_was_on_its_way_to_another_node_sets_off_no_alarm_and_a_later_one_does(
    server: TestServer,
) {
    let [a, b, c] = three(&server);
    let company = Company::on(&server);
    let value = company.acme.token("ci").create().value;
    let rotate = format!("{OWN}/rotate");
    let asks = |node: &TestServer| node.with_token(&value);
    let new = asks(&a).post(&rotate, json!({})).await.expect(200);
    let new = a.with_token(new.json()["token"].as_str().unwrap());
    // Whoever sends the same request to two nodes hasn't lost the value to a stranger.
    asks(&b).post(&rotate, json!({})).await.expect(401);
    new.get(OWN).await.expect(200);
    server.clock.advance(chrono::TimeDelta::seconds(2));
    asks(&c).post(&rotate, json!({})).await.expect(401);
    new.get(OWN).await.expect(401);
}

async fn whoever_is_blocked_is_out_on_every_node(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let token = company.carol.personal_token([Scope::Api]);
    let browser = company.carol.signs_in().await;
    let root = company.root.personal_token([Scope::Api]).value;
    let carol = format!("/users/{}", company.carol.id);
    for round in 0..30 {
        let admin = nodes[round % 3].with_token(&root);
        admin
            .post(&format!("{carol}/block"), json!(null))
            .await
            .expect(201);
        let statuses = on_both_others(&nodes, round, &token.value, OWN).await;
        assert!(
            statuses.iter().all(|status| matches!(status, 401 | 403)),
            "{statuses:?}"
        );
        for step in 1..=2 {
            assert!(!browser.at(&nodes[(round + step) % 3]).is_signed_in().await);
        }
        admin
            .post(&format!("{carol}/unblock"), json!(null))
            .await
            .expect(201);
        assert_eq!(
            on_both_others(&nodes, round, &token.value, OWN).await,
            [200, 200]
        );
    }
}

async fn whoever_is_no_member_any_more_sees_nothing_on_any_node(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let carol = company.carol.personal_token([Scope::Api]);
    let alice = company.alice.personal_token([Scope::Api]).value;
    let members = format!("{}/members", company.acme.path());
    let group = company.acme.path();
    for round in 0..30 {
        let owner = nodes[round % 3].with_token(&alice);
        let member = format!("{members}/{}", company.carol.id);
        owner.delete(&member).await.expect(204);
        assert_eq!(
            on_both_others(&nodes, round, &carol.value, &group).await,
            [404, 404]
        );
        let level = i32::from(AccessLevel::Developer);
        let back = json!({ "user_id": company.carol.id, "access_level": level });
        owner.post(&members, back).await.expect(201);
        assert_eq!(
            on_both_others(&nodes, round, &carol.value, &group).await,
            [200, 200]
        );
    }
}

async fn a_token_ends_on_all_nodes_at_the_same_moment(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let token = company.acme.token("ci").expires("2026-11-21").create();
    for status in [200, 401] {
        for node in &nodes {
            node.with_token(&token.value).get(OWN).await.expect(status);
        }
        server.clock.advance(chrono::TimeDelta::hours(14));
    }
}
