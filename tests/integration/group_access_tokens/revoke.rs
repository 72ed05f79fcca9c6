//! `DELETE /groups/:id/access_tokens/:token_id`

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::json;

use super::{missing, refused};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_revoked_token_is_dead_at_once,
    without_the_flag_nothing_of_it_is_left,
    revoking_again_succeeds_while_the_token_is_kept,
    the_token_is_looked_up_before_the_right,
    a_token_without_a_membership_is_told_so,
    an_owners_bot_revokes_its_siblings,
    a_token_revokes_itself_whatever_its_scope,
    revoking_a_value_that_was_rotated_away_leaves_its_successor_alone,
    refusals_leave_a_line_in_the_trail,
];

async fn a_revoked_token_is_dead_at_once(server: TestServer) {
    for retain in [false, true] {
        server.retain_bots(retain);
        let name = if retain { "kept" } else { "gone" };
        let alice = server.person(&format!("alice-{name}")).create();
        let acme = server.group(name).owner(&alice).create();
        let token = acme.token("ci").create();
        assert!(token.works().await);
        let path = format!("{}/access_tokens/{}", acme.path(), token.id);
        let answer = alice.api().delete(&path).await.expect(204);
        assert!(answer.body.is_empty());
        let refusal = token.get("/user").await.expect(401).json();
        assert_eq!(refusal["error"], "invalid_token");
    }
}

