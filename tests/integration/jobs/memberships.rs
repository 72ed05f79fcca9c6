//! `expired-memberships`: rows whose date has come go, and bots that lose theirs.

use super::*;

on_both!(
    a_membership_goes_on_its_date_and_not_before,
    a_bot_goes_with_its_membership_and_its_token,
    a_kept_bot_has_no_date_and_stays,
    a_rotation_that_was_quicker_keeps_the_bot,
    many_go_in_batches,
);

async fn a_membership_goes_on_its_date_and_not_before(server: TestServer) {
    let acme = server.group("acme").create();
    let api = acme.project("api").create();
    let (ann, bo, cy) = (
        server.person("ann").create(),
        server.person("bo").create(),
        server.person("cy").create(),
    );
    acme.member_until(&ann, AccessLevel::Developer, "2026-11-25");
    api.member_until(&bo, AccessLevel::Developer, "2026-11-26");
    acme.member(&cy, AccessLevel::Owner);
    server.clock.set(moment("2026-11-24T23:59:59Z"));
    assert_eq!(
        server.run_job(Job::ExpiredMemberships).await["memberships"],
        0
    );
    server.clock.set(moment("2026-11-25T00:10:00Z"));
    assert_eq!(
        server.run_job(Job::ExpiredMemberships).await["memberships"],
        1
    );
    assert_eq!(
        server.count("memberships", &format!("user_id = {}", ann.id)),
        0
    );
    assert_eq!(
        server.count("memberships", &format!("user_id = {}", bo.id)),
        1
    );
    assert_eq!(
        server.count(
            "audit_events",
            &format!("event = 'member_expired' AND target_id = {} AND group_path = 'acme' AND actor_kind = 'system' AND channel = 'job'", ann.id)
        ),
        1
    );
    server.clock.set(moment("2026-12-25T00:10:00Z"));
    let counts = server.run_job(Job::ExpiredMemberships).await;
    assert_eq!((counts["memberships"], counts["bots"]), (1, 0));
    assert_eq!(server.count("users", "username IN ('ann', 'bo', 'cy')"), 3);
}

async fn a_bot_goes_with_its_membership_and_its_token(server: TestServer) {
    let acme = server.group("acme").create();
    let token = acme.token("ci").expires("2026-11-25").create();
    let other = acme.token("other").expires("2026-11-26").create();
    server.clock.set(moment("2026-11-25T00:10:00Z"));
    let counts = server.run_job(Job::ExpiredMemberships).await;
    assert_eq!((counts["memberships"], counts["bots"]), (1, 1));
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", token.id)),
        0
    );
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", other.id)),
        1
    );
}

async fn a_kept_bot_has_no_date_and_stays(server: TestServer) {
    server.retain_bots(true);
    let acme = server.group("acme").create();
    let token = acme.token("ci").expires("2026-11-25").create();
    server.clock.set(moment("2026-12-01T00:10:00Z"));
    assert_eq!(
        server.run_job(Job::ExpiredMemberships).await["memberships"],
        0
    );
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", token.id)),
        1
    );
}

async fn a_rotation_that_was_quicker_keeps_the_bot(server: TestServer) {
    let acme = server.group("acme").create();
    let owner = server.person("alice").create();
    acme.member(&owner, AccessLevel::Owner);
    let token = acme.token("ci").expires("2026-11-25").create();
    server.clock.set(moment("2026-11-25T00:05:00Z"));
    let rotated = owner
        .api()
        .post(
            &format!("{}/access_tokens/{}/rotate", acme.path(), token.id),
            serde_json::json!({}),
        )
        .await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    assert_eq!(server.run_job(Job::ExpiredMemberships).await["bots"], 0);
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 1);
}

async fn many_go_in_batches(server: TestServer) {
    let acme = server.group("acme").create();
    for number in 0..450 {
        let ann = format!("p{number}");
        server.sql(&format!(
            "INSERT INTO users (username, username_key, name, email, email_key, kind, state, created_at, updated_at) \
             VALUES ('{ann}', '{ann}', '{ann}', '{ann}@x', '{ann}@x', 'human', 'active', '2026-11-20 10:00:00', '2026-11-20 10:00:00')"
        ));
    }
    server.sql(&format!(
        "INSERT INTO memberships (user_id, group_id, access_level, expires_at, created_at) \
         SELECT id, {}, 30, '2026-11-21', '2026-11-20 10:00:00' FROM users WHERE username LIKE 'p%'",
        acme.id
    ));
    server.clock.set(moment("2026-11-21T00:10:00Z"));
    let queries = server.app.db.counters().queries();
    assert_eq!(
        server.run_job(Job::ExpiredMemberships).await["memberships"],
        450
    );
    // One for the line in the trail of each, and a few for each batch.
    let queries = server.app.db.counters().queries() - queries;
    assert!(queries < 450 + 100, "{queries} queries");
}
