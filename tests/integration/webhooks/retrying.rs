//! What is tried again, when, and when it is given up.

use chrono::TimeDelta;
use latchkey::webhooks::deliver::Delivered;

use super::{Stage, count};
use crate::on_both;
use crate::support::webhooks::Reply;
use crate::support::{TestServer, TestWebhook};

on_both![
    a_delivery_is_tried_eight_times_and_then_given_up,
    a_retry_is_the_same_message_with_a_signature_of_its_own_time,
    a_receiver_that_is_back_gets_what_it_missed,
    a_receiver_that_is_away_is_not_asked_for_each_event,
    five_deliveries_in_a_row_that_failed_disable_a_webhook,
    one_that_arrives_begins_the_count_anew,
    a_receiver_that_is_gone_is_not_called_any_more,
    a_disabled_webhook_is_called_again_when_it_is_enabled,
    a_test_is_tried_once_and_counts_for_nothing,
    a_delivery_can_be_sent_again_as_it_was,
    what_is_on_its_way_is_not_sent_again,
    nobody_sends_more_while_five_are_on_their_way,
    nothing_is_sent_through_a_disabled_webhook,
    a_disabled_webhook_has_nothing_on_its_way_and_nothing_due,
    what_arrives_after_the_webhook_was_disabled_has_arrived,
    a_deleted_webhook_gets_nothing_more,
    the_log_forgets_what_was_settled_a_month_ago,
];

const PAUSES: [i64; 7] = [1, 5, 30, 120, 360, 360, 360];

impl Stage {
    /// Lets the queue try all that is in it until it gives up.
    async fn exhausts(&self) -> Delivered {
        let server = &self.group.server;
        let mut last = server.deliver_webhooks().await;
        for pause in PAUSES {
            server.clock.advance(TimeDelta::minutes(pause));
            last = server.deliver_webhooks().await;
        }
        last
    }
}

async fn a_delivery_is_tried_eight_times_and_then_given_up(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(503, "later".into()));
    stage.announces();
    for (attempt, pause) in PAUSES.into_iter().enumerate() {
        let done = server.deliver_webhooks().await;
        assert_eq!(done.retried, 1);
        assert_eq!(stage.receiver.received().len(), attempt + 1);
        server
            .clock
            .advance(TimeDelta::minutes(pause) - TimeDelta::milliseconds(1));
        assert_eq!(
            server.deliver_webhooks().await,
            Delivered::default(),
            "not before {pause} minutes"
        );
        server.clock.advance(TimeDelta::milliseconds(1));
    }
    assert_eq!(server.deliver_webhooks().await.failed, 1);
    assert_eq!(count(&server, "failed"), 1);
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(server.deliver_webhooks().await, Delivered::default());
    assert_eq!(stage.receiver.received().len(), 8);
    assert_eq!(
        server.count("webhooks", "failures = 1 AND state = 'enabled'"),
        1
    );
}

async fn a_retry_is_the_same_message_with_a_signature_of_its_own_time(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    server.clock.advance(TimeDelta::minutes(1));
    server.deliver_webhooks().await;
    let [first, second] = &stage.receiver.received()[..] else {
        panic!("two attempts");
    };
    for name in [
        "webhook-id",
        "idempotency-key",
        "x-gitlab-event-uuid",
        "x-gitlab-webhook-uuid",
    ] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
    assert_eq!(first.body, second.body);
    for name in ["webhook-timestamp", "webhook-signature"] {
        assert_ne!(first.header(name), second.header(name), "{name}");
    }
    assert_eq!(
        second.header("webhook-signature"),
        super::sending::signature(
            &stage.hook.key,
            second.header("webhook-id"),
            second.header("webhook-timestamp"),
            &second.body
        )
    );
}

async fn a_receiver_that_is_back_gets_what_it_missed(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    stage.receiver.replies(Reply::default());
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(count(&server, "delivered"), 1);
    assert_eq!(
        server.count(
            "webhook_deliveries",
            "error IS NULL AND response_status = 200"
        ),
        1
    );
}

