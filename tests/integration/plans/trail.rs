//! The trail.

use std::sync::Mutex;

use latchkey::actor::Actor;
use latchkey::actor::Declared;
use latchkey::actor::Origin;
use latchkey::audit;
use latchkey::audit::Event;
use latchkey::audit::Target;
use latchkey::audit::list as trail;
use latchkey::audit::list::Part;
use latchkey::audit::scope::Scope;

use super::scene::{Scene, walks};
use crate::on_both;
use crate::support::TestServer;

on_both!(
    the_trail_is_read_in_order_whatever_is_looked_for,
    an_export_of_a_group_goes_through_the_trail_in_windows,
);

async fn the_trail_is_read_in_order_whatever_is_looked_for(server: TestServer) {
    let scene = Scene::on(&server);
    // Much of it below one top-level group.
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name,
             group_traversal, group_path)
         SELECT u.created_at, 'project_created', 'human', 'Somebody', 'page', 'project', u.username, g.traversal, g.full_path
         FROM users u JOIN groups g ON g.id = {}",
        scene.acme.id
    ));
    server.sql("ANALYZE");
    let at = scene.server.now().timestamp_millis();
    let last = server.count("audit_events", "");
    let mark = |id: i64| trail::Mark::parse(&format!("{at}.{id}")).unwrap();
    let asked = |change: fn(&mut trail::Asked)| {
        let mut asked = trail::Asked::default();
        change(&mut asked);
        asked
    };
    let system = || Actor::system(Origin::console());
    for (what, asked, sorted) in [
        ("everything", asked(|_| ()), false),
        (
            "an event",
            asked(|a| a.event = "group_created".into()),
            false,
        ),
        ("somebody", asked(|a| a.actor = "7".into()), false),
        ("a name", asked(|a| a.actor = "Somebody".into()), false),
        ("a target", asked(|a| a.target = "7".into()), false),
        ("a target by name", asked(|a| a.target = "ci".into()), false),
        (
            "a kind of target",
            asked(|a| a.target_kind = "group".into()),
            false,
        ),
        ("a channel", asked(|a| a.channel = "page".into()), false),
        ("strangers", asked(|a| a.actor = "anonymous".into()), false),
        (
            "some days",
            asked(|a| (a.since, a.until) = ("2026-11-01".into(), "2026-11-20".into())),
            false,
        ),
        (
            "a top-level group and what is below it",
            asked(|a| a.group = "acme".into()),
            false,
        ),
        (
            "a subgroup and what is below it",
            asked(|a| a.group = "acme/sub".into()),
            true,
        ),
        (
            "one token below a top-level group",
            asked(|a| (a.group, a.target) = ("acme".into(), "7".into())),
            false,
        ),
    ] {
        let queries = scene.queries_of(system(), |conn, ctx| {
            let filter = asked.resolve(conn)?;
            for part in [
                Part::Newest,
                Part::OlderThan(mark(last)),
                Part::NewerThan(mark(last / 2)),
            ] {
                trail::of_instance(conn, ctx, &filter, part, 50)?;
            }
            Ok(())
        });
        let reading: Vec<&String> = queries
            .iter()
            .filter(|query| query.contains("ORDER BY") && query.contains("audit_events"))
            .collect();
        assert_eq!(reading.len(), 3, "{what}: {queries:#?}");
        for query in reading {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let sorts = text.contains("TEMP B-TREE") || text.contains("Sort");
            assert!(sorted || !sorts, "{what} is sorted\n{query}\n{text}");
            // With few rows PostgreSQL may take them in order of time as well.
            let index = match what {
                _ if server.is_on_postgres() => "audit_events_",
                "a kind of target" => "audit_events_target_kind",
                "a channel" => "audit_events_channel",
                "strangers" => "audit_events_actor_name",
                "a top-level group and what is below it" => "audit_events_root",
                "one token below a top-level group" => "audit_events_target_id",
                _ => "audit_events_",
            };
            assert!(text.contains(index), "{what} has no index\n{query}\n{text}");
        }
    }
    for actor in [
        scene.alice.actor(),
        Actor::anonymous(Origin::console(), Declared::Everything),
    ] {
        let queries = scene.queries_of(actor, |conn, ctx| {
            audit::record_refusal(
                conn,
                ctx,
                Event::new("user_sign_in_failed", Target::Instance),
            )
        });
        for query in queries.iter().filter(|query| query.starts_with("SELECT")) {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let index = if query.contains("IS NOT NULL") {
                "audit_events_of_strangers"
            } else {
                "audit_events_refusal"
            };
            assert!(text.contains(index), "{query}\n{text}");
            assert!(
                walks(&plan, server.is_on_postgres()).is_empty(),
                "{query}\n{text}"
            );
        }
    }
}

async fn an_export_of_a_group_goes_through_the_trail_in_windows(server: TestServer) {
    let scene = Scene::on(&server);
    let at = "2026-11-01 10:00:00";
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name)
         SELECT '{at}', 'user_signed_in', 'human', 'Somebody', 'page', 'user', u.username
         FROM users u, (SELECT id FROM users ORDER BY id LIMIT 10) AS ten"
    ));
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name,
             group_traversal, group_path)
         SELECT '2026-10-01 10:00:00', 'group_created', 'human', 'Somebody', 'page', 'group', 'long ago',
             traversal, full_path FROM groups WHERE id = {}",
        scene.acme.id
    ));
    server.sql("ANALYZE");
    assert!(server.count("audit_events", "") > 45_000);
    let asked = trail::Asked {
        group: "acme".into(),
        ..trail::Asked::default()
    };
    let text = Mutex::new(String::new());
    let queries = scene.queries_of(Actor::system(Origin::console()), |conn, ctx| {
        let mut export = audit::export::begin(
            conn,
            ctx,
            &Scope::Instance,
            &asked,
            audit::export::Format::JsonLines,
        )?;
        while let Some(piece) = export.next(conn, ctx)? {
            text.lock()
                .unwrap()
                .push_str(&String::from_utf8(piece).unwrap());
        }
        Ok(())
    });
    let lines = text.lock().unwrap().lines().count();
    let there = server.count(
        "audit_events",
        "group_path = 'acme' OR group_path LIKE 'acme/%'",
    );
    assert_eq!(i64::try_from(lines).unwrap(), there);
    let reading: Vec<&String> = queries
        .iter()
        .filter(|query| query.contains("ORDER BY") && query.contains("group_traversal"))
        .collect();
    assert!(reading.len() >= 3, "{queries:#?}");
    // The last window ends where the trail does.
    for query in &reading[..reading.len() - 1] {
        assert!(
            query.contains("created_at` >=") || query.contains("created_at\" >="),
            "{query}"
        );
        let plan = scene.plan(query).join("\n");
        assert!(plan.contains("audit_events_time"), "{query}\n{plan}");
    }
}
