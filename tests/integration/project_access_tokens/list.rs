//! `GET /projects/:id/access_tokens`

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use super::{assert_is_token_object, invalid, project_missing, tokens_of};
use crate::on_both;
use crate::support::{Api, Company, TestProject, TestResource, TestServer};

on_both![
    a_list_has_the_tokens_of_this_very_project,
    filters_combine,
    search_finds_words_in_names,
    lists_are_sorted_as_asked,
    every_token_is_either_active_or_inactive,
    a_filter_that_makes_no_sense_is_refused,
    a_list_comes_in_pages,
    a_path_names_a_project_as_well_as_its_id,
];

struct Fixture {
    alice: Api,
    api: TestProject,
    path: String,
}

impl Fixture {
    fn on(server: &TestServer) -> Fixture {
        let alice = server.person("alice").create();
        let acme = server.group("acme").owner(&alice).private().create();
        let api = acme.project("api").create();
        Fixture {
            alice: alice.api(),
            path: tokens_of(&api),
            api,
        }
    }

    /// The names in the list.
    async fn names(&self, query: &str) -> Vec<String> {
        let list = self.alice.get(&format!("{}?{query}", self.path)).await;
        let list = list.expect(200).json();
        let rows = list.as_array().unwrap().iter();
        rows.map(|token| token["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn a_list_has_the_tokens_of_this_very_project(server: TestServer) {
    let company = Company::on(&server);
    company.acme.token("of the root").create();
    company.sub.token("of the group").create();
    company.p1.token("beside").create();
    company.p3.token("below").create();
    let here = [
        company.p2.token("first").create(),
        company.p2.token("second").create(),
    ];
    // A member of the project has tokens of their own, which are no tokens of the project.
    company.bob.personal_token([Scope::Api]);
    let list = company
        .bob
        .api()
        .get(&tokens_of(&company.p2))
        .await
        .expect(200);
    let text = list.text();
    let list = list.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2);
    for (row, token) in list.iter().zip(&here) {
        assert_eq!(row["id"], token.id);
        assert_eq!(row["user_id"], token.user_id);
        assert_eq!(row["access_level"], 40);
        assert_is_token_object(row, false);
        assert!(!text.contains(&token.value));
    }
}

async fn filters_combine(server: TestServer) {
    server.retain_bots(true);
    let fixture = Fixture::on(&server);
    let old = fixture.api.token("old").expires("2026-12-01").create();
    server.clock.advance(TimeDelta::days(1));
    let used = fixture.api.token("used").expires("2026-12-10").create();
    used.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::days(1));
    fixture.api.token("new").expires("2027-01-01").create();
    let path = format!("{}/{}", fixture.path, old.id);
    fixture.alice.delete(&path).await.expect(204);

    for (query, expected) in [
        ("", vec!["old", "used", "new"]),
        ("state=active", vec!["used", "new"]),
        ("state=inactive", vec!["old"]),
        ("revoked=true", vec!["old"]),
        ("revoked=false", vec!["used", "new"]),
        ("revoked=t", vec!["old"]),
        ("revoked=off", vec!["used", "new"]),
        ("created_after=2026-11-21T10:00:00Z", vec!["used", "new"]),
        ("created_after=2026-11-21T10:00:00.001Z", vec!["new"]),
        ("created_before=2026-11-21T10:00:00Z", vec!["old", "used"]),
        (
            "created_before=2026-11-21T12:00:00%2B02:00",
            vec!["old", "used"],
        ),
        ("created_before=2026-11-21", vec!["old"]),
        ("last_used_after=2026-11-21T10:00:00Z", vec!["used"]),
        ("last_used_after=2026-11-22", vec![]),
        ("last_used_before=2026-11-21T10:00:00Z", vec!["used"]),
        ("last_used_before=2026-11-20", vec![]),
        ("expires_before=2026-12-10", vec!["old"]),
        ("expires_after=2026-12-10", vec!["used", "new"]),
        (
            "expires_before=2026-12-11&expires_after=2026-12-02",
            vec!["used"],
        ),
        (
            "state=active&created_before=2026-11-21T10:00:00Z",
            vec!["used"],
        ),
        ("revoked=true&state=active", vec![]),
        ("search=new&revoked=false", vec!["new"]),
        ("search=&revoked=&state=", vec!["old", "used", "new"]),
    ] {
        assert_eq!(fixture.names(query).await, expected, "{query}");
    }
}

async fn search_finds_words_in_names(server: TestServer) {
    let fixture = Fixture::on(&server);
    for name in [
        "Nightly Deploy",
        "deploy",
        "100% done",
        "under_score",
        "underXscore",
        "ci",
        r"a\b\c",
    ] {
        fixture.api.token(name).create();
    }
    for (search, expected) in [
        ("DEPLOY", vec!["Nightly Deploy", "deploy"]),
        ("deploy%20night", vec!["Nightly Deploy"]),
        ("under_score", vec!["under_score"]),
        ("100%25", vec!["100% done"]),
        ("%25%25%25", vec![]),
        ("___", vec![]),
        ("%5Cb%5C", vec![r"a\b\c"]),
        ("ci", vec!["ci"]),
        ("CI", vec!["ci"]),
        ("de", vec![]),
    ] {
        let query = format!("search={search}");
        assert_eq!(fixture.names(&query).await, expected, "{search}");
    }
}

async fn lists_are_sorted_as_asked(server: TestServer) {
    let fixture = Fixture::on(&server);
    let first = fixture.api.token("b").expires("2026-12-10").create();
    first.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(1));
    let second = fixture.api.token("a").expires("2026-12-01").create();
    server.set("require_personal_access_token_expiry", "false");
    let third = fixture.api.token("c").create();
    server.clock.advance(TimeDelta::hours(1));
    second.get("/user").await.expect(200);
    server.rest().await;
    let fourth = fixture.api.token("b").expires("2026-12-10").create();
    let (b, a, never, later_b) = (first.id, second.id, third.id, fourth.id);
    for (sort, expected) in [
        ("", [b, a, never, later_b]),
        ("created_asc", [b, never, a, later_b]),
        ("created_desc", [later_b, never, a, b]),
        ("expires_asc", [a, later_b, b, never]),
        ("expires_desc", [never, later_b, b, a]),
        ("last_used_asc", [later_b, never, b, a]),
        ("last_used_desc", [a, b, later_b, never]),
        ("name_asc", [a, later_b, b, never]),
        ("name_desc", [never, later_b, b, a]),
        ("nonsense", [b, a, never, later_b]),
    ] {
        let path = format!("{}?sort={sort}", fixture.path);
        let list = fixture.alice.get(&path).await.expect(200).json();
        let ids: Vec<i64> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{sort}");
    }
}

