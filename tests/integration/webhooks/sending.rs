//! The request itself: its headers, its signature, once each, and receivers that misbehave.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey::db::Database;
use latchkey::webhooks::deliver::{Delivered, Sending, deliver_due};
use latchkey::webhooks::network::Network;
use latchkey::{clock::Clock, error::Error};
use sha2::Sha256;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Stage, count};
use crate::on_both;
use crate::support::webhooks::Reply;
use crate::support::{Receiver, TestServer};

on_both![
    a_request_is_signed_so_that_the_receiver_can_tell,
    a_request_says_what_gitlabs_say,
    another_key_signs_after_a_reset,
    two_nodes_at_once_send_everything_once,
    a_node_that_may_not_go_on_notes_nothing,
    a_run_that_gives_way_takes_nothing_more,
    a_run_that_pretends_a_later_day_sends_what_is_due_by_then_with_the_real_time,
    what_a_dead_node_had_taken_is_sent_by_another,
    a_slow_receiver_does_not_keep_the_others_waiting,
    no_more_than_eight_are_called_at_once_and_all_of_many_are,
    a_top_level_group_with_slow_receivers_leaves_half_of_the_calls_to_others,
    webhooks_take_turns_whoever_has_waited_longer,
    a_clock_that_was_set_back_sends_nothing_twice,
];

on_both![
    a_receiver_that_says_nothing_is_left,
    a_huge_answer_is_not_read_to_its_end,
    an_answer_without_text_is_kept_as_text,
    a_closed_port_is_told_in_the_log,
    a_redirect_is_not_followed,
];

/// As a receiver does it that knows nothing of us but the key.
pub(super) fn signature(key: &str, id: &str, timestamp: &str, body: &str) -> String {
    let secret = STANDARD
        .decode(key.strip_prefix("whsec_").unwrap())
        .unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn a_request_is_signed_so_that_the_receiver_can_tell(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    let done = server.deliver_webhooks().await;
    let expected = Delivered {
        delivered: 1,
        ..Delivered::default()
    };
    assert_eq!(done, expected);
    let request = &stage.receiver.received()[0];
    let (id, at) = (
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
    );
    assert_eq!(at, server.now().timestamp().to_string());
    assert_eq!(
        request.header("webhook-signature"),
        signature(&stage.hook.key, id, at, &request.body)
    );
    let other = stage.group.webhook("other", &stage.receiver.url("/other"));
    assert_ne!(
        request.header("webhook-signature"),
        signature(&other.key, id, at, &request.body),
        "each webhook has a key of its own"
    );
    assert_eq!(count(&server, "delivered"), 1);
}

async fn a_request_says_what_gitlabs_say(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    server.deliver_webhooks().await;
    let request = &stage.receiver.received()[0];
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-gitlab-event", "Resource Access Token Hook"),
        ("x-gitlab-instance", &server.url),
        ("host", &stage.receiver.address.to_string()),
        ("idempotency-key", request.header("webhook-id")),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
    assert!(request.header("user-agent").starts_with("Latchkey/"));
    for name in ["x-gitlab-webhook-uuid", "x-gitlab-event-uuid", "webhook-id"] {
        assert_eq!(request.header(name).len(), 36, "{name}");
    }
    assert_ne!(
        request.header("x-gitlab-event-uuid"),
        request.header("x-gitlab-webhook-uuid")
    );
    for name in ["cookie", "referer", "authorization", "x-gitlab-token"] {
        assert_eq!(request.header(name), "", "{name}");
    }
}

async fn another_key_signs_after_a_reset(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    let (resource, id) = (stage.resource(), stage.hook.id);
    let key = server.arrange(move |conn, ctx| {
        let keyed = latchkey::webhooks::change::reset_key(conn, ctx, resource.group(), id)?;
        Ok(keyed.key.expose().to_string())
    });
    assert_ne!(key, stage.hook.key);
    server.deliver_webhooks().await;
    let request = &stage.receiver.received()[0];
    let (id, at) = (
        request.header("webhook-id"),
        request.header("webhook-timestamp"),
    );
    assert_eq!(
        request.header("webhook-signature"),
        signature(&key, id, at, &request.body)
    );
}

async fn two_nodes_at_once_send_everything_once(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    for number in 0..29 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    let node = Database::open(server.storage.url(), 4).unwrap();
    let network = Network::system();
    let (one, other, third) = tokio::join!(
        server.deliver_webhooks(),
        server.deliver_webhooks_from(&node, &network),
        server.deliver_webhooks()
    );
    assert_eq!(one.delivered + other.delivered + third.delivered, 30);
    let mut ids: Vec<String> = stage
        .receiver
        .received()
        .iter()
        .map(|request| request.header("webhook-id").to_owned())
        .collect();
    ids.sort();
    assert_eq!(ids.len(), 30);
    ids.dedup();
    assert_eq!(ids.len(), 30, "each of them once");
}

async fn a_node_that_may_not_go_on_notes_nothing(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    for allowed in [0, 1] {
        let asked = AtomicUsize::new(0);
        let sending = Sending {
            guard: Arc::new(move |_| {
                if asked.fetch_add(1, Ordering::SeqCst) < allowed {
                    Ok(())
                } else {
                    Err(Error::Conflict("the lease is lost".into()))
                }
            }),
            ..server.sending(&server.app.db, &Network::system())
        };
        let lost = deliver_due(&sending, || true).await;
        assert!(matches!(lost, Err(Error::Conflict(_))));
        assert_eq!(stage.receiver.received().len(), allowed);
        let state = if allowed == 0 { "waiting" } else { "sending" };
        assert_eq!(count(&server, state), 1);
    }
}

async fn a_run_that_gives_way_takes_nothing_more(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::After(50));
    for number in 0..9 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    let sending = server.sending(&server.app.db, &Network::system());
    let asked = AtomicUsize::new(0);
    let done = deliver_due(&sending, || asked.fetch_add(1, Ordering::SeqCst) == 0).await;
    assert_eq!(done.unwrap().delivered, 4, "what was on its way arrives");
    assert_eq!(count(&server, "waiting"), 5);
    let done = deliver_due(&sending, || false).await;
    assert_eq!(done.unwrap(), Delivered::default());
}

