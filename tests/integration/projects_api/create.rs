//! `POST /projects`

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use super::{forbidden, invalid, wrong};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_person_has_a_namespace_of_their_own,
    a_bot_makes_projects_in_its_group_alone,
    a_name_or_a_path_is_enough,
    a_path_is_taken_once_in_any_case,
    wrong_parameters_are_named,
    a_project_is_never_wider_than_its_group,
];

async fn a_person_has_a_namespace_of_their_own(server: TestServer) {
    let c = Company::on(&server);
    for person in [&c.frank, &c.carol] {
        let api = person.api();
        let made = api.post("/projects", json!({ "name": "My Notes" })).await;
        let made = made.expect(201).json();
        let name = &person.username;
        assert_eq!(made["path_with_namespace"], format!("{name}/my-notes"));
        assert_eq!(made["namespace"]["kind"], "user");
        assert_eq!(made["namespace"]["path"], json!(name));
        assert_eq!(made["owner"]["id"], person.id);
        assert_eq!(made["creator_id"], person.id);
        // By its id the namespace does as well.
        let body = json!({ "path": "second", "namespace_id": made["namespace"]["id"] });
        let second = api.post("/projects", body.clone()).await.expect(201).json();
        assert_eq!(second["path_with_namespace"], format!("{name}/second"));
        let answer = c.alice.api().post("/projects", body).await;
        assert!(matches!(answer.status, 403 | 404), "{}", answer.text());
        let shown = format!("/projects/{name}%2Fmy-notes");
        api.delete(&shown).await.expect(202);
        api.get(&shown).await.expect(404);
    }
    // A project in a group has no owner.
    let body = json!({ "path": "shop", "namespace_id": c.acme.id });
    let made = c.alice.api().post("/projects", body).await.expect(201);
    assert!(made.json().get("owner").is_none());
}

async fn a_bot_makes_projects_in_its_group_alone(server: TestServer) {
    let c = Company::on(&server);
    let of_group = c.sub.token("ci").role(AccessLevel::Developer).create();
    let body = json!({ "path": "made", "namespace_id": c.deep.id });
    let made = of_group.post("/projects", body).await.expect(201).json();
    assert_eq!(made["path_with_namespace"], "acme/sub/deep/made");
    assert_eq!(made["creator_id"], of_group.user_id);
    let of_project = c.p1.token("ci").role(AccessLevel::Owner).create();
    let before = server.inventory();
    for bot in [&of_group, &of_project] {
        let answer = bot.post("/projects", json!({ "path": "homeless" })).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        for namespace in [c.acme.id, c.other.id] {
            let body = json!({ "path": "beside", "namespace_id": namespace });
            bot.post("/projects", body).await.expect(404);
        }
    }
    assert_eq!(server.inventory(), before);
}

async fn a_name_or_a_path_is_enough(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for (body, name, path) in [
        (json!({ "name": "Web Shop" }), "Web Shop", "web-shop"),
        (json!({ "path": "Plain.js" }), "Plain.js", "Plain.js"),
        (json!({ "name": "One", "path": "two" }), "One", "two"),
        (json!({ "name": null, "path": "three" }), "three", "three"),
    ] {
        let mut sent = body.clone();
        sent["namespace_id"] = json!(c.acme.id.to_string());
        let made = alice.post("/projects", sent).await.expect(201).json();
        assert_eq!(made["name"], name, "{body}");
        assert_eq!(made["path"], path, "{body}");
    }
    let before = server.inventory();
    let answer = alice
        .post("/projects", json!({ "namespace_id": c.acme.id }))
        .await
        .expect(400);
    assert!(answer.text().contains("name"), "{}", answer.text());
    assert_eq!(server.inventory(), before);
}

async fn a_path_is_taken_once_in_any_case(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let before = server.inventory();
    for path in ["p1", "P1", "sub"] {
        let body = json!({ "path": path, "namespace_id": c.acme.id });
        let answer = alice.post("/projects", body).await;
        assert_eq!(
            answer.outcome(),
            wrong("path", "has already been taken"),
            "{path}"
        );
    }
    assert_eq!(server.inventory(), before);
}

async fn wrong_parameters_are_named(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let before = server.count("projects", "");
    for (field, value, problem) in [
        ("namespace_id", json!("acme"), "namespace_id is invalid"),
        ("namespace_id", json!(1.5), "namespace_id is invalid"),
        ("name", json!({ "a": 1 }), "name is invalid"),
        ("path", json!(["x"]), "path is invalid"),
        (
            "visibility",
            json!("secret"),
            "visibility does not have a valid value",
        ),
    ] {
        let mut body = json!({ "name": "x", "namespace_id": c.acme.id });
        body[field] = value;
        let answer = alice.post("/projects", body.clone()).await;
        assert_eq!(answer.outcome(), invalid(problem), "{body}");
    }
    for (who, api, namespace, expected) in [
        ("Reporter", c.dave.api(), c.acme.id, 403),
        ("outsider", c.frank.api(), c.acme.id, 404),
        ("nobody", server.anonymous(), c.acme.id, 401),
        ("Owner", c.alice.api(), 99_999_999, 404),
    ] {
        let body = json!({ "path": "x", "namespace_id": namespace });
        let answer = api.post("/projects", body).await;
        assert_eq!(answer.status, expected, "{who}: {}", answer.text());
        if expected == 403 {
            assert_eq!(answer.outcome(), forbidden());
        }
    }
    assert_eq!(server.count("projects", ""), before);
}

async fn a_project_is_never_wider_than_its_group(server: TestServer) {
    let alice = server.person("alice").create();
    let inside = server.group("inside").owner(&alice).internal().create();
    let api = alice.api();
    for (visibility, status) in [("private", 201), ("internal", 201), ("public", 400)] {
        let body =
            json!({ "path": visibility, "namespace_id": inside.id, "visibility": visibility });
        let answer = api.post("/projects", body).await;
        assert_eq!(answer.status, status, "{visibility}: {}", answer.text());
        if status == 400 {
            assert!(answer.json()["message"]["visibility"].is_array());
        } else {
            assert_eq!(answer.json()["visibility"], visibility);
        }
    }
    // Nor becomes it so later.
    let shown = "/projects/inside%2Finternal";
    let answer = api.put(shown, json!({ "visibility": "public" })).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let kept: Value = api.get(shown).await.expect(200).json();
    assert_eq!(kept["visibility"], "internal");
}
