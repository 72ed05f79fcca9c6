//! Blocking people, and letting them in again.

use latchkey::{
    actor::Actor,
    error::Error,
    users::{User, UserState, state, store::UserRef},
};

use super::{find, forbidden, is_for_administrators_and_about_people, told};
use crate::{
    on_both,
    support::{Company, PASSWORD, TestResource, TestServer},
};

on_both![
    a_blocked_person_is_out_until_they_are_unblocked,
    people_are_named_by_id_or_by_user_name,
    only_administrators_block_and_bots_are_not_blocked,
    nobody_blocks_themselves_or_the_last_administrator,
];

fn block(server: &TestServer, actor: &Actor, whom: UserRef) -> Result<User, Error> {
    server.attempt_as(actor.clone(), move |conn, ctx| {
        state::block(conn, ctx, &whom)
    })
}

fn unblock(server: &TestServer, actor: &Actor, whom: UserRef) -> Result<User, Error> {
    server.attempt_as(actor.clone(), move |conn, ctx| {
        state::unblock(conn, ctx, &whom)
    })
}

async fn a_blocked_person_is_out_until_they_are_unblocked(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.actor();
    let (frank, id) = (company.frank.api(), company.frank.id);
    let browser = company.frank.signs_in().await;
    for _ in 0..2 {
        let user = block(&server, &root, UserRef::Id(id)).unwrap();
        assert_eq!(user.state, UserState::Blocked);
    }
    assert_eq!(told(&server, "user_blocked", id), 1, "once is enough");
    frank.get("/user").await.expect(403);
    assert!(!browser.get("/").await.text().contains("Sign out"));
    server
        .visitor()
        .sign_in("frank", PASSWORD)
        .await
        .expect(422);
    for _ in 0..2 {
        let user = unblock(&server, &root, UserRef::Id(id)).unwrap();
        assert_eq!(user.state, UserState::Active);
    }
    assert_eq!(told(&server, "user_unblocked", id), 1);
    frank.get("/user").await.expect(200);
    assert!(!browser.get("/").await.text().contains("Sign out"));
    company.frank.signs_in().await;
}

async fn people_are_named_by_id_or_by_user_name(server: TestServer) {
    let root = server.person("root").admin().create();
    // A name that looks like somebody else's id is still a name.
    let twelve = server.person(&root.id.to_string()).create();
    let name = UserRef::Username(twelve.username.to_uppercase());
    assert_eq!(block(&server, &root.actor(), name).unwrap().id, twelve.id);
    let id = UserRef::Id(twelve.id);
    assert_eq!(unblock(&server, &root.actor(), id).unwrap().id, twelve.id);
}

async fn only_administrators_block_and_bots_are_not_blocked(server: TestServer) {
    let company = Company::on(&server);
    for verb in [block, unblock] {
        is_for_administrators_and_about_people(&server, &company, |actor, id| {
            verb(&server, actor, UserRef::Id(id))
        });
        is_for_administrators_and_about_people(&server, &company, |actor, id| {
            let username = find(&server, id).map_or("nobody".into(), |user| user.username);
            verb(&server, actor, UserRef::Username(username))
        });
    }
    assert!(company.acme.token("ci").create().works().await);
}

async fn nobody_blocks_themselves_or_the_last_administrator(server: TestServer) {
    let root = server.person("root").admin().create();
    let ada = server.person("ada").admin().create();
    let own = UserRef::Id(root.id);
    forbidden(
        block(&server, &root.actor(), own.clone()),
        "You can't block yourself",
    );
    block(&server, &root.actor(), UserRef::Id(ada.id)).unwrap();
    let system = Actor::system(latchkey::actor::Origin::console());
    forbidden(
        block(&server, &system, own),
        "The last administrator can't be blocked",
    );
    assert!(find(&server, root.id).unwrap().is_active());
}
