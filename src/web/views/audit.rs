//! The trail, of the instance or of a group.

use askama::Template;

use super::components::{Choice, Moment};
use super::forms::FormErrors;
use super::shell::Shell;

/// What happened, newest first.
#[derive(Template)]
#[template(path = "audit/index.html", whitespace = "minimize")]
pub struct AuditLogPage {
    /// The frame.
    pub shell: Shell,
    /// What it is called.
    pub heading: &'static str,
    /// Whose events these are, in a sentence.
    pub lead: String,
    /// Its own address.
    pub path: String,
    /// What is looked for.
    pub filter: AuditFilter,
    /// What is wrong with that.
    pub errors: FormErrors,
    /// The events.
    pub rows: Vec<EventRow>,
    /// The beginning of the list, if this is not it.
    pub newest: Option<String>,
    /// The events before these.
    pub newer: Option<String>,
    /// The events after these.
    pub older: Option<String>,
    /// All of it, as CSV.
    pub csv: String,
    /// All of it, as lines of JSON.
    pub json_lines: String,
}

/// What is looked for.
pub struct AuditFilter {
    /// Kinds of events.
    pub events: Vec<EventGroup>,
    /// Who.
    pub actor: String,
    /// Kinds of targets.
    pub target_kinds: Vec<Choice>,
    /// To what.
    pub target: String,
    /// In which group.
    pub group: String,
    /// From this day.
    pub since: String,
    /// To this day.
    pub until: String,
    /// Where the actor stood.
    pub channels: Vec<Choice>,
    /// Is anything left out?
    pub narrows: bool,
}

/// Kinds of events that belong together.
pub struct EventGroup {
    /// Their heading.
    pub heading: &'static str,
    /// The kinds.
    pub events: Vec<Choice>,
}

/// A text that leads somewhere.
pub struct Link {
    /// Where to.
    pub href: String,
    /// The text.
    pub text: String,
}

/// An event.
pub struct EventRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Moment,
    /// What, in words.
    pub title: String,
    /// What, as the trail names it.
    pub name: String,
    /// Who; leads to all that they did.
    pub actor: Link,
    /// What they are, if not a person.
    pub actor_kind: Option<&'static str>,
    /// What kind of thing it happened to.
    pub target_kind: &'static str,
    /// To what; leads to all that happened to it. Nothing for the instance.
    pub target: Option<Link>,
    /// The number of that; empty for the instance.
    pub target_id: String,
    /// In which group; leads to all that happened there.
    pub group: Option<Link>,
    /// How often, if more than once.
    pub occurrences: Option<String>,
    /// The client's address; may be empty.
    pub ip: String,
    /// Where the actor stood.
    pub channel: &'static str,
    /// What the client said it was; may be empty.
    pub user_agent: String,
    /// The request; may be empty.
    pub request_id: String,
    /// What changed.
    pub changes: Vec<Change>,
}

/// One field of an event's details.
pub struct Change {
    /// Its name.
    pub field: String,
    /// What it was, if it changed.
    pub old: Option<String>,
    /// What it is.
    pub new: String,
}
