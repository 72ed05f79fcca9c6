//! Mail and jobs, the page of administrators.

use super::*;
use crate::support::Visitor;

on_both!(
    every_job_stands_there_with_its_last_run_and_its_next,
    a_run_that_is_asked_for_comes_within_seconds_and_leaves_the_schedule,
    a_failure_is_told_with_its_reason_as_text,
    the_history_is_paged,
    mails_that_wait_are_tried_again_or_dropped,
    a_test_mail_comes_to_whoever_asks,
    what_is_no_job_and_no_mail_is_not_found,
);

const PATH: &str = "/admin/background_jobs";

async fn root(server: &TestServer) -> Visitor {
    server.person("root").admin().create().signs_in().await
}

async fn every_job_stands_there_with_its_last_run_and_its_next(server: TestServer) {
    let root = root(&server).await;
    let page = root.open(PATH).await;
    let rows = page.rows("jobs");
    assert_eq!(rows.len(), 8);
    assert!(rows.iter().all(|row| row[2] == "Never"), "{rows:?}");
    server.run_job(Job::ExpiryCheck).await;
    let rows = root.open(PATH).await.rows("jobs");
    let check = &rows[1];
    assert!(check[0].contains("expiry-check"), "{check:?}");
    assert_eq!(check[1], "daily at 01:00 UTC");
    assert!(check[2].contains("just now"), "{check:?}");
    assert!(check[3].contains("Done"), "{check:?}");
    assert_eq!(check[4], "21 Nov 2026, 01:00:00 UTC");
}

async fn a_run_that_is_asked_for_comes_within_seconds_and_leaves_the_schedule(server: TestServer) {
    server.run_due_jobs().await;
    let root = root(&server).await;
    let answer = root
        .post(PATH, &[("act", "run"), ("job", "expiry-check")])
        .await;
    let page = root.follow(answer.location()).await.page();
    assert!(page.says("expiry-check will run within seconds."));
    assert!(page.rows("jobs")[1][4].contains("Within seconds"));
    assert_eq!(server.run_due_jobs().await, ["expiry-check"]);
    assert_eq!(server.run_due_jobs().await, [""; 0]);
    let run = &server.history(Job::ExpiryCheck)[0];
    assert_eq!((run.cause.as_str(), run.outcome.as_str()), ("page", "done"));
    let asked = "event = 'job_requested' AND actor_name = 'Root'";
    assert_eq!(server.count("audit_events", asked), 1);
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    assert!(server.run_due_jobs().await.contains(&"expiry-check"));
}

async fn a_failure_is_told_with_its_reason_as_text(server: TestServer) {
    let root = root(&server).await;
    server.run_job(Job::CleanUp).await;
    server.sql("UPDATE job_runs SET outcome = 'failed', error = '<b>no</b> & more'");
    let page = root.open(PATH).await;
    let row = page.rows("runs").remove(0);
    assert!(
        row[2].contains("Failed") && row[2].contains("<b>no</b> & more"),
        "{row:?}"
    );
}

async fn the_history_is_paged(server: TestServer) {
    let root = root(&server).await;
    for _ in 0..30 {
        server.run_job(Job::CleanUp).await;
    }
    let first = root.open(PATH).await;
    assert_eq!(first.rows("runs").len(), 25);
    let older = first
        .links()
        .into_iter()
        .find(|link| link.contains("before="))
        .unwrap();
    assert_eq!(root.open(&older).await.rows("runs").len(), 5);
}

/// A token of acme ends in five days, and alice was to be told.
async fn waiting(server: &TestServer) {
    let acme = server.group("acme").create();
    acme.member(&server.person("alice").create(), AccessLevel::Owner);
    acme.token("ci").expires("2026-11-25").create();
    server.run_job(Job::ExpiryCheck).await;
}

async fn mails_that_wait_are_tried_again_or_dropped(server: TestServer) {
    let root = root(&server).await;
    waiting(&server).await;
    let page = root.open(PATH).await;
    let row = page.rows("mails").remove(0);
    assert!(
        row[0].contains("@alice") && row[1].contains("token expiring"),
        "{row:?}"
    );
    let id = server.arrange(|conn, _| {
        Ok(latchkey::mail::outbox::unsent(conn, 10)?
            .remove(0)
            .id
            .to_string())
    });
    let act = |act: &'static str, id: &str| {
        let (root, id) = (root.copied(), id.to_owned());
        async move { root.post(PATH, &[("act", act), ("mail", &id)]).await.status }
    };
    assert_eq!(act("drop", &id).await, 303);
    assert_eq!(
        server.count(
            "emails",
            "state = 'dropped' AND last_error = 'Dropped by Root'"
        ),
        1
    );
    assert_eq!(act("drop", &id).await, 404, "it waits no more");
    assert_eq!(act("retry", &id).await, 303);
    assert_eq!(server.count("emails", "state = 'waiting'"), 1);
    assert_eq!(server.run_job(Job::DeliverMail).await["sent"], 1);
    assert_eq!(act("retry", &id).await, 404, "nobody is told twice");
    for event in ["mail_dropped", "mail_retried"] {
        assert_eq!(
            server.count("audit_events", &format!("event = '{event}'")),
            1
        );
    }
}

async fn a_test_mail_comes_to_whoever_asks(server: TestServer) {
    let root = root(&server).await;
    assert_eq!(root.post(PATH, &[("act", "test_mail")]).await.status, 303);
    assert_eq!(server.run_job(Job::DeliverMail).await["sent"], 1);
    let mails: Vec<_> = std::fs::read_dir(server.mail_folder()).unwrap().collect();
    assert_eq!(mails.len(), 1);
    let text = std::fs::read_to_string(mails[0].as_ref().unwrap().path()).unwrap();
    assert!(
        text.contains("root@example.com") && text.contains("arrives"),
        "{text}"
    );
}

async fn what_is_no_job_and_no_mail_is_not_found(server: TestServer) {
    let root = root(&server).await;
    for fields in [
        &[("act", "run"), ("job", "mow-the-lawn")][..],
        &[("act", "retry"), ("mail", "77")],
        &[("act", "retry"), ("mail", "x")],
        &[("act", "drop")],
        &[("act", "dance")],
        &[],
    ] {
        assert_eq!(root.post(PATH, fields).await.status, 404, "{fields:?}");
    }
}
