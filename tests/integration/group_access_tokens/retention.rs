//! What the flag that keeps bots changes.

use serde_json::json;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    the_flag_decides_whether_bots_end_with_their_tokens,
    a_group_may_choose_for_itself
];

fn ends(server: &TestServer, user_id: i64) -> bool {
    server.count(
        "memberships",
        &format!("user_id = {user_id} AND expires_at IS NOT NULL"),
    ) == 1
}

async fn the_flag_decides_whether_bots_end_with_their_tokens(server: TestServer) {
    let company = Company::on(&server);
    let before = company.acme.token("before").expires("2026-12-01").create();
    server.retain_bots(true);
    let after = company.acme.token("after").expires("2026-12-01").create();
    assert!(ends(&server, before.user_id));
    assert!(!ends(&server, after.user_id));

    let path = format!("{}/access_tokens", company.acme.path());
    let alice = company.alice.api();
    alice
        .delete(&format!("{path}/{}", after.id))
        .await
        .expect(204);
    server.rest().await;
    let kept = alice
        .get(&format!("{path}/{}", after.id))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&kept["revoked"], &kept["active"]),
        (&json!(true), &json!(false))
    );
    let members = alice
        .get(&format!("{}/members?per_page=100", company.acme.path()))
        .await
        .text();
    assert!(members.contains(&after.username));
}

async fn a_group_may_choose_for_itself(server: TestServer) {
    let company = Company::on(&server);
    let choose = |group: &'static str, enabled: bool| server.retain_bots_of(group, Some(enabled));
    choose("acme", true);
    assert!(
        !ends(&server, company.deep.token("kept").create().user_id),
        "the root's choice holds below"
    );
    assert!(ends(
        &server,
        company.other.token("not kept").create().user_id
    ));
    server.retain_bots(true);
    choose("acme", false);
    assert!(ends(
        &server,
        company.acme.token("not kept").create().user_id
    ));
    assert!(!ends(&server, company.other.token("kept").create().user_id));
}
