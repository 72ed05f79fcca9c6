//! How the jobs are, and the outbox.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use latchkey::mail::outbox::{NewEmail, enqueue};

use super::Scrape;
use crate::{
    on_both,
    support::{Person, TestServer, server::moment},
};

on_both!(
    a_job_is_told_with_its_last_run_its_last_success_and_its_failures,
    a_job_that_never_ran_has_no_times,
    a_job_is_late_by_the_time_that_nobody_began_it,
    mails_are_counted_by_state,
    the_oldest_mail_that_waits_is_told_in_seconds,
    deliveries_to_webhooks_are_counted_by_state_and_the_oldest_is_told,
);

/// A run of a job, written as the runner would.
fn run(server: &TestServer, job: &str, outcome: &str, from: &str, to: Option<&str>) {
    let to = to.map_or("NULL".to_owned(), |to| format!("'2026-11-20 {to}'"));
    server.sql(&format!(
        "INSERT INTO job_runs (job, holder, cause, as_of, outcome, started_at, finished_at)
         VALUES ('{job}', 'node', 'schedule', '2026-11-20 {from}', '{outcome}', '2026-11-20 {from}', {to})"
    ));
}

/// A job that a node has heard of, known in the whole instance since the beginning of the day.
fn job(server: &TestServer, name: &str, failures: u32) {
    server.sql(&format!("DELETE FROM jobs WHERE name = '{name}'"));
    server.sql(&format!(
        "INSERT INTO jobs (name, handled_until, failures) VALUES ('{name}', '2026-11-20 00:00:00', {failures})"
    ));
}

async fn a_job_is_told_with_its_last_run_its_last_success_and_its_failures(server: TestServer) {
    job(&server, "expiry-check", 2);
    run(
        &server,
        "expiry-check",
        "done",
        "01:00:00",
        Some("01:00:09.5"),
    );
    run(&server, "clean-up", "done", "02:30:00", Some("02:30:01"));
    run(
        &server,
        "expiry-check",
        "failed",
        "03:00:00",
        Some("03:00:02"),
    );
    run(
        &server,
        "expiry-check",
        "paused",
        "04:00:00",
        Some("04:03:00"),
    );
    run(&server, "expiry-check", "running", "05:00:00", None);
    let told = Scrape::of(&server).await;
    let at = |time: &str| moment(&format!("2026-11-20T{time}Z")).timestamp_millis() as f64 / 1000.0;
    for (metric, value) in [
        ("last_run_timestamp_seconds", at("05:00:00")),
        ("last_success_timestamp_seconds", at("01:00:09.5")),
        ("last_duration_seconds", 180.0),
        ("failures", 2.0),
    ] {
        let series = format!("latchkey_job_{metric}{{job_name=\"expiry-check\"}}");
        assert_eq!(told.value(&series), value, "{series}");
    }
}

async fn a_job_that_never_ran_has_no_times(server: TestServer) {
    job(&server, "expiry-check", 0);
    let told = Scrape::of(&server).await;
    let labels = "{job_name=\"expiry-check\"}";
    assert_eq!(told.value(&format!("latchkey_job_failures{labels}")), 0.0);
    for metric in [
        "last_run_timestamp",
        "last_success_timestamp",
        "last_duration",
    ] {
        let series = format!("latchkey_job_{metric}_seconds{labels}");
        assert_eq!(told.find(&series), None, "{series}");
    }
}

async fn a_job_is_late_by_the_time_that_nobody_began_it(server: TestServer) {
    let late = async || {
        let series = "latchkey_job_overdue_seconds{job_name=\"expiry-check\"}";
        Scrape::of(&server).await.value(series)
    };
    // It is ten o'clock; the check is due at one.
    job(&server, "expiry-check", 0);
    assert_eq!(late().await, 9.0 * 3600.0);
    server.sql("UPDATE jobs SET lease_holder = 'node', lease_until = '2026-11-20 10:01:00'");
    assert_eq!(late().await, 0.0, "somebody runs it");
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(late().await, 9.0 * 3600.0 + 60.0, "that node is gone");
    server.sql("UPDATE jobs SET lease_holder = NULL, lease_until = NULL, handled_until = '2026-11-20 01:00:00'");
    assert_eq!(late().await, 0.0);
    server.clock.set(moment("2026-11-21T01:00:30Z"));
    assert_eq!(late().await, 30.0);
}

