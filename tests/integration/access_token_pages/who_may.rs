//! Owners and administrators; for everybody else the page isn't there.

use latchkey::members::AccessLevel;
use reqwest::Method;

use super::{SCOPES, field, filled, names, tokens_of, value_of};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    owners_and_administrators_see_the_page,
    for_everybody_else_it_is_not_there,
    it_looks_like_a_group_that_does_not_exist,
    strangers_are_asked_to_sign_in,
    the_sidebar_leads_there_those_who_may,
    a_role_that_ended_opens_nothing,
    a_bot_without_its_membership_is_shown_as_such,
    a_demotion_holds_for_a_form_that_is_open,
];

async fn owners_and_administrators_see_the_page(server: TestServer) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    for (person, groups) in [
        (&c.alice, &[&c.acme, &c.sub, &c.deep][..]),
        (&c.root, &[&c.acme, &c.sub, &c.deep, &c.other]),
        (&olga, &[&c.sub, &c.deep]),
        (&c.oscar, &[&c.other]),
    ] {
        let browser = person.signs_in().await;
        for group in groups {
            let page = browser.open(&tokens_of(group)).await;
            assert!(
                page.has("add-new-token-button"),
                "{} in {}",
                person.username,
                group.full_path
            );
            let title = format!("Access tokens · {} · Latchkey", group.full_path);
            assert_eq!(page.title(), title);
        }
    }
    // Paths are the same in any case.
    let browser = c.alice.signs_in().await;
    browser
        .get("/groups/ACME/-/settings/access_tokens")
        .await
        .expect(200);
    value_of(
        &browser
            .submit(&filled(&browser, &c.sub, "ci").await)
            .await
            .expect(200),
    );
}

