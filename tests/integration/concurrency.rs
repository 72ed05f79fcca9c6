//! Many at once end in a state that some order explains.

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, Company, TestResource, TestServer};

on_both![
    fifty_tokens_made_at_once_are_fifty_tokens,
    two_revocations_are_one_change,
    six_rotations_have_one_winner,
    a_limit_holds_for_everybody_at_once,
    the_last_owner_stays_whoever_is_quicker,
    two_projects_of_one_path_are_one,
];

async fn together<F: Future<Output = Answer>>(
    requests: impl IntoIterator<Item = F>,
) -> Vec<Answer> {
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
    }
    answers
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

async fn fifty_tokens_made_at_once_are_fifty_tokens(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let path = format!("{}/access_tokens", company.acme.path());
    let body = json!({ "name": "same name", "scopes": ["read_api"] });
    let answers = together((0..50).map(|_| alice.post(&path, body.clone()))).await;
    assert_eq!(count(&answers, 201), 50);
    let unique = |key: &str| {
        let mut all: Vec<String> = answers
            .iter()
            .map(|answer| answer.json()[key].to_string())
            .collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    assert_eq!(
        (unique("id"), unique("user_id"), unique("token")),
        (50, 50, 50)
    );
    assert_eq!(server.count("users", "kind = 'project_bot'"), 50);
    assert_eq!(server.count("memberships", "bot"), 50);
    assert_eq!(
        server.count("audit_events", "event = 'group_access_token_created'"),
        50
    );
}

async fn two_revocations_are_one_change(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    for retain in [false, true] {
        server.retain_bots(retain);
        for _ in 0..10 {
            let token = company.acme.token("ci").create();
            let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
            let events = |server: &TestServer| {
                server.count("audit_events", "event = 'group_access_token_deleted'")
            };
            let before = events(&server);
            let answers = together([alice.delete(&path), alice.delete(&path)]).await;
            assert!(count(&answers, 204) >= 1);
            assert!(
                answers
                    .iter()
                    .all(|answer| matches!(answer.status, 204 | 404 | 400))
            );
            assert_eq!(events(&server) - before, 1);
            assert!(!token.works().await);
        }
    }
}

async fn six_rotations_have_one_winner(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.acme.token("ci").create();
    let path = format!("{}/access_tokens/{}/rotate", company.acme.path(), token.id);
    let answers = together((0..6).map(|_| alice.post(&path, json!({})))).await;
    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 400), 5);
    assert_eq!(server.count("access_tokens", "name = 'ci'"), 2);
    assert_eq!(
        server.count("access_tokens", "name = 'ci' AND NOT revoked"),
        1
    );

    // Rotating itself: who comes too late may be taken for a thief, and then nobody has won.
    let token = company.acme.token("self").create();
    let answers =
        together((0..6).map(|_| token.post("/personal_access_tokens/self/rotate", Value::Null)))
            .await;
    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 401), 5);
    assert_eq!(server.count("access_tokens", "name = 'self'"), 2);
    assert!(server.count("access_tokens", "name = 'self' AND NOT revoked") <= 1);

    // Revoked and rotated at once: it is dead, and at most one successor lives.
    for _ in 0..5 {
        let token = company.acme.token("both").create();
        let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
        let rotate = format!("{path}/rotate");
        let (revoked, rotated) = tokio::join!(alice.delete(&path), alice.post(&rotate, json!({})));
        assert!(revoked.status < 500 && rotated.status < 500);
        assert!(!token.works().await);
    }
}

async fn a_limit_holds_for_everybody_at_once(server: TestServer) {
    let company = Company::on(&server);
    server.set("active_tokens_per_group", "5");
    let alice = company.alice.api();
    let path = format!("{}/access_tokens", company.acme.path());
    let body = json!({ "name": "ci", "scopes": ["api"] });
    let answers = together((0..12).map(|_| alice.post(&path, body.clone()))).await;
    assert_eq!((count(&answers, 201), count(&answers, 400)), (5, 7));
    assert_eq!(server.count("users", "kind = 'project_bot'"), 5);
}

async fn the_last_owner_stays_whoever_is_quicker(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let (alice, frank) = (
        company.alice.signs_in().await,
        company.frank.signs_in().await,
    );
    let members = company.acme.page("group_members");
    let leave = |id: i64| format!("{members}/{id}/remove");
    let (first, second) = (
        alice
            .open(&leave(company.alice.id))
            .await
            .form(&leave(company.alice.id)),
        frank
            .open(&leave(company.frank.id))
            .await
            .form(&leave(company.frank.id)),
    );
    let (first, second) = tokio::join!(alice.submit(&first), frank.submit(&second));
    assert!(
        first.status < 500 && second.status < 500,
        "{} {}",
        first.status,
        second.status
    );
    let owners = format!(
        "group_id = {} AND access_level = 50 AND NOT bot",
        company.acme.id
    );
    assert_eq!(server.count("memberships", &owners), 1);
}

async fn two_projects_of_one_path_are_one(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let body = json!({ "path": "new", "namespace_id": company.acme.id });
    let answers = together((0..5).map(|_| alice.post("/projects", body.clone()))).await;
    assert_eq!((count(&answers, 201), count(&answers, 400)), (1, 4));
}
