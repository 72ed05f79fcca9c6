//! `POST /groups`

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{forbidden, group_missing, invalid};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_person_founds_a_group_and_owns_it,
    a_subgroup_takes_a_maintainer,
    external_people_and_bots_found_no_top_level_groups,
    each_refusal_has_its_words_and_leaves_nothing_behind,
    a_path_is_taken_once_in_any_case,
    a_child_is_never_wider_than_its_parent,
];

async fn a_person_founds_a_group_and_owns_it(server: TestServer) {
    let frank = server.person("frank").create();
    let body = json!({
        "name": "Big Company", "path": "Big.Company-1", "description": "first", "visibility": "internal",
    });
    let made = frank.api().post("/groups", body).await.expect(201).json();
    for (key, value) in [
        ("name", json!("Big Company")),
        ("path", json!("Big.Company-1")),
        ("full_path", json!("Big.Company-1")),
        ("full_name", json!("Big Company")),
        ("description", json!("first")),
        ("visibility", json!("internal")),
        ("parent_id", Value::Null),
        ("avatar_url", Value::Null),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        (
            "web_url",
            json!(format!("{}/groups/Big.Company-1", server.url)),
        ),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    let group = format!("/groups/{}", made["id"]);
    let members = frank.api().get(&format!("{group}/members")).await;
    let members = members.expect(200).json();
    assert_eq!(members.as_array().unwrap().len(), 1);
    assert_eq!(members[0]["username"], "frank");
    assert_eq!(members[0]["access_level"], 50);
    let shown = frank.api().get("/groups/big%2Ecompany-1").await.expect(200);
    assert_eq!(shown.json()["id"], made["id"]);
    // Left out, the visibility is that of the instance's new groups.
    let plain = json!({ "name": "Plain", "path": "plain" });
    let made = frank.api().post("/groups", plain).await.expect(201).json();
    assert_eq!(made["visibility"], "private");
}

async fn a_subgroup_takes_a_maintainer(server: TestServer) {
    let c = Company::on(&server);
    for (number, (who, api, status)) in [
        ("administrator", c.root.api(), 201),
        ("Owner", c.alice.api(), 201),
        ("Maintainer", c.bob.api(), 201),
        ("Developer", c.carol.api(), 403),
        ("Guest", c.erin.api(), 403),
        ("outsider", c.frank.api(), 404),
        (
            "a Maintainer's bot",
            c.acme
                .token("ci")
                .role(AccessLevel::Maintainer)
                .create()
                .api(),
            201,
        ),
        (
            "a Developer's bot",
            c.acme
                .token("ci")
                .role(AccessLevel::Developer)
                .create()
                .api(),
            403,
        ),
        ("nobody", server.anonymous(), 401),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "name": "New", "path": format!("new{number}"), "parent_id": c.sub.id });
        let members = server.count("memberships", "");
        let answer = api.post("/groups", body).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
        match status {
            201 => {
                let made = answer.json();
                assert_eq!(made["parent_id"], c.sub.id, "{who}");
                assert_eq!(made["full_path"], format!("acme/sub/new{number}"));
                assert_eq!(made["full_name"], "acme / sub / New");
            }
            403 => assert_eq!(answer.outcome(), forbidden(), "{who}"),
            404 => assert_eq!(answer.outcome(), group_missing(), "{who}"),
            _ => {}
        }
        assert_eq!(
            server.count("memberships", ""),
            members,
            "{who}: no role is added"
        );
    }
    let reader = c.alice.personal_token([Scope::ReadApi]);
    let body = json!({ "name": "New", "path": "new", "parent_id": c.sub.id });
    reader.post("/groups", body).await.expect(403);
}

async fn external_people_and_bots_found_no_top_level_groups(server: TestServer) {
    let c = Company::on(&server);
    let before = server.inventory();
    let tokens = [
        c.acme.token("ci").role(AccessLevel::Owner).create(),
        c.p1.token("ci").role(AccessLevel::Owner).create(),
    ];
    let made = server.inventory();
    for api in [c.xenia.api(), tokens[0].api(), tokens[1].api()] {
        let body = json!({ "name": "New", "path": "new" });
        let answer = api.post("/groups", body).await.expect(403);
        assert!(answer.message().starts_with("403 Forbidden"));
    }
    assert_eq!(server.inventory().groups, made.groups);
    assert_eq!(made.groups, before.groups);
}

