//! `GET /groups/:id/access_tokens`

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{assert_is_token_object, invalid};
use crate::on_both;
use crate::support::{Api, Company, TestGroup, TestResource, TestServer};

on_both![
    a_list_has_the_tokens_of_this_very_group,
    a_list_never_tells_a_value,
    every_token_is_either_active_or_inactive,
    filters_combine,
    search_finds_words_in_names,
    lists_are_sorted_as_asked,
    a_filter_that_makes_no_sense_is_refused,
    a_path_names_a_group_as_well_as_its_id,
    an_expired_token_is_inactive_and_not_revoked,
];

struct Fixture {
    alice: Api,
    acme: TestGroup,
    path: String,
}

impl Fixture {
    fn on(server: &TestServer) -> Fixture {
        let alice = server.person("alice").create();
        let acme = server.group("acme").owner(&alice).create();
        let path = format!("{}/access_tokens", acme.path());
        Fixture {
            alice: alice.api(),
            acme,
            path,
        }
    }

    /// The names in the list.
    async fn names(&self, query: &str) -> Vec<String> {
        let answer = self
            .alice
            .get(&format!("{}?{query}", self.path))
            .await
            .expect(200);
        let list = answer.json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|token| token["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn a_list_has_the_tokens_of_this_very_group(server: TestServer) {
    let company = Company::on(&server);
    let [above, here, below, inside] = [
        company.acme.token("above").create(),
        company.sub.token("here").create(),
        company.deep.token("below").create(),
        company.p2.token("inside").create(),
    ];
    let alice = company.alice.api();
    let list = alice
        .get(&format!("{}/access_tokens", company.sub.path()))
        .await
        .expect(200)
        .json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["id"], here.id);
    for token in [above, below, inside] {
        assert!(token.works().await);
    }
}

async fn a_list_never_tells_a_value(server: TestServer) {
    let fixture = Fixture::on(&server);
    let token = fixture.acme.token("ci").create();
    for path in [
        fixture.path.clone(),
        format!("{}/{}", fixture.path, token.id),
    ] {
        let answer = fixture.alice.get(&path).await.expect(200);
        assert!(!answer.text().contains(&token.value), "{path}");
        let objects = match answer.json() {
            Value::Array(list) => list,
            object => vec![object],
        };
        for object in objects {
            assert_is_token_object(&object, false);
        }
    }
}

async fn every_token_is_either_active_or_inactive(server: TestServer) {
    server.retain_bots(true);
    let fixture = Fixture::on(&server);
    fixture.acme.token("today").expires("2026-11-20").create();
    fixture
        .acme
        .token("tomorrow")
        .expires("2026-11-21")
        .create();
    let revoked = fixture.acme.token("revoked").expires("2026-11-22").create();
    fixture
        .alice
        .delete(&format!("{}/{}", fixture.path, revoked.id))
        .await
        .expect(204);
    server.set("require_personal_access_token_expiry", "false");
    fixture.acme.token("forever").create();

    for day in 0..4 {
        let active = fixture.names("state=active").await;
        let inactive = fixture.names("state=inactive").await;
        let mut both = [active.clone(), inactive].concat();
        both.sort_unstable();
        assert_eq!(
            both,
            ["forever", "revoked", "today", "tomorrow"],
            "day {day}"
        );
        let expected = if day == 0 {
            vec!["tomorrow", "forever"]
        } else {
            vec!["forever"]
        };
        assert_eq!(active, expected, "day {day}");
        server.clock.advance(TimeDelta::days(1));
    }
}

async fn filters_combine(server: TestServer) {
    server.retain_bots(true);
    let fixture = Fixture::on(&server);
    let old = fixture.acme.token("old").expires("2026-12-01").create();
    server.clock.advance(TimeDelta::days(1));
    let used = fixture.acme.token("used").expires("2026-12-10").create();
    used.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::days(1));
    fixture.acme.token("new").expires("2027-01-01").create();
    fixture
        .alice
        .delete(&format!("{}/{}", fixture.path, old.id))
        .await
        .expect(204);

    for (query, expected) in [
        ("", vec!["old", "used", "new"]),
        ("revoked=true", vec!["old"]),
        ("revoked=false", vec!["used", "new"]),
        ("revoked=1", vec!["old"]),
        ("revoked=no", vec!["used", "new"]),
        ("created_after=2026-11-21T10:00:00Z", vec!["used", "new"]),
        ("created_after=2026-11-21T10:00:00.001Z", vec!["new"]),
        ("created_before=2026-11-21T10:00:00Z", vec!["old", "used"]),
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
        ("revoked=", vec!["old", "used", "new"]),
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
        "a\\b",
        "O'Reilly",
    ] {
        fixture.acme.token(name).create();
    }
    for (search, expected) in [
        ("deploy", vec!["Nightly Deploy", "deploy"]),
        ("DEPLOY", vec!["Nightly Deploy", "deploy"]),
        ("deploy%20night", vec!["Nightly Deploy"]),
        ("eplo", vec!["Nightly Deploy", "deploy"]),
        ("under_score", vec!["under_score"]),
        ("100%25", vec!["100% done"]),
        ("%25%25%25", vec![]),
        ("___", vec![]),
        ("ci", vec!["ci"]),
        ("de", vec![]),
        ("c", vec![]),
        ("O'Re", vec!["O'Reilly"]),
        ("'%20OR%20'1'%3D'1", vec![]),
        ("%22;--", vec![]),
    ] {
        assert_eq!(
            fixture.names(&format!("search={search}")).await,
            expected,
            "{search}"
        );
    }
    assert_eq!(fixture.names("search=").await.len(), 8);
}

