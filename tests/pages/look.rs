//! A browser that goes from page to page of the list.

use std::{cell::Cell, time::Duration};

use fantoccini::Client;
use serde_json::{Value, json};

use super::{Page, Site, Viewer, list::KEPT};
use crate::support::browser::Browser;

/// A browser in front of the company's pages.
pub struct Look<'a> {
    browser: &'a Browser,
    site: &'a Site,
    viewer: Cell<Option<Viewer>>,
}

const SEND: &str = "
    const [fields, kept] = arguments;
    document.documentElement.dataset.before = '';
    const form = document.getElementsByName(fields[0][0])[0].form;
    for (const [name, value] of fields) {
        for (const field of form.elements) {
            if (field.name !== name || value === kept) continue;
            if (field.type === 'hidden' && name !== 'authenticity_token') continue;
            if (field.type !== 'checkbox' && field.type !== 'radio') field.value = value;
            else if (field.value === value) field.checked = true;
        }
    }
    HTMLFormElement.prototype.submit.call(form);";

const ARRIVED: &str =
    "return document.readyState === 'complete' && !('before' in document.documentElement.dataset)";

const CLICK: &str = "
    const found = [...document.querySelectorAll(arguments[0])];
    const place = found.find((place) => place.checkVisibility()) || found[0];
    if (!place) return null;
    place.click();
    return place.matches('[data-confirm]') ? 'dialog[open]' : 'html'";

impl<'a> Look<'a> {
    /// Somebody sits down at this browser.
    pub async fn new(browser: &'a Browser, site: &'a Site) -> Look<'a> {
        // Colours that are on their way from one to another are neither.
        let calm = json!({ "features": [{ "name": "prefers-reduced-motion", "value": "reduce" }] });
        browser.devtools("Emulation.setEmulatedMedia", calm).await;
        browser
            .devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true }))
            .await;
        Look {
            browser,
            site,
            viewer: Cell::new(None),
        }
    }

    fn client(&self) -> &Client {
        self.browser.client()
    }

    /// Opens a page, and does there what the list says.
    pub async fn open(&self, page: &Page) {
        self.arrive(page).await;
        for click in page.clicks {
            let there = self.ask(CLICK, vec![json!(click)]).await;
            let Some(sign) = there.as_str() else {
                panic!("{}: there is no {click}", page.name);
            };
            let script = format!("return document.querySelector({}) !== null", json!(sign));
            self.until(page, &script).await;
        }
    }

    /// Opens a page, and sends the form if the list says so; nothing is clicked on.
    pub async fn arrive(&self, page: &Page) {
        if self.viewer.replace(Some(page.viewer)) != Some(page.viewer) {
            self.browser
                .devtools("Network.clearBrowserCookies", json!({}))
                .await;
            for (name, value) in self.site.cookies(page.viewer) {
                let cookie = json!({
                    "name": name, "value": value, "url": self.site.url(page), "httpOnly": true,
                });
                self.browser.devtools("Network.setCookie", cookie).await;
            }
        }
        self.client().goto(&self.site.url(page)).await.unwrap();
        if !page.sent.is_empty() {
            self.ask(SEND, vec![json!(page.sent), json!(KEPT)]).await;
            self.until(page, ARRIVED).await;
        }
    }

    /// Makes the window as wide as this, without loading the page again.
    pub async fn width(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.browser
            .devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// Switches to `light` or `dark`, as the menu does.
    pub async fn theme(&self, theme: &str) {
        self.ask(
            "document.documentElement.dataset.theme = arguments[0]",
            vec![json!(theme)],
        )
        .await;
    }

    /// What the browser complained about since it was last asked.
    pub async fn complaints(&self) -> Vec<String> {
        self.browser.complaints().await
    }

    /// What a script returns.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client().execute(script, arguments).await.unwrap()
    }

    /// What a script hands to its last argument.
    pub async fn wait_for(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client()
            .execute_async(script, arguments)
            .await
            .unwrap()
    }

    async fn until(&self, page: &Page, script: &str) {
        for _ in 0..200 {
            // On the way from one page to the next there may be nobody to ask.
            if let Ok(Value::Bool(true)) = self.client().execute(script, Vec::new()).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{}: it never comes that {script}", page.name);
    }
}
