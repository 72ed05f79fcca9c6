//! A person's main job, in a real browser.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod advanced;
mod code;
mod every_page;
mod keyboard;
mod oversight;
#[path = "../pages/mod.rs"]
mod pages;
mod rotation;
mod settings;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use fantoccini::{
    Client, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    key::Key,
};
use serde_json::{Value, json};
use support::{
    Company, PASSWORD, TestResource, TestServer, browser::Browser, server::runtime,
    storage::Storage,
};

/// A person at the browser.
struct Reader<'a> {
    browser: &'a Browser,
    server: &'a TestServer,
}

impl Reader<'_> {
    fn client(&self) -> &Client {
        self.browser.client()
    }

    async fn open(&self, path: &str) {
        self.client()
            .goto(&format!("{}{path}", self.server.url))
            .await
            .unwrap();
    }

    /// Waits for what tests know under this name.
    async fn wait(&self, testid: &str) -> Element {
        self.wait_for(&format!("[data-testid='{testid}']")).await
    }

    async fn wait_for(&self, css: &str) -> Element {
        let found = self
            .client()
            .wait()
            .at_most(Duration::from_secs(10))
            .for_element(Locator::Css(css))
            .await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css} doesn't come: {error}\n{}", self.text().await),
        }
    }

    /// Waits for this text.
    async fn read(&self, text: &str) {
        for _ in 0..100 {
            if self.text().await.contains(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{text:?} can't be read in\n{}", self.text().await);
    }

    async fn text(&self) -> String {
        match self.client().find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    async fn has(&self, testid: &str) -> bool {
        let found = self
            .client()
            .find_all(Locator::Css(&format!("[data-testid='{testid}']")))
            .await
            .unwrap();
        for element in found {
            if element.is_displayed().await.unwrap() {
                return true;
            }
        }
        false
    }

    async fn sign_in(&self, username: &str) {
        self.open("/users/sign_in").await;
        self.wait_for("#user_login")
            .await
            .send_keys(username)
            .await
            .unwrap();
        self.wait_for("#user_password")
            .await
            .send_keys(PASSWORD)
            .await
            .unwrap();
        self.wait_for("form[action='/users/sign_in'] button")
            .await
            .click()
            .await
            .unwrap();
        self.wait_for("form[action='/users/sign_out']").await;
    }

    /// Fills the form in and sends it; the value that is then shown.
    async fn create_token(&self, page: &str, name: &str, role: &str, scopes: &[&str]) -> String {
        self.open(page).await;
        self.wait("add-new-token-button")
            .await
            .click()
            .await
            .unwrap();
        self.wait("access-token-name-field")
            .await
            .send_keys(name)
            .await
            .unwrap();
        self.wait("access-token-role-field")
            .await
            .select_by_label(role)
            .await
            .unwrap();
        for scope in scopes {
            self.wait(&format!("{scope}-checkbox"))
                .await
                .click()
                .await
                .unwrap();
        }
        self.wait("create-token-button")
            .await
            .click()
            .await
            .unwrap();
        self.value().await
    }

    /// The one-time value, as the page holds it.
    async fn value(&self) -> String {
        let field = self.wait("created-access-token-field").await;
        field
            .prop("value")
            .await
            .unwrap()
            .expect("the field has a value")
    }

    async fn press(&self, key: impl Into<char>) {
        let key = key.into();
        let keys = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client().perform_actions(keys).await.unwrap();
    }

    async fn script(&self, code: &str) -> Value {
        self.client().execute(code, Vec::new()).await.unwrap()
    }

    /// Tabs until the focus is on what this selects.
    async fn tab_to(&self, css: &str) {
        for _ in 0..120 {
            let here = self
                .script(&format!(
                    "return document.activeElement.matches({})",
                    json!(css)
                ))
                .await;
            if here == json!(true) {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("the keyboard doesn't reach {css}");
    }

    /// What the browser complained about: scripts, styles and pictures that the policy forbids, errors in ours.
    async fn complaints(&self) -> Vec<String> {
        self.browser.complaints().await
    }
}

/// A server with the company on it, and a browser; nothing where none is installed.
fn with_browser<F: Future<Output = ()>>(test: impl FnOnce(TestServer, Company, Browser) -> F) {
    runtime().block_on(async {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let server = TestServer::on(Storage::sqlite());
        let company = Company::on(&server);
        test(server, company, browser).await;
    });
}

#[test]
fn an_owner_makes_a_token_a_program_uses_it_and_the_owner_takes_it_away() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        let page = company.acme.page("settings/access_tokens");
        alice.sign_in("alice").await;

        // Make one, see it once.
        let value = alice
            .create_token(&page, "deploy-bot", "Developer", &["api"])
            .await;
        alice.read("Save it now.").await;
        assert!(
            !alice.text().await.contains(&value),
            "the value is masked until somebody asks for it"
        );
        let kind = alice
            .wait("created-access-token-field")
            .await
            .attr("type")
            .await
            .unwrap();
        assert_eq!(kind.as_deref(), Some("password"));
        alice
            .wait_for("[data-testid='created-access-token-field'] ~ button[aria-pressed]")
            .await
            .click()
            .await
            .unwrap();
        let kind = alice
            .wait("created-access-token-field")
            .await
            .attr("type")
            .await
            .unwrap();
        assert_eq!(kind.as_deref(), Some("text"));

        // A program uses it.
        let program = server.with_token(&value);
        let group = program.get(&company.acme.path()).await.expect(200).json();
        assert_eq!(group["full_path"], "acme");
        program
            .post(
                "/projects",
                json!({ "name": "made by a program", "namespace_id": company.acme.id }),
            )
            .await
            .expect(201);

        // Loaded again it is gone, and there is no second token.
        alice.client().refresh().await.unwrap();
        // The browser asks whether to send the form again; chromedriver sends it.
        let _ = alice.client().accept_alert().await;
        alice.read("Its value was shown once").await;
        assert!(!alice.client().source().await.unwrap().contains(&value));
        alice.open(&page).await;
        alice.read("deploy-bot").await;
        assert!(!alice.has("created-access-token-field").await);
        alice.client().back().await.unwrap();
        assert!(
            !alice.client().source().await.unwrap().contains(&value),
            "Back shows the value again"
        );
        assert_eq!(server.count("access_tokens", "name = 'deploy-bot'"), 1);
        let stored = alice.script("return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])").await;
        assert!(!stored.to_string().contains(&value), "{stored}");

        // Take it away.
        alice.open(&page).await;
        alice.wait("revoke-button").await.click().await.unwrap();
        let dialog = alice.wait_for("dialog[open]").await;
        assert!(dialog.text().await.unwrap().contains("deploy-bot"));
        // The safe choice has the focus, and Escape is that choice.
        assert_eq!(
            alice
                .script("return document.activeElement.textContent")
                .await,
            json!("Keep token")
        );
        alice.press(Key::Escape).await;
        program.get(&company.acme.path()).await.expect(200);
        alice.wait("revoke-button").await.click().await.unwrap();
        alice
            .wait_for("dialog[open] button.danger")
            .await
            .click()
            .await
            .unwrap();
        alice.read("Revoked access token deploy-bot.").await;
        program.get(&company.acme.path()).await.expect(401);

        // Turn creation off.
        alice
            .open(&format!(
                "{}#js-permissions-settings",
                company.acme.page("edit")
            ))
            .await;
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
        alice.read("was successfully updated.").await;
        alice.open(&page).await;
        alice.wait("creation-disabled").await;
        assert!(
            !alice.has("add-new-token-button").await,
            "the button is still there"
        );

        assert_eq!(alice.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn a_token_is_made_with_the_keyboard_alone() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        alice.open("/users/sign_in").await;
        alice
            .wait_for("#user_login:focus")
            .await
            .send_keys("alice")
            .await
            .unwrap();
        alice.tab_to("#user_password").await;
        alice
            .wait_for("#user_password")
            .await
            .send_keys(PASSWORD)
            .await
            .unwrap();
        alice.press(Key::Enter).await;
        alice.wait_for("form[action='/users/sign_out']").await;
        alice
            .open(&company.acme.page("settings/access_tokens"))
            .await;
        alice.wait("add-new-token-button").await;
        alice.tab_to("[data-testid='add-new-token-button']").await;
        alice.press(Key::Enter).await;
        // The form opens in place, with the focus in its first field.
        alice
            .wait_for("[data-testid='access-token-name-field']:focus")
            .await
            .send_keys("by hand")
            .await
            .unwrap();
        alice.tab_to("[data-testid='read_api-checkbox']").await;
        alice.press(' ').await;
        alice.tab_to("[data-testid='create-token-button']").await;
        alice.press(Key::Enter).await;
        let value = alice.value().await;
        server.with_token(&value).get("/user").await.expect(200);
        let focus = alice
            .script(
                "return document.activeElement.closest('[data-testid=success-message]') !== null",
            )
            .await;
        assert_eq!(focus, json!(true), "the focus is where the news is");
        assert_eq!(alice.complaints().await, Vec::<String>::new());
        // The test of the test: what the policy forbids is complained about.
        alice.script("const made = document.createElement('script'); made.textContent = 'let x'; document.body.append(made)").await;
        assert!(
            alice
                .complaints()
                .await
                .iter()
                .any(|line| line.contains("Content Security Policy"))
        );
    });
}

#[test]
fn everything_works_without_scripts() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        let off = json!({ "value": true });
        browser
            .devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
        let page = company.acme.page("settings/access_tokens");
        alice.sign_in("alice").await;
        let value = alice
            .create_token(&page, "plain", "Guest", &["read_api"])
            .await;
        let kind = alice
            .wait("created-access-token-field")
            .await
            .attr("type")
            .await
            .unwrap();
        assert_ne!(
            kind.as_deref(),
            Some("password"),
            "nobody is there to unmask it: scripts ran"
        );
        server.with_token(&value).get("/user").await.expect(200);

        alice.open(&page).await;
        alice.wait("rotate-button").await.click().await.unwrap();
        alice.wait_for("form[action$='/rotate'] button.primary, form[action$='/rotate'] button.danger, form[action$='/rotate'] button").await.click().await.unwrap();
        let next = alice.value().await;
        assert_ne!(next, value);
        server.with_token(&value).get("/user").await.expect(401);
        server.with_token(&next).get("/user").await.expect(200);

        alice.open(&page).await;
        alice.wait("revoke-button").await.click().await.unwrap();
        alice
            .wait_for("form[action$='/revoke'] button.danger")
            .await
            .click()
            .await
            .unwrap();
        alice.read("Revoked access token plain.").await;
        server.with_token(&next).get("/user").await.expect(401);
    });
}

