//! All tokens of the instance.

use askama::Template;

use super::super::components::{Choice, Pagination};
use super::super::forms::FormErrors;
use super::super::shell::Shell;
use super::super::token_lists::TokenTable;

/// The list.
#[derive(Template)]
#[template(path = "admin/credentials.html", whitespace = "minimize")]
pub struct CredentialsPage {
    /// The frame.
    pub shell: Shell,
    /// Its own address.
    pub path: &'static str,
    /// What is looked for.
    pub filter: CredentialFilter,
    /// What is wrong with that.
    pub errors: FormErrors,
    /// How many there are, ready to print; nothing if nobody looked.
    pub count: Option<String>,
    /// The tokens.
    pub table: TokenTable,
    /// The other pages.
    pub pagination: Option<Pagination>,
}

/// What is looked for.
pub struct CredentialFilter {
    /// In name or description.
    pub search: String,
    /// Whose.
    pub types: Vec<Choice>,
    /// Active or not.
    pub states: Vec<Choice>,
    /// Scopes.
    pub scopes: Vec<Choice>,
    /// Of this group and what is below it.
    pub group: String,
    /// Of this user.
    pub user: String,
    /// With an end before this day.
    pub expires_before: String,
    /// Not used for so many days.
    pub unused: String,
    /// The order; empty for the usual one.
    pub sort: String,
    /// Is anything left out?
    pub narrows: bool,
}
