//! What happens while somebody is being deleted: it came before, or it comes too late; never half of it.

use std::{sync::mpsc, thread, time::Duration};

use latchkey::{
    access_tokens::{
        create::{self, NewAccessToken},
        scope::Scope,
    },
    actor::Actor,
    context::Context,
    db::DbConnection,
    error::Error,
    groups::{self, create::NewGroupForm},
    members::{self, AccessLevel},
};
use serde_json::json;

use super::{delete, find};
use crate::{
    on_both,
    support::{Company, TestResource, TestServer},
};

on_both![
    of_two_owners_one_stays_whoever_is_quicker,
    a_demotion_that_came_first_is_seen,
    a_group_that_was_founded_meanwhile_is_seen,
    a_role_that_was_given_meanwhile_is_seen,
    a_role_that_was_given_at_the_last_moment_counts_for_others,
    a_token_that_was_made_meanwhile_belongs_to_the_ghost,
    a_request_that_was_under_way_finds_its_person_gone,
    two_deletions_at_once_make_one_ghost,
];

/// A change that is made and not yet committed.
struct Open<T> {
    commit: mpsc::Sender<()>,
    made: thread::JoinHandle<Result<T, Error>>,
}

impl<T: Send + 'static> Open<T> {
    fn begun(
        server: &TestServer,
        actor: Actor,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Open<T> {
        let (commit, committed) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let server = server.clone();
        let made = thread::spawn(move || {
            server.attempt_as(actor, move |conn, ctx| {
                let outcome = change(conn, ctx);
                done.send(()).unwrap();
                committed.recv().unwrap();
                outcome
            })
        });
        is_done.recv().unwrap();
        Open { commit, made }
    }

    fn commit(self) -> Result<T, Error> {
        self.let_go();
        self.outcome()
    }

    /// Commits, and doesn't wait for it: SQLite may do that together with what has queued up.
    fn let_go(&self) {
        self.commit.send(()).unwrap();
    }

    fn outcome(self) -> Result<T, Error> {
        self.made.join().unwrap()
    }
}

/// Deletes somebody while another change is open, which is committed as soon as the deletion waits for it, or is
/// through without having waited.
async fn delete_beside<T: Send + 'static>(
    server: &TestServer,
    actor: Actor,
    id: i64,
    open: Open<T>,
) -> Result<(), Error> {
    let other = server.clone();
    let deletion = thread::spawn(move || delete(&other, &actor, id));
    until(|| deletion.is_finished() || waiting(server) > 0).await;
    open.commit().map(|_| ()).unwrap();
    deletion.join().unwrap()
}

/// How many transactions wait for another one, on PostgreSQL. SQLite has one writer: there, all who come later do.
fn waiting(server: &TestServer) -> i64 {
    if !server.is_on_postgres() {
        return i64::MAX;
    }
    server.count(
        "pg_stat_activity",
        "wait_event_type = 'Lock' AND datname = current_database()",
    )
}

async fn until(mut what: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never happens");
}

async fn of_two_owners_one_stays_whoever_is_quicker(server: TestServer) {
    let company = Company::on(&server);
    for round in 0..8 {
        let [one, two] =
            ["one", "two"].map(|name| server.person(&format!("{name}{round}")).create());
        let club = server.group(&format!("club{round}")).owner(&one).create();
        club.member(&two, AccessLevel::Owner);
        let (resource, root) = (club.resource(), company.root.actor());
        let (other, by) = (server.clone(), root.clone());
        let demotion = thread::spawn(move || {
            other.attempt_as(by, move |conn, ctx| {
                members::change::change(
                    conn,
                    ctx,
                    &resource,
                    two.id,
                    AccessLevel::Guest,
                    members::change::Ends::Never,
                )
            })
        });
        let deleted = delete(&server, &root, one.id);
        let demoted = demotion.join().unwrap();
        assert!(
            deleted.is_ok() != demoted.is_ok(),
            "{deleted:?} {demoted:?}"
        );
        let owners = format!("group_id = {} AND access_level = 50", club.id);
        assert_eq!(server.count("memberships", &owners), 1);
    }
}

async fn a_demotion_that_came_first_is_seen(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let (resource, frank) = (company.acme.resource(), company.frank.id);
    let root = company.root.actor();
    let demotion = Open::begun(&server, root.clone(), move |conn, ctx| {
        members::change::change(
            conn,
            ctx,
            &resource,
            frank,
            AccessLevel::Guest,
            members::change::Ends::Never,
        )
    });
    let outcome = delete_beside(&server, root, company.alice.id, demotion).await;
    assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
}

async fn a_group_that_was_founded_meanwhile_is_seen(server: TestServer) {
    let company = Company::on(&server);
    let form = NewGroupForm {
        name: "Club".into(),
        path: "club".into(),
        description: String::new(),
        visibility: None,
    };
    let founding = Open::begun(&server, company.frank.actor(), move |conn, ctx| {
        groups::create::create(conn, ctx, None, &form, None)
    });
    let outcome = delete_beside(&server, company.root.actor(), company.frank.id, founding).await;
    assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
    assert_eq!(
        server.count("memberships", "access_level = 50 AND NOT bot"),
        3
    );
}

