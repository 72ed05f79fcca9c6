//! The page that tells what would become of a request says what becomes of it.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::support::{Company, Page, TestResource, TestServer, TestToken, Visitor, query};
use crate::{on_both, on_sqlite};

// The rules are asked of whatever the database has told.
on_sqlite![
    the_answer_is_what_becomes_of_the_request,
    a_token_to_be_is_told_as_one_that_is_there,
    git_is_told_as_it_is,
];

on_both![
    a_token_replaces_itself_where_it_is_at_home_and_once,
    leaving_is_ones_own_affair_and_removing_others_is_not,
    an_archived_project_takes_no_code,
    what_depends_on_more_is_no_plain_yes,
    every_rule_that_decides_is_named,
    what_the_token_or_the_viewer_may_not_see_is_told_as_not_there,
    the_token_in_a_path_is_looked_up_as_the_request_would,
    a_token_that_the_viewer_may_not_see_is_not_told_of,
    what_is_no_id_of_a_token_is_told_as_one_that_is_not_there,
    why_a_token_in_a_path_cannot_be_rotated_is_told_as_it_is,
    an_address_of_another_server_is_said_to_be_one,
    the_host_that_the_page_was_asked_under_is_no_other_server,
    a_dead_token_is_refused_and_a_value_in_its_grace_is_not,
    a_token_of_another_place_is_not_asked_about,
    nothing_is_asked_without_a_path_and_nothing_changes,
    a_question_costs_four_queries,
];

/// What the page says to a question.
async fn asked(browser: &Visitor, list: &str, fields: &[(&str, &str)]) -> Page {
    browser
        .get(&format!("{list}/check?{}", query(fields)))
        .await
        .expect(200)
        .page()
}

fn allowed(page: &Page) -> bool {
    let ruling = page.part("ruling").expect("an answer").text();
    assert!(
        ruling.starts_with("Allowed") || ruling.starts_with("Refused"),
        "{ruling}"
    );
    ruling.starts_with("Allowed")
}

/// Requests that succeed for whoever may send them, each made anew.
fn requests(company: &Company, number: usize) -> Vec<(&'static str, String, Value)> {
    let (acme, p1, sub) = (&company.acme, &company.p1, &company.sub);
    let member = company.frank.id;
    let new = |group: bool| json!({ "name": "x", "scopes": ["read_api"], "access_level": if group { 10 } else { 20 } });
    vec![
        ("GET", acme.path(), Value::Null),
        (
            "GET",
            format!("/groups/{}", acme.encoded_path()),
            Value::Null,
        ),
        ("GET", sub.path(), Value::Null),
        ("GET", company.other.path(), Value::Null),
        ("GET", "/groups/nowhere".into(), Value::Null),
        ("GET", p1.path(), Value::Null),
        ("GET", company.p9.path(), Value::Null),
        ("GET", format!("{}/members", acme.path()), Value::Null),
        ("GET", format!("{}/access_tokens", acme.path()), Value::Null),
        ("GET", format!("{}/access_tokens", sub.path()), Value::Null),
        ("GET", format!("{}/access_tokens", p1.path()), Value::Null),
        ("POST", format!("{}/access_tokens", acme.path()), new(true)),
        ("POST", format!("{}/access_tokens", p1.path()), new(false)),
        (
            "PUT",
            acme.path(),
            json!({ "description": format!("d{number}") }),
        ),
        (
            "PUT",
            sub.path(),
            json!({ "description": format!("d{number}") }),
        ),
        (
            "PUT",
            p1.path(),
            json!({ "description": format!("d{number}") }),
        ),
        (
            "POST",
            format!("{}/members", acme.path()),
            json!({ "user_id": member, "access_level": 10 }),
        ),
        (
            "DELETE",
            format!("{}/members/{member}", acme.path()),
            Value::Null,
        ),
        (
            "GET",
            format!("{}/repository/branches", p1.path()),
            Value::Null,
        ),
        ("GET", "/user".into(), Value::Null),
        ("GET", "/personal_access_tokens/self".into(), Value::Null),
        ("GET", "/application/settings".into(), Value::Null),
        ("GET", "/version".into(), Value::Null),
    ]
}

