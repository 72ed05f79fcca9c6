//! How a program shows its token, and which one counts when it shows several.

use latchkey::access_tokens::scope::Scope;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::on_both;
use crate::support::{Answer, TestResource, TestServer, query};

on_both![
    every_carrier_works_alone,
    the_earlier_carrier_wins,
    an_empty_value_counts_as_absent,
    what_is_no_carrier_lets_nobody_in,
    a_bad_credential_is_never_taken_for_none,
    a_session_reads_and_changes_only_with_the_token_of_its_forms,
];

/// Who the server thinks is asking.
async fn who(request: RequestBuilder) -> String {
    let answer = Answer::to(request).await;
    match answer.status {
        200 => answer.json()["username"].as_str().unwrap().to_owned(),
        status => format!("{status} {}", answer.text()),
    }
}

const NOBODY: &str = r#"401 {"message":"401 Unauthorized"}"#;

async fn every_carrier_works_alone(server: TestServer) {
    let value = server
        .person("alice")
        .create()
        .personal_token([Scope::Api])
        .value;
    let get = |path: &str| server.request(Method::GET, &format!("/api/v4/user{path}"));
    let carriers = [
        ("parameter", get(&format!("?private_token={value}"))),
        ("header", get("").header("PRIVATE-TOKEN", &value)),
        (
            "header in other letters",
            get("").header("Private-Token", &value),
        ),
        (
            "header with white space",
            get("").header("PRIVATE-TOKEN", format!("  {value} ")),
        ),
        (
            "bearer",
            get("").header("Authorization", format!("Bearer {value}")),
        ),
        (
            "bearer in other letters",
            get("").header("authorization", format!("bearer  {value}")),
        ),
        ("access_token", get(&format!("?access_token={value}"))),
        ("bearer_token", get(&format!("?bearer_token={value}"))),
        (
            "JSON body",
            get("").json(&json!({ "private_token": value })),
        ),
        ("form body", get("").form(&[("private_token", &value)])),
        (
            "JSON body, access_token",
            get("").json(&json!({ "access_token": value })),
        ),
    ];
    for (carrier, request) in carriers {
        assert_eq!(who(request).await, "alice", "{carrier}");
    }
}

async fn the_earlier_carrier_wins(server: TestServer) {
    let [first, second, third, fourth] = ["one", "two", "three", "four"].map(|name| {
        server
            .person(name)
            .create()
            .personal_token([Scope::Api])
            .value
    });
    let get = |path: &str| server.request(Method::GET, &format!("/api/v4/user{path}"));
    let bearer = |value: &str| format!("Bearer {value}");

    let all = get(&format!("?private_token={first}&access_token={fourth}"))
        .header("PRIVATE-TOKEN", &second)
        .header("Authorization", bearer(&third));
    assert_eq!(who(all).await, "one");

    let without_parameter = get(&format!("?access_token={fourth}"))
        .header("PRIVATE-TOKEN", &second)
        .header("Authorization", bearer(&third));
    assert_eq!(who(without_parameter).await, "two");

    let bearers = get(&format!("?access_token={fourth}")).header("Authorization", bearer(&third));
    assert_eq!(who(bearers).await, "three");

    // The one that counts is bad: the good ones behind it don't help.
    let bad = get("?private_token=glpat-nonsense").header("PRIVATE-TOKEN", &second);
    assert_eq!(who(bad).await, NOBODY);
}

async fn an_empty_value_counts_as_absent(server: TestServer) {
    let value = server
        .person("alice")
        .create()
        .personal_token([Scope::Api])
        .value;
    let get = |path: &str| server.request(Method::GET, &format!("/api/v4/user{path}"));

    assert_eq!(who(get("").header("PRIVATE-TOKEN", "")).await, NOBODY);
    assert_eq!(who(get("?private_token=")).await, NOBODY);
    assert_eq!(
        who(get("?private_token=").header("PRIVATE-TOKEN", &value)).await,
        "alice"
    );
    let behind_empty_header = get("")
        .header("PRIVATE-TOKEN", " ")
        .header("Authorization", format!("Bearer {value}"));
    assert_eq!(who(behind_empty_header).await, "alice");

    let open = server.group("open").public().create();
    let anonymous = server
        .request(Method::GET, &format!("/api/v4{}", open.path()))
        .header("PRIVATE-TOKEN", "");
    Answer::to(anonymous).await.expect(200);
}

async fn what_is_no_carrier_lets_nobody_in(server: TestServer) {
    let root = server.person("root").admin().create();
    server.person("alice").create();
    let value = root.personal_token([Scope::Api]).value;
    let get = || server.request(Method::GET, "/api/v4/user");
    let attempts = [
        ("nothing", get()),
        ("Basic", get().basic_auth("root", Some(&value))),
        ("job token", get().header("JOB-TOKEN", &value)),
        ("deploy token", get().header("DEPLOY-TOKEN", &value)),
        (
            "another scheme",
            get().header("Authorization", format!("Token {value}")),
        ),
        ("a bare value", get().header("Authorization", &value)),
        (
            "a parameter of another name",
            server.request(Method::GET, &format!("/api/v4/user?token={value}")),
        ),
        (
            "a cookie",
            get().header("Cookie", format!("private_token={value}")),
        ),
        (
            "the password of the account",
            get().basic_auth("root", Some(crate::support::PASSWORD)),
        ),
        (
            "the password as a token",
            get().header("PRIVATE-TOKEN", crate::support::PASSWORD),
        ),
    ];
    for (attempt, request) in attempts {
        assert_eq!(who(request).await, NOBODY, "{attempt}");
    }
    // Nobody acts as somebody else, whatever an administrator asks for.
    let disguised = get()
        .header("PRIVATE-TOKEN", &value)
        .header("Sudo", "alice");
    assert_eq!(who(disguised).await, "root");
}

async fn a_bad_credential_is_never_taken_for_none(server: TestServer) {
    let open = server.group("open").public().create();
    server.anonymous().get(&open.path()).await.expect(200);
    server
        .with_token("glpat-AAAAAAAAAAAAAAAAAAAA")
        .get(&open.path())
        .await
        .expect(401);
}

async fn a_session_reads_and_changes_only_with_the_token_of_its_forms(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    let user = browser.get("/api/v4/user").await.expect(200);
    assert_eq!(user.json()["username"], "alice");
    assert_eq!(user.header("cache-control"), "no-store");
    assert_eq!(user.header("access-control-allow-origin"), "");

    let path = format!("/api/v4{}/access_tokens", acme.path());
    let body = json!({ "name": "ci", "scopes": ["api"] });
    let before = server.inventory();
    let post = || server.request(Method::POST, &path).json(&body);
    let good = browser.authenticity_token().await;
    let attempts = [
        ("without", post()),
        ("a wrong one", post().header("X-CSRF-Token", "nonsense")),
        ("an empty one", post().header("X-CSRF-Token", "")),
        (
            "in the query",
            server
                .request(
                    Method::POST,
                    &format!("{path}?{}", query(&[("authenticity_token", &good)])),
                )
                .json(&body),
        ),
    ];
    for (attempt, request) in attempts {
        assert_eq!(browser.send(request).await.status, 401, "{attempt}");
    }
    assert_eq!(server.inventory(), before);

    browser
        .send(post().header("X-CSRF-Token", &good))
        .await
        .expect(201);
}
