//! Admin, Settings, General.

use askama::Template;

use crate::web::views::components::Moment;
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::Shell;

/// The settings of the instance, section by section, and its flags.
#[derive(Template)]
#[template(path = "admin/settings.html", whitespace = "minimize")]
pub struct InstanceSettingsPage {
    /// The frame.
    pub shell: Shell,
    /// The name of the section that is open, `flags` included.
    pub open: &'static str,
    /// Under the head of the open section: what was just saved.
    pub saved: Option<String>,
    /// The sections, in their order; the flags come after the first.
    pub sections: Vec<SectionForm>,
    /// A longest lifetime that was lowered, and what will follow.
    pub pending: Option<PendingLowering>,
    /// The flags.
    pub flags: Vec<FlagRow>,
    /// Top-level groups with a say of their own about the flag that keeps bots.
    pub retaining: Vec<RetainingGroup>,
    /// What was typed as such a group.
    pub retaining_typed: String,
    /// What is wrong with the form of the open section.
    pub errors: FormErrors,
}

impl InstanceSettingsPage {
    /// Whether a section is open.
    pub fn is_open(&self, name: &str) -> bool {
        self.open == name
    }
}

/// One section.
pub struct SectionForm {
    /// Its name in addresses and forms.
    pub name: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// One sentence about it.
    pub summary: &'static str,
    /// Tells whether somebody else saved it meanwhile.
    pub stamp: String,
    /// Advice about what is set, if there is any.
    pub advice: Vec<String>,
    /// What is good to know beside it: label and text.
    pub facts: Vec<(&'static str, String)>,
    /// Its fields.
    pub fields: Vec<SettingField>,
}

/// One setting.
pub struct SettingField {
    /// Its name.
    pub key: &'static str,
    /// What stands above it.
    pub label: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What it takes, in a few words; empty where that can be seen.
    pub takes: String,
    /// How it is set.
    pub control: Control,
    /// What somebody else set it to meanwhile.
    pub meanwhile: Option<String>,
}

/// How a setting is set.
pub enum Control {
    /// A box, ticked or not.
    Switch(bool),
    /// A number, with the largest that is taken.
    Number {
        /// What is in it.
        value: String,
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// A line.
    Line(String),
    /// One of several: value, label, chosen or not.
    Choice(Vec<(&'static str, &'static str, bool)>),
    /// Several lines.
    Lines(String),
}

/// Tokens that will be revoked, unless somebody thinks better of it.
pub struct PendingLowering {
    /// `365 days`, `none`.
    pub before: String,
    /// `90 days`.
    pub now: String,
    /// How many tokens.
    pub count: String,
    /// When.
    pub at: Moment,
}

/// A feature flag.
pub struct FlagRow {
    /// Its name.
    pub name: &'static str,
    /// What it does when it is on.
    pub effect: &'static str,
    /// The release that brought it.
    pub since: &'static str,
    /// Is it on?
    pub enabled: bool,
    /// Can't be switched.
    pub permanent: bool,
}

/// A top-level group that has its own say.
pub struct RetainingGroup {
    /// Its path.
    pub path: String,
    /// Are bots kept there?
    pub enabled: bool,
}

/// Is the longest lifetime to be lowered, although tokens are longer?
#[derive(Template)]
#[template(path = "admin/lower_lifetime.html", whitespace = "minimize")]
pub struct LowerLifetimePage {
    /// The frame.
    pub shell: Shell,
    /// `90 days`.
    pub days: String,
    /// How many tokens are longer.
    pub count: String,
    /// The first of them.
    pub tokens: Vec<OverlongToken>,
    /// How many more there are than are shown; empty for none.
    pub more: String,
    /// All that was typed: names and values.
    pub fields: Vec<(String, String)>,
}

/// A token that is longer.
pub struct OverlongToken {
    /// Its name.
    pub name: String,
    /// `Group`, `Project` or `Personal`.
    pub kind: &'static str,
    /// Its group, project or person.
    pub holder: String,
    /// `20 Nov 2026`, or `Never`.
    pub expires: String,
}