fn tokens(company: &Company) -> Vec<TestToken> {
    let acme = &company.acme;
    let token = |name: &str, level, scopes: &[Scope]| {
        acme.token(name)
            .role(level)
            .scopes(scopes.iter().copied())
            .create()
    };
    let mut all: Vec<TestToken> = AccessLevel::ALL
        .into_iter()
        .map(|level| token(level.name(), level, &[Scope::Api]))
        .collect();
    all.push(token("reader", AccessLevel::Owner, &[Scope::ReadApi]));
    all.push(token("git", AccessLevel::Owner, &[Scope::WriteRepository]));
    all.push(token("rotator", AccessLevel::Owner, &[Scope::SelfRotate]));
    all
}

async fn the_answer_is_what_becomes_of_the_request(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let (mut yes, mut no) = (0, 0);
    for (number, token) in tokens(&company).into_iter().enumerate() {
        for (method, path, body) in requests(&company, number) {
            let id = token.id.to_string();
            let fields = [("token", &*id), ("method", method), ("path", &*path)];
            let told = asked(&browser, &list, &fields).await;
            let answer = token
                .send(method.parse().unwrap(), &path, body.clone())
                .await;
            let case = format!(
                "{method} {path} as token {number} is {}: {}",
                answer.status,
                told.part("ruling").unwrap().text()
            );
            // A refusal for want of permission is worded as a bad request where it is GitLab's way.
            let refused = matches!(answer.status, 401 | 403 | 404)
                || answer.status == 400 && answer.text().contains("permission");
            assert!(refused || answer.status < 300, "{case} {}", answer.text());
            assert_eq!(allowed(&told), !refused, "{case}");
            if refused {
                no += 1;
            } else {
                yes += 1;
            }
        }
    }
    assert!(yes > 50 && no > 50, "{yes} and {no}");
}

async fn git_is_told_as_it_is(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    for token in tokens(&company) {
        for service in ["git-upload-pack", "git-receive-pack"] {
            for project in ["acme/p1", "other/p9"] {
                let path = format!("/{project}.git/info/refs?service={service}");
                let id = token.id.to_string();
                let told = asked(&browser, &list, &[("token", &id), ("path", &path)]).await;
                let answer = server
                    .request(reqwest::Method::GET, &path)
                    .basic_auth("x", Some(&token.value));
                let status = crate::support::Answer::to(answer).await.status;
                assert_eq!(
                    allowed(&told),
                    status == 200,
                    "{path} is {status}: {}",
                    told.main()
                );
            }
        }
    }
}

async fn a_token_replaces_itself_where_it_is_at_home_and_once(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let token = company.acme.token("ci").create();
    let id = token.id.to_string();
    let here = format!("{}/access_tokens/self/rotate", company.acme.path());
    let below = format!("{}/access_tokens/self/rotate", company.sub.path());
    let own = "/personal_access_tokens/self/rotate".to_owned();
    let told = |path: String| {
        let (browser, list, id) = (&browser, &list, &id);
        async move {
            let fields = [("token", &**id), ("method", "POST"), ("path", &*path)];
            allowed(&asked(browser, list, &fields).await)
        }
    };
    assert!(told(here.clone()).await && told(own.clone()).await);
    assert!(!told(below.clone()).await);
    token.post(&below, Value::Null).await.expect(401);
    let body = json!({ "grace_period": 60 });
    token.post(&here, body).await.expect(200);
    assert!(!told(here.clone()).await && !told(own.clone()).await);
    token.post(&here, Value::Null).await.expect(400);
}

async fn leaving_is_ones_own_affair_and_removing_others_is_not(server: TestServer) {
    let company = Company::on(&server);
    let carol = &company.carol;
    let token = carol.personal_token([Scope::Api]);
    let browser = carol.signs_in().await;
    let list = "/-/user_settings/personal_access_tokens";
    for (member, may) in [(company.bob.id, false), (carol.id, true)] {
        let path = format!("{}/members/{member}", company.acme.path());
        let id = token.id.to_string();
        let fields = [("token", &*id), ("method", "DELETE"), ("path", &*path)];
        let told = asked(&browser, list, &fields).await;
        assert_eq!(allowed(&told), may, "{}", told.main());
        let status = token.delete(&path).await.status;
        assert_eq!(status < 300, may, "{status}");
    }
}

