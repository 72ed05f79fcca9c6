//! Limits of requests, and values of clients that would like to be headers, addresses or markup.

use reqwest::Method;

use crate::on_both;
use crate::support::{Answer, Company, PASSWORD, TestResource, TestServer, storage::Storage};

on_both![
    what_is_too_long_is_refused_on_pages_and_in_the_api,
    markup_in_addresses_stays_text,
    line_breaks_make_no_headers,
    addresses_come_from_the_configuration_alone,
    refusals_have_the_headers_of_their_kind,
];

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'";

async fn what_is_too_long_is_refused_on_pages_and_in_the_api(server: TestServer) {
    let c = Company::on(&server);
    let (browser, api) = (c.alice.signs_in().await, c.alice.api());
    let path = |length: usize| format!("/{}", "x".repeat(length - 1));
    let get = async |path: &str| browser.get(path).await.status;
    assert_eq!(get(&path(2 * 1024)).await, 404);
    assert_eq!(get(&path(2 * 1024 + 1)).await, 414);
    let with_query = |length: usize| format!("/explore/groups?x={}", "x".repeat(length - 2));
    assert_eq!(get(&with_query(8 * 1024)).await, 200);
    assert_eq!(get(&with_query(8 * 1024 + 1)).await, 414);
    assert_eq!(api.get(&path(2 * 1024 + 1)).await.status, 414);
    assert_eq!(
        api.get(&format!("/user?x={}", "x".repeat(9_000)))
            .await
            .status,
        414
    );

    for start in ["/acme", "/api/v4/user"] {
        let with_header = |length: usize| {
            server
                .request(Method::GET, start)
                .header("X-Long", "x".repeat(length))
        };
        assert_eq!(
            browser.send(with_header(30 * 1024)).await.status,
            200,
            "{start}"
        );
        let answer = browser.send(with_header(33 * 1024)).await;
        assert_eq!(answer.status, 431, "{start}");
    }
    // A body is read to its limit and no further.
    let token = browser.authenticity_token().await;
    let body = |length: usize| {
        let mut body = format!("authenticity_token={token}&update_section=general&x=").into_bytes();
        body.resize(length, b'x');
        body
    };
    let edit = c.acme.page("edit");
    let most = browser.post_bytes(&edit, body(1024 * 1024)).await;
    assert!(matches!(most.status, 200 | 303 | 422), "{}", most.status);
    browser
        .post_bytes(&edit, body(1024 * 1024 + 1))
        .await
        .expect(413);
    // Announced or not.
    let mut chunked = format!(
        "POST {edit} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    );
    for _ in 0..20 {
        chunked.push_str(&format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024)));
    }
    chunked.push_str("0\r\n\r\n");
    let answer = server.raw(&chunked).await;
    assert!(matches!(answer.status, 413 | 0), "{}", answer.status);
    assert_eq!(browser.get("/acme").await.status, 200, "others are served");
}

async fn markup_in_addresses_stays_text(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let markup = "%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for page in [
        "/",
        "/acme",
        "/acme/p1",
        "/search",
        "/help",
        "/explore/groups",
        "/dashboard/groups",
        "/dashboard/projects",
        "/groups/new",
        "/projects/new",
        "/groups/acme/-/edit",
        "/groups/acme/-/group_members",
        "/groups/acme/-/settings/access_tokens",
        "/-/user_settings/personal_access_tokens",
        "/nothing/here",
    ] {
        let names = [
            "search",
            "page",
            "sort",
            "name",
            "description",
            "scopes",
            "expires_at",
            "role",
            "scope",
            "section",
            "new",
            "redirect_to",
            "parent_id",
            "namespace_id",
            "kind",
            "state",
        ];
        for name in names {
            let answer = browser.get(&format!("{page}?{name}={markup}")).await;
            assert!(answer.status < 500, "{page}?{name}: {}", answer.status);
            assert!(!answer.text().contains("<script>alert"), "{page}?{name}");
        }
    }
    for path in [
        format!("/{markup}"),
        format!("/groups/{markup}"),
        format!("/groups/{markup}/-/edit"),
        format!("/users/sign_in?redirect_to=/{markup}"),
        format!("/setup?token={markup}"),
    ] {
        for visitor in [&browser, &server.visitor()] {
            let answer = visitor.get(&path).await;
            assert!(answer.status < 500, "{path}");
            assert!(!answer.text().contains("<script>alert"), "{path}");
        }
    }
}