async fn without_the_flag_nothing_of_it_is_left(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.acme.token("ci").create();
    let project = token
        .post(
            "/projects",
            json!({ "path": "made-by-bot", "namespace_id": company.acme.id }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(project["creator_id"], token.user_id);
    let group = company.acme.path();
    let path = format!("{group}/access_tokens/{}", token.id);
    alice.delete(&path).await.expect(204);

    for pass in ["marked", "deleted"] {
        assert_eq!(
            alice.get(&path).await.outcome(),
            missing(&token.id.to_string()),
            "{pass}"
        );
        alice.delete(&path).await.expect(404);
        let list = alice
            .get(&format!("{group}/access_tokens"))
            .await
            .expect(200);
        assert_eq!(list.json(), json!([]), "{pass}");
        assert_eq!(list.header("x-total"), "0", "{pass}");
        let members = alice
            .get(&format!("{group}/members?per_page=100"))
            .await
            .expect(200)
            .text();
        assert!(!members.contains(&token.username), "{pass}");
        server.rest().await;
    }
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", token.id)),
        0
    );
    assert_eq!(
        server.count("memberships", &format!("user_id = {}", token.user_id)),
        0
    );
    // What it made belongs to the ghost now.
    assert_eq!(
        server.count(
            "projects JOIN users ON users.id = projects.creator_id",
            "users.kind = 'ghost' AND projects.path = 'made-by-bot'"
        ),
        1
    );
    let answer = token.get("/user").await;
    assert_eq!(
        answer.outcome(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
}

async fn revoking_again_succeeds_while_the_token_is_kept(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.acme.token("ci").create();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    alice.delete(&path).await.expect(204);
    alice.delete(&path).await.expect(204);
    let shown = alice.get(&path).await.expect(200).json();
    assert_eq!(shown["revoked"], true);
    assert_eq!(shown["active"], false);
    let events = server.count("audit_events", "event = 'group_access_token_deleted'");
    assert_eq!(events, 1, "one event for one change");
}

async fn the_token_is_looked_up_before_the_right(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let group = format!("{}/access_tokens", company.acme.path());
    let bob = company.bob.api();
    let answer = bob.delete(&format!("{group}/{}", token.id)).await;
    assert_eq!(answer.outcome(), refused("Bob cannot delete ci"));
    for id in ["99999", "self", "abc"] {
        assert_eq!(
            bob.delete(&format!("{group}/{id}")).await.outcome(),
            missing(id),
            "{id}"
        );
    }
    let elsewhere = company.other.token("elsewhere").create();
    let answer = company
        .alice
        .api()
        .delete(&format!("{group}/{}", elsewhere.id))
        .await;
    assert_eq!(answer.outcome(), missing(&elsewhere.id.to_string()));
    assert!(token.works().await && elsewhere.works().await);
}

async fn a_token_without_a_membership_is_told_so(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    server.sql(&format!(
        "DELETE FROM memberships WHERE user_id = {}",
        token.user_id
    ));
    let alice = company.alice.api();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    let answer = alice.delete(&path).await;
    assert_eq!(answer.outcome(), refused("Failed to find bot user"));
    let shown = alice.get(&path).await.expect(200).json();
    assert_eq!(shown["access_level"], json!(null));
    let list = alice
        .get(&format!("{}/access_tokens", company.acme.path()))
        .await
        .expect(200);
    assert_eq!(list.json(), json!([]), "no member, so not in the list");
    // It still authenticates, and reaches nothing private.
    token.get("/user").await.expect(200);
    token.get(&company.acme.path()).await.expect(404);
}

async fn an_owners_bot_revokes_its_siblings(server: TestServer) {
    let company = Company::on(&server);
    let group = format!("{}/access_tokens", company.acme.path());
    let owner = company
        .acme
        .token("owner")
        .role(AccessLevel::Owner)
        .create();
    let sibling = company.acme.token("sibling").create();
    owner
        .delete(&format!("{group}/{}", sibling.id))
        .await
        .expect(204);
    assert!(!sibling.works().await);

    let second = company.acme.token("second").create();
    let maintainer = company.acme.token("maintainer").create();
    let answer = maintainer.delete(&format!("{group}/{}", second.id)).await;
    assert_eq!(answer.outcome(), refused("maintainer cannot delete second"));
    // Above or below is not its own group.
    let below = company.sub.token("below").create();
    let answer = owner
        .delete(&format!(
            "{}/access_tokens/{}",
            company.sub.path(),
            below.id
        ))
        .await;
    assert_eq!(answer.outcome(), refused("owner cannot delete below"));
    assert!(second.works().await && below.works().await);
}

async fn a_token_revokes_itself_whatever_its_scope(server: TestServer) {
    let company = Company::on(&server);
    for scope in Scope::ALL
        .into_iter()
        .filter(|scope| !matches!(scope, Scope::ReadUser | Scope::Sudo | Scope::AdminMode))
    {
        let token = company
            .acme
            .token("ci")
            .role(AccessLevel::Guest)
            .scopes([scope])
            .create();
        let answer = token.delete("/personal_access_tokens/self").await;
        assert_eq!(answer.status, 204, "{}", scope.name());
        assert!(answer.body.is_empty());
        assert_eq!(
            token
                .get("/personal_access_tokens/self")
                .await
                .expect(401)
                .json()["error"],
            "invalid_token"
        );
    }
    // Its bot is kept, and so is the row.
    let path = format!("{}/access_tokens?state=inactive", company.acme.path());
    let list = company.alice.api().get(&path).await.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 11);
    assert_eq!(list[0]["revoked"], true);
}

async fn revoking_a_value_that_was_rotated_away_leaves_its_successor_alone(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.acme.token("ci").create();
    let group = company.acme.path();
    let old = format!("{group}/access_tokens/{}", token.id);
    let new = alice
        .post(&format!("{old}/rotate"), json!({}))
        .await
        .expect(200)
        .json();
    alice.delete(&old).await.expect(204);
    let path = format!("{group}/access_tokens/{}", new["id"]);
    assert_eq!(alice.get(&path).await.expect(200).json()["active"], true);
    assert_eq!(
        server.count("audit_events", "event = 'group_access_token_deleted'"),
        0
    );
    alice.delete(&path).await.expect(204);
    alice.get(&path).await.expect(404);
}

async fn refusals_leave_a_line_in_the_trail(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let token = company.acme.token("ci").create();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    for _ in 0..2 {
        bob.delete(&path).await.expect(400);
        bob.post(&format!("{path}/rotate"), json!({}))
            .await
            .expect(401);
    }
    for event in ["deletion_failed", "rotation_failed"] {
        let line = format!(
            "event = 'group_access_token_{event}' AND occurrences = 2 AND actor_id = {}",
            company.bob.id
        );
        assert_eq!(server.count("audit_events", &line), 1, "{event}");
    }
    assert!(token.works().await);
}
