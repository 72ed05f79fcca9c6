//! Each of these was a defect once, or nearly.

use latchkey::members::AccessLevel;
use serde_json::json;

use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    what_is_looked_for_is_bounded_on_every_list,
    whoever_may_not_rotate_a_token_cannot_hush_the_alarm_up,
    an_address_that_no_database_can_index_is_refused,
    an_ended_membership_is_nobodys_to_change,
    a_value_in_the_place_of_an_id_is_not_echoed_or_kept,
    a_new_user_name_makes_no_password,
    a_change_of_nothing_leaves_no_line,
    names_of_every_script_are_paged_once,
];

async fn what_is_looked_for_is_bounded_on_every_list(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let long = "a".repeat(60_000);
    let many = "aaa ".repeat(20_000);
    for (path, parameter) in [
        ("/groups".to_owned(), "search"),
        (format!("{}/subgroups", company.acme.path()), "search"),
        ("/projects".to_owned(), "search"),
        (format!("{}/projects", company.acme.path()), "search"),
        (format!("{}/members", company.acme.path()), "query"),
        (format!("{}/members/all", company.p1.path()), "query"),
        (format!("{}/access_tokens", company.acme.path()), "search"),
        (format!("{}/access_tokens", company.p1.path()), "search"),
        ("/personal_access_tokens".to_owned(), "search"),
        ("/users".to_owned(), "search"),
        ("/users".to_owned(), "username"),
    ] {
        for text in [&long, &many] {
            let answer = alice
                .send(reqwest::Method::GET, &path, json!({ parameter: text }))
                .await;
            let answer = answer.expect(400);
            assert_eq!(answer.error(), format!("{parameter} is invalid"), "{path}");
        }
        let words = "aaa ".repeat(63);
        let answer = alice
            .send(reqwest::Method::GET, &path, json!({ parameter: words }))
            .await;
        answer.expect(200);
    }
}

async fn whoever_may_not_rotate_a_token_cannot_hush_the_alarm_up(server: TestServer) {
    let company = Company::on(&server);
    let stolen = company.acme.token("ci").create();
    let thief = stolen
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200)
        .json();
    let successor = server.with_token(thief["token"].as_str().unwrap());
    // The note of the real rotation is over; everybody tries to make a new one.
    let stranger = company.frank.api();
    let paths = [
        format!("/personal_access_tokens/{}/rotate", stolen.id),
        format!("{}/access_tokens/{}/rotate", company.acme.path(), stolen.id),
    ];
    for caller in [&stranger, &successor, &company.alice.api()] {
        for path in &paths {
            let status = caller.post(path, json!({})).await.status;
            assert!([400, 401, 404].contains(&status), "{path}: {status}");
        }
    }
    stolen
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(401);
    successor.get("/user").await.expect(401);
}

async fn an_address_that_no_database_can_index_is_refused(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let made = async |parent: Option<i64>, path: &str| {
        root.post(
            "/groups",
            json!({ "name": "deep", "path": path, "parent_id": parent }),
        )
        .await
    };
    let mut parent = None;
    for letter in ["a", "b", "c"] {
        let group = made(parent, &letter.repeat(255)).await.expect(201).json();
        parent = group["id"].as_i64();
    }
    let refused = made(parent, &"d".repeat(255)).await.expect(400);
    assert!(
        refused
            .message()
            .starts_with("Failed to save group {:path=>[\"is too long"),
        "{}",
        refused.message()
    );
    // 255 + 1 + 255 + 1 + 255 + 1 + 232 = 1,000
    let deepest = made(parent, &"d".repeat(232)).await.expect(201).json();
    let in_it = json!({ "path": "p", "namespace_id": deepest["id"] });
    let refused = root.post("/projects", in_it).await.expect(400);
    assert!(
        refused.message().contains("is too long"),
        "{}",
        refused.message()
    );
    let project = json!({ "path": "p", "namespace_id": parent });
    let project = root.post("/projects", project).await.expect(201).json();
    let at = format!("/projects/{}", project["id"]);
    let longer = json!({ "path": "p".repeat(255) });
    root.put(&at, longer).await.expect(400);
    let there = json!({ "namespace": deepest["id"] });
    root.put(&format!("{at}/transfer"), there).await.expect(400);

    let top = made(None, "top").await.expect(201).json();
    let short = root.get(&format!("/groups/{}", "a".repeat(255))).await;
    let short = short.expect(200).json();
    let move_it = format!("/groups/{}/transfer", short["id"]);
    let under = json!({ "group_id": top["id"] });
    let refused = root.post(&move_it, under).await.expect(400);
    assert!(
        refused.message().contains("is too long"),
        "{}",
        refused.message()
    );
    let leaf = made(top["id"].as_i64(), "leaf").await.expect(201).json();
    let renamed = root
        .put(
            &format!("/groups/{}", leaf["id"]),
            json!({ "path": "e".repeat(255) }),
        )
        .await;
    renamed.expect(200);
}

