//! `GET /personal_access_tokens/self/associations`

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::invalid;
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    a_token_is_told_what_it_reaches,
    a_role_narrows_what_is_told,
    a_bot_is_told_of_its_own_place,
    any_scope_may_ask,
    a_question_that_makes_no_sense_is_refused,
];

const PATH: &str = "/personal_access_tokens/self/associations";

/// Groups and projects with the roles there.
async fn told(api: &Api, query: &str) -> (Vec<(String, i64)>, Vec<String>) {
    let told = api.get(&format!("{PATH}{query}")).await.expect(200).json();
    let groups = told["groups"].as_array().unwrap().iter().map(|group| {
        let path = group["web_url"].as_str().unwrap();
        let (_, path) = path.split_once("/groups/").unwrap();
        (path.to_owned(), group["access_levels"].as_i64().unwrap())
    });
    let projects = told["projects"].as_array().unwrap().iter();
    let projects = projects.map(|project| project["path_with_namespace"].as_str().unwrap());
    let mut groups: Vec<_> = groups.collect();
    let mut projects: Vec<_> = projects.map(str::to_owned).collect();
    groups.sort_unstable();
    projects.sort_unstable();
    (groups, projects)
}

async fn a_token_is_told_what_it_reaches(server: TestServer) {
    let c = Company::on(&server);
    server.group("open").public().create();
    c.p1.member(&c.alice, AccessLevel::Developer);
    let answer = c.alice.api().get(PATH).await.expect(200).json();
    let groups = answer["groups"].as_array().unwrap();
    let acme = groups
        .iter()
        .find(|group| group["id"] == c.acme.id)
        .unwrap();
    let url = &server.url;
    assert_eq!(
        *acme,
        json!({
            "id": c.acme.id, "web_url": format!("{url}/groups/acme"), "name": "acme",
            "parent_id": null, "organization_id": 1, "access_levels": 50, "visibility": "private",
        })
    );
    let projects = answer["projects"].as_array().unwrap();
    let p1 = projects
        .iter()
        .find(|project| project["id"] == c.p1.id)
        .unwrap();
    for (key, value) in [
        ("description", json!("")),
        ("name", json!("p1")),
        ("name_with_namespace", json!("acme / p1")),
        ("path", json!("p1")),
        ("path_with_namespace", json!("acme/p1")),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        (
            "access_levels",
            json!({ "project_access_level": 30, "group_access_level": 50 }),
        ),
        ("visibility", json!("private")),
        ("web_url", json!(format!("{url}/acme/p1"))),
        (
            "namespace",
            json!({
                "id": c.acme.id, "name": "acme", "path": "acme", "kind": "group",
                "full_path": "acme", "parent_id": null, "avatar_url": null,
                "web_url": format!("{url}/groups/acme"),
            }),
        ),
    ] {
        assert_eq!(p1[key], value, "{key}");
    }
    let text = answer.to_string();
    assert!(
        !text.contains("groups/open") && !text.contains("other"),
        "{text}"
    );
}

async fn a_role_narrows_what_is_told(server: TestServer) {
    let c = Company::on(&server);
    c.sub.member(&c.erin, AccessLevel::Maintainer);
    c.p1.member(&c.erin, AccessLevel::Developer);
    let erin = c.erin.api();
    let (groups, projects) = told(&erin, "?min_access_level=40").await;
    assert!(groups.contains(&("acme/sub".into(), 40)), "{groups:?}");
    assert!(groups.iter().all(|(path, _)| path != "acme"), "{groups:?}");
    assert!(!projects.contains(&"acme/p1".to_owned()), "{projects:?}");
    let (groups, projects) = told(&erin, "?min_access_level=30").await;
    assert!(groups.iter().all(|(path, _)| path != "acme"), "{groups:?}");
    assert!(projects.contains(&"acme/p1".to_owned()), "{projects:?}");
    let (groups, _) = told(&erin, "?min_access_level=10").await;
    assert!(groups.contains(&("acme".into(), 10)), "{groups:?}");
    let nothing = (vec![], vec![]);
    assert_eq!(told(&erin, "?min_access_level=50").await, nothing);
    assert_eq!(told(&c.frank.api(), "").await, nothing);
}

async fn a_bot_is_told_of_its_own_place(server: TestServer) {
    let c = Company::on(&server);
    let of_group = c.sub.token("ci").role(AccessLevel::Reporter).create();
    let (groups, projects) = told(&of_group, "").await;
    assert!(groups.contains(&("acme/sub".into(), 20)), "{groups:?}");
    assert!(groups.iter().all(|(path, _)| path.starts_with("acme/sub")));
    assert!(projects.iter().all(|path| path.starts_with("acme/sub/")));
    assert!(projects.contains(&"acme/sub/p2".to_owned()), "{projects:?}");
    let of_project = c.p1.token("ci").role(AccessLevel::Guest).create();
    let told = told(&of_project, "").await;
    assert_eq!(told, (vec![], vec!["acme/p1".to_owned()]));
}

async fn any_scope_may_ask(server: TestServer) {
    let c = Company::on(&server);
    for scope in [
        Scope::ReadUser,
        Scope::SelfRotate,
        Scope::K8sProxy,
        Scope::Sudo,
        Scope::AdminMode,
    ] {
        let token = c.root.personal_token([scope]);
        let answer = token.get(PATH).await;
        assert_eq!(answer.status, 200, "{}", scope.name());
        assert!(answer.json()["groups"].is_array());
    }
    server.anonymous().get(PATH).await.expect(401);
}

async fn a_question_that_makes_no_sense_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (query, problem) in [
        (
            "min_access_level=17",
            "min_access_level does not have a valid value",
        ),
        ("min_access_level=x", "min_access_level is invalid"),
        ("page=0", "page has a value not allowed"),
        ("per_page=0", "per_page has a value not allowed"),
    ] {
        let answer = alice.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
    let past = alice
        .get(&format!("{PATH}?page=50"))
        .await
        .expect(200)
        .json();
    assert_eq!(past["groups"], Value::Array(vec![]));
    assert_eq!(past["projects"], Value::Array(vec![]));
}
