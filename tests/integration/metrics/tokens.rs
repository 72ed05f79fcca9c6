//! Tokens that end soon, and tokens by kind and state.

use std::collections::BTreeMap;

use latchkey::access_tokens::{census, scope::Scope};

use super::Scrape;
use crate::{
    crowd::add_tokens,
    on_both,
    support::{Company, TestResource, TestServer, TestToken, server::moment},
};

const ENDS: &str = "latchkey_token_expires_timestamp_seconds";

on_both!(
    a_token_that_ends_within_sixty_days_is_told_with_its_midnight,
    a_token_is_told_until_its_day_comes_and_from_the_sixtieth_day_before_on,
    what_is_revoked_or_gone_ends_no_more,
    tokens_are_counted_by_kind_and_state,
    tokens_of_bots_that_are_gone_are_not_counted,
    a_count_is_held_for_a_minute,
    of_many_the_soonest_ten_thousand_are_told_and_that_there_are_more,
    nobody_and_nothing_is_named,
    a_scrape_costs_two_queries_and_seventeen_more_when_it_counts,
);

fn labels(kind: &str, resource_id: i64, token: &TestToken) -> String {
    let id = token.id;
    format!("{{kind=\"{kind}\",resource_id=\"{resource_id}\",token_id=\"{id}\"}}")
}

/// A token's date, changed behind the product's back: people's own tokens have none in tests.
fn ends(server: &TestServer, token: &TestToken, date: &str) {
    let id = token.id;
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{date}' WHERE id = {id}"
    ));
}

fn midnight(date: &str) -> f64 {
    moment(&format!("{date}T00:00:00Z")).timestamp() as f64
}

async fn a_token_that_ends_within_sixty_days_is_told_with_its_midnight(server: TestServer) {
    let company = Company::on(&server);
    let group = company.acme.token("ci").expires("2026-11-21").create();
    let project = company.p2.token("ci").expires("2026-12-24").create();
    let personal = company.bob.personal_token([Scope::Api]);
    ends(&server, &personal, "2027-01-19");
    let endless = company.acme.token("endless").create();
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = NULL WHERE id = {}",
        endless.id
    ));
    let told = Scrape::of(&server).await;
    assert_eq!(
        told.all(ENDS),
        BTreeMap::from([
            (
                labels("group", company.acme.id, &group),
                midnight("2026-11-21")
            ),
            (
                labels("project", company.p2.id, &project),
                midnight("2026-12-24")
            ),
            (
                labels("personal", company.bob.id, &personal),
                midnight("2027-01-19")
            ),
        ])
    );
    assert_eq!(told.value("latchkey_token_expiry_series_truncated"), 0.0);
}

async fn a_token_is_told_until_its_day_comes_and_from_the_sixtieth_day_before_on(
    server: TestServer,
) {
    let acme = server.group("acme").create();
    let token = acme.token("ci").expires(&server.days_ahead(61)).create();
    let series = labels("group", acme.id, &token);
    let is_told = async |at: &str| {
        server.clock.set(moment(at));
        Scrape::of(&server).await.all(ENDS).contains_key(&series)
    };
    // It ends on the 20th of January.
    assert!(!is_told("2026-11-20T23:59:59Z").await);
    assert!(is_told("2026-11-21T00:00:00Z").await);
    assert!(is_told("2027-01-19T23:59:59Z").await);
    assert!(!is_told("2027-01-20T00:00:00Z").await);
}

async fn what_is_revoked_or_gone_ends_no_more(server: TestServer) {
    let company = Company::on(&server);
    let token = |name: &str| company.acme.token(name).expires("2026-11-30").create();
    let (staying, revoked, gone) = (token("staying"), token("revoked"), token("gone"));
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        revoked.id
    ));
    // A bot that is gone takes with it even what nobody revoked.
    server.sql(&format!(
        "UPDATE users SET bot_gone_at = created_at WHERE id = {}",
        gone.user_id
    ));
    let told = Scrape::of(&server).await.all(ENDS);
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        [&labels("group", company.acme.id, &staying)]
    );
}

/// `latchkey_tokens`, as far as it isn't zero.
async fn counted(server: &TestServer) -> BTreeMap<String, f64> {
    let told = Scrape::later(server).await.all("latchkey_tokens");
    assert_eq!(told.len(), 12, "zeros are told too: {told:?}");
    told.into_iter()
        .filter(|(_, count)| *count != 0.0)
        .collect()
}

fn counts<const N: usize>(of: [(&str, &str, f64); N]) -> BTreeMap<String, f64> {
    of.into_iter()
        .map(|(kind, state, count)| (format!("{{kind=\"{kind}\",state=\"{state}\"}}"), count))
        .collect()
}

async fn tokens_are_counted_by_kind_and_state(server: TestServer) {
    let company = Company::on(&server);
    assert_eq!(counted(&server).await, counts([]));
    for name in ["one", "two", "three", "four"] {
        company.acme.token(name).expires("2026-12-31").create();
    }
    company.sub.token("five").expires("2026-11-21").create();
    company.p1.token("six").expires("2026-11-21").create();
    company.p1.token("seven").create();
    company.p1.token("eight").create();
    let personal = [0, 1, 2].map(|_| company.alice.personal_token([Scope::Api]));
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = NULL WHERE id = {}",
        personal[0].id
    ));
    for revoked in &personal[1..] {
        server.sql(&format!(
            "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
            revoked.id
        ));
    }
    // What was revoked stays that on the day on which it would have ended.
    ends(&server, &personal[2], "2026-11-21");
    assert_eq!(
        counted(&server).await,
        counts([
            ("group", "active", 5.0),
            ("project", "active", 3.0),
            ("personal", "active", 1.0),
            ("personal", "revoked", 2.0),
        ])
    );
    server.clock.set(moment("2026-11-21T00:00:00Z"));
    assert_eq!(
        counted(&server).await,
        counts([
            ("group", "active", 4.0),
            ("group", "expired", 1.0),
            ("project", "active", 2.0),
            ("project", "expired", 1.0),
            ("personal", "active", 1.0),
            ("personal", "revoked", 2.0),
        ])
    );
}

