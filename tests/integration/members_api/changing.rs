//! `PUT …/members/:user_id`

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{both, forbidden, invalid};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_new_role_holds_from_the_next_request,
    a_date_is_kept_unless_it_is_given,
    it_takes_the_same_right_as_adding,
    nobody_raises_above_their_own_role,
    each_refusal_has_its_words_and_changes_nothing,
    a_bots_role_stays_as_it_is,
    the_last_owner_stays_one,
];

async fn a_new_role_holds_from_the_next_request(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (what, place) in both(&c) {
        place.member(&c.frank, AccessLevel::Guest);
        let one = format!("{}/members/{}", place.path(), c.frank.id);
        for level in [50, 40, 30, 20, 15, 10] {
            let body = json!({ "access_level": level });
            let changed = alice.put(&one, body).await.expect(200).json();
            assert_eq!(changed["access_level"], level, "{what}");
            let shown = c.frank.api().get(&one).await.expect(200).json();
            assert_eq!(shown["access_level"], level, "{what}");
            let tokens = format!("{}/access_tokens", place.path());
            let manages = level >= if what == "group" { 50 } else { 40 };
            let status = if manages { 200 } else { 401 };
            let answer = c.frank.api().get(&tokens).await;
            assert_eq!(answer.status, status, "{what}: {level}");
        }
    }
}

async fn a_date_is_kept_unless_it_is_given(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (what, place) in both(&c) {
        place.member_until(&c.frank, AccessLevel::Guest, "2026-12-24");
        let one = format!("{}/members/{}", place.path(), c.frank.id);
        let body = json!({ "access_level": 20 });
        let changed = alice.put(&one, body).await.expect(200).json();
        assert_eq!(changed["expires_at"], "2026-12-24", "{what}");
        let body = json!({ "access_level": 20, "expires_at": "2027-01-31" });
        let changed = alice.put(&one, body).await.expect(200).json();
        assert_eq!(changed["expires_at"], "2027-01-31", "{what}");
        // Whoever sends nothing changes nothing; an empty text takes the end away.
        for (sent, kept) in [(Value::Null, json!("2027-01-31")), (json!(""), Value::Null)] {
            let body = json!({ "access_level": 20, "expires_at": sent });
            let changed = alice.put(&one, body).await.expect(200).json();
            assert_eq!(changed["expires_at"], kept, "{what}: {sent}");
            let shown = alice.get(&one).await.expect(200).json();
            assert_eq!(shown["expires_at"], kept, "{what}: {sent}");
        }
    }
}

async fn it_takes_the_same_right_as_adding(server: TestServer) {
    let c = Company::on(&server);
    c.sub.member(&c.frank, AccessLevel::Guest);
    c.p2.member(&c.frank, AccessLevel::Guest);
    for (who, api, group, project) in [
        ("administrator", c.root.api(), 200, 200),
        ("Owner", c.alice.api(), 200, 200),
        ("Maintainer", c.bob.api(), 403, 200),
        ("Developer", c.carol.api(), 403, 403),
        ("oneself", c.frank.api(), 403, 403),
        ("outsider", c.oscar.api(), 404, 404),
        ("nobody", server.anonymous(), 401, 401),
    ] {
        for ((what, place), status) in both(&c).into_iter().zip([group, project]) {
            let one = format!("{}/members/{}", place.path(), c.frank.id);
            let answer = api.put(&one, json!({ "access_level": 15 })).await;
            assert_eq!(
                answer.status,
                status,
                "{who} in a {what}: {}",
                answer.text()
            );
            if status == 403 {
                assert_eq!(answer.outcome(), forbidden(), "{who} in a {what}");
            }
        }
    }
}

async fn nobody_raises_above_their_own_role(server: TestServer) {
    let c = Company::on(&server);
    c.p2.member(&c.frank, AccessLevel::Guest);
    let one = format!("{}/members/{}", c.p2.path(), c.frank.id);
    let bob = c.bob.api();
    bob.put(&one, json!({ "access_level": 40 }))
        .await
        .expect(200);
    let answer = bob.put(&one, json!({ "access_level": 50 })).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    // Nor takes a Maintainer an Owner's role away.
    let body = json!({ "access_level": 50 });
    c.alice.api().put(&one, body).await.expect(200);
    let answer = bob.put(&one, json!({ "access_level": 10 })).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    let shown = bob.get(&one).await.expect(200).json();
    assert_eq!(shown["access_level"], 50);
}

async fn each_refusal_has_its_words_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (what, place) in both(&c) {
        place.member(&c.frank, AccessLevel::Guest);
        let members = format!("{}/members", place.path());
        let one = format!("{members}/{}", c.frank.id);
        for (body, problem) in [
            (json!({}), "access_level is missing"),
            (
                json!({ "access_level": 60 }),
                "access_level does not have a valid value",
            ),
            (json!({ "access_level": [10] }), "access_level is invalid"),
            (
                json!({ "access_level": 20, "expires_at": "soon" }),
                "expires_at is invalid",
            ),
        ] {
            let answer = alice.put(&one, body.clone()).await;
            assert_eq!(answer.outcome(), invalid(problem), "{what}: {body}");
        }
        let past = json!({ "access_level": 20, "expires_at": "2026-11-19" });
        let answer = alice.put(&one, past).await.expect(400);
        let problems = answer.json()["message"]["expires_at"].to_string();
        assert!(problems.contains("cannot be a date in the past"), "{what}");
        // Inherited members and strangers are none of this very place.
        for id in [c.bob.id, c.oscar.id, 99_999_999] {
            let path = format!("{members}/{id}");
            let answer = alice.put(&path, json!({ "access_level": 20 })).await;
            assert_eq!(answer.status, 404, "{what}: {id}");
            let text = answer.message();
            assert!(text.eq_ignore_ascii_case("404 not found"), "{text}");
        }
        let shown = alice.get(&one).await.expect(200).json();
        assert_eq!(shown["access_level"], 10, "{what}");
        assert_eq!(shown["expires_at"], Value::Null, "{what}");
    }
}

async fn a_bots_role_stays_as_it_is(server: TestServer) {
    let c = Company::on(&server);
    for (what, place) in both(&c) {
        let bot = place.token("ci").role(AccessLevel::Guest).create();
        let one = format!("{}/members/{}", place.path(), bot.user_id);
        for api in [c.alice.api(), c.root.api(), bot.api()] {
            let answer = api.put(&one, json!({ "access_level": 15 })).await;
            assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        }
        let shown = c.alice.api().get(&one).await.expect(200).json();
        assert_eq!(shown["access_level"], 10, "{what}");
    }
}

async fn the_last_owner_stays_one(server: TestServer) {
    let c = Company::on(&server);
    // A bot that owns the group is nobody who could look after it.
    c.acme.token("ci").role(AccessLevel::Owner).create();
    let one = format!("{}/members/{}", c.acme.path(), c.alice.id);
    for api in [c.alice.api(), c.root.api()] {
        let answer = api.put(&one, json!({ "access_level": 40 })).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
    c.acme.member(&c.oscar, AccessLevel::Owner);
    let body = json!({ "access_level": 40 });
    c.alice.api().put(&one, body).await.expect(200);
}
