//! The expiry check: who is put down to be told of which token, when, and how often.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use latchkey::{jobs::Job, members::AccessLevel};

use crate::{
    on_both,
    support::{Person, TestGroup, TestResource, TestServer, server::moment},
};

mod digests;
mod mails;
mod recipients;
mod webhooks;

/// Days that are left, and the interval in which a token is announced then; the last two with the flag alone.
const TABLE: [(i64, Option<i64>); 8] = [
    (0, Some(7)),
    (1, Some(7)),
    (7, Some(7)),
    (8, Some(30)),
    (30, Some(30)),
    (31, Some(60)),
    (60, Some(60)),
    (61, None),
];

const FLAG: &str = "expiring_pats_30d_60d_notifications";

on_both!(
    with_the_flag_off_tokens_with_up_to_seven_days_are_announced,
    with_the_flag_on_each_token_is_announced_in_its_interval,
    a_second_run_announces_nothing,
    each_interval_is_announced_once_and_none_after_the_seven_days,
    a_clock_that_steps_back_repeats_nothing,
    what_was_revoked_or_rotated_away_or_ended_before_is_not_announced,
    a_token_made_by_a_rotation_is_announced_anew,
    a_token_that_nobody_looks_after_is_announced_when_somebody_does,
    more_tokens_than_a_batch_are_each_announced_once,
    the_day_that_a_run_by_hand_is_given_counts_and_mails_are_due_at_once,
    no_step_puts_down_more_than_a_few_thousand_however_many_look_after_a_token,
);

/// Acme with its Owner, at 01:00.
fn acme(server: &TestServer) -> (TestGroup, Person) {
    server.clock.set(moment("2026-11-20T01:00:00Z"));
    let acme = server.group("acme").create();
    let alice = server.person("alice").create();
    acme.member(&alice, AccessLevel::Owner);
    (acme, alice)
}

impl TestServer {
    /// Tokens of `acme` with so many days left, each named by them.
    fn tokens_with(&self, acme: &TestGroup, days: impl IntoIterator<Item = i64>) {
        for days in days {
            acme.token(&days.to_string())
                .expires(&self.days_ahead(days))
                .create();
        }
    }

    /// Who was put down for which token in which interval: `7: 1 → alice`.
    fn noticed(&self) -> BTreeSet<String> {
        use diesel::prelude::*;
        use latchkey::db::schema::{access_tokens, expiry_notices, users};
        self.arrange(|conn, _| {
            let rows: Vec<(i64, String, String)> = expiry_notices::table
                .inner_join(access_tokens::table.on(access_tokens::id.eq(expiry_notices::token_id)))
                .inner_join(users::table.on(users::id.eq(expiry_notices::user_id)))
                .select((
                    expiry_notices::interval_days,
                    access_tokens::name,
                    users::username,
                ))
                .load(conn)?;
            Ok(rows
                .into_iter()
                .map(|(interval, token, user)| format!("{interval}: {token} → {user}"))
                .collect())
        })
    }

    /// As [`TestServer::noticed`], for a token of this name alone.
    fn noticed_of(&self, token: &str) -> Vec<String> {
        let marked = format!(": {token} → ");
        let found = self
            .noticed()
            .into_iter()
            .filter(|one| one.contains(&marked));
        found.collect()
    }
}

fn set(of: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    of.into_iter().map(str::to_owned).collect()
}

async fn with_the_flag_off_tokens_with_up_to_seven_days_are_announced(server: TestServer) {
    let (acme, _) = acme(&server);
    server.tokens_with(&acme, TABLE.map(|(days, _)| days));
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["tokens"], counts["mails"]), (3, 3));
    assert_eq!(
        server.noticed(),
        set(["7: 0 → alice", "7: 1 → alice", "7: 7 → alice"])
    );
}

async fn with_the_flag_on_each_token_is_announced_in_its_interval(server: TestServer) {
    let (acme, _) = acme(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, TABLE.map(|(days, _)| days));
    server.run_job(Job::ExpiryCheck).await;
    let expected: BTreeSet<String> = TABLE
        .into_iter()
        .filter_map(|(days, interval)| Some(format!("{}: {days} → alice", interval?)))
        .collect();
    assert_eq!(expected.len(), 7);
    assert_eq!(server.noticed(), expected);
    assert_eq!(server.count("emails", "state = 'waiting'"), 7);
}

async fn a_second_run_announces_nothing(server: TestServer) {
    let (acme, _) = acme(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, TABLE.map(|(days, _)| days));
    server.run_job(Job::ExpiryCheck).await;
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!(
        (counts["tokens"], counts["notices"], counts["mails"]),
        (0, 0, 0)
    );
    assert_eq!(server.count("emails", ""), 7);
}

