//! The main job without a mouse: the way there, a token made, copied, rotated and revoked; and what is printed of it.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::{Reader, with_browser};
use crate::support::{PASSWORD, TestResource};

/// What is wrong with where the focus is: nowhere, without an outline, or under something else.
const UNSEEN: &str = "
    const here = document.activeElement;
    if (here === document.body) return 'the focus is nowhere';
    const style = getComputedStyle(here);
    const drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const name = here.outerHTML.slice(0, 150);
    if (!drawn && !here.matches('main, h2')) return `no outline around ${name}`;
    const box = here.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
    const y = box.top + Math.min(box.height, innerHeight) / 2;
    if (y < 0 || y > innerHeight) return `out of sight: ${name}`;
    const seen = document.elementFromPoint(x, y);
    if (!here.contains(seen) && !seen.contains(here)) return `${name} is under ${seen.outerHTML.slice(0, 150)}`;
    return null";

impl Reader<'_> {
    /// The focus is somewhere, and can be seen there.
    async fn sees_the_focus(&self) {
        let wrong = self.script(UNSEEN).await;
        assert_eq!(wrong, Value::Null, "{wrong}");
    }

    /// Goes on with Tab until the focus is on what this selects; each stop on the way can be seen.
    async fn walk_to(&self, css: &str) {
        for _ in 0..120 {
            self.press(Key::Tab).await;
            let script = format!(
                "const here = document.activeElement;
                 return here === document.body ? null : here.matches({})",
                json!(css)
            );
            match self.script(&script).await {
                // Behind the last stop, before the first one.
                Value::Null => {}
                found => {
                    self.sees_the_focus().await;
                    if found == json!(true) {
                        return;
                    }
                }
            }
        }
        panic!("the keyboard doesn't reach {css}");
    }

    async fn is_on(&self, css: &str) {
        self.wait_for(&format!("{css}:focus")).await;
        self.sees_the_focus().await;
    }
}

#[test]
fn the_main_job_is_done_with_the_keyboard_alone() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        company.acme.token("older").create();
        alice.open("/users/sign_in").await;
        alice.is_on("#user_login").await;
        let field = alice.wait_for("#user_login").await;
        field.send_keys("alice").await.unwrap();
        alice.walk_to("#user_password").await;
        let field = alice.wait_for("#user_password").await;
        field.send_keys(PASSWORD).await.unwrap();
        alice.press(Key::Enter).await;
        alice.wait_for("form[action='/users/sign_out']").await;

        // Past the frame with the first stop, and on to the group.
        alice.walk_to("a.skip").await;
        alice.press(Key::Enter).await;
        alice.is_on("main").await;
        alice.walk_to("main a[href='/acme']").await;
        alice.press(Key::Enter).await;
        alice.wait_for("nav[aria-label='Group']").await;
        alice.walk_to(".side details > summary").await;
        alice.press(Key::Enter).await;
        alice
            .walk_to(".side a[href='/groups/acme/-/settings/access_tokens']")
            .await;
        alice.press(Key::Enter).await;
        alice.wait("add-new-token-button").await;

        // Make one.
        alice.walk_to("a.skip").await;
        alice.press(Key::Enter).await;
        alice.walk_to("[data-testid='add-new-token-button']").await;
        alice.press(Key::Enter).await;
        alice.is_on("[data-testid='access-token-name-field']").await;
        let field = alice.wait("access-token-name-field").await;
        field.send_keys("by hand").await.unwrap();
        alice
            .walk_to("[data-testid='access-token-role-field']")
            .await;
        alice.press('D').await;
        alice.walk_to("[data-testid='read_api-checkbox']").await;
        alice.press(' ').await;
        alice.walk_to("[data-testid='create-token-button']").await;
        alice.press(Key::Enter).await;
        let value = alice.value().await;
        let token = server.with_token(&value);
        token.get("/user").await.expect(200);
        let news =
            "return document.activeElement.closest('[data-testid=success-message]') !== null";
        assert_eq!(
            alice.script(news).await,
            json!(true),
            "the focus is where the news is"
        );

        // Copy it.
        alice.walk_to("button[aria-label^='Copy']").await;
        alice.press(Key::Enter).await;
        alice.read("Copied").await;
        alice.is_on("button[aria-label^='Copy']").await;

        // Think better of rotating it.
        let row = |action: &str| format!("[data-testid='{action}-button'][aria-label$='by hand']");
        alice.walk_to(&row("rotate")).await;
        alice.press(Key::Enter).await;
        alice.wait_for("dialog[open]").await;
        alice.is_on("dialog[open] *").await;
        alice.press(Key::Escape).await;
        alice.is_on(&row("rotate")).await;
        assert!(!alice.has("dialog").await);
        token.get("/user").await.expect(200);

        // Revoke it.
        alice.walk_to(&row("revoke")).await;
        alice.press(Key::Enter).await;
        alice.wait_for("dialog[open]").await;
        alice.is_on("dialog[open] [data-confirm-close]").await;
        alice.walk_to("dialog[open] button.danger").await;
        alice.press(Key::Enter).await;
        alice.read("Revoked access token by hand.").await;
        alice.is_on("[data-testid='flash']").await;
        token.get("/user").await.expect(401);

        // Put the news away: what comes next begins where the page does.
        alice.walk_to("[data-testid='flash'] button").await;
        alice.press(Key::Enter).await;
        alice.is_on("main").await;
        assert_eq!(alice.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn the_value_of_a_token_is_never_printed() {
    with_browser(async |server, company, browser| {
        let alice = Reader {
            browser: &browser,
            server: &server,
        };
        alice.sign_in("alice").await;
        let page = company.acme.page("settings/access_tokens");
        alice
            .create_token(&page, "printed", "Guest", &["read_api"])
            .await;
        let shown =
            "return ['.once', '.side', '.top', 'footer', '.act', '[data-testid=active-tokens]']
            .filter((css) => document.querySelector(css).checkVisibility())";
        let all = alice.script(shown).await;
        assert_eq!(all.as_array().map(Vec::len), Some(6), "{all}");
        let print = json!({ "media": "print" });
        browser.devtools("Emulation.setEmulatedMedia", print).await;
        let printed = json!(["[data-testid=active-tokens]"]);
        assert_eq!(alice.script(shown).await, printed);
    });
}
