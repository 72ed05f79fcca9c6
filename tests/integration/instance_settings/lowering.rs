//! Lowering the longest lifetime: asked about first, undone in time or carried out.

use chrono::TimeDelta;
use latchkey::jobs::Job;

use super::{PATH, administrator, field, save, section};
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    who_lowers_it_first_sees_which_tokens_are_longer,
    confirmed_it_is_saved_and_revokes_three_hours_later,
    undone_in_time_nothing_is_revoked,
    undoing_twice_is_told,
    a_confirmation_of_another_number_is_asked_again,
    nothing_is_asked_when_no_token_is_longer,
    raising_it_asks_nothing,
    it_can_be_undone_although_a_flag_was_switched_off_since,
];

const LIFETIME: &str = "max_personal_access_token_lifetime";

async fn who_lowers_it_first_sees_which_tokens_are_longer(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    let acme = server.group("acme").owner(&root).create();
    acme.token("short").expires(&server.days_ahead(30)).create();
    acme.token("at the limit")
        .expires(&server.days_ahead(90))
        .create();
    acme.token("long").expires(&server.days_ahead(91)).create();
    let page = save(&browser, "account", &[(LIFETIME, "90")])
        .await
        .expect(200)
        .page();
    assert!(
        page.says("Lower the maximum lifetime to 90 days?")
            && page.says("1 token would live longer")
    );
    let rows = page.rows("overlong-tokens");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][..3], ["long", "Group", "acme"]);
    assert_eq!(server.count("settings", "1 = 1"), 0, "nothing is saved yet");
}

async fn confirmed_it_is_saved_and_revokes_three_hours_later(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    let long = acme.token("long").expires(&server.days_ahead(200)).create();
    let short = acme.token("short").expires(&server.days_ahead(20)).create();
    let question = save(
        &browser,
        "account",
        &[(LIFETIME, "90"), ("session_idle_days", "4")],
    )
    .await
    .page();
    browser.submit(&question.form(PATH)).await.expect(303);
    let page = browser.open(PATH).await;
    let pending = page.part("pending-lowering").unwrap();
    assert!(pending.says("1 token will be revoked") && pending.says("to 90 days"));
    assert_eq!(
        section(&page, "account").value(&field("session_idle_days")),
        Some("4")
    );

    server.clock.advance(TimeDelta::minutes(179));
    server.run_job(Job::LifetimeEnforcement).await;
    assert!(long.works().await);
    server.clock.advance(TimeDelta::minutes(2));
    server.run_job(Job::LifetimeEnforcement).await;
    assert!(!long.works().await && short.works().await);
    assert!(!browser.open(PATH).await.has("pending-lowering"));
}

async fn undone_in_time_nothing_is_revoked(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    server.set(LIFETIME, "300");
    // That was a lowering too, and is over by now.
    server.clock.advance(TimeDelta::hours(4));
    server.run_job(Job::LifetimeEnforcement).await;
    let long = server
        .group("acme")
        .create()
        .token("long")
        .expires(&server.days_ahead(200))
        .create();
    let question = save(&browser, "account", &[(LIFETIME, "90")]).await.page();
    browser.submit(&question.form(PATH)).await.expect(303);
    let page = browser.open(PATH).await;
    let undo = page
        .forms()
        .into_iter()
        .find(|form| form.value("act") == Some("undo_lowering"));
    let undo = undo.map(|form| form.action).unwrap_or_else(|| PATH.into());
    browser
        .post(
            &undo,
            &[("update_section", "account"), ("act", "undo_lowering")],
        )
        .await
        .expect(303);
    let page = browser.open(PATH).await;
    assert!(!page.has("pending-lowering"));
    assert_eq!(
        section(&page, "account").value(&field(LIFETIME)),
        Some("300")
    );
    server.clock.advance(TimeDelta::hours(4));
    server.run_job(Job::LifetimeEnforcement).await;
    assert!(long.works().await);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'application_setting_changed' AND details LIKE '%[90,300]%'"
        ),
        1
    );
}

async fn undoing_twice_is_told(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let undo = [("update_section", "account"), ("act", "undo_lowering")];
    let page = browser.post(PATH, &undo).await.expect(409).page();
    assert!(page.says("There is nothing to undo any more"));
}

async fn a_confirmation_of_another_number_is_asked_again(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    acme.token("long").expires(&server.days_ahead(200)).create();
    let question = save(&browser, "account", &[(LIFETIME, "90")]).await.page();
    let forged = question.form(PATH).fill(&field(LIFETIME), "10");
    let page = browser.submit(&forged).await.expect(200).page();
    assert!(page.says("Lower the maximum lifetime to 10 days?"));
    assert_eq!(server.count("settings", "1 = 1"), 0);
}

async fn nothing_is_asked_when_no_token_is_longer(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    acme.token("short").expires(&server.days_ahead(20)).create();
    save(&browser, "account", &[(LIFETIME, "90")])
        .await
        .expect(303);
}

async fn raising_it_asks_nothing(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    acme.token("long").expires(&server.days_ahead(200)).create();
    server.set(LIFETIME, "90");
    save(&browser, "account", &[(LIFETIME, "100")])
        .await
        .expect(303);
    save(&browser, "account", &[(LIFETIME, "")])
        .await
        .expect(303);
}

async fn it_can_be_undone_although_a_flag_was_switched_off_since(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    server.flag("buffered_token_expiration_limit", true);
    server.set(LIFETIME, "400");
    server.clock.advance(TimeDelta::hours(4));
    server.run_job(Job::LifetimeEnforcement).await;
    let acme = server.group("acme").create();
    let long = acme.token("long").expires(&server.days_ahead(300)).create();
    server.set(LIFETIME, "90");
    server.flag("buffered_token_expiration_limit", false);
    browser
        .post(
            PATH,
            &[("update_section", "account"), ("act", "undo_lowering")],
        )
        .await
        .expect(303);
    let page = browser.open(PATH).await;
    assert!(!page.has("pending-lowering"));
    assert_eq!(
        section(&page, "account").value(&field(LIFETIME)),
        Some("365")
    );
    server.clock.advance(TimeDelta::hours(4));
    server.run_job(Job::LifetimeEnforcement).await;
    assert!(long.works().await);
}
