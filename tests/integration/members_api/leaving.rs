//! `DELETE …/members/:user_id`

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{both, forbidden};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_removed_member_is_out_with_the_next_request,
    it_takes_the_same_right_as_adding,
    everybody_may_leave,
    the_last_owner_stays,
    a_bot_is_not_removed_on_its_own,
    who_is_no_member_is_not_found,
];

async fn a_removed_member_is_out_with_the_next_request(server: TestServer) {
    let c = Company::on(&server);
    for (what, place) in both(&c) {
        place.member(&c.frank, AccessLevel::Maintainer);
        let frank = c.frank.api();
        frank.get(&place.path()).await.expect(200);
        let one = format!("{}/members/{}", place.path(), c.frank.id);
        let answer = c.alice.api().delete(&one).await.expect(204);
        assert!(answer.body.is_empty());
        assert_eq!(frank.get(&place.path()).await.status, 404, "{what}");
        c.alice.api().delete(&one).await.expect(404);
    }
    assert_eq!(server.count("audit_events", "event = 'member_deleted'"), 2);
}

async fn it_takes_the_same_right_as_adding(server: TestServer) {
    let c = Company::on(&server);
    for (who, api, group, project) in [
        ("administrator", c.root.api(), 204, 204),
        ("Owner", c.alice.api(), 204, 204),
        ("Maintainer", c.bob.api(), 403, 204),
        ("Developer", c.carol.api(), 403, 403),
        ("outsider", c.oscar.api(), 404, 404),
        ("nobody", server.anonymous(), 401, 401),
        (
            "an Owner's bot",
            c.sub.token("ci").role(AccessLevel::Owner).create().api(),
            204,
            204,
        ),
    ] {
        for ((what, place), status) in both(&c).into_iter().zip([group, project]) {
            let new = server.person(&format!("new{}", server.next())).create();
            place.member(&new, AccessLevel::Guest);
            let one = format!("{}/members/{}", place.path(), new.id);
            let answer = api.delete(&one).await;
            assert_eq!(
                answer.status,
                status,
                "{who} in a {what}: {}",
                String::from_utf8_lossy(&answer.body)
            );
            if status == 403 {
                assert_eq!(answer.outcome(), forbidden(), "{who} in a {what}");
            }
        }
    }
    // A Maintainer removes no Owner.
    c.p2.member(&c.frank, AccessLevel::Owner);
    let one = format!("{}/members/{}", c.p2.path(), c.frank.id);
    let answer = c.bob.api().delete(&one).await;
    assert_eq!(answer.status, 403);
}

async fn everybody_may_leave(server: TestServer) {
    let c = Company::on(&server);
    for (what, place) in both(&c) {
        for level in [AccessLevel::Guest, AccessLevel::Developer] {
            place.member(&c.frank, level);
            let frank = c.frank.api();
            let one = format!("{}/members/{}", place.path(), c.frank.id);
            let answer = frank.delete(&one).await;
            assert_eq!(answer.status, 204, "{what}: {level}");
            frank.get(&place.path()).await.expect(404);
        }
    }
}

async fn the_last_owner_stays(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").role(AccessLevel::Owner).create();
    let one = format!("{}/members/{}", c.acme.path(), c.alice.id);
    for api in [c.alice.api(), c.root.api()] {
        let answer = api.delete(&one).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.message().starts_with("403 Forbidden"));
    }
    // A blocked Owner and one whose time is up are none.
    let blocked = server.person("blocked").create();
    c.acme.member(&blocked, AccessLevel::Owner);
    blocked.block();
    c.alice.api().delete(&one).await.expect(403);
    c.acme.member(&c.oscar, AccessLevel::Owner);
    c.alice.api().delete(&one).await.expect(204);
    c.alice.api().get(&c.acme.path()).await.expect(404);
}

async fn a_bot_is_not_removed_on_its_own(server: TestServer) {
    let c = Company::on(&server);
    for (what, place) in both(&c) {
        let bot = place.token("ci").role(AccessLevel::Owner).create();
        let one = format!("{}/members/{}", place.path(), bot.user_id);
        for api in [c.alice.api(), c.root.api(), bot.api()] {
            let answer = api.delete(&one).await;
            assert_eq!(answer.status, 403, "{what}");
        }
        bot.get(&place.path()).await.expect(200);
    }
}

async fn who_is_no_member_is_not_found(server: TestServer) {
    let c = Company::on(&server);
    let missing = (404, json!({ "message": "404 Not found" }));
    for (what, place) in both(&c) {
        for id in [
            c.oscar.id.to_string(),
            c.bob.id.to_string(),
            "99999999".into(),
        ] {
            let one = format!("{}/members/{id}", place.path());
            let answer = c.alice.api().delete(&one).await;
            assert_eq!(answer.outcome(), missing, "{what}: {id}");
        }
    }
    c.bob.api().get(&c.acme.path()).await.expect(200);
}
