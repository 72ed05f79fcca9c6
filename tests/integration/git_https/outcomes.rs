//! What each role and each scope gets, and with which words.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use super::{PULL, PUSH, SCOPES, asked, both, posted, status, with};
use crate::on_both;
use crate::support::{Company, GitClient, TestResource, TestServer};

on_both![
    a_role_and_a_scope_together_decide,
    a_refusal_says_why_in_a_line_of_text,
    a_token_reaches_what_lies_below_its_group_and_nothing_beside,
    a_persons_own_token_does_what_the_person_may,
    who_is_blocked_gets_nothing,
    an_archived_project_is_read_and_not_written,
    a_demotion_holds_from_the_next_request_on,
    a_membership_that_ended_opens_nothing,
    capital_letters_lead_to_the_same_repository,
];

const ROLES: [AccessLevel; 6] = [
    AccessLevel::Guest,
    AccessLevel::Planner,
    AccessLevel::Reporter,
    AccessLevel::Developer,
    AccessLevel::Maintainer,
    AccessLevel::Owner,
];

/// What a role gets on a private project with a scope that allows it.
fn allowed(role: AccessLevel) -> (bool, bool) {
    (
        role >= AccessLevel::Reporter,
        role >= AccessLevel::Developer,
    )
}

async fn a_role_and_a_scope_together_decide(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let status = |yes: bool| if yes { 200 } else { 403 };
    for role in ROLES {
        let (reads, writes) = allowed(role);
        for (scope, pulls, pushes) in SCOPES {
            let token = company.acme.token("ci").role(role).scopes([scope]);
            let outcome = with(&server, "acme/p1", &token.create()).await;
            let expected = (status(reads && pulls), status(writes && pushes));
            assert_eq!(outcome, expected, "{role:?} with {scope:?}");
        }
    }
}

async fn a_refusal_says_why_in_a_line_of_text(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = |role, scope| company.acme.token("ci").role(role).scopes([scope]).create();
    let out_of_scope = token(AccessLevel::Owner, Scope::ReadRegistry);
    let reads = token(AccessLevel::Owner, Scope::ReadRepository);
    let guest = token(AccessLevel::Guest, Scope::WriteRepository);
    let reporter = token(AccessLevel::Reporter, Scope::WriteRepository);
    for (token, service, text) in [
        (&out_of_scope, PULL, "You are not allowed to download code."),
        (&out_of_scope, PUSH, "You are not allowed to upload code."),
        (&reads, PUSH, "You are not allowed to upload code."),
        (
            &guest,
            PULL,
            "You are not allowed to download code from this project.",
        ),
        (
            &reporter,
            PUSH,
            "You are not allowed to push code to this project.",
        ),
    ] {
        let login = Some(("x", token.value.as_str()));
        for answer in [
            asked(&server, "acme/p1", service, login).await,
            posted(&server, "acme/p1", service, login).await,
        ] {
            assert_eq!(
                (answer.status, answer.text().trim()),
                (403, text),
                "{service}"
            );
        }
    }
    // The scope is looked at before anything else about the project: it tells nothing of what is there.
    for path in ["other/p9", "nowhere/at-all"] {
        let outcome = with(&server, path, &out_of_scope).await;
        assert_eq!(outcome, (403, 403), "{path}");
    }
}

async fn a_token_reaches_what_lies_below_its_group_and_nothing_beside(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let acme = company.acme.token("ci").create();
    let sub = company.sub.token("ci").create();
    let other = company.other.token("ci").create();
    let project = company.p2.token("ci").create();
    let (yes, no) = ((200, 200), (404, 404));
    for (token, name, expected) in [
        (&acme, "acme's", [yes, yes, yes, no]),
        (&sub, "acme/sub's", [no, yes, yes, no]),
        (&project, "acme/sub/p2's", [no, yes, no, no]),
        (&other, "other's", [no, no, no, yes]),
    ] {
        let paths = ["acme/p1", "acme/sub/p2", "acme/sub/deep/p3", "other/p9"];
        for (path, expected) in paths.into_iter().zip(expected) {
            let outcome = with(&server, path, token).await;
            assert_eq!(outcome, expected, "{name} token on {path}");
        }
    }
}