async fn an_ended_membership_is_nobodys_to_change(server: TestServer) {
    let company = Company::on(&server);
    company
        .acme
        .member_until(&company.frank, AccessLevel::Guest, "2026-11-22");
    server
        .clock
        .set(crate::support::server::moment("2026-11-23T00:00:00Z"));
    let alice = company.alice.api();
    let path = format!("{}/members/{}", company.acme.path(), company.frank.id);
    alice
        .put(&path, json!({ "access_level": 30 }))
        .await
        .expect(404);
    alice.delete(&path).await.expect(404);
    let raised = format!("user_id = {} AND access_level = 30", company.frank.id);
    assert_eq!(server.count("memberships", &raised), 0);
    let changed = "event = 'member_level_changed'";
    assert_eq!(server.count("audit_events", changed), 0);
    let again = json!({ "user_id": company.frank.id, "access_level": 20 });
    let members = format!("{}/members", company.acme.path());
    alice.post(&members, again).await.expect(201);
}

async fn a_value_in_the_place_of_an_id_is_not_echoed_or_kept(server: TestServer) {
    let company = Company::on(&server);
    let secret = company.acme.token("ci").create().value;
    let alice = company.alice.api();
    for at in [company.acme.path(), company.p1.path()] {
        let path = format!("{at}/access_tokens/{secret}");
        for answer in [
            alice.get(&path).await,
            alice.delete(&path).await,
            alice.post(&format!("{path}/rotate"), json!({})).await,
        ] {
            assert!(matches!(answer.status, 401 | 404), "{}", answer.status);
            assert!(!answer.text().contains(&secret), "{}", answer.text());
        }
    }
    let kept = format!("details LIKE '%{}%'", &secret[..16]);
    assert_eq!(server.count("audit_events", &kept), 0);
}

async fn a_new_user_name_makes_no_password(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let carol = server.person("carol").create();
    let name = "carolsverynewname";
    let answer = root
        .put(
            &format!("/users/{}", carol.id),
            json!({ "username": name, "password": name }),
        )
        .await
        .expect(400);
    assert!(answer.json()["message"]["password"].is_array());
    let unchanged = root.get(&format!("/users/{}", carol.id)).await.expect(200);
    assert_eq!(unchanged.json()["username"], "carol");
}

async fn a_change_of_nothing_leaves_no_line(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let lines = || server.count("audit_events", "");
    let before = lines();
    for (path, body) in [
        (company.acme.path(), json!({})),
        (company.acme.path(), json!({ "name": "acme" })),
        (
            company.acme.path(),
            json!({ "resource_access_token_creation_allowed": true }),
        ),
        (
            company.sub.path(),
            json!({ "resource_access_token_creation_allowed": true }),
        ),
        (company.p1.path(), json!({})),
        (company.p1.path(), json!({ "description": "" })),
    ] {
        alice.put(&path, body).await.expect(200);
    }
    assert_eq!(lines(), before);
    let path = company.acme.path();
    alice
        .put(&path, json!({ "description": "x" }))
        .await
        .expect(200);
    assert_eq!(lines(), before + 1);
}

/// All names of a list, page by page, as its links lead.
async fn all_names(api: &Api, first: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        assert!(names.len() < 50, "it never ends: {names:?}");
        let answer = api.get(&path).await.expect(200);
        for group in answer.json().as_array().unwrap() {
            names.push(group["name"].as_str().unwrap().to_owned());
        }
        next = answer
            .header("link")
            .split(['<', '>'])
            .find(|part| part.starts_with("http"))
            .map(|link| link.split("/api/v4").nth(1).unwrap().to_owned());
    }
    names
}

async fn names_of_every_script_are_paged_once(server: TestServer) {
    let alice = server.person("alice").create();
    let wanted = [
        "ΟΔΥΣΣΕΥΣ",
        "οδυσσευς",
        "ΩΜΕΓΑ",
        "İstanbul",
        "İstanbul",
        "istanbul",
        "straße",
        "STRASSE",
        "Zürich",
        "zürich",
        "a",
        "A",
        "aa",
    ];
    for (number, name) in wanted.iter().enumerate() {
        server
            .group(&format!("g{number}"))
            .named(name)
            .owner(&alice)
            .private()
            .create();
    }
    let api = alice.api();
    for sort in ["asc", "desc"] {
        let first =
            format!("/groups?pagination=keyset&order_by=name&per_page=1&owned=true&sort={sort}");
        let mut found = all_names(&api, &first).await;
        found.sort_unstable();
        let mut all: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        all.sort_unstable();
        assert_eq!(found, all, "{sort}");
    }
}