async fn an_archived_project_takes_no_code(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let token = company.acme.token("ci").create();
    server.sql(&format!(
        "UPDATE projects SET archived = TRUE WHERE id = {}",
        company.p1.id
    ));
    let path = format!("{}/repository/branches", company.p1.path());
    let id = token.id.to_string();
    for (method, may) in [("GET", true), ("POST", false)] {
        let fields = [("token", &*id), ("method", method), ("path", &*path)];
        let told = asked(&browser, &list, &fields).await;
        assert_eq!(allowed(&told), may, "{}", told.main());
    }
    let body = json!({ "branch": "x", "ref": "main" });
    token.post(&path, body).await.expect(403);
}

async fn what_depends_on_more_is_no_plain_yes(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let branches = format!("{}/repository/branches", company.p1.path());
    for (role, method, path, headline) in [
        ("30", "POST", &*branches, "Allowed, with conditions"),
        ("40", "POST", &*branches, "Allowed Create a branch"),
        ("50", "POST", "/groups", "Allowed, with conditions"),
        ("50", "POST", "/projects", "Allowed, with conditions"),
    ] {
        let fields = [
            ("role", role),
            ("scopes", "api"),
            ("method", method),
            ("path", path),
        ];
        let told = asked(&browser, &list, &fields).await;
        let ruling = told.part("ruling").unwrap().text();
        assert!(ruling.starts_with(headline), "{headline}: {ruling}");
    }
}

async fn a_token_to_be_is_told_as_one_that_is_there(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    for level in [
        AccessLevel::Guest,
        AccessLevel::Developer,
        AccessLevel::Owner,
    ] {
        for scope in [Scope::Api, Scope::ReadRepository] {
            let token = company.acme.token("x").role(level).scopes([scope]).create();
            for (method, path, _) in requests(&company, 0) {
                let (id, role) = (token.id.to_string(), level.number().to_string());
                let with = |more: &[(&'static str, String)]| {
                    let mut fields = vec![("method", method.to_owned()), ("path", path.clone())];
                    fields.extend(more.iter().cloned());
                    fields
                };
                let mut answers = Vec::new();
                for fields in [
                    with(&[("token", id.clone())]),
                    with(&[("role", role.clone()), ("scopes", scope.name().to_owned())]),
                ] {
                    let fields: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()))
                        .collect();
                    answers.push(allowed(&asked(&browser, &list, &fields).await));
                }
                assert_eq!(
                    answers[0], answers[1],
                    "{method} {path} {level:?} {scope:?}"
                );
            }
        }
    }
}

async fn every_rule_that_decides_is_named(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let path = company.acme.path();
    let told = asked(
        &browser,
        &list,
        &[
            ("role", "30"),
            ("scopes", "read_api"),
            ("method", "PUT"),
            ("path", &path),
        ],
    )
    .await;
    for words in [
        "Refused",
        "Change a group",
        "It takes api; the token has read_api.",
        "The token has the role Developer in acme.",
        "Changing a group takes the role Owner in acme; the token has Developer.",
        "To turn the creation of tokens on or off it takes an Owner of the top-level group.",
    ] {
        assert!(told.says(words), "{words:?} in {}", told.main());
    }
    let ask = |path: String| {
        let (browser, list) = (&browser, &list);
        async move {
            let fields = [
                ("role", "50"),
                ("scopes", "api"),
                ("method", "POST"),
                ("path", &*path),
            ];
            asked(browser, list, &fields).await
        }
    };
    let told = ask(format!("{path}/access_tokens")).await;
    assert!(
        told.says("Making an access token is for people; a bot of a token may not do it here."),
        "{}",
        told.main()
    );
    let told = ask("/nowhere".into()).await;
    assert!(!allowed(&told) && told.says("Nothing answers this method and path."));
    let told = ask("/groups".into()).await;
    assert!(allowed(&told) && told.says("Depends"), "{}", told.main());
    server.set("disable_personal_access_tokens", "true");
    let personal = company.bob.signs_in().await;
    let list = "/-/user_settings/personal_access_tokens";
    let fields = [("scopes", "api"), ("path", "/user")];
    let told = asked(&personal, list, &fields).await;
    assert!(!allowed(&told) && told.says("Access tokens are turned off on this instance."));
}

