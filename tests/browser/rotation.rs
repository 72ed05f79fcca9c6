//! A new value while the old one still works, and the list narrowed, in a real browser.

use super::{Reader, with_browser};
use crate::support::TestResource;

#[test]
fn an_owner_rotates_a_token_and_lets_the_old_value_work_for_a_day() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        let token = company.acme.token("deploy-bot").create();
        let page = company.acme.page("settings/access_tokens");
        alice.sign_in("alice").await;
        alice.open(&page).await;
        alice.wait("rotate-button").await.click().await.unwrap();
        let day = "dialog[open] input[name='grace_period'][value='86400']";
        alice.wait_for(day).await.click().await.unwrap();
        let send = "dialog[open] button.primary";
        alice.wait_for(send).await.click().await.unwrap();
        let value = alice.value().await;
        assert_ne!(value, token.value);
        assert!(token.works().await, "for a day more");
        let program = server.with_token(&value);
        program.get("/user").await.expect(200);

        // The row says so, and there the old value can be ended before.
        alice.script("window.onbeforeunload = null").await;
        alice.open(&page).await;
        alice.wait("old-value").await.click().await.unwrap();
        alice.read("The new value goes on working.").await;
        let end = "dialog[open] button.danger";
        alice.wait_for(end).await.click().await.unwrap();
        alice
            .read("Revoked the old value of access token deploy-bot.")
            .await;
        assert!(!token.works().await);
        program.get("/user").await.expect(200);
        assert!(!alice.has("old-value").await);
    });
}

#[test]
fn the_numbers_above_the_list_lead_to_what_they_count() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        company.acme.token("soon").expires("2026-11-30").create();
        company.acme.token("later").expires("2027-05-01").create();
        alice.sign_in("alice").await;
        alice
            .open(&company.acme.page("settings/access_tokens"))
            .await;
        alice.read("later").await;
        alice.wait("stat-expiring").await.click().await.unwrap();
        alice
            .wait_for("input[name='expires_before'][value='2026-12-05']")
            .await;
        assert!(!alice.text().await.contains("later"));
        // From the row to all about it.
        alice.wait_for("tbody th a").await.click().await.unwrap();
        alice.wait("token-state").await;
        alice.read("Group access token created").await;
    });
}
