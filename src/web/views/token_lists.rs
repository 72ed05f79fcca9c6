//! Tokens of many places: the inventory of a group, and the parts that it shares with the list of all tokens.

use askama::Template;

use super::access_tokens::OldValues;
use super::components::{Badge, Choice, Column, Day, Expiry, Moment};
use super::forms::FormErrors;
use super::shell::Shell;

/// All tokens below a top-level group.
#[derive(Template)]
#[template(path = "access_tokens/inventory.html", whitespace = "minimize")]
pub struct InventoryPage {
    /// The frame.
    pub shell: Shell,
    /// The list's address.
    pub path: String,
    /// The path of the group.
    pub group: String,
    /// What is looked for.
    pub filter: InventoryFilter,
    /// What is wrong with that.
    pub errors: FormErrors,
    /// How many there are, ready to print; nothing if nobody looked.
    pub count: Option<String>,
    /// The tokens.
    pub table: TokenTable,
    /// The beginning of the list, if this is not it.
    pub first: Option<String>,
    /// The tokens before these.
    pub previous: Option<String>,
    /// The tokens after these.
    pub next: Option<String>,
    /// All of it, as CSV.
    pub csv: String,
}

/// What is looked for.
pub struct InventoryFilter {
    /// In name or description.
    pub search: String,
    /// Of groups or projects.
    pub kinds: Vec<Choice>,
    /// Roles.
    pub roles: Vec<Choice>,
    /// Scopes.
    pub scopes: Vec<Choice>,
    /// Active or not; empty where there are only active ones.
    pub states: Vec<Choice>,
    /// With an end before this day.
    pub expires_before: String,
    /// Not used for so long.
    pub unused: Vec<Choice>,
    /// The order; empty for the usual one.
    pub sort: String,
    /// Is anything left out?
    pub narrows: bool,
}

/// Tokens with boxes to tick.
pub struct TokenTable {
    /// As tests know it.
    pub testid: &'static str,
    /// The list's address.
    pub path: String,
    /// The heads of the columns between the box and the button.
    pub columns: Vec<Column>,
    /// The tokens.
    pub rows: Vec<ListedTokenRow>,
    /// Can any of these be revoked?
    pub any_living: bool,
    /// Are all boxes ticked?
    pub all: bool,
    /// The same page with all boxes ticked, or none.
    pub select_href: String,
    /// This page, to come back to.
    pub back: String,
}

/// A token, with what it is for.
pub struct ListedTokenRow {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its own page, if it has one.
    pub href: Option<String>,
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
    /// The values before the last rotation, while any of them works.
    pub old_values: Option<OldValues>,
    /// What it is good for.
    pub state: Badge,
    /// Is there anything to revoke?
    pub can_revoke: bool,
}

/// Asks before tokens are revoked.
#[derive(Template)]
#[template(path = "access_tokens/revoke_selected.html", whitespace = "minimize")]
pub struct RevokeSelectedPage {
    /// The frame.
    pub shell: Shell,
    /// The list's address.
    pub path: String,
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
