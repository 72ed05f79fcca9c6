//! Nothing changes because of a page of somebody else's.

use latchkey::members::AccessLevel;
use reqwest::Method;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    every_form_needs_the_token_of_this_session,
    a_form_from_another_site_is_refused,
    addresses_of_the_same_machine_are_one_site,
    the_token_counts_in_a_header_too,
    the_token_is_another_in_every_form_and_dies_with_the_session,
    a_method_is_only_replaced_in_the_body_of_a_form,
    a_cookie_alone_changes_nothing_through_the_api,
];

/// Every path that a form of the pages goes to, with fields that would do something.
fn unsafe_routes(
    c: &Company,
    token_id: i64,
    personal_id: i64,
) -> Vec<(String, Vec<(&'static str, String)>)> {
    let tokens = c.acme.page("settings/access_tokens");
    let personal = "/-/user_settings/personal_access_tokens";
    let members = c.acme.page("group_members");
    let project_members = c.p1.page("project_members");
    let (bob, frank) = (c.bob.id, c.frank.username.clone());
    let put = || {
        vec![
            ("_method", "put".to_owned()),
            ("form_nonce", "n".to_owned()),
        ]
    };
    let text = |fields: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    vec![
        (
            tokens.clone(),
            text(&[
                ("form_nonce", "n"),
                ("resource_access_token[name]", "forged"),
                ("resource_access_token[access_level]", "10"),
                ("resource_access_token[scopes][]", "api"),
            ]),
        ),
        (format!("{tokens}/{token_id}/revoke"), put()),
        (format!("{tokens}/{token_id}/rotate"), put()),
        (
            personal.to_owned(),
            text(&[
                ("form_nonce", "n"),
                ("personal_access_token[name]", "forged"),
                ("personal_access_token[scopes][]", "api"),
            ]),
        ),
        (format!("{personal}/{personal_id}/revoke"), put()),
        (format!("{personal}/{personal_id}/rotate"), put()),
        (
            c.acme.page("edit"),
            text(&[("update_section", "general"), ("group[name]", "forged")]),
        ),
        (
            c.acme.page("edit"),
            text(&[
                ("update_section", "permissions"),
                ("group[resource_access_token_creation_allowed]", "0"),
            ]),
        ),
        (
            c.p1.page("edit"),
            text(&[("update_section", "general"), ("project[name]", "forged")]),
        ),
        (
            members.clone(),
            vec![
                ("member[user]", frank.clone()),
                ("member[access_level]", "50".to_owned()),
            ],
        ),
        (
            format!("{members}/{bob}"),
            text(&[("member[access_level]", "50")]),
        ),
        (format!("{members}/{bob}/remove"), Vec::new()),
        (
            project_members,
            vec![
                ("member[user]", frank),
                ("member[access_level]", "50".to_owned()),
            ],
        ),
        (
            "/groups".to_owned(),
            text(&[("group[name]", "forged"), ("group[path]", "forged")]),
        ),
        (
            "/projects".to_owned(),
            text(&[("project[name]", "forged"), ("project[path]", "forged")]),
        ),
        (
            "/-/profile/preferences".to_owned(),
            text(&[("theme", "dark")]),
        ),
        ("/users/sign_out".to_owned(), Vec::new()),
    ]
}

async fn every_form_needs_the_token_of_this_session(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let personal = c
        .alice
        .personal_token([latchkey::access_tokens::scope::Scope::Api]);
    let alice = c.alice.signs_in().await;
    let others = c.oscar.signs_in().await.authenticity_token().await;
    let before_sign_in = server.visitor().authenticity_token().await;
    let before = server.inventory();
    let forged = |server: &TestServer| {
        server.count(
            "groups",
            "name = 'forged' OR NOT resource_access_token_creation_allowed",
        ) + server.count("projects", "name = 'forged'")
            + server.count(
                "memberships",
                &format!("user_id = {} AND access_level = 50", c.bob.id),
            )
    };
    for (path, fields) in unsafe_routes(&c, token.id, personal.id) {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let with =
            |value: &'static str| [fields.clone(), vec![("authenticity_token", value)]].concat();
        let with_others = [
            fields.clone(),
            vec![("authenticity_token", others.as_str())],
        ]
        .concat();
        let with_earlier = [
            fields.clone(),
            vec![("authenticity_token", before_sign_in.as_str())],
        ]
        .concat();
        for (what, sent) in [
            ("no token", fields.clone()),
            ("an empty token", with("")),
            (
                "a random token",
                with("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ),
            ("somebody else's token", with_others),
            ("a token from before signing in", with_earlier),
        ] {
            let answer = alice.post_without_token(&path, &sent).await;
            assert_eq!(answer.status, 403, "{path} with {what}: {}", answer.text());
            assert!(
                answer
                    .page()
                    .says("This form is too old. Nothing was changed."),
                "{path} with {what}: {}",
                answer.page().main()
            );
        }
    }
    assert_eq!(server.inventory(), before);
    assert_eq!(forged(&server), 0);
    assert!(token.works().await && personal.works().await);
    assert!(alice.is_signed_in().await);
    assert!(!alice.cookies().contains_key("theme"));
}

async fn a_form_from_another_site_is_refused(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    let edit = acme.page("edit");
    let form = browser
        .open(&edit)
        .await
        .form(&edit)
        .fill("group[description]", "forged");
    for headers in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[
            ("Origin", "https://evil.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        &[
            ("Origin", server.url.as_str()),
            ("Sec-Fetch-Site", "cross-site"),
        ],
    ] {
        let answer = browser.submit_with(&form, headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    // One that only begins like ours.
    let alike = format!("{}0", server.url);
    let evil = format!("{}.evil.example", server.url);
    for origin in [
        alike.as_str(),
        evil.as_str(),
        "http://127.0.0.1",
        "https://127.0.0.1",
    ] {
        assert_eq!(
            browser
                .submit_with(&form, &[("Origin", origin)])
                .await
                .status,
            403,
            "{origin}"
        );
    }
    assert_eq!(server.count("groups", "description = 'forged'"), 0);

    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", server.url.as_str())],
        &[
            ("Origin", server.url.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ],
    ] {
        let answer = browser.submit_with(&form, headers).await;
        assert!(
            matches!(answer.status, 200 | 303),
            "{headers:?}: {}",
            answer.status
        );
    }

    // The sign-in form is a form like any other.
    let visitor = server.visitor();
    let form = visitor.open("/users/sign_in").await.form("/users/sign_in");
    let form = form
        .fill("user[login]", "alice")
        .fill("user[password]", crate::support::PASSWORD);
    visitor
        .submit_with(&form, &[("Origin", "https://evil.example")])
        .await
        .expect(403);
    visitor
        .submit(&form.clone().without("authenticity_token"))
        .await
        .expect(403);
    let stranger = server.visitor();
    stranger.open("/users/sign_in").await;
    stranger.submit(&form).await.expect(403);
    visitor.submit(&form).await.expect(303);
}

async fn addresses_of_the_same_machine_are_one_site(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    let edit = acme.page("edit");
    let form = browser.open(&edit).await.form(&edit);
    let port = server.url.rsplit(':').next().unwrap();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let origin = format!("http://{host}:{port}");
        let answer = browser.submit_with(&form, &[("Origin", &origin)]).await;
        assert!(
            matches!(answer.status, 200 | 303),
            "{origin}: {}",
            answer.status
        );
    }
    for origin in [
        "http://localhost:1".to_owned(),
        format!("http://192.168.0.1:{port}"),
    ] {
        assert_eq!(
            browser
                .submit_with(&form, &[("Origin", &origin)])
                .await
                .status,
            403,
            "{origin}"
        );
    }
}

async fn the_token_counts_in_a_header_too(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    let token = browser.authenticity_token().await;
    let request = |token: &str| {
        server
            .request(Method::POST, "/groups")
            .header("X-CSRF-Token", token)
            .form(&[("group[name]", "acme"), ("group[path]", "acme")])
    };
    browser.send(request("nonsense")).await.expect(403);
    browser.send(request(&token)).await.expect(303);
    assert_eq!(server.count("groups", "path = 'acme'"), 1);
    // Never in the address.
    let path = format!("/groups?authenticity_token={token}");
    browser
        .post_without_token(&path, &[("group[name]", "b"), ("group[path]", "b")])
        .await
        .expect(403);
}

async fn the_token_is_another_in_every_form_and_dies_with_the_session(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let (first, second) = (
        browser.authenticity_token().await,
        browser.authenticity_token().await,
    );
    assert_ne!(first, second, "masked afresh");
    let thief = browser.copied();
    browser.sign_out().await.expect(303);
    let again = alice.signs_in().await;
    for visitor in [&thief, &again] {
        let fields = [
            ("authenticity_token", first.as_str()),
            ("group[name]", "x"),
            ("group[path]", "x"),
        ];
        let answer = visitor.post_without_token("/groups", &fields).await;
        assert!(matches!(answer.status, 302 | 403), "{}", answer.status);
    }
    assert_eq!(server.count("groups", "path = 'x'"), 0);
}

async fn a_method_is_only_replaced_in_the_body_of_a_form(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    acme.member(&server.person("bob").create(), AccessLevel::Guest);
    let token = acme.token("ci").create();
    let browser = alice.signs_in().await;
    let secret = browser.authenticity_token().await;
    let revoke = format!(
        "{}/{}/revoke",
        acme.page("settings/access_tokens"),
        token.id
    );

    let overridden = |name: &'static str, value: &'static str| {
        server
            .request(Method::POST, &revoke)
            .header(name, value)
            .form(&[("authenticity_token", secret.as_str())])
    };
    for request in [
        overridden("X-HTTP-Method-Override", "PUT"),
        overridden("X-HTTP-Method", "PUT"),
        overridden("X-Method-Override", "PUT"),
    ] {
        let answer = browser.send(request).await;
        assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
    }
    let in_query = format!("{revoke}?_method=put");
    let answer = browser.post(&in_query, &[]).await;
    assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
    let answer = browser.post(&revoke, &[("_method", "delete")]).await;
    assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
    assert!(token.works().await);
    browser
        .post(&revoke, &[("_method", "put")])
        .await
        .expect(303);
    assert!(!token.works().await);

    // The API takes methods as they come.
    let token = acme.token("other").create();
    let path = format!("{}/access_tokens/{}", acme.path(), token.id);
    let api = alice.api();
    for path in [
        format!("{path}?_method=delete"),
        format!("{path}?_method=put"),
    ] {
        api.get(&path).await.expect(200);
    }
    let request = api
        .request(Method::POST, &path)
        .form(&[("_method", "delete")]);
    let answer = crate::support::Answer::to(request).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    assert!(token.works().await);
}

async fn a_cookie_alone_changes_nothing_through_the_api(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let browser = alice.signs_in().await;
    let one = format!("/api/v4{}/access_tokens/{}", acme.path(), token.id);
    let many = format!("/api/v4{}/access_tokens", acme.path());
    for (method, path) in [
        (Method::DELETE, one.clone()),
        (Method::POST, format!("{one}/rotate")),
        (Method::POST, many.clone()),
        (Method::POST, "/api/v4/projects".to_owned()),
        (
            Method::DELETE,
            "/api/v4/personal_access_tokens/self".to_owned(),
        ),
    ] {
        for header in [None, Some(""), Some("nonsense")] {
            let mut request = server
                .request(method.clone(), &path)
                .json(&serde_json::json!({ "name": "x" }));
            if let Some(value) = header {
                request = request.header("X-CSRF-Token", value);
            }
            assert_eq!(
                browser.send(request).await.status,
                401,
                "{method} {path} with {header:?}"
            );
        }
    }
    assert!(token.works().await);
    let answer = browser.get(&many).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
