//! Jobs: each runs at its time, once, on one node; what was missed is made up for; the history tells what came of it.

use std::time::Duration;

use chrono::TimeDelta;
use latchkey::{
    error::Error,
    jobs::{
        Job,
        history::{self, JobRun},
        lease::{self, Cause, Ending},
        run::by_hand,
        store,
    },
    members::AccessLevel,
};

use crate::{
    on_both,
    support::{TestResource, TestServer, server::moment},
};

mod clean_up;
mod memberships;
mod pages;
mod policy;
mod retention;

impl TestServer {
    fn history(&self, job: Job) -> Vec<JobRun> {
        self.arrange(move |conn, _| history::newest(conn, Some(job), None, 100))
    }
}

on_both!(
    a_fresh_database_has_missed_no_run,
    a_job_runs_at_its_time_and_once,
    a_missed_run_is_made_up_for_once_however_many_were_missed,
    a_run_by_hand_leaves_the_schedule_as_it_was,
    while_one_node_runs_a_job_no_other_does,
    a_node_that_lost_its_lease_changes_nothing_more,
    what_a_killed_node_left_is_taken_over_when_its_lease_lapses,
    a_failed_run_is_told_and_tried_again_after_growing_pauses,
    frequent_jobs_leave_no_trace_when_there_is_nothing_to_do,
    two_nodes_that_look_at_the_same_moment_run_a_job_once,
    what_is_asked_for_during_a_run_is_not_forgotten,
    a_clock_that_was_far_ahead_silences_no_job,
);

async fn a_fresh_database_has_missed_no_run(server: TestServer) {
    server.clock.set(moment("2026-11-20T10:00:00Z"));
    assert_eq!(server.run_due_jobs().await, [""; 0]);
    server.clock.set(moment("2026-11-20T10:59:59Z"));
    assert_eq!(server.run_due_jobs().await, [""; 0]);
}

async fn a_job_runs_at_its_time_and_once(server: TestServer) {
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T00:09:59Z"));
    assert!(!server.run_due_jobs().await.contains(&"expired-memberships"));
    for (at, job) in [
        ("2026-11-21T00:10:00Z", "expired-memberships"),
        ("2026-11-21T01:00:00Z", "expiry-check"),
        ("2026-11-21T02:00:00Z", "expired-mails"),
        ("2026-11-21T03:00:00Z", "inactive-bots"),
    ] {
        server.clock.set(moment(at));
        assert!(server.run_due_jobs().await.contains(&job), "{job}");
        assert!(!server.run_due_jobs().await.contains(&job), "{job}");
    }
    let runs = server.history(Job::ExpiryCheck);
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].outcome, "done");
    assert_eq!(runs[0].cause, "schedule");
    assert_eq!(runs[0].as_of, moment("2026-11-21T01:00:00Z"));
    assert_eq!(runs[0].finished_at, Some(moment("2026-11-21T01:00:00Z")));
}

async fn a_missed_run_is_made_up_for_once_however_many_were_missed(server: TestServer) {
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-25T09:00:00Z"));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
    assert!(!server.run_due_jobs().await.contains(&"expiry-check"));
    server.clock.set(moment("2026-11-26T00:59:00Z"));
    assert!(!server.run_due_jobs().await.contains(&"expiry-check"));
    server.clock.set(moment("2026-11-26T01:00:00Z"));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
    assert_eq!(server.history(Job::ExpiryCheck).len(), 2);
}

async fn a_run_by_hand_leaves_the_schedule_as_it_was(server: TestServer) {
    server.run_due_jobs().await;
    let as_of = moment("2027-03-01T01:00:00Z");
    by_hand(&server.app, Job::ExpiryCheck, Some(as_of), Duration::ZERO)
        .await
        .unwrap();
    let by_hand = &server.history(Job::ExpiryCheck)[0];
    assert_eq!((by_hand.cause.as_str(), by_hand.as_of), ("console", as_of));
    assert_eq!(by_hand.started_at, server.now());
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
}

async fn while_one_node_runs_a_job_no_other_does(server: TestServer) {
    let now = server.now();
    let take = move |conn: &mut latchkey::db::DbConnection, job| {
        lease::acquire(conn, job, Cause::Console, None, now, now)
    };
    let held = server.arrange(move |conn, _| take(conn, Job::ExpiryCheck));
    assert!(held.is_some());
    let second = by_hand(
        &server.app,
        Job::ExpiryCheck,
        None,
        Duration::from_millis(300),
    )
    .await;
    let refusal = second.unwrap_err();
    assert!(matches!(refusal, Error::Conflict(_)), "{refusal}");
    assert!(refusal.to_string().contains("expiry-check"), "{refusal}");
    assert!(
        server
            .arrange(move |conn, _| take(conn, Job::CleanUp))
            .is_some()
    );
    let lease = held.unwrap();
    server.arrange(move |conn, _| lease.end(conn, &Ending::Done, "{}", now));
    server.run_job(Job::ExpiryCheck).await;
}

