//! The admin area.

pub mod credentials;
pub mod jobs;
pub mod places;
pub mod settings;
pub mod users;

use askama::Template;

use super::components::{Moment, Tone};
use super::shell::Shell;

/// Admin overview: counts, who is billable, and how the system is.
#[derive(Template)]
#[template(path = "admin/overview.html", whitespace = "minimize")]
pub struct AdminOverviewPage {
    /// The frame.
    pub shell: Shell,
    /// What there is: users, groups, projects, active tokens, expiring tokens.
    pub counts: Vec<Count>,
    /// Who signed up and waits: `3 people signed up and wait for approval.`
    pub pending: Option<String>,
    /// What administrators should think about.
    pub advice: Vec<String>,
    /// How many users count as seats.
    pub billable: String,
    /// How many accounts there are in all.
    pub accounts: String,
    /// Who does not count, and why; kinds with none of them included.
    pub not_billable: Vec<NotBillable>,
    /// Version, database, clock and the like.
    pub system: Vec<SystemFact>,
    /// What failed lately.
    pub failures: Vec<Failure>,
}

/// Something that failed.
pub struct Failure {
    /// When.
    pub at: Moment,
    /// What.
    pub what: String,
    /// Why, as far as it is known.
    pub why: String,
}

/// A number with a label.
pub struct Count {
    /// What is counted.
    pub label: &'static str,
    /// How many, ready to print.
    pub value: String,
    /// One short remark; empty for none.
    pub note: String,
    /// The list; `None` if there is no page for it.
    pub href: Option<String>,
}

/// A kind of user that is not billable.
pub struct NotBillable {
    /// `Bots of access tokens`.
    pub kind: &'static str,
    /// How many, ready to print.
    pub count: String,
    /// Why they don't count.
    pub reason: &'static str,
}

/// A fact about the running system.
pub struct SystemFact {
    /// What it is.
    pub label: &'static str,
    /// Its value.
    pub value: String,
    /// `Neutral` prints plain text, the others a badge before it.
    pub tone: Tone,
    /// Where it is looked after.
    pub href: Option<&'static str>,
}
