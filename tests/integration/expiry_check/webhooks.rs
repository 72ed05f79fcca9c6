//! Programs are told in the last week, once for each token and webhook, whoever else is told.

use super::*;
use crate::support::Receiver;

on_both!(
    the_check_calls_the_webhooks_of_the_group_and_those_above_once,
    earlier_intervals_call_no_webhook,
    a_token_that_no_person_looks_after_calls_them_too,
);

/// Acme with a webhook that answers.
fn called(server: &TestServer) -> (TestGroup, Receiver) {
    server.allow_local_webhooks();
    let (acme, _) = acme(server);
    let receiver = Receiver::start();
    acme.webhook("pager", &receiver.url("/hook"));
    (acme, receiver)
}

async fn the_check_calls_the_webhooks_of_the_group_and_those_above_once(server: TestServer) {
    let (acme, receiver) = called(&server);
    let api = acme.subgroup("platform").create().project("api").create();
    api.token("deploy").expires(&server.days_ahead(7)).create();
    server.tokens_with(&acme, [3, 8]);
    assert_eq!(server.run_job(Job::ExpiryCheck).await["webhook_calls"], 2);
    assert_eq!(server.run_job(Job::DeliverMail).await["webhooks_called"], 2);
    let told: BTreeSet<String> = receiver
        .received()
        .iter()
        .map(|call| {
            let body = call.json();
            format!(
                "{} {}",
                body["event_name"], body["object_attributes"]["name"]
            )
        })
        .collect();
    assert_eq!(
        told,
        set([
            r#""expiring_access_token" "3""#,
            r#""expiring_access_token" "deploy""#,
        ])
    );
    server.clock.advance(TimeDelta::days(1));
    server.run_job(Job::ExpiryCheck).await;
    server.run_job(Job::DeliverMail).await;
    assert_eq!(
        receiver.received().len(),
        3,
        "the third one has seven days left now"
    );
}

async fn earlier_intervals_call_no_webhook(server: TestServer) {
    let (acme, _receiver) = called(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, [20, 50]);
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["mails"], counts["webhook_calls"]), (2, 0));
}

async fn a_token_that_no_person_looks_after_calls_them_too(server: TestServer) {
    let (acme, _receiver) = called(&server);
    server.tokens_with(&acme, [3]);
    server.sql("UPDATE users SET state = 'blocked' WHERE kind = 'human'");
    for calls in [1, 0] {
        let counts = server.run_job(Job::ExpiryCheck).await;
        assert_eq!((counts["mails"], counts["webhook_calls"]), (0, calls));
    }
}
