//! `POST /users`

use serde_json::{Value, json};

use super::{forbidden, invalid};
use crate::on_both;
use crate::support::{Company, PASSWORD, TestResource, TestServer};

on_both![
    an_administrator_makes_a_person_who_can_sign_in,
    nobody_else_does,
    each_refusal_names_its_field_and_makes_nobody,
    names_and_addresses_are_taken_once_in_any_case,
    passwords_keep_to_the_rules,
];

fn newcomer() -> Value {
    json!({
        "username": "newcomer", "name": "New Comer", "email": "new@example.com",
        "password": PASSWORD,
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut body = newcomer();
    body[field] = value;
    body
}

async fn an_administrator_makes_a_person_who_can_sign_in(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let made = root.post("/users", newcomer()).await.expect(201);
    assert!(!made.text().contains(PASSWORD) && !made.text().contains("argon2"));
    let made = made.json();
    for (key, value) in [
        ("username", json!("newcomer")),
        ("name", json!("New Comer")),
        ("email", json!("new@example.com")),
        ("state", json!("active")),
        ("bot", json!(false)),
        ("external", json!(false)),
        ("is_admin", json!(false)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    let browser = server.visitor();
    browser.sign_in("newcomer", PASSWORD).await.expect(303);
    browser.get("/api/v4/user").await.expect(200);
    // With a namespace of their own.
    let groups = root.get("/groups").await.expect(200).json();
    assert_eq!(groups, json!([]));
    let taken = json!({ "name": "x", "path": "newcomer" });
    root.post("/groups", taken).await.expect(400);
    // Administrators and people from outside.
    let body = json!({
        "username": "second", "name": "S", "email": "s@example.com", "password": PASSWORD,
        "admin": true, "external": false,
    });
    let made = root.post("/users", body).await.expect(201).json();
    assert_eq!(made["is_admin"], true);
    let body = json!({
        "username": "third", "name": "T", "email": "t@example.com", "password": PASSWORD,
        "external": "yes",
    });
    let made = root.post("/users", body).await.expect(201).json();
    assert_eq!(
        (&made["is_admin"], &made["external"]),
        (&json!(false), &json!(true))
    );
}

async fn nobody_else_does(server: TestServer) {
    let c = Company::on(&server);
    let bot = c
        .acme
        .token("ci")
        .role(latchkey::members::AccessLevel::Owner)
        .create();
    let before = server.count("users", "");
    for (who, api) in [("Owner", c.alice.api()), ("bot", bot.api())] {
        let answer = api.post("/users", newcomer()).await;
        assert_eq!(answer.outcome(), forbidden(), "{who}");
    }
    server
        .anonymous()
        .post("/users", newcomer())
        .await
        .expect(401);
    for scope in [
        latchkey::access_tokens::scope::Scope::ReadApi,
        latchkey::access_tokens::scope::Scope::ReadUser,
        latchkey::access_tokens::scope::Scope::Sudo,
        latchkey::access_tokens::scope::Scope::AdminMode,
    ] {
        let token = c.root.personal_token([scope]);
        let answer = token.post("/users", newcomer()).await.expect(403);
        assert_eq!(answer.error(), "insufficient_scope");
    }
    assert_eq!(server.count("users", ""), before);
}

async fn each_refusal_names_its_field_and_makes_nobody(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let long = "x".repeat(256);
    let before = server.count("users", "");
    for field in ["username", "name", "email"] {
        let mut body = newcomer();
        body.as_object_mut().unwrap().remove(field);
        let answer = root.post("/users", body).await;
        assert_eq!(answer.outcome(), invalid(&format!("{field} is missing")));
    }
    for (field, value) in [
        ("username", json!(["x"])),
        ("email", json!({ "a": 1 })),
        ("admin", json!("perhaps")),
        ("external", json!("perhaps")),
    ] {
        let answer = root.post("/users", with(field, value)).await;
        assert_eq!(answer.outcome(), invalid(&format!("{field} is invalid")));
    }
    for (field, value) in [
        ("username", json!("")),
        ("username", json!("a b")),
        ("username", json!("-x")),
        ("username", json!("x.git")),
        ("username", json!("a/b")),
        ("username", json!(long)),
        ("username", json!("api")),
        ("username", json!(format!("group_1_bot_{}", "0".repeat(32)))),
        ("name", json!(" ")),
        ("name", json!(long)),
        ("name", json!("a\u{0}b")),
        ("email", json!("no address")),
        ("email", json!("a\r\nb@example.com")),
        ("email", json!("@example.com")),
    ] {
        let body = with(field, value);
        let answer = root.post("/users", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        let problems = &answer.json()["message"][field];
        assert!(problems.is_array(), "{body}: {}", answer.text());
    }
    assert_eq!(server.count("users", ""), before);
}

async fn names_and_addresses_are_taken_once_in_any_case(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let before = server.count("users", "");
    for (field, value) in [
        ("username", "alice"),
        ("username", "ALICE"),
        ("username", "acme"),
        ("username", "Acme"),
        ("email", "alice@example.com"),
        ("email", "Alice@Example.com"),
    ] {
        let answer = root.post("/users", with(field, json!(value))).await;
        assert_eq!(answer.status, 409, "{value}: {}", answer.text());
        let text = answer.message().to_lowercase();
        assert!(text.contains(field), "{value}: {text}");
        assert!(text.contains("has already been taken"), "{value}: {text}");
    }
    assert_eq!(server.count("users", ""), before);
}

async fn passwords_keep_to_the_rules(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let (most, too_many) = ("ä".repeat(512), "ä".repeat(512) + "x");
    let before = server.count("users", "");
    for password in [
        "1234567",
        "short",
        &too_many,
        "password",
        "12345678",
        "newcomer",
        "new@example.com",
        "latchkey",
    ] {
        let body = with("password", json!(password));
        let answer = root.post("/users", body).await;
        assert_eq!(answer.status, 400, "{password}: {}", answer.text());
        let problems = &answer.json()["message"]["password"];
        assert!(problems.is_array(), "{password}: {}", answer.text());
        if password.len() > 9 {
            assert!(!answer.text().contains(password), "{password}");
        }
    }
    assert_eq!(server.count("users", ""), before);
    for (number, password) in [" spaces too ", "xkq7vw2p", &most].iter().enumerate() {
        let name = format!("person{number}");
        let body = json!({
            "username": name, "name": name, "email": format!("{name}@example.com"),
            "password": password,
        });
        root.post("/users", body).await.expect(201);
        let browser = server.visitor();
        browser.sign_in(&name, password).await.expect(303);
        browser.get("/api/v4/user").await.expect(200);
    }
}
