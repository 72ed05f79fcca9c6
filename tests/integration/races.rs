//! Two that want different things of one token, or the same thing twice.

use serde_json::Value;

use crate::{
    on_both,
    support::{Answer, Company, TestResource, TestServer},
};

/// So often that both orders happen.
const ROUNDS: usize = 15;

on_both!(
    of_six_self_rotations_one_wins_and_its_value_works,
    a_revocation_beside_a_rotation_leaves_at_most_one_living_value,
    a_form_that_is_sent_twice_at_once_makes_one_token,
    a_role_that_is_taken_away_meanwhile_makes_no_token_afterwards,
);

async fn of_six_self_rotations_one_wins_and_its_value_works(server: TestServer) {
    let company = Company::on(&server);
    for _ in 0..ROUNDS {
        let token = company.acme.token("ci").create();
        let rotate = || token.post("/personal_access_tokens/self/rotate", Value::Null);
        let answers = futures_util::future::join_all((0..6).map(|_| rotate())).await;
        let (won, lost): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert!(lost.iter().all(|answer| (400..500).contains(&answer.status)));
        // The five were on their way before the rotation was answered: late, but no thieves.
        let value = won[0].json()["token"].as_str().unwrap().to_owned();
        server.with_token(&value).get("/personal_access_tokens/self").await.expect(200);
        assert!(!token.works().await);
    }
}

async fn a_revocation_beside_a_rotation_leaves_at_most_one_living_value(server: TestServer) {
    let company = Company::on(&server);
    let script = company.alice.api();
    for round in 0..ROUNDS {
        server.retain_bots(round % 2 == 0);
        let token = company.acme.token("ci").create();
        let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
        let rotation = format!("{path}/rotate");
        let (revoked, rotated) = futures_util::join!(script.delete(&path), script.post(&rotation, Value::Null));
        assert!(revoked.status < 500 && rotated.status < 500, "{} and {}", revoked.status, rotated.status);
        assert!(!token.works().await, "the old value is dead in either order");
        if rotated.status == 200 {
            // The rotation came first; whether the revocation of the old one then found its bot decides about the new.
            let value = rotated.json()["token"].as_str().unwrap().to_owned();
            let status = server.with_token(&value).get("/user").await.status;
            assert!(status == 200 || (status == 401 && revoked.status == 204), "{status}");
        } else {
            assert_eq!(revoked.status, 204, "one of the two happens");
            assert_eq!(server.count("access_tokens", &format!("previous_token_id = {}", token.id)), 0);
        }
    }
}

async fn a_form_that_is_sent_twice_at_once_makes_one_token(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let page = company.acme.page("settings/access_tokens");
    for round in 1..=5 {
        let form = browser
            .open(&format!("{page}?new=1"))
            .await
            .form(&page)
            .fill("resource_access_token[name]", "double click")
            .tick("resource_access_token[scopes][]", "read_api");
        let answers = futures_util::future::join_all([browser.submit(&form), browser.submit(&form)]).await;
        let shown = answers.iter().filter(|answer| answer.page().has("created-access-token-field")).count();
        let explained = answers.iter().filter(|answer| answer.page().has("replayed-message")).count();
        assert_eq!((shown, explained), (1, 1), "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert_eq!(server.count("access_tokens", "name = 'double click'"), round);
    }
}

async fn a_role_that_is_taken_away_meanwhile_makes_no_token_afterwards(server: TestServer) {
    let company = Company::on(&server);
    for round in 0..ROUNDS {
        let owner = server.person(&format!("owner{round}")).create();
        company.acme.member(&owner, latchkey::members::AccessLevel::Owner);
        let script = owner.api();
        let path = format!("{}/access_tokens", company.acme.path());
        let body = serde_json::json!({ "name": format!("of round {round}"), "scopes": ["api"], "access_level": 50 });
        let browser = company.alice.signs_in().await;
        let demotion = format!("{}/{}", company.acme.page("group_members"), owner.id);
        let (made, demoted) =
            futures_util::join!(script.post(&path, body.clone()), browser.post(&demotion, &[("member[access_level]", "10")]));
        demoted.expect(303);
        assert!(made.status == 201 || made.status == 400, "{}", made.status);
        script.post(&path, body).await.expect(400);
        let there = server.count("access_tokens", &format!("name = 'of round {round}'"));
        assert_eq!(there, i64::from(made.status == 201));
    }
}