async fn each_refusal_has_its_words_and_leaves_nothing_behind(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let long = "x".repeat(256);
    let exact: Vec<(Value, (u16, Value))> = vec![
        (json!({}), invalid("name is missing, path is missing")),
        (json!({ "path": "new" }), invalid("name is missing")),
        (json!({ "name": "New" }), invalid("path is missing")),
        (
            json!({ "name": "New", "path": "new", "visibility": "secret" }),
            invalid("visibility does not have a valid value"),
        ),
        (
            json!({ "name": "New", "path": "new", "parent_id": "acme" }),
            invalid("parent_id is invalid"),
        ),
        (
            json!({ "name": "New", "path": "new", "parent_id": [1] }),
            invalid("parent_id is invalid"),
        ),
        (
            json!({ "name": ["New"], "path": "new" }),
            invalid("name is invalid"),
        ),
        (
            json!({ "name": "New", "path": "new", "parent_id": 99_999_999 }),
            group_missing(),
        ),
        (
            json!({ "name": "New", "path": "new", "parent_id": c.other.id }),
            group_missing(),
        ),
    ];
    let before = server.inventory();
    for (body, expected) in exact {
        let answer = alice.post("/groups", body.clone()).await;
        assert_eq!(answer.outcome(), expected, "{body}");
    }
    for (name, path, field) in [
        ("New", "-x", "path"),
        ("New", "a/b", "path"),
        ("New", "x.git", "path"),
        ("New", "x.atom", "path"),
        ("New", "x.", "path"),
        ("New", "a..b", "path"),
        ("New", "ä", "path"),
        ("New", "a b", "path"),
        ("New", &long, "path"),
        ("New", "api", "path"),
        ("New", "groups", "path"),
        ("New", "users", "path"),
        (" ", "new", "name"),
        (&long, "new", "name"),
        ("a\u{0}b", "new", "name"),
        ("a\nb", "new", "name"),
    ] {
        let body = json!({ "name": name, "path": path });
        let answer = alice.post("/groups", body.clone()).await.expect(400);
        let text = answer.message();
        assert!(text.contains(field), "{body}: {text}");
    }
    assert_eq!(server.inventory(), before);
}

async fn a_path_is_taken_once_in_any_case(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let taken = (
        400,
        json!({ "message": r#"Failed to save group {:path=>["has already been taken"]}"# }),
    );
    let before = server.inventory();
    for body in [
        json!({ "name": "New", "path": "acme" }),
        json!({ "name": "New", "path": "ACME" }),
        // Also where the caller can't see what took it, and where it is a person's name.
        json!({ "name": "New", "path": "other" }),
        json!({ "name": "New", "path": "frank" }),
        json!({ "name": "New", "path": "sub", "parent_id": c.acme.id }),
        json!({ "name": "New", "path": "Sub", "parent_id": c.acme.id }),
        // A project has it.
        json!({ "name": "New", "path": "p1", "parent_id": c.acme.id }),
    ] {
        let answer = alice.post("/groups", body.clone()).await;
        assert_eq!(answer.outcome(), taken, "{body}");
    }
    assert_eq!(server.inventory(), before);
    let elsewhere = json!({ "name": "New", "path": "acme", "parent_id": c.acme.id });
    alice.post("/groups", elsewhere).await.expect(201);
}

async fn a_child_is_never_wider_than_its_parent(server: TestServer) {
    let alice = server.person("alice").create();
    let inside = server.group("inside").owner(&alice).internal().create();
    let api = alice.api();
    for (visibility, status) in [("private", 201), ("internal", 201), ("public", 400)] {
        let body = json!({
            "name": "New", "path": visibility, "parent_id": inside.id, "visibility": visibility,
        });
        let answer = api.post("/groups", body).await;
        assert_eq!(answer.status, status, "{visibility}: {}", answer.text());
        if status == 400 {
            assert!(answer.message().contains("visibility"), "{}", answer.text());
        }
    }
    // Narrowing the parent below its children is refused too.
    let narrow = json!({ "visibility": "private" });
    let answer = api.put(&inside.path(), narrow).await.expect(400);
    assert!(answer.json()["message"]["visibility"].is_array());
    assert_eq!(
        api.get(&inside.path()).await.json()["visibility"],
        "internal"
    );
}
