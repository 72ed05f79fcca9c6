//! The longest lifetime of tokens is lowered: those that live longer end three hours later.

use chrono::TimeDelta;
use latchkey::access_tokens::{
    by_policy::Swept,
    lifetime::{due_at, enforce, find_overlong, tell_overlong},
    scope::Scope,
};
use latchkey::actor::{Actor, Origin};
use latchkey::context::Context;
use latchkey::db::DbConnection;
use latchkey::error::Error;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    nothing_happens_before_three_hours_are_over,
    tokens_of_every_kind_beyond_the_limit_end_and_no_others,
    undoing_it_within_three_hours_prevents_it,
    half_an_undo_is_still_a_lowering,
    each_step_down_gives_the_full_time,
    the_setting_is_read_anew,
    a_dry_run_tells_and_changes_nothing,
    batches_go_on_where_the_last_one_ended,
    the_trail_says_which_policy_and_who,
    it_is_done_once,
    what_was_found_is_looked_at_again_before_it_is_revoked,
    whoever_loses_a_token_of_their_own_is_told_that_a_rule_took_it,
    only_administrators_enforce,
];

const LONGEST: &str = "max_personal_access_token_lifetime";

/// What came of one window of tokens.
#[derive(Debug, Default, PartialEq)]
struct Sweep {
    tokens: Vec<Swept>,
    next: Option<i64>,
}

fn sweep(
    conn: &mut DbConnection,
    ctx: &Context,
    (after_id, window): (i64, i64),
    dry_run: bool,
) -> Result<Sweep, Error> {
    let Some(found) = find_overlong(conn, ctx, after_id, window, dry_run)? else {
        return Ok(Sweep::default());
    };
    let tokens = if dry_run {
        tell_overlong(conn, ctx, &found.ids)?
    } else {
        enforce(conn, ctx, &found.ids, found.next.is_none(), ctx.now)?
    };
    Ok(Sweep {
        tokens,
        next: found.next,
    })
}

fn run(server: &TestServer, after_id: i64, window: i64, dry_run: bool) -> Sweep {
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        sweep(conn, ctx, (after_id, window), dry_run)
    })
}

fn names(sweep: &Sweep) -> Vec<&str> {
    sweep
        .tokens
        .iter()
        .map(|token| token.name.as_str())
        .collect()
}

fn pending(server: &TestServer) -> Option<TimeDelta> {
    let now = server.now();
    server.arrange(move |conn, _| Ok(due_at(conn)?.map(|at| at - now)))
}

fn hours(server: &TestServer, hours: i64) {
    server.clock.advance(TimeDelta::hours(hours));
}

async fn nothing_happens_before_three_hours_are_over(server: TestServer) {
    let c = Company::on(&server);
    let token = c
        .acme
        .token("long")
        .expires(&server.days_ahead(300))
        .create();
    assert_eq!(pending(&server), None);
    server.set(LONGEST, "90");
    assert_eq!(pending(&server), Some(TimeDelta::hours(3)));
    assert_eq!(run(&server, 0, 1_000, false), Sweep::default());
    server
        .clock
        .advance(TimeDelta::hours(3) - TimeDelta::seconds(1));
    assert_eq!(run(&server, 0, 1_000, false), Sweep::default());
    assert!(token.works().await);
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(names(&run(&server, 0, 1_000, false)), ["long"]);
    assert!(!token.works().await);
}

async fn tokens_of_every_kind_beyond_the_limit_end_and_no_others(server: TestServer) {
    let c = Company::on(&server);
    server.set("require_personal_access_token_expiry", "false");
    let personal = c.frank.personal_token([Scope::Api]);
    let endless = c.sub.token("endless").create();
    server.set("require_personal_access_token_expiry", "true");
    let edge = c
        .acme
        .token("edge")
        .expires(&server.days_ahead(90))
        .create();
    let beyond =
        c.p1.token("beyond")
            .expires(&server.days_ahead(91))
            .create();
    let dead = c
        .acme
        .token("dead")
        .expires(&server.days_ahead(200))
        .create();
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        dead.id
    ));
    // It has no end either.
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = NULL WHERE id = {}",
        personal.id
    ));
    server.set(LONGEST, "90");
    hours(&server, 3);
    let swept = run(&server, 0, 1_000, false);
    assert_eq!(swept.next, None);
    let told: Vec<(i64, &str, &str)> = swept
        .tokens
        .iter()
        .map(|token| (token.id, token.kind, token.full_path.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (personal.id, "personal", "frank"),
            (endless.id, "group", "acme/sub"),
            (beyond.id, "project", "acme/p1"),
        ]
    );
    assert!(edge.works().await);
    for token in [&personal, &endless, &beyond] {
        assert!(!token.works().await);
    }
    // As the Revoke button: the bots are gone with them, the person isn't.
    assert_eq!(
        server.count("users", "bot_gone_at IS NOT NULL AND kind <> 'human'"),
        2
    );
    c.frank.signs_in().await.get("/").await.expect(200);
}

