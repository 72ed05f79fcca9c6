//! Settings, Advanced: the section, and the pages that ask before an address, a place or the end.

use askama::Template;

use super::components::Choice;
use super::forms::FormErrors;
use super::shell::Shell;

/// The section **Advanced** of the settings.
pub struct Advanced {
    /// `group` or `project`.
    pub noun: &'static str,
    /// Where its pages lie, as `/groups/acme/-`.
    pub base: String,
    /// Whether it is open.
    pub open: bool,
    /// Under its head: `Group 'Platform' was successfully updated.`
    pub saved: Option<String>,
    /// Whether the viewer may give it another address.
    pub path: bool,
    /// Whether the viewer may put it elsewhere.
    pub transfer: bool,
    /// Whether the viewer may delete it.
    pub delete: bool,
}

/// What one of the pages is about.
pub struct Subject {
    /// `group` or `project`.
    pub noun: &'static str,
    /// Its name.
    pub name: String,
    /// Its full path.
    pub full_path: String,
    /// Where its pages lie, as `/groups/acme/-`.
    pub base: String,
    /// Where **Cancel** leads.
    pub back: String,
}

/// Something that happens then.
pub struct Consequence {
    /// A sentence, or its beginning before names.
    pub text: String,
    /// People: name, and what stands beside it in brackets.
    pub names: Vec<(String, String)>,
    /// How many more there are.
    pub more: Option<String>,
}

impl Consequence {
    /// A sentence.
    pub fn new(text: impl Into<String>) -> Self {
        Consequence {
            text: text.into(),
            names: Vec::new(),
            more: None,
        }
    }
}

/// Another address.
#[derive(Template)]
#[template(path = "advanced/path.html", whitespace = "minimize")]
pub struct PathPage {
    /// The frame.
    pub shell: Shell,
    /// What it is about.
    pub about: Subject,
    /// What stands before the path: `https://latchkey.example/acme/`.
    pub prefix: String,
    /// What is in the field.
    pub path: String,
    /// What it means.
    pub consequences: Vec<Consequence>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Another place: which one.
#[derive(Template)]
#[template(path = "advanced/destination.html", whitespace = "minimize")]
pub struct DestinationPage {
    /// The frame.
    pub shell: Shell,
    /// What it is about.
    pub about: Subject,
    /// Whether there are so many places that they are searched for.
    pub searchable: bool,
    /// Whether there are more than those on offer.
    pub more: bool,
    /// What is searched for.
    pub search: String,
    /// Places on offer.
    pub choices: Vec<Choice>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Another place: what that means.
#[derive(Template)]
#[template(path = "advanced/transfer.html", whitespace = "minimize")]
pub struct TransferPage {
    /// The frame.
    pub shell: Shell,
    /// What it is about.
    pub about: Subject,
    /// Its URL now.
    pub before: String,
    /// Its URL then.
    pub after: String,
    /// The new place: a full path, or `the top level`.
    pub place: String,
    /// What the form sends for it.
    pub value: String,
    /// Where another place is chosen.
    pub another: String,
    /// What it means.
    pub consequences: Vec<Consequence>,
    /// Why it can't lie there.
    pub errors: FormErrors,
}

/// The end.
#[derive(Template)]
#[template(path = "advanced/delete.html", whitespace = "minimize")]
pub struct DeletePage {
    /// The frame.
    pub shell: Shell,
    /// What it is about.
    pub about: Subject,
    /// What is in the field that wants the full path.
    pub typed: String,
    /// What it means.
    pub consequences: Vec<Consequence>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}