async fn a_run_that_pretends_a_later_day_sends_what_is_due_by_then_with_the_real_time(
    server: TestServer,
) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    server.deliver_webhooks().await;
    let later = server.now() + chrono::TimeDelta::days(3);
    let sending = Sending {
        clock: Clock::fixed(later),
        ..server.sending(&server.app.db, &Network::system())
    };
    let done = deliver_due(&sending, || true).await.unwrap();
    assert_eq!(done.retried, 1, "once, not again and again");
    let received = stage.receiver.received();
    assert_eq!(
        received[1].header("webhook-timestamp"),
        server.now().timestamp().to_string()
    );
}

async fn what_a_dead_node_had_taken_is_sent_by_another(server: TestServer) {
    let stage = Stage::on(&server);
    stage.announces();
    server.sql(
        "UPDATE webhook_deliveries SET state = 'sending', attempts = 1, due_at = '2026-11-20 10:01:00'",
    );
    assert_eq!(server.deliver_webhooks().await, Delivered::default());
    server.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(server.count("webhook_deliveries", "attempts = 2"), 1);
}

async fn a_slow_receiver_does_not_keep_the_others_waiting(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::After(1_500));
    let quick = Receiver::start();
    let mut tokens = vec![stage.another("first")];
    tokens.extend((0..9).map(|number| stage.another(&format!("t{number}"))));
    for token in &tokens {
        server.announce(&[(token, stage.resource())]);
    }
    stage.group.webhook("quick", &quick.url("/"));
    server.announce(&[(&stage.token, stage.resource())]);
    // The quick one stands behind ten of the slow one.
    let began = std::time::Instant::now();
    let sent = server.deliver_webhooks();
    let seen = async {
        while quick.received().is_empty() {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    };
    let (sent, seen) = tokio::join!(sent, seen);
    assert_eq!(sent.delivered, 12);
    assert!(seen < Duration::from_millis(1_400), "{seen:?}");
}

async fn no_more_than_eight_are_called_at_once_and_all_of_many_are(server: TestServer) {
    let stage = Stage::on(&server);
    for number in 0..5 {
        let name = format!("hook {number}");
        stage.group.webhook(&name, &stage.receiver.url("/more"));
    }
    stage.receiver.replies(Reply::After(60));
    for number in 0..4 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    for name in ["globex", "initech"] {
        let group = server.group(name).create();
        for number in 0..4 {
            let name = format!("hook {number}");
            group
                .webhook(&name, &stage.receiver.url("/others"))
                .delivery();
        }
    }
    let done = server.deliver_webhooks().await;
    assert_eq!(done.delivered, 32);
    assert_eq!(stage.receiver.at_once(), 8);
}

