//! The start page of somebody signed in: what needs attention, then where to go.

use askama::Template;

use super::components::{Expiry, Moment};
use super::groups::GroupRow;
use super::shell::Shell;

/// Home.
#[derive(Template)]
#[template(path = "home/show.html", whitespace = "minimize")]
pub struct HomePage {
    /// The frame.
    pub shell: Shell,
    /// The person's name.
    pub name: String,
    /// Tokens that end within 14 days in groups that the person owns, the earliest first.
    pub expiring: Vec<ExpiringToken>,
    /// Are there more of them than are shown?
    pub more_expiring: bool,
    /// Tokens that nobody used for 30 days or more.
    pub unused: Vec<UnusedToken>,
    /// Are there more of them than are shown?
    pub more_unused: bool,
    /// The person's groups.
    pub groups: Vec<GroupRow>,
    /// Whether the person may make a top-level group.
    pub can_create_group: bool,
}

/// A token that ends soon.
pub struct ExpiringToken {
    /// Its name.
    pub name: String,
    /// The page of its group's or project's tokens.
    pub href: String,
    /// The full path of its group or project.
    pub resource: String,
    /// When it ends.
    pub expires: Expiry,
}

/// A token that nobody uses.
pub struct UnusedToken {
    /// Its name.
    pub name: String,
    /// The page of its group's or project's tokens.
    pub href: String,
    /// The full path of its group or project.
    pub resource: String,
    /// When it was used last; `None` for never.
    pub last_used: Option<Moment>,
}
