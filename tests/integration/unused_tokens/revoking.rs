//! Taken away, where an administrator says so.

use chrono::TimeDelta;
use latchkey::access_tokens::{
    by_policy::Swept,
    scope::Scope,
    unused::{find_unused, revoke_unused, tell_unused},
};
use latchkey::actor::{Actor, Origin};
use latchkey::error::Error;

use super::{age, kinds, token};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    nothing_is_revoked_until_somebody_says_after_how_long,
    unused_tokens_are_revoked_with_their_bots,
    kept_bots_stay,
    a_young_or_used_token_is_never_revoked,
    a_dry_run_tells_and_changes_nothing,
    batches_of_revocations_go_on_where_the_last_one_ended,
    what_was_found_is_looked_at_again_before_it_is_revoked,
    a_number_of_days_out_of_range_is_refused,
    only_administrators_revoke_unused_tokens,
];

const AFTER: &str = "revoke_unused_tokens_after_days";

/// What came of one window of tokens.
#[derive(Debug, Default, PartialEq)]
struct Sweep {
    tokens: Vec<Swept>,
    next: Option<i64>,
}

fn revoke(server: &TestServer, after_id: i64, window: i64, dry_run: bool) -> Sweep {
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        let Some(found) = find_unused(conn, ctx, after_id, window)? else {
            return Ok(Sweep::default());
        };
        let tokens = if dry_run {
            tell_unused(conn, ctx, &found.ids)?
        } else {
            revoke_unused(conn, ctx, &found.ids, ctx.now)?
        };
        Ok(Sweep {
            tokens,
            next: found.next,
        })
    })
}

fn names(sweep: &Sweep) -> Vec<&str> {
    sweep
        .tokens
        .iter()
        .map(|token| token.name.as_str())
        .collect()
}

async fn nothing_is_revoked_until_somebody_says_after_how_long(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 4_000, None);
    for dry_run in [true, false] {
        assert_eq!(revoke(&server, 0, 1_000, dry_run), Sweep::default());
    }
    server.set(AFTER, "90");
    server.set(AFTER, "");
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
    assert_eq!(server.count("access_tokens", "revoked"), 0);
}

async fn unused_tokens_are_revoked_with_their_bots(server: TestServer) {
    let c = Company::on(&server);
    kinds(&server, &c.acme);
    let project = token(&server, &c.p3, "project", 91, None);
    let personal = c.alice.personal_token([Scope::Api]);
    age(&server, &personal, 400, None);
    server.set(AFTER, "90");
    let swept = revoke(&server, 0, 1_000, false);
    assert_eq!(
        names(&swept),
        ["quarter", "used a quarter ago", "project"],
        "and no personal one"
    );
    let told = swept.tokens.last().unwrap();
    assert_eq!(
        (
            told.id,
            told.kind,
            told.full_path.as_str(),
            told.last_used_at
        ),
        (project.id, "project", "acme/sub/deep/p3", None)
    );
    let used = server.now() - TimeDelta::days(90);
    assert_eq!(swept.tokens[1].last_used_at, Some(used));
    assert!(!project.works().await && personal.works().await);
    assert_eq!(server.count("users", "bot_gone_at IS NOT NULL"), 3);
    for (kind, count) in [("group", 2), ("project", 1), ("personal", 0)] {
        let condition = format!(
            r#"event = '{kind}_access_token_revoked_by_policy' AND actor_name = 'system' AND channel = 'job'
               AND details LIKE '%"{AFTER}":90%' AND group_path <> ''"#
        );
        assert_eq!(server.count("audit_events", &condition), count, "{kind}");
    }
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
}

async fn kept_bots_stay(server: TestServer) {
    let c = Company::on(&server);
    server.retain_bots(true);
    let idle = token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    assert_eq!(names(&revoke(&server, 0, 1_000, false)), ["idle"]);
    assert!(!idle.works().await);
    assert_eq!(server.count("users", "bot_gone_at IS NOT NULL"), 0);
    let page = c.alice.signs_in().await;
    let page = page.open(&c.acme.page("settings/access_tokens")).await;
    assert_eq!(page.rows("inactive-access-tokens").len(), 1);
}