async fn line_breaks_make_no_headers(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let planted = "%0d%0aSet-Cookie:planted=1%0d%0a%0d%0a%3Chtml%3E";
    for path in [
        format!("/users/sign_in?redirect_to=/x{planted}"),
        format!("/groups/acme{planted}"),
        format!("/{planted}"),
        format!("/search?search={planted}"),
        format!("/explore/groups?search={planted}&page={planted}"),
        format!("/groups/acme/-/settings/access_tokens?search={planted}&sort={planted}"),
        format!("/groups/acme/-/settings/access_tokens/{planted}/revoke"),
        format!("/assets/{planted}"),
        format!("/api/v4/groups/acme{planted}"),
        format!("/api/v4/groups/acme/projects?search={planted}&page=1"),
    ] {
        for visitor in [&browser, &server.visitor()] {
            let answer = visitor.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.status);
            assert!(
                answer
                    .all("set-cookie")
                    .iter()
                    .all(|cookie| !cookie.starts_with("planted")),
                "{path}"
            );
            for (name, value) in &answer.headers {
                assert!(
                    !value.as_bytes().contains(&b'\n') && !value.as_bytes().contains(&b'\r'),
                    "{path}: {name}"
                );
            }
        }
    }
    // Names that come back in a flash.
    let token = c.acme.token("x").create();
    server.sql(&format!(
        "UPDATE access_tokens SET name = 'a\r\nSet-Cookie: planted=1' WHERE id = {}",
        token.id
    ));
    let revoke = format!(
        "{}/{}/revoke",
        c.acme.page("settings/access_tokens"),
        token.id
    );
    let answer = browser.post(&revoke, &[("_method", "put")]).await;
    assert!(
        answer
            .all("set-cookie")
            .iter()
            .all(|cookie| !cookie.starts_with("planted"))
    );
}

async fn addresses_come_from_the_configuration_alone(server: TestServer) {
    let storage = if server.is_on_postgres() {
        Storage::postgres().unwrap()
    } else {
        Storage::sqlite()
    };
    let server = TestServer::under(storage, Some("https://latchkey.example"));
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    acme.project("p1").create();
    acme.project("p2").create();
    let evil = |request: reqwest::RequestBuilder| {
        request
            .header("Host", "evil.example")
            .header("X-Forwarded-Host", "evil.example")
            .header("X-Forwarded-Proto", "gopher")
            .header("Forwarded", "host=evil.example;proto=gopher")
            .header("X-Forwarded-Prefix", "/evil.example")
    };
    let is_clean = |what: &str, answer: &Answer| {
        assert!(answer.status < 500, "{what}: {}", answer.status);
        assert!(
            !answer.text().contains("evil.example") && !answer.text().contains("gopher"),
            "{what}"
        );
        for (name, value) in &answer.headers {
            assert!(
                !String::from_utf8_lossy(value.as_bytes()).contains("evil"),
                "{what}: {name}"
            );
        }
        assert!(
            !answer.location().contains("://")
                || answer.location().starts_with("https://latchkey.example/"),
            "{what}"
        );
    };
    let visitor = server.visitor();
    let page = visitor
        .send(evil(server.request(Method::GET, "/users/sign_in")))
        .await;
    is_clean("the form", &page);
    let form = page
        .page()
        .form("/users/sign_in")
        .fill("user[login]", "alice")
        .fill("user[password]", PASSWORD);
    let request = evil(server.request(Method::POST, "/users/sign_in")).form(&form.fields);
    let answer = visitor.send(request).await;
    is_clean("signing in", &answer);
    assert_eq!(answer.status, 303);
    for path in [
        "/",
        "/acme",
        "/acme/p1",
        "/groups/acme",
        "/help",
        "/groups/acme/-/settings/access_tokens",
        "/nothing",
    ] {
        is_clean(
            path,
            &visitor.send(evil(server.request(Method::GET, path))).await,
        );
    }
    let stranger = server.visitor();
    is_clean(
        "a redirect",
        &stranger
            .send(evil(server.request(Method::GET, "/dashboard/groups")))
            .await,
    );
    let token = alice.personal_token([latchkey::access_tokens::scope::Scope::Api]);
    let list = server.request(
        Method::GET,
        &format!("/api/v4{}/projects?per_page=1", acme.path()),
    );
    let answer = Answer::to(evil(list.header("PRIVATE-TOKEN", &token.value))).await;
    is_clean("a list", &answer);
    assert!(
        answer
            .header("link")
            .contains("<https://latchkey.example/api/v4/"),
        "{}",
        answer.header("link")
    );
    assert!(
        answer.json()[0]["web_url"]
            .as_str()
            .unwrap()
            .starts_with("https://latchkey.example/acme/")
    );
    // The value of a new token comes with lines that use it.
    let path = acme.page("settings/access_tokens");
    let form = visitor
        .send(evil(server.request(Method::GET, &path)))
        .await
        .page()
        .form(&path);
    let form = form
        .fill("resource_access_token[name]", "ci")
        .tick("resource_access_token[scopes][]", "api");
    let answer = visitor
        .send(evil(server.request(Method::POST, &path)).form(&form.fields))
        .await;
    is_clean("a new token", &answer);
    assert!(
        answer.page().says("https://latchkey.example/api/v4/"),
        "{}",
        answer.page().main()
    );
}

