//! What counts as a credential: a user name that isn't blank, with a token as password, by HTTP Basic and nothing else.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use reqwest::Method;

use super::{PULL, PUSH, Scene, asked, both, posted, request};
use crate::on_both;
use crate::support::{Answer, Company, GitClient, PASSWORD, TestResource, TestServer};

on_both![
    any_user_name_will_do_unless_it_is_blank,
    the_token_is_the_password_and_nothing_else,
    passwords_of_accounts_open_nothing,
    no_other_carrier_of_a_token_is_looked_at,
    broken_headers_are_wrong_credentials,
    a_token_that_ended_is_a_wrong_one,
    a_rotated_value_is_a_wrong_one,
    wrong_tokens_are_counted_and_requests_without_one_are_not,
    the_real_program_is_told_the_same,
];

async fn any_user_name_will_do_unless_it_is_blank(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    for user in [
        "x",
        "oauth2",
        "gitlab-ci-token",
        "alice",
        "nobody of this name",
        "🦊",
        "-",
        token.username.as_str(),
    ] {
        let outcome = both(&server, "acme/p1", Some((user, &token.value))).await;
        assert_eq!(outcome, (200, 200), "{user:?}");
    }
    for user in ["", " ", "\t"] {
        let outcome = both(&server, "acme/p1", Some((user, &token.value))).await;
        assert_eq!(outcome, (401, 401), "{user:?}");
    }
}

async fn the_token_is_the_password_and_nothing_else(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let group = server.group("open").public().create();
    group.project("code").create();
    let token = company.acme.token("ci").create();
    let value = token.value.as_str();
    let shorter = &value[..value.len() - 1];
    let longer = format!("{value}x");
    let other_case = value.to_ascii_uppercase();
    for (user, password) in [
        (value, ""),
        (value, "x-oauth-basic"),
        (value, "x"),
        ("x", ""),
        ("", ""),
        ("x", shorter),
        ("x", longer.as_str()),
        ("x", other_case.as_str()),
        ("x", "glpat-xxxxxxxxxxxxxxxxxxxx"),
        ("x", "💥"),
    ] {
        for path in ["acme/p1", "open/code", "nowhere/at-all"] {
            let outcome = both(&server, path, Some((user, password))).await;
            assert_eq!(outcome, (401, 401), "{path} {user:?} {password:?}");
        }
    }
}

async fn passwords_of_accounts_open_nothing(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    Company::on(&server);
    let group = server.group("open").public().create();
    group.project("code").create();
    for user in ["alice", "alice@example.com", "root"] {
        for path in ["acme/p1", "open/code"] {
            let outcome = both(&server, path, Some((user, PASSWORD))).await;
            assert_eq!(outcome, (401, 401), "{path} {user:?}");
        }
    }
}

async fn no_other_carrier_of_a_token_is_looked_at(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let value = token.value.as_str();
    let path = format!("/acme/p1.git/info/refs?service={PULL}");
    let bearer = format!("Bearer {value}");
    for (name, text) in [
        ("private-token", value),
        ("authorization", bearer.as_str()),
        ("job-token", value),
    ] {
        let asked = server.request(Method::GET, &path).header(name, text);
        assert_eq!(Answer::to(asked).await.status, 401, "{name}");
    }
    for name in ["private_token", "access_token"] {
        let path = format!("{path}&{name}={value}");
        assert_eq!(server.get(&path).await.status, 401, "{name}");
    }
    // A browser in which somebody is signed in is nobody here.
    let alice = company.alice.signs_in().await;
    assert_eq!(alice.get(&path).await.status, 401);
    let push = server
        .request(Method::POST, &format!("/acme/p1.git/{PUSH}"))
        .header("content-type", "application/x-git-receive-pack-request")
        .body("0000");
    assert_eq!(alice.send(push).await.status, 401);
}

async fn broken_headers_are_wrong_credentials(server: TestServer) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let group = server.group("open").public().create();
    group.project("code").create();
    let token = company.acme.token("ci").create();
    let good = STANDARD.encode(format!("x:{}", token.value));
    let no_colon = STANDARD.encode(&token.value);
    let no_text = STANDARD.encode([b'x', b':', 0xff, 0xfe]);
    for path in ["acme/p1", "open/code"] {
        for header in [
            "Basic".to_owned(),
            "Basic ".to_owned(),
            "Basic !!!".to_owned(),
            format!("Basic {no_colon}"),
            format!("Basic {no_text}"),
            format!("Basic {good} {good}"),
            "Digest username=\"x\"".to_owned(),
            format!("Basic {}", "A".repeat(5_000)),
        ] {
            let path = format!("/{path}.git/info/refs?service={PULL}");
            let asked = server
                .request(Method::GET, &path)
                .header("authorization", &header);
            let answer = Answer::to(asked).await;
            assert_eq!(answer.status, 401, "{path} {header:?}");
        }
    }
    for scheme in ["Basic", "basic", "BASIC"] {
        let path = format!("/acme/p1.git/info/refs?service={PULL}");
        let asked = server
            .request(Method::GET, &path)
            .header("authorization", format!("{scheme} {good}"));
        assert_eq!(Answer::to(asked).await.status, 200, "{scheme}");
    }
}

