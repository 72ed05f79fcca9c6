//! Deleting people.

use std::fs;

use latchkey::{
    access_tokens::{
        Resource,
        create::{self, NewAccessToken},
        scope::Scope,
    },
    actor::{Actor, Origin},
    error::Error,
    members::AccessLevel,
    projects,
};
use serde_json::json;

use super::{delete, find, forbidden, ghost, is_for_administrators_and_about_people, told};
use crate::{
    on_both,
    support::{Api, Company, Person, TestResource, TestServer},
};

on_both![
    nothing_of_a_deleted_person_is_left_but_their_name_in_the_trail,
    what_they_made_elsewhere_belongs_to_the_ghost,
    the_tokens_that_they_made_for_groups_work_on,
    their_own_namespace_goes_with_all_that_is_in_it,
    name_and_address_are_free_and_open_nothing_of_the_old,
    only_administrators_delete_people_and_nobody_deletes_bots,
    nobody_deletes_themselves_or_the_last_administrator,
    the_last_owner_of_a_top_level_group_stays,
    who_does_not_count_as_an_owner_does_not_help,
    roles_that_leave_no_group_alone_do_not_matter,
    a_person_may_be_called_ghost,
    a_person_costs_the_same_however_much_they_have,
];

/// A project in a person's own namespace.
async fn own_project(person: &Person, path: &str) -> i64 {
    let api = person.api();
    let made = api.post("/projects", json!({ "path": path })).await;
    made.expect(201).json()["id"].as_i64().unwrap()
}

/// A token of a project: its bot's id, and the API called with it.
fn project_token(server: &TestServer, project_id: i64, maker: Actor) -> (i64, Api) {
    let new = NewAccessToken {
        name: "ci".into(),
        description: None,
        scopes: vec![Scope::Api],
        access_level: AccessLevel::Developer,
        expires_at: None,
    };
    let created = server.arrange_as(maker, move |conn, ctx| {
        let project = projects::store::find(conn, project_id)?.unwrap();
        create::create(conn, ctx, &Resource::Project(project), &new)?
    });
    let value = created.plaintext.expose();
    (created.listed.user.id, server.with_token(value))
}

/// Every column that refers to a user, as the migrations say: `(table, column)`.
fn references_to_users() -> Vec<(String, String)> {
    let folder = format!("{}/migrations/sqlite", env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for migration in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(migration.unwrap().path().join("up.sql")).unwrap();
        let mut table = "";
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("CREATE" | "ALTER"), Some("TABLE"), Some(name)) => table = name,
                (Some(column), ..) if line.contains("REFERENCES users") => {
                    assert!(!line.contains("ADD COLUMN"), "read the column's name here");
                    found.push((table.to_owned(), column.to_owned()));
                }
                _ => {}
            }
        }
    }
    found
}

