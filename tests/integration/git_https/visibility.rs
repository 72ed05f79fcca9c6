//! What can be cloned by whom without a role, and what cannot be told from what isn't there.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::{PULL, PUSH, Scene, asked, both, posted, with};
use crate::on_both;
use crate::support::{Answer, Company, GitClient, TestProject, TestResource, TestServer};

on_both![
    a_public_project_is_cloned_by_nobody_in_particular,
    an_internal_project_is_cloned_by_whoever_isnt_external,
    an_external_member_of_an_internal_project_does_what_the_role_allows,
    bots_are_kept_from_internal_projects_where_the_instance_says_so,
    whoever_sends_a_token_needs_its_scope_even_on_public_projects,
    what_is_hidden_is_not_told_from_what_isnt_there,
    a_deleted_project_is_as_if_it_had_never_been,
];

/// A public project and an internal one of a group that nobody belongs to.
fn open_projects(server: &TestServer) -> (TestProject, TestProject) {
    let group = server.group("open").public().create();
    let code = group.project("code").create();
    let internal = group.project("internal").internal().create();
    (code, internal)
}

async fn a_public_project_is_cloned_by_nobody_in_particular(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    open_projects(&server);
    assert_eq!(both(&server, "open/code", None).await, (200, 401));
    for (who, token) in [
        ("another group's bot", company.other.token("ci").create()),
        ("a person", company.frank.personal_token([Scope::Api])),
        (
            "a person from outside",
            company.xenia.personal_token([Scope::Api]),
        ),
    ] {
        let outcome = with(&server, "open/code", &token).await;
        assert_eq!(outcome, (200, 403), "{who}");
    }
    // Whoever sends something wrong doesn't get what nobody gets.
    let wrong = Some(("x", "glpat-not-a-token"));
    assert_eq!(both(&server, "open/code", wrong).await, (401, 401));
    let revoked = company.other.token("old").create();
    revoked
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    assert_eq!(with(&server, "open/code", &revoked).await, (401, 401));
}

async fn an_internal_project_is_cloned_by_whoever_isnt_external(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    open_projects(&server);
    // Made by somebody from outside, who owns the group: the bot is from outside as well.
    let guests = server.group("guests").owner(&company.xenia).create();
    let home = guests.project("home").create();
    let external = guests.token("ci").made_by(&company.xenia).create();
    let internal = company.other.token("ci").create();
    for (who, token, expected) in [
        ("another group's bot", &internal, (200, 403)),
        (
            "a person",
            &company.frank.personal_token([Scope::WriteRepository]),
            (200, 403),
        ),
        ("an external bot", &external, (404, 404)),
        (
            "an external person",
            &company.xenia.personal_token([Scope::Api]),
            (404, 404),
        ),
    ] {
        let outcome = with(&server, "open/internal", token).await;
        assert_eq!(outcome, expected, "{who}");
    }
    assert_eq!(both(&server, "open/internal", None).await, (401, 401));
    let at_home = with(&server, &home.full_path, &external).await;
    assert_eq!(at_home, (200, 200), "what it is a member of");
}

async fn an_external_member_of_an_internal_project_does_what_the_role_allows(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let company = Company::on(&server);
    let (_, internal) = open_projects(&server);
    let token = company.xenia.personal_token([Scope::WriteRepository]);
    let url = internal.url_for(&token);
    git.run(["ls-remote", &url]).refused_with("not found");
    // What comes with an account that isn't external comes with a role alone here.
    for (role, outcome) in [
        (AccessLevel::Guest, (403, 403)),
        (AccessLevel::Reporter, (200, 403)),
        (AccessLevel::Developer, (200, 200)),
    ] {
        internal.member(&company.xenia, role);
        let found = with(&server, "open/internal", &token).await;
        assert_eq!(found, outcome, "{role:?}");
        if role == AccessLevel::Reporter {
            git.clone(&url, "clone");
        }
        server.sql(&format!(
            "DELETE FROM memberships WHERE user_id = {}",
            company.xenia.id
        ));
    }
    git.run(["ls-remote", &url]).refused_with("not found");
}

async fn bots_are_kept_from_internal_projects_where_the_instance_says_so(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    open_projects(&server);
    let bot = company.other.token("ci").create();
    let person = company.frank.personal_token([Scope::ReadRepository]);
    server.set("bots_read_internal", "false");
    assert_eq!(with(&server, "open/internal", &bot).await, (404, 404));
    assert_eq!(with(&server, "open/internal", &person).await, (200, 403));
    assert_eq!(with(&server, "open/code", &bot).await, (200, 403));
    server.set("bots_read_internal", "true");
    assert_eq!(with(&server, "open/internal", &bot).await, (200, 403));
}

async fn whoever_sends_a_token_needs_its_scope_even_on_public_projects(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    open_projects(&server);
    let scopes = [Scope::ReadRegistry, Scope::AiFeatures, Scope::SelfRotate];
    let token = company.other.token("ci").scopes(scopes).create();
    assert_eq!(with(&server, "open/code", &token).await, (403, 403));
    let owner = company.other.token("ci").role(AccessLevel::Owner);
    let reads = owner.scopes([Scope::ReadApi]).create();
    assert_eq!(with(&server, "open/code", &reads).await, (200, 403));
}

/// All four answers that somebody gets about a project.
async fn all(server: &TestServer, path: &str, login: super::Login<'_>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for service in [PULL, PUSH] {
        answers.push(asked(server, path, service, login).await);
        answers.push(posted(server, path, service, login).await);
    }
    answers
}

async fn what_is_hidden_is_not_told_from_what_isnt_there(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let other = scene.company.other.token("ci").create();
    let named = Some(("x", other.value.as_str()));
    for (login, status) in [(named, 404), (None, 401)] {
        let nowhere = all(&server, "nowhere/at-all", login).await;
        for path in [
            // Hidden; hidden and without a repository; a group; half of a path.
            "acme/p1",
            "acme/sub/p2",
            "acme",
            "acme/p1/more",
            "acme/-/p1",
        ] {
            let found = all(&server, path, login).await;
            for (found, nowhere) in found.iter().zip(&nowhere) {
                assert_eq!(found.comparable(), nowhere.comparable(), "{path} {login:?}");
                assert_eq!(found.status, status, "{path} {login:?}");
            }
        }
    }
    let told = scene
        .git
        .run(["ls-remote", &scene.project().url_for(&other)]);
    told.refused_with("not found");
}

async fn a_deleted_project_is_as_if_it_had_never_been(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let path = scene.project().full_path.clone();
    let login = Some(("x", scene.maintainer.value.as_str()));
    let never = all(&server, "acme/never", login).await;
    let id = format!("/projects/{}", scene.project().id);
    let alice = scene.company.alice.api();
    alice.delete(&id).await.expect(202);
    let gone = all(&server, &path, login).await;
    for (gone, never) in gone.iter().zip(&never) {
        assert_eq!((gone.status, gone.comparable()), (404, never.comparable()));
    }
}
