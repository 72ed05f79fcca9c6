//! What every request asks for.

use std::sync::Arc;

use latchkey::access_tokens::authenticate;
use latchkey::access_tokens::calendar;
use latchkey::access_tokens::create::{self, NewAccessToken};
use latchkey::access_tokens::list;
use latchkey::access_tokens::scope::Scope;
use latchkey::access_tokens::store as tokens;
use latchkey::context::Context;
use latchkey::db::DbConnection;
use latchkey::db::PageRequest;
use latchkey::error::Error;
use latchkey::groups::store as groups;
use latchkey::groups::store::GroupRef;
use latchkey::members;
use latchkey::members::AccessLevel;
use latchkey::projects::store as projects;
use latchkey::projects::store::ProjectRef;
use latchkey::settings;
use latchkey::users;
use latchkey::users::calendar_feed::reader::Reader;

use super::scene::{Scene, walks};
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both!(
    authentication_and_look_ups_use_indexes,
    sign_in_uses_indexes,
    lists_of_tokens_stay_within_their_group,
    lists_of_members_stay_within_their_group,
    calendars_start_from_people_and_their_groups,
    the_limit_of_a_group_is_counted_in_an_index_alone,
);

async fn authentication_and_look_ups_use_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    let (app, token, group, project) = (&server.app, &scene.token, &scene.deep, &scene.project);
    let digest = app.instance.token_key.digest(&token.value);
    scene.assert_indexed("authentication", |conn, ctx| {
        authenticate::find(conn, &digest, ctx.today()).map(|found| assert!(found.1.is_some()))
    });
    scene.assert_indexed("the revision of the settings", |conn, _| {
        settings::store::revision(conn)
    });
    scene.assert_indexed("a group by id", |conn, ctx| {
        groups::find_visible(conn, ctx, &GroupRef::Id(group.id))
    });
    scene.assert_indexed("a group by path", |conn, ctx| {
        groups::find_visible(conn, ctx, &GroupRef::Path(group.full_path.clone()))
    });
    scene.assert_indexed("a group with its projects", |conn, ctx| {
        groups::find_visible_with_projects(conn, ctx, &GroupRef::Id(group.id))
    });
    scene.assert_indexed("a project by id", |conn, ctx| {
        projects::find_visible(conn, ctx, &ProjectRef::Id(project.id))
    });
    scene.assert_indexed("a project by path", |conn, ctx| {
        projects::find_visible(conn, ctx, &ProjectRef::Path(project.full_path.clone()))
    });
    scene.assert_indexed("an actor, read anew", |conn, ctx| ctx.refreshed(conn));
    scene.assert_indexed("a user by name", |conn, _| {
        users::store::find_by_username(conn, "alice")
    });
}

async fn sign_in_uses_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    scene.assert_indexed("a login", |conn, _| {
        users::store::find_by_login(conn, "alice@example.com")
    });
    // The session store works inside of requests only; this is what it asks, in its own words.
    let placeholder = if server.is_on_postgres() { "$1" } else { "?" };
    let session = format!(
        "SELECT sessions.state, users.username, instance.settings_revision, memberships.access_level FROM sessions
         INNER JOIN users ON users.id = sessions.user_id INNER JOIN instance ON instance.id = 1
         LEFT OUTER JOIN memberships ON memberships.user_id = users.id WHERE sessions.id_digest = {placeholder}"
    );
    for query in [
        session,
        format!("DELETE FROM sessions WHERE user_id = {placeholder}"),
        format!("DELETE FROM sessions WHERE id_digest = {placeholder}"),
        format!("SELECT digest FROM used_form_nonces WHERE digest = {placeholder}"),
    ] {
        let plan = scene.plan(&query);
        let walks = walks(&plan, server.is_on_postgres());
        assert!(
            walks.is_empty(),
            "walks through {walks:?}\n{query}\n{}",
            plan.join("\n")
        );
    }
}

