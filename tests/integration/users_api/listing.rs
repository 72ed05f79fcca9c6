//! `GET /users`

use serde_json::json;

use super::{invalid, keys};
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer, query};

on_both![
    a_list_has_the_basic_fields,
    filters_narrow_the_list,
    a_search_is_taken_literally,
    pages_have_each_user_once,
    a_filter_that_makes_no_sense_is_refused,
];

async fn names(api: &Api, path: &str) -> Vec<String> {
    let list = api.get(path).await.expect(200).json();
    let mut names: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

async fn a_list_has_the_basic_fields(server: TestServer) {
    let c = Company::on(&server);
    for api in [c.frank.api(), c.acme.token("ci").create().api()] {
        let list = api.get("/users?username=alice").await.expect(200).json();
        assert_eq!(list.as_array().unwrap().len(), 1);
        for (key, value) in [
            ("id", json!(c.alice.id)),
            ("username", json!("alice")),
            ("name", json!("Alice")),
            ("state", json!("active")),
            ("locked", json!(false)),
            ("avatar_url", json!(null)),
            ("web_url", json!(format!("{}/alice", server.url))),
        ] {
            assert_eq!(list[0][key], value, "{key}");
            assert!(keys(&list[0]).contains(&key), "{key}");
        }
        assert!(!list.to_string().contains('@'), "{list}");
    }
    server.anonymous().get("/users").await.expect(401);
}

async fn filters_narrow_the_list(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("deploy").create();
    c.carol.block();
    let people = [
        "alice", "bob", "carol", "dave", "erin", "frank", "oscar", "paula", "root", "xenia",
    ];
    let without = |gone: &str| -> Vec<&str> {
        people
            .iter()
            .copied()
            .filter(|name| *name != gone)
            .collect()
    };
    let bot_name = bot.username.as_str();
    let frank = c.frank.api();
    for (query, expected) in [
        ("username=ALICE", vec!["alice"]),
        ("username=ali", vec![]),
        ("search=ali", vec!["alice"]),
        ("search=nobody-is-called-so", vec![]),
        ("blocked=true", vec!["carol"]),
        ("humans=true", people.to_vec()),
        ("without_project_bots=true", people.to_vec()),
        ("without_project_bots=true&active=true", without("carol")),
        ("humans=true&active=1", without("carol")),
        ("active=true&search=deploy", vec![bot_name]),
        ("humans=true&search=deploy", vec![]),
        ("without_project_bots=false&search=deploy", vec![bot_name]),
    ] {
        let path = format!("/users?per_page=100&{query}");
        assert_eq!(names(&frank, &path).await, expected, "{query}");
        let total = frank.get(&path).await.header("x-total").to_owned();
        assert_eq!(total, expected.len().to_string(), "{query}");
    }
    let everybody = names(&frank, "/users?per_page=100").await;
    assert!(everybody.contains(&bot.username) && everybody.contains(&"carol".to_owned()));
}

async fn a_search_is_taken_literally(server: TestServer) {
    let frank = server.person("frank").create();
    for (username, name) in [
        ("one", "a%b"),
        ("two", "a_b"),
        ("three", "axb"),
        ("four", r"a\b"),
        ("five", "a'b"),
    ] {
        server.person(username).named(name).create();
    }
    for (search, expected) in [
        ("a%b", vec!["one"]),
        ("a_b", vec!["two"]),
        (r"a\b", vec!["four"]),
        ("a'b", vec!["five"]),
        ("%%%", vec![]),
        ("___", vec![]),
        ("' OR '1'='1", vec![]),
    ] {
        let path = format!("/users?{}", query(&[("search", search)]));
        assert_eq!(names(&frank.api(), &path).await, expected, "{search}");
        let path = format!("/users?{}", query(&[("username", search)]));
        let none: Vec<String> = Vec::new();
        assert_eq!(names(&frank.api(), &path).await, none, "{search}");
    }
}

async fn pages_have_each_user_once(server: TestServer) {
    let c = Company::on(&server);
    let frank = c.frank.api();
    let mut seen = Vec::new();
    for page in 1..=4 {
        let path = format!("/users?per_page=3&page={page}");
        let answer = frank.get(&path).await.expect(200);
        assert_eq!(answer.header("x-total"), "10");
        assert_eq!(answer.header("x-total-pages"), "4");
        for user in answer.json().as_array().unwrap() {
            seen.push(user["id"].as_i64().unwrap());
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 10);
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let frank = server.person("frank").create().api();
    for (query, problem) in [
        ("active=perhaps", "active is invalid"),
        ("blocked=2", "blocked is invalid"),
        ("humans=x", "humans is invalid"),
        ("without_project_bots=x", "without_project_bots is invalid"),
        ("per_page=0", "per_page has a value not allowed"),
    ] {
        let answer = frank.get(&format!("/users?{query}")).await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
}
