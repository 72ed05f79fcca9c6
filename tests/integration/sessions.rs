//! Signing in and out, and what a session is worth.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;

use crate::on_both;
use crate::support::{Company, PASSWORD, TestResource, TestServer, Visitor, query};

on_both![
    signing_in_opens_the_pages_and_signing_out_closes_them,
    everybody_who_may_not_sign_in_reads_the_same,
    the_session_gets_a_new_id,
    the_cookie_is_shut_to_everything_but_the_server,
    a_session_ends_when_it_is_idle,
    a_session_ends_however_busy_it_is,
    a_blocked_person_is_signed_out_at_once,
    after_five_failures_even_the_right_password_waits,
    an_address_is_slowed_down_over_all_accounts,
    a_throttle_is_not_talked_away_by_headers,
    the_page_that_was_asked_for_comes_after_signing_in,
    nobody_is_sent_to_another_site,
    a_form_needs_its_token_and_its_origin,
    passwords_are_taken_as_they_are,
];

async fn is_signed_in(visitor: &Visitor) -> bool {
    visitor.get("/dashboard/groups").await.status == 200
}

async fn signing_in_opens_the_pages_and_signing_out_closes_them(server: TestServer) {
    let alice = server.person("alice").create();
    let visitor = server.visitor();
    let turned_away = visitor.get("/dashboard/groups").await.expect(302);
    assert!(turned_away.location().starts_with("/users/sign_in?redirect_to="), "{}", turned_away.location());
    for login in ["alice", "ALICE", "alice@example.com", "Alice@Example.com"] {
        let visitor = server.visitor();
        let answer = visitor.sign_in(login, PASSWORD).await.expect(303);
        assert_eq!(answer.location(), "/");
        assert!(is_signed_in(&visitor).await, "{login}");
    }
    let visitor = alice.signs_in().await;
    let stolen = visitor.copied();
    // Following a link or an image changes nothing.
    visitor.get("/users/sign_out").await;
    assert!(is_signed_in(&visitor).await);
    let answer = visitor.sign_out().await;
    assert!(matches!(answer.status, 302 | 303), "{}", answer.status);
    assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#);
    assert!(!is_signed_in(&visitor).await);
    assert!(!is_signed_in(&stolen).await, "the session itself is gone, not only the cookie");
}

async fn everybody_who_may_not_sign_in_reads_the_same(server: TestServer) {
    let company = Company::on(&server);
    let bot = company.acme.token("ci").create();
    company.carol.block();
    let mail = format!("{}@noreply.127.0.0.1", bot.username);
    let attempts = [
        ("unknown", "nobody", PASSWORD),
        ("wrong password", "alice", "wrong password"),
        ("empty password", "alice", ""),
        ("blocked", "carol", PASSWORD),
        ("bot", &bot.username, &bot.value),
        ("bot by mail", &mail, ""),
        ("bot, any password", &bot.username, "x"),
        ("token as password", "alice", &bot.value),
    ];
    let mut answers = Vec::new();
    for (case, login, password) in attempts {
        let visitor = server.visitor();
        let answer = visitor.sign_in(login, password).await.expect(422);
        let page = answer.page();
        assert!(page.says("Invalid login or password."), "{case}");
        assert!(page.html.contains(r#"role="alert""#), "{case}");
        assert!(!is_signed_in(&visitor).await, "{case}");
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        answers.push((answer.status, page.main(), names));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(server.count("sessions", "user_id IS NOT NULL"), 0);
}

async fn the_session_gets_a_new_id(server: TestServer) {
    server.person("alice").create();
    let visitor = server.visitor();
    visitor.open("/users/sign_in").await;
    let before = visitor.session_cookie().expect("a form needs a session");
    visitor.sign_in("alice", PASSWORD).await.expect(303);
    let after = visitor.session_cookie().unwrap();
    assert_ne!(before, after);
    let fixated = server.visitor();
    fixated.set_cookie("latchkey_session", &before);
    assert!(!is_signed_in(&fixated).await);
    // One that the server never made is none.
    let made_up = server.visitor();
    made_up.set_cookie("latchkey_session", "x".repeat(64).as_str());
    assert!(!is_signed_in(&made_up).await);
}

async fn the_cookie_is_shut_to_everything_but_the_server(server: TestServer) {
    server.person("alice").create();
    let visitor = server.visitor();
    let cookie = |answer: &crate::support::Answer| {
        let all = answer.all("set-cookie");
        all.into_iter().find(|line| line.contains("latchkey_session=")).unwrap_or_default().to_owned()
    };
    let plain = cookie(&visitor.sign_in("alice", PASSWORD).await.expect(303));
    let attributes: Vec<&str> = plain.split("; ").skip(1).collect();
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&wanted), "{wanted} in {plain}");
    }
    assert!(!plain.contains("Secure") && !plain.contains("Domain"), "{plain}");
    assert!(!plain.contains("Max-Age") && !plain.contains("Expires"), "it ends with the browser: {plain}");
    assert!(plain.len() < 4096 && !plain.contains("alice"), "{plain}");

    let form = server.visitor();
    let page = form.open("/users/sign_in").await.form("/users/sign_in");
    let page = page
        .fill("user[login]", "alice")
        .fill("user[password]", PASSWORD)
        .tick("user[remember_me]", "1");
    let remembered = cookie(&form.submit(&page).await.expect(303));
    assert!(remembered.contains(&format!("Max-Age={}", 30 * 86_400)), "{remembered}");
}

