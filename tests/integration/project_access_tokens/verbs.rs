//! Who may do what with the tokens of a project, asked of the verbs themselves.

use latchkey::access_tokens::create::{self, NewAccessToken};
use latchkey::access_tokens::grace::Grace;
use latchkey::access_tokens::list::{self, Query};
use latchkey::access_tokens::rotate::{self, NewExpiry, Rotation};
use latchkey::access_tokens::{revoke, scope::Scope};
use latchkey::actor::{Actor, Channel, Origin};
use latchkey::db::PageRequest;
use latchkey::error::Error;
use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{Person, TestProject, TestResource, TestServer};

on_both![
    each_role_may_do_what_its_row_says,
    a_maintainer_gives_away_no_more_than_their_own_role,
    the_switch_of_the_root_group_governs_projects_too,
    in_a_persons_own_namespace_creation_is_always_allowed,
    a_bot_of_the_project_looks_after_its_siblings_and_makes_none,
];

/// As the API does when nothing is asked for.
const AS_THE_API: Rotation = Rotation {
    expiry: NewExpiry::ApiDefault,
    grace: Grace::NONE,
};

/// Somebody at a page: the console's exception doesn't hold for them.
fn at_a_page(person: &Person) -> Actor {
    let origin = Origin {
        channel: Channel::Page,
        ..Origin::console()
    };
    Actor {
        origin,
        ..person.actor()
    }
}

fn wanted(level: AccessLevel) -> NewAccessToken {
    NewAccessToken {
        name: "ci".into(),
        description: None,
        scopes: vec![Scope::Api],
        access_level: level,
        expires_at: None,
    }
}

fn create(project: &TestProject, actor: Actor, level: AccessLevel) -> Result<(), Error> {
    let resource = project.resource();
    project
        .server()
        .attempt_as(actor, move |conn, ctx| {
            create::create(conn, ctx, &resource, &wanted(level))
        })
        .and_then(|outcome| outcome.map(|_| ()))
}

/// What of list, create, rotate and revoke this actor may, in this order.
fn rights(project: &TestProject, actor: &Actor) -> [bool; 4] {
    let server = project.server();
    let resource = project.resource();
    let sees = server.attempt_as(actor.clone(), move |conn, ctx| {
        let ctx = ctx.refreshed(conn)?;
        list::of_resource(
            conn,
            &ctx,
            &resource,
            &Query::default(),
            PageRequest::default(),
        )
    });
    let creates = create(project, actor.clone(), AccessLevel::Guest);
    let (resource, old) = (
        project.resource(),
        project.token("old").role(AccessLevel::Guest).create(),
    );
    let rotates = server.attempt_as(actor.clone(), move |conn, ctx| {
        rotate::rotate(conn, ctx, &resource, old.id, AS_THE_API)
    });
    let (resource, doomed) = (
        project.resource(),
        project.token("doomed").role(AccessLevel::Guest).create(),
    );
    let revokes = server.attempt_as(actor.clone(), move |conn, ctx| {
        revoke::revoke(conn, ctx, &resource, doomed.id, false)
    });
    [
        sees.is_ok(),
        creates.is_ok(),
        rotates.is_ok(),
        revokes.is_ok(),
    ]
}

async fn each_role_may_do_what_its_row_says(server: TestServer) {
    let owner = server.person("owner").create();
    let acme = server.group("acme").owner(&owner).create();
    let api = acme.project("api").create();
    for level in AccessLevel::ALL {
        let manages = level >= AccessLevel::Maintainer;
        for inherited in [false, true] {
            let name = format!("{}-{inherited}", level.lower_name());
            let person = server.person(&name).create();
            if inherited {
                acme.member(&person, level);
            } else {
                api.member(&person, level);
            }
            assert_eq!(rights(&api, &at_a_page(&person)), [manages; 4], "{name}");
        }
    }
    let root = server.person("root").admin().create();
    assert_eq!(rights(&api, &at_a_page(&root)), [true; 4]);
    let stranger = server.person("stranger").create();
    assert_eq!(rights(&api, &at_a_page(&stranger)), [false; 4]);
}

async fn a_maintainer_gives_away_no_more_than_their_own_role(server: TestServer) {
    let (owner, max) = (
        server.person("owner").create(),
        server.person("max").create(),
    );
    let api = server
        .group("acme")
        .owner(&owner)
        .create()
        .project("api")
        .create();
    api.member(&max, AccessLevel::Maintainer);
    for level in AccessLevel::ALL {
        let outcome = create(&api, at_a_page(&max), level);
        if level <= AccessLevel::Maintainer {
            assert!(outcome.is_ok(), "{level}");
        } else {
            let refusal = outcome.unwrap_err().to_string();
            assert_eq!(
                refusal,
                "Could not provision owner access to project access token"
            );
        }
        assert!(create(&api, at_a_page(&owner), level).is_ok(), "{level}");
    }
    let above = api.token("above").role(AccessLevel::Owner).create();
    let resource = api.resource();
    let refusal = server
        .attempt_as(at_a_page(&max), move |conn, ctx| {
            rotate::rotate(conn, ctx, &resource, above.id, AS_THE_API)
        })
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Not eligible to rotate token with access level higher than the user"
    );
}

async fn the_switch_of_the_root_group_governs_projects_too(server: TestServer) {
    let owner = server.person("owner").create();
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&owner).create();
    let api = acme.subgroup("platform").create().project("api").create();
    acme.allow_creation(false);
    for person in [&owner, &root] {
        assert_eq!(rights(&api, &at_a_page(person)), [true, false, false, true]);
        let refusal = create(&api, at_a_page(person), AccessLevel::Guest).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "User does not have permission to create project access token"
        );
    }
    acme.allow_creation(true);
    assert_eq!(rights(&api, &at_a_page(&owner)), [true; 4]);
}

async fn in_a_persons_own_namespace_creation_is_always_allowed(server: TestServer) {
    let alice = server.person("alice").create();
    let notes = alice
        .api()
        .post("/projects", serde_json::json!({ "path": "notes" }))
        .await
        .expect(201)
        .json();
    let id = notes["id"].as_i64().unwrap();
    let resource = server.arrange(move |conn, _| {
        let project = latchkey::projects::store::find(conn, id)?;
        Ok(latchkey::access_tokens::Resource::Project(project.unwrap()))
    });
    let made = server.attempt_as(at_a_page(&alice), move |conn, ctx| {
        create::create(conn, ctx, &resource, &wanted(AccessLevel::Owner))
    });
    assert!(made.unwrap().is_ok());
}

async fn a_bot_of_the_project_looks_after_its_siblings_and_makes_none(server: TestServer) {
    let owner = server.person("owner").create();
    let acme = server.group("acme").owner(&owner).create();
    let (api, web) = (acme.project("api").create(), acme.project("web").create());
    for (level, manages) in [
        (AccessLevel::Developer, false),
        (AccessLevel::Maintainer, true),
    ] {
        let token = api.token("bot").role(level).create();
        let bot = server.arrange(move |conn, _| latchkey::users::store::find(conn, token.user_id));
        let actor = Actor {
            user: bot,
            ..at_a_page(&owner)
        };
        assert_eq!(
            rights(&api, &actor),
            [manages, false, false, manages],
            "{level}"
        );
        assert_eq!(rights(&web, &actor), [false; 4], "{level}");
    }
}
