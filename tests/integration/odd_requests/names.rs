//! Names that people give: kept to the byte, or refused.

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::assert_refused;
use crate::on_both;
use crate::support::{Answer, Api, Company, TestResource, TestServer};

on_both![
    a_name_comes_back_as_it_was_sent,
    what_is_no_name_is_refused_everywhere,
    both_databases_sort_names_alike,
];

/// What has a name, made under the number `number`.
async fn make(c: &Company, what: &str, number: usize, name: &Value) -> Answer {
    let root = c.root.api();
    match what {
        "group" => {
            let body = json!({ "name": name, "path": format!("g{number}") });
            root.post("/groups", body).await
        }
        "project" => {
            let body = json!({
                "name": name, "path": format!("named{number}"), "namespace_id": c.acme.id,
            });
            root.post("/projects", body).await
        }
        "user" => {
            let body = json!({
                "name": name, "username": format!("u{number}"),
                "email": format!("u{number}@example.com"),
                "password": "a horse that staples batteries",
            });
            root.post("/users", body).await
        }
        "project token" => {
            let path = format!("{}/access_tokens", c.p1.path());
            let body = json!({ "name": name, "scopes": ["api"] });
            root.post(&path, body).await
        }
        _ => {
            let path = format!("/users/{}/personal_access_tokens", c.frank.id);
            let body = json!({ "name": name, "scopes": ["api"] });
            root.post(&path, body).await
        }
    }
}

const ALL: [&str; 5] = [
    "group",
    "project",
    "user",
    "project token",
    "personal token",
];

async fn shown(c: &Company, api: &Api, what: &str, made: &Value) -> Value {
    let id = &made["id"];
    let path = match what {
        "group" => format!("/groups/{id}"),
        "project" => format!("/projects/{id}"),
        "user" => format!("/users/{id}"),
        "project token" => format!("{}/access_tokens/{id}", c.p1.path()),
        _ => format!("/personal_access_tokens/{id}"),
    };
    api.get(&path).await.expect(200).json()
}

async fn a_name_comes_back_as_it_was_sent(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let (longest, emoji) = ("x".repeat(255), "😀".repeat(255));
    for what in ALL {
        for (number, name) in [
            "a",
            "two  words",
            "👩‍👩‍👧‍👦",
            "שלום \u{202e}עולם\u{200f}",
            "e\u{301}\u{e9}",
            "<b>&amp;</b>",
            "O'Reilly; DROP TABLE users",
            "{{7*7}} ${7*7} %s %00",
            "\\u0000",
            "null",
            "\u{10ffff}",
            &longest,
            &emoji,
        ]
        .iter()
        .enumerate()
        {
            let made = make(&c, what, number, &json!(name))
                .await
                .expect(201)
                .json();
            assert_eq!(made["name"], *name, "{what}");
            assert_eq!(shown(&c, &root, what, &made).await["name"], *name, "{what}");
        }
        let trimmed = make(&c, what, 99, &json!("  ci \u{3000}")).await;
        assert_eq!(trimmed.expect(201).json()["name"], "ci", "{what}");
    }
}

async fn what_is_no_name_is_refused_everywhere(server: TestServer) {
    let c = Company::on(&server);
    let (too_long, three_hundred) = ("x".repeat(256), "😀".repeat(256));
    let before = server.inventory();
    for what in ALL {
        for name in [
            json!(" "),
            json!("\u{a0}\u{2003}"),
            json!("a\nb"),
            json!("a\u{7}b"),
            json!("a\u{0}b"),
            json!("a\u{7f}"),
            json!("a\u{85}b"),
            json!(too_long),
            json!(three_hundred),
            json!(["x"]),
            json!({ "a": "x" }),
        ] {
            if what == "project" && name.as_str().is_some_and(|name| name.trim().is_empty()) {
                // It has a path, and is called so.
                continue;
            }
            let answer = make(&c, what, 7, &name).await;
            let shown: String = name.to_string().chars().take(20).collect();
            assert_refused(&answer, &format!("{what}: {shown}"));
            assert_eq!(answer.status, 400, "{what}: {shown}");
            let text = answer.text().to_lowercase();
            assert!(text.contains("name"), "{what}: {shown}: {text}");
        }
    }
    let after = server.inventory();
    assert_eq!(
        (after.users, after.groups, after.projects),
        (before.users, before.groups, before.projects)
    );
}

/// By the numbers of the characters, whatever the case: not as a server's dictionary has it.
async fn both_databases_sort_names_alike(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let home = server.group("home").create();
    let sorted = [
        "-x", "1", "10", "2", "_x", "a", "A b", "a-b", "aa", "B", "z", "~", "ß", "ä", "ö", "я",
    ];
    // Neither as they are to be shown nor the other way round.
    let shuffled = (0..sorted.len()).map(|at| sorted[(at * 5 + 3) % sorted.len()]);
    for (number, name) in shuffled.enumerate() {
        let path = format!("s{number}");
        home.subgroup(&path).named(name).create();
        home.project(&format!("p{number}")).named(name).create();
        home.token(name).create();
        let person = server.person(&path).named(name).create();
        home.member(&person, AccessLevel::Guest);
    }
    let at = home.path();
    for list in [
        format!("{at}/subgroups?order_by=name&per_page=100"),
        format!("{at}/projects?order_by=name&sort=asc&per_page=100"),
        format!("{at}/access_tokens?sort=name_asc&per_page=100"),
    ] {
        let rows = root.get(&list).await.expect(200).json();
        let names: Vec<&str> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, sorted, "{list}");
    }
    let mut paged = Vec::new();
    let mut next = Some(format!(
        "{at}/subgroups?pagination=keyset&order_by=name&per_page=3"
    ));
    while let Some(path) = next {
        assert!(paged.len() <= sorted.len(), "{paged:?}");
        let answer = root.get(&path).await.expect(200);
        for row in answer.json().as_array().unwrap() {
            paged.push(row["name"].as_str().unwrap().to_owned());
        }
        let link = answer.header("link").split(['<', '>']).nth(1);
        next = link.map(|link| link.split("/api/v4").nth(1).unwrap().to_owned());
    }
    assert_eq!(paged, sorted);
}