async fn nothing_of_a_deleted_person_is_left_but_their_name_in_the_trail(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    company.p9.member(&company.frank, AccessLevel::Guest);
    let frank = &company.frank;
    let (id, token) = (frank.id, frank.personal_token([Scope::Api]));
    token.get("/user").await.expect(200);
    let browser = frank.signs_in().await;
    let notes = own_project(frank, "notes").await;
    project_token(&server, notes, frank.actor());
    company.acme.token("ci").made_by(frank).create();
    company
        .sub
        .subgroup("club")
        .create()
        .member(&company.erin, AccessLevel::Guest);
    server.sql(&format!(
        "UPDATE memberships SET created_by_id = {id} WHERE user_id = {}",
        company.erin.id
    ));
    company.acme.webhook("pager", "https://hooks.example.com/a");
    server.sql(&format!("UPDATE webhooks SET created_by_id = {id}"));
    server.sql(&format!(
        "INSERT INTO expiry_notices (token_id, interval_days, user_id, created_at) \
         SELECT min(id), 7, {id}, '2026-11-20 10:00:00' FROM access_tokens"
    ));
    server.sql(&format!(
        "INSERT INTO account_links (user_id, purpose, salt, digest, created_at, expires_at) \
         SELECT {id}, 'password_reset', digest, digest, '2026-11-20 10:00:00', '2026-11-20 12:00:00' \
         FROM access_tokens WHERE id = (SELECT min(id) FROM access_tokens)"
    ));
    server.rest().await;
    let references = references_to_users();
    assert_eq!(references.len(), 11, "{references:?}");
    let rows =
        |(table, column): &(String, String)| server.count(table, &format!("{column} = {id}"));
    for reference in &references {
        assert!(rows(reference) > 0, "the test has none of {reference:?}");
    }

    delete(&server, &company.root.actor(), id).unwrap();
    for reference in &references {
        assert_eq!(rows(reference), 0, "{reference:?}");
    }
    assert!(find(&server, id).is_none());
    assert_eq!(server.count("routes", "path_key LIKE 'frank%'"), 0);
    assert_eq!(server.count("groups", "path = 'frank'"), 0);
    token.get("/user").await.expect(401);
    assert!(!browser.get("/").await.text().contains("Sign out"));
    // Everybody else and everything else is as it was.
    let alice = company.alice.api();
    alice.get(&company.p1.path()).await.expect(200);
    assert_eq!(server.count("groups", "kind = 'group'"), 5);
    assert_eq!(server.count("projects", ""), 4);

    assert_eq!(told(&server, "user_created", id), 1);
    assert_eq!(told(&server, "user_deleted", id), 1);
    let line = format!(
        "event = 'user_deleted' AND target_name = 'frank' AND actor_id = {} AND details LIKE '%frank/notes%'",
        company.root.id
    );
    assert_eq!(server.count("audit_events", &line), 1);
    assert!(server.count("audit_events", &format!("actor_id = {id}")) > 0);
}

async fn what_they_made_elsewhere_belongs_to_the_ghost(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let body = json!({ "path": "lasting", "namespace_id": company.acme.id });
    let made = company.frank.api().post("/projects", body).await;
    let project = made.expect(201).json()["id"].as_i64().unwrap();
    let token = company.acme.token("ci").made_by(&company.frank).create();
    let project_bot = project_token(&server, project, company.frank.actor()).0;
    delete(&server, &company.root.actor(), company.frank.id).unwrap();
    let ghost = ghost(&server).id;
    let path = format!("/projects/{project}");
    let shown = company.alice.api().get(&path).await.expect(200).json();
    assert_eq!(shown["creator_id"], ghost);
    for bot in [token.user_id, project_bot] {
        assert_eq!(find(&server, bot).unwrap().created_by_id, Some(ghost));
        let condition = format!("user_id = {bot} AND created_by_id = {ghost}");
        assert_eq!(server.count("memberships", &condition), 1);
    }
    // Nobody signs in as the ghost, and nothing acts for it.
    let ghost = find(&server, ghost).unwrap();
    assert!(!ghost.is_human() && !ghost.admin);
    for secret in ["", "ghost"] {
        let answer = server.visitor().sign_in(&ghost.username, secret).await;
        assert_eq!(answer.status, 422);
    }
}

async fn the_tokens_that_they_made_for_groups_work_on(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let group_token = company.acme.token("ci").made_by(&company.frank).create();
    let (_, project_token) = project_token(&server, company.p1.id, company.frank.actor());
    delete(&server, &company.root.actor(), company.frank.id).unwrap();
    assert!(group_token.works().await);
    group_token.get(&company.acme.path()).await.expect(200);
    project_token.get(&company.p1.path()).await.expect(200);
    let list = format!("{}/access_tokens", company.acme.path());
    let listed = company.alice.api().get(&list).await.expect(200).json();
    assert_eq!(listed[0]["id"], group_token.id);
    let rotation = group_token.post("/personal_access_tokens/self/rotate", json!(null));
    rotation.await.expect(200);
}

