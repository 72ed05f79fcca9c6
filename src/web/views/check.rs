//! Check a request: what would become of it, and which rules say so.

use askama::Template;

use super::access_tokens::TokenKind;
use super::components::{Choice, Tone};
use super::forms::FormErrors;
use super::scopes::ScopeOption;
use super::shell::Shell;

/// The form and, once something was asked, the answer.
#[derive(Template)]
#[template(path = "access_tokens/check.html", whitespace = "minimize")]
pub struct CheckPage {
    /// The frame.
    pub shell: Shell,
    /// The page's own address.
    pub path: String,
    /// The list of tokens.
    pub list: String,
    /// Whose tokens.
    pub kind: TokenKind,
    /// What is in **Token ID**.
    pub token: String,
    /// Roles; empty for people's tokens.
    pub roles: Vec<Choice>,
    /// Scopes on offer.
    pub scopes: Vec<ScopeOption>,
    /// Methods on offer.
    pub methods: Vec<Choice>,
    /// What is in **Path**.
    pub request: String,
    /// A path that could be asked about.
    pub example: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
    /// The answer.
    pub ruling: Option<RulingCard>,
}

/// The answer.
pub struct RulingCard {
    /// Whether the request would be let through.
    pub allowed: bool,
    /// Whether that hangs on more than method and path.
    pub depends: bool,
    /// What the request is for, as `Show a group`; empty if nothing answers it.
    pub what: String,
    /// The name of the token, if one was asked about.
    pub token: Option<String>,
    /// The rules that had a say, in the order in which they are asked.
    pub rules: Vec<RuleRow>,
}

/// A rule.
pub struct RuleRow {
    /// What it is about: `Scope`, `Role`.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// `Met`, `Not met` or `Depends`.
    pub word: &'static str,
}
