//! After signing in people are where they wanted to be, and never elsewhere.

use reqwest::Url;

use crate::on_both;
use crate::support::{PASSWORD, TestResource, TestServer, Visitor, query};

on_both![
    signing_in_leads_to_the_page_that_was_asked_for,
    nobody_is_sent_to_another_site,
    a_failed_attempt_keeps_the_way,
    what_was_posted_is_not_returned_to,
];

async fn signing_in_leads_to_the_page_that_was_asked_for(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    for asked in [
        format!("{}?page=2", acme.page("settings/access_tokens")),
        format!(
            "{}?search=a%20%26b&sort=name_desc",
            acme.page("settings/access_tokens")
        ),
        "/dashboard/projects".to_owned(),
        "/acme".to_owned(),
    ] {
        let visitor = server.visitor();
        let answer = visitor.get(&asked).await.expect(302);
        let sign_in = answer.location().to_owned();
        assert!(
            sign_in.starts_with("/users/sign_in?redirect_to="),
            "{sign_in}"
        );
        let form = visitor.open(&sign_in).await.form("/users/sign_in");
        assert_eq!(form.value("redirect_to"), Some(asked.as_str()));
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", PASSWORD);
        let answer = visitor.submit(&form).await.expect(303);
        assert_eq!(answer.location(), asked);
        visitor.get(&asked).await.expect(200);
    }
}

/// What attackers write where a path belongs.
fn elsewhere() -> Vec<String> {
    let mut all: Vec<String> = [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/\\/evil",
        "\\\\evil.example",
        "/%2f%2fevil",
        "/%5cevil",
        "https:evil",
        "https:/evil.example",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "/\t/evil",
        "/\n/evil",
        "\t//evil.example",
        " //evil.example",
        "/..//evil",
        "/.//evil.example",
        "@evil",
        "http://127.0.0.1@evil",
        "／／evil",
        "/\u{2028}/evil",
        "/x\r\nSet-Cookie: planted=1",
        "/x%0d%0aSet-Cookie:planted=1",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("/{}", "x".repeat(10_240)));
    all
}

#[track_caller]
fn stays_here(server: &TestServer, given: &str, location: &str) {
    let given: String = given.chars().take(60).collect();
    assert!(location.starts_with('/'), "{given:?} leads to {location}");
    assert!(
        !location.contains('\\') && location.is_ascii(),
        "{given:?} leads to {location}"
    );
    let path = location.split(['?', '#']).next().unwrap().to_lowercase();
    assert!(
        !path.contains("//") && !path.contains("%2f") && !path.contains("%5c"),
        "{given:?} leads to {location}"
    );
    assert!(location.len() < 4096, "{given:?}");
    let here = Url::parse(&server.url).unwrap();
    let target = here.join(location).unwrap();
    assert_eq!(
        target.origin(),
        here.origin(),
        "{given:?} leads to {target}"
    );
}

async fn nobody_is_sent_to_another_site(server: TestServer) {
    let alice = server.person("alice").create();
    let signed_in = alice.signs_in().await;
    let sent = |visitor: &Visitor, value: &str| {
        let path = format!("/users/sign_in?{}", query(&[("redirect_to", value)]));
        visitor.server.request(reqwest::Method::GET, &path)
    };
    for given in elsewhere() {
        // In the address, by somebody who is signed in: sent on at once, or told that it is too long.
        let answer = signed_in.send(sent(&signed_in, &given)).await;
        match answer.status {
            302 | 303 => stays_here(&server, &given, answer.location()),
            status => assert_eq!(status, 414, "{given:?}"),
        }
        assert!(!answer.all("set-cookie").join("").contains("planted"));

        // In the address of the form, and in the form itself.
        let visitor = server.visitor();
        let answer = visitor.send(sent(&visitor, &given)).await;
        if answer.status == 200 {
            let kept = answer
                .page()
                .form("/users/sign_in")
                .value("redirect_to")
                .unwrap_or("/")
                .to_owned();
            stays_here(&server, &given, &kept);
        }
        let form = visitor.open("/users/sign_in").await.form("/users/sign_in");
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", PASSWORD);
        let answer = visitor
            .submit(&form.fill("redirect_to", &given))
            .await
            .expect(303);
        stays_here(&server, &given, answer.location());
        assert!(!answer.all("set-cookie").join("").contains("planted"));
    }
}

async fn a_failed_attempt_keeps_the_way(server: TestServer) {
    server.person("alice").create();
    let visitor = server.visitor();
    let form = visitor
        .open("/users/sign_in?redirect_to=/dashboard/projects")
        .await
        .form("/users/sign_in");
    let form = form
        .fill("user[login]", "alice")
        .fill("user[password]", "not this one");
    let form = form.tick("user[remember_me]", "1");
    let form = visitor
        .submit(&form)
        .await
        .expect(422)
        .page()
        .form("/users/sign_in");
    assert_eq!(form.value("user[login]"), Some("alice"));
    assert_eq!(form.value("user[remember_me]"), Some("1"));
    let answer = visitor
        .submit(&form.fill("user[password]", PASSWORD))
        .await
        .expect(303);
    assert_eq!(answer.location(), "/dashboard/projects");
}

async fn what_was_posted_is_not_returned_to(server: TestServer) {
    server.group("acme").create();
    let answer = server
        .visitor()
        .post_without_token("/groups/acme/-/edit", &[("x", "y")])
        .await;
    assert!(matches!(answer.status, 302 | 403), "{}", answer.status);
    assert!(
        !answer.location().contains("redirect_to"),
        "{}",
        answer.location()
    );
}
