//! `PUT` and `DELETE /projects/:id`, and `PUT /projects/:id/transfer`

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{forbidden, invalid, project_missing, wrong};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    what_is_given_changes_and_nothing_else,
    a_new_path_is_the_address_from_then_on,
    each_refusal_has_its_words_and_changes_nothing,
    a_deleted_project_is_gone_with_its_tokens,
    a_project_moves_to_another_namespace,
    hidden_and_missing_have_one_status_and_one_body,
];

async fn what_is_given_changes_and_nothing_else(server: TestServer) {
    let alice = server.person("alice").create();
    let open = server.group("open").owner(&alice).public().create();
    let project = open.project("api").create();
    let api = alice.api();
    let mut expected = api.get(&project.path()).await.expect(200).json();
    for (field, value) in [
        ("name", json!("Big API")),
        ("description", json!("first\nsecond")),
        ("visibility", json!("private")),
    ] {
        let body = json!({ field: value, "unheard": [1] });
        let changed = api.put(&project.path(), body).await.expect(200).json();
        expected[field] = value;
        if field == "name" {
            expected["name_with_namespace"] = json!("open / Big API");
        }
        assert_eq!(changed[field], expected[field]);
        let shown = api.get(&project.path()).await.expect(200).json();
        assert_eq!(shown, expected, "{field}");
    }
}

async fn a_new_path_is_the_address_from_then_on(server: TestServer) {
    let c = Company::on(&server);
    let bob = c.bob.api();
    let token = c.p1.token("ci").create();
    let body = json!({ "path": "renamed" });
    let changed = bob.put(&c.p1.path(), body).await.expect(200).json();
    assert_eq!(changed["path_with_namespace"], "acme/renamed");
    assert_eq!(changed["name"], "p1");
    assert!(
        changed["http_url_to_repo"]
            .as_str()
            .unwrap()
            .ends_with("/acme/renamed.git")
    );
    let shown = bob.get("/projects/acme%2Frenamed").await.expect(200).json();
    assert_eq!(shown["id"], c.p1.id);
    let old = bob.get("/projects/acme%2Fp1").await;
    assert!(matches!(old.status, 301 | 404), "{}", old.status);
    token.get("/projects/acme%2Frenamed").await.expect(200);
}

async fn each_refusal_has_its_words_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    c.acme.project("beside").create();
    let bob = c.bob.api();
    let before = bob.get(&c.p1.path()).await.expect(200).json();
    for path in ["beside", "BESIDE", "sub"] {
        let answer = bob.put(&c.p1.path(), json!({ "path": path })).await;
        assert_eq!(
            answer.outcome(),
            wrong("path", "has already been taken"),
            "{path}"
        );
    }
    for (body, problem) in [
        (
            json!({ "visibility": "secret" }),
            "visibility does not have a valid value",
        ),
        (json!({ "name": ["x"] }), "name is invalid"),
        (
            json!({ "description": { "a": 1 } }),
            "description is invalid",
        ),
    ] {
        let answer = bob.put(&c.p1.path(), body.clone()).await;
        assert_eq!(answer.outcome(), invalid(problem), "{body}");
    }
    for (field, value) in [
        ("path", json!("a/b")),
        ("path", json!("x.git")),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\u{7}b")),
        ("visibility", json!("public")),
    ] {
        let body = json!({ field: value, "description": "changed" });
        let answer = bob.put(&c.p1.path(), body.clone()).await.expect(400);
        let problems = &answer.json()["message"][field];
        assert!(problems.is_array(), "{body}: {}", answer.text());
    }
    let body = json!({ "description": "changed" });
    let answer = c.carol.api().put(&c.p1.path(), body.clone()).await;
    assert_eq!(answer.outcome(), forbidden());
    server.anonymous().put(&c.p1.path(), body).await.expect(401);
    assert_eq!(bob.get(&c.p1.path()).await.json(), before);
}