async fn each_interval_is_announced_once_and_none_after_the_seven_days(server: TestServer) {
    let (acme, _) = acme(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, [5, 30, 65]);
    for _ in 0..70 {
        server.run_job(Job::ExpiryCheck).await;
        server.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(server.noticed_of("5"), ["7: 5 → alice"]);
    assert_eq!(server.noticed_of("30"), ["30: 30 → alice", "7: 30 → alice"]);
    assert_eq!(
        server.noticed_of("65"),
        ["30: 65 → alice", "60: 65 → alice", "7: 65 → alice"]
    );
    assert_eq!(server.count("emails", ""), 6);
}

async fn a_clock_that_steps_back_repeats_nothing(server: TestServer) {
    let (acme, _) = acme(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, [40]);
    let begin = server.now();
    // Straight to the last week, then back through the others.
    for ahead in [35, 20, 0, 35] {
        server.clock.set(begin + TimeDelta::days(ahead));
        server.run_job(Job::ExpiryCheck).await;
    }
    assert_eq!(server.noticed_of("40"), ["7: 40 → alice"]);
}

async fn what_was_revoked_or_rotated_away_or_ended_before_is_not_announced(server: TestServer) {
    let (acme, alice) = acme(&server);
    server.retain_bots(true);
    let make = |name: &str| acme.token(name).expires(&server.days_ahead(5)).create();
    let (revoked, rotated, gone) = (make("revoked"), make("rotated"), make("gone"));
    acme.token("ended").expires(&server.days_ahead(1)).create();
    let tokens = format!("{}/access_tokens", acme.path());
    let api = alice.api();
    api.delete(&format!("{tokens}/{}", revoked.id)).await;
    let body = serde_json::json!({ "expires_at": server.days_ahead(200) });
    let answer = api
        .post(&format!("{tokens}/{}/rotate", rotated.id), body)
        .await;
    assert_eq!(answer.status, 200);
    server.sql(&format!(
        "UPDATE users SET bot_gone_at = created_at WHERE id = {}",
        gone.user_id
    ));
    server.sql("UPDATE access_tokens SET impersonation = TRUE WHERE name = 'gone'");
    server.clock.advance(TimeDelta::days(2));
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set([]));
}

async fn a_token_made_by_a_rotation_is_announced_anew(server: TestServer) {
    let (acme, alice) = acme(&server);
    let token = acme.token("ci").expires(&server.days_ahead(5)).create();
    server.run_job(Job::ExpiryCheck).await;
    let body = serde_json::json!({ "expires_at": server.days_ahead(6) });
    let path = format!("{}/access_tokens/{}/rotate", acme.path(), token.id);
    assert_eq!(alice.api().post(&path, body).await.status, 200);
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.count("expiry_notices", ""), 2);
    assert_eq!(server.count("emails", "kind = 'token_expiring'"), 2);
}

async fn a_token_that_nobody_looks_after_is_announced_when_somebody_does(server: TestServer) {
    let (acme, alice) = acme(&server);
    server.tokens_with(&acme, [5]);
    alice.block();
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["tokens"], counts["without_recipient"]), (0, 1));
    let bo = server.person("bo").create();
    acme.member(&bo, AccessLevel::Owner);
    server.clock.advance(TimeDelta::days(1));
    server.run_job(Job::ExpiryCheck).await;
    assert_eq!(server.noticed(), set(["7: 5 → bo"]));
}

impl TestServer {
    /// So many copies of the one token that there is.
    fn copies(&self, number: usize) {
        let digest = if self.is_on_postgres() {
            "decode(md5(n::text) || md5(n::text), 'hex')"
        } else {
            "randomblob(32)"
        };
        self.sql(&format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number}) \
             INSERT INTO access_tokens (user_id, group_id, root_id, name, scopes, digest, hint, expires_at, created_at, updated_at) \
             SELECT user_id, group_id, root_id, 'copy', scopes, {digest}, hint, expires_at, created_at, updated_at \
             FROM access_tokens, numbers"
        ));
    }
}

async fn no_step_puts_down_more_than_a_few_thousand_however_many_look_after_a_token(
    server: TestServer,
) {
    use latchkey::notices::check::{Cursor, step};
    let (acme, _) = acme(&server);
    server.sql(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 99) \
         INSERT INTO users (username, username_key, name, email, email_key, kind, state, confirmed_at, created_at, updated_at) \
         SELECT 'o' || n, 'o' || n, 'Owner', 'o' || n || '@x', 'o' || n || '@x', 'human', 'active', \
         '2026-11-20 10:00:00', '2026-11-20 10:00:00', '2026-11-20 10:00:00' FROM numbers",
    );
    server.sql(&format!(
        "INSERT INTO memberships (user_id, group_id, access_level, created_at) \
         SELECT id, {}, 50, '2026-11-20 10:00:00' FROM users WHERE username LIKE 'o%'",
        acme.id
    ));
    acme.token("first").expires(&server.days_ahead(3)).create();
    server.copies(249);
    let mut cursor = Some(Cursor::start());
    let mut steps = Vec::new();
    while let Some(here) = cursor {
        let done = server.arrange(move |conn, ctx| step(conn, ctx, ctx.now, here));
        steps.push(done.notices);
        cursor = done.next;
    }
    assert_eq!(steps.iter().sum::<usize>(), 25_000, "{steps:?}");
    assert!(steps.iter().all(|notices| *notices <= 5_000), "{steps:?}");
    let unmarked = "seven_days_notification_sent_at IS NULL";
    assert_eq!(server.count("access_tokens", unmarked), 0);
}

async fn more_tokens_than_a_batch_are_each_announced_once(server: TestServer) {
    let (acme, _) = acme(&server);
    acme.token("first").expires(&server.days_ahead(3)).create();
    server.copies(2_500);
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["tokens"], counts["mails"]), (2_501, 2_501));
    assert_eq!(server.count("emails", ""), 2_501);
    assert_eq!(
        server.count("access_tokens", "seven_days_notification_sent_at IS NULL"),
        0
    );
    assert_eq!(server.run_job(Job::ExpiryCheck).await["tokens"], 0);
}

async fn the_day_that_a_run_by_hand_is_given_counts_and_mails_are_due_at_once(server: TestServer) {
    let (acme, _) = acme(&server);
    server.tokens_with(&acme, [100]);
    let as_of = server.now() + TimeDelta::days(95);
    latchkey::jobs::run::by_hand(
        &server.app,
        Job::ExpiryCheck,
        Some(as_of),
        std::time::Duration::ZERO,
    )
    .await
    .unwrap();
    assert_eq!(server.noticed(), set(["7: 100 → alice"]));
    let now = server.now().format("%Y-%m-%d %H:%M:%S");
    assert_eq!(server.count("emails", &format!("due_at = '{now}'")), 1);
}
