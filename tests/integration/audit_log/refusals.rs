//! Nobody floods the trail, and nothing in it opens anything.

use latchkey::actor::{Actor, Channel, Declared, Origin};
use latchkey::audit::{self, Event, Target};

use crate::{
    on_both,
    support::{PASSWORD, TestServer},
};

on_both!(
    a_stranger_who_changes_addresses_within_a_network_is_one_line,
    strangers_get_a_hundred_lines_in_ten_minutes,
    a_failed_sign_in_names_the_account_that_it_was_about,
);

/// Somebody without a credential fails to sign in from this address.
fn fails_from(server: &TestServer, address: &str) {
    let origin = Origin {
        channel: Channel::Page,
        ip: address.parse().ok(),
        user_agent: String::new(),
        request_id: String::new(),
    };
    let stranger = Actor::anonymous(origin, Declared::Only(&[]));
    server.arrange_as(stranger, |conn, ctx| {
        let event = Event::new("user_sign_in_failed", Target::Instance);
        audit::record_refusal(conn, ctx, event)
    });
}

async fn a_stranger_who_changes_addresses_within_a_network_is_one_line(server: TestServer) {
    for number in 1..=20 {
        fails_from(&server, &format!("2001:db8:1:2:{number:x}::7"));
        fails_from(&server, &format!("203.0.113.{number}"));
    }
    fails_from(&server, "2001:db8:1:3::7");
    let found: Vec<(String, i64)> = server
        .events("user_sign_in_failed")
        .into_iter()
        .map(|event| (event.ip, event.occurrences))
        .collect();
    assert_eq!(
        found,
        [
            ("2001:db8:1:3::7".to_owned(), 1),
            ("203.0.113.1".to_owned(), 20),
            ("2001:db8:1:2:1::7".to_owned(), 20),
        ]
    );
}

async fn strangers_get_a_hundred_lines_in_ten_minutes(server: TestServer) {
    for number in 0..130 {
        fails_from(&server, &format!("10.0.{number}.1"));
    }
    let found = server.events("user_sign_in_failed");
    assert_eq!(found.len(), 100);
    assert_eq!(
        (found[0].ip.as_str(), found[0].occurrences),
        ("10.0.99.1", 31)
    );
    assert!(found[1..].iter().all(|event| event.occurrences == 1));
    // A network that has its line has it still.
    fails_from(&server, "10.0.5.200");
    let fifth = |event: &&audit::list::AuditEvent| event.ip == "10.0.5.1";
    let found = server.events("user_sign_in_failed");
    assert_eq!(found.iter().find(fifth).unwrap().occurrences, 2);
    server.clock.advance(chrono::TimeDelta::minutes(11));
    fails_from(&server, "10.1.0.1");
    assert_eq!(server.events("user_sign_in_failed").len(), 101);
}

async fn a_failed_sign_in_names_the_account_that_it_was_about(server: TestServer) {
    let ann = server.person("ann").create();
    let carol = server.person("carol").create();
    carol.block();
    for login in ["ann", "ann@example.com", "nobody", "neither", "carol"] {
        server
            .visitor()
            .sign_in(login, "not this")
            .await
            .expect(422);
    }
    server
        .visitor()
        .sign_in("carol", PASSWORD)
        .await
        .expect(422);
    let found: Vec<(Option<i64>, i64)> = server
        .events("user_sign_in_failed")
        .into_iter()
        .map(|event| (event.target_id, event.occurrences))
        .collect();
    assert_eq!(found, [(Some(carol.id), 2), (None, 2), (Some(ann.id), 2)]);
}
