//! `POST /projects/:id/access_tokens`

use latchkey::members::AccessLevel;
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_is_token_object, invalid, refused, tokens_of};
use crate::on_both;
use crate::support::{Answer, Company, TestResource, TestServer, company::resource_scopes};

on_both![
    a_token_comes_with_a_bot_of_the_project,
    what_is_left_out_has_its_default,
    each_refusal_has_its_words_and_leaves_nothing_behind,
    a_maintainer_gives_away_every_role_up_to_their_own,
    every_scope_can_be_given,
    the_bot_reaches_its_project_and_nothing_else_that_is_private,
    a_form_says_the_same_as_json,
    in_a_persons_own_namespace_tokens_can_always_be_made,
];

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({ "name": "ci", "scopes": ["api"] });
    body[field] = value;
    body
}

async fn a_token_comes_with_a_bot_of_the_project(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let answer = bob
        .post(
            &tokens_of(&company.p1),
            json!({
                "name": " deploy ", "description": "used by the nightly deploy",
                "scopes": ["read_repository", "api"], "access_level": 30, "expires_at": "2027-01-31",
            }),
        )
        .await
        .expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.json();
    assert_is_token_object(&token, true);
    for (key, value) in [
        ("name", json!("deploy")),
        ("description", json!("used by the nightly deploy")),
        ("scopes", json!(["read_repository", "api"])),
        ("access_level", json!(30)),
        ("expires_at", json!("2027-01-31")),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        ("active", json!(true)),
        ("revoked", json!(false)),
        ("last_used_at", Value::Null),
    ] {
        assert_eq!(token[key], value, "{key}");
    }
    let value = token["token"].as_str().unwrap();
    assert!(value.starts_with("glpat-") && value.len() >= 26, "{value}");
    let bot = server
        .with_token(value)
        .get("/user")
        .await
        .expect(200)
        .json();
    assert_eq!(bot["id"], token["user_id"]);
    assert_eq!(bot["bot"], true);
    assert_eq!(bot["name"], "deploy");
    let username = bot["username"].as_str().unwrap();
    let shape = format!("^project_{}_bot_[0-9a-f]{{32}}$", company.p1.id);
    let shape = regex::Regex::new(&shape).unwrap();
    assert!(shape.is_match(username), "{username}");
    assert_eq!(bot["email"], format!("{username}@noreply.127.0.0.1"));
    let member = format!("{}/members/{}", company.p1.path(), bot["id"]);
    let member = bob.get(&member).await.expect(200).json();
    assert_eq!(member["access_level"], 30);
    assert_eq!(member["expires_at"], "2027-01-31");
    let above = format!("{}/members/{}", company.acme.path(), bot["id"]);
    bob.get(&above).await.expect(404);
    let created = "event = 'project_access_token_created' AND actor_name = 'Bob'";
    assert_eq!(server.count("audit_events", created), 1);
}

async fn what_is_left_out_has_its_default(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    for body in [
        json!({ "name": "ci", "scopes": ["api"] }),
        json!({
            "name": "ci", "scopes": ["api"], "access_level": null, "expires_at": "",
            "description": "", "unheard": 1,
        }),
    ] {
        let token = bob.post(&tokens_of(&company.p1), body).await.expect(201);
        let token = token.json();
        assert_eq!(token["access_level"], 40);
        assert_eq!(token["expires_at"], "2027-11-20");
        assert_eq!(token["description"], Value::Null);
    }
}

async fn each_refusal_has_its_words_and_leaves_nothing_behind(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let long = "x".repeat(256);
    let past = "Could not provision maintainer access to the access token. \
                ERROR: Expires at cannot be a date in the past";
    let rows: Vec<(Value, (u16, Value))> = vec![
        (json!({ "scopes": ["api"] }), invalid("name is missing")),
        (json!({ "name": "ci" }), invalid("scopes is missing")),
        (json!({}), invalid("name is missing, scopes is missing")),
        (
            with("scopes", json!(["nonsense"])),
            invalid("scopes does not have a valid value"),
        ),
        (
            with("scopes", json!(["api", "sudo"])),
            invalid("scopes does not have a valid value"),
        ),
        (
            with("scopes", json!(["read_user"])),
            invalid("scopes does not have a valid value"),
        ),
        (
            with("access_level", json!(25)),
            invalid("access_level does not have a valid value"),
        ),
        (
            with("access_level", json!("owner")),
            invalid("access_level is invalid"),
        ),
        (
            with("expires_at", json!("2027-02-29")),
            invalid("expires_at is invalid"),
        ),
        (with("name", json!("")), refused("Name can't be blank")),
        (with("name", json!(" ")), refused("Name can't be blank")),
        (
            with("name", json!(long)),
            refused("Name is too long (maximum is 255 characters)"),
        ),
        (
            with("name", json!("a\nb")),
            refused("Name contains invalid characters"),
        ),
        (with("scopes", json!([])), refused("Scopes can't be blank")),
        (
            with("description", json!(long)),
            refused("Description is too long (maximum is 255 characters)"),
        ),
        (
            with("expires_at", json!("2027-11-21")),
            refused("Expiration date must be before 2027-11-20"),
        ),
        (with("expires_at", json!("2026-11-19")), refused(past)),
        (
            with("access_level", json!(50)),
            refused("Could not provision owner access to project access token"),
        ),
    ];
    let before = server.inventory();
    for (body, expected) in rows {
        let answer = bob.post(&tokens_of(&company.p1), body.clone()).await;
        assert_eq!(answer.outcome(), expected, "{body}");
        assert_eq!(server.inventory(), before, "{body}");
    }
    server.set("max_personal_access_token_lifetime", "30");
    let body = with("expires_at", json!(server.days_ahead(31)));
    assert_eq!(
        bob.post(&tokens_of(&company.p1), body).await.outcome(),
        refused("Expiration date is invalid")
    );
    assert_eq!(server.inventory(), before);
}

