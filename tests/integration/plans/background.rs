//! What the server asks by itself.

use latchkey::access_tokens::attention;
use latchkey::access_tokens::census;
use latchkey::access_tokens::lifetime;
use latchkey::access_tokens::unused;
use latchkey::actor::Actor;
use latchkey::actor::Origin;
use latchkey::bots::retention;
use latchkey::jobs;
use latchkey::mail;
use latchkey::members::AccessLevel;
use latchkey::notices::check;
use latchkey::webhooks;
use regex::Regex;

use super::scene::{Scene, walks};
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both!(
    metrics_use_indexes,
    the_expiry_check_goes_on_where_it_was,
    what_somebody_looks_after_is_found_from_their_memberships,
    what_a_setting_does_not_allow_is_looked_for_in_windows,
);

async fn metrics_use_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    for (job, outcome) in [("clean-up", "done"), ("expiry-check", "failed")] {
        server.sql(&format!(
            "INSERT INTO job_runs (job, holder, cause, as_of, outcome, started_at, finished_at)
             SELECT '{job}', 'node', 'schedule', created_at, '{outcome}', created_at, created_at FROM users"
        ));
    }
    for (state, settled) in [("waiting", "NULL"), ("sent", "created_at")] {
        server.sql(&format!(
            "INSERT INTO emails (key, kind, user_id, state, due_at, created_at, settled_at)
             SELECT '{state}' || id, 'test', id, '{state}', created_at, created_at, {settled} FROM users"
        ));
    }
    let hook = scene.acme.webhook("pager", "https://hook.example.com/");
    for (state, settled) in [("waiting", "NULL"), ("delivered", "created_at")] {
        server.sql(&format!(
            "INSERT INTO webhook_deliveries (webhook_id, event, event_uuid, message_id, body, state, due_at, created_at, settled_at)
             SELECT {}, 'test', 'x', 'x', '', '{state}', created_at, created_at, {settled} FROM users",
            hook.id
        ));
    }
    server.sql("ANALYZE");
    scene.assert_indexed("tokens that end next", |conn, ctx| {
        census::next_to_end(conn, ctx.today(), 100)
    });
    scene.assert_unsorted("tokens that end next", |conn, ctx| {
        census::next_to_end(conn, ctx.today(), 100)
    });
    scene.assert_indexed("how the jobs are", |conn, ctx| {
        jobs::health::of_all(conn, ctx.now)
    });
    scene.assert_indexed("mails by state", |conn, _| mail::census::count_all(conn));
    // From the beginning of an index that has no others.
    for query in scene.queries(|conn, _| mail::outbox::unsent(conn, 50)) {
        let plan = scene.plan(&query).join("\n");
        assert!(plan.contains("emails_unsent"), "{query}\n{plan}");
    }
    scene.assert_unsorted("mails that were not sent", |conn, _| {
        mail::outbox::unsent(conn, 50)
    });
    scene.assert_indexed("mails that were refused", |conn, _| {
        mail::outbox::refused(conn, 5)
    });
    scene.assert_unsorted("mails that were refused", |conn, _| {
        mail::outbox::refused(conn, 5)
    });
    scene.assert_indexed("deliveries by state", |conn, _| {
        webhooks::census::count_all(conn)
    });
    scene.assert_indexed("tokens by kind and state", |conn, ctx| {
        census::count_all(conn, ctx.now)
    });
    // What is counted is read from the index, without a look at the rows.
    let queries = scene.queries(|conn, ctx| {
        mail::census::count_all(conn)?;
        webhooks::census::count_all(conn)?;
        census::count_all(conn, ctx.now)
    });
    assert_eq!(queries.len(), 17);
    for query in queries.iter().filter(|query| !query.contains("users")) {
        let plan = scene.plan(query).join("\n");
        // Few rows: those of a week at the most.
        if query.contains("grace_until") {
            assert!(plan.contains("access_tokens_grace"), "{query}\n{plan}");
            continue;
        }
        let alone = plan.contains("COVERING INDEX") || plan.contains("Index Only Scan");
        assert!(alone, "{query}\n{plan}");
    }
}

