//! What administrators do to people: find them, change them, block them, delete them. The verbs themselves, and what
//! of it is felt by those whom it is done to.

mod blocking;
mod deleting;
mod editing;
mod listing;
mod meanwhile;

use latchkey::{
    actor::Actor,
    error::{Error, What},
    users::{self, User, edit::PersonChanges},
};

use crate::support::{Company, TestResource, TestServer};

fn edit(
    server: &TestServer,
    actor: &Actor,
    id: i64,
    changes: &PersonChanges,
) -> Result<User, Error> {
    let changes = changes.clone();
    server.attempt_as(actor.clone(), move |conn, ctx| {
        users::edit::edit(conn, ctx, id, &changes)
    })
}

fn delete(server: &TestServer, actor: &Actor, id: i64) -> Result<(), Error> {
    server.attempt_as(actor.clone(), move |conn, ctx| {
        users::delete::delete(conn, ctx, id)
    })
}

fn find(server: &TestServer, id: i64) -> Option<User> {
    server.arrange(move |conn, _| users::store::find(conn, id))
}

/// How many lines of this name there are in the trail about this user.
fn told(server: &TestServer, event: &str, id: i64) -> i64 {
    let condition = format!("event = '{event}' AND target_kind = 'user' AND target_id = {id}");
    server.count("audit_events", &condition)
}

#[track_caller]
fn forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>, why: &str) {
    match outcome {
        Err(Error::Forbidden(reason)) => assert_eq!(reason.unwrap_or_default(), why),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn not_found<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(
        matches!(outcome, Err(Error::NotFound(What::User))),
        "{outcome:?}"
    );
}

/// Tries something on everybody whom it can't be done to, and by everybody who may not.
fn is_for_administrators_and_about_people<T: std::fmt::Debug>(
    server: &TestServer,
    company: &Company,
    attempt: impl Fn(&Actor, i64) -> Result<T, Error>,
) {
    let token = company.acme.token("ci").made_by(&company.alice).create();
    let bot = find(server, token.user_id).unwrap();
    let by_bot = Actor {
        user: Some(bot),
        ..company.alice.actor()
    };
    let target = company.frank.id;
    for actor in [
        company.alice.actor(),
        company.frank.actor(),
        company.xenia.actor(),
        by_bot,
    ] {
        forbidden(attempt(&actor, target), "");
    }
    let root = company.root.actor();
    let ghost = ghost(server);
    for nobody in [token.user_id, ghost.id, 0, -1, i64::MAX] {
        not_found(attempt(&root, nobody));
    }
    assert!(find(server, token.user_id).unwrap().is_active());
    assert!(find(server, target).unwrap().is_active());
}

/// The ghost, who comes into being with the first deletion.
fn ghost(server: &TestServer) -> User {
    let doomed = server.person(&format!("doomed{}", server.next())).create();
    server.arrange(move |conn, ctx| users::delete::delete(conn, ctx, doomed.id));
    let everybody = server.arrange(|conn, ctx| {
        users::list::list(
            conn,
            ctx,
            &users::list::Filter::default(),
            latchkey::db::PageRequest {
                page: 1,
                per_page: 100,
            },
        )
    });
    let ghosts: Vec<User> = everybody
        .rows
        .into_iter()
        .filter(|user| user.kind == users::UserKind::Ghost)
        .collect();
    assert_eq!(ghosts.len(), 1);
    ghosts[0].clone()
}