async fn their_own_namespace_goes_with_all_that_is_in_it(server: TestServer) {
    let company = Company::on(&server);
    let notes = own_project(&company.frank, "notes").await;
    let kept = own_project(&company.alice, "notes").await;
    let (bot, token) = project_token(&server, notes, company.frank.actor());
    let (gone_bot, _) = project_token(&server, notes, company.frank.actor());
    server.sql(&format!(
        "UPDATE users SET bot_gone_at = created_at WHERE id = {gone_bot}"
    ));
    let (kept_bot, kept_token) = project_token(&server, kept, company.alice.actor());
    let of = |id: i64| format!("user_id = {id}");
    token.get("/user").await.expect(200);
    delete(&server, &company.root.actor(), company.frank.id).unwrap();

    token.get("/user").await.expect(401);
    for bot in [bot, gone_bot] {
        assert_eq!(server.count("users", &format!("id = {bot}")), 0);
        assert_eq!(server.count("memberships", &of(bot)), 0);
        assert_eq!(server.count("access_tokens", &of(bot)), 0);
    }
    let admin = company.root.api();
    admin.get(&format!("/projects/{notes}")).await.expect(404);
    admin.get("/projects/frank%2Fnotes").await.expect(404);
    admin.get(&format!("/projects/{kept}")).await.expect(200);
    kept_token.get("/user").await.expect(200);
    assert_eq!(server.count("memberships", &of(kept_bot)), 1);
}

async fn name_and_address_are_free_and_open_nothing_of_the_old(server: TestServer) {
    let company = Company::on(&server);
    let acme = &company.acme;
    acme.member(&company.frank, AccessLevel::Maintainer);
    let old_token = company.frank.api();
    let old_notes = own_project(&company.frank, "notes").await;
    let (_, old_project_token) = project_token(&server, old_notes, company.frank.actor());
    delete(&server, &company.root.actor(), company.frank.id).unwrap();

    let new = server.person("frank").create();
    assert_ne!(new.id, company.frank.id);
    assert_eq!(new.email, company.frank.email);
    let notes = own_project(&new, "notes").await;
    assert_ne!(notes, old_notes);
    old_token.get("/user").await.expect(401);
    old_project_token.get("/user").await.expect(401);
    new.api().get(&acme.path()).await.expect(404);
    new.api()
        .get(&format!("/projects/{notes}"))
        .await
        .expect(200);
    // A second time there is nobody: the id isn't used again.
    super::not_found(delete(&server, &company.root.actor(), company.frank.id));
}

async fn only_administrators_delete_people_and_nobody_deletes_bots(server: TestServer) {
    let company = Company::on(&server);
    is_for_administrators_and_about_people(&server, &company, |actor, id| {
        delete(&server, actor, id)
    });
    // Not even themselves.
    forbidden(
        delete(&server, &company.frank.actor(), company.frank.id),
        "",
    );
    // A blocked person is one, too.
    company.frank.block();
    delete(&server, &company.root.actor(), company.frank.id).unwrap();
}

async fn nobody_deletes_themselves_or_the_last_administrator(server: TestServer) {
    let root = server.person("root").admin().create();
    let ada = server.person("ada").admin().create();
    forbidden(
        delete(&server, &root.actor(), root.id),
        "You can't delete yourself",
    );
    ada.block();
    let system = Actor::system(Origin::console());
    forbidden(
        delete(&server, &system, root.id),
        "The last administrator can't be deleted",
    );
    assert!(find(&server, root.id).is_some());
    delete(&server, &root.actor(), ada.id).unwrap();
    let eve = server.person("eve").admin().create();
    delete(&server, &eve.actor(), root.id).unwrap();
    let late = delete(&server, &root.actor(), eve.id);
    assert!(matches!(late, Err(Error::Unauthenticated(_))), "{late:?}");
}

/// Whether a person is the last Owner of something, which the refusal names.
#[track_caller]
fn refused(server: &TestServer, admin: &Person, person: &Person) -> String {
    let before = server.inventory();
    match delete(server, &admin.actor(), person.id) {
        Err(Error::Conflict(why)) => {
            assert_eq!(server.inventory(), before);
            why
        }
        other => panic!("{other:?}"),
    }
}

