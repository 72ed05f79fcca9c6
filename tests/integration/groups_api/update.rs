//! `PUT /groups/:id`

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{forbidden, group_missing, invalid};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    what_is_given_changes_and_nothing_else,
    owners_and_administrators_change_a_group_and_nobody_else,
    a_new_path_moves_everything_below,
    each_refusal_has_its_words_and_changes_nothing,
    the_switch_is_turned_on_the_top_level_group,
    a_subgroup_has_no_switch,
];

const SWITCH: &str = "resource_access_token_creation_allowed";

async fn what_is_given_changes_and_nothing_else(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let mut expected = alice.get("/groups/acme?with_projects=false").await.json();
    for (field, value) in [
        ("name", json!("Acme & Sons")),
        ("description", json!("makes anvils")),
        ("visibility", json!("public")),
    ] {
        let mut body = json!({ "unheard": 1 });
        body[field] = value.clone();
        let changed = alice.put(&c.acme.path(), body).await.expect(200).json();
        expected[field] = value;
        if field == "name" {
            expected["full_name"] = expected["name"].clone();
        }
        assert_eq!(changed[field], expected[field]);
        let shown = alice.get("/groups/acme?with_projects=false").await;
        assert_eq!(shown.expect(200).json(), expected, "{field}");
    }
    let sub = alice.get(&c.sub.path()).await.json();
    assert_eq!(sub["full_name"], "Acme & Sons / sub");
    // Null and nothing leave the name as it is.
    for name in [Value::Null, json!("")] {
        let body = json!({ "name": name, "description": "again" });
        let changed = alice.put(&c.acme.path(), body).await.expect(200).json();
        assert_eq!(changed["name"], "Acme & Sons", "{name}");
    }
}

async fn owners_and_administrators_change_a_group_and_nobody_else(server: TestServer) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    let body = json!({ "description": "changed" });
    for (who, api, status) in [
        ("administrator", c.root.api(), 200),
        ("Owner above", c.alice.api(), 200),
        ("Owner", olga.api(), 200),
        ("Maintainer", c.bob.api(), 403),
        ("Developer", c.carol.api(), 403),
        ("Guest", c.erin.api(), 403),
        ("outsider", c.frank.api(), 404),
        ("nobody", server.anonymous(), 401),
        (
            "an Owner's bot",
            c.sub.token("ci").role(AccessLevel::Owner).create().api(),
            200,
        ),
        ("a Maintainer's bot", c.sub.token("ci").create().api(), 403),
        (
            "an Owner who may only read",
            c.alice.personal_token([Scope::ReadApi]).api(),
            403,
        ),
    ] {
        let answer = api.put(&c.sub.path(), body.clone()).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text());
        if who == "Maintainer" {
            assert_eq!(answer.outcome(), forbidden());
        }
        if status == 404 {
            assert_eq!(answer.outcome(), group_missing());
        }
    }
    // Being an Owner below is no right above.
    let answer = olga.api().put(&c.acme.path(), body).await;
    assert_eq!(answer.outcome(), group_missing());
}

async fn a_new_path_moves_everything_below(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let token = c.deep.token("ci").create();
    let body = json!({ "path": "emca" });
    let changed = alice.put("/groups/ACME", body).await.expect(200).json();
    assert_eq!(changed["id"], c.acme.id);
    assert_eq!(changed["full_path"], "emca");
    assert_eq!(changed["name"], "acme", "the name stays");
    for path in ["/groups/acme", "/groups/acme%2Fsub"] {
        assert_eq!(alice.get(path).await.outcome(), group_missing(), "{path}");
    }
    let deep = alice.get("/groups/emca%2Fsub%2Fdeep").await.expect(200);
    assert_eq!(deep.json()["id"], c.deep.id);
    let p3 = alice.get("/projects/emca%2Fsub%2Fdeep%2Fp3").await;
    assert_eq!(p3.expect(200).json()["id"], c.p3.id);
    token.get("/groups/emca%2Fsub%2Fdeep").await.expect(200);
    // The old address is free.
    let body = json!({ "name": "New", "path": "acme" });
    c.frank.api().post("/groups", body).await.expect(201);
    token.get("/groups/acme").await.expect(404);
}

