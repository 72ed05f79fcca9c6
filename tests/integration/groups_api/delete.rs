//! `DELETE /groups/:id` and `POST /groups/:id/transfer`

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{forbidden, group_missing, invalid, paths};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_deleted_group_is_gone_with_all_below,
    owners_delete_a_group_and_nobody_else,
    a_group_moves_to_another_and_to_the_top,
    each_refusal_to_move_has_its_words,
];

async fn a_deleted_group_is_gone_with_all_below(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let gone = [
        c.sub.token("group").create(),
        c.deep.token("below").create(),
        c.p2.token("project").create(),
        c.p3.token("project below").create(),
    ];
    let stays = [
        c.acme.token("above").create(),
        c.p1.token("beside").create(),
    ];
    let answer = alice.delete(&c.sub.path()).await;
    assert_eq!(
        answer.outcome(),
        (202, json!({ "message": "202 Accepted" }))
    );
    for token in &gone {
        token.get("/user").await.expect(401);
        token.get("/personal_access_tokens/self").await.expect(401);
    }
    for token in &stays {
        assert!(token.works().await);
    }
    for path in [
        c.sub.path(),
        c.deep.path(),
        "/groups/acme%2Fsub".to_owned(),
        format!("{}/access_tokens", c.sub.path()),
    ] {
        assert_eq!(alice.get(&path).await.outcome(), group_missing(), "{path}");
    }
    for project in [&c.p2, &c.p3] {
        alice.get(&project.path()).await.expect(404);
    }
    let again = alice.delete(&c.sub.path()).await;
    assert_eq!(again.outcome(), group_missing());
    assert_eq!(paths(&alice, "/groups").await, ["acme"]);
    // A new group of the same path is another one.
    let body = json!({ "name": "sub", "path": "sub", "parent_id": c.acme.id });
    let new = alice.post("/groups", body).await.expect(201).json();
    assert_ne!(new["id"], c.sub.id);
    for token in &gone {
        token.get("/groups/acme%2Fsub").await.expect(401);
    }
}

async fn owners_delete_a_group_and_nobody_else(server: TestServer) {
    let c = Company::on(&server);
    let owner = c.acme.token("ci").role(AccessLevel::Owner).create();
    for (who, api, status) in [
        ("nobody", server.anonymous(), 401),
        ("outsider", c.frank.api(), 404),
        ("Guest", c.erin.api(), 403),
        ("Developer", c.carol.api(), 403),
        ("Maintainer", c.bob.api(), 403),
        ("a Maintainer's bot", c.acme.token("ci").create().api(), 403),
        (
            "an Owner who may only read",
            c.alice.personal_token([Scope::ReadApi]).api(),
            403,
        ),
        ("an Owner's bot", owner.api(), 202),
        ("Owner", c.alice.api(), 202),
        ("administrator", c.root.api(), 202),
    ] {
        let group = c.acme.subgroup(&format!("g{}", server.next())).create();
        let answer = api.delete(&group.path()).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
        if who == "Maintainer" {
            assert_eq!(answer.outcome(), forbidden());
        }
        let after = c.root.api().get(&group.path()).await.status;
        assert_eq!(after, if status == 202 { 404 } else { 200 }, "{who}");
    }
}

async fn a_group_moves_to_another_and_to_the_top(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    let alice = c.alice.api();
    let token = c.p2.token("ci").create();
    let path = format!("{}/transfer", c.sub.path());
    let moved = alice.post(&path, json!({ "group_id": c.other.id })).await;
    let moved = moved.expect(201).json();
    assert_eq!(moved["id"], c.sub.id);
    assert_eq!(moved["full_path"], "other/sub");
    assert_eq!(moved["parent_id"], c.other.id);
    let old = alice.get("/groups/acme%2Fsub").await;
    assert_eq!(old.outcome(), group_missing());
    token.get("/projects/other%2Fsub%2Fp2").await.expect(200);
    // Bob's role came from where it was.
    c.bob.api().get(&c.sub.path()).await.expect(404);
    c.oscar.api().get(&c.deep.path()).await.expect(200);

    let top = alice.post(&path, Value::Null).await.expect(201).json();
    assert_eq!(top["full_path"], "sub");
    assert_eq!(top["parent_id"], Value::Null);
    let deep = alice.get("/groups/sub%2Fdeep").await.expect(200).json();
    assert_eq!(deep["id"], c.deep.id);
    assert!(token.works().await);
}

async fn each_refusal_to_move_has_its_words(server: TestServer) {
    let c = Company::on(&server);
    let path = format!("{}/transfer", c.sub.path());
    let alice = c.alice.api();
    let answer = alice.post(&path, json!({ "group_id": "other" })).await;
    assert_eq!(answer.outcome(), invalid("group_id is invalid"));
    for hidden in [c.other.id, 99_999_999] {
        let answer = alice.post(&path, json!({ "group_id": hidden })).await;
        assert_eq!(answer.outcome(), group_missing(), "{hidden}");
    }
    c.other.member(&c.alice, AccessLevel::Maintainer);
    let answer = alice.post(&path, json!({ "group_id": c.other.id })).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    for target in [c.sub.id, c.deep.id, c.acme.id] {
        let answer = alice.post(&path, json!({ "group_id": target })).await;
        assert_eq!(answer.status, 400, "{target}: {}", answer.text());
    }
    let body = json!({ "group_id": c.acme.id });
    let answer = c.bob.api().post(&path, body.clone()).await;
    assert_eq!(answer.outcome(), forbidden());
    c.frank.api().post(&path, body.clone()).await.expect(404);
    server.anonymous().post(&path, body).await.expect(401);
    let shown = alice.get(&c.sub.path()).await.expect(200).json();
    assert_eq!(shown["full_path"], "acme/sub");
}