#[track_caller]
fn is_error_page(what: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{what}");
    assert_eq!(
        answer.header("content-security-policy"),
        PAGE_POLICY,
        "{what}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{what}"
    );
    let id = answer
        .page()
        .part("request-id")
        .map(|part| part.text())
        .unwrap_or_default();
    assert_eq!(id, answer.header("x-request-id"), "{what}");
    for name in [
        "server",
        "x-powered-by",
        "via",
        "access-control-allow-origin",
    ] {
        assert_eq!(answer.header(name), "", "{what}: {name}");
    }
    for word in [
        "actix", "Actix", "panicked", "src/", ".rs:", "Diesel", "SQL",
    ] {
        assert!(!answer.text().contains(word), "{what} tells {word}");
    }
}

async fn refusals_have_the_headers_of_their_kind(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.frank.signs_in().await;
    let long = format!("/{}", "x".repeat(3_000));
    for visitor in [&browser, &server.visitor()] {
        is_error_page("too long", &visitor.get(&long).await, 414);
        is_error_page(
            "an old form",
            &visitor.post_without_token("/users/sign_in", &[]).await,
            403,
        );
        let huge = visitor
            .post_bytes("/users/sign_in", vec![b'x'; crate::support::TWO_MEBIBYTES])
            .await;
        is_error_page("too large", &huge, 413);
        let wide = server
            .request(Method::GET, "/help")
            .header("X-Long", "x".repeat(33 * 1024));
        is_error_page("too many headers", &visitor.send(wide).await, 431);
    }
    is_error_page("hidden", &browser.get("/acme").await, 404);
    is_error_page("missing", &browser.get("/nowhere/at/all").await, 404);
    is_error_page(
        "a wrong method",
        &browser
            .send(server.request(Method::PUT, "/users/sign_in"))
            .await,
        405,
    );
    for _ in 0..5 {
        server.visitor().sign_in("alice", "wrong one").await;
    }
    let throttled = server.visitor().sign_in("alice", PASSWORD).await;
    assert_eq!(throttled.status, 429);
    assert_eq!(throttled.header("content-security-policy"), PAGE_POLICY);
    assert_eq!(throttled.header("cache-control"), "no-store");
    // A preflight of another site is told nothing.
    let preflight = server
        .request(Method::OPTIONS, "/api/v4/user")
        .header("Origin", "https://evil.example")
        .header("Access-Control-Request-Method", "GET");
    let answer = Answer::to(preflight).await;
    assert!(
        answer
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}
