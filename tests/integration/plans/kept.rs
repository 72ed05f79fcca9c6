//! What PostgreSQL plans once, though the values change: planning takes several times as long as reading a page.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use latchkey::access_tokens::list::{self, State};
use latchkey::access_tokens::statistics;
use latchkey::db::{DbConnection, PageRequest};

use super::scene::Scene;
use crate::on_postgres;
use crate::support::{TestResource, TestServer};

on_postgres!(
    the_list_of_a_group_is_planned_once,
    the_numbers_at_the_top_of_a_group_are_planned_once,
);

#[derive(QueryableByName)]
struct Plans {
    #[diesel(sql_type = BigInt)]
    generic: i64,
    #[diesel(sql_type = BigInt)]
    custom: i64,
}

/// How often the statements with this word in them were planned without their values, and with them.
fn plans(conn: &mut DbConnection, word: &str) -> (i64, i64) {
    let DbConnection::Postgres(conn) = conn else {
        panic!("PostgreSQL alone tells");
    };
    let all = format!(
        "SELECT CAST(sum(generic_plans) AS BIGINT) AS generic, CAST(sum(custom_plans) AS BIGINT) AS custom
               FROM pg_prepared_statements WHERE statement LIKE '%{word}%'"
    );
    let plans: Plans = sql_query(all).get_result(conn).unwrap();
    (plans.generic, plans.custom)
}

async fn the_list_of_a_group_is_planned_once(server: TestServer) {
    let scene = Scene::on(&server);
    // A group with fewer tokens than most.
    let small = server.group("small").owner(&scene.alice).create();
    small.token("ci").create();
    server.sql("ANALYZE");
    let resource = small.resource();
    for (page, state) in [
        (
            PageRequest {
                page: 1,
                per_page: 20,
            },
            None,
        ),
        (
            PageRequest {
                page: 1,
                per_page: 100,
            },
            Some(State::Active),
        ),
    ] {
        let query = list::Query {
            state,
            members_only: state.is_none(),
            ..list::Query::default()
        };
        scene.queries(|conn, ctx| {
            // PostgreSQL looks at the values five times before it decides.
            for _ in 0..6 {
                list::of_resource(conn, ctx, &resource, &query, page)?;
            }
            assert_eq!(plans(conn, "access_token_uses"), (1, 5), "{state:?}");
            Ok(())
        });
    }
}

async fn the_numbers_at_the_top_of_a_group_are_planned_once(server: TestServer) {
    let scene = Scene::on(&server);
    let small = server.group("small").owner(&scene.alice).create();
    small.token("ci").create();
    server.sql("ANALYZE");
    scene.queries(|conn, ctx| {
        for _ in 0..6 {
            statistics::of_group(conn, ctx, &small.full_path)?;
        }
        assert_eq!(plans(conn, "counted"), (1, 5), "of a group");
        Ok(())
    });
    scene.queries(|conn, ctx| {
        for _ in 0..6 {
            statistics::of_person(conn, ctx, scene.alice.id)?;
        }
        assert_eq!(plans(conn, "counted"), (1, 5), "of a person");
        Ok(())
    });
}