async fn a_token_that_ended_is_a_wrong_one(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let revoked = company.acme.token("revoked").create();
    let tomorrow = server.days_ahead(1);
    let expiring = company.acme.token("expiring").expires(&tomorrow).create();
    for token in [&revoked, &expiring] {
        assert_eq!(
            both(&server, "acme/p1", Some(("x", &token.value))).await,
            (200, 200)
        );
    }
    let path = format!("{}/access_tokens/{}", company.acme.path(), revoked.id);
    company.alice.api().delete(&path).await.expect(204);
    // The end is the day's first moment.
    server.clock.advance(TimeDelta::hours(14));
    let wrong = asked(&server, "acme/p1", PULL, Some(("x", "glpat-wrong"))).await;
    for token in [&revoked, &expiring] {
        let login = Some(("x", token.value.as_str()));
        assert_eq!(both(&server, "acme/p1", login).await, (401, 401));
        let answer = asked(&server, "acme/p1", PULL, login).await;
        assert_eq!(answer.comparable(), wrong.comparable());
    }
}

async fn a_rotated_value_is_a_wrong_one(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    let company = Company::on(&server);
    let scopes = [Scope::WriteRepository, Scope::SelfRotate];
    let token = company.acme.token("ci").scopes(scopes).create();
    let rotated = token
        .post("/personal_access_tokens/self/rotate", serde_json::json!({}))
        .await
        .expect(200)
        .json();
    let new = rotated["token"].as_str().unwrap();
    let old = Some(("x", token.value.as_str()));
    assert_eq!(both(&server, "acme/p1", old).await, (401, 401));
    // Showing the old one here is no alarm: the new one goes on.
    assert_eq!(both(&server, "acme/p1", Some(("x", new))).await, (200, 200));
}

async fn wrong_tokens_are_counted_and_requests_without_one_are_not(server: TestServer) {
    if GitClient::new().is_none() {
        return;
    }
    Company::on(&server);
    server.set("failing_credentials_per_minute", "3");
    let path = format!("/acme/p1.git/info/refs?service={PULL}");
    for _ in 0..10 {
        assert_eq!(server.get(&path).await.status, 401);
    }
    let wrong = |number: u32| {
        let value = format!("glpat-{number:020}");
        request(&server, Method::GET, &path, Some(("x", &value)))
    };
    for number in 0..3 {
        assert_eq!(Answer::to(wrong(number)).await.status, 401, "{number}");
    }
    let refused = Answer::to(wrong(3)).await;
    assert_eq!(refused.status, 429);
    assert_ne!(refused.header("retry-after"), "");
    assert!(refused.header("content-type").starts_with("text/plain"));
    assert_eq!(server.get(&path).await.status, 401);
}

async fn the_real_program_is_told_the_same(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let (git, project) = (&scene.git, scene.project());
    let scoped = |scope| scene.company.acme.token("ci").scopes([scope]).create();
    let wrong = server.git_url(project, "x", "glpat-wrong");
    git.run(["clone", &wrong, "wrong"])
        .refused_with("Authentication failed");
    let blank = server.git_url(project, "", &scene.maintainer.value);
    let told = git.run(["clone", &blank, "blank"]).refused();
    assert!(!git.folder().join("blank").exists(), "{told}");
    // Without a credential, the program asks the person for one.
    git.run(["clone", &project.url_for_nobody(), "nobody"])
        .refused_with("could not read Username");
    let registry = scoped(Scope::ReadRegistry);
    git.run(["clone", &project.url_for(&registry), "registry"])
        .refused_with("remote: You are not allowed to download code.");
    let reads = scoped(Scope::ReadRepository);
    let tree = git.clone(&project.url_for(&reads), "reads");
    tree.commit_file("more.txt", "more\n");
    scene.nothing_comes_of("remote: You are not allowed to upload code.", || {
        tree.push("origin", "HEAD:more")
    });
    let reporter = company_reporter(&scene);
    scene.nothing_comes_of(
        "remote: You are not allowed to push code to this project.",
        || tree.push(&project.url_for(&reporter), "HEAD:more"),
    );
    let answer = posted(&server, "acme/p1", PUSH, None).await;
    assert_eq!(answer.status, 401);
}

fn company_reporter(scene: &Scene) -> crate::support::TestToken {
    let level = latchkey::members::AccessLevel::Reporter;
    scene.company.acme.token("reporter").role(level).create()
}