async fn lists_of_tokens_stay_within_their_group(server: TestServer) {
    let scene = Scene::on(&server);
    let resource = scene.acme.resource();
    let request = PageRequest {
        page: 1,
        per_page: 20,
    };
    let list = |query: list::Query| {
        let resource = resource.clone();
        move |conn: &mut DbConnection, ctx: &Context| {
            list::of_resource(conn, ctx, &resource, &query, request)
        }
    };
    for state in [None, Some(list::State::Active), Some(list::State::Inactive)] {
        let query = list::Query {
            state,
            members_only: true,
            ..list::Query::default()
        };
        scene.assert_indexed("a list of tokens", list(query.clone()));
        scene.assert_unsorted("a list of tokens", list(query.clone()));
        for sort in [
            list::Sort::Name,
            list::Sort::Expires,
            list::Sort::LastUsed,
            list::Sort::Role,
        ] {
            scene.assert_indexed(
                "a sorted list of tokens",
                list(list::Query {
                    sort,
                    ..query.clone()
                }),
            );
        }
        let search = Some("deploy".to_owned());
        scene.assert_indexed(
            "a searched list of tokens",
            list(list::Query { search, ..query }),
        );
    }
    scene.assert_indexed("one's own tokens", |conn, ctx| {
        list::personal(conn, ctx, &list::Query::default(), request)
    });
    scene.assert_indexed("one token", |conn, _| tokens::find(conn, scene.token.id));
}

async fn lists_of_members_stay_within_their_group(server: TestServer) {
    let scene = Scene::on(&server);
    for (resource, inherited) in [
        (scene.acme.resource(), false),
        (scene.deep.resource(), true),
        (scene.project.resource(), false),
        (scene.project.resource(), true),
    ] {
        let filter = members::list::Filter {
            inherited,
            ..members::list::Filter::default()
        };
        scene.assert_indexed(
            &format!("members, inherited ones: {inherited}"),
            |conn, ctx| members::list::list(conn, ctx, &resource, &filter, PageRequest::default()),
        );
    }
}

async fn calendars_start_from_people_and_their_groups(server: TestServer) {
    let scene = Scene::on(&server);
    let (alice, path) = (scene.alice.actor(), scene.acme.full_path.clone());
    let reader = |conn: &mut DbConnection, ctx: &Context| {
        let ctx = Context {
            actor: Arc::new(alice.clone()),
            ..ctx.clone()
        };
        let ctx = ctx.refreshed(conn)?;
        Ok::<_, Error>(Reader::signed_in(&ctx).expect("a person"))
    };
    scene.assert_indexed("a group's calendar", |conn, ctx| {
        let reader = reader(conn, ctx)?;
        calendar::of_group(conn, &reader, &path)
    });
    scene.assert_indexed("a person's calendar", |conn, ctx| {
        let reader = reader(conn, ctx)?;
        calendar::of_person(conn, &reader)
    });
}

/// Else each new token of a group would read all tokens that the group has ever had.
async fn the_limit_of_a_group_is_counted_in_an_index_alone(server: TestServer) {
    let scene = Scene::on(&server);
    for (resource, index) in [
        (scene.acme.resource(), "access_tokens_living_of_group"),
        (scene.project.resource(), "access_tokens_living_of_project"),
    ] {
        let new = NewAccessToken {
            name: "another".into(),
            description: None,
            scopes: vec![Scope::ReadApi],
            access_level: AccessLevel::Developer,
            expires_at: None,
        };
        let made = scene.queries(|conn, ctx| {
            let made = create::create(conn, ctx, &resource, &new)?;
            assert!(made.is_ok());
            Ok(())
        });
        let counts: Vec<&String> = made
            .iter()
            .filter(|query| query.contains("COUNT(*)"))
            .collect();
        assert_eq!(counts.len(), 1, "{made:#?}");
        let plan = scene.plan(counts[0]).join("\n");
        let alone = if server.is_on_postgres() {
            format!("Index Only Scan using {index}")
        } else {
            format!("USING COVERING INDEX {index}")
        };
        assert!(plan.contains(&alone), "{}\n{plan}", counts[0]);
    }
}
