//! Where webhooks go, and where they never go unless the administrator says so.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use latchkey::webhooks::network::Network;

use super::Stage;
use crate::on_both;
use crate::support::{Receiver, TestServer};

on_both![
    an_address_at_home_is_refused_when_it_is_called,
    a_name_that_leads_home_is_refused_when_it_is_called,
    one_address_at_home_among_others_is_enough,
    a_name_is_asked_for_once_and_the_answer_is_what_is_called,
    the_setting_allows_it_and_forbids_it_again_at_once,
    a_name_without_addresses_is_told_in_the_log,
];

const NOT_ALLOWED: &str = "Requests to the local network are not allowed";

/// What was told of the last attempt.
fn told(server: &TestServer, error: &str) -> bool {
    server.count("webhook_deliveries", &format!("error = '{error}'")) == 1
}

fn forbid(server: &TestServer) {
    server.set("allow_local_requests_from_web_hooks_and_services", "false");
}

/// Names that all lead to these addresses, whatever they are, and how often anybody asked.
fn names(addresses: &[&str]) -> (Network, Arc<AtomicUsize>) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let network = Network::with(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    });
    (network, asked)
}

/// A stage whose webhook calls this URL, `PORT` being the receiver's.
fn calling(server: &TestServer, url: &str) -> Stage {
    let stage = Stage::on(server);
    let url = url.replace("PORT", &stage.receiver.address.port().to_string());
    server.sql(&format!("UPDATE webhooks SET url = '{url}'"));
    stage.announces();
    stage
}

async fn an_address_at_home_is_refused_when_it_is_called(server: TestServer) {
    let stage = calling(&server, "http://127.0.0.1:PORT/");
    forbid(&server);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "localhost",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let port = stage.receiver.address.port();
        server.sql(&format!(
            "UPDATE webhooks SET url = 'http://{host}:{port}/'"
        ));
        server.sql("UPDATE webhook_deliveries SET due_at = created_at, attempts = 0, error = NULL, state = 'waiting', settled_at = NULL");
        assert_eq!(server.deliver_webhooks().await.retried, 1, "{host}");
        assert!(told(&server, NOT_ALLOWED), "{host}");
    }
    assert!(stage.receiver.received().is_empty());
}

async fn a_name_that_leads_home_is_refused_when_it_is_called(server: TestServer) {
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["10.1.2.3"],
        &["169.254.169.254"],
        &["::ffff:127.0.0.1"],
        &["fd00::1"],
    ] {
        let server = server.clone();
        server.sql("DELETE FROM webhooks");
        server.sql("DELETE FROM webhook_deliveries");
        let name = format!("g{}", server.next());
        server.allow_local_webhooks();
        let group = server.group(&name).create();
        let receiver = Receiver::start();
        let port = receiver.address.port();
        let hook = group.webhook("pager", &format!("http://hooks.example.com:{port}/"));
        forbid(&server);
        hook.delivery();
        let (network, _) = names(addresses);
        let done = server.deliver_webhooks_through(&network).await;
        assert_eq!(done.failed, 1, "{addresses:?}");
        assert!(told(&server, NOT_ALLOWED), "{addresses:?}");
        assert!(receiver.received().is_empty());
    }
}

async fn one_address_at_home_among_others_is_enough(server: TestServer) {
    let stage = calling(&server, "http://hooks.example.com:PORT/");
    forbid(&server);
    let (network, _) = names(&["93.184.216.34", "127.0.0.1"]);
    assert_eq!(server.deliver_webhooks_through(&network).await.retried, 1);
    assert!(told(&server, NOT_ALLOWED));
    assert!(stage.receiver.received().is_empty());
}

async fn a_name_is_asked_for_once_and_the_answer_is_what_is_called(server: TestServer) {
    // The first answer is this machine, every later one is nowhere: a second question would be noticed.
    let stage = calling(&server, "http://hooks.example.com:PORT/");
    let answers = Arc::new(Mutex::new(vec!["127.0.0.1".parse::<IpAddr>().unwrap()]));
    let asked = Arc::new(AtomicUsize::new(0));
    let (left, counted) = (Arc::clone(&answers), Arc::clone(&asked));
    let network = Network::with(move |name| {
        assert_eq!(name, "hooks.example.com");
        counted.fetch_add(1, Ordering::SeqCst);
        let answer = std::mem::take(&mut *left.lock().unwrap());
        Box::pin(async move { Ok(answer) })
    });
    assert_eq!(server.deliver_webhooks_through(&network).await.delivered, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let received = stage.receiver.received();
    let host = format!("hooks.example.com:{}", stage.receiver.address.port());
    assert_eq!(received[0].header("host"), host);
    // The next call asks again: no connection is kept for later.
    stage.hook.delivery();
    assert_eq!(server.deliver_webhooks_through(&network).await.failed, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

async fn the_setting_allows_it_and_forbids_it_again_at_once(server: TestServer) {
    let stage = Stage::on(&server);
    stage.hook.delivery();
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    forbid(&server);
    // Whoever was let in under the other rule is refused now.
    server.sql("UPDATE webhook_deliveries SET state = 'waiting', settled_at = NULL");
    assert_eq!(server.deliver_webhooks().await.failed, 1);
    server.allow_local_webhooks();
    stage.hook.delivery();
    assert_eq!(server.deliver_webhooks().await.delivered, 1);
    assert_eq!(stage.receiver.received().len(), 2);
}

async fn a_name_without_addresses_is_told_in_the_log(server: TestServer) {
    let stage = calling(&server, "http://hooks.example.com:PORT/");
    let (network, _) = names(&[]);
    server.deliver_webhooks_through(&network).await;
    assert!(told(&server, "The host name could not be resolved"));
    server.sql("UPDATE webhook_deliveries SET due_at = created_at, error = NULL");
    let broken =
        Network::with(|_| Box::pin(async { Err(std::io::Error::other("no name server answers")) }));
    server.deliver_webhooks_through(&broken).await;
    assert!(told(&server, "The host name could not be resolved"));
    assert!(stage.receiver.received().is_empty());
}
