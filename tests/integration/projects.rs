//! `/projects`: what a token manages.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    a_project_is_shown_as_clients_know_it,
    a_token_manages_a_project,
    roles_decide_who_makes_changes_and_deletes,
    a_project_without_a_place_lands_with_its_maker,
    a_child_is_never_wider_than_its_parent,
    each_wrong_field_is_named,
    a_deleted_project_is_gone,
];

async fn a_project_is_shown_as_clients_know_it(server: TestServer) {
    let company = Company::on(&server);
    let url = &server.url;
    let project = company
        .bob
        .api()
        .get(&company.p2.path())
        .await
        .expect(200)
        .json();
    for (key, value) in [
        ("id", json!(company.p2.id)),
        ("description", json!("")),
        ("name", json!("p2")),
        ("name_with_namespace", json!("acme / sub / p2")),
        ("path", json!("p2")),
        ("path_with_namespace", json!("acme/sub/p2")),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        ("default_branch", json!("main")),
        ("tag_list", json!([])),
        ("topics", json!([])),
        ("http_url_to_repo", json!(format!("{url}/acme/sub/p2.git"))),
        ("web_url", json!(format!("{url}/acme/sub/p2"))),
        ("forks_count", json!(0)),
        ("star_count", json!(0)),
        ("avatar_url", Value::Null),
        ("last_activity_at", json!("2026-11-20T10:00:00.000Z")),
        ("visibility", json!("private")),
        ("archived", json!(false)),
        ("empty_repo", json!(true)),
    ] {
        assert_eq!(project[key], value, "{key}");
    }
    let namespace = &project["namespace"];
    assert_eq!(namespace["id"], company.sub.id);
    assert_eq!(namespace["kind"], "group");
    assert_eq!(namespace["full_path"], "acme/sub");
    assert_eq!(namespace["parent_id"], company.acme.id);
    assert_eq!(project["permissions"]["group_access"]["access_level"], 40);
    assert_eq!(project["permissions"]["project_access"], Value::Null);
    company.p2.member(&company.erin, AccessLevel::Developer);
    let to_erin = company
        .erin
        .api()
        .get(&company.p2.path())
        .await
        .expect(200)
        .json();
    assert_eq!(to_erin["permissions"]["project_access"]["access_level"], 30);
    assert_eq!(to_erin["permissions"]["group_access"]["access_level"], 10);
}