async fn a_top_level_group_with_slow_receivers_leaves_half_of_the_calls_to_others(
    server: TestServer,
) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::After(1_500));
    let below = stage.group.subgroup("below").create();
    for number in 0..6 {
        let name = format!("slow {number}");
        let group = if number % 2 == 0 {
            &stage.group
        } else {
            &below
        };
        group
            .webhook(&name, &stage.receiver.url("/slow"))
            .delivery();
    }
    // It stands behind all of them.
    let quick = Receiver::start();
    server.clock.advance(chrono::TimeDelta::seconds(1));
    let others = server.group("globex").create();
    others.webhook("quick", &quick.url("/")).delivery();
    let began = std::time::Instant::now();
    let sent = server.deliver_webhooks();
    let seen = async {
        while quick.received().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    };
    let (sent, seen) = tokio::join!(sent, seen);
    assert_eq!(sent.delivered, 7);
    assert_eq!(stage.receiver.at_once(), 4);
    assert!(seen < Duration::from_millis(1_400), "{seen:?}");
}

async fn webhooks_take_turns_whoever_has_waited_longer(server: TestServer) {
    let stage = Stage::on(&server);
    for number in 0..12 {
        let token = stage.another(&format!("t{number}"));
        server.announce(&[(&token, stage.resource())]);
    }
    server.clock.advance(chrono::TimeDelta::seconds(1));
    let late = stage.group.webhook("late", &stage.receiver.url("/late"));
    late.delivery();
    let asked = AtomicUsize::new(0);
    let sending = server.sending(&server.app.db, &Network::system());
    // The first four calls, and no more.
    let done = deliver_due(&sending, || asked.fetch_add(1, Ordering::SeqCst) == 0).await;
    assert_eq!(done.unwrap().delivered, 4);
    let lines: Vec<String> = stage
        .receiver
        .received()
        .into_iter()
        .map(|request| request.line)
        .collect();
    assert!(
        lines.contains(&"POST /late HTTP/1.1".to_owned()),
        "one of four is for the one that came last: {lines:?}"
    );
}

async fn a_clock_that_was_set_back_sends_nothing_twice(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Status(500, String::new()));
    stage.announces();
    let clock = server.clock.clone();
    let asked = AtomicUsize::new(0);
    let sending = server.sending(&server.app.db, &Network::system());
    let done = deliver_due(&sending, || {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            clock.advance(chrono::TimeDelta::hours(-1));
        }
        true
    })
    .await;
    assert_eq!(done.unwrap().retried, 1);
    assert_eq!(stage.receiver.received().len(), 1);
}

async fn a_receiver_that_says_nothing_is_left(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Silent);
    stage.announces();
    let network = Network::system().patient_for(Duration::from_millis(200));
    let done = server.deliver_webhooks_through(&network).await;
    assert_eq!(done.retried, 1);
    assert_eq!(
        server.count("webhook_deliveries", "error = 'No answer in time'"),
        1
    );
}

async fn a_huge_answer_is_not_read_to_its_end(server: TestServer) {
    let stage = Stage::on(&server);
    stage.receiver.replies(Reply::Huge(200_000_000));
    stage.announces();
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(
        server.count("webhook_deliveries", "length(response_body) = 4096"),
        1
    );
    while stage.receiver.received().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sent = stage.receiver.received()[1].line.clone();
    let sent: usize = sent.trim_start_matches("sent ").parse().unwrap();
    assert!(sent < 50_000_000, "{sent} bytes were taken");
}

async fn an_answer_without_text_is_kept_as_text(server: TestServer) {
    let stage = Stage::on(&server);
    stage
        .receiver
        .replies(Reply::Status(500, "a\0b\u{1b}c".into()));
    stage.announces();
    assert_eq!(server.deliver_webhooks().await.retried, 1);
    let kept = "response_status = 500 AND response_body = 'a\u{fffd}b\u{fffd}c' AND error = 'Answered 500'";
    assert_eq!(server.count("webhook_deliveries", kept), 1);
}

async fn a_closed_port_is_told_in_the_log(server: TestServer) {
    let stage = Stage::on(&server);
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    server.sql(&format!(
        "UPDATE webhooks SET url = 'http://{closed}/hidden-path'"
    ));
    stage.announces();
    assert_eq!(server.deliver_webhooks().await.retried, 1);
    let told = "response_status IS NULL AND error LIKE 'No connection: Connection refused%' AND duration_ms >= 0";
    assert_eq!(server.count("webhook_deliveries", told), 1);
    assert_eq!(
        server.count("webhook_deliveries", "error LIKE '%hidden-path%'"),
        0
    );
}

async fn a_redirect_is_not_followed(server: TestServer) {
    let stage = Stage::on(&server);
    let elsewhere = Receiver::start();
    stage
        .receiver
        .replies(Reply::Redirect(elsewhere.url("/elsewhere")));
    stage.announces();
    assert_eq!(server.deliver_webhooks().await.retried, 1);
    assert_eq!(stage.receiver.received().len(), 1);
    assert!(elsewhere.received().is_empty());
    assert_eq!(
        server.count(
            "webhook_deliveries",
            "error = 'Answered 302: redirects are not followed'"
        ),
        1
    );
}