async fn a_node_that_lost_its_lease_changes_nothing_more(server: TestServer) {
    let begin = server.now();
    let take = move |conn: &mut latchkey::db::DbConnection, at| {
        lease::acquire(conn, Job::CleanUp, Cause::Console, None, at, at)
    };
    let slow = server.arrange(move |conn, _| take(conn, begin)).unwrap();
    let later = begin + lease::LENGTH;
    assert!(
        server
            .arrange(move |conn, _| take(conn, later - TimeDelta::seconds(1)))
            .is_none(),
        "it holds until it lapses"
    );
    let quick = server.arrange(move |conn, _| take(conn, later)).unwrap();
    let stale = slow.clone();
    let lost = server.attempt_as(system(), move |conn, _| stale.renew(conn, later));
    assert!(matches!(lost, Err(Error::Conflict(_))));
    // Its end is no end of the other's run either.
    server.arrange(move |conn, _| slow.end(conn, &Ending::Done, "{}", later));
    server.arrange(move |conn, _| quick.renew(conn, later));
    let outcomes: Vec<String> = server
        .history(Job::CleanUp)
        .into_iter()
        .map(|run| run.outcome)
        .collect();
    assert_eq!(outcomes, ["running", "abandoned"]);
}

fn system() -> latchkey::actor::Actor {
    latchkey::actor::Actor::system(latchkey::actor::Origin::job())
}

async fn what_a_killed_node_left_is_taken_over_when_its_lease_lapses(server: TestServer) {
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    // A node takes the job, and is killed.
    let now = server.now();
    let due = store::Due::Scheduled(now);
    server.arrange(move |conn, _| {
        lease::acquire(conn, Job::ExpiryCheck, Cause::Schedule, Some(due), now, now).map(|_| ())
    });
    assert!(!server.run_due_jobs().await.contains(&"expiry-check"));
    server.clock.advance(lease::LENGTH);
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
    let runs = server.history(Job::ExpiryCheck);
    assert_eq!(runs[0].outcome, "done");
    assert_eq!(runs[1].outcome, "abandoned");
    assert!(runs[1].error.is_some() && runs[1].finished_at.is_some());
}

async fn a_failed_run_is_told_and_tried_again_after_growing_pauses(server: TestServer) {
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    let acme = server.group("acme").create();
    let owner = server.person("alice").create();
    acme.member(&owner, AccessLevel::Owner);
    acme.token("ci").expires("2026-11-25").create();
    server.sql("ALTER TABLE expiry_notices RENAME TO elsewhere");
    let mut waited = Vec::new();
    for minutes in [0, 1, 5, 15, 60, 60] {
        server
            .clock
            .advance(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
        if minutes > 0 {
            assert!(
                !server.run_due_jobs().await.contains(&"expiry-check"),
                "{minutes}"
            );
        }
        server.clock.advance(TimeDelta::seconds(1));
        assert!(
            server.run_due_jobs().await.contains(&"expiry-check"),
            "{minutes}"
        );
        waited.push(minutes);
    }
    let failed = &server.history(Job::ExpiryCheck)[0];
    assert_eq!(failed.outcome, "failed");
    assert!(failed.error.as_ref().unwrap().contains("expiry_notices"));
    assert_eq!(
        server.count(
            "access_tokens",
            "seven_days_notification_sent_at IS NOT NULL"
        ),
        0
    );
    server.sql("ALTER TABLE elsewhere RENAME TO expiry_notices");
    server.clock.advance(TimeDelta::hours(1));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
    assert_eq!(server.history(Job::ExpiryCheck)[0].outcome, "done");
    assert_eq!(
        server.count("jobs", "name = 'expiry-check' AND failures > 0"),
        0
    );
    assert_eq!(server.count("emails", "kind = 'token_expiring'"), 1);
    assert!(!server.run_due_jobs().await.contains(&"expiry-check"));
}

async fn frequent_jobs_leave_no_trace_when_there_is_nothing_to_do(server: TestServer) {
    for _ in 0..3 {
        server.run_due_jobs().await;
        server.clock.advance(TimeDelta::seconds(30));
    }
    assert_eq!(server.count("job_runs", ""), 0);
    let acme = server.group("acme").create();
    let token = acme.token("ci").create();
    server.sql("UPDATE users SET bot_gone_at = created_at WHERE kind = 'project_bot'");
    assert_eq!(server.run_due_jobs().await, ["bot-deletion"]);
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
    assert_eq!(
        server.history(Job::BotDeletion)[0].counts,
        [("bots".to_owned(), 1)]
    );
}

async fn two_nodes_that_look_at_the_same_moment_run_a_job_once(server: TestServer) {
    server.run_due_jobs().await;
    for round in 1..=20 {
        server
            .clock
            .set(moment("2026-11-20T01:00:00Z") + TimeDelta::days(round));
        tokio::join!(server.run_due_jobs(), server.run_due_jobs());
        assert_eq!(server.history(Job::ExpiryCheck).len() as i64, round);
    }
}

async fn what_is_asked_for_during_a_run_is_not_forgotten(server: TestServer) {
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    let now = server.now();
    let due = store::Due::Scheduled(now);
    let lease = server
        .arrange(move |conn, _| {
            lease::acquire(conn, Job::ExpiryCheck, Cause::Schedule, Some(due), now, now)
        })
        .unwrap();
    server.arrange(|conn, ctx| latchkey::jobs::request(conn, ctx, Job::ExpiryCheck));
    server.arrange(move |conn, _| lease.end(conn, &Ending::Done, "{}", now));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
    assert_eq!(server.history(Job::ExpiryCheck)[0].cause, "page");
    assert!(!server.run_due_jobs().await.contains(&"expiry-check"));
}

async fn a_clock_that_was_far_ahead_silences_no_job(server: TestServer) {
    server.run_due_jobs().await;
    let there = "'2099-01-01 00:00:00'";
    server.sql(&format!(
        "UPDATE jobs SET handled_until = {there}, retry_at = {there}, lease_holder = 'x', lease_until = {there}"
    ));
    server.run_job(Job::ExpiryCheck).await;
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
}
