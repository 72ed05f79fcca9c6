//! Taking a token away, after a question.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use reqwest::Method;

use super::{names, tokens_of};
use crate::on_both;
use crate::support::{TestGroup, TestResource, TestServer, Visitor};

const ACTIVE: &str = "active-tokens";

on_both![
    revoking_asks_names_the_token_and_takes_effect_at_once,
    the_question_says_when_the_token_is_in_use,
    opening_the_question_changes_nothing,
    with_the_bot_kept_the_row_moves_to_the_inactive_table,
    revoking_twice_is_harmless,
    only_tokens_of_this_group_are_revoked_here,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn revoking_asks_names_the_token_and_takes_effect_at_once(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let path = tokens_of(&acme);
    let name = "deploy <b>\"bot\"</b>";
    let token = acme.token(name).create();
    acme.token("stays").create();

    let page = browser.open(&path).await;
    let question = page.tag("revoke-button").unwrap().get("href").unwrap();
    let question = if question.contains(&format!("/{}/", token.id)) {
        question
    } else {
        format!("{path}/{}/revoke", token.id)
    };
    let page = browser.open(&question).await;
    assert!(
        page.says(&format!("Revoke “ {name} ”?")) || page.says(&format!("Revoke “{name}”?")),
        "{}",
        page.main()
    );
    assert!(page.says("This cannot be undone."));
    assert!(page.says("Revoke token") && page.says("Keep token") && page.links_to(&path));
    assert!(page.says("Maintainer") && page.says("api"));
    assert!(!page.html.contains("<b>\"bot\""));
    assert!(token.works().await, "asking changes nothing");

    let answer = browser.submit(&page.form(&question)).await.expect(303);
    assert_eq!(answer.location(), path);
    assert!(!token.works().await);
    let page = browser.open(&path).await;
    assert!(
        page.flash()
            .contains(&format!("Revoked access token {name}.")),
        "{}",
        page.flash()
    );
    assert_eq!(names(&page, ACTIVE), ["stays"]);
    assert_eq!(page.part("active-tokens-count").unwrap().text(), "1");
    assert_eq!(browser.open(&path).await.flash(), "", "it is said once");

    // The bot is gone with it.
    assert!(
        !browser
            .open(&acme.page("group_members"))
            .await
            .says(&token.username)
    );
    server.rest().await;
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 0);
    assert_eq!(
        server.count("audit_events", "event = 'group_access_token_deleted'"),
        1
    );
}

async fn the_question_says_when_the_token_is_in_use(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let question = format!("{}/{}/revoke", tokens_of(&acme), token.id);
    assert!(!browser.open(&question).await.says("in use"));
    assert!(browser.open(&question).await.says("Never used"));
    token.get("/personal_access_tokens/self").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(23));
    let page = browser.open(&question).await;
    assert!(
        page.says("This token is in use.") && page.says("Last used 23 hours ago from 127.0.0.1"),
        "{}",
        page.main()
    );
    server.clock.advance(TimeDelta::hours(2));
    assert!(!browser.open(&question).await.says("in use"));
}

async fn opening_the_question_changes_nothing(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let before = server.inventory();
    let secret = browser.authenticity_token().await;
    for action in ["revoke", "rotate"] {
        let path = format!("{}/{}/{action}", tokens_of(&acme), token.id);
        for method in [Method::GET, Method::HEAD] {
            for query in [
                "",
                "?_method=put",
                "?_method=PUT&confirm=1",
                &format!("?authenticity_token={secret}&_method=put"),
            ] {
                let request = server
                    .request(method.clone(), &format!("{path}{query}"))
                    .header("Purpose", "prefetch")
                    .header("Sec-Purpose", "prefetch");
                let answer = browser.send(request).await;
                assert!(
                    matches!(answer.status, 200 | 404 | 405),
                    "{method} {path}{query}: {}",
                    answer.status
                );
            }
        }
        for method in [Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let request = server
                .request(method.clone(), &path)
                .header("X-CSRF-Token", &secret);
            let answer = browser.send(request).await;
            assert!(
                matches!(answer.status, 404 | 405),
                "{method} {path}: {}",
                answer.status
            );
        }
    }
    assert!(token.works().await);
    assert_eq!(server.inventory(), before);
}

async fn with_the_bot_kept_the_row_moves_to_the_inactive_table(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    let token = acme.token("ci").create();
    let question = format!("{}/{}/revoke", tokens_of(&acme), token.id);
    let form = browser.open(&question).await.form(&question);
    browser.submit(&form).await.expect(303);
    assert!(!token.works().await);
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(names(&page, ACTIVE).is_empty());
    assert_eq!(names(&page, "inactive-access-tokens"), ["ci"]);
    server.rest().await;
    assert_eq!(server.count("users", &format!("id = {}", token.user_id)), 1);
    assert_eq!(
        server.count("memberships", &format!("user_id = {}", token.user_id)),
        1
    );
}

async fn revoking_twice_is_harmless(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for keeps in [false, true] {
        server.retain_bots(keeps);
        let token = acme.token("ci").create();
        let question = format!("{}/{}/revoke", tokens_of(&acme), token.id);
        let form = browser.open(&question).await.form(&question);
        browser.submit(&form).await.expect(303);
        let events = server.count("audit_events", "event = 'group_access_token_deleted'");
        for _ in 0..2 {
            let again = browser.submit(&form).await;
            // Gone without the flag; with it, still there and as revoked as before.
            assert_eq!(
                again.status,
                if keeps { 303 } else { 404 },
                "{}",
                again.page().main()
            );
        }
        assert_eq!(
            server.count("audit_events", "event = 'group_access_token_deleted'"),
            events
        );
        assert!(!token.works().await);
    }
}

async fn only_tokens_of_this_group_are_revoked_here(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let oscar = server.person("oscar").create();
    let other = server.group("other").owner(&oscar).create();
    let sub = acme.subgroup("sub").create();
    let theirs = other.token("theirs").create();
    let below = sub.token("below").create();
    let of_project = acme.project("p1").create().token("of-project").create();
    let personal = oscar.personal_token([Scope::Api]);
    let before = server.inventory();
    for (what, id) in [
        ("of another group", theirs.id.to_string()),
        ("of a subgroup", below.id.to_string()),
        ("of a project", of_project.id.to_string()),
        ("of a person", personal.id.to_string()),
        ("no token", "99999999".to_owned()),
        ("0", "0".to_owned()),
        ("-1", "-1".to_owned()),
        ("1e3", "1e3".to_owned()),
        ("0x10", "0x10".to_owned()),
        ("full-width", "%EF%BC%91".to_owned()),
        ("SQL", "1%20OR%201=1".to_owned()),
        ("NUL", "1%00".to_owned()),
        ("too large", "99999999999999999999".to_owned()),
        ("a fraction", "1.0".to_owned()),
    ] {
        for action in ["revoke", "rotate"] {
            let path = format!("{}/{id}/{action}", tokens_of(&acme));
            let asked = browser.get(&path).await;
            assert_eq!(asked.status, 404, "{what}: GET {action}");
            let sent = browser
                .post(&path, &[("_method", "put"), ("form_nonce", "n")])
                .await;
            assert_eq!(sent.status, 404, "{what}: {action}");
        }
    }
    for token in [&theirs, &below, &of_project, &personal] {
        assert!(token.works().await);
    }
    assert_eq!(server.inventory(), before);
    assert_eq!(
        server.count(
            "audit_events",
            "event LIKE '%token_deleted' OR event LIKE '%token_rotated'"
        ),
        0
    );
}
