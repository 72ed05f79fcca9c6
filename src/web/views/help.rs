//! Help: what tokens, roles, scopes, expiry and rotation are.

use askama::Template;

use super::scopes::{SCOPES, ScopeText, kinds};
use super::shell::Shell;

/// The help page. Its anchors are `tokens`, `roles`, `scopes`, `internal`, `expiry`, `rotation`, `use`, `webhooks`, `keyboard`.
#[derive(Template)]
#[template(path = "help/index.html", whitespace = "minimize")]
pub struct HelpPage {
    /// The frame.
    pub shell: Shell,
    /// The address of the instance without a slash at the end, for the examples.
    pub external_url: String,
    /// The longest lifetime of a token in days, if there is one.
    pub longest_lifetime: Option<u32>,
}

impl HelpPage {
    /// The address without its scheme, as it stands after `@` in a clone URL.
    pub fn host(&self) -> &str {
        self.external_url
            .split_once("://")
            .map_or(self.external_url.as_str(), |(_, host)| host)
    }

    /// Each scope with the kinds of token that may have it.
    pub fn scopes(&self) -> Vec<(ScopeText, &'static str)> {
        SCOPES
            .into_iter()
            .map(|text| (text, kinds(text.name)))
            .collect()
    }
}