/// Puts a mail into the outbox.
fn mail(server: &TestServer, to: &Person, key: &str) {
    let mail = NewEmail {
        key: key.to_owned(),
        kind: "test",
        user_id: to.id,
        data: serde_json::json!({ "name": "secret plan" }),
        give_up_at: None,
    };
    server.arrange(move |conn, ctx| enqueue(conn, std::slice::from_ref(&mail), ctx.now));
}

fn settle(server: &TestServer, key: &str, state: &str) {
    let settled = match state {
        "waiting" | "sending" => "NULL",
        _ => "'2026-11-20 10:00:00'",
    };
    server.sql(&format!(
        "UPDATE emails SET state = '{state}', settled_at = {settled} WHERE key = '{key}'"
    ));
}

async fn mails_are_counted_by_state(server: TestServer) {
    let alice = server.person("alice").create();
    for (count, state) in [
        (5, "waiting"),
        (1, "sending"),
        (4, "sent"),
        (2, "refused"),
        (3, "dropped"),
    ] {
        for number in 0..count {
            let key = format!("{state}/{number}");
            mail(&server, &alice, &key);
            settle(&server, &key, state);
        }
    }
    let told = Scrape::of(&server).await;
    let by_state = [
        ("dropped", 3.0),
        ("refused", 2.0),
        ("sending", 1.0),
        ("sent", 4.0),
        ("waiting", 5.0),
    ];
    assert_eq!(
        told.all("latchkey_mails"),
        by_state
            .map(|(state, count)| (format!("{{state=\"{state}\"}}"), count))
            .into_iter()
            .collect::<BTreeMap<_, _>>()
    );
    assert!(!told.text.contains("secret plan") && !told.text.contains("alice"));
}

async fn the_oldest_mail_that_waits_is_told_in_seconds(server: TestServer) {
    let oldest = "latchkey_mail_oldest_waiting_seconds";
    let alice = server.person("alice").create();
    assert_eq!(Scrape::of(&server).await.value(oldest), 0.0);
    mail(&server, &alice, "first");
    server.clock.advance(TimeDelta::minutes(7));
    mail(&server, &alice, "second");
    // 7 minutes, and the 10 until the next count.
    assert_eq!(Scrape::later(&server).await.value(oldest), 1020.0);
    server.clock.advance(TimeDelta::seconds(10));
    assert_eq!(
        Scrape::of(&server).await.value(oldest),
        1030.0,
        "it waits on between two counts"
    );
    settle(&server, "first", "sending");
    assert_eq!(Scrape::later(&server).await.value(oldest), 1630.0);
    settle(&server, "first", "sent");
    assert_eq!(Scrape::later(&server).await.value(oldest), 1810.0);
    settle(&server, "second", "refused");
    assert_eq!(Scrape::later(&server).await.value(oldest), 0.0);
}

async fn deliveries_to_webhooks_are_counted_by_state_and_the_oldest_is_told(server: TestServer) {
    let oldest = "latchkey_webhook_oldest_waiting_seconds";
    let told = Scrape::of(&server).await;
    assert_eq!(told.value(oldest), 0.0);
    for state in ["waiting", "sending", "delivered", "failed"] {
        let series = format!("latchkey_webhook_deliveries{{state=\"{state}\"}}");
        assert_eq!(told.value(&series), 0.0, "{state}");
    }
    let hook = server
        .group("acme")
        .create()
        .webhook("pager", "https://hook.example.com/secret-path");
    hook.delivery();
    server.clock.advance(TimeDelta::minutes(1));
    hook.delivery();
    let told = Scrape::later(&server).await;
    assert_eq!(told.value(oldest), 660.0);
    assert_eq!(
        told.value("latchkey_webhook_deliveries{state=\"waiting\"}"),
        2.0
    );
    assert!(!told.text.contains("secret-path") && !told.text.contains("pager"));
    server.sql(
        "UPDATE webhook_deliveries SET state = 'failed', settled_at = created_at
         WHERE id = (SELECT min(id) FROM webhook_deliveries)",
    );
    let told = Scrape::later(&server).await;
    assert_eq!(told.value(oldest), 1200.0);
    assert_eq!(
        told.value("latchkey_webhook_deliveries{state=\"waiting\"}"),
        1.0
    );
    assert_eq!(
        told.value("latchkey_webhook_deliveries{state=\"failed\"}"),
        1.0
    );
}