async fn a_session_ends_when_it_is_idle(server: TestServer) {
    let visitor = server.person("alice").create().signs_in().await;
    for _ in 0..3 {
        server.clock.advance(TimeDelta::days(7) - TimeDelta::minutes(1));
        assert!(is_signed_in(&visitor).await);
    }
    server.clock.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
    assert!(!is_signed_in(&visitor).await);
    server.set("session_idle_days", "1");
    let visitor = server.visitor();
    visitor.sign_in("alice", PASSWORD).await.expect(303);
    server.clock.advance(TimeDelta::days(1) + TimeDelta::minutes(1));
    assert!(!is_signed_in(&visitor).await);
}

async fn a_session_ends_however_busy_it_is(server: TestServer) {
    let visitor = server.person("alice").create().signs_in().await;
    for _ in 0..29 {
        server.clock.advance(TimeDelta::days(1));
        assert!(is_signed_in(&visitor).await);
    }
    server.clock.advance(TimeDelta::days(1));
    assert!(!is_signed_in(&visitor).await);
}

async fn a_blocked_person_is_signed_out_at_once(server: TestServer) {
    let carol = server.person("carol").create();
    let visitor = carol.signs_in().await;
    assert!(is_signed_in(&visitor).await);
    carol.block();
    assert!(!is_signed_in(&visitor).await);
    assert_eq!(visitor.get("/api/v4/user").await.status, 401);
}

async fn after_five_failures_even_the_right_password_waits(server: TestServer) {
    server.person("alice").create();
    let bystander = server.person("bob").create();
    for _ in 0..5 {
        server.visitor().sign_in("alice", "wrong").await.expect(422);
        server.clock.advance(TimeDelta::seconds(1));
    }
    let wrong = server.visitor().sign_in("alice", "wrong").await.expect(429);
    let right = server.visitor().sign_in("ALICE", PASSWORD).await.expect(429);
    assert_eq!(wrong.page().main(), right.page().main());
    let wait: i64 = right.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    assert!(right.page().says("Too many attempts. Try again in"), "{}", right.page().main());
    bystander.signs_in().await;

    server.clock.advance(TimeDelta::seconds(wait));
    server.visitor().sign_in("alice", PASSWORD).await.expect(303);
}

async fn an_address_is_slowed_down_over_all_accounts(server: TestServer) {
    server.person("alice").create();
    for number in 0..30 {
        server.visitor().sign_in(&format!("somebody{number}"), "wrong").await.expect(422);
    }
    server.visitor().sign_in("alice", PASSWORD).await.expect(429);
    server.clock.advance(TimeDelta::minutes(10));
    server.visitor().sign_in("alice", PASSWORD).await.expect(303);
    server.set("sign_in_failures_per_address", "0");
    server.set("sign_in_failures_per_account", "0");
    for _ in 0..7 {
        server.visitor().sign_in("alice", "wrong").await.expect(422);
    }
}

async fn a_throttle_is_not_talked_away_by_headers(server: TestServer) {
    server.person("alice").create();
    let attempt = async |number: u32, password: &str| {
        let visitor = server.visitor();
        let form = visitor
            .open("/users/sign_in")
            .await
            .form("/users/sign_in")
            .fill("user[login]", "alice")
            .fill("user[password]", password);
        let address = format!("10.0.{number}.1");
        let request = server
            .request(reqwest::Method::POST, "/users/sign_in")
            .header("X-Forwarded-For", &address)
            .header("X-Real-IP", &address)
            .header("Forwarded", format!("for={address}"))
            .form(&form.fields);
        visitor.send(request).await.status
    };
    for number in 0..5 {
        assert_eq!(attempt(number, "wrong").await, 422);
    }
    assert_eq!(attempt(5, PASSWORD).await, 429);
    assert_eq!(server.count("audit_events", "event = 'user_sign_in_failed' AND ip <> '127.0.0.1'"), 0);
}