async fn a_receiver_that_is_away_is_not_asked_for_each_event(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    for number in 0..39 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    server.deliver_webhooks().await;
    let asked = stage.receiver.take().len();
    assert!(asked <= 8, "{asked}");
    assert_eq!(
        server.count("webhook_deliveries", "attempts = 0"),
        40 - i64::try_from(asked).unwrap(),
        "waiting is no attempt"
    );
    stage.receiver.replies(Reply::default());
    server.clock.advance(TimeDelta::minutes(5));
    server.deliver_webhooks().await;
    assert_eq!(count(&server, "delivered"), 40);
}

/// Makes the webhook fail for good, so often.
async fn fails(stage: &Stage, times: i64) {
    let server = &stage.group.server;
    stage.receiver.replies(Reply::Status(500, String::new()));
    for _ in 0..times {
        let name = format!("t{}", server.next());
        let token = stage.another(&name);
        server.announce(&[(&token, stage.resource())]);
        stage.exhausts().await;
    }
}

async fn five_deliveries_in_a_row_that_failed_disable_a_webhook(server: TestServer) {
    let stage = Stage::on(&server);
    fails(&stage, 4).await;
    assert_eq!(
        server.count("webhooks", "state = 'enabled' AND failures = 4"),
        1
    );
    stage.announces();
    let waiting = stage.another("waiting");
    let done = stage.exhausts().await;
    assert_eq!((done.failed, done.disabled), (1, 1));
    let disabled = "state = 'disabled' AND disabled_reason = '5 deliveries in a row failed'";
    assert_eq!(server.count("webhooks", disabled), 1);
    let audited = "event = 'webhook_disabled' AND target_kind = 'webhook' AND actor_kind = 'system' \
                   AND channel = 'job' AND group_path = 'acme'";
    assert_eq!(server.count("audit_events", audited), 1);
    assert_eq!(server.announce(&[(&waiting, stage.resource())]), 0);
}

async fn one_that_arrives_begins_the_count_anew(server: TestServer) {
    let stage = Stage::on(&server);
    fails(&stage, 4).await;
    stage.receiver.replies(Reply::default());
    stage.announces();
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(server.count("webhooks", "failures = 0"), 1);
    fails(&stage, 4).await;
    assert_eq!(server.count("webhooks", "state = 'enabled'"), 1);
}

async fn a_receiver_that_is_gone_is_not_called_any_more(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    let second = stage.another("second");
    server.announce(&[(&second, stage.resource())]);
    server.sql("UPDATE webhook_deliveries SET due_at = '2026-11-20 11:00:00' WHERE attempts = 1");
    stage.receiver.replies(Reply::Status(410, String::new()));
    server.clock.advance(TimeDelta::minutes(2));
    let done = server.deliver_webhooks().await;
    assert_eq!((done.failed, done.disabled), (1, 1));
    let disabled = "state = 'disabled' AND disabled_reason = 'The receiver answered 410 Gone'";
    assert_eq!(server.count("webhooks", disabled), 1);
    let given_up = "state = 'failed' AND error = 'The webhook was disabled'";
    assert_eq!(server.count("webhook_deliveries", given_up), 1);
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(server.deliver_webhooks().await, Delivered::default());
    assert_eq!(stage.receiver.received().len(), 2);
}

fn enable(server: &TestServer, stage: &Stage) {
    let (resource, id) = (stage.resource(), stage.hook.id);
    server.arrange(move |conn, ctx| {
        latchkey::webhooks::change::enable(conn, ctx, resource.group(), id).map(|_| ())
    });
}