async fn lists_are_sorted_as_asked(server: TestServer) {
    let fixture = Fixture::on(&server);
    let first = fixture.acme.token("b").expires("2026-12-10").create();
    first.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(1));
    let second = fixture.acme.token("A").expires("2026-12-01").create();
    server.set("require_personal_access_token_expiry", "false");
    fixture.acme.token("never").create();
    server.clock.advance(TimeDelta::hours(1));
    second.get("/user").await.expect(200);
    server.rest().await;
    fixture.acme.token("b").expires("2026-12-10").create();

    let ids = |query: String| {
        let (alice, path) = (fixture.alice.clone(), fixture.path.clone());
        async move {
            let list = alice
                .get(&format!("{path}?{query}"))
                .await
                .expect(200)
                .json();
            let list = list.as_array().unwrap().clone();
            list.iter()
                .map(|token| token["id"].as_i64().unwrap() - first.id)
                .collect::<Vec<_>>()
        }
    };
    // By their place in the order of creation. Among equals the newer comes first.
    let (b, a, never, later_b) = (0, 1, 2, 3);
    assert_eq!(ids(String::new()).await, [b, a, never, later_b]);
    for (sort, expected) in [
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
        assert_eq!(ids(format!("sort={sort}")).await, expected, "{sort}");
    }
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let fixture = Fixture::on(&server);
    for (query, problem) in [
        ("state=gone", "state does not have a valid value"),
        ("state=active'--", "state does not have a valid value"),
        ("revoked=perhaps", "revoked is invalid"),
        ("created_after=yesterday", "created_after is invalid"),
        ("created_before=2026-02-30", "created_before is invalid"),
        ("last_used_before=x", "last_used_before is invalid"),
        ("expires_after=2027-13-01", "expires_after is invalid"),
        ("page=abc", "page is invalid"),
        ("per_page=1.5", "per_page is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
        ("page=-1", "page has a value not allowed"),
    ] {
        let answer = fixture
            .alice
            .get(&format!("{}?{query}", fixture.path))
            .await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
    for query in [
        "created_after=99999-01-01",
        "sort[]=x",
        "state[]=active",
        "search[]=x",
        "search=%00",
    ] {
        let answer = fixture
            .alice
            .get(&format!("{}?{query}", fixture.path))
            .await;
        assert!(
            matches!(answer.status, 200 | 400),
            "{query}: {}",
            answer.text()
        );
    }
}

async fn a_path_names_a_group_as_well_as_its_id(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.sub.token("ci").create();
    let by_id = alice
        .get(&format!("/groups/{}/access_tokens", company.sub.id))
        .await
        .expect(200)
        .json();
    for path in ["acme%2Fsub", "acme%2fsub", "ACME%2FSub"] {
        let group = format!("/groups/{path}/access_tokens");
        assert_eq!(alice.get(&group).await.expect(200).json(), by_id, "{path}");
        assert_eq!(
            alice
                .get(&format!("{group}/{}", token.id))
                .await
                .expect(200)
                .json(),
            by_id[0]
        );
        let made = alice
            .post(&group, json!({ "name": "x", "scopes": ["api"] }))
            .await
            .expect(201)
            .json();
        let made = made["id"].as_i64().unwrap();
        let rotated = alice
            .post(&format!("{group}/{made}/rotate"), Value::Null)
            .await
            .expect(200)
            .json();
        let rotated = rotated["id"].as_i64().unwrap();
        alice
            .delete(&format!("{group}/{rotated}"))
            .await
            .expect(204);
        server.rest().await;
    }
}

async fn an_expired_token_is_inactive_and_not_revoked(server: TestServer) {
    let fixture = Fixture::on(&server);
    let token = fixture
        .acme
        .token("ci")
        .role(AccessLevel::Owner)
        .scopes([Scope::Api])
        .expires("2026-11-21")
        .create();
    server.clock.advance(TimeDelta::days(1));
    token.get("/user").await.expect(401);
    server.rest().await;
    for flag in [false, true] {
        server.retain_bots(flag);
        let list = fixture
            .alice
            .get(&format!("{}?state=inactive", fixture.path))
            .await
            .expect(200)
            .json();
        assert_eq!(list[0]["id"], token.id);
        assert_eq!(list[0]["active"], false);
        assert_eq!(list[0]["revoked"], false);
        assert_eq!(
            list[0]["last_used_at"],
            Value::Null,
            "a refused attempt is no use"
        );
    }
}
