//! The list of users.

use latchkey::access_tokens::scope::Scope;

use super::listed;
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    the_list_has_a_tab_for_each_kind_of_user,
    whoever_waits_for_approval_is_listed_apart,
    people_are_found_by_name_user_name_and_address,
    the_list_is_sorted_as_asked,
    a_long_list_comes_in_pages,
    bots_lead_to_their_token_and_have_no_page_of_their_own,
];

async fn the_list_has_a_tab_for_each_kind_of_user(server: TestServer) {
    let root = server.person("root").admin().create();
    server.person("ann").create();
    server.person("bob").create().block();
    server.person("xenia").external().create();
    server.person("xavier").external().create().block();
    server.person("ada").admin().create().block();
    let gone = server.group("acme").create();
    gone.token("ci").create();
    server.person("doomed").create();
    let browser = root.signs_in().await;
    let confirm = browser.open("/admin/users/doomed/delete").await;
    let form = confirm.form("/admin/users/doomed/delete");
    browser
        .submit(&form.fill("user[confirm]", "doomed"))
        .await
        .expect(303);
    for (tab, expected) in [
        ("", &["xenia", "ann", "root"][..]),
        ("admins", &["ada", "root"]),
        ("blocked", &["ada", "xavier", "bob"]),
        ("external", &["xavier", "xenia"]),
        ("cats", &["xenia", "ann", "root"]),
    ] {
        let page = browser.open(&format!("/admin/users?tab={tab}")).await;
        assert_eq!(listed(&page), expected, "{tab}");
        let count = page.part("users-count").unwrap().text();
        assert_eq!(count, expected.len().to_string(), "{tab}");
    }
    let bots = browser.open("/admin/users?tab=bots").await;
    assert_eq!(bots.rows("users").len(), 1);
    let row = &browser.open("/admin/users?tab=admins").await.rows("users")[0];
    assert!(row[0].contains("Blocked") && row[0].contains("Administrator"));
    assert!(browser.open("/admin").await.links_to("/admin/users"));
}

async fn whoever_waits_for_approval_is_listed_apart(server: TestServer) {
    let root = server.person("root").admin().create();
    let ann = server.person("ann").create();
    ann.block();
    server.person("bob").create().block();
    server.sql(&format!(
        "UPDATE users SET approval_requested_at = created_at WHERE id = {}",
        ann.id
    ));
    let browser = root.signs_in().await;
    assert_eq!(
        listed(&browser.open("/admin/users?tab=blocked").await),
        ["bob"]
    );
    let page = browser.open("/admin/users?tab=pending").await;
    assert_eq!(listed(&page), ["ann"]);
    let row = &page.rows("users")[0];
    assert!(row[0].contains("Pending") && !row[0].contains("Blocked"));
    let approve = page.form("/admin/users/ann/unblock");
    browser.submit(&approve).await.expect(303);
    assert!(
        browser
            .open("/admin/users/ann")
            .await
            .says("Ann was approved.")
    );
    let page = browser.open("/admin/users?tab=pending").await;
    assert!(page.says("Nobody waits for approval."));
    assert!(super::find(&server, ann.id).unwrap().is_active());
}

async fn people_are_found_by_name_user_name_and_address(server: TestServer) {
    let root = server.person("root").admin().create();
    server.person("ann").named("Ängström 100%").create();
    server.person("bob").named("Robert_Smith").create();
    let browser = root.signs_in().await;
    for (search, expected) in [
        ("%C3%A4NGSTR", &["ann"][..]),
        ("100%25", &["ann"]),
        ("%25", &["ann"]),
        ("_", &["bob"]),
        ("BOB", &["bob"]),
        ("+bob@Example.com+", &["bob"]),
        ("example.com", &["bob", "ann", "root"]),
        ("nobody", &[]),
        ("%00", &["bob", "ann", "root"]),
    ] {
        let page = browser.open(&format!("/admin/users?search={search}")).await;
        assert_eq!(listed(&page), expected, "{search}");
    }
    let nobody = browser.open("/admin/users?search=nobody&tab=admins").await;
    assert!(nobody.says("Nobody matches.") && nobody.links_to("/admin/users?tab=admins"));
    let long = "x".repeat(4000);
    browser.open(&format!("/admin/users?search={long}")).await;
}