async fn tokens_of_bots_that_are_gone_are_not_counted(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    company.acme.token("staying").create();
    let alice = company.alice.api();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    alice.delete(&path).await.expect(204);
    assert_eq!(
        server.count("access_tokens", "revoked"),
        1,
        "its row is still there"
    );
    let expected = counts([("group", "active", 1.0), ("personal", "active", 1.0)]);
    assert_eq!(counted(&server).await, expected);
    server.rest().await;
    assert_eq!(counted(&server).await, expected);

    // Where bots are kept, what was revoked is counted.
    server.retain_bots(true);
    let token = company.acme.token("kept").create();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    alice.delete(&path).await.expect(204);
    assert_eq!(
        counted(&server).await,
        counts([
            ("group", "active", 1.0),
            ("group", "revoked", 1.0),
            ("personal", "active", 1.0)
        ])
    );
}

async fn a_count_is_held_for_a_minute(server: TestServer) {
    let acme = server.group("acme").create();
    acme.token("one").create();
    let active = "latchkey_tokens{kind=\"group\",state=\"active\"}";
    let first = Scrape::later(&server).await;
    assert_eq!(first.value(active), 1.0);
    assert_eq!(first.value("latchkey_count_age_seconds"), 0.0);
    acme.token("two").expires("2026-11-30").create();
    server.clock.advance(chrono::TimeDelta::seconds(59));
    let held = Scrape::of(&server).await;
    assert_eq!(held.value(active), 1.0);
    assert_eq!(held.value("latchkey_count_age_seconds"), 59.0);
    assert_eq!(held.all(ENDS).len(), 1, "what ends is never held");
    assert_eq!(Scrape::later(&server).await.value(active), 2.0);
}

async fn of_many_the_soonest_ten_thousand_are_told_and_that_there_are_more(server: TestServer) {
    let acme = server.group("acme").create();
    server.set("active_tokens_per_group", "20000");
    add_tokens(&server, &acme, 10_000);
    server.sql("UPDATE access_tokens SET expires_at = '2026-12-01'");
    let told = Scrape::of(&server).await;
    assert_eq!(told.all(ENDS).len(), 10_000);
    assert_eq!(told.value("latchkey_token_expiry_series_truncated"), 0.0);

    let soonest = acme.token("soonest").expires("2026-11-30").create();
    let last = acme.token("last").expires("2026-12-02").create();
    let told = Scrape::of(&server).await;
    assert_eq!(told.value("latchkey_token_expiry_series_truncated"), 1.0);
    let told = told.all(ENDS);
    assert_eq!(told.len(), 10_000);
    assert!(told.contains_key(&labels("group", acme.id, &soonest)));
    assert!(!told.contains_key(&labels("group", acme.id, &last)));

    // Of those that end on the same day the older ones.
    let next = server.arrange(|conn, ctx| census::next_to_end(conn, ctx.today(), 3));
    assert!(next.truncated);
    assert_eq!(next.tokens.len(), 3);
    assert_eq!(next.tokens[0].id, soonest.id);
    assert!(next.tokens[1].id < next.tokens[2].id && next.tokens[2].id < soonest.id);
    let all = server.arrange(|conn, ctx| census::next_to_end(conn, ctx.today(), 10_002));
    assert!(!all.truncated);
    assert_eq!(all.tokens.last().map(|token| token.id), Some(last.id));
}

async fn nobody_and_nothing_is_named(server: TestServer) {
    let company = Company::on(&server);
    let tokens = [
        company
            .acme
            .token("hush\"\\}")
            .expires("2026-12-01")
            .create(),
        company.p3.token("whisper").expires("2026-12-01").create(),
        company.alice.personal_token([Scope::Api]),
    ];
    ends(&server, &tokens[2], "2026-12-01");
    let told = Scrape::of(&server).await;
    assert_eq!(told.all(ENDS).len(), 3);
    for name in [
        "acme",
        "deep",
        "p3",
        "alice",
        "script",
        "hush",
        "whisper",
        "example.com",
    ]
    .into_iter()
    .chain(
        tokens
            .iter()
            .flat_map(|token| [token.value.as_str(), token.username.as_str()]),
    ) {
        assert!(!told.text.contains(name), "{name} is in\n{}", told.text);
    }
}

async fn a_scrape_costs_two_queries_and_seventeen_more_when_it_counts(server: TestServer) {
    let acme = server.group("acme").create();
    let cost = async || {
        let before = server.app.db.counters().queries();
        server.get("/-/metrics").await.expect(200);
        server.app.db.counters().queries() - before
    };
    assert_eq!(cost().await, 19);
    assert_eq!(cost().await, 2);
    for name in ["one", "two", "three"] {
        acme.token(name).expires("2026-12-01").create();
    }
    assert_eq!(cost().await, 2);
}
