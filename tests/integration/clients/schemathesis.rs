//! schemathesis: whatever a request asks for, the answer is one that the API's document describes.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use crate::on_both;
use crate::support::{Company, TestResource, TestServer, TestToken, clients::Clients};

/// What each is tried out for itself: it ends the caller's token or takes the caller's rights away, after which
/// everything else would be a 401 or a 403, or it deletes what the rest is about, after which that would be a 404.
const ALONE: [(&str, &str); 7] = [
    ("DELETE", "/personal_access_tokens/self"),
    ("POST", "/personal_access_tokens/self/rotate"),
    ("DELETE", "/personal_access_tokens/{id}"),
    ("POST", "/personal_access_tokens/{id}/rotate"),
    ("PUT", "/users/{id}"),
    ("DELETE", "/groups/{id}"),
    ("DELETE", "/projects/{id}"),
];

/// What the trail tells of, if requests got past all that refuses them.
const EVENTS: [&str; 9] = [
    "group_created",
    "project_created",
    "project_updated",
    "user_created",
    "user_blocked",
    "user_unblocked",
    "user_deleted",
    "group_access_token_rotated",
    "project_access_token_rotated",
];

on_both![
    each_answer_to_an_administrator_is_as_described,
    what_ends_the_rest_is_answered_as_described,
    without_a_credential_each_answer_is_as_described,
];

async fn each_answer_to_an_administrator_is_as_described(server: TestServer) {
    let Some(clients) = Clients::installed() else {
        return;
    };
    let caller = populate(&server);
    let mut run = clients
        .schemathesis()
        .args(["--max-examples", "25"])
        .args(["--generation-with-security-parameters", "false"])
        .args(["--header", &format!("PRIVATE-TOKEN: {}", caller.value)]);
    for (method, path) in ALONE {
        run = run.args(["--exclude-name", &format!("{method} {path}")]);
    }
    run.arg(format!("{}/api/v4/openapi.json", server.url))
        .against(&server)
        .await;
    // It was somebody who may do everything until the end, and who did it.
    let me = caller.get("/user").await.expect(200).json();
    assert_eq!(me["is_admin"], true);
    let done = |event: &&str| {
        let by_caller = format!("event = '{event}' AND actor_id = {}", caller.user_id);
        server.count("audit_events", &by_caller) > 0
    };
    let missing: Vec<&str> = EVENTS.into_iter().filter(|event| !done(event)).collect();
    assert!(missing.is_empty(), "never succeeded: {missing:?}");
}

async fn what_ends_the_rest_is_answered_as_described(server: TestServer) {
    let Some(clients) = Clients::installed() else {
        return;
    };
    populate(&server);
    for (number, (method, path)) in ALONE.into_iter().enumerate() {
        let caller = administrator(&server, &format!("caller-{number}"));
        clients
            .schemathesis()
            .args(["--max-examples", "10"])
            .args(["--generation-with-security-parameters", "false"])
            .args(["--header", &format!("PRIVATE-TOKEN: {}", caller.value)])
            .args(["--include-name", &format!("{method} {path}")])
            .arg(format!("{}/api/v4/openapi.json", server.url))
            .against(&server)
            .await;
    }
}

async fn without_a_credential_each_answer_is_as_described(server: TestServer) {
    let Some(clients) = Clients::installed() else {
        return;
    };
    populate(&server);
    clients
        .schemathesis()
        .args(["--max-examples", "5", "--phases", "fuzzing"])
        .arg(format!("{}/api/v4/openapi.json", server.url))
        .against(&server)
        .await;
}

/// The groups, projects, people and tokens of `schemathesis.toml`, and an administrator who is none of them.
fn populate(server: &TestServer) -> TestToken {
    let lasting = server.group("lasting").create();
    let app = lasting.project("app").create();
    assert_eq!(app.id, 1);
    for resource in [&lasting as &dyn TestResource, &app] {
        for number in 1..=20 {
            resource.token(&format!("token {number}")).create();
        }
    }
    let company = Company::on(server);
    assert_eq!((company.root.id, company.p1.id), (41, 2));
    for person in [&company.alice, &company.bob, &company.carol] {
        lasting.member(person, AccessLevel::Developer);
        app.member(person, AccessLevel::Developer);
    }
    for number in 1..=10 {
        let guest = server.person(&format!("guest-{number}")).create();
        assert_eq!(guest.id, 50 + number);
    }
    for number in 1..=12 {
        let team = server.group(&format!("team-{number}")).public().create();
        let app = team.project(&format!("app-{number}")).create();
        assert_eq!(app.id, 5 + number);
    }
    administrator(server, "caller")
}

fn administrator(server: &TestServer, username: &str) -> TestToken {
    server
        .person(username)
        .admin()
        .create()
        .personal_token([Scope::Api])
}
