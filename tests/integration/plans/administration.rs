//! What administrators look at: the whole instance.

use latchkey::access_tokens::TokenType;
use latchkey::access_tokens::list;
use latchkey::actor::Actor;
use latchkey::actor::Origin;
use latchkey::admin;
use latchkey::db::PageRequest;
use latchkey::members::AccessLevel;
use latchkey::sessions;
use latchkey::users;

use super::scene::{Scene, walks};
use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both!(
    lists_of_administrators_use_indexes,
    tokens_of_the_instance_are_found_through_indexes,
    what_the_overview_counts_has_an_end_or_an_index,
);

async fn lists_of_administrators_use_indexes(server: TestServer) {
    use admin::users::store::{Query, Sort, Tab};
    use latchkey::{groups::list as all_groups, projects::list as all_projects};
    let scene = Scene::on(&server);
    let request = PageRequest {
        page: 1,
        per_page: 50,
    };
    for number in 0..50 {
        let name = format!("person{number}");
        let person = server.person(&name).create();
        scene.acme.member(&person, AccessLevel::Guest);
        match number {
            0..3 => person.block(),
            3..6 => server.sql(&format!(
                "UPDATE users SET admin = TRUE, external = TRUE WHERE id = {}",
                person.id
            )),
            _ => {}
        }
    }
    let query = |tab, sort, search: &str| Query {
        tab,
        search: search.into(),
        sort,
        descending: true,
    };
    for tab in [
        Tab::Active,
        Tab::Admins,
        Tab::Blocked,
        Tab::External,
        Tab::Bots,
    ] {
        for (sort, search) in [
            (Sort::Created, ""),
            (Sort::Name, ""),
            (Sort::LastSignIn, ""),
            (Sort::Created, "person"),
        ] {
            let query = query(tab, sort, search);
            scene.assert_indexed(&format!("users, {query:?}"), |conn, _| {
                admin::users::store::list(conn, &query, request)
            });
        }
    }
    for (tab, index) in [
        (Tab::Admins, "users_admin"),
        (Tab::External, "users_external"),
    ] {
        let query = query(tab, Sort::Created, "");
        for query in scene.queries(|conn, _| admin::users::store::list(conn, &query, request)) {
            let plan = scene.plan(&query).join("\n");
            assert!(plan.contains(index), "{query}\n{plan}");
        }
    }
    for tab in [Tab::Active, Tab::Bots] {
        let query = query(tab, Sort::Created, "");
        scene.assert_unsorted("users", |conn, _| {
            admin::users::store::list(conn, &query, request)
        });
    }
    let (alice, acme, project) = (scene.alice.id, scene.acme.id, scene.project.id);
    scene.assert_indexed("what a person has", |conn, ctx| {
        admin::users::store::roles(conn, alice, request)?;
        admin::users::store::count_roles(conn, &[alice], ctx.today())?;
        admin::users::store::count_active_tokens(conn, alice, ctx.today())?;
        admin::users::store::count_bots_made_by(conn, alice)?;
        users::holdings::left_without_owner(conn, alice, ctx.today())?;
        users::holdings::owned_alone(conn, alice, ctx.today())?;
        sessions::store::living_of(conn, alice, ctx.now, &ctx.policy.settings, 50)
    });
    let root = || {
        let root = server.person(&format!("root{}", server.next()));
        root.admin().create().actor()
    };
    let newest = |without_owner| all_groups::Filter {
        order: all_groups::Order::Id,
        descending: true,
        without_owner,
        ..all_groups::Filter::default()
    };
    scene.assert_indexed("what stands beside groups and projects", |conn, ctx| {
        admin::places::store::owners_of(conn, &[acme], ctx.today())?;
        admin::places::store::people_in(conn, &[acme])?;
        admin::places::store::active_tokens_of_groups(conn, &[acme], ctx.today())?;
        admin::places::store::active_tokens_of_projects(conn, &[project], ctx.today())
    });
    // All of them are all of them; but a page comes from one end of the table, unsorted, and what decides about a
    // row is found by an index.
    let projects = all_projects::Filter {
        order: all_projects::Order::Id,
        ..all_projects::Filter::default()
    };
    let queries = scene.queries_of(root(), |conn, ctx| {
        all_groups::list_visible(conn, ctx, &newest(false), request)?;
        all_groups::list_visible(conn, ctx, &newest(true), request)?;
        all_projects::list_visible(conn, ctx, &projects, request)
    });
    for query in queries.iter().filter(|query| query.contains("ORDER BY")) {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        let sorts = text.contains("TEMP B-TREE") || text.contains("Sort");
        assert!(!sorts, "{query}\n{text}");
        let mut walks = walks(&plan, server.is_on_postgres());
        // Counting begins with any of them, and ends where nobody counts on.
        walks.retain(|table| !["groups", "projects", "roots"].contains(&table.as_str()));
        assert!(walks.is_empty(), "walks through {walks:?}\n{query}\n{text}");
    }
}