async fn a_token_manages_a_project(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").role(AccessLevel::Owner).create();
    let made = token
        .post(
            "/projects",
            json!({ "name": "Web Shop", "namespace_id": company.sub.id, "description": "first" }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(made["path"], "web-shop");
    assert_eq!(made["path_with_namespace"], "acme/sub/web-shop");
    assert_eq!(made["creator_id"], token.user_id);
    let path = format!("/projects/{}", made["id"]);
    let changed = token
        .put(&path, json!({ "description": "second", "name": "Shop" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["description"], &changed["name"]),
        (&json!("second"), &json!("Shop"))
    );
    assert_eq!(changed["path"], "web-shop");
    token.delete(&path).await.expect(202);
    token.get(&path).await.expect(404);
}

/// The statuses of making, changing and deleting a project of `company.acme`.
async fn statuses(company: &Company, api: &Api) -> [u16; 3] {
    let path = format!("made{}", company.acme.server.next());
    let project = company.acme.project(&format!("target-{path}")).create();
    [
        api.post(
            "/projects",
            json!({ "path": path, "namespace_id": company.acme.id }),
        )
        .await
        .status,
        api.put(&project.path(), json!({ "description": "changed" }))
            .await
            .status,
        api.delete(&project.path()).await.status,
    ]
}

async fn roles_decide_who_makes_changes_and_deletes(server: TestServer) {
    let company = Company::on(&server);
    let people = [
        (&company.root, [201, 200, 202]),
        (&company.alice, [201, 200, 202]),
        (&company.bob, [201, 200, 403]),
        (&company.carol, [201, 403, 403]),
        (&company.dave, [403, 403, 403]),
        (&company.paula, [403, 403, 403]),
        (&company.erin, [403, 403, 403]),
        (&company.frank, [404, 404, 404]),
    ];
    for (person, expected) in people {
        assert_eq!(
            statuses(&company, &person.api()).await,
            expected,
            "{}",
            person.username
        );
    }
    assert_eq!(
        statuses(&company, &server.anonymous()).await,
        [401, 401, 401]
    );
    for (level, expected) in [
        (AccessLevel::Owner, [201, 200, 202]),
        (AccessLevel::Maintainer, [201, 200, 403]),
        (AccessLevel::Developer, [201, 403, 403]),
        (AccessLevel::Reporter, [403, 403, 403]),
        (AccessLevel::Planner, [403, 403, 403]),
        (AccessLevel::Guest, [403, 403, 403]),
    ] {
        let bot = company.acme.token("bot").role(level).create();
        assert_eq!(statuses(&company, &bot).await, expected, "bot, {level}");
        let reader = company
            .acme
            .token("bot")
            .role(level)
            .scopes([Scope::ReadApi])
            .create();
        assert_eq!(
            statuses(&company, &reader).await,
            [403, 403, 403],
            "reading bot, {level}"
        );
    }
}

async fn a_project_without_a_place_lands_with_its_maker(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let made = alice
        .post("/projects", json!({ "path": "own" }))
        .await
        .expect(201)
        .json();
    assert_eq!(made["path_with_namespace"], "alice/own");
    assert_eq!(made["namespace"]["kind"], "user");
    assert_eq!(made["owner"]["username"], "alice");
    let path = format!("/projects/{}", made["id"]);
    alice
        .put(&path, json!({ "description": "mine" }))
        .await
        .expect(200);
    company.frank.api().get(&path).await.expect(404);
    alice.delete(&path).await.expect(202);
    // A bot has no namespace.
    let bot = company.acme.token("ci").role(AccessLevel::Owner).create();
    bot.post("/projects", json!({ "path": "own" }))
        .await
        .expect(403);
    let to_somebody = json!({ "path": "own", "namespace_id": made["namespace"]["id"] });
    let status = company
        .frank
        .api()
        .post("/projects", to_somebody)
        .await
        .status;
    assert!(matches!(status, 403 | 404), "{status}");
}

async fn a_child_is_never_wider_than_its_parent(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let before = server.inventory();
    for visibility in ["internal", "public"] {
        let body =
            json!({ "path": "wide", "namespace_id": company.acme.id, "visibility": visibility });
        let answer = alice.post("/projects", body).await.expect(400);
        assert!(
            answer.json()["message"].to_string().contains("visibility"),
            "{}",
            answer.text()
        );
        let answer = alice
            .put(&company.p1.path(), json!({ "visibility": visibility }))
            .await
            .expect(400);
        assert!(
            answer.json()["message"].to_string().contains("visibility"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(server.inventory(), before);
}

async fn each_wrong_field_is_named(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let long = "x".repeat(256);
    let rows = [
        (json!({}), ["name", "path"].as_slice()),
        (json!({ "path": "p1" }), &["path"]),
        (json!({ "path": "P1" }), &["path"]),
        (json!({ "path": "a b" }), &["path"]),
        (json!({ "path": "-x" }), &["path"]),
        (json!({ "path": "x.git" }), &["path"]),
        (json!({ "path": "x." }), &["path"]),
        (json!({ "path": ".." }), &["path"]),
        (json!({ "path": long }), &["path"]),
        (json!({ "name": long, "path": "ok" }), &["name"]),
        (json!({ "name": "a\u{0}b", "path": "ok" }), &["name"]),
        (
            json!({ "path": "ok", "visibility": "secret" }),
            &["visibility"],
        ),
        (
            json!({ "path": "ok", "description": "x".repeat(100_000) }),
            &["description"],
        ),
        (json!({ "path": ["ok"] }), &["path"]),
    ];
    let before = server.inventory();
    for (mut body, fields) in rows {
        body["namespace_id"] = json!(company.acme.id);
        let answer = alice.post("/projects", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        let text = answer.text();
        assert!(
            fields.iter().any(|field| text.contains(field)),
            "{body}: {text}"
        );
    }
    assert_eq!(server.inventory(), before);
    let taken = alice
        .post(
            "/projects",
            json!({ "path": "p1", "namespace_id": company.acme.id }),
        )
        .await;
    assert_eq!(
        taken.outcome(),
        (
            400,
            json!({ "message": { "path": ["has already been taken"] } })
        )
    );
    // A subgroup and a project can't have the same address either.
    alice
        .post(
            "/projects",
            json!({ "path": "sub", "namespace_id": company.acme.id }),
        )
        .await
        .expect(400);
    for namespace in [json!("x"), json!([1]), json!(1.5)] {
        let answer = alice
            .post(
                "/projects",
                json!({ "path": "ok", "namespace_id": namespace }),
            )
            .await
            .expect(400);
        assert_eq!(answer.error(), "namespace_id is invalid", "{namespace}");
    }
    let nowhere = json!({ "path": "ok", "namespace_id": 99_999 });
    alice.post("/projects", nowhere).await.expect(404);
    for change in [
        json!({ "name": "" }),
        json!({ "visibility": "x" }),
        json!({ "name": long }),
    ] {
        let answer = alice.put(&company.p1.path(), change.clone()).await;
        if change == json!({ "name": "" }) {
            // An empty optional parameter equals leaving it out.
            assert!(matches!(answer.status, 200 | 400), "{}", answer.text());
        } else {
            assert_eq!(answer.status, 400, "{change}: {}", answer.text());
        }
    }
    assert_eq!(alice.get(&company.p1.path()).await.json()["name"], "p1");
}

async fn a_deleted_project_is_gone(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.p1.token("ci").create();
    token.get(&company.p1.path()).await.expect(200);
    alice.delete(&company.p1.path()).await.expect(202);
    alice.get(&company.p1.path()).await.expect(404);
    alice.get("/projects/acme%2Fp1").await.expect(404);
    alice.delete(&company.p1.path()).await.expect(404);
    token.get("/user").await.expect(401);
    // Not even when the path is used again.
    let again = alice
        .post(
            "/projects",
            json!({ "path": "p1", "namespace_id": company.acme.id }),
        )
        .await
        .expect(201);
    token.get("/user").await.expect(401);
    assert_ne!(again.json()["id"], company.p1.id);
    server.rest().await;
    assert_eq!(
        server.count("access_tokens", &format!("id = {}", token.id)),
        0
    );
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
}