async fn a_role_that_was_given_meanwhile_is_seen(server: TestServer) {
    let company = Company::on(&server);
    let club = server.group("club").create();
    let (resource, frank) = (club.resource(), company.frank.user.clone());
    let root = company.root.actor();
    let adding = Open::begun(&server, root.clone(), move |conn, ctx| {
        members::add::add(conn, ctx, &resource, &frank, AccessLevel::Owner, None)
    });
    let outcome = delete_beside(&server, root, company.frank.id, adding).await;
    assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
}

async fn a_role_that_was_given_at_the_last_moment_counts_for_others(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.actor();
    for round in 0..3 {
        let [one, two] =
            ["one", "two"].map(|name| server.person(&format!("{name}{round}")).create());
        let club = server.group(&format!("club{round}")).owner(&one).create();
        // The second one becomes an Owner and is deleted, and the first one is demoted because there is the second.
        let (resource, user) = (club.resource(), two.user.clone());
        let adding = Open::begun(&server, root.clone(), move |conn, ctx| {
            members::add::add(conn, ctx, &resource, &user, AccessLevel::Owner, None)
        });
        let (other, by) = (server.clone(), root.clone());
        let deletion = thread::spawn(move || delete(&other, &by, two.id));
        until(|| waiting(&server) >= 1).await;
        let (other, by, resource) = (server.clone(), root.clone(), club.resource());
        let demotion = thread::spawn(move || {
            Open::begun(&other, by, move |conn, ctx| {
                members::change::change(
                    conn,
                    ctx,
                    &resource,
                    one.id,
                    AccessLevel::Guest,
                    members::change::Ends::Never,
                )
            })
        });
        until(|| waiting(&server) >= 2).await;
        adding.let_go();
        let demotion = demotion.join().unwrap();
        until(|| deletion.is_finished() || waiting(&server) >= 1).await;
        let demoted = demotion.commit();
        let deleted = deletion.join().unwrap();
        adding.outcome().unwrap();
        assert!(
            deleted.is_ok() != demoted.is_ok(),
            "{deleted:?} {demoted:?}"
        );
        let owners = format!("group_id = {} AND access_level = 50", club.id);
        assert_eq!(server.count("memberships", &owners), 1);
    }
}

async fn a_token_that_was_made_meanwhile_belongs_to_the_ghost(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let resource = company.acme.resource();
    let new = NewAccessToken {
        name: "ci".into(),
        description: None,
        scopes: vec![Scope::Api],
        access_level: AccessLevel::Developer,
        expires_at: None,
    };
    let making = Open::begun(&server, company.frank.actor(), move |conn, ctx| {
        create::create(conn, ctx, &resource, &new)?
    });
    delete_beside(&server, company.root.actor(), company.frank.id, making)
        .await
        .unwrap();
    let ghost = super::ghost(&server).id;
    let made_by_ghost = format!("kind = 'project_bot' AND created_by_id = {ghost}");
    assert_eq!(server.count("users", &made_by_ghost), 1);
}

async fn a_request_that_was_under_way_finds_its_person_gone(server: TestServer) {
    let company = Company::on(&server);
    let ada = server.person("ada").admin().create();
    let (api, id) = (ada.api(), ada.id);
    let deletion = Open::begun(&server, company.root.actor(), move |conn, ctx| {
        latchkey::users::delete::delete(conn, ctx, id)
    });
    let before = server.app.db.counters().queries();
    // She is an administrator: nothing that she does here waits for the locks of places where she has a role.
    let request = tokio::spawn(async move {
        let body = json!({ "path": "late", "namespace_id": company.acme.id });
        api.post("/projects", body).await
    });
    // Let in, and on its way: on SQLite to the writer.
    let arrived = || {
        if server.is_on_postgres() {
            waiting(&server) > 0
        } else {
            server.app.db.counters().queries() > before
        }
    };
    until(|| request.is_finished() || arrived()).await;
    deletion.commit().unwrap();
    request.await.unwrap().expect(401);
    assert_eq!(server.count("projects", "path = 'late'"), 0);
    assert!(find(&server, id).is_none());
}

async fn two_deletions_at_once_make_one_ghost(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let path = format!("{}/access_tokens/{}", acme.path(), token.id);
    alice.api().delete(&path).await.expect(204);
    let doomed = server.person("doomed").create();
    // The server's own deletion of a bot takes none of the locks.
    let now = server.now();
    let tidying = Open::begun(&server, root.actor(), move |conn, _| {
        latchkey::bots::delete::delete_gone(conn, now, 10)
    });
    delete_beside(&server, root.actor(), doomed.id, tidying)
        .await
        .unwrap();
    assert_eq!(server.count("users", "kind = 'ghost'"), 1);
}
