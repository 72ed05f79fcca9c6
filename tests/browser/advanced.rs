//! Settings, General of groups, in a real browser: the switch, another place, the end.

use latchkey::members::AccessLevel;

use super::{Reader, with_browser};
use crate::support::TestResource;

impl Reader<'_> {
    async fn click(&self, css: &str) {
        self.wait_for(css).await.click().await.unwrap();
    }

    /// Presses the button of this page's form that does what the page asks about.
    async fn confirm(&self) {
        self.click(".confirm .btn.danger").await;
    }
}

#[test]
fn the_switch_of_a_top_level_group_is_seen_from_below() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        alice.sign_in("alice").await;
        alice.open(&company.acme.page("edit")).await;
        alice.click("#js-permissions-settings > summary").await;
        alice
            .wait("token-creation-switch")
            .await
            .click()
            .await
            .unwrap();
        alice
            .wait("save-permissions-changes-button")
            .await
            .click()
            .await
            .unwrap();
        alice.read("Group 'acme' was successfully updated.").await;
        alice.wait_for("#js-permissions-settings[open]").await;

        alice.open(&company.deep.page("edit")).await;
        alice.click("#js-permissions-settings > summary").await;
        alice
            .read("Users can't create project access tokens and group access tokens in this group.")
            .await;
        alice.click("#js-permissions-settings a").await;
        let switch = alice.wait("token-creation-switch").await;
        assert_eq!(
            switch.prop("checked").await.unwrap().as_deref(),
            Some("false")
        );
        assert_eq!(alice.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn a_group_is_moved_and_then_deleted_each_after_saying_what_that_means() {
    with_browser(async |server, company, browser| {
        company.other.member(&company.alice, AccessLevel::Owner);
        let token = company.sub.token("ci").create();
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        alice.sign_in("alice").await;
        alice.open(&company.sub.page("edit")).await;
        alice.click("#js-advanced-settings > summary").await;
        alice.wait("transfer").await.click().await.unwrap();
        let places = alice.wait("new-place").await;
        places.select_by_label("other").await.unwrap();
        alice.click(".confirm .btn.primary").await;
        alice.read("5 people lose access: Bob").await;
        alice.read("1 active access token goes on working").await;
        alice.read("/other/sub").await;
        assert_eq!(server.count("groups", "full_path = 'acme/sub'"), 1);
        alice.confirm().await;
        alice.read("Group 'sub' was transferred to other.").await;
        assert!(token.works().await);

        alice
            .open("/groups/other/sub/-/edit?section=advanced#js-advanced-settings")
            .await;
        alice.wait("delete").await.click().await.unwrap();
        alice
            .read("1 active access token stops working at once, and never works again.")
            .await;
        let field = alice.wait("confirm-field").await;
        field.send_keys("acme/sub").await.unwrap();
        alice.confirm().await;
        alice.read("Nothing was deleted.").await;
        let field = alice.wait("confirm-field").await;
        assert_eq!(
            field.prop("value").await.unwrap().as_deref(),
            Some("acme/sub")
        );
        field.clear().await.unwrap();
        field.send_keys("other/sub").await.unwrap();
        alice.confirm().await;
        alice.read("Group 'sub' was deleted.").await;
        assert!(!token.works().await);
        assert_eq!(server.count("groups", "path = 'sub'"), 0);
        assert_eq!(alice.complaints().await, Vec::<String>::new());
    });
}
