//! `DELETE /projects/:id/access_tokens/:token_id`

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{missing, refused, tokens_of};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_revoked_token_is_dead_at_once,
    without_the_flag_nothing_of_it_is_left,
    revoking_again_succeeds_while_the_token_is_kept,
    a_maintainer_revokes_an_owners_token,
    the_token_is_looked_up_before_the_right,
];

async fn a_revoked_token_is_dead_at_once(server: TestServer) {
    let company = Company::on(&server);
    for keeps in [false, true] {
        server.retain_bots(keeps);
        let token = company.p1.token("ci").create();
        let bystander = company.p1.token("bystander").create();
        let path = format!("{}/{}", tokens_of(&company.p1), token.id);
        let answer = company.bob.api().delete(&path).await.expect(204);
        assert!(answer.body.is_empty());
        let refusal = token.get("/user").await.expect(401).json();
        assert_eq!(refusal["error"], "invalid_token");
        assert!(bystander.works().await);
    }
}

async fn without_the_flag_nothing_of_it_is_left(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let token = company.p1.token("ci").create();
    let path = format!("{}/{}", tokens_of(&company.p1), token.id);
    bob.delete(&path).await.expect(204);
    let id = token.id.to_string();
    for pass in ["marked", "deleted"] {
        assert_eq!(bob.get(&path).await.outcome(), missing(&id), "{pass}");
        assert_eq!(bob.delete(&path).await.outcome(), missing(&id), "{pass}");
        let list = bob.get(&tokens_of(&company.p1)).await.expect(200);
        assert_eq!(list.json(), json!([]), "{pass}");
        assert_eq!(list.header("x-total"), "0", "{pass}");
        let members = format!("{}/members", company.p1.path());
        let members = bob.get(&members).await.expect(200);
        assert!(!members.text().contains(&token.username), "{pass}");
        let user = format!("/users/{}", token.user_id);
        bob.get(&user).await.expect(404);
        server.rest().await;
    }
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
    assert_eq!(server.count("access_tokens", &format!("id = {id}")), 0);
    let answer = token.get("/user").await;
    assert_eq!(
        answer.outcome(),
        (401, json!({ "message": "401 Unauthorized" }))
    );
}

async fn revoking_again_succeeds_while_the_token_is_kept(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let bob = company.bob.api();
    let token = company.p1.token("ci").create();
    let path = format!("{}/{}", tokens_of(&company.p1), token.id);
    bob.delete(&path).await.expect(204);
    bob.delete(&path).await.expect(204);
    let shown = bob.get(&path).await.expect(200).json();
    assert_eq!(shown["revoked"], true);
    assert_eq!(shown["active"], false);
    let events = server.count("audit_events", "event = 'project_access_token_deleted'");
    assert_eq!(events, 1, "one event for one change");
    server.rest().await;
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 1);
}

async fn a_maintainer_revokes_an_owners_token(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").role(AccessLevel::Owner).create();
    let path = format!("{}/{}", tokens_of(&company.p1), token.id);
    company.bob.api().delete(&path).await.expect(204);
    assert!(!token.works().await);
}

async fn the_token_is_looked_up_before_the_right(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").create();
    let of_group = company.acme.token("of the group").create();
    let carol = company.carol.api();
    let tokens = tokens_of(&company.p1);
    let answer = carol.delete(&format!("{tokens}/{}", token.id)).await;
    assert_eq!(answer.outcome(), refused("Carol cannot delete ci"));
    for id in [of_group.id.to_string(), "99999999".into(), "self".into()] {
        let answer = carol.delete(&format!("{tokens}/{id}")).await;
        assert_eq!(answer.outcome(), missing(&id));
    }
    assert!(token.works().await && of_group.works().await);
}
