//! Headers that browsers are told by, on every kind of answer.

use reqwest::Method;

use crate::on_both;
use crate::support::{
    Answer, Company, TestResource, TestServer, server::runtime, storage::Storage,
};

on_both![every_answer_has_the_headers_of_its_kind];

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'";
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Page,
    Api,
    Asset,
    ErrorPage,
}

#[track_caller]
fn check(what: &str, kind: Kind, answer: &Answer) {
    let header = |name: &str| answer.header(name);
    let page = matches!(kind, Kind::Page | Kind::ErrorPage);
    let policy = if page { PAGE_POLICY } else { DATA_POLICY };
    assert_eq!(header("content-security-policy"), policy, "{what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(
        header("cross-origin-resource-policy"),
        "same-origin",
        "{what}"
    );
    assert!(!header("x-request-id").is_empty(), "{what}");
    if kind != Kind::Asset {
        assert_eq!(header("x-frame-options"), "DENY", "{what}");
        assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    }
    if page {
        assert_eq!(
            header("cross-origin-opener-policy"),
            "same-origin",
            "{what}"
        );
        for feature in [
            "camera=()",
            "microphone=()",
            "geolocation=()",
            "payment=()",
            "usb=()",
        ] {
            assert!(
                header("permissions-policy").contains(feature),
                "{what}: {feature}"
            );
        }
    }
    match kind {
        Kind::Asset => {
            assert_eq!(
                header("cache-control"),
                "public, max-age=31536000, immutable",
                "{what}"
            );
        }
        Kind::Page => {}
        Kind::Api | Kind::ErrorPage => assert_eq!(header("cache-control"), "no-store", "{what}"),
    }
    if !answer.body.is_empty() {
        match kind {
            Kind::Api => assert_eq!(
                header("content-type"),
                "application/json; charset=utf-8",
                "{what}"
            ),
            Kind::Page | Kind::ErrorPage => {
                assert_eq!(
                    header("content-type").to_lowercase(),
                    "text/html; charset=utf-8",
                    "{what}"
                );
            }
            Kind::Asset => {}
        }
    }
    for absent in [
        "server",
        "x-powered-by",
        "access-control-allow-origin",
        "strict-transport-security",
    ] {
        assert_eq!(header(absent), "", "{what}: {absent}");
    }
}

async fn every_answer_has_the_headers_of_its_kind(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let alice = company.alice.signs_in().await;
    let nobody = server.visitor();
    let path = company.acme.page("settings/access_tokens");

    let scripts = regex::Regex::new(r"<script(?P<tag>[^>]*)>").unwrap();
    for page in ["/acme", &path, "/dashboard/groups", "/acme/p1"] {
        let answer = alice.get(page).await.expect(200);
        check(page, Kind::Page, &answer);
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        assert!(
            !answer.text().contains("style=") && !answer.text().contains(" onclick="),
            "{page}"
        );
        assert!(!answer.text().contains("<style"), "{page}");
        for script in scripts.captures_iter(&answer.text()) {
            assert!(script["tag"].contains("src="), "{page}: {}", &script[0]);
        }
    }
    check(
        "sign in",
        Kind::Page,
        &nobody.get("/users/sign_in").await.expect(200),
    );
    check("redirect", Kind::Page, &nobody.get(&path).await.expect(302));
    check(
        "404",
        Kind::ErrorPage,
        &alice.get("/nothing/at/all").await.expect(404),
    );
    check(
        "403",
        Kind::ErrorPage,
        &alice.post_without_token(&path, &[]).await.expect(403),
    );
    let too_large = alice
        .send(
            server
                .request(Method::POST, &path)
                .body(vec![b'x'; 2 * 1024 * 1024]),
        )
        .await;
    check("413", Kind::ErrorPage, &too_large.expect(413));
    check(
        "405",
        Kind::ErrorPage,
        &Answer::to(server.request(Method::PATCH, "/users/sign_in"))
            .await
            .expect(405),
    );
    check(
        "414",
        Kind::ErrorPage,
        &nobody
            .get(&format!("/{}", "x".repeat(3_000)))
            .await
            .expect(414),
    );

    let api = company.alice.api();
    check("API", Kind::Api, &api.get("/groups/acme").await.expect(200));
    check(
        "API 400",
        Kind::Api,
        &api.get("/groups/acme/projects?page=0").await.expect(400),
    );
    check(
        "API 401",
        Kind::Api,
        &server.anonymous().get("/user").await.expect(401),
    );
    check("API 404", Kind::Api, &api.get("/nothing").await.expect(404));
    check("API 405", Kind::Api, &api.delete("/user").await.expect(405));
    let created = api
        .post(
            "/groups/acme/access_tokens",
            serde_json::json!({ "name": "x", "scopes": ["api"] }),
        )
        .await;
    check("API 201", Kind::Api, &created.expect(201));
    let large = Answer::to(
        api.request(Method::POST, "/projects")
            .body(vec![b'x'; 2 * 1024 * 1024]),
    )
    .await;
    check("API 413", Kind::Api, &large.expect(413));
    assert!(token.works().await);

    let page = nobody.open("/users/sign_in").await.html;
    let asset = regex::Regex::new(r#"(?:href|src)="(/assets/[^"]+)""#).unwrap();
    let mut assets = 0;
    for found in asset.captures_iter(&page) {
        let answer = nobody.get(&found[1]).await.expect(200);
        check(&found[1], Kind::Asset, &answer);
        assets += 1;
    }
    assert!(assets >= 2, "a style sheet and a script");
    assert_eq!(nobody.get("/assets/nothing-0000.css").await.status, 404);

    let one = api.get("/user").await.header("x-request-id").to_owned();
    let two = api.get("/user").await.header("x-request-id").to_owned();
    assert_ne!(one, two);
}

#[test]
fn over_https_browsers_are_told_to_stay_there() {
    runtime().block_on(async {
        let server = TestServer::under(Storage::sqlite(), Some("https://latchkey.example"));
        over_https(server).await;
    });
}

async fn over_https(server: TestServer) {
    let alice = server.person("alice").create();
    for path in ["/users/sign_in", "/api/v4/user", "/nothing"] {
        let answer = server.get(path).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=63072000; includeSubDomains",
            "{path}"
        );
    }
    let visitor = server.visitor();
    let answer = visitor.get("/users/sign_in").await.expect(200);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-latchkey_session="), "{cookie}");
    for wanted in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(
            cookie.split("; ").any(|attribute| attribute == wanted),
            "{wanted}: {cookie}"
        );
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let user = alice.api().get("/user").await.expect(200).json();
    assert_eq!(user["web_url"], "https://latchkey.example/alice");
    let acme = server.group("acme").create();
    let bot = acme.token("ci").create().get("/user").await.json();
    assert!(
        bot["email"]
            .as_str()
            .unwrap()
            .ends_with("@noreply.latchkey.example"),
        "{bot}"
    );
}