async fn the_list_is_sorted_as_asked(server: TestServer) {
    let root = server.person("root").admin().create();
    let zoe = server.person("zoe").named("adele").create();
    server.person("ann").named("Zora").create();
    zoe.signs_in().await;
    server.clock.advance(chrono::TimeDelta::hours(1));
    let browser = root.signs_in().await;
    for (sort, expected) in [
        ("", ["ann", "zoe", "root"]),
        ("created_at_asc", ["root", "zoe", "ann"]),
        ("name_asc", ["zoe", "root", "ann"]),
        ("name_desc", ["ann", "root", "zoe"]),
        ("last_sign_in_at_desc", ["root", "zoe", "ann"]),
        ("last_sign_in_at_asc", ["ann", "zoe", "root"]),
        ("password_hash_asc", ["ann", "zoe", "root"]),
    ] {
        let page = browser.open(&format!("/admin/users?sort={sort}")).await;
        assert_eq!(listed(&page), expected, "{sort}");
    }
}

async fn a_long_list_comes_in_pages(server: TestServer) {
    let root = server.person("root").admin().create();
    let now = if server.is_on_postgres() {
        "TIMESTAMP '2026-11-19 10:00:00'"
    } else {
        "'2026-11-19 10:00:00'"
    };
    server.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
         INSERT INTO users (username, username_key, name, email, email_key, kind, state, created_at, updated_at)
         SELECT 'u' || i, 'u' || i, 'U ' || i, 'u' || i || '@x.example', 'u' || i || '@x.example', 'human', 'active', {now}, {now} FROM n"
    ));
    let browser = root.signs_in().await;
    let first = browser.open("/admin/users").await;
    assert_eq!(listed(&first).len(), 50);
    assert_eq!(listed(&first)[0], "u10050");
    assert!(first.says("10,000+"));
    let kilobytes = first.html.len() / 1000;
    assert!(kilobytes < 100, "{kilobytes} KB");
    let second = browser.open("/admin/users?page=2").await;
    assert_eq!(listed(&second)[0], "u10000");
    let found = browser.open("/admin/users?search=u100").await;
    assert!(found.links_to("/admin/users?search=u100&page=2"));
    let beyond = browser.open("/admin/users?search=u100&page=99").await;
    assert_eq!(listed(&beyond).last().unwrap(), "u100");
}

async fn bots_lead_to_their_token_and_have_no_page_of_their_own(server: TestServer) {
    let c = Company::on(&server);
    let of_group = c.acme.token("deploy it").create();
    let of_project = c.p1.token("build").create();
    c.alice.personal_token([Scope::Api]);
    let browser = c.root.signs_in().await;
    let page = browser.open("/admin/users?tab=bots").await;
    let rows = page.rows("users");
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0][0].contains("build") && rows[0][1].contains("acme/p1"));
    assert!(rows[1][0].contains("deploy it") && rows[1][1].contains("acme"));
    for href in [
        "/groups/acme/-/settings/access_tokens?search=deploy%20it",
        "/acme/p1/-/settings/access_tokens?search=build",
    ] {
        assert!(page.links_to(href), "{:?}", page.links());
        browser.open(href).await;
    }
    for token in [of_group, of_project] {
        let bot = super::find(&server, token.user_id).unwrap();
        for below in ["", "/edit", "/block", "/delete"] {
            let path = format!("/admin/users/{}{below}", bot.username);
            browser.get(&path).await.expect(404);
            if !below.is_empty() {
                browser.post(&path, &[]).await.expect(404);
            }
        }
        assert!(token.works().await);
    }
}
