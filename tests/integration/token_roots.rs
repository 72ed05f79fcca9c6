//! A token knows the top-level group above it, whichever way it or what it is for came where it is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey::access_tokens::scope::Scope;
use latchkey::actor::{Actor, Origin};
use latchkey::exchange;
use latchkey::groups::Group;
use serde_json::json;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer, server::SECRET};
use crate::transfers::{all_in_step, namespace, now, transfer, transfer_project};

on_both![
    a_token_is_made_and_rotated_below_its_root,
    a_persons_own_token_is_below_no_group,
    an_imported_token_is_below_the_root_of_its_bot,
    tokens_move_below_another_root_with_their_group,
    tokens_move_below_another_root_with_their_project,
    another_address_leaves_the_root,
];

/// Each token's root is that of its group or project, and personal ones have none.
#[track_caller]
pub(crate) fn are_in_step(server: &TestServer) {
    let root = "COALESCE(
        (SELECT g.root_id FROM groups g WHERE g.id = t.group_id),
        (SELECT g.root_id FROM projects p JOIN groups g ON g.id = p.group_id WHERE p.id = t.project_id),
        0)";
    let astray = server.count(
        "access_tokens t",
        &format!("COALESCE(t.root_id, 0) <> {root}"),
    );
    assert_eq!(astray, 0, "tokens below another root than their own");
}

/// How many tokens lie below this root.
fn below(server: &TestServer, root: &Group) -> i64 {
    server.count("access_tokens", &format!("root_id = {}", root.id))
}

/// A token for everything in the company, and a project in alice's own namespace.
async fn everywhere(server: &TestServer, c: &Company) {
    let own = c
        .alice
        .api()
        .post("/projects", json!({ "path": "own" }))
        .await;
    own.expect(201);
    for group in [&c.acme, &c.sub, &c.deep, &c.other] {
        group.token("ci").create();
    }
    for project in [&c.p1, &c.p2, &c.p3, &c.p9] {
        project.token("ci").create();
    }
    are_in_step(server);
}

async fn a_token_is_made_and_rotated_below_its_root(server: TestServer) {
    let c = Company::on(&server);
    everywhere(&server, &c).await;
    let alice = c.alice.api();
    let body = json!({ "name": "x", "scopes": ["api"], "expires_at": server.days_ahead(9) });
    for path in [
        c.acme.path(),
        c.deep.path(),
        c.p3.path(),
        "/projects/alice%2Fown".into(),
    ] {
        let path = format!("{path}/access_tokens");
        let made = alice.post(&path, body.clone()).await.expect(201).json();
        are_in_step(&server);
        let rotated = alice
            .post(&format!("{path}/{}/rotate", made["id"]), json!({}))
            .await
            .expect(200)
            .json();
        assert_ne!(rotated["id"], made["id"]);
        are_in_step(&server);
        let by_itself = server
            .with_token(rotated["token"].as_str().unwrap())
            .post(&format!("{path}/self/rotate"), json!({}))
            .await;
        assert!(
            matches!(by_itself.status, 200 | 201),
            "{}",
            by_itself.text()
        );
    }
    are_in_step(&server);
    assert_eq!(below(&server, &now(&c.acme)), 6 + 9);
    assert_eq!(below(&server, &namespace(&c.alice)), 3);
    assert_eq!(below(&server, &now(&c.other)), 2);
}

async fn a_persons_own_token_is_below_no_group(server: TestServer) {
    let c = Company::on(&server);
    let token = c.alice.personal_token([Scope::Api]);
    token
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200);
    assert_eq!(server.count("access_tokens", "root_id IS NULL"), 2);
    assert_eq!(server.count("access_tokens", "root_id IS NOT NULL"), 0);
}

async fn an_imported_token_is_below_the_root_of_its_bot(server: TestServer) {
    let fingerprint = latchkey::access_tokens::secret::fingerprint(SECRET);
    let digest = |letter: &str| STANDARD.encode(letter.repeat(32));
    let bot = |number: u32, place: &str, path: &str| {
        let name = format!("bot_{number}");
        json!({ "username": name, "name": "ci", place: path, "access_level": 40 })
    };
    let token = |user: &str, letter: &str| json!({ "user": user, "name": "ci", "scopes": ["api"], "digest": digest(letter), "expires_at": "2027-01-01" });
    let file = json!({
        "format": "latchkey-import",
        "version": 1,
        "digests": { "kind": "hmac-sha256", "secret_fingerprint": fingerprint },
        "users": [{ "username": "ann", "name": "Ann", "email": "ann@example.com" }],
        "groups": [{ "path": "acme", "name": "Acme" }, { "path": "acme/sub", "name": "Sub" }],
        "projects": [{ "path": "acme/sub/api", "name": "Api" }, { "path": "ann/own", "name": "Own" }],
        "memberships": [{ "user": "ann", "group": "acme", "access_level": 50 }],
        "bots": [
            bot(1, "group", "acme"), bot(2, "group", "acme/sub"),
            bot(3, "project", "acme/sub/api"), bot(4, "project", "ann/own"),
        ],
        "tokens": [
            token("bot_1", "a"), token("bot_2", "b"), token("bot_3", "c"), token("bot_4", "d"), token("ann", "e"),
        ],
    });
    let text = file.to_string();
    let system = Actor::system(Origin::console());
    let report = server.attempt_as(system, move |conn, ctx| {
        exchange::import(conn, ctx, &fingerprint, text.as_bytes(), &mut |_| ())
    });
    assert_eq!(report.unwrap().tokens.created, 5);
    assert_eq!(server.count("access_tokens", "root_id IS NOT NULL"), 4);
    are_in_step(&server);
}

async fn tokens_move_below_another_root_with_their_group(server: TestServer) {
    let c = Company::on(&server);
    everywhere(&server, &c).await;
    let before = below(&server, &now(&c.acme));
    transfer(&c.sub, c.root.actor(), Some(&c.other)).unwrap();
    all_in_step(&server);
    assert_eq!(
        before - below(&server, &now(&c.acme)),
        4,
        "sub, deep, p2 and p3"
    );
    // To the top, and what has been a root below another one.
    transfer(&c.deep, c.root.actor(), None).unwrap();
    all_in_step(&server);
    assert_eq!(below(&server, &now(&c.deep)), 2);
    transfer(&c.other, c.root.actor(), Some(&c.deep)).unwrap();
    all_in_step(&server);
    assert_eq!(below(&server, &now(&c.other)), 0);
}

async fn tokens_move_below_another_root_with_their_project(server: TestServer) {
    let c = Company::on(&server);
    everywhere(&server, &c).await;
    for to in [now(&c.other), namespace(&c.root)] {
        transfer_project(&c.p3, c.root.actor(), &to).unwrap();
        all_in_step(&server);
        assert!(below(&server, &to) > 0, "{}", to.full_path);
    }
}

async fn another_address_leaves_the_root(server: TestServer) {
    let c = Company::on(&server);
    everywhere(&server, &c).await;
    let root = now(&c.acme);
    let before = below(&server, &root);
    let body = json!({ "path": "renamed" });
    c.alice
        .api()
        .put(&c.acme.path(), body.clone())
        .await
        .expect(200);
    c.alice.api().put(&c.p1.path(), body).await.expect(200);
    all_in_step(&server);
    assert_eq!(below(&server, &root), before);
}