async fn tokens_of_the_instance_are_found_through_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    // SQLite takes any range of groups for some 25 of them: with no more than that in all, it would be right to walk.
    for number in 0..60 {
        let group = server.group(&format!("more{number}")).create();
        add_tokens(&server, &group, 20);
    }
    server.sql("ANALYZE");
    let request = PageRequest {
        page: 1,
        per_page: 100,
    };
    let (within, somebody) = (Some("1/".to_owned()), scene.alice.id);
    let day = "2026-12-01".parse().ok();
    let query = || list::Query {
        sort: list::Sort::Id,
        descending: true,
        ..list::Query::default()
    };
    let system = || Actor::system(Origin::console());
    for (what, user_id, query) in [
        ("of somebody", Some(somebody), query()),
        (
            "of groups below one",
            None,
            list::Query {
                token_type: Some(TokenType::Group),
                within: within.clone(),
                ..query()
            },
        ),
        (
            "of anything below one",
            None,
            list::Query {
                within: within.clone(),
                ..query()
            },
        ),
        (
            "of projects below one",
            None,
            list::Query {
                token_type: Some(TokenType::Project),
                within: within.clone(),
                ..query()
            },
        ),
        (
            "that end soon",
            None,
            list::Query {
                state: Some(list::State::Active),
                expires_before: day,
                ..query()
            },
        ),
    ] {
        let queries = scene.queries_of(system(), |conn, ctx| {
            list::of_instance(conn, ctx, user_id, &query, request)
        });
        for query in queries {
            let plan = scene.plan(&query);
            let walks = walks(&plan, server.is_on_postgres());
            assert!(
                walks.is_empty(),
                "{what} walks through {walks:?}\n{query}\n{}",
                plan.join("\n")
            );
        }
    }
    // All of them begin with the newest, which the table has in order.
    for query in scene.queries_of(system(), |conn, ctx| {
        list::of_instance(conn, ctx, None, &query(), request)
    }) {
        let text = scene.plan(&query).join("\n");
        assert!(
            !text.contains("TEMP B-TREE") && !text.contains("Sort"),
            "{query}\n{text}"
        );
    }
}

async fn what_the_overview_counts_has_an_end_or_an_index(server: TestServer) {
    let scene = Scene::on(&server);
    let queries = scene.queries(admin::store::count);
    assert!(queries.len() >= 7, "{queries:#?}");
    for query in queries {
        let plan = scene.plan(&query);
        let text = plan.join("\n");
        let bounded = query.contains("LIMIT");
        // PostgreSQL reads an index alone where a vacuum has been, which it hasn't in a test.
        if query.contains("GROUP BY") && server.is_on_postgres() {
            continue;
        }
        // Of an index that holds those who wait alone, all is to be read.
        let covered = [
            "COVERING INDEX",
            "Index Only Scan",
            "users_approval_requested_at",
        ]
        .iter()
        .any(|words| text.contains(words));
        let walks = walks(&plan, server.is_on_postgres());
        assert!(
            bounded || covered || walks.is_empty(),
            "walks through {walks:?}\n{query}\n{text}"
        );
        // Not from the accounts to the tokens.
        if query.contains("access_tokens") {
            assert!(!walks.contains(&"users".to_owned()), "{query}\n{text}");
        }
    }
}