async fn the_last_owner_of_a_top_level_group_stays(server: TestServer) {
    let company = Company::on(&server);
    let (root, alice) = (&company.root, &company.alice);
    assert_eq!(
        refused(&server, root, alice),
        "User cannot be removed: the last Owner of acme"
    );
    let beta = server.group("beta").owner(alice).create();
    assert_eq!(
        refused(&server, root, alice),
        "User cannot be removed: the last Owner of acme, beta"
    );
    // A blocked Owner is easily let in again; a deleted one isn't.
    alice.block();
    beta.member(&company.frank, AccessLevel::Owner);
    assert_eq!(
        refused(&server, root, alice),
        "User cannot be removed: the last Owner of acme"
    );
    company.acme.member(&company.frank, AccessLevel::Owner);
    delete(&server, &root.actor(), alice.id).unwrap();
    assert_eq!(
        refused(&server, root, &company.frank),
        "User cannot be removed: the last Owner of acme, beta"
    );
}

async fn who_does_not_count_as_an_owner_does_not_help(server: TestServer) {
    let company = Company::on(&server);
    let (root, alice) = (&company.root, &company.alice);
    // So that the bot's role has no end.
    server.retain_bots(true);
    let ends = server.days_ahead(400);
    company
        .acme
        .member_until(&company.frank, AccessLevel::Owner, &ends);
    company.acme.token("bot").role(AccessLevel::Owner).create();
    company.sub.member(&company.oscar, AccessLevel::Owner);
    company.acme.member(&company.xenia, AccessLevel::Owner);
    company.xenia.block();
    assert!(refused(&server, root, alice).ends_with("acme"));
    // Until the day comes, an Owner with an end is better than none.
    server.sql(
        "UPDATE memberships SET access_level = 40 WHERE access_level = 50 AND expires_at IS NULL",
    );
    assert!(refused(&server, root, &company.frank).ends_with("acme"));
}

async fn roles_that_leave_no_group_alone_do_not_matter(server: TestServer) {
    let company = Company::on(&server);
    let (root, frank) = (company.root.actor(), &company.frank);
    company.sub.member(frank, AccessLevel::Owner);
    company.p9.member(frank, AccessLevel::Owner);
    company.other.member(frank, AccessLevel::Maintainer);
    // It has no Owner at all, and loses none.
    let orphan = server.group("orphan").create();
    orphan.member(frank, AccessLevel::Maintainer);
    delete(&server, &root, frank.id).unwrap();

    // An Owner's time that has run out is nobody's any more.
    let gina = server.person("gina").create();
    let club = server.group("club").create();
    club.member_until(&gina, AccessLevel::Owner, &server.days_ahead(1));
    assert!(matches!(
        delete(&server, &root, gina.id),
        Err(Error::Conflict(_))
    ));
    server.clock.advance(chrono::TimeDelta::days(1));
    delete(&server, &root, gina.id).unwrap();
}

async fn a_person_may_be_called_ghost(server: TestServer) {
    let root = server.person("root").admin().create();
    let real = server.person("ghost").create();
    server.person("ghost1").create();
    let ghost = ghost(&server);
    assert_eq!(ghost.username, "ghost2");
    delete(&server, &root.actor(), real.id).unwrap();
    assert_eq!(super::ghost(&server).id, ghost.id);
    server.person("ghost").create();
}

async fn a_person_costs_the_same_however_much_they_have(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    ghost(&server);
    let mut costs = Vec::new();
    for (name, count) in [("few", 1), ("many", 12)] {
        let person = server.person(name).create();
        for number in 0..count {
            let acme = server
                .group(&format!("{name}{number}"))
                .owner(&alice)
                .create();
            acme.member(&person, AccessLevel::Owner);
            acme.token("ci").made_by(&person).create();
            person.personal_token([Scope::ReadUser]);
            person.signs_in().await;
            let project = own_project(&person, &format!("notes{number}")).await;
            project_token(&server, project, person.actor());
            project_token(&server, project, person.actor());
        }
        let app = server.app.clone();
        costs.push(server.arrange_as(root.actor(), move |conn, ctx| {
            let before = app.db.counters().queries();
            latchkey::users::delete::delete(conn, ctx, person.id)?;
            Ok(app.db.counters().queries() - before)
        }));
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0] <= 30, "{costs:?}");
}
