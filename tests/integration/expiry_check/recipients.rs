//! Who is told.

use super::*;

on_both!(
    of_a_groups_tokens_its_direct_owners_are_told_and_nobody_else,
    of_a_projects_tokens_its_direct_maintainers_and_owners_are_told,
    of_a_project_in_a_personal_namespace_the_person_is_told,
    a_person_is_told_of_their_own_tokens,
    nobody_is_told_who_can_not_act_or_has_no_confirmed_address,
    a_membership_that_ended_does_not_count,
    inherited_members_are_told_where_flag_and_group_say_so_and_each_person_once,
    without_the_flag_a_group_that_asks_for_inherited_members_is_not_heard,
    a_lock_above_wins_over_what_a_group_says,
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

/// Acme, where alice owns and mia maintains; below it platform, where both own too, and its project, where pat
/// maintains; each with a token. Platform says that inherited members are told.
fn nested(server: &TestServer) {
    let (acme, alice) = acme(server);
    let platform = acme.subgroup("platform").create();
    let api = platform.project("api").create();
    let (mia, pat) = (server.person("mia").create(), server.person("pat").create());
    acme.member(&mia, AccessLevel::Maintainer);
    platform.member(&alice, AccessLevel::Owner);
    platform.member(&server.person("owen").create(), AccessLevel::Owner);
    api.member(&pat, AccessLevel::Maintainer);
    api.member(&alice, AccessLevel::Maintainer);
    let ends = server.days_ahead(5);
    acme.token("of-acme").expires(&ends).create();
    platform.token("of-platform").expires(&ends).create();
    api.token("of-api").expires(&ends).create();
    server.sql(
        "UPDATE groups SET resource_access_token_notify_inherited = TRUE WHERE path = 'platform'",
    );
}

const INHERITED_FLAG: &str = "pat_expiry_inherited_members_notification";

async fn inherited_members_are_told_where_flag_and_group_say_so_and_each_person_once(
    server: TestServer,
) {
    nested(&server);
    server.flag(INHERITED_FLAG, true);
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(
        server.noticed(),
        set([
            "7: of-acme → alice",
            "7: of-platform → alice",
            "7: of-platform → owen",
            "7: of-api → alice",
            "7: of-api → mia",
            "7: of-api → owen",
            "7: of-api → pat",
        ])
    );
    assert_eq!(server.count("emails", ""), 7);
}

/// What is told when nobody but direct members counts.
fn direct() -> BTreeSet<String> {
    set([
        "7: of-acme → alice",
        "7: of-platform → alice",
        "7: of-platform → owen",
        "7: of-api → alice",
        "7: of-api → pat",
    ])
}

async fn without_the_flag_a_group_that_asks_for_inherited_members_is_not_heard(server: TestServer) {
    nested(&server);
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), direct());
}

async fn a_lock_above_wins_over_what_a_group_says(server: TestServer) {
    nested(&server);
    server.flag(INHERITED_FLAG, true);
    server.sql(
        "UPDATE groups SET resource_access_token_notify_inherited = FALSE, \
         lock_resource_access_token_notify_inherited = TRUE WHERE path = 'acme'",
    );
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), direct());
    // The instance's own lock wins over all.
    server.set("resource_access_token_notify_inherited", "true");
    server.set("lock_resource_access_token_notify_inherited", "true");
    server.sql("UPDATE access_tokens SET seven_days_notification_sent_at = NULL");
    server.sql("DELETE FROM expiry_notices");
    server.sql("DELETE FROM emails");
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed().len(), 7);
}
