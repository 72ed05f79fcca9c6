//! All tokens below a top-level group: however many there are, an index has them in order.

use chrono::NaiveDate;
use latchkey::access_tokens::inventory::{self, Cursor, Part};
use latchkey::access_tokens::query::{Query, State};
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::scene::{Scene, walks};
use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both!(the_inventory_is_read_from_an_index_in_order);

async fn the_inventory_is_read_from_an_index_in_order(server: TestServer) {
    let scene = Scene::on(&server);
    for number in 0..40 {
        let project = scene.acme.project(&format!("p{number}")).create();
        project.token("ci").create();
    }
    add_tokens(&server, &scene.deep, 1_000);
    server.sql("UPDATE access_tokens SET expires_at = NULL WHERE name LIKE 'deploy %7'");
    server.sql("ANALYZE");
    let day: NaiveDate = "2027-06-30".parse().unwrap();
    let active = |descending| Query {
        state: Some(State::Active),
        descending,
        ..Query::default()
    };
    let narrowed = Query {
        search: Some("deploy".into()),
        access_level: Some(AccessLevel::Developer),
        scope: Some(Scope::Api),
        unused_since: Some(scene.server.now()),
        expires_before: Some(day),
        ..active(false)
    };
    let ended = Query {
        state: Some(State::Inactive),
        ..Query::default()
    };
    let root = scene.acme.id;
    for (query, index) in [
        (active(false), "access_tokens_root"),
        (active(true), "access_tokens_root"),
        (narrowed, "access_tokens_root"),
        (Query::default(), "access_tokens_below"),
        (ended, "access_tokens_below"),
    ] {
        let by_end = query.state == Some(State::Active);
        let cursors = if by_end {
            vec![Cursor::Dated(day, 700), Cursor::Undated(700)]
        } else {
            vec![Cursor::Numbered(700)]
        };
        let parts = cursors
            .into_iter()
            .flat_map(|cursor| [Part::After(cursor), Part::Before(cursor)])
            .chain([Part::First]);
        for part in parts {
            let sent = scene.queries(|conn, ctx| {
                let root = latchkey::groups::store::find(conn, root)?.unwrap();
                inventory::list(conn, ctx, &root, &query, part, 5_000)
            });
            let lists: Vec<&String> = sent
                .iter()
                .filter(|query| query.contains("ORDER BY"))
                .collect();
            let dated_alone = query.expires_before.is_some();
            let least = usize::from(!dated_alone);
            assert!((least..=2).contains(&lists.len()), "{part:?}: {sent:#?}");
            for list in lists {
                let plan = scene.plan(list);
                let text = plan.join("\n");
                let walks = walks(&plan, server.is_on_postgres());
                assert!(
                    walks.is_empty(),
                    "{part:?} walks through {walks:?}\n{list}\n{text}"
                );
                assert!(
                    !text.contains("TEMP B-TREE") && !text.contains("Sort"),
                    "{part:?} is sorted\n{list}\n{text}"
                );
                assert!(
                    text.contains(index),
                    "{part:?} has no index\n{list}\n{text}"
                );
            }
        }
    }
    let ids = [scene.token.id, 700];
    scene.assert_indexed("tokens that were ticked", |conn, ctx| {
        let root = latchkey::groups::store::find(conn, root)?.unwrap();
        inventory::by_ids(conn, ctx, &root, &ids)
    });
}
