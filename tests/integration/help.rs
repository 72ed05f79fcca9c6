//! Help: short pages that everybody may read.

use latchkey::web::views::{help::Topic, scopes::SCOPES};

use crate::on_sqlite;
use crate::support::{Company, TestResource, TestServer};

on_sqlite![
    each_page_is_there_for_everybody,
    a_page_costs_no_query_of_its_own,
    an_unknown_page_is_not_there,
    links_to_the_sections_of_the_former_page_still_lead_somewhere,
    words_of_older_guides_are_found,
    the_grace_of_an_old_value_is_explained,
    the_instance_s_own_limit_and_address_are_told,
    every_scope_is_explained,
    pages_lead_to_the_help_about_them,
    links_within_the_help_lead_somewhere,
];

/// The sections that the help had when it was one page.
const FORMER: [&str; 9] = [
    "roles", "scopes", "tokens", "internal", "expiry", "rotation", "use", "webhooks", "keyboard",
];

async fn each_page_is_there_for_everybody(server: TestServer) {
    let alice = server.person("alice").create().signs_in().await;
    let stranger = server.visitor();
    for browser in [&stranger, &alice] {
        let index = browser.open("/help").await;
        for topic in Topic::ALL {
            assert!(index.links_to(topic.path()), "{topic:?}");
            assert!(index.says(topic.summary()), "{topic:?}");
            let page = browser.open(topic.path()).await;
            let title = format!("{} · Help · Latchkey", topic.title());
            assert_eq!(page.title(), title);
            assert!(page.links_to("/help"), "the breadcrumbs");
            assert!(page.part("help").unwrap().text().len() > 200, "{topic:?}");
        }
        assert!(index.links_to("/help/api"));
    }
}

async fn a_page_costs_no_query_of_its_own(server: TestServer) {
    let alice = server.person("alice").create().signs_in().await;
    for browser in [server.visitor(), alice] {
        for path in ["/help", "/help/settings"] {
            browser.get(path).await.expect(200);
            let before = server.app.db.counters().queries();
            browser.get(path).await.expect(200);
            assert_eq!(server.app.db.counters().queries() - before, 1, "{path}");
        }
    }
}

async fn an_unknown_page_is_not_there(server: TestServer) {
    let alice = server.person("alice").create().signs_in().await;
    for browser in [server.visitor(), alice] {
        for name in [
            "nothing",
            "Tokens",
            "tokens.html",
            "%00",
            "..%2fadmin",
            "tokens%20",
            "topic",
        ] {
            let answer = browser.get(&format!("/help/{name}")).await;
            assert_eq!(answer.status, 404, "{name}");
        }
    }
}

async fn links_to_the_sections_of_the_former_page_still_lead_somewhere(server: TestServer) {
    let html = server.get("/help").await.text();
    for id in FORMER {
        let (_, section) = html
            .split_once(&format!(r#" id="{id}""#))
            .unwrap_or_else(|| panic!("#{id}"));
        let link = section.split(r#"href="/help/"#).nth(1).unwrap();
        let page = link.split('"').next().unwrap();
        server.get(&format!("/help/{page}")).await.expect(200);
    }
}

async fn words_of_older_guides_are_found(server: TestServer) {
    let text = server.visitor().open("/help/names").await.main();
    for (before, today) in [
        ("Permissions, LFS, 2FA", "Permissions and group features"),
        (
            "Allow project access token creation",
            "Users can create project access tokens and group access tokens in this group",
        ),
        ("Allow project and group access token creation", "the same"),
        ("Access Tokens", "Access tokens"),
        ("Menu > Groups", "Groups"),
    ] {
        let at = text.find(before).unwrap_or_else(|| panic!("{before}"));
        assert!(
            text[at + before.len()..].contains(today),
            "{before}: {today}"
        );
    }
}

async fn the_grace_of_an_old_value_is_explained(server: TestServer) {
    let text = server.visitor().open("/help/rotation").await.main();
    for words in [
        "now",
        "1 hour",
        "24 hours",
        "7 days",
        "grace_period",
        "when the new token is",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

async fn the_instance_s_own_limit_and_address_are_told(server: TestServer) {
    let visitor = server.visitor();
    assert!(
        visitor
            .open("/help/expiry")
            .await
            .says("at most 365 days ahead")
    );
    server.set("max_personal_access_token_lifetime", "30");
    assert!(
        visitor
            .open("/help/expiry")
            .await
            .says("at most 30 days ahead")
    );
    assert!(
        visitor
            .open("/help/settings")
            .await
            .says("lives 30 days at most")
    );
    let page = visitor.open("/help/use").await;
    assert!(page.says(&format!("{}/api/v4/groups/<id>", server.url)));
    let host = server.url.trim_start_matches("http://");
    assert!(page.says(&format!("@{host}/<path>.git")));
}

async fn every_scope_is_explained(server: TestServer) {
    let page = server.visitor().open("/help/scopes").await;
    for scope in SCOPES {
        assert!(
            page.says(scope.name) && page.says(scope.description),
            "{}",
            scope.name
        );
    }
}

async fn pages_lead_to_the_help_about_them(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    for (page, help) in [
        (c.acme.page("group_members"), "/help/roles"),
        (c.acme.page("hooks"), "/help/webhooks"),
        ("/-/profile/notifications".to_owned(), "/help/calendar"),
        ("/".to_owned(), "/help/keyboard"),
        ("/".to_owned(), "/help"),
    ] {
        assert!(browser.open(&page).await.links_to(help), "{page}: {help}");
    }
}

async fn links_within_the_help_lead_somewhere(server: TestServer) {
    let visitor = server.visitor();
    let mut pages = vec!["/help"];
    pages.extend(Topic::ALL.map(Topic::path));
    for page in pages {
        for link in visitor.open(page).await.links() {
            if !link.starts_with("/help") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let there = visitor.open(path).await;
            let id = format!(r#" id="{fragment}""#);
            assert!(
                fragment.is_empty() || there.html.contains(&id),
                "{page}: {link}"
            );
        }
    }
}