async fn a_persons_own_token_does_what_the_person_may(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    for (person, expected) in [
        (&company.alice, (200, 200)),
        (&company.bob, (200, 200)),
        (&company.carol, (200, 200)),
        (&company.dave, (200, 403)),
        (&company.paula, (403, 403)),
        (&company.erin, (403, 403)),
        (&company.frank, (404, 404)),
        (&company.xenia, (404, 404)),
        (&company.oscar, (404, 404)),
    ] {
        let token = person.personal_token([Scope::WriteRepository]);
        let outcome = with(&server, "acme/p1", &token).await;
        assert_eq!(outcome, expected, "{}", person.username);
    }
    for (scope, expected) in [
        (Scope::ReadUser, (403, 403)),
        (Scope::ReadRepository, (200, 403)),
        (Scope::ReadApi, (200, 403)),
        (Scope::Api, (200, 200)),
    ] {
        let token = company.carol.personal_token([scope]);
        let outcome = with(&server, "acme/p1", &token).await;
        assert_eq!(outcome, expected, "carol with {scope:?}");
    }
}

async fn who_is_blocked_gets_nothing(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let public = server.group("open").public().create();
    public.project("code").create();
    let token = company.carol.personal_token([Scope::Api]);
    assert_eq!(with(&server, "acme/p1", &token).await, (200, 200));
    company.carol.block();
    for path in ["acme/p1", "open/code", "nowhere/at-all"] {
        let (pull, push) = with(&server, path, &token).await;
        assert!(
            matches!((pull, push), (401, 401) | (403, 403)),
            "{path}: {pull} {push}"
        );
    }
}

async fn an_archived_project_is_read_and_not_written(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = company.acme.token("ci").role(AccessLevel::Owner).create();
    let id = company.p1.id;
    server.sql(&format!(
        "UPDATE projects SET archived = TRUE WHERE id = {id}"
    ));
    assert_eq!(with(&server, "acme/p1", &token).await, (200, 403));
    assert_eq!(with(&server, "acme/sub/p2", &token).await, (200, 200));
}

async fn a_demotion_holds_from_the_next_request_on(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = company.carol.personal_token([Scope::WriteRepository]);
    assert_eq!(with(&server, "acme/p1", &token).await, (200, 200));
    let member = format!("{}/members/{}", company.acme.path(), company.carol.id);
    let alice = company.alice.api();
    for (level, expected) in [(20, (200, 403)), (10, (403, 403)), (30, (200, 200))] {
        let body = serde_json::json!({ "access_level": level });
        alice.put(&member, body).await.expect(200);
        let outcome = with(&server, "acme/p1", &token).await;
        assert_eq!(outcome, expected, "{level}");
    }
    alice.delete(&member).await.expect(204);
    assert_eq!(with(&server, "acme/p1", &token).await, (404, 404));
}

async fn a_membership_that_ended_opens_nothing(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let tomorrow = server.days_ahead(1);
    company
        .p1
        .member_until(&company.frank, AccessLevel::Developer, &tomorrow);
    let token = company.frank.personal_token([Scope::WriteRepository]);
    assert_eq!(with(&server, "acme/p1", &token).await, (200, 200));
    server.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(with(&server, "acme/p1", &token).await, (404, 404));
}

async fn capital_letters_lead_to_the_same_repository(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    assert_eq!(with(&server, "ACME/Sub/P2", &token).await, (200, 200));
    let nobody = status(&server, "ACME/P1", PULL, None).await;
    assert_eq!(nobody, 401);
    assert_eq!(both(&server, "ACME/P1", None).await, (401, 401));
}