async fn undoing_it_within_three_hours_prevents_it(server: TestServer) {
    let c = Company::on(&server);
    server.set("require_personal_access_token_expiry", "false");
    let token = c.acme.token("endless").create();
    server.set(LONGEST, "365");
    hours(&server, 1);
    server.set(LONGEST, "null");
    assert_eq!(pending(&server), None);
    hours(&server, 9);
    assert_eq!(run(&server, 0, 1_000, false), Sweep::default());
    assert!(token.works().await);
    assert_eq!(
        server.count("settings", &format!("key = '{LONGEST}.before'")),
        0
    );
}

async fn half_an_undo_is_still_a_lowering(server: TestServer) {
    let c = Company::on(&server);
    for days in [60, 120] {
        c.acme
            .token(&format!("{days} days"))
            .expires(&server.days_ahead(days))
            .create();
    }
    server.set(LONGEST, "365");
    server.set(LONGEST, "30");
    hours(&server, 1);
    server.set(LONGEST, "90");
    assert_eq!(pending(&server), Some(TimeDelta::hours(2)));
    hours(&server, 2);
    assert_eq!(names(&run(&server, 0, 1_000, false)), ["120 days"]);
}

async fn each_step_down_gives_the_full_time(server: TestServer) {
    server.set(LONGEST, "200");
    hours(&server, 2);
    server.set(LONGEST, "100");
    assert_eq!(pending(&server), Some(TimeDelta::hours(3)));
    server.set(LONGEST, "100");
    server.set("active_tokens_per_group", "7");
    assert_eq!(pending(&server), Some(TimeDelta::hours(3)));
    server.set(LONGEST, "365");
    assert_eq!(
        pending(&server),
        Some(TimeDelta::hours(3)),
        "there was no limit"
    );
    server.set(LONGEST, "");
    assert_eq!(pending(&server), None);
}

async fn the_setting_is_read_anew(server: TestServer) {
    let c = Company::on(&server);
    c.acme
        .token("long")
        .expires(&server.days_ahead(300))
        .create();
    server.set(LONGEST, "90");
    hours(&server, 3);
    // A caller that still holds the settings of yesterday.
    let swept = server.arrange_as(Actor::system(Origin::job()), |conn, ctx| {
        let mut policy = (*ctx.policy).clone();
        policy.settings.max_personal_access_token_lifetime = Some(365);
        let ctx = latchkey::context::Context {
            policy: policy.into(),
            ..ctx.clone()
        };
        sweep(conn, &ctx, (0, 1_000), false)
    });
    assert_eq!(names(&swept), ["long"]);
}

async fn a_dry_run_tells_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let token = c
        .acme
        .token("long")
        .expires(&server.days_ahead(300))
        .create();
    assert_eq!(run(&server, 0, 1_000, true), Sweep::default());
    server.set(LONGEST, "90");
    for _ in 0..2 {
        // Also before the time has come: that is when somebody wants to know.
        let swept = run(&server, 0, 1_000, true);
        assert_eq!(names(&swept), ["long"]);
        assert_eq!(
            swept.tokens[0].expires_at,
            server.days_ahead(300).parse().ok()
        );
    }
    hours(&server, 4);
    assert_eq!(names(&run(&server, 0, 1_000, true)), ["long"]);
    assert!(token.works().await);
    assert!(pending(&server).is_some());
    assert_eq!(
        server.count("audit_events", "event LIKE '%_revoked_by_policy'"),
        0
    );
}

async fn batches_go_on_where_the_last_one_ended(server: TestServer) {
    let c = Company::on(&server);
    for number in 0..7 {
        let place: &dyn Fn() -> crate::support::TestToken = &|| match number % 3 {
            0 => c.acme.token(&format!("t{number}")).create(),
            1 => c.other.token(&format!("t{number}")).create(),
            _ => c.p3.token(&format!("t{number}")).create(),
        };
        place();
    }
    server.set(LONGEST, "90");
    hours(&server, 3);
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let swept = run(&server, after, 3, false);
        assert!(swept.tokens.len() <= 3);
        all.extend(swept.tokens.iter().map(|token| token.name.clone()));
        match swept.next {
            Some(next) => after = next,
            None => break,
        }
        assert!(pending(&server).is_some(), "until the last batch");
    }
    assert_eq!(all, ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]);
    assert_eq!(pending(&server), None);
}

