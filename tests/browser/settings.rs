//! The instance's own rules, in a real browser.

use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use super::{Reader, with_browser};
use crate::support::TestResource;

const PATH: &str = "/admin/application_settings/general";

impl Reader<'_> {
    async fn type_setting(&self, key: &str, text: &str) {
        let field = self.wait_for(&format!("#application_setting_{key}")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }
}

#[test]
fn an_administrator_sets_a_rule_is_asked_before_tokens_go_and_thinks_better_of_it() {
    with_browser(async |server, company, browser| {
        let root = Reader {
            browser: &browser,
            server: &server,
        };
        let token = company.acme.token("long").scopes([Scope::ReadApi]).create();
        root.sign_in("root").await;
        root.open(PATH).await;

        // A mistake stays in its field, with the reason.
        root.type_setting("personal_access_token_prefix", "no spaces")
            .await;
        root.wait("save-account").await.click().await.unwrap();
        root.wait("error-message").await;
        root.read("can contain only letters of the Base64 alphabet")
            .await;
        let field = root
            .wait_for("#application_setting_personal_access_token_prefix")
            .await;
        assert_eq!(
            field.prop("value").await.unwrap().as_deref(),
            Some("no spaces")
        );
        root.type_setting("personal_access_token_prefix", "acme_")
            .await;

        // Lowering the lifetime asks first.
        root.type_setting("max_personal_access_token_lifetime", "30")
            .await;
        root.wait("save-account").await.click().await.unwrap();
        root.read("Lower the maximum lifetime to 30 days?").await;
        root.read("long").await;
        assert_eq!(server.count("settings", "1 = 1"), 0);
        root.wait("confirm-lowering").await.click().await.unwrap();
        root.read("Application settings saved successfully.").await;
        root.read("1 token will be revoked").await;

        // And can be taken back.
        root.wait("undo-lowering").await.click().await.unwrap();
        root.read("No token will be revoked.").await;
        assert!(!root.has("pending-lowering").await);
        assert!(token.works().await);
        assert!(
            company
                .acme
                .token("new")
                .create()
                .value
                .starts_with("acme_")
        );
        assert_eq!(root.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn a_flag_is_switched_where_it_is_explained() {
    with_browser(async |server, company, browser| {
        let root = Reader {
            browser: &browser,
            server: &server,
        };
        root.sign_in("root").await;
        root.open(&format!("{PATH}?section=flags")).await;
        let switch = "button[aria-label='Switch on: buffered_token_expiration_limit']";
        root.wait_for(switch).await.click().await.unwrap();
        root.read("buffered_token_expiration_limit is on.").await;
        root.wait_for("button[aria-label='Switch off: buffered_token_expiration_limit']")
            .await;
        let asked =
            json!({ "name": "ci", "scopes": ["api"], "expires_at": server.days_ahead(400) });
        company
            .alice
            .api()
            .post(&format!("{}/access_tokens", company.acme.path()), asked)
            .await
            .expect(201);
        // A group has its own say.
        root.wait_for("#flag_group")
            .await
            .send_keys("acme")
            .await
            .unwrap();
        root.script(
            "[...document.querySelectorAll('button')].find(b => b.textContent == 'Keep bots there').click()",
        )
        .await;
        root.read("Bots of revoked tokens are kept in acme.").await;
        root.wait("retaining-groups").await;
        assert_eq!(server.count("groups", "retain_bots = TRUE"), 1);
        assert_eq!(root.complaints().await, Vec::<String>::new());
    });
}