async fn every_token_is_either_active_or_inactive(server: TestServer) {
    server.retain_bots(true);
    let fixture = Fixture::on(&server);
    fixture.api.token("today").expires("2026-11-20").create();
    fixture.api.token("tomorrow").expires("2026-11-21").create();
    for (day, active, inactive) in [
        (0, vec!["tomorrow"], vec!["today"]),
        (1, vec![], vec!["today", "tomorrow"]),
        (2, vec![], vec!["today", "tomorrow"]),
    ] {
        assert_eq!(fixture.names("state=active").await, active, "day {day}");
        assert_eq!(fixture.names("state=inactive").await, inactive, "day {day}");
        server.clock.advance(TimeDelta::days(1));
    }
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let fixture = Fixture::on(&server);
    for (query, problem) in [
        ("state=gone", "state does not have a valid value"),
        ("state=ACTIVE", "state does not have a valid value"),
        ("revoked=perhaps", "revoked is invalid"),
        ("created_after=yesterday", "created_after is invalid"),
        ("created_before=2026-02-30", "created_before is invalid"),
        ("last_used_after=x", "last_used_after is invalid"),
        ("last_used_before=x", "last_used_before is invalid"),
        ("expires_before=0", "expires_before is invalid"),
        ("expires_after=2027-13-01", "expires_after is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
        ("page=-1", "page has a value not allowed"),
        ("page=abc", "page is invalid"),
    ] {
        let answer = fixture
            .alice
            .get(&format!("{}?{query}", fixture.path))
            .await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
}

async fn a_list_comes_in_pages(server: TestServer) {
    let fixture = Fixture::on(&server);
    for number in 0..8 {
        fixture.api.token(&format!("token {number}")).create();
    }
    let path = format!("{}?page=2&per_page=3", fixture.path);
    let answer = fixture.alice.get(&path).await.expect(200);
    let names: Vec<String> = answer
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["token 3", "token 4", "token 5"]);
    for (header, value) in [
        ("x-page", "2"),
        ("x-per-page", "3"),
        ("x-total", "8"),
        ("x-total-pages", "3"),
        ("x-next-page", "3"),
        ("x-prev-page", "1"),
    ] {
        assert_eq!(answer.header(header), value, "{header}");
    }
    let link = |page: u32, relation: &str| {
        let base = format!("{}/api/v4{}", server.url, fixture.path);
        format!(r#"<{base}?page={page}&per_page=3>; rel="{relation}""#)
    };
    let links = [
        link(1, "prev"),
        link(3, "next"),
        link(1, "first"),
        link(3, "last"),
    ];
    assert_eq!(answer.header("link"), links.join(", "));
    let past = format!("{}?page=4&per_page=3", fixture.path);
    assert_eq!(fixture.alice.get(&past).await.expect(200).json(), json!([]));
}

async fn a_path_names_a_project_as_well_as_its_id(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let token = company.p2.token("ci").create();
    let by_id = bob.get(&tokens_of(&company.p2)).await.expect(200).json();
    for path in ["acme%2Fsub%2Fp2", "acme%2fsub%2fp2", "ACME%2FSub%2FP2"] {
        let tokens = format!("/projects/{path}/access_tokens");
        let list = bob.get(&tokens).await.expect(200).json();
        assert_eq!(list, by_id, "{path}");
        let one = bob.get(&format!("{tokens}/{}", token.id)).await.expect(200);
        assert_eq!(one.json(), by_id[0], "{path}");
        let made = bob
            .post(&tokens, json!({ "name": "x", "scopes": ["api"] }))
            .await
            .expect(201)
            .json();
        let rotate = format!("{tokens}/{}/rotate", made["id"]);
        let rotated = bob.post(&rotate, json!({})).await.expect(200).json();
        let id = &rotated["id"];
        bob.delete(&format!("{tokens}/{id}")).await.expect(204);
        server.rest().await;
    }
    for path in ["p2", "acme%2Fp2", "acme%252Fsub%252Fp2", "99999999"] {
        let answer = bob.get(&format!("/projects/{path}/access_tokens")).await;
        assert_eq!(answer.outcome(), project_missing(), "{path}");
    }
}