#[test]
fn an_administrator_finds_tokens_selects_two_and_revokes_them() {
    with_browser(async |server, company, browser| {
        let root = Reader {
            browser: &browser,
            server: &server,
        };
        let one = company.acme.token("old robot").create();
        let two = company.p9.token("older robot").create();
        let other = company.acme.token("new engine").create();
        root.sign_in("root").await;
        root.open("/admin/credentials").await;
        root.read("new engine").await;

        // Filter.
        root.wait_for("main input[name='search']")
            .await
            .send_keys("robot")
            .await
            .unwrap();
        root.press(Key::Enter).await;
        root.wait_for("a[href='/admin/credentials']").await;
        root.read("older robot").await;
        assert!(!root.text().await.contains("new engine"));

        // Select two, and be asked.
        for token in [&one, &two] {
            root.wait_for(&format!("input[name='ids'][value='{}']", token.id))
                .await
                .click()
                .await
                .unwrap();
        }
        root.wait("revoke-selected").await.click().await.unwrap();
        root.read("Revoke 2 access tokens?").await;
        root.read("other/p9").await;
        assert!(one.works().await && two.works().await);

        // Revoked, and back at the filtered list.
        root.wait_for(".confirm button.danger")
            .await
            .click()
            .await
            .unwrap();
        root.read("Revoked 2 access tokens.").await;
        assert!(
            root.client()
                .current_url()
                .await
                .unwrap()
                .as_str()
                .contains("search=robot")
        );
        assert!(!one.works().await && !two.works().await && other.works().await);

        // One alone, in a dialog.
        root.open("/admin/credentials").await;
        root.wait("revoke-button").await.click().await.unwrap();
        let dialog = root.wait_for("dialog[open]").await;
        assert!(dialog.text().await.unwrap().contains("new engine"));
        root.wait_for("dialog[open] button.danger")
            .await
            .click()
            .await
            .unwrap();
        root.read("Revoked access token new engine.").await;
        assert!(!other.works().await);

        // What happened stands in the log, and opens.
        root.open("/admin/audit_logs?event=group_access_token_deleted")
            .await;
        root.read("Group access token revoked").await;
        root.wait_for("[data-testid='events'] summary")
            .await
            .click()
            .await
            .unwrap();
        root.read("request id").await;
        assert_eq!(root.complaints().await, [""; 0]);
    });
}
