//! Account, Preferences: the theme, and how moments are printed.

use chrono::TimeDelta;
use regex::Regex;

use super::PREFERENCES as PATH;
use crate::on_both;
use crate::support::{Company, Person, TestResource, TestServer, Visitor};

on_both![
    moments_are_told_by_their_distance_until_one_chooses_otherwise,
    exact_times_stand_on_every_page,
    an_end_is_told_by_its_date_alone,
    the_choice_costs_no_query,
    everybody_chooses_for_themselves,
    the_theme_is_remembered_by_the_browser,
    the_theme_menu_leaves_the_times_alone,
    strangers_choose_a_theme_and_nothing_else,
];

async fn chooses(browser: &Visitor, times: &str) {
    let form = browser.open(PATH).await.form(PATH);
    let answer = browser.submit(&form.fill("user[times]", times)).await;
    assert_eq!(answer.expect(303).location(), PATH);
    assert!(browser.open(PATH).await.says("Preferences saved."));
}

fn exact(server: &TestServer, person: &Person) -> bool {
    let id = person.id;
    server.count("users", &format!("exact_times AND id = {id}")) == 1
}

/// What stands in the elements that name a moment, not a date.
fn moments(html: &str) -> Vec<String> {
    let moment = Regex::new(r#"<time datetime="[^"]*T[^"]*"[^>]*>([^<]*)</time>"#).unwrap();
    moment
        .captures_iter(html)
        .map(|found| found[1].to_owned())
        .collect()
}

async fn moments_are_told_by_their_distance_until_one_chooses_otherwise(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let sessions = super::SESSIONS;
    server.clock.advance(TimeDelta::hours(2));
    assert_eq!(
        moments(&browser.open(sessions).await.html)[1],
        "2 hours ago"
    );
    let page = browser.open(PATH).await;
    assert!(page.tag("relative-times").unwrap().has("checked"));
    assert!(page.says("3 days ago") && page.says("17 Nov 2026, 12:00 UTC"));
    chooses(&browser, "exact").await;
    let page = browser.open(sessions).await;
    assert_eq!(moments(&page.html)[1], "20 Nov 2026, 10:00 UTC");
    assert!(page.html.contains(r#"title="20 Nov 2026, 10:00:00 UTC""#));
    assert!(
        browser
            .open(PATH)
            .await
            .tag("exact-times")
            .unwrap()
            .has("checked")
    );
    chooses(&browser, "relative").await;
    assert_eq!(
        moments(&browser.open(sessions).await.html)[1],
        "2 hours ago"
    );
    chooses(&browser, "exact").await;
    assert!(exact(&server, &alice));
    // Whatever else is sent is the way it was from the beginning.
    browser
        .post(PATH, &[("user[times]", "\0")])
        .await
        .expect(303);
    assert!(!exact(&server, &alice));
}

async fn exact_times_stand_on_every_page(server: TestServer) {
    let c = Company::on(&server);
    server.retain_bots(true);
    let (ci, own) = (c.acme.token("ci").create(), c.root.api());
    ci.get("/user").await.expect(200);
    own.get("/user").await.expect(200);
    c.alice.signs_in().await;
    server.rest().await;
    server.clock.advance(TimeDelta::hours(3));
    let browser = c.root.signs_in().await;
    chooses(&browser, "exact").await;
    let mut found = 0;
    for path in [
        "/".to_owned(),
        super::SESSIONS.to_owned(),
        super::TOKENS.to_owned(),
        c.acme.page("settings/access_tokens"),
        "/admin".to_owned(),
        "/admin/users".to_owned(),
        "/admin/users/alice".to_owned(),
        "/admin/credentials".to_owned(),
        "/admin/projects".to_owned(),
        "/admin/audit_logs".to_owned(),
        "/admin/background_jobs".to_owned(),
    ] {
        let page = browser.open(&path).await;
        for text in moments(&page.html) {
            assert!(text.ends_with(" UTC"), "{path}: {text}");
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
    let confirm = format!("{}/{}/revoke", c.acme.page("settings/access_tokens"), ci.id);
    let page = browser.open(&confirm).await;
    assert!(
        page.says("Last used 20 Nov 2026, 10:00 UTC from"),
        "{}",
        page.main()
    );
}

async fn an_end_is_told_by_its_date_alone(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("ci").expires("2026-11-25").create();
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("settings/access_tokens");
    assert!(browser.open(&path).await.says("in 5 days"));
    chooses(&browser, "exact").await;
    let page = browser.open(&path).await;
    assert!(!page.says("in 5 days"), "{}", page.main());
    assert!(
        page.part("active-tokens")
            .unwrap()
            .says("Expiring 25 Nov 2026")
    );
}

async fn the_choice_costs_no_query(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let mut costs = Vec::new();
    for times in ["relative", "exact"] {
        chooses(&browser, times).await;
        browser.open(super::SESSIONS).await;
        let before = server.app.db.counters().queries();
        browser.open(super::SESSIONS).await;
        costs.push(server.app.db.counters().queries() - before);
    }
    assert_eq!(costs[0], costs[1]);
}

async fn everybody_chooses_for_themselves(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let id = c.bob.id.to_string();
    let fields = [("user[times]", "exact"), ("user[id]", &id), ("id", &id)];
    browser.post(PATH, &fields).await.expect(303);
    assert!(exact(&server, &c.alice));
    assert_eq!(server.count("users", "exact_times"), 1);
}

async fn the_theme_is_remembered_by_the_browser(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    let form = browser.open(PATH).await.form(PATH);
    browser
        .submit(&form.fill("theme", "dark"))
        .await
        .expect(303);
    assert_eq!(browser.cookies()["theme"], "dark");
    let page = browser.open(PATH).await;
    assert!(page.html.contains(r#"data-theme="dark""#));
    assert!(page.html.contains(r#"value="dark" checked"#));
}

async fn the_theme_menu_leaves_the_times_alone(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    chooses(&browser, "exact").await;
    let fields = [("theme", "light"), ("redirect_to", "/help")];
    let answer = browser.post(PATH, &fields).await.expect(303);
    assert_eq!(answer.location(), "/help");
    assert!(exact(&server, &alice));
}

async fn strangers_choose_a_theme_and_nothing_else(server: TestServer) {
    server.person("alice").create();
    let stranger = server.visitor();
    stranger.post(PATH, &[("theme", "dark")]).await.expect(303);
    assert_eq!(stranger.cookies()["theme"], "dark");
    let answer = stranger.post(PATH, &[("user[times]", "exact")]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(server.count("users", "exact_times"), 0);
}