async fn a_young_or_used_token_is_never_revoked(server: TestServer) {
    let c = Company::on(&server);
    server.set(AFTER, "30");
    let young = token(&server, &c.acme, "young", 29, None);
    let used = token(&server, &c.acme, "used", 400, Some(29));
    let ended = token(&server, &c.acme, "ended", 400, None);
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{}' WHERE id = {}",
        server.days_ahead(0),
        ended.id
    ));
    for dry_run in [true, false] {
        assert_eq!(revoke(&server, 0, 1_000, dry_run), Sweep::default());
    }
    server
        .clock
        .advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
    assert!(young.works().await && used.works().await);
    server.rest().await;
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(
        revoke(&server, 0, 1_000, false),
        Sweep::default(),
        "now they are in use"
    );
}

async fn a_dry_run_tells_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let idle = token(&server, &c.acme, "idle", 90, Some(80));
    server.set(AFTER, "60");
    let before = server.count("audit_events", "id > 0");
    let told = revoke(&server, 0, 1_000, true);
    assert_eq!(told, revoke(&server, 0, 1_000, true));
    assert_eq!(names(&told), ["idle"]);
    assert_eq!(server.count("audit_events", "id > 0"), before);
    assert!(idle.works().await);
    age(&server, &idle, 90, Some(80));
    assert_eq!(told, revoke(&server, 0, 1_000, false), "as it was told");
}

async fn batches_of_revocations_go_on_where_the_last_one_ended(server: TestServer) {
    let c = Company::on(&server);
    for number in 0..5 {
        token(&server, &c.acme, &format!("a{number}"), 90, None);
        token(&server, &c.other, &format!("o{number}"), 90, None);
    }
    server.set(AFTER, "60");
    let (mut after, mut all) = (0, Vec::new());
    for _ in 0..4 {
        let swept = revoke(&server, after, 3, false);
        all.extend(swept.tokens.iter().map(|token| token.id));
        assert_eq!(swept.next.is_none(), all.len() == 10);
        after = swept.next.unwrap_or(after);
    }
    assert!(all.is_sorted() && all.len() == 10);
    assert_eq!(server.count("access_tokens", "NOT revoked"), 0);
}

async fn what_was_found_is_looked_at_again_before_it_is_revoked(server: TestServer) {
    let c = Company::on(&server);
    let used = token(&server, &c.acme, "used", 90, None);
    let idle = token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    let found = server.arrange(|conn, ctx| find_unused(conn, ctx, 0, 1_000));
    assert_eq!(found.unwrap().ids, [used.id, idle.id]);
    age(&server, &used, 90, Some(0));
    let take = |ids: [i64; 2]| {
        server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
            revoke_unused(conn, ctx, &ids, ctx.now).map(|swept| swept.len())
        })
    };
    server.set(AFTER, "");
    assert_eq!(take([used.id, idle.id]), 0, "blanked meanwhile");
    server.set(AFTER, "60");
    assert_eq!(take([used.id, idle.id]), 1);
    assert!(used.works().await && !idle.works().await);
}

async fn a_number_of_days_out_of_range_is_refused(server: TestServer) {
    for days in [
        "0",
        "29",
        "3651",
        "-30",
        "30.5",
        "soon",
        "true",
        "99999999999",
    ] {
        let refused = server.attempt_as(Actor::system(Origin::console()), move |conn, ctx| {
            latchkey::settings::change::set(conn, ctx, AFTER, days)
        });
        let Err(Error::Refused(reason)) = refused else {
            panic!("{days}");
        };
        assert!(
            reason.contains(AFTER) && reason.contains("30 to 3650"),
            "{reason}"
        );
    }
    for days in ["30", "3650", "null"] {
        server.set(AFTER, days);
    }
}

async fn only_administrators_revoke_unused_tokens(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    let id = server.arrange(|conn, ctx| Ok(find_unused(conn, ctx, 0, 1_000)?.unwrap().ids[0]));
    for refused in [
        server.attempt_as(c.alice.actor(), |conn, ctx| {
            find_unused(conn, ctx, 0, 1_000).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            tell_unused(conn, ctx, &[id]).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            revoke_unused(conn, ctx, &[id], ctx.now).map(|_| ())
        }),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    }
    assert_eq!(server.count("access_tokens", "revoked"), 0);
}