async fn what_the_token_or_the_viewer_may_not_see_is_told_as_not_there(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let told = |path: String| {
        let (browser, list) = (&browser, &list);
        async move {
            let fields = [("role", "50"), ("scopes", "api"), ("path", &*path)];
            let page = asked(browser, list, &fields).await;
            page.part("ruling").unwrap().text()
        }
    };
    let hidden = told(company.other.path()).await;
    assert!(hidden.contains("The token can't see it, or it isn't there."));
    assert_eq!(hidden, told("/groups/99999".into()).await);
    // What is internal is seen by bots, but not by an external Owner who asks.
    let open = server
        .group("open")
        .owner(&company.oscar)
        .internal()
        .create();
    let xenia = &company.xenia;
    company.acme.member(xenia, AccessLevel::Owner);
    let token = company.acme.token("ci").made_by(&company.alice).create();
    let external = xenia.signs_in().await;
    let (id, path) = (token.id.to_string(), open.path());
    let fields = [("token", &*id), ("path", &*path)];
    assert!(allowed(&asked(&browser, &list, &fields).await));
    assert!(!allowed(&asked(&external, &list, &fields).await));
}

async fn the_token_in_a_path_is_looked_up_as_the_request_would(server: TestServer) {
    server.retain_bots(true);
    let c = Company::on(&server);
    let alice = &c.alice;
    let browser = alice.signs_in().await;
    let bob = c.bob.signs_in().await;
    let mine = "/-/user_settings/personal_access_tokens".to_owned();
    let of_acme = c.acme.page("settings/access_tokens");
    let owner = alice.personal_token([Scope::Api]);
    let maintainer = c.bob.personal_token([Scope::Api]);
    let bot = c.acme.token("bot").role(AccessLevel::Owner).create();
    let root = c.root.signs_in().await;
    let administrator = c.root.personal_token([Scope::Api]);
    let api = alice.api();
    let of = |group: &str, id: i64| format!("/groups/{group}/access_tokens/{id}");
    let acme = c.acme.id.to_string();
    let (mut yes, mut no) = (0, 0);
    for (name, role) in [("high", AccessLevel::Owner), ("low", AccessLevel::Guest)] {
        for (viewer, list, asker) in [
            (&browser, &mine, &owner),
            (&bob, &mine, &maintainer),
            (&browser, &of_acme, &bot),
            (&root, &mine, &administrator),
        ] {
            for state in ["active", "revoked", "rotated", "of a project", "personal"] {
                for method in ["GET", "DELETE", "POST"] {
                    let (place, token) = match state {
                        "of a project" => {
                            let role = AccessLevel::Maintainer.min(role);
                            (c.p1.path(), c.p1.token(name).role(role).create())
                        }
                        _ => (
                            format!("/groups/{acme}"),
                            c.acme.token(name).role(role).create(),
                        ),
                    };
                    let id = if state == "personal" {
                        alice.personal_token([Scope::Api]).id
                    } else {
                        token.id
                    };
                    match state {
                        "revoked" => {
                            api.delete(&of(&acme, id)).await.expect(204);
                        }
                        "rotated" => {
                            let body = json!({ "grace_period": 3600 });
                            let path = format!("{}/rotate", of(&acme, id));
                            api.post(&path, body).await.expect(200);
                        }
                        _ => {}
                    }
                    let end = if method == "POST" { "/rotate" } else { "" };
                    for path in [
                        format!("{place}/access_tokens/{id}{end}"),
                        format!("/groups/{}/access_tokens/{id}{end}", c.sub.id),
                        format!("/personal_access_tokens/{id}{end}"),
                    ] {
                        let shown = asker.id.to_string();
                        let fields = [("token", &*shown), ("method", method), ("path", &*path)];
                        let told = asked(viewer, list, &fields).await;
                        let ruling = told.part("ruling").unwrap().text();
                        let answer = asker
                            .send(method.parse().unwrap(), &path, Value::Null)
                            .await;
                        let case = format!(
                            "{method} {path} ({name}, {state}) is {} {}: {ruling}",
                            answer.status,
                            answer.text()
                        );
                        assert_eq!(allowed(&told), answer.status < 300, "{case}");
                        assert!(!ruling.contains("with conditions"), "{case}");
                        if answer.status < 300 {
                            yes += 1;
                        } else {
                            no += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(yes > 30 && no > 30, "{yes} and {no}");
}

async fn a_token_that_the_viewer_may_not_see_is_not_told_of(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let bot = c.acme.token("bot").create();
    // Where Alice and the bot see the group, and Alice no tokens.
    let open = server.group("open").owner(&c.oscar).public().create();
    let hidden = open.token("hidden").create();
    let list = c.acme.page("settings/access_tokens");
    let shown = bot.id.to_string();
    for method in ["GET", "DELETE"] {
        let mut told = Vec::new();
        for id in [hidden.id, 99_999] {
            let mut answers = Vec::new();
            for path in [
                format!("/groups/{}/access_tokens/{id}", open.id),
                format!("/personal_access_tokens/{id}"),
            ] {
                let fields = [("token", &*shown), ("method", method), ("path", &*path)];
                let page = asked(&browser, &list, &fields).await;
                answers.push(page.part("ruling").unwrap().text());
            }
            told.push(answers);
        }
        assert_eq!(told[0], told[1]);
    }
}

async fn an_address_of_another_server_is_said_to_be_one(server: TestServer) {
    let c = Company::on(&server);
    let list = c.acme.page("settings/access_tokens");
    let browser = c.alice.signs_in().await;
    let own = server.app.external_url.clone();
    let told = |path: String| {
        let (browser, list) = (&browser, &list);
        async move {
            let fields = [("role", "50"), ("scopes", "api"), ("path", &*path)];
            asked(browser, list, &fields).await
        }
    };
    let page = told("https://gitlab.example:8443/api/v4/version".into()).await;
    assert!(!allowed(&page));
    let says =
        format!("That is an address of another server, gitlab.example:8443. This one is {own}.");
    assert!(page.says(&says), "{}", page.main());
    assert!(allowed(&told(format!("{own}/api/v4/version")).await));
}

async fn what_is_no_id_of_a_token_is_told_as_one_that_is_not_there(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let list = "/-/user_settings/personal_access_tokens";
    let token = c.alice.personal_token([Scope::Api]);
    let shown = token.id.to_string();
    for written in [":token_id", "abc", "self", "9999999999999999999999999", "0"] {
        for (method, end) in [("GET", ""), ("DELETE", ""), ("POST", "/rotate")] {
            let mut paths = vec![
                format!("/groups/acme/access_tokens/{written}{end}"),
                format!("{}/access_tokens/{written}{end}", c.p1.path()),
            ];
            if written != "self" {
                paths.push(format!("/personal_access_tokens/{written}{end}"));
            }
            for path in paths {
                let fields = [("token", &*shown), ("method", method), ("path", &*path)];
                let told = asked(&browser, list, &fields).await;
                let ruling = told.part("ruling").unwrap().text();
                let answer = token
                    .send(method.parse().unwrap(), &path, Value::Null)
                    .await;
                let case = format!("{method} {path} is {}: {ruling}", answer.status);
                assert!(answer.status >= 400, "{case}");
                assert!(!allowed(&told), "{case}");
                let named = path.contains("/access_tokens/") && !path.contains("self/rotate");
                if named {
                    assert!(ruling.contains("has no token with such an id."), "{case}");
                }
            }
        }
    }
}

async fn why_a_token_in_a_path_cannot_be_rotated_is_told_as_it_is(server: TestServer) {
    let c = Company::on(&server);
    let list = "/-/user_settings/personal_access_tokens";
    let asker = c.root.personal_token([Scope::Api]);
    let token = c.acme.token("ci").create();
    let shown = asker.id.to_string();
    let browser = c.root.signs_in().await;
    let hosted = browser.at(&server.hosted());
    let plan = "The plan of the top-level group doesn't include making and rotating tokens.";
    let switch = "Making and rotating tokens is turned off by the top-level group.";
    c.acme.allow_creation(true);
    for (browser, told, other) in [(&hosted, plan, switch), (&browser, switch, plan)] {
        if told == switch {
            c.acme.allow_creation(false);
        }
        for path in [
            format!("/personal_access_tokens/{}/rotate", token.id),
            format!("/groups/acme/access_tokens/{}/rotate", token.id),
        ] {
            let fields = [("token", &*shown), ("method", "POST"), ("path", &*path)];
            let page = asked(browser, list, &fields).await;
            assert!(!allowed(&page), "{path}");
            assert!(page.says(told), "{path}: {}", page.main());
            assert!(!page.says(other), "{path}: {}", page.main());
        }
    }
}

async fn the_host_that_the_page_was_asked_under_is_no_other_server(server: TestServer) {
    let c = Company::on(&server);
    let list = c.acme.page("settings/access_tokens");
    let browser = c.alice.signs_in().await;
    let fields = [
        ("role", "50"),
        ("scopes", "api"),
        ("path", "http://192.168.1.5:8080/api/v4/version"),
    ];
    assert!(!allowed(&asked(&browser, &list, &fields).await));
    let path = format!("{list}/check?{}", query(&fields));
    let request = server.request(reqwest::Method::GET, &path);
    let reached = request.header("host", "192.168.1.5:8080");
    let page = browser.send(reached).await.expect(200).page();
    assert!(allowed(&page), "{}", page.main());
}

async fn a_dead_token_is_refused_and_a_value_in_its_grace_is_not(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let token = company.acme.token("ci").create();
    let alice = company.alice.api();
    let rotate = format!("{}/access_tokens/{}/rotate", company.acme.path(), token.id);
    let body = json!({ "grace_period": 60 });
    alice.post(&rotate, body).await.expect(200);
    let id = token.id.to_string();
    let fields = [("token", &*id), ("path", "/user")];
    assert!(allowed(&asked(&browser, &list, &fields).await));
    server.clock.advance(chrono::TimeDelta::seconds(61));
    let told = asked(&browser, &list, &fields).await;
    assert!(!allowed(&told) && told.says("The token was revoked."));
}

async fn a_token_of_another_place_is_not_asked_about(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let elsewhere = company.p9.token("x").create().id.to_string();
    for id in [&*elsewhere, "99999", "x", "-1", "99999999999999999999"] {
        let page = asked(&browser, &list, &[("token", id), ("path", "/user")]).await;
        assert!(page.part("ruling").is_none());
        assert!(page.says("There is no such token here"), "{}", page.main());
    }
    let page = asked(&browser, &list, &[("path", "/user")]).await;
    assert!(page.says("Give a token, or select at least one scope"));
}

async fn nothing_is_asked_without_a_path_and_nothing_changes(server: TestServer) {
    let company = Company::on(&server);
    let list = company.acme.page("settings/access_tokens");
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let before = (server.inventory(), server.count("audit_events", ""));
    let page = asked(&browser, &list, &[]).await;
    assert!(page.part("ruling").is_none());
    let id = token.id.to_string();
    let path = company.acme.path();
    for method in ["GET", "DELETE"] {
        let fields = [("token", &*id), ("method", method), ("path", &*path)];
        asked(&browser, &list, &fields).await;
    }
    server.rest().await;
    assert_eq!(
        before,
        (server.inventory(), server.count("audit_events", ""))
    );
    assert_eq!(server.count("access_token_uses", ""), 0);
}

async fn a_question_costs_four_queries(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let list = company.acme.page("settings/access_tokens");
    let id = token.id.to_string();
    let (deep, p3) = (company.deep.path(), company.p3.path());
    let of_deep = format!("{deep}/access_tokens/{id}");
    let by_id = format!("/personal_access_tokens/{id}/rotate");
    let other = company.acme.token("other").create().id;
    let of_other = format!("/personal_access_tokens/{other}/rotate");
    for (method, path) in [
        ("GET", &*deep),
        ("GET", &*p3),
        ("GET", "/user"),
        ("GET", &*of_deep),
        ("POST", &*by_id),
        ("POST", &*of_other),
    ] {
        let fields = [("token", &*id), ("method", method), ("path", path)];
        asked(&browser, &list, &fields).await;
        let before = server.app.db.counters().queries();
        asked(&browser, &list, &fields).await;
        let queries = server.app.db.counters().queries() - before;
        assert!(queries <= 4, "{path} costs {queries} queries");
    }
}
