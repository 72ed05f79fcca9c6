//! Who gets which answer from the six endpoints of a project's tokens.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{missing, not_found, project_missing, refused, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Api, Company, TestProject, TestResource, TestServer};

on_both![
    maintainers_owners_and_administrators_may_everything,
    who_sees_the_project_and_has_no_right_is_told_so,
    who_does_not_see_the_project_is_told_that_it_is_not_there,
    a_role_on_the_project_alone_is_enough,
    a_small_scope_reads_and_changes_nothing,
    without_a_credential_nobody_is_heard,
];

const CANNOT_CREATE: &str = "User does not have permission to create project access token";

fn wanted() -> Value {
    json!({ "name": "x", "scopes": ["api"], "access_level": 10 })
}

/// The statuses of list, get, create, rotate and revoke.
async fn statuses(project: &TestProject, api: &Api) -> [u16; 5] {
    let tokens = tokens_of(project);
    let one = |role: AccessLevel| project.token("target").role(role).create().id;
    let (shown, rotated, revoked) = (
        one(AccessLevel::Guest),
        one(AccessLevel::Guest),
        one(AccessLevel::Guest),
    );
    [
        api.get(&tokens).await.status,
        api.get(&format!("{tokens}/{shown}")).await.status,
        api.post(&tokens, wanted()).await.status,
        api.post(&format!("{tokens}/{rotated}/rotate"), json!({}))
            .await
            .status,
        api.delete(&format!("{tokens}/{revoked}")).await.status,
    ]
}

async fn maintainers_owners_and_administrators_may_everything(server: TestServer) {
    let company = Company::on(&server);
    for person in [&company.bob, &company.alice, &company.root] {
        for project in [&company.p1, &company.p3] {
            assert_eq!(
                statuses(project, &person.api()).await,
                [200, 200, 201, 200, 204],
                "{} in {}",
                person.username,
                project.full_path
            );
        }
    }
}

async fn who_sees_the_project_and_has_no_right_is_told_so(server: TestServer) {
    let company = Company::on(&server);
    let open = company.other.project("open").private().create();
    // A public project in a public group: everybody sees it.
    let wide = server.group("wide").public().create();
    let seen = wide.project("seen").create();
    open.member(&company.frank, AccessLevel::Developer);
    for (person, project) in [
        (&company.carol, &company.p1),
        (&company.dave, &company.p1),
        (&company.paula, &company.p2),
        (&company.erin, &company.p3),
        (&company.frank, &open),
        (&company.alice, &seen),
        (&company.xenia, &seen),
    ] {
        let token = project.token("ci").role(AccessLevel::Guest).create();
        let (api, tokens) = (person.api(), tokens_of(project));
        let one = format!("{tokens}/{}", token.id);
        let who = format!("{} in {}", person.username, project.full_path);
        let before = server.inventory();
        assert_eq!(api.get(&tokens).await.outcome(), unauthorized(), "{who}");
        assert_eq!(api.get(&one).await.outcome(), unauthorized(), "{who}");
        assert_eq!(
            api.post(&tokens, wanted()).await.outcome(),
            refused(CANNOT_CREATE),
            "{who}"
        );
        for id in [token.id, 99_999_999] {
            let answer = api.post(&format!("{tokens}/{id}/rotate"), json!({})).await;
            assert_eq!(answer.outcome(), unauthorized(), "{who} rotates {id}");
        }
        let text = format!("{} cannot delete ci", person.name);
        assert_eq!(api.delete(&one).await.outcome(), refused(&text), "{who}");
        let unknown = format!("{tokens}/99999999");
        assert_eq!(
            api.delete(&unknown).await.outcome(),
            missing("99999999"),
            "{who}"
        );
        assert_eq!(server.inventory(), before, "{who}");
        assert!(token.works().await, "{who}");
    }
}

async fn who_does_not_see_the_project_is_told_that_it_is_not_there(server: TestServer) {
    let company = Company::on(&server);
    let bot = company.p2.token("beside").role(AccessLevel::Owner).create();
    let theirs = company
        .other
        .token("theirs")
        .role(AccessLevel::Owner)
        .create();
    let token = company.p1.token("ci").create();
    for (who, api) in [
        ("an outsider", company.frank.api()),
        ("an external person", company.xenia.api()),
        ("an Owner of another group", company.oscar.api()),
        ("a token of another project", bot.api()),
        ("a token of another group", theirs.api()),
    ] {
        for project in ["/projects/99999999".to_owned(), company.p1.path()] {
            let tokens = format!("{project}/access_tokens");
            let one = format!("{tokens}/{}", token.id);
            for answer in [
                api.get(&tokens).await,
                api.get(&one).await,
                api.post(&tokens, wanted()).await,
                api.post(&format!("{one}/rotate"), json!({})).await,
                api.delete(&one).await,
            ] {
                assert_eq!(answer.outcome(), project_missing(), "{who}: {project}");
            }
        }
    }
    assert!(token.works().await);
    // An administrator sees everything, and is told what there is not.
    let unknown = format!("{}/99999999/rotate", tokens_of(&company.p1));
    let answer = company.root.api().post(&unknown, json!({})).await;
    assert_eq!(answer.outcome(), not_found());
}

async fn a_role_on_the_project_alone_is_enough(server: TestServer) {
    let company = Company::on(&server);
    for (name, level) in [
        ("max", AccessLevel::Maintainer),
        ("olga", AccessLevel::Owner),
    ] {
        let person = server.person(name).create();
        company.p1.member(&person, level);
        let api = person.api();
        let all = [200, 200, 201, 200, 204];
        assert_eq!(statuses(&company.p1, &api).await, all, "{name}");
        assert_eq!(statuses(&company.p2, &api).await, [404; 5], "{name}");
    }
    // The higher of two roles holds.
    company.p1.member(&company.erin, AccessLevel::Maintainer);
    let all = [200, 200, 201, 200, 204];
    assert_eq!(statuses(&company.p1, &company.erin.api()).await, all);
    // A role that has ended holds no more.
    company
        .p1
        .member_until(&company.frank, AccessLevel::Owner, "2026-11-21");
    let frank = company.frank.api();
    assert_eq!(statuses(&company.p1, &frank).await, all);
    server.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(statuses(&company.p1, &frank).await, [404; 5]);
}

async fn a_small_scope_reads_and_changes_nothing(server: TestServer) {
    let company = Company::on(&server);
    for (scope, expected) in [
        (Scope::Api, [200, 200, 201, 200, 204]),
        (Scope::ReadApi, [200, 200, 403, 403, 403]),
        (Scope::ReadUser, [403; 5]),
        (Scope::SelfRotate, [403; 5]),
        (Scope::WriteRepository, [403; 5]),
    ] {
        let token = company.bob.personal_token([scope]);
        let got = statuses(&company.p1, &token).await;
        assert_eq!(got, expected, "{}", scope.name());
    }
}

async fn without_a_credential_nobody_is_heard(server: TestServer) {
    let wide = server.group("wide").public().create();
    let seen = wide.project("seen").create();
    let hidden = server.group("closed").private().create();
    let hidden = hidden.project("hidden").create();
    let unknown = server.with_token("glpat-AAAAAAAAAAAAAAAAAAAA");
    for api in [server.anonymous(), unknown] {
        for project in [&seen, &hidden] {
            assert_eq!(statuses(project, &api).await, [401; 5]);
            let own = format!("{}/self/rotate", tokens_of(project));
            let answer = api.post(&own, json!({})).await;
            assert_eq!(answer.outcome(), unauthorized());
        }
    }
}
