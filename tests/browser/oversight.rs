//! An Owner who looks over a whole group, in a real browser.

use fantoccini::Locator;
use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use super::{Reader, with_browser};
use crate::support::TestResource;

const INVENTORY: &str = "/groups/acme/-/token_inventory";

impl Reader<'_> {
    async fn choose(&self, name: &str, label: &str) {
        let list = self.wait_for(&format!("select[name='{name}']")).await;
        list.select_by_label(label).await.unwrap();
    }

    async fn apply(&self) {
        let button = "main form[role='search'] .actions button";
        self.wait_for(button).await.click().await.unwrap();
    }

    async fn count(&self, css: &str) -> usize {
        let found = self.client().find_all(Locator::Css(css)).await;
        found.unwrap().len()
    }

    async fn revoke_them(&self) {
        let button = "main form[method='post'] button.danger";
        self.wait_for(button).await.click().await.unwrap();
    }
}

#[test]
fn an_owner_narrows_the_inventory_and_revokes_what_is_left_together() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        let doomed = [
            company
                .p3
                .token("nightly one")
                .scopes([Scope::ReadApi])
                .create(),
            company
                .p1
                .token("nightly two")
                .scopes([Scope::ReadApi])
                .create(),
        ];
        let spared = [
            company.deep.token("nightly of a group").create(),
            company.acme.token("deploy").create(),
        ];
        alice.sign_in("alice").await;
        alice.open("/acme").await;
        assert!(alice.count(&format!("a[href='{INVENTORY}']")).await > 0);
        alice.open(INVENTORY).await;
        alice.wait("inventory").await;
        assert_eq!(alice.count("input[name='ids']").await, 4);

        let search = alice.wait_for("main input[name='search']").await;
        search.send_keys("nightly").await.unwrap();
        alice.choose("kind", "Project").await;
        alice.apply().await;
        alice
            .wait_for("main a[href='/groups/acme/-/token_inventory'].btn")
            .await;
        assert_eq!(alice.count("input[name='ids']").await, 2);

        alice.wait("select-all").await.click().await.unwrap();
        alice.read("Select none").await;
        alice.wait("revoke-selected").await.click().await.unwrap();
        alice.read("Revoke 2 access tokens?").await;
        alice.read("acme/sub/deep/p3").await;
        alice.revoke_them().await;
        alice.read("Revoked 2 access tokens.").await;
        // Back in the list as it was narrowed.
        alice.read("No tokens match.").await;
        for token in &doomed {
            assert!(!token.works().await);
        }
        for token in &spared {
            assert!(token.works().await);
        }

        // And all of it can be read.
        alice.open("/groups/acme/-/audit_events").await;
        alice.choose("event", "Project access token revoked").await;
        alice.apply().await;
        alice
            .wait_for("main a[href='/groups/acme/-/audit_events'].btn")
            .await;
        alice.read("nightly one").await;
        alice.read("nightly two").await;
        assert!(!alice.text().await.contains("nightly of a group"));
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn tokens_are_ticked_and_revoked_without_scripts() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        let off = json!({ "value": true });
        let command = "Emulation.setScriptExecutionDisabled";
        browser.devtools(command, off).await;
        let token = company.p3.token("nightly").create();
        alice.sign_in("alice").await;
        alice.open(&format!("{INVENTORY}?kind=project")).await;
        let tick = alice.wait_for("input[name='ids']").await;
        tick.click().await.unwrap();
        alice.wait("revoke-selected").await.click().await.unwrap();
        alice.read("acme/sub/deep/p3").await;
        alice.revoke_them().await;
        alice.read("Revoked access token nightly.").await;
        assert!(!token.works().await);
    });
}
