//! `GET /groups/:id/access_tokens/:token_id`

use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use super::{assert_is_token_object, missing};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_token_is_shown_by_its_id,
    whatever_is_no_token_of_this_group_is_missing
];

async fn a_token_is_shown_by_its_id(server: TestServer) {
    let company = Company::on(&server);
    let token = company
        .acme
        .token("ci")
        .described("for the nightly build")
        .scopes([Scope::ReadApi, Scope::ReadRepository])
        .expires("2026-12-24")
        .create();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    let shown = company.alice.api().get(&path).await.expect(200).json();
    assert_is_token_object(&shown, false);
    for (key, value) in [
        ("id", json!(token.id)),
        ("name", json!("ci")),
        ("description", json!("for the nightly build")),
        ("scopes", json!(["read_api", "read_repository"])),
        ("user_id", json!(token.user_id)),
        ("access_level", json!(40)),
        ("expires_at", json!("2026-12-24")),
        ("active", json!(true)),
        ("revoked", json!(false)),
        ("last_used_at", json!(null)),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
}

async fn whatever_is_no_token_of_this_group_is_missing(server: TestServer) {
    let company = Company::on(&server);
    let elsewhere = company.other.token("elsewhere").create();
    let below = company.sub.token("below").create();
    let project = company.p1.token("project").create();
    let own = company.alice.personal_token([Scope::Api]);
    let alice = company.alice.api();
    let group = format!("{}/access_tokens", company.acme.path());
    let ids = [elsewhere.id, below.id, project.id, own.id, 99_999].map(|id| id.to_string());
    for id in ids
        .iter()
        .map(String::as_str)
        .chain(["0", "-1", "self", "1e3", "0x10", "1.0"])
    {
        assert_eq!(
            alice.get(&format!("{group}/{id}")).await.outcome(),
            missing(id),
            "{id}"
        );
    }
    for id in [
        "１",
        "1%20OR%201%3D1",
        "1%00",
        "99999999999999999999",
        "self;",
        "%2e%2e",
        "1%2F2",
        "%FF",
        "..%2f1",
    ] {
        let answer = alice.get(&format!("{group}/{id}")).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
}