async fn the_page_that_was_asked_for_comes_after_signing_in(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let wanted = format!("{}?page=2&search=a%20b", acme.page("settings/access_tokens"));
    let visitor = server.visitor();
    let form = visitor.follow(&wanted).await.expect(200).page().form("/users/sign_in");
    let wrong = form.clone().fill("user[login]", "alice").fill("user[password]", "wrong");
    let again = visitor.submit(&wrong).await.expect(422).page().form("/users/sign_in");
    assert_eq!(again.value("user[login]"), Some("alice"), "what was typed is kept");
    assert_eq!(again.value("user[password]"), Some(""), "but not the password");
    let answer = visitor.submit(&again.fill("user[password]", PASSWORD)).await.expect(303);
    assert_eq!(answer.location(), wanted);
    visitor.get(&wanted).await.expect(200);
}

async fn nobody_is_sent_to_another_site(server: TestServer) {
    server.person("alice").create();
    let long = format!("/{}", "x".repeat(10_240));
    let targets = [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\/\\/evil", "/%2f%2fevil", "/%5cevil",
        "https:evil", "javascript:alert(1)", "data:text/html,x", "/\t/evil", "/..//evil", "@evil",
        "http://127.0.0.1@evil", "／／evil", "/%0d%0aSet-Cookie:x=1", "/\r\nSet-Cookie: x=1", &long,
    ];
    for target in targets {
        let visitor = server.visitor();
        let mut form = visitor.open("/users/sign_in").await.form("/users/sign_in");
        form = form
            .fill("user[login]", "alice")
            .fill("user[password]", PASSWORD)
            .fill("redirect_to", target);
        let answer = visitor.submit(&form).await.expect(303);
        assert_eq!(answer.location(), "/", "{target}");
        assert!(answer.all("set-cookie").iter().all(|cookie| cookie.starts_with("latchkey_session=")));
        if target.len() < 2_000 {
            let page = server.visitor().get(&format!("/users/sign_in?{}", query(&[("redirect_to", target)]))).await;
            assert_ne!(page.page().form("/users/sign_in").value("redirect_to"), Some(target), "{target}");
        }
    }
}

async fn a_form_needs_its_token_and_its_origin(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let path = company.acme.page("edit");
    let fields = [("update_section", "general"), ("group[name]", "changed")];
    let good = alice.authenticity_token().await;
    let other = company.oscar.signs_in().await.authenticity_token().await;
    for (case, token) in [("none", None), ("empty", Some("")), ("random", Some("x8Zk")), ("another's", Some(other.as_str()))] {
        let mut all = fields.to_vec();
        all.extend(token.map(|token| ("authenticity_token", token)));
        alice.post_without_token(&path, &all).await.expect(403);
        assert_eq!(server.count("groups", "name = 'changed'"), 0, "{case}");
    }
    let mut all = fields.to_vec();
    all.push(("authenticity_token", &good));
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let request = server.request(reqwest::Method::POST, &path).header(name, value).form(&all);
        assert_eq!(alice.send(request).await.status, 403, "{name}: {value}");
        assert_eq!(server.count("groups", "name = 'changed'"), 0);
    }
    let port = server.url.rsplit(':').next().unwrap();
    let origins = [server.url.clone(), format!("http://localhost:{port}"), format!("http://[::1]:{port}")];
    for origin in origins {
        let request = server
            .request(reqwest::Method::POST, &path)
            .header("Origin", &origin)
            .header("Sec-Fetch-Site", "same-origin")
            .form(&all);
        assert_eq!(alice.send(request).await.status, 303, "{origin}");
    }
    // A signed-out form needs one as well.
    let nobody = server.visitor();
    let fields = [("user[login]", "alice"), ("user[password]", PASSWORD)];
    nobody.post_without_token("/users/sign_in", &fields).await.expect(403);
}

async fn passwords_are_taken_as_they_are(server: TestServer) {
    let alice = server.person("alice").create();
    alice.personal_token([Scope::Api]);
    for near in [" a horse that staples batteries", "a horse that staples batteries ", "A horse that staples batteries"] {
        server.visitor().sign_in("alice", near).await.expect(422);
    }
    server.visitor().sign_in(" alice ", PASSWORD).await.expect(303);
    let huge = "x".repeat(100_000);
    server.visitor().sign_in("alice", &huge).await.expect(422);
}