async fn for_everybody_else_it_is_not_there(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    let path = tokens_of(&c.acme);
    let before = server.inventory();
    for person in [
        &c.bob, &c.carol, &c.dave, &c.paula, &c.erin, &c.frank, &c.xenia, &c.oscar, &olga,
    ] {
        let browser = person.signs_in().await;
        let who = &person.username;
        for path in [
            path.clone(),
            format!("{path}?new=1"),
            format!("{path}/{}/revoke", token.id),
            format!("{path}/{}/rotate", token.id),
        ] {
            let answer = browser.get(&path).await;
            assert_eq!(answer.status, 404, "{who}: {path}");
            assert!(answer.page().says("Page not found"), "{who}: {path}");
            let head = browser.send(server.request(Method::HEAD, &path)).await;
            assert_eq!(head.status, 404, "{who}: HEAD {path}");
        }
        let name = field("name");
        let fields = [
            ("form_nonce", "n"),
            (name.as_str(), "forged"),
            (SCOPES, "api"),
        ];
        assert_eq!(
            browser.post(&path, &fields).await.status,
            404,
            "{who} creates"
        );
        // The same whatever else is wrong with it: nothing is told about the form to those who may not send it.
        assert_eq!(
            browser.post(&path, &[]).await.status,
            404,
            "{who} sends nothing"
        );
        for action in ["revoke", "rotate"] {
            let sent = [("_method", "put"), ("form_nonce", "n")];
            let answer = browser
                .post(&format!("{path}/{}/{action}", token.id), &sent)
                .await;
            assert_eq!(answer.status, 404, "{who}: {action}");
        }
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
}

async fn it_looks_like_a_group_that_does_not_exist(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    for person in [&c.bob, &c.frank] {
        let browser = person.signs_in().await;
        for group in [&c.acme, &c.other, &open] {
            // As long, so that the lengths can be compared too.
            let nowhere = "z".repeat(group.full_path.len());
            let missing = browser
                .get(&format!("/groups/{nowhere}/-/settings/access_tokens"))
                .await
                .expect(404);
            let seen = browser.get(&tokens_of(group)).await.expect(404);
            assert_eq!(
                seen.comparable(),
                missing.comparable(),
                "{} in {}",
                person.username,
                group.full_path
            );
        }
    }
}

async fn strangers_are_asked_to_sign_in(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    let visitor = server.visitor();
    for path in [
        tokens_of(&c.acme),
        tokens_of(&open),
        "/groups/nowhere/-/settings/access_tokens".to_owned(),
    ] {
        let answer = visitor.get(&path).await.expect(302);
        assert_eq!(
            answer.location(),
            format!("/users/sign_in?redirect_to={path}")
        );
    }
    let before = server.inventory();
    let name = field("name");
    let answer = visitor
        .post(
            &tokens_of(&c.acme),
            &[(name.as_str(), "forged"), (SCOPES, "api")],
        )
        .await;
    assert!(matches!(answer.status, 302 | 403), "{}", answer.status);
    assert_eq!(server.inventory(), before);
}

async fn the_sidebar_leads_there_those_who_may(server: TestServer) {
    let c = Company::on(&server);
    for (person, may) in [
        (&c.alice, true),
        (&c.root, true),
        (&c.bob, false),
        (&c.carol, false),
        (&c.erin, false),
    ] {
        let browser = person.signs_in().await;
        for path in ["/acme".to_owned(), c.acme.page("group_members")] {
            let page = browser.open(&path).await;
            assert_eq!(
                page.links_to(&tokens_of(&c.acme)),
                may,
                "{} on {path}",
                person.username
            );
            assert_eq!(
                page.links_to(&c.acme.page("edit")),
                may,
                "{} on {path}",
                person.username
            );
        }
    }
    let page = c.alice.signs_in().await.open(&tokens_of(&c.acme)).await;
    let current = format!(r#"<a href="{}" aria-current="page">"#, tokens_of(&c.acme));
    assert!(page.html.contains(&current), "the open page is marked");
}

async fn a_role_that_ended_opens_nothing(server: TestServer) {
    let c = Company::on(&server);
    c.acme
        .member_until(&c.frank, AccessLevel::Owner, "2026-11-21");
    let browser = c.frank.signs_in().await;
    browser.get(&tokens_of(&c.acme)).await.expect(200);
    server
        .clock
        .set(crate::support::server::moment("2026-11-20T23:59:59Z"));
    browser.get(&tokens_of(&c.acme)).await.expect(200);
    server.clock.advance(chrono::TimeDelta::seconds(1));
    browser.get(&tokens_of(&c.acme)).await.expect(404);
}

async fn a_bot_without_its_membership_is_shown_as_such(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("lost").create();
    server.sql(&format!(
        "DELETE FROM memberships WHERE user_id = {}",
        token.user_id
    ));
    token.get(&c.acme.path()).await.expect(404);
    let browser = c.alice.signs_in().await;
    let page = browser.open(&tokens_of(&c.acme)).await;
    assert_eq!(names(&page, "active-tokens"), ["lost"]);
    assert_eq!(
        super::cell(&page, "active-tokens", "lost", "Role"),
        "Not a member"
    );
    let question = format!("{}/{}/revoke", tokens_of(&c.acme), token.id);
    let form = browser.open(&question).await.form(&question);
    browser.submit(&form).await.expect(303);
    assert!(!token.works().await);
    assert!(names(&browser.open(&tokens_of(&c.acme)).await, "active-tokens").is_empty());
}

async fn a_demotion_holds_for_a_form_that_is_open(server: TestServer) {
    let c = Company::on(&server);
    c.acme.member(&c.frank, AccessLevel::Owner);
    let browser = c.frank.signs_in().await;
    let form = filled(&browser, &c.acme, "late").await;
    server.sql(&format!(
        "UPDATE memberships SET access_level = 40 WHERE user_id = {}",
        c.frank.id
    ));
    let before = server.inventory();
    browser.submit(&form).await.expect(404);
    assert_eq!(server.inventory(), before);
}
