//! `lifetime-enforcement`: what the instance's settings don't allow goes when its time has come, and not before; and the
//! weekly hint at tokens that nobody uses.

use super::*;

on_both!(
    three_hours_after_the_lifetime_was_lowered_longer_tokens_go,
    undone_in_time_nothing_goes,
    a_lowering_that_is_about_no_token_is_settled_too,
    unused_tokens_go_a_day_after_the_setting_asks_for_it_and_then_daily,
    whatever_the_day_the_check_hints_at_unused_tokens_once_a_week,
);

async fn three_hours_after_the_lifetime_was_lowered_longer_tokens_go(server: TestServer) {
    server.run_due_jobs().await;
    let acme = server.group("acme").create();
    let long = acme.token("long").expires("2027-10-01").create();
    let short = acme.token("short").expires("2026-12-01").create();
    server.set("max_personal_access_token_lifetime", "30");
    server
        .clock
        .advance(TimeDelta::hours(3) - TimeDelta::seconds(1));
    assert!(
        !server
            .run_due_jobs()
            .await
            .contains(&"lifetime-enforcement")
    );
    long.get("/user").await.expect(200);
    server.clock.advance(TimeDelta::seconds(1));
    assert!(
        server
            .run_due_jobs()
            .await
            .contains(&"lifetime-enforcement")
    );
    long.get("/user").await.expect(401);
    short.get("/user").await.expect(200);
    assert!(
        !server
            .run_due_jobs()
            .await
            .contains(&"lifetime-enforcement")
    );
    let runs = server.history(Job::LifetimeEnforcement);
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].counts[0], ("overlong_tokens".to_owned(), 1));
}

async fn undone_in_time_nothing_goes(server: TestServer) {
    server.run_due_jobs().await;
    let acme = server.group("acme").create();
    let long = acme.token("long").expires("2027-10-01").create();
    server.set("max_personal_access_token_lifetime", "30");
    server.clock.advance(TimeDelta::hours(2));
    server.set("max_personal_access_token_lifetime", "");
    server.clock.advance(TimeDelta::hours(2));
    server.run_due_jobs().await;
    long.get("/user").await.expect(200);
}

async fn a_lowering_that_is_about_no_token_is_settled_too(server: TestServer) {
    server.run_due_jobs().await;
    server.set("max_personal_access_token_lifetime", "30");
    server.clock.advance(TimeDelta::hours(3));
    assert!(
        server
            .run_due_jobs()
            .await
            .contains(&"lifetime-enforcement")
    );
    assert!(
        !server
            .run_due_jobs()
            .await
            .contains(&"lifetime-enforcement")
    );
}

async fn unused_tokens_go_a_day_after_the_setting_asks_for_it_and_then_daily(server: TestServer) {
    server.run_due_jobs().await;
    let acme = server.group("acme").create();
    let idle = acme.token("idle").expires("2027-10-01").create();
    server.set("revoke_unused_tokens_after_days", "60");
    for _ in 0..60 {
        server.clock.advance(TimeDelta::days(1));
        server.run_due_jobs().await;
    }
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_access_token_revoked_by_policy'"
        ),
        1
    );
    idle.get("/user").await.expect(401);
    assert_eq!(
        server.history(Job::LifetimeEnforcement).len(),
        31,
        "once a day, kept for a month"
    );
}

async fn whatever_the_day_the_check_hints_at_unused_tokens_once_a_week(server: TestServer) {
    let acme = server.group("acme").create();
    let alice = server.person("alice").create();
    acme.member(&alice, AccessLevel::Owner);
    acme.token("idle").expires("2027-10-01").create();
    server.sql("UPDATE users SET unused_token_mails = TRUE WHERE username = 'alice'");
    // A Tuesday; on Monday no check ran.
    server.clock.set(moment("2027-01-05T01:00:00Z"));
    assert_eq!(server.run_job(Job::ExpiryCheck).await["hints"], 1);
    assert!(!server.run_job(Job::ExpiryCheck).await.contains_key("hints"));
    // The Sunday of that week, and the Monday after it.
    server.clock.set(moment("2027-01-10T01:00:00Z"));
    assert!(!server.run_job(Job::ExpiryCheck).await.contains_key("hints"));
    server.clock.set(moment("2027-01-11T01:00:00Z"));
    assert_eq!(server.run_job(Job::ExpiryCheck).await["hints"], 1);
    assert_eq!(server.run_job(Job::DeliverMail).await["sent"], 2);
}