async fn a_disabled_webhook_is_called_again_when_it_is_enabled(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(410, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    stage.receiver.replies(Reply::default());
    enable(&server, &stage);
    assert_eq!(
        server.count(
            "webhooks",
            "state = 'enabled' AND failures = 0 AND disabled_at IS NULL AND disabled_reason IS NULL"
        ),
        1
    );
    let second = stage.another("second");
    assert_eq!(server.announce(&[(&second, stage.resource())]), 1);
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(server.count("audit_events", "event = 'webhook_updated'"), 1);
    enable(&server, &stage);
    assert_eq!(server.count("audit_events", "event = 'webhook_updated'"), 1);
}

async fn a_test_is_tried_once_and_counts_for_nothing(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    for number in 1..=6 {
        stage.hook.delivery();
        let done = server.deliver_webhooks().await;
        assert_eq!((done.failed, done.disabled), (1, 0));
        assert_eq!(stage.receiver.received().len(), number);
    }
    assert_eq!(
        server.count("webhooks", "state = 'enabled' AND failures = 0"),
        1
    );
    let body = stage.receiver.received()[0].json();
    assert_eq!(body["event_name"], "expiring_access_token");
    assert_eq!(body["object_attributes"]["id"], 0);
    assert_eq!(body["object_attributes"]["expires_at"], "2026-11-27");
    assert_eq!(body["group"]["full_path"], "acme");
}

async fn redeliver(server: &TestServer, hook: &TestWebhook, stage: &Stage, id: i64) -> bool {
    let (resource, hook_id) = (stage.resource(), hook.id);
    let actor = latchkey::actor::Actor::system(latchkey::actor::Origin::console());
    let sent = server.attempt_as(actor, move |conn, ctx| {
        latchkey::webhooks::send::redeliver(conn, ctx, resource.group(), hook_id, id).map(|_| ())
    });
    match sent {
        Ok(()) => true,
        Err(latchkey::error::Error::Refused(_)) => false,
        Err(error) => panic!("{error:?}"),
    }
}

async fn a_delivery_can_be_sent_again_as_it_was(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    server.deliver_webhooks().await;
    let old = stage.hook.newest();
    server.clock.advance(TimeDelta::hours(1));
    for _ in 0..2 {
        assert!(redeliver(&server, &stage.hook, &stage, old).await);
        assert_eq!(server.deliver_webhooks().await.delivered, 1);
    }
    let received = stage.receiver.received();
    assert_eq!(received.len(), 3);
    for again in &received[1..] {
        assert_eq!(again.body, received[0].body);
        for name in ["webhook-id", "idempotency-key", "x-gitlab-event-uuid"] {
            assert_eq!(again.header(name), received[0].header(name), "{name}");
        }
        assert_ne!(
            again.header("webhook-signature"),
            received[0].header("webhook-signature")
        );
    }
    assert_eq!(
        server.count("webhook_deliveries", &format!("redelivery_of = {old}")),
        2
    );
}

async fn what_is_on_its_way_is_not_sent_again(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    let waiting = stage.hook.newest();
    assert!(!redeliver(&server, &stage.hook, &stage, waiting).await);
    server.deliver_webhooks().await;
    assert!(!redeliver(&server, &stage.hook, &stage, waiting).await);
    assert_eq!(server.count("webhook_deliveries", ""), 1);
}

fn tests(stage: &Stage) -> Result<(), latchkey::error::Error> {
    let (resource, id) = (stage.resource(), stage.hook.id);
    let actor = latchkey::actor::Actor::system(latchkey::actor::Origin::console());
    let server = &stage.group.server;
    server.attempt_as(actor, move |conn, ctx| {
        latchkey::webhooks::send::test(conn, ctx, resource.group(), id).map(|_| ())
    })
}

async fn nobody_sends_more_while_five_are_on_their_way(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    server.deliver_webhooks().await;
    let old = stage.hook.newest();
    for _ in 0..4 {
        stage.hook.delivery();
    }
    assert!(redeliver(&server, &stage.hook, &stage, old).await);
    let refused = tests(&stage);
    assert!(
        matches!(&refused, Err(latchkey::error::Error::Refused(why)) if why.contains("on their way")),
        "{refused:?}"
    );
    assert!(!redeliver(&server, &stage.hook, &stage, old).await);
    assert_eq!(server.count("webhook_deliveries", ""), 6);
    // Another webhook has its own five, and what the product has to tell waits all the same.
    let other = stage.group.webhook("other", &stage.receiver.url("/other"));
    other.delivery();
    let token = stage.another("another");
    assert_eq!(server.announce(&[(&token, stage.resource())]), 2);
    server.deliver_webhooks().await;
    tests(&stage).unwrap();
}

async fn nothing_is_sent_through_a_disabled_webhook(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(410, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    let old = stage.hook.newest();
    assert!(!redeliver(&server, &stage.hook, &stage, old).await);
    enable(&server, &stage);
    assert!(redeliver(&server, &stage.hook, &stage, old).await);
    // Disabled behind the back of what waits already.
    server.sql(
        "UPDATE webhooks SET state = 'disabled', disabled_at = created_at, disabled_reason = 'x'",
    );
    assert_eq!(server.deliver_webhooks().await, Delivered::default());
}

/// Lets the next call disable it.
fn disable(server: &TestServer, stage: &Stage) {
    let token = stage.another("last");
    server.announce(&[(&token, stage.resource())]);
    stage.receiver.replies(Reply::Status(410, String::new()));
}

async fn a_disabled_webhook_has_nothing_on_its_way_and_nothing_due(server: TestServer) {
    let stage = Stage::on(&server);
    let is_due =
        || server.arrange(|conn, ctx| latchkey::webhooks::queue::is_anything_due(conn, ctx.now));
    stage.announces();
    // Taken by a node that died.
    server.sql(
        "UPDATE webhook_deliveries SET state = 'sending', attempts = 1, due_at = '2026-11-20 10:01:00'",
    );
    disable(&server, &stage);
    assert_eq!(server.deliver_webhooks().await.disabled, 1);
    server.clock.advance(TimeDelta::minutes(5));
    assert_eq!(count(&server, "failed"), 2);
    assert!(!is_due());

    // Whatever is left of a disabled webhook is due for nobody.
    enable(&server, &stage);
    stage.receiver.replies(Reply::default());
    stage.hook.delivery();
    assert!(is_due());
    server.sql(
        "UPDATE webhooks SET state = 'disabled', disabled_at = created_at, disabled_reason = 'x'",
    );
    assert!(!is_due());
}

async fn what_arrives_after_the_webhook_was_disabled_has_arrived(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    stage.receiver.replies(Reply::After(400));
    let slow = server.deliver_webhooks();
    let meanwhile = async {
        while stage.receiver.received().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        disable(&server, &stage);
        server.deliver_webhooks().await
    };
    let (slow, meanwhile) = tokio::join!(slow, meanwhile);
    assert_eq!(meanwhile.disabled, 1);
    assert_eq!(slow.delivered, 1);
    assert_eq!(count(&server, "delivered"), 1);
    assert_eq!(count(&server, "failed"), 1);
    assert_eq!(server.count("webhooks", "state = 'disabled'"), 1);
}

async fn a_deleted_webhook_gets_nothing_more(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    let (resource, id) = (stage.resource(), stage.hook.id);
    server.arrange(move |conn, ctx| {
        latchkey::webhooks::change::delete(conn, ctx, resource.group(), id).map(|_| ())
    });
    assert_eq!(server.deliver_webhooks().await, Delivered::default());
    assert_eq!(server.count("webhook_deliveries", ""), 0);
    let audited = "event = 'webhook_deleted' AND target_name = 'pager'";
    assert_eq!(server.count("audit_events", audited), 1);
}

async fn the_log_forgets_what_was_settled_a_month_ago(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    server.deliver_webhooks().await;
    for number in 0..3 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    let purge = |limit| {
        server.arrange(move |conn, ctx| latchkey::webhooks::log::purge(conn, ctx.now, limit))
    };
    server.clock.advance(TimeDelta::days(30));
    assert_eq!(purge(1000), 0);
    server.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(purge(1000), 1);
    assert_eq!(count(&server, "waiting"), 3, "what waits stays");
    server.deliver_webhooks().await;
    let old = stage.hook.newest();
    assert!(redeliver(&server, &stage.hook, &stage, old).await);
    server.deliver_webhooks().await;
    server.clock.advance(TimeDelta::days(31));
    assert_eq!([purge(2), purge(2), purge(2)], [2, 2, 0]);
}
