//! `POST …/members`

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{both, forbidden, invalid};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    somebody_is_added_by_id_or_by_user_name,
    it_takes_an_owner_of_a_group_and_a_maintainer_of_a_project,
    nobody_gives_more_than_they_have,
    each_refusal_has_its_words_and_adds_nobody,
    a_bot_stays_where_it_was_made,
    a_bot_adds_people_as_its_role_allows,
];

async fn somebody_is_added_by_id_or_by_user_name(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let created = "event = 'member_created'";
    let before = server.count("audit_events", created);
    for (what, place) in both(&c) {
        let members = format!("{}/members", place.path());
        let body = json!({ "user_id": c.frank.id, "access_level": 30 });
        let added = alice.post(&members, body).await.expect(201).json();
        assert_eq!(added["id"], c.frank.id, "{what}");
        assert_eq!(added["access_level"], 30, "{what}");
        assert_eq!(added["expires_at"], Value::Null, "{what}");
        assert_eq!(added["created_by"]["username"], "alice", "{what}");
        let body = json!({ "username": "OSCAR", "access_level": "15", "expires_at": "2026-12-24" });
        let added = alice.post(&members, body).await.expect(201).json();
        assert_eq!(added["id"], c.oscar.id, "{what}");
        assert_eq!(added["access_level"], 15, "{what}");
        assert_eq!(added["expires_at"], "2026-12-24", "{what}");
        c.frank.api().get(&place.path()).await.expect(200);
        c.oscar.api().get(&place.path()).await.expect(200);
    }
    let added = server.count("audit_events", created);
    assert_eq!(added, before + 4);
}

async fn it_takes_an_owner_of_a_group_and_a_maintainer_of_a_project(server: TestServer) {
    let c = Company::on(&server);
    for (who, api, group, project) in [
        ("administrator", c.root.api(), 201, 201),
        ("Owner", c.alice.api(), 201, 201),
        ("Maintainer", c.bob.api(), 403, 201),
        ("Developer", c.carol.api(), 403, 403),
        ("Guest", c.erin.api(), 403, 403),
        ("outsider", c.frank.api(), 404, 404),
        ("nobody", server.anonymous(), 401, 401),
    ] {
        for ((what, place), status) in both(&c).into_iter().zip([group, project]) {
            let new = server.person(&format!("new{}", server.next())).create();
            let body = json!({ "user_id": new.id, "access_level": 10 });
            let members = format!("{}/members", place.path());
            let answer = api.post(&members, body).await;
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

async fn nobody_gives_more_than_they_have(server: TestServer) {
    let c = Company::on(&server);
    let members = format!("{}/members", c.p2.path());
    for level in [10, 15, 20, 30, 40, 50] {
        let new = server.person(&format!("new{level}")).create();
        let body = json!({ "user_id": new.id, "access_level": level });
        let answer = c.bob.api().post(&members, body.clone()).await;
        if level > 40 {
            assert_eq!(answer.status, 403, "{level}: {}", answer.text());
            assert!(answer.message().starts_with("403 Forbidden"));
            c.alice.api().post(&members, body).await.expect(201);
        } else {
            assert_eq!(answer.status, 201, "{level}: {}", answer.text());
        }
    }
}

async fn each_refusal_has_its_words_and_adds_nobody(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (what, place) in both(&c) {
        let members = format!("{}/members", place.path());
        place.member(&c.frank, AccessLevel::Guest);
        let id = c.oscar.id;
        let before = server.inventory();
        for (body, expected) in [
            (
                json!({ "user_id": c.frank.id, "access_level": 30 }),
                (409, json!({ "message": "Member already exists" })),
            ),
            (
                json!({ "username": "frank", "access_level": 10 }),
                (409, json!({ "message": "Member already exists" })),
            ),
            (json!({ "user_id": id }), invalid("access_level is missing")),
            (
                json!({ "user_id": id, "access_level": 25 }),
                invalid("access_level does not have a valid value"),
            ),
            (
                json!({ "user_id": id, "access_level": "high" }),
                invalid("access_level is invalid"),
            ),
            (
                json!({ "user_id": "oscar", "access_level": 10 }),
                invalid("user_id is invalid"),
            ),
            (
                json!({ "user_id": id, "access_level": 10, "expires_at": "soon" }),
                invalid("expires_at is invalid"),
            ),
            (
                json!({ "user_id": id, "access_level": 10, "expires_at": "2027-02-29" }),
                invalid("expires_at is invalid"),
            ),
        ] {
            let answer = alice.post(&members, body.clone()).await;
            assert_eq!(answer.outcome(), expected, "{what}: {body}");
        }
        let answer = alice.post(&members, json!({ "access_level": 10 })).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(answer.error().contains("user_id"), "{what}");
        let past = json!({ "user_id": id, "access_level": 10, "expires_at": "2026-11-19" });
        let answer = alice.post(&members, past).await.expect(400);
        let problems = answer.json()["message"]["expires_at"].to_string();
        assert!(
            problems.contains("cannot be a date in the past"),
            "{what}: {}",
            answer.text()
        );
        for unknown in [json!(99_999_999), json!(0), json!(-1)] {
            let body = json!({ "user_id": unknown, "access_level": 10 });
            let answer = alice.post(&members, body).await.expect(404);
            assert!(answer.message().starts_with("404 "), "{what}");
        }
        let body = json!({ "username": "nobody", "access_level": 10 });
        alice.post(&members, body).await.expect(404);
        assert_eq!(server.inventory(), before, "{what}");
    }
}

async fn a_bot_stays_where_it_was_made(server: TestServer) {
    let c = Company::on(&server);
    let bots = [c.acme.token("ci").create(), c.p1.token("ci").create()];
    let refusal = json!({
        "message": { "user_id": ["project bots cannot be added to other groups / projects"] },
    });
    for (what, place) in both(&c) {
        for bot in &bots {
            for person in [&c.alice, &c.root] {
                for body in [
                    json!({ "user_id": bot.user_id, "access_level": 10 }),
                    json!({ "username": bot.username, "access_level": 10 }),
                ] {
                    let members = format!("{}/members", place.path());
                    let answer = person.api().post(&members, body).await;
                    assert_eq!(answer.outcome(), (400, refusal.clone()), "{what}");
                }
            }
            let one = format!("user_id = {}", bot.user_id);
            assert_eq!(server.count("memberships", &one), 1);
        }
    }
}

async fn a_bot_adds_people_as_its_role_allows(server: TestServer) {
    let c = Company::on(&server);
    let body = json!({ "user_id": c.frank.id, "access_level": 10 });
    for (level, group, project) in [
        (AccessLevel::Developer, 403, 403),
        (AccessLevel::Maintainer, 403, 201),
        (AccessLevel::Owner, 201, 409),
    ] {
        let bot = c.sub.token("ci").role(level).create();
        for (place, status) in [(c.sub.path(), group), (c.p2.path(), project)] {
            let answer = bot.post(&format!("{place}/members"), body.clone()).await;
            assert_eq!(answer.status, status, "{level} {place}: {}", answer.text());
        }
    }
}
