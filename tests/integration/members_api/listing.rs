//! Who takes part.

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{both, invalid};
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    direct_members_are_not_inherited_ones,
    everybody_is_one_row_with_the_highest_role,
    one_member_is_shown_with_all_that_clients_know,
    an_inherited_member_is_found_among_all,
    members_are_found_by_name_and_by_id,
    lists_come_in_pages,
    a_membership_that_has_ended_is_not_listed,
];

/// User names with their roles.
async fn roles(api: &Api, path: &str) -> Vec<(String, i64)> {
    let list = api.get(path).await.expect(200).json();
    let mut rows: Vec<(String, i64)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["username"].as_str().unwrap().to_owned(),
                row["access_level"].as_i64().unwrap(),
            )
        })
        .collect();
    rows.sort_unstable();
    rows
}

fn row(name: &str, level: i64) -> (String, i64) {
    (name.to_owned(), level)
}

async fn direct_members_are_not_inherited_ones(server: TestServer) {
    let c = Company::on(&server);
    let erin = c.erin.api();
    for (what, place) in both(&c) {
        let members = format!("{}/members", place.path());
        assert_eq!(roles(&erin, &members).await, [], "{what}");
        place.member(&c.frank, AccessLevel::Reporter);
        let bot = place.token("ci").role(AccessLevel::Developer).create();
        let expected = [row("frank", 20), row(&bot.username, 30)];
        assert_eq!(roles(&erin, &members).await, expected, "{what}");
        let total = erin.get(&members).await.header("x-total").to_owned();
        assert_eq!(total, "2", "{what}");
    }
}

async fn everybody_is_one_row_with_the_highest_role(server: TestServer) {
    let c = Company::on(&server);
    c.sub.member(&c.erin, AccessLevel::Developer);
    c.sub.member(&c.bob, AccessLevel::Guest);
    c.deep.member(&c.erin, AccessLevel::Reporter);
    c.p3.member(&c.erin, AccessLevel::Guest);
    c.p3.member(&c.frank, AccessLevel::Maintainer);
    let bot = c.acme.token("ci").role(AccessLevel::Planner).create();
    let mut expected = vec![
        row("alice", 50),
        row("bob", 40),
        row("carol", 30),
        row("dave", 20),
        row("erin", 30),
        row("paula", 15),
        row(&bot.username, 15),
    ];
    expected.sort_unstable();
    let bob = c.bob.api();
    let all = format!("{}/members/all", c.deep.path());
    assert_eq!(roles(&bob, &all).await, expected);
    assert_eq!(bob.get(&all).await.header("x-total"), "7");
    expected.push(row("frank", 40));
    expected.sort_unstable();
    let all = format!("{}/members/all", c.p3.path());
    assert_eq!(roles(&bob, &all).await, expected);
    // From above, nobody from below.
    let all = format!("{}/members/all", c.acme.path());
    let above = roles(&bob, &all).await;
    assert_eq!(above.len(), 7);
    assert!(above.contains(&row("erin", 10)), "{above:?}");
}

async fn one_member_is_shown_with_all_that_clients_know(server: TestServer) {
    let c = Company::on(&server);
    for (what, place) in both(&c) {
        let body = json!({ "user_id": c.frank.id, "access_level": 30, "expires_at": "2026-12-24" });
        let members = format!("{}/members", place.path());
        c.alice.api().post(&members, body).await.expect(201);
        let path = format!("{members}/{}", c.frank.id);
        let shown = c.erin.api().get(&path).await.expect(200).json();
        for (key, value) in [
            ("id", json!(c.frank.id)),
            ("username", json!("frank")),
            ("name", json!("Frank")),
            ("state", json!("active")),
            ("locked", json!(false)),
            ("avatar_url", Value::Null),
            ("web_url", json!(format!("{}/frank", server.url))),
            ("access_level", json!(30)),
            ("created_at", json!("2026-11-20T10:00:00.000Z")),
            ("expires_at", json!("2026-12-24")),
            ("membership_state", json!("active")),
        ] {
            assert_eq!(shown[key], value, "{what}: {key}");
        }
        assert_eq!(shown["created_by"]["id"], c.alice.id, "{what}");
        assert_eq!(shown["created_by"]["username"], "alice", "{what}");
        assert!(!shown.to_string().contains('@'), "{what}: {shown}");
    }
}