async fn the_expiry_check_goes_on_where_it_was(server: TestServer) {
    let scene = Scene::on(&server);
    // More than two batches that end on one day.
    server.sql("UPDATE access_tokens SET expires_at = '2026-11-25'");
    server.sql("ANALYZE");
    let queries = scene.queries(|conn, ctx| {
        let mut cursor = Some(check::Cursor::start());
        while let Some(at) = cursor {
            cursor = check::step(conn, ctx, ctx.now, at)?.next;
        }
        Ok(())
    });
    let looking: Vec<&String> = queries
        .iter()
        .filter(|query| query.starts_with("SELECT") && query.contains("ORDER BY"))
        .filter(|query| !query.contains("FROM `webhooks`") && !query.contains("FROM \"webhooks\""))
        .collect();
    assert!(looking.len() > 5, "{queries:#?}");
    for query in looking {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        assert!(
            walks(&plan, server.is_on_postgres()).is_empty(),
            "{query}\n{text}"
        );
        assert!(
            !text.contains("TEMP B-TREE") && !text.contains("Sort"),
            "sorts what an index has in order\n{query}\n{text}"
        );
        let behind = ["`access_tokens`.`id` >", "\"access_tokens\".\"id\" >"];
        if behind.iter().any(|words| query.contains(words)) {
            let goes_on = text.contains("rowid>?") || text.contains("(id > $");
            assert!(goes_on, "begins at the beginning\n{query}\n{text}");
        }
    }
}

async fn what_somebody_looks_after_is_found_from_their_memberships(server: TestServer) {
    let scene = Scene::on(&server);
    let maintainer = server.person("maintainer").create();
    scene.project.member(&scene.alice, AccessLevel::Maintainer);
    scene.project.member(&maintainer, AccessLevel::Maintainer);
    let (alice, maintainer) = (scene.alice.id, maintainer.id);
    let queries = scene.queries(|conn, ctx| {
        attention::of_actor(conn, ctx)?;
        attention::unused_of(conn, ctx, alice, 51)?;
        attention::who_has_unused(conn, ctx, &[alice, maintainer])
    });
    let of_tokens: Vec<&String> = queries
        .iter()
        .filter(|query| query.contains("access_tokens"))
        .collect();
    assert_eq!(of_tokens.len(), 4, "{queries:#?}");
    for statistics in [true, false] {
        if !statistics && !server.is_on_postgres() {
            server.sql("DELETE FROM sqlite_stat1");
        }
        for query in &queries {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let mut walks = walks(&plan, server.is_on_postgres());
            // Of the eight projects that there are, PostgreSQL may look at all to find some by their ids.
            if query.contains("\"projects\".\"id\" = ANY") {
                walks.retain(|table| table != "projects");
            }
            // A part of the query that has a limit of its own.
            walks.retain(|table| table != "nested");
            assert!(walks.is_empty(), "walks through {walks:?}\n{query}\n{text}");
            if query.contains("access_tokens") {
                let has = |index: &str| text.contains(&format!("access_tokens_{index}"));
                assert!(
                    has("group") && has("project"),
                    "not from the place\n{query}\n{text}"
                );
                assert!(
                    has("root") || !query.contains("root_id` =") && !query.contains("root_id\" ="),
                    "not by the ends below a root\n{query}\n{text}"
                );
                assert!(
                    !has("state") && !has("expires_at"),
                    "all active tokens\n{query}\n{text}"
                );
            }
        }
    }
}

async fn what_a_setting_does_not_allow_is_looked_for_in_windows(server: TestServer) {
    let scene = Scene::on(&server);
    server.set("revoke_unused_tokens_after_days", "60");
    server.set("max_personal_access_token_lifetime", "30");
    let queries = scene.queries_of(Actor::system(Origin::job()), |conn, ctx| {
        unused::find_unused(conn, ctx, 100, 50)?;
        lifetime::find_overlong(conn, ctx, 100, 50, true)?;
        retention::find_inactive(conn, ctx, 100, 50)
    });
    let ends = if server.is_on_postgres() {
        ["\"access_tokens\".\"id\" <=", "\"users\".\"id\" <="]
    } else {
        ["`access_tokens`.`id` <=", "`users`.`id` <="]
    };
    let windows: Vec<&String> = queries
        .iter()
        .filter(|query| ends.iter().any(|end| query.contains(end)))
        .collect();
    assert_eq!(windows.len(), 3, "{queries:#?}");
    for query in windows {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        assert!(
            walks(&plan, server.is_on_postgres()).is_empty(),
            "{query}\n{text}"
        );
        let within = ["rowid>? AND rowid<?", "id>? AND id<?"];
        let within = within.iter().any(|range| text.contains(range))
            || Regex::new(r"\(id > \$\d+\) AND \(id <= \$\d+\)")
                .unwrap()
                .is_match(&text);
        assert!(within, "more than the window\n{query}\n{text}");
    }
}
