//! `POST /projects/:id/access_tokens/self/rotate`

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{assert_is_token_object, invalid, project_missing, refused, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Company, TestProject, TestResource, TestServer};

on_both![
    a_token_rotates_itself_at_any_role,
    each_refusal_has_its_words,
    only_its_own_project_rotates_it,
    a_person_or_a_dead_token_rotates_nothing,
];

fn path(project: &TestProject) -> String {
    format!("{}/self/rotate", tokens_of(project))
}

async fn a_token_rotates_itself_at_any_role(server: TestServer) {
    let company = Company::on(&server);
    for level in AccessLevel::ALL {
        for scope in [Scope::Api, Scope::SelfRotate] {
            let old = company.p1.token("ci").role(level).scopes([scope]).create();
            let new = old.post(&path(&company.p1), Value::Null).await.expect(200);
            assert_eq!(new.header("cache-control"), "no-store");
            let new = new.json();
            assert_is_token_object(&new, true);
            assert_eq!(new["user_id"], old.user_id);
            assert_eq!(new["access_level"], level.number());
            assert_eq!(new["scopes"], json!([scope.name()]));
            assert_eq!(new["expires_at"], server.days_ahead(7));
            assert!(!old.works().await);
            let next = server.with_token(new["token"].as_str().unwrap());
            let by_path = "/projects/acme%2Fp1/access_tokens/self/rotate";
            let body = json!({ "expires_at": "2026-12-24" });
            let dated = next.post(by_path, body).await.expect(200).json();
            assert_eq!(dated["expires_at"], "2026-12-24");
        }
    }
}

async fn each_refusal_has_its_words(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").create();
    let own = path(&company.p1);
    let before = server.inventory();
    for (date, expected) in [
        ("x", invalid("expires_at is invalid")),
        (
            "2027-11-21",
            refused("Expiration date must be before 2027-11-20"),
        ),
    ] {
        let answer = token.post(&own, json!({ "expires_at": date })).await;
        assert_eq!(answer.outcome(), expected, "{date}");
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
    for scope in [Scope::ReadApi, Scope::WriteRepository, Scope::K8sProxy] {
        let narrow = company.p1.token("narrow").scopes([scope]).create();
        let answer = narrow.post(&own, json!({})).await.expect(403).json();
        assert_eq!(answer["error"], "insufficient_scope");
        assert_eq!(answer["scope"], "api self_rotate");
        assert!(narrow.works().await);
    }
}

async fn only_its_own_project_rotates_it(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").create();
    for hidden in [&company.p2, &company.p9] {
        let answer = token.post(&path(hidden), json!({})).await;
        assert_eq!(answer.outcome(), project_missing(), "{}", hidden.full_path);
    }
    let wide = server.group("wide").public().create();
    let seen = wide.project("seen").create();
    let answer = token.post(&path(&seen), json!({})).await;
    assert_eq!(answer.outcome(), unauthorized());
    // The group that it lies in isn't it either, nor is a group's token one of the project.
    let above = format!("{}/access_tokens/self/rotate", wide.path());
    let of_seen = seen.token("ci").create();
    assert_eq!(
        of_seen.post(&above, json!({})).await.outcome(),
        unauthorized()
    );
    let of_wide = wide.token("ci").create();
    assert_eq!(
        of_wide.post(&path(&seen), json!({})).await.outcome(),
        unauthorized()
    );
    for token in [token, of_seen, of_wide] {
        assert!(token.works().await);
    }
}

async fn a_person_or_a_dead_token_rotates_nothing(server: TestServer) {
    let company = Company::on(&server);
    let own = path(&company.p1);
    for person in [&company.alice, &company.bob, &company.root] {
        let token = person.personal_token([Scope::Api]);
        let answer = token.post(&own, json!({})).await;
        let text = json!({ "message": "405 Method Not Allowed" });
        assert_eq!(answer.outcome(), (405, text), "{}", person.username);
        assert!(token.works().await);
    }
    let short = company.p1.token("short").expires("2026-11-21").create();
    let gone = company.p1.token("gone").create();
    gone.delete("/personal_access_tokens/self")
        .await
        .expect(204);
    server.clock.advance(TimeDelta::days(1));
    for dead in [short, gone] {
        let answer = dead.post(&own, json!({})).await.expect(401).json();
        assert_eq!(answer["error"], "invalid_token");
    }
}
