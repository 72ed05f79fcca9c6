//! Who reads which calendar, now and not when they subscribed.

use latchkey::members::AccessLevel;

use super::{PERSONAL, feed_of, names, subscribed};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_group_s_calendar_is_for_whoever_may_see_its_tokens,
    an_administrators_address_opens_what_their_memberships_open,
    whoever_is_signed_in_needs_no_feed_token,
    whatever_is_not_theirs_is_not_there,
    a_role_that_is_lost_counts_from_the_next_request,
    a_role_that_has_ended_counts_no_longer,
    while_tokens_are_off_nothing_ends,
    a_person_asks_sixty_times_a_minute_at_most,
    calendars_and_exports_are_counted_apart,
    a_calendar_costs_four_queries,
];

async fn a_group_s_calendar_is_for_whoever_may_see_its_tokens(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("of acme").create();
    c.sub.token("of sub").create();
    let (acme, sub) = (
        c.acme.page("settings/access_tokens.ics"),
        c.sub.page("settings/access_tokens.ics"),
    );
    let feed_token = feed_of(&c.alice).await;
    let answer = subscribed(&server, &acme, &feed_token).await.expect(200);
    assert_eq!(names(&answer), ["of acme"], "the group's own");
    let answer = subscribed(&server, &sub, &feed_token).await.expect(200);
    assert_eq!(names(&answer), ["of sub"], "by the role above");
    for person in [&c.bob, &c.carol, &c.erin, &c.frank, &c.oscar, &c.xenia] {
        let feed_token = feed_of(person).await;
        subscribed(&server, &acme, &feed_token).await.expect(404);
        subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    }
}

async fn an_administrators_address_opens_what_their_memberships_open(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("of acme").create();
    let path = c.acme.page("settings/access_tokens.ics");
    let root = c.root.signs_in().await;
    let feed_token = super::new_feed_token(&root).await;
    subscribed(&server, &path, &feed_token).await.expect(404);
    let own = subscribed(&server, PERSONAL, &feed_token).await;
    assert!(names(&own.expect(200)).is_empty());
    // What they read in a browser is another matter.
    assert_eq!(names(&root.get(&path).await.expect(200)), ["of acme"]);
    c.acme.member(&c.root, AccessLevel::Maintainer);
    subscribed(&server, &path, &feed_token).await.expect(404);
    server.sql(&format!(
        "UPDATE memberships SET access_level = 50 WHERE user_id = {}",
        c.root.id
    ));
    let answer = subscribed(&server, &path, &feed_token).await.expect(200);
    assert_eq!(names(&answer), ["of acme"]);
}

async fn whoever_is_signed_in_needs_no_feed_token(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").create();
    let path = c.acme.page("settings/access_tokens.ics");
    let alice = c.alice.signs_in().await;
    for path in [path.as_str(), PERSONAL] {
        let answer = alice.get(path).await.expect(200);
        assert_eq!(names(&answer), ["ci"]);
        assert_eq!(answer.header("cache-control"), "no-store");
        server.get(path).await.expect(404);
    }
    c.bob.signs_in().await.get(&path).await.expect(404);
}

async fn whatever_is_not_theirs_is_not_there(server: TestServer) {
    let c = Company::on(&server);
    let feed_token = feed_of(&c.alice).await;
    let unknown = subscribed(
        &server,
        "/groups/nothing/-/settings/access_tokens.ics",
        &feed_token,
    );
    let unknown = unknown.await.expect(404);
    for path in [
        c.other.page("settings/access_tokens.ics"),
        c.p1.page("settings/access_tokens.ics")
            .replacen('/', "/groups/", 1),
        "/groups/alice/-/settings/access_tokens.ics".to_owned(),
        "/groups/%00/-/settings/access_tokens.ics".to_owned(),
        format!("/groups/{}/-/settings/access_tokens.ics", "x".repeat(1_000)),
    ] {
        let answer = subscribed(&server, &path, &feed_token).await;
        assert_eq!(answer.status, unknown.status, "{path}");
        assert_eq!(
            answer.comparable_text().replace(&path, ""),
            unknown
                .comparable_text()
                .replace("/groups/nothing/-/settings/access_tokens.ics", ""),
        );
    }
}

