//! Mails and webhook calls leave side by side, and neither keeps the other waiting.

use std::process::{Command, Stdio};

use chrono::TimeDelta;
use latchkey::{
    access_tokens::scope::Scope,
    jobs::{Job, run::in_turn, scheduler},
};

use crate::{
    on_both,
    support::{Receiver, TestResource, TestServer, server::SECRET, storage::folder},
};

on_both!(
    calls_that_break_off_delay_no_mail,
    without_certificates_calls_fail_one_by_one_and_mails_leave,
    a_run_that_has_to_end_makes_no_mail_wait,
);

/// One mail that is due.
fn a_mail(server: &TestServer) {
    let name = format!("person{}", server.next());
    server.person(&name).create().personal_token([Scope::Api]);
}

fn sent(server: &TestServer) -> i64 {
    server.count("emails", "state = 'sent'")
}

async fn calls_that_break_off_delay_no_mail(server: TestServer) {
    server.run_due_jobs().await;
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let hook = server
        .group("acme")
        .create()
        .webhook("pager", &receiver.url("/"));
    hook.delivery();
    a_mail(&server);
    // What a bug would do.
    server.sql("ALTER TABLE webhooks RENAME COLUMN salt TO elsewhere");
    let mails = server.count("emails", "");
    assert!(mails > 0);
    server.clock.advance(TimeDelta::seconds(5));
    assert_eq!(server.run_due_jobs().await, ["deliver-mail"]);
    let run = &server.history(Job::DeliverMail)[0];
    assert_eq!((run.outcome.as_str(), run.error.as_ref()), ("done", None));
    assert!(
        run.counts.contains(&("webhooks_broken_off".to_owned(), 1)),
        "{:?}",
        run.counts
    );
    assert_eq!(sent(&server), mails);
    a_mail(&server);
    server.clock.advance(TimeDelta::seconds(5));
    assert_eq!(server.run_due_jobs().await, ["deliver-mail"]);
    assert_eq!(sent(&server), server.count("emails", ""));
    assert!(receiver.received().is_empty());

    server.sql("ALTER TABLE webhooks RENAME COLUMN elsewhere TO salt");
    server.clock.advance(TimeDelta::seconds(5));
    assert_eq!(server.run_due_jobs().await, ["deliver-mail"]);
    assert_eq!(receiver.received().len(), 1);
}

async fn without_certificates_calls_fail_one_by_one_and_mails_leave(server: TestServer) {
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let group = server.group("acme").create();
    let hook = group.webhook("pager", &receiver.url("/"));
    hook.delivery();
    let token = group.token("ci").expires(&server.days_ahead(7)).create();
    server.announce(&[(&token, group.resource())]);
    a_mail(&server);
    let data = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["job", "run", "deliver-mail", "--json"])
        .args(["--now", "2026-11-20T12:00:00Z"])
        .arg("--data-dir")
        .arg(data.path())
        .args(["--database-url", &server.storage.address()])
        .env_clear()
        .env("LATCHKEY_SECRET", std::str::from_utf8(SECRET).unwrap())
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", data.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(sent(&server), server.count("emails", ""));
    let told = "error LIKE 'Calls can%t be made from here: %' AND response_status IS NULL";
    assert_eq!(
        server.count(
            "webhook_deliveries",
            &format!("state = 'waiting' AND attempts = 1 AND {told}")
        ),
        1,
        "it is tried again: {said}"
    );
    assert_eq!(
        server.count(
            "webhook_deliveries",
            &format!("state = 'failed' AND {told}")
        ),
        1,
        "a test is tried once: {said}"
    );
    assert!(receiver.received().is_empty());
}

async fn a_run_that_has_to_end_makes_no_mail_wait(server: TestServer) {
    server.run_due_jobs().await;
    a_mail(&server);
    server.clock.advance(TimeDelta::seconds(5));
    let (_stop, stopped) = tokio::sync::watch::channel(true);
    for (job, due) in scheduler::due(&server.app).await.unwrap() {
        in_turn(server.app.clone(), job, due, stopped.clone()).await;
    }
    assert_eq!(server.history(Job::DeliverMail)[0].outcome, "done");
    assert_eq!(sent(&server), 0);
    server.clock.advance(TimeDelta::seconds(5));
    assert_eq!(server.run_due_jobs().await, ["deliver-mail"]);
    assert_eq!(sent(&server), server.count("emails", ""));
}
