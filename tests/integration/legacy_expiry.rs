//! Tokens without an expiry date are given one, because an administrator says so.

use latchkey::access_tokens::legacy::{Undated, apply, find};
use latchkey::access_tokens::scope::Scope;
use latchkey::error::Error;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer, TestToken};

on_both![
    every_token_without_a_date_gets_it_and_no_other,
    what_has_got_a_date_keeps_it,
    they_are_found_window_by_window,
    where_bots_are_not_kept_the_membership_ends_with_the_token,
    each_has_its_line_in_the_trail,
    a_date_that_has_come_is_refused,
    only_administrators_may,
];

const DATE: &str = "2027-11-20";

/// A group's token, a project's and a person's own, all without an end.
fn endless(server: &TestServer, c: &Company) -> [TestToken; 3] {
    server.set("require_personal_access_token_expiry", "false");
    let tokens = [
        c.acme.token("of a group").create(),
        c.p1.token("of a project").create(),
        c.frank.personal_token([Scope::Api]),
    ];
    server.set("require_personal_access_token_expiry", "true");
    tokens
}

fn found(server: &TestServer, after: i64, limit: i64) -> Vec<Undated> {
    server.arrange(move |conn, ctx| find(conn, ctx, after, limit))
}

fn ids(tokens: &[Undated]) -> Vec<i64> {
    tokens.iter().map(|token| token.id).collect()
}

fn give(server: &TestServer, ids: &[i64], date: &str) -> Vec<Undated> {
    let (ids, date) = (ids.to_vec(), date.parse().unwrap());
    server.arrange(move |conn, ctx| apply(conn, ctx, &ids, date, "a test asked for it"))
}

async fn every_token_without_a_date_gets_it_and_no_other(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c);
    server.set("require_personal_access_token_expiry", "false");
    let revoked = c.acme.token("revoked").create();
    server.set("require_personal_access_token_expiry", "true");
    revoked
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    let dated = c.acme.token("dated").expires("2026-12-24").create();

    let seen = found(&server, 0, 100);
    assert_eq!(ids(&seen), tokens.each_ref().map(|token| token.id));
    let kinds: Vec<_> = seen.iter().map(|token| token.kind).collect();
    assert_eq!(kinds, ["group", "project", "personal"]);
    let holders: Vec<_> = seen.iter().map(|token| token.holder.as_str()).collect();
    assert_eq!(
        holders,
        [c.acme.full_path.as_str(), c.p1.full_path.as_str(), "frank"]
    );

    let mut asked = ids(&seen);
    asked.extend([revoked.id, dated.id]);
    assert_eq!(give(&server, &asked, DATE), seen);
    for token in &tokens {
        let own = token.get("/personal_access_tokens/self").await.expect(200);
        assert_eq!(own.json()["expires_at"], DATE);
    }
    assert_eq!(
        server.count("access_tokens", "expires_at IS NULL AND revoked"),
        1
    );
    let own = dated.get("/personal_access_tokens/self").await.expect(200);
    assert_eq!(own.json()["expires_at"], "2026-12-24");
}

async fn what_has_got_a_date_keeps_it(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c).map(|token| token.id);
    assert_eq!(give(&server, &tokens, DATE).len(), 3);
    assert_eq!(give(&server, &tokens, "2027-01-01"), []);
    assert_eq!(found(&server, 0, 100), []);
    let there = format!("expires_at = '{DATE}'");
    assert_eq!(server.count("access_tokens", &there), 3);
    assert_eq!(
        server.count("audit_events", "event LIKE '%_access_token_updated'"),
        3
    );
}

async fn they_are_found_window_by_window(server: TestServer) {
    let c = Company::on(&server);
    let [first, second, third] = endless(&server, &c).map(|token| token.id);
    assert_eq!(ids(&found(&server, 0, 2)), [first, second]);
    assert_eq!(ids(&found(&server, second, 2)), [third]);
    assert_eq!(found(&server, third, 2), []);
}

async fn where_bots_are_not_kept_the_membership_ends_with_the_token(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c).map(|token| token.id);
    let ends = format!("bot AND expires_at = '{DATE}'");
    server.retain_bots(true);
    give(&server, &tokens[..1], DATE);
    assert_eq!(server.count("memberships", &ends), 0);
    server.retain_bots(false);
    give(&server, &tokens[1..], DATE);
    assert_eq!(server.count("memberships", &ends), 1);
}

async fn each_has_its_line_in_the_trail(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c).map(|token| token.id);
    give(&server, &tokens, DATE);
    for (kind, token) in ["group", "project", "personal"].iter().zip(tokens) {
        let line = format!(
            "event = '{kind}_access_token_updated' AND target_id = {token} AND details LIKE '%\"expires_at\":\"{DATE}\"%' AND details LIKE '%a test asked for it%'"
        );
        assert_eq!(server.count("audit_events", &line), 1, "{kind}");
    }
}

async fn a_date_that_has_come_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c).map(|token| token.id);
    let today = server.now().date_naive();
    let refused = server.attempt_as(c.root.actor(), move |conn, ctx| {
        apply(conn, ctx, &tokens, today, "")
    });
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(found(&server, 0, 100).len(), 3);
}

async fn only_administrators_may(server: TestServer) {
    let c = Company::on(&server);
    let tokens = endless(&server, &c).map(|token| token.id);
    let date = DATE.parse().unwrap();
    let seen = server.attempt_as(c.alice.actor(), |conn, ctx| find(conn, ctx, 0, 10));
    assert!(matches!(seen, Err(Error::Forbidden(_))), "{seen:?}");
    let given = server.attempt_as(c.alice.actor(), move |conn, ctx| {
        apply(conn, ctx, &tokens, date, "")
    });
    assert!(matches!(given, Err(Error::Forbidden(_))), "{given:?}");
}
