//! Nobody floods the trail, and nothing in it opens anything.

use latchkey::actor::{Actor, Channel, Declared, Origin};
use latchkey::audit::{self, Event, Target};

use crate::{
    on_both,
    support::{PASSWORD, TestResource, TestServer},
};

on_both!(
    a_stranger_who_changes_addresses_within_a_network_is_one_line,
    strangers_get_a_hundred_lines_in_ten_minutes,
    a_failed_sign_in_names_the_account_that_it_was_about,
    no_line_holds_the_value_of_a_token_wherever_it_was_typed,
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

async fn no_line_holds_the_value_of_a_token_wherever_it_was_typed(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&root).create();
    let token = acme.token("ci").create();
    let value = token.value.as_str();
    let browser = root.signs_in().await;
    let page = acme.page("settings/access_tokens");
    let day = server.days_ahead(20);
    let fields = [
        ("resource_access_token[name]", value),
        ("resource_access_token[expires_at]", day.as_str()),
        ("resource_access_token[access_level]", "30"),
        ("resource_access_token[scopes][]", "read_api"),
    ];
    browser.post(&page, &fields).await;
    let named = acme.token(value).create();
    named.api().delete("/personal_access_tokens/self").await;
    root.api()
        .request(reqwest::Method::POST, "/groups")
        .header("user-agent", format!("curl/8 {value}"))
        .json(&serde_json::json!({ "name": format!("for {value}"), "path": "seen" }))
        .send()
        .await
        .unwrap();
    browser
        .get(&format!("/admin/audit_logs.csv?target={value}"))
        .await
        .expect(200);
    assert_eq!(server.count("groups", "path = 'seen'"), 1);
    assert_eq!(server.events("audit_exported").len(), 1);
    for column in ["actor_name", "user_agent", "target_name", "details"] {
        let with_it = server.count("audit_events", &format!("{column} LIKE '%{value}%'"));
        assert_eq!(with_it, 0, "{column}");
    }
    for column in ["user_agent", "target_name", "details"] {
        let filtered = server.count("audit_events", &format!("{column} LIKE '%[FILTERED]%'"));
        assert!(filtered > 0, "{column}");
    }
}
