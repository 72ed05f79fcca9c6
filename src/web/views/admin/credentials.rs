//! All tokens of the instance.

use askama::Template;

use super::super::components::{Badge, Choice, Column, Day, Expiry, Moment, Pagination};
use super::super::forms::FormErrors;
use super::super::shell::Shell;

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
    /// The heads of the columns between the box and the button.
    pub columns: Vec<Column>,
    /// The tokens.
    pub rows: Vec<CredentialRow>,
    /// Can any of these be revoked?
    pub any_living: bool,
    /// The other pages.
    pub pagination: Option<Pagination>,
    /// Are all boxes ticked?
    pub all: bool,
    /// The same page with all boxes ticked, or none.
    pub select_href: String,
    /// This page, to come back to.
    pub back: String,
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

/// A token.
pub struct CredentialRow {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The last characters of its value.
    pub hint: String,
    /// The path of its group or project, or the person.
    pub holder: String,
    /// The page of that group's or project's tokens.
    pub holder_href: Option<String>,
    /// `Group`, `Project` or `Personal`.
    pub kind: &'static str,
    /// The role of its bot.
    pub role: Option<String>,
    /// Its scopes.
    pub scopes: String,
    /// When it was made.
    pub created: Day,
    /// When it was last used.
    pub last_used: Option<Moment>,
    /// For how long nobody has used it, if that is worth a word.
    pub idle: Option<String>,
    /// When it ends.
    pub expires: Option<Expiry>,
    /// Has that day come?
    pub is_over: bool,
    /// What it is good for.
    pub state: Badge,
    /// Is there anything to revoke?
    pub can_revoke: bool,
}

/// Asks before tokens are revoked.
#[derive(Template)]
#[template(path = "admin/revoke_credentials.html", whitespace = "minimize")]
pub struct RevokeCredentialsPage {
    /// The frame.
    pub shell: Shell,
    /// The list's address.
    pub path: &'static str,
    /// What was chosen.
    pub tokens: Vec<ChosenToken>,
    /// Was any of them used within the last 24 hours?
    pub used_lately: bool,
    /// Where to go afterwards.
    pub back: String,
}

/// A token that was chosen.
pub struct ChosenToken {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The path of its group or project, or the person.
    pub holder: String,
    /// Last use, role and scopes in one line.
    pub summary: String,
}