async fn a_deleted_project_is_gone_with_its_tokens(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("ci").create();
    let beside = c.acme.token("above").create();
    let answer = c.bob.api().delete(&c.p1.path()).await;
    assert_eq!(answer.outcome(), forbidden());
    assert!(token.works().await);
    let answer = c.alice.api().delete("/projects/ACME%2Fp1").await;
    assert_eq!(
        answer.outcome(),
        (202, json!({ "message": "202 Accepted" }))
    );
    token.get("/personal_access_tokens/self").await.expect(401);
    assert!(beside.works().await);
    let alice = c.alice.api();
    for path in [c.p1.path(), "/projects/acme%2Fp1".to_owned()] {
        assert_eq!(alice.get(&path).await.outcome(), project_missing());
    }
    let list = alice.get("/groups/acme/projects").await.expect(200);
    assert_eq!((list.json(), list.header("x-total")), (json!([]), "0"));
}

async fn a_project_moves_to_another_namespace(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let token = c.p1.token("ci").create();
    let path = format!("{}/transfer", c.p1.path());
    let answer = alice.put(&path, json!({})).await;
    assert_eq!(answer.outcome(), invalid("namespace is missing"));
    let answer = alice.put(&path, json!({ "namespace": "other" })).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    let answer = c
        .bob
        .api()
        .put(&path, json!({ "namespace": c.sub.id }))
        .await;
    assert_eq!(answer.outcome(), forbidden());

    let body = json!({ "namespace": "acme/sub" });
    let moved = alice.put(&path, body).await.expect(200).json();
    assert_eq!(moved["id"], c.p1.id);
    assert_eq!(moved["path_with_namespace"], "acme/sub/p1");
    let body = json!({ "namespace": c.deep.id });
    let moved = alice.put(&path, body).await.expect(200).json();
    assert_eq!(moved["path_with_namespace"], "acme/sub/deep/p1");
    assert_eq!(moved["namespace"]["id"], c.deep.id);
    token
        .get("/projects/acme%2Fsub%2Fdeep%2Fp1")
        .await
        .expect(200);

    c.other.member(&c.alice, AccessLevel::Developer);
    let body = json!({ "namespace": "other" });
    let moved = alice.put(&path, body).await.expect(200).json();
    assert_eq!(moved["path_with_namespace"], "other/p1");
    c.bob.api().get(&c.p1.path()).await.expect(404);
    c.oscar.api().get("/projects/other%2Fp1").await.expect(200);
    assert!(token.works().await);
}

async fn hidden_and_missing_have_one_status_and_one_body(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("ci").role(AccessLevel::Owner).create();
    let (hidden, missing) = (c.p9.path(), "/projects/99999999".to_owned());
    for (who, api) in [("outsider", c.frank.api()), ("bot", bot.api())] {
        for below in ["", "/members", "/members/all", "/members/1"] {
            for project in [&hidden, &missing] {
                let answer = api.get(&format!("{project}{below}")).await;
                assert_eq!(
                    answer.outcome(),
                    project_missing(),
                    "{who}: {project}{below}"
                );
            }
        }
        for project in [&hidden, &missing] {
            for (path, body) in [
                (project.clone(), json!({ "description": "x" })),
                (
                    format!("{project}/transfer"),
                    json!({ "namespace": c.acme.id }),
                ),
                (
                    format!("{project}/members/1"),
                    json!({ "access_level": 10 }),
                ),
            ] {
                let answer = api.put(&path, body).await;
                assert_eq!(answer.outcome(), project_missing(), "{who}: {path}");
            }
            let members = format!("{project}/members");
            let body = json!({ "user_id": c.erin.id, "access_level": 10 });
            let answer = api.post(&members, body).await;
            assert_eq!(answer.outcome(), project_missing(), "{who}: {members}");
            for path in [project.clone(), format!("{members}/1")] {
                let answer = api.delete(&path).await;
                assert_eq!(answer.outcome(), project_missing(), "{who}: {path}");
            }
        }
    }
    c.oscar.api().get(&hidden).await.expect(200);
}
