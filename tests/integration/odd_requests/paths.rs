//! Odd addresses.

use latchkey::access_tokens::scope::Scope;

use super::assert_refused;
use crate::on_both;
use crate::support::{Answer, Company, TestServer};

on_both![
    an_odd_segment_is_refused_on_every_route,
    an_odd_path_is_no_route,
    an_address_that_is_too_long_is_refused,
];

async fn raw(server: &TestServer, method: &str, path: &str, token: &str) -> Answer {
    server
        .raw(&format!(
            "{method} /api/v4{path} HTTP/1.1\r\nHost: {{host}}\r\nPRIVATE-TOKEN: {token}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        ))
        .await
}

async fn an_odd_segment_is_refused_on_every_route(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::Api]).value;
    let long = "x".repeat(2_000);
    let segments = [
        "%00",
        "a%00b",
        "..",
        "%2e%2e",
        ".",
        "%2F%2F",
        "%2F",
        "acme%2F%2Fsub",
        "acme%2F..%2Fother",
        "..%2Fother",
        "%FF",
        "%ED%A0%80",
        "%",
        "%zz",
        "%0d%0aX:y",
        "%20",
        "1%00",
        "1%20OR%201=1",
        "1e0",
        "-1",
        "0x10",
        "1.0",
        "%EF%BC%91",
        "99999999999999999999",
        "9223372036854775807",
        "9223372036854775808",
        "%F0%9F%98%80",
        "%252e%252e",
        &long,
    ];
    let before = server.inventory();
    for (method, route) in [
        ("GET", "/groups/{}"),
        ("PUT", "/groups/{}"),
        ("DELETE", "/groups/{}"),
        ("GET", "/groups/{}/subgroups"),
        ("GET", "/groups/{}/projects"),
        ("GET", "/groups/{}/members"),
        ("GET", "/groups/{}/access_tokens"),
        ("POST", "/groups/{}/access_tokens"),
        ("POST", "/groups/{}/transfer"),
        ("GET", "/groups/acme/members/{}"),
        ("GET", "/groups/acme/members/all/{}"),
        ("PUT", "/groups/acme/members/{}"),
        ("DELETE", "/groups/acme/members/{}"),
        ("GET", "/groups/acme/access_tokens/{}"),
        ("DELETE", "/groups/acme/access_tokens/{}"),
        ("POST", "/groups/acme/access_tokens/{}/rotate"),
        ("GET", "/projects/{}"),
        ("PUT", "/projects/{}"),
        ("DELETE", "/projects/{}"),
        ("GET", "/projects/{}/members/all"),
        ("GET", "/projects/{}/access_tokens"),
        ("GET", "/projects/acme%2Fp1/members/{}"),
        ("DELETE", "/projects/acme%2Fp1/members/{}"),
        ("GET", "/projects/acme%2Fp1/access_tokens/{}"),
        ("POST", "/projects/acme%2Fp1/access_tokens/{}/rotate"),
        ("GET", "/users/{}"),
        ("PUT", "/users/{}"),
        ("DELETE", "/users/{}"),
        ("POST", "/users/{}/block"),
        ("POST", "/users/{}/personal_access_tokens"),
        ("GET", "/personal_access_tokens/{}"),
        ("DELETE", "/personal_access_tokens/{}"),
        ("POST", "/personal_access_tokens/{}/rotate"),
        ("GET", "/{}"),
    ] {
        for segment in segments {
            let path = route.replace("{}", segment);
            let answer = raw(&server, method, &path, &token).await;
            let shown: String = path.chars().take(80).collect();
            assert_refused(&answer, &format!("{method} {shown}"));
            assert!(answer.header("x").is_empty(), "{shown}");
        }
    }
    assert_eq!(server.inventory(), before);
}

async fn an_odd_path_is_no_route(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::Api]).value;
    for path in [
        "/groups/../user",
        "/./user",
        "//user",
        "/user/",
        "/user//",
        "/groups//members",
        "/%2e%2e/api/v4/user",
        "/us%00er",
        "/USER",
        "/user%2F",
        "/user;x=1",
        "/groups/acme/sub",
        "/groups/acme/../other",
        "/\\user",
    ] {
        let answer = raw(&server, "GET", path, &token).await;
        assert_refused(&answer, path);
    }
    // Letters may be written as numbers.
    raw(&server, "GET", "/groups/%61cme", &token)
        .await
        .expect(200);
}

async fn an_address_that_is_too_long_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::Api]).value;
    let x = |number: usize| "x".repeat(number);
    for path in [
        format!("/groups/{}", x(2_048)),
        format!("/projects/acme%2F{}", x(2_048)),
        format!("/{}", x(3_000)),
        format!("/groups/acme/access_tokens/{}", x(4_000)),
    ] {
        let answer = raw(&server, "GET", &path, &token).await;
        assert_refused(&answer, "a long path");
        assert_eq!(answer.status, 414);
    }
    let answer = raw(
        &server,
        "GET",
        &format!("/groups?search={}", x(8_300)),
        &token,
    )
    .await;
    assert_refused(&answer, "a long query");
    assert_eq!(answer.status, 414);
    let fits = format!("/groups?unknown={}", x(6_000));
    raw(&server, "GET", &fits, &token).await.expect(200);
}