async fn each_refusal_has_its_words_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let taken = (
        400,
        json!({ "message": { "path": ["has already been taken"] } }),
    );
    for path in ["other", "Other", "frank"] {
        let answer = alice.put(&c.acme.path(), json!({ "path": path })).await;
        assert_eq!(answer.outcome(), taken, "{path}");
    }
    for (body, problem) in [
        (
            json!({ "visibility": "secret" }),
            "visibility does not have a valid value",
        ),
        (json!({ "name": ["x"] }), "name is invalid"),
        (json!({ "path": { "a": 1 } }), "path is invalid"),
        (
            json!({ SWITCH: "perhaps" }),
            "resource_access_token_creation_allowed is invalid",
        ),
    ] {
        let answer = alice.put(&c.acme.path(), body.clone()).await;
        assert_eq!(answer.outcome(), invalid(problem), "{body}");
    }
    for (field, value) in [
        ("path", json!("-x")),
        ("path", json!("a/b")),
        ("path", json!("x".repeat(256))),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\u{0}b")),
    ] {
        let body = json!({ field: value, "description": "changed" });
        let answer = alice.put(&c.acme.path(), body.clone()).await.expect(400);
        let problems = &answer.json()["message"][field];
        assert!(problems.is_array(), "{body}: {}", answer.text());
    }
    let shown = alice.get(&c.acme.path()).await.json();
    assert_eq!(
        (&shown["name"], &shown["path"]),
        (&json!("acme"), &json!("acme"))
    );
    assert_eq!(shown["description"], "", "nothing is half done");
}

async fn the_switch_is_turned_on_the_top_level_group(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let wanted = json!({ "name": "x", "scopes": ["api"] });
    let tokens = format!("{}/access_tokens", c.deep.path());
    for (sent, allowed) in [
        (json!(false), false),
        (json!("true"), true),
        (json!("0"), false),
        (json!(true), true),
    ] {
        let body = json!({ SWITCH: sent });
        let changed = alice.put(&c.acme.path(), body).await.expect(200).json();
        assert_eq!(changed[SWITCH], allowed, "{sent}");
        for group in [&c.acme, &c.deep] {
            let shown = alice.get(&group.path()).await.json();
            assert_eq!(shown[SWITCH], allowed, "{sent}");
        }
        let status = if allowed { 201 } else { 400 };
        let answer = alice.post(&tokens, wanted.clone()).await;
        assert_eq!(answer.status, status, "{sent}: {}", answer.text());
    }
    let events = "event = 'resource_access_token_creation_allowed_changed'";
    assert_eq!(server.count("audit_events", events), 4);
    for (who, api) in [
        ("a Maintainer", c.bob.api()),
        ("a Maintainer's bot", c.acme.token("ci").create().api()),
    ] {
        let answer = api.put(&c.acme.path(), json!({ SWITCH: false })).await;
        assert_eq!(answer.status, 403, "{who}");
    }
    assert_eq!(alice.get(&c.acme.path()).await.json()[SWITCH], true);
}

async fn a_subgroup_has_no_switch(server: TestServer) {
    let c = Company::on(&server);
    let refusal = (
        400,
        json!({ "message": { SWITCH: ["can only be changed on a top-level group"] } }),
    );
    for person in [&c.alice, &c.root] {
        for group in [&c.sub, &c.deep] {
            let body = json!({ SWITCH: false, "description": "changed" });
            let answer = person.api().put(&group.path(), body).await;
            assert_eq!(answer.outcome(), refusal, "{}", group.full_path);
            let shown = person.api().get(&group.path()).await.json();
            assert_eq!(shown[SWITCH], true);
            assert_eq!(shown["description"], "");
        }
    }
}
