//! The table of tokens that are over, which the instance keeps or doesn't.

use chrono::TimeDelta;

use super::{cell, headings, names, tokens_of};
use crate::on_both;
use crate::support::{
    Page, TestGroup, TestResource, TestServer, TestToken, Visitor, server::moment,
};

const ACTIVE: &str = "active-tokens";
const INACTIVE: &str = "inactive-access-tokens";

on_both![
    without_the_flag_there_is_one_table,
    made_before_and_revoked_after_stays_until_its_date,
    made_after_and_revoked_stays,
    made_after_and_expired_is_shown_as_expired,
    what_ended_before_the_flag_is_not_shown,
    made_before_and_valid_is_active,
    revoking_itself_before_the_flag_leaves_a_row_until_its_date,
    rotating_an_old_token_makes_it_a_new_one,
    a_token_is_in_exactly_one_table_on_every_date,
    the_flag_can_be_another_for_one_group,
    the_latest_change_comes_first_and_pages_are_its_own,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

/// Revokes a token as an Owner does.
async fn revoke(browser: &Visitor, group: &TestGroup, token: &TestToken) {
    let question = format!("{}/{}/revoke", tokens_of(group), token.id);
    let form = browser.open(&question).await.form(&question);
    browser.submit(&form).await.expect(303);
    browser.server.rest().await;
}

/// Active and inactive names; `None` where there is no second table.
async fn tables(browser: &Visitor, group: &TestGroup) -> (Vec<String>, Option<Vec<String>>) {
    let page = browser.open(&tokens_of(group)).await;
    (
        names(&page, ACTIVE),
        page.has(INACTIVE).then(|| names(&page, INACTIVE)),
    )
}

fn none() -> Vec<String> {
    Vec::new()
}

fn only(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// The clock moves on to a moment; sessions of a month end meanwhile, so the person signs in again.
async fn later(server: &TestServer, at: &str) -> Visitor {
    server.clock.set(moment(at));
    let visitor = server.visitor();
    visitor
        .sign_in("alice", crate::support::PASSWORD)
        .await
        .expect(303);
    visitor
}

async fn without_the_flag_there_is_one_table(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    assert_eq!(tables(&browser, &acme).await, (only("ci"), None));
    revoke(&browser, &acme, &token).await;
    assert_eq!(tables(&browser, &acme).await, (none(), None));
    server.retain_bots(true);
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(
        page.says("This group has no inactive access tokens."),
        "{}",
        page.main()
    );
    assert_eq!(page.part("inactive-tokens-count").unwrap().text(), "0");
    server.retain_bots(false);
    assert_eq!(tables(&browser, &acme).await, (none(), None));
}

async fn made_before_and_revoked_after_stays_until_its_date(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("old").expires("2026-12-01").create();
    server.retain_bots(true);
    revoke(&browser, &acme, &token).await;
    let page = browser.open(&tokens_of(&acme)).await;
    assert_eq!(names(&page, INACTIVE), ["old"]);
    assert!(cell(&page, INACTIVE, "old", "Expired").starts_with("Revoked"));
    let browser = later(&server, "2026-11-30T23:59:59Z").await;
    assert_eq!(tables(&browser, &acme).await, (none(), Some(only("old"))));
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        tables(&browser, &acme).await,
        (none(), Some(none())),
        "its membership ends that day"
    );
}

async fn made_after_and_revoked_stays(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    let token = acme.token("new").expires("2026-12-01").create();
    revoke(&browser, &acme, &token).await;
    assert_eq!(tables(&browser, &acme).await, (none(), Some(only("new"))));
    for at in ["2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z"] {
        let browser = later(&server, at).await;
        let page = browser.open(&tokens_of(&acme)).await;
        assert_eq!(names(&page, INACTIVE), ["new"], "{at}");
        assert!(
            cell(&page, INACTIVE, "new", "Expired").starts_with("Revoked"),
            "{at}"
        );
    }
    server.retain_bots(false);
    let browser = later(&server, "2027-12-02T00:00:00Z").await;
    assert_eq!(tables(&browser, &acme).await, (none(), None));
    server.retain_bots(true);
    assert_eq!(
        tables(&browser, &acme).await,
        (none(), Some(only("new"))),
        "kept rows stay"
    );
}

async fn made_after_and_expired_is_shown_as_expired(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    acme.token("new").expires("2026-12-01").create();
    assert_eq!(tables(&browser, &acme).await, (only("new"), Some(none())));
    let browser = later(&server, "2026-11-30T23:59:59Z").await;
    assert_eq!(tables(&browser, &acme).await, (only("new"), Some(none())));
    server.clock.advance(TimeDelta::seconds(1));
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(names(&page, ACTIVE).is_empty());
    assert_eq!(names(&page, INACTIVE), ["new"]);
    let shown = cell(&page, INACTIVE, "new", "Expired");
    assert!(
        shown.starts_with("Expired") && shown.contains("1 Dec 2026"),
        "{shown}"
    );
    assert_eq!(cell(&page, INACTIVE, "new", "Role"), "Maintainer");
    let heads = headings(&page, INACTIVE);
    assert_eq!(
        heads,
        [
            "Token name",
            "Description",
            "Scopes",
            "Created",
            "Last Used",
            "Expired",
            "Role",
            "Action"
        ]
    );
    let browser = later(&server, "2028-01-01T00:00:00Z").await;
    assert_eq!(tables(&browser, &acme).await, (none(), Some(only("new"))));
}

async fn what_ended_before_the_flag_is_not_shown(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let revoked = acme.token("revoked").expires("2027-06-01").create();
    acme.token("expired").expires("2026-11-25").create();
    revoke(&browser, &acme, &revoked).await;
    server.clock.set(moment("2026-11-26T10:00:00Z"));
    server.retain_bots(true);
    assert_eq!(tables(&browser, &acme).await, (none(), Some(none())));
}

async fn made_before_and_valid_is_active(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    acme.token("old").expires("2026-12-01").create();
    server.retain_bots(true);
    assert_eq!(tables(&browser, &acme).await, (only("old"), Some(none())));
    // Not revoked, it ends with its membership.
    let browser = later(&server, "2026-12-01T00:00:00Z").await;
    assert_eq!(tables(&browser, &acme).await, (none(), Some(none())));
}

async fn revoking_itself_before_the_flag_leaves_a_row_until_its_date(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("self-made").expires("2026-12-01").create();
    token
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    server.rest().await;
    assert_eq!(tables(&browser, &acme).await, (none(), None));
    server.retain_bots(true);
    assert_eq!(
        tables(&browser, &acme).await,
        (none(), Some(only("self-made")))
    );
    let browser = later(&server, "2026-12-01T00:00:00Z").await;
    assert_eq!(tables(&browser, &acme).await, (none(), Some(none())));
}

async fn rotating_an_old_token_makes_it_a_new_one(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").expires("2026-12-01").create();
    server.retain_bots(true);
    let question = format!("{}/{}/rotate", tokens_of(&acme), token.id);
    let form = browser.open(&question).await.form(&question);
    let page = browser.submit(&form).await.expect(200).page();
    assert_eq!(
        (names(&page, ACTIVE), names(&page, INACTIVE)),
        (only("ci"), only("ci")),
        "the old value is over"
    );
    assert!(cell(&page, INACTIVE, "ci", "Expired").starts_with("Revoked"));
    let browser = later(&server, "2027-06-01T00:00:00Z").await;
    let (active, inactive) = tables(&browser, &acme).await;
    assert_eq!(
        (active, inactive.unwrap().len()),
        (none(), 2),
        "its membership has no end any more"
    );
}

async fn a_token_is_in_exactly_one_table_on_every_date(server: TestServer) {
    let (acme, _) = owner_of_acme(&server).await;
    server.retain_bots(true);
    acme.token("ci").expires("2026-11-23").create();
    for (at, active) in [
        ("2026-11-21T00:00:00Z", true),
        ("2026-11-22T23:59:59Z", true),
        ("2026-11-23T00:00:00Z", false),
        ("2026-11-23T12:00:00Z", false),
        ("2026-11-23T23:59:59Z", false),
        ("2026-11-24T00:00:00Z", false),
    ] {
        let browser = later(&server, at).await;
        let expected = if active {
            (only("ci"), Some(none()))
        } else {
            (none(), Some(only("ci")))
        };
        assert_eq!(tables(&browser, &acme).await, expected, "{at}");
    }
}

async fn the_flag_can_be_another_for_one_group(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let sub = acme.subgroup("sub").create();
    let other = server.group("other").owner(&alice).create();
    let browser = alice.signs_in().await;
    let switch = |enabled: bool, group: Option<&'static str>| match group {
        Some(path) => server.retain_bots_of(path, Some(enabled)),
        None => server.retain_bots(enabled),
    };
    switch(true, Some("acme"));
    assert!(tables(&browser, &acme).await.1.is_some());
    assert!(
        tables(&browser, &sub).await.1.is_some(),
        "the top-level group decides for those below"
    );
    assert!(tables(&browser, &other).await.1.is_none());
    let (kept, gone) = (sub.token("kept").create(), other.token("gone").create());
    revoke(&browser, &sub, &kept).await;
    revoke(&browser, &other, &gone).await;
    assert_eq!(tables(&browser, &sub).await, (none(), Some(only("kept"))));
    assert_eq!(server.count("users", &format!("id = {}", kept.user_id)), 1);
    assert_eq!(server.count("users", &format!("id = {}", gone.user_id)), 0);

    switch(true, None);
    switch(false, Some("acme"));
    assert!(
        tables(&browser, &acme).await.1.is_none(),
        "the group's own value wins"
    );
    assert!(tables(&browser, &sub).await.1.is_none());
    assert!(tables(&browser, &other).await.1.is_some());
}

