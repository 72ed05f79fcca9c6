//! `inactive-bots`: kept bots go once every token of theirs has been inactive for the retention period.

use latchkey::bots::retention::{delete_inactive, find_inactive, keeps_any};

use super::*;

on_both!(
    a_kept_bot_goes_thirty_days_after_its_last_token_ended,
    a_family_with_one_active_token_is_kept_whole,
    without_a_period_nothing_ever_goes,
    where_bots_are_not_kept_nothing_goes_by_this_job,
    a_top_level_group_has_its_own_say,
    bots_are_looked_for_in_windows_and_again_before_they_go,
    where_nothing_is_kept_nobody_looks_for_bots,
);

impl TestServer {
    async fn bots_gone_by(&self, at: &str) -> i64 {
        self.clock.set(moment(at));
        self.run_job(Job::InactiveBots).await["bots"]
    }
}

async fn a_kept_bot_goes_thirty_days_after_its_last_token_ended(server: TestServer) {
    server.retain_bots(true);
    let acme = server.group("acme").create();
    let owner = server.person("alice").create();
    acme.member(&owner, AccessLevel::Owner);
    let revoked = acme.token("revoked").expires("2027-05-01").create();
    let expired = acme.token("expired").expires("2026-11-30").create();
    let path = format!("{}/access_tokens/{}", acme.path(), revoked.id);
    assert_eq!(owner.api().delete(&path).await.status, 204);
    assert_eq!(server.bots_gone_by("2026-12-20T09:59:59Z").await, 0);
    assert_eq!(
        server.bots_gone_by("2026-12-20T10:00:01Z").await,
        1,
        "the revoked one"
    );
    assert_eq!(
        server.count("users", &format!("id = {}", revoked.user_id)),
        0
    );
    assert_eq!(server.bots_gone_by("2026-12-30T03:00:00Z").await, 0);
    assert_eq!(
        server.bots_gone_by("2026-12-31T03:00:00Z").await,
        1,
        "the expired one"
    );
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", expired.id)),
        0
    );
    assert_eq!(server.count("audit_events", "event = 'bot_deleted'"), 2);
}

async fn a_family_with_one_active_token_is_kept_whole(server: TestServer) {
    server.retain_bots(true);
    let acme = server.group("acme").create();
    let owner = server.person("alice").create();
    acme.member(&owner, AccessLevel::Owner);
    let token = acme.token("ci").expires("2026-11-30").create();
    let path = format!(
        "{}/access_tokens/{}/rotate?expires_at=2027-10-01",
        acme.path(),
        token.id
    );
    assert_eq!(
        owner.api().post(&path, serde_json::json!({})).await.status,
        200
    );
    assert_eq!(server.bots_gone_by("2027-09-30T03:00:00Z").await, 0);
    assert_eq!(
        server.count("access_tokens", &format!("user_id = {}", token.user_id)),
        2
    );
    assert_eq!(server.bots_gone_by("2027-11-02T03:00:00Z").await, 1);
}

async fn without_a_period_nothing_ever_goes(server: TestServer) {
    server.retain_bots(true);
    server.set("inactive_resource_access_tokens_delete_after_days", "");
    server.group("acme").create().token("ci").create();
    assert_eq!(server.bots_gone_by("2036-01-01T03:00:00Z").await, 0);
    server.set("inactive_resource_access_tokens_delete_after_days", "365");
    assert_eq!(server.bots_gone_by("2036-01-01T03:00:00Z").await, 1);
}

async fn where_bots_are_not_kept_nothing_goes_by_this_job(server: TestServer) {
    server.group("acme").create().token("ci").create();
    assert_eq!(server.bots_gone_by("2036-01-01T03:00:00Z").await, 0);
}

async fn a_top_level_group_has_its_own_say(server: TestServer) {
    let acme = server.group("acme").create();
    let tools = server.group("tools").create();
    acme.subgroup("platform").create().token("ci").create();
    tools.project("cli").create().token("ci").create();
    server.retain_bots_of("acme", Some(true));
    assert_eq!(server.bots_gone_by("2028-01-01T03:00:00Z").await, 1);
    assert_eq!(
        server.count(
            "users",
            "kind = 'project_bot' AND bot_project_id IS NOT NULL"
        ),
        1
    );
}

async fn bots_are_looked_for_in_windows_and_again_before_they_go(server: TestServer) {
    server.retain_bots(true);
    let acme = server.group("acme").create();
    let mut bots: Vec<i64> = (0..5)
        .map(|number| {
            acme.token(&format!("t{number}"))
                .expires("2026-11-30")
                .create()
        })
        .map(|token| token.user_id)
        .collect();
    let living = acme.token("living").expires("2027-10-01").create();
    server.clock.set(moment("2027-03-01T03:00:00Z"));
    let (mut after, mut found, mut windows) = (Some(0), Vec::new(), 0);
    while let Some(here) = after {
        let window = server.arrange(move |conn, ctx| find_inactive(conn, ctx, here, 2));
        assert!(window.ids.len() <= 2);
        found.extend(window.ids);
        after = window.next;
        windows += 1;
    }
    assert_eq!((&found, windows), (&bots, 4));
    // Since then one of them has got a living token.
    let revived = bots.remove(1);
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '2027-10-01' WHERE user_id = {revived}"
    ));
    let gone = server.arrange(move |conn, ctx| delete_inactive(conn, ctx, &found));
    assert_eq!(gone, 4);
    for user in [revived, living.user_id] {
        assert_eq!(server.count("users", &format!("id = {user}")), 1);
    }
}

async fn where_nothing_is_kept_nobody_looks_for_bots(server: TestServer) {
    server.group("acme").create().token("ci").create();
    let keeps = |server: &TestServer| server.arrange(keeps_any);
    assert!(!keeps(&server));
    server.sql("UPDATE groups SET retain_bots = FALSE");
    assert!(!keeps(&server));
    server.sql("UPDATE groups SET retain_bots = TRUE WHERE path = 'acme'");
    assert!(keeps(&server));
    server.set("inactive_resource_access_tokens_delete_after_days", "");
    assert!(!keeps(&server));
    server.set("inactive_resource_access_tokens_delete_after_days", "30");
    server.sql("UPDATE groups SET retain_bots = FALSE");
    server.retain_bots(true);
    assert!(keeps(&server));
}