async fn a_role_that_is_lost_counts_from_the_next_request(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").create();
    let path = c.acme.page("settings/access_tokens.ics");
    let feed_token = feed_of(&c.alice).await;
    let answer = subscribed(&server, PERSONAL, &feed_token).await;
    assert_eq!(names(&answer.expect(200)), ["ci"]);
    c.acme.member(&c.frank, AccessLevel::Owner);
    let id = c.alice.id;
    server.sql(&format!(
        "UPDATE memberships SET access_level = 40 WHERE user_id = {id}"
    ));
    subscribed(&server, &path, &feed_token).await.expect(404);
    let answer = subscribed(&server, PERSONAL, &feed_token).await;
    assert!(names(&answer.expect(200)).is_empty());
    let frank = feed_of(&c.frank).await;
    let answer = subscribed(&server, PERSONAL, &frank).await;
    assert_eq!(names(&answer.expect(200)), ["ci"]);
}

async fn a_role_that_has_ended_counts_no_longer(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").create();
    let feed_token = feed_of(&c.alice).await;
    let id = c.alice.id;
    for (until, there) in [("2026-11-21", true), ("2026-11-20", false)] {
        server.sql(&format!(
            "UPDATE memberships SET expires_at = '{until}' WHERE user_id = {id}"
        ));
        let answer = subscribed(&server, PERSONAL, &feed_token).await.expect(200);
        assert_eq!(!names(&answer).is_empty(), there, "{until}");
        let path = c.acme.page("settings/access_tokens.ics");
        let answer = subscribed(&server, &path, &feed_token).await;
        assert_eq!(answer.status == 200, there, "{until}");
    }
}

async fn while_tokens_are_off_nothing_ends(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").create();
    let feed_token = feed_of(&c.alice).await;
    server.set("disable_personal_access_tokens", "true");
    let answer = subscribed(&server, PERSONAL, &feed_token).await;
    assert!(names(&answer.expect(200)).is_empty());
    let path = c.acme.page("settings/access_tokens.ics");
    subscribed(&server, &path, &feed_token).await.expect(404);
}

async fn a_person_asks_sixty_times_a_minute_at_most(server: TestServer) {
    let c = Company::on(&server);
    let (alice, bob) = (feed_of(&c.alice).await, feed_of(&c.bob).await);
    for _ in 0..60 {
        subscribed(&server, PERSONAL, &alice).await.expect(200);
    }
    let answer = subscribed(&server, PERSONAL, &alice).await.expect(429);
    assert!(!answer.header("retry-after").is_empty());
    subscribed(&server, PERSONAL, &bob).await.expect(200);
    server.clock.advance(chrono::TimeDelta::minutes(1));
    subscribed(&server, PERSONAL, &alice).await.expect(200);
}

async fn calendars_and_exports_are_counted_apart(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    let feed_token = super::new_feed_token(&alice).await;
    let export = format!("{}.csv", c.acme.page("audit_events"));
    for _ in 0..60 {
        subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    }
    subscribed(&server, PERSONAL, &feed_token).await.expect(429);
    alice.get(&export).await.expect(200);
    server.clock.advance(chrono::TimeDelta::minutes(1));
    for _ in 0..60 {
        alice.get(&export).await.expect(200);
    }
    alice.get(&export).await.expect(429);
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
}

async fn a_calendar_costs_four_queries(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let feed_token = super::new_feed_token(&browser).await;
    for number in 0..10 {
        let group = server.group(&format!("g{number}")).owner(&c.alice).create();
        group.token("ci").create();
        group.project("p").create().token("ci").create();
        c.alice.api();
    }
    let group = c.acme.page("settings/access_tokens.ics");
    for path in [PERSONAL, &group] {
        let before = server.app.db.counters().queries();
        subscribed(&server, path, &feed_token).await.expect(200);
        let feed = server.app.db.counters().queries() - before;
        browser.get(path).await.expect(200);
        let signed_in = server.app.db.counters().queries() - before - feed;
        assert!(feed <= 4 && signed_in <= 4, "{path}: {feed}, {signed_in}");
    }
}