async fn the_trail_says_which_policy_and_who(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("long").create();
    c.p1.token("long").create();
    c.frank.personal_token([Scope::Api]);
    server.set(LONGEST, "90");
    hours(&server, 3);
    assert_eq!(run(&server, 0, 1_000, false).tokens.len(), 3);
    for (kind, group) in [("group", "acme"), ("project", "acme"), ("personal", "")] {
        let condition = format!(
            r#"event = '{kind}_access_token_revoked_by_policy' AND actor_kind = 'system' AND channel = 'job'
               AND target_kind = 'access_token' AND group_path = '{group}'
               AND details LIKE '%"{LONGEST}":90%'"#
        );
        assert_eq!(server.count("audit_events", &condition), 1, "{kind}");
    }
}

async fn it_is_done_once(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("long").create();
    server.set(LONGEST, "90");
    hours(&server, 3);
    assert_eq!(run(&server, 0, 1_000, false).tokens.len(), 1);
    assert_eq!(run(&server, 0, 1_000, false), Sweep::default());
    assert_eq!(pending(&server), None);
    // Raising it is no reason to look again.
    server.set(LONGEST, "100");
    assert_eq!(pending(&server), None);
}

async fn what_was_found_is_looked_at_again_before_it_is_revoked(server: TestServer) {
    let c = Company::on(&server);
    let shortened = c.acme.token("shortened").create();
    let moved = c.p1.token("moved").create();
    let undone = c.acme.token("undone").create();
    server.set(LONGEST, "90");
    hours(&server, 3);
    let ids = [shortened.id, moved.id, undone.id];
    let found = server.arrange(|conn, ctx| find_overlong(conn, ctx, 0, 1_000, false));
    assert_eq!(found.unwrap().ids, ids);
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{}' WHERE id = {}",
        server.days_ahead(7),
        shortened.id
    ));
    let take = |id: i64, last: bool| {
        server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
            enforce(conn, ctx, &[id], last, ctx.now).map(|swept| swept.len())
        })
    };
    assert_eq!(take(shortened.id, false), 0);
    assert_eq!(take(moved.id, false), 1);
    assert_eq!(take(moved.id, false), 0, "once");
    // Undone while the run goes on.
    server.set(LONGEST, "");
    assert_eq!(take(undone.id, true), 0);
    assert!(shortened.works().await && undone.works().await);
}

async fn whoever_loses_a_token_of_their_own_is_told_that_a_rule_took_it(server: TestServer) {
    let c = Company::on(&server);
    c.frank.personal_token([Scope::Api]);
    c.acme.token("ci").create();
    server.set(LONGEST, "90");
    hours(&server, 3);
    server.sql("DELETE FROM emails");
    let real = server.now();
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        // A run by hand that takes tomorrow for the present: the mail is due today.
        let mut ctx = ctx.clone();
        ctx.now += TimeDelta::days(1);
        let found = find_overlong(conn, &ctx, 0, 1_000, false)?.unwrap();
        enforce(conn, &ctx, &found.ids, true, real)
    });
    let mail = format!(
        "kind = 'personal_token_revoked' AND user_id = {} AND data LIKE '%\"by\":\"a rule of the instance\"%'
         AND data NOT LIKE '%administrator%' AND due_at <= '{}'",
        c.frank.id,
        real.format("%Y-%m-%d %H:%M:%S")
    );
    assert_eq!(server.count("emails", &mail), 1);
    assert_eq!(server.count("emails", ""), 1, "and no other");
}

async fn only_administrators_enforce(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("long").create();
    server.set(LONGEST, "90");
    hours(&server, 3);
    let id =
        server.arrange(|conn, ctx| Ok(find_overlong(conn, ctx, 0, 1_000, false)?.unwrap().ids[0]));
    for refused in [
        server.attempt_as(c.alice.actor(), |conn, ctx| {
            find_overlong(conn, ctx, 0, 1_000, false).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            tell_overlong(conn, ctx, &[id]).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            enforce(conn, ctx, &[id], true, ctx.now).map(|_| ())
        }),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    }
    assert_eq!(server.count("access_tokens", "revoked"), 0);
}