async fn the_latest_change_comes_first_and_pages_are_its_own(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    let tokens: Vec<TestToken> = ["a", "b", "c"]
        .iter()
        .map(|name| acme.token(name).create())
        .collect();
    for index in [1, 0, 2] {
        server.clock.advance(TimeDelta::minutes(1));
        revoke(&browser, &acme, &tokens[index]).await;
    }
    assert_eq!(tables(&browser, &acme).await.1.unwrap(), ["c", "a", "b"]);

    for number in 0..101 {
        acme.token(&format!("t{number:03}")).create();
    }
    server.sql("UPDATE access_tokens SET revoked = TRUE WHERE name LIKE 't0%'");
    acme.token("living").create();
    let counted = |page: &Page| page.part("inactive-tokens-count").unwrap().text();
    let page = browser.open(&tokens_of(&acme)).await;
    assert_eq!(
        (page.rows(INACTIVE).len(), counted(&page).as_str()),
        (100, "103")
    );
    let next = page
        .links()
        .into_iter()
        .find(|link| link.contains("inactive_page=2"))
        .expect("a link to page 2");
    let page = browser.open(next.split('#').next().unwrap()).await;
    assert_eq!(page.rows(INACTIVE).len(), 3);
    assert_eq!(
        names(&page, ACTIVE),
        ["t100", "living"],
        "the active table has its own page"
    );
    for nonsense in ["0", "abc", "99999999999999999999"] {
        browser
            .open(&format!("{}?inactive_page={nonsense}", tokens_of(&acme)))
            .await;
    }
}
