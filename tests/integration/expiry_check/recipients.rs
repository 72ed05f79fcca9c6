//! Who is told.

use super::*;

on_both!(
    of_a_groups_tokens_its_direct_owners_are_told_and_nobody_else,
    of_a_projects_tokens_its_direct_maintainers_and_owners_are_told,
    of_a_project_in_a_personal_namespace_the_person_is_told,
    a_person_is_told_of_their_own_tokens,
    nobody_is_told_who_can_not_act_or_has_no_confirmed_address,
    a_membership_that_ended_does_not_count,
);

async fn of_a_groups_tokens_its_direct_owners_are_told_and_nobody_else(server: TestServer) {
    let (acme, _) = acme(&server);
    let platform = acme.subgroup("platform").create();
    for (name, level) in [
        ("owner", AccessLevel::Owner),
        ("second", AccessLevel::Owner),
        ("maintainer", AccessLevel::Maintainer),
        ("guest", AccessLevel::Guest),
    ] {
        platform.member(&server.person(name).create(), level);
    }
    server.person("root").admin().create();
    // Bots of the highest role.
    let ends = server.days_ahead(5);
    for name in ["ci", "deploy"] {
        platform
            .token(name)
            .role(AccessLevel::Owner)
            .expires(&ends)
            .create();
    }
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(
        server.noticed(),
        set([
            "7: ci → owner",
            "7: ci → second",
            "7: deploy → owner",
            "7: deploy → second",
        ])
    );
}

async fn of_a_projects_tokens_its_direct_maintainers_and_owners_are_told(server: TestServer) {
    let (acme, _) = acme(&server);
    let api = acme.project("api").create();
    for (name, level) in [
        ("owner", AccessLevel::Owner),
        ("maintainer", AccessLevel::Maintainer),
        ("developer", AccessLevel::Developer),
    ] {
        api.member(&server.person(name).create(), level);
    }
    api.token("ci").expires(&server.days_ahead(5)).create();
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(
        server.noticed(),
        set(["7: ci → maintainer", "7: ci → owner"])
    );
}

async fn of_a_project_in_a_personal_namespace_the_person_is_told(server: TestServer) {
    let (_, alice) = acme(&server);
    let body = serde_json::json!({ "name": "notes" });
    let made = alice.api().post("/projects", body).await;
    let path = format!("/projects/{}/access_tokens", made.json()["id"]);
    let body =
        serde_json::json!({ "name": "ci", "scopes": ["api"], "expires_at": server.days_ahead(5) });
    alice.api().post(&path, body).await.expect(201);
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set(["7: ci → alice"]));
}

async fn a_person_is_told_of_their_own_tokens(server: TestServer) {
    let (_, alice) = acme(&server);
    let token = alice.personal_token([latchkey::access_tokens::scope::Scope::Api]);
    let ends = server.days_ahead(7);
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{ends}', name = 'mine' WHERE id = {}",
        token.id
    ));
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set(["7: mine → alice"]));
    assert_eq!(
        server.count("emails", "kind = 'personal_tokens_expiring'"),
        1
    );
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.count("emails", "kind LIKE '%expiring'"), 1);
}

async fn nobody_is_told_who_can_not_act_or_has_no_confirmed_address(server: TestServer) {
    let (acme, _) = acme(&server);
    for (name, change) in [
        ("blocked", "state = 'blocked'"),
        ("away", "state = 'deactivated'"),
        ("unconfirmed", "confirmed_at = NULL"),
    ] {
        acme.member(&server.person(name).create(), AccessLevel::Owner);
        server.sql(&format!(
            "UPDATE users SET {change} WHERE username = '{name}'"
        ));
    }
    server.tokens_with(&acme, [5]);
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set(["7: 5 → alice"]));
}

async fn a_membership_that_ended_does_not_count(server: TestServer) {
    let (acme, _) = acme(&server);
    acme.member_until(
        &server.person("past").create(),
        AccessLevel::Owner,
        &server.days_ahead(3),
    );
    server.tokens_with(&acme, [9]);
    server.clock.advance(TimeDelta::days(3));
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set(["7: 9 → alice"]));
}