async fn a_maintainer_gives_away_every_role_up_to_their_own(server: TestServer) {
    let company = Company::on(&server);
    for level in AccessLevel::ALL {
        let body = with("access_level", json!(level.number()));
        for (person, may) in [
            (&company.bob, level <= AccessLevel::Maintainer),
            (&company.alice, true),
            (&company.root, true),
        ] {
            let answer = person
                .api()
                .post(&tokens_of(&company.p2), body.clone())
                .await;
            let who = format!("{} gives {level}", person.username);
            if may {
                assert_eq!(answer.status, 201, "{who}: {}", answer.text());
                assert_eq!(answer.json()["access_level"], level.number(), "{who}");
            } else {
                let text = "Could not provision owner access to project access token";
                assert_eq!(answer.outcome(), refused(text), "{who}");
            }
        }
    }
}

async fn every_scope_can_be_given(server: TestServer) {
    let company = Company::on(&server);
    let bob = company.bob.api();
    let all = resource_scopes();
    for scope in &all {
        let body = with("scopes", json!([scope]));
        let token = bob.post(&tokens_of(&company.p1), body).await.expect(201);
        assert_eq!(token.json()["scopes"], json!([scope]));
    }
    let body = with("scopes", json!(all));
    let token = bob.post(&tokens_of(&company.p1), body).await.expect(201);
    assert_eq!(token.json()["scopes"], json!(all));
}

async fn the_bot_reaches_its_project_and_nothing_else_that_is_private(server: TestServer) {
    let company = Company::on(&server);
    let body = json!({ "name": "ci", "scopes": ["api"] });
    let made = company
        .bob
        .api()
        .post(&tokens_of(&company.p1), body)
        .await
        .expect(201)
        .json();
    let bot = server.with_token(made["token"].as_str().unwrap());
    let description = json!({ "description": "changed" });
    bot.put(&company.p1.path(), description).await.expect(200);
    for hidden in [
        company.acme.path(),
        company.sub.path(),
        company.p2.path(),
        company.other.path(),
        company.p9.path(),
    ] {
        bot.get(&hidden).await.expect(404);
    }
    let projects = bot
        .get("/projects?membership=true")
        .await
        .expect(200)
        .json();
    assert_eq!(projects.as_array().unwrap().len(), 1);
    assert_eq!(projects[0]["id"], company.p1.id);
}

async fn a_form_says_the_same_as_json(server: TestServer) {
    let company = Company::on(&server);
    let form = [
        ("name", "ci"),
        ("scopes[]", "api"),
        ("scopes[]", "read_repository"),
        ("access_level", "20"),
        ("expires_at", "2027-01-31"),
    ];
    let request = company
        .bob
        .api()
        .request(Method::POST, &tokens_of(&company.p1))
        .form(&form);
    let token = Answer::to(request).await.expect(201).json();
    assert_eq!(token["name"], "ci");
    assert_eq!(token["scopes"], json!(["api", "read_repository"]));
    assert_eq!(token["access_level"], 20);
    assert_eq!(token["expires_at"], "2027-01-31");
}

async fn in_a_persons_own_namespace_tokens_can_always_be_made(server: TestServer) {
    let company = Company::on(&server);
    let carol = company.carol.api();
    let notes = carol.post("/projects", json!({ "path": "notes" })).await;
    let notes = notes.expect(201).json();
    company.acme.allow_creation(false);
    let tokens = format!("/projects/{}/access_tokens", notes["id"]);
    for level in [10, 40, 50] {
        let body = with("access_level", json!(level));
        let made = carol.post(&tokens, body).await.expect(201).json();
        let rotate = format!("{tokens}/{}/rotate", made["id"]);
        let rotated = carol.post(&rotate, json!({})).await.expect(200).json();
        let value = rotated["token"].as_str().unwrap();
        let project = format!("/projects/{}", notes["id"]);
        server.with_token(value).get(&project).await.expect(200);
    }
    // An administrator may too; for others the project isn't there.
    let body = with("access_level", json!(50));
    company
        .root
        .api()
        .post(&tokens, body.clone())
        .await
        .expect(201);
    let answer = company.alice.api().post(&tokens, body).await;
    assert_eq!(answer.outcome(), super::project_missing());
}