async fn an_inherited_member_is_found_among_all(server: TestServer) {
    let c = Company::on(&server);
    let erin = c.erin.api();
    for (what, place) in both(&c) {
        let members = format!("{}/members", place.path());
        erin.get(&format!("{members}/{}", c.bob.id))
            .await
            .expect(404);
        let all = format!("{members}/all/{}", c.bob.id);
        let shown = erin.get(&all).await.expect(200).json();
        assert_eq!(shown["username"], "bob", "{what}");
        assert_eq!(shown["access_level"], 40, "{what}");
        for id in [c.oscar.id.to_string(), "99999999".into(), "0".into()] {
            for list in ["members", "members/all"] {
                let path = format!("{}/{list}/{id}", place.path());
                let answer = erin.get(&path).await.expect(404);
                let text = answer.message();
                let is_said = text.eq_ignore_ascii_case("404 not found");
                assert!(is_said, "{what}: {path}: {text}");
            }
        }
    }
}

async fn members_are_found_by_name_and_by_id(server: TestServer) {
    let c = Company::on(&server);
    let erin = c.erin.api();
    let odd = server.person("odd").named("100% _odd_").create();
    c.p1.member(&odd, AccessLevel::Guest);
    c.p1.member(&c.frank, AccessLevel::Guest);
    let direct = format!("{}/members", c.p1.path());
    let all = format!("{}/members/all", c.p1.path());
    for (path, expected) in [
        (format!("{direct}?query=FRA"), vec!["frank"]),
        (format!("{direct}?query=%25"), vec!["odd"]),
        (format!("{direct}?query=_odd"), vec!["odd"]),
        (format!("{direct}?query=bob"), vec![]),
        (format!("{all}?query=bob"), vec!["bob"]),
        (
            format!("{direct}?user_ids[]={}&user_ids[]={}", c.frank.id, c.bob.id),
            vec!["frank"],
        ),
        (
            format!("{all}?user_ids[]={}&user_ids[]={}", c.frank.id, c.bob.id),
            vec!["bob", "frank"],
        ),
        (format!("{all}?user_ids[]={}&query=fra", c.bob.id), vec![]),
        (format!("{direct}?query="), vec!["frank", "odd"]),
    ] {
        let found = roles(&erin, &path).await;
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{path}");
    }
    let answer = erin.get(&format!("{all}?user_ids[]=x")).await;
    assert_eq!(answer.outcome(), invalid("user_ids is invalid"));
}

async fn lists_come_in_pages(server: TestServer) {
    let c = Company::on(&server);
    let erin = c.erin.api();
    for list in ["members", "members/all"] {
        let mut seen = Vec::new();
        for page in 1..=3 {
            let path = format!("{}/{list}?per_page=2&page={page}", c.acme.path());
            let answer = erin.get(&path).await.expect(200);
            assert_eq!(answer.header("x-total"), "6", "{path}");
            assert_eq!(answer.header("x-total-pages"), "3", "{path}");
            for row in answer.json().as_array().unwrap() {
                seen.push(row["id"].as_i64().unwrap());
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6, "{list}: every row once");
        let wrong = format!("{}/{list}?per_page=0", c.acme.path());
        let answer = erin.get(&wrong).await;
        assert_eq!(
            answer.outcome(),
            invalid("per_page has a value not allowed")
        );
    }
}

async fn a_membership_that_has_ended_is_not_listed(server: TestServer) {
    let c = Company::on(&server);
    let erin = c.erin.api();
    c.sub
        .member_until(&c.frank, AccessLevel::Developer, "2026-11-22");
    c.deep.member(&c.frank, AccessLevel::Guest);
    let lists = [
        (format!("{}/members", c.sub.path()), 30, false),
        (format!("{}/members/all", c.sub.path()), 30, false),
        (format!("{}/members/all", c.p3.path()), 30, true),
    ];
    for (path, level, _) in &lists {
        let rows = roles(&erin, path).await;
        assert!(rows.contains(&row("frank", *level)), "{path}");
    }
    server.clock.set("2026-11-22T00:00:00Z".parse().unwrap());
    for (path, _, stays) in &lists {
        let rows = roles(&erin, path).await;
        let frank = rows.iter().find(|(name, _)| name == "frank");
        let expected = stays.then(|| row("frank", 10));
        assert_eq!(frank, expected.as_ref(), "{path}");
    }
    let one = format!("{}/members/{}", c.sub.path(), c.frank.id);
    erin.get(&one).await.expect(404);
}
