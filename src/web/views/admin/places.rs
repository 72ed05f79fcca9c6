//! All groups and all projects of the instance.

use askama::Template;

use super::super::components::{Choice, Column, Day, Moment, Pagination};
use super::super::shell::Shell;
use super::super::sidebar::initial;
use super::super::visibility::Visibility;

/// All groups.
#[derive(Template)]
#[template(path = "admin/groups.html", whitespace = "minimize")]
pub struct GroupsPage {
    /// The frame.
    pub shell: Shell,
    /// The list's own address.
    pub path: &'static str,
    /// What is searched for.
    pub search: String,
    /// Visibilities, with "Any" first.
    pub visibilities: Vec<Choice>,
    /// Any, or those without an Owner.
    pub owners: Vec<Choice>,
    /// The order, as the address has it.
    pub sort: String,
    /// Whether the filter narrows the list.
    pub narrows: bool,
    /// How many there are in all.
    pub count: String,
    /// Heads; see [`group_columns`].
    pub columns: Vec<Column>,
    /// The groups of this page.
    pub rows: Vec<GroupRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

/// The heads of the table of groups. `sort` is the page's `sort` parameter, `href` makes the address for another value.
pub fn group_columns(sort: &str, href: impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Group", "name", sort, &href),
        Column::fixed("Owners"),
        Column::fixed("Members"),
        Column::fixed("Projects"),
        Column::fixed("Active tokens"),
        Column::sortable("Created", "created_at", sort, &href),
    ]
}

/// A group.
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// Its full path.
    pub full_path: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Who owns it.
    pub owner: OwnerCell,
    /// How many people have a role of their own in it.
    pub members: String,
    /// How many projects lie directly in it.
    pub projects: String,
    /// How many of its own tokens work.
    pub tokens: String,
    /// When it was made.
    pub created: Day,
}

impl GroupRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// Who owns a group.
pub enum OwnerCell {
    /// Active people, with a role of their own.
    Somebody {
        /// The name of the first.
        name: String,
        /// The first one's page.
        href: String,
        /// How many others.
        others: i64,
    },
    /// Those of the groups above.
    Inherited,
    /// Nobody who could act.
    Nobody,
}

/// All projects.
#[derive(Template)]
#[template(path = "admin/projects.html", whitespace = "minimize")]
pub struct ProjectsPage {
    /// The frame.
    pub shell: Shell,
    /// The list's own address.
    pub path: &'static str,
    /// What is searched for.
    pub search: String,
    /// Visibilities, with "Any" first.
    pub visibilities: Vec<Choice>,
    /// Any, not archived, archived.
    pub archived: Vec<Choice>,
    /// The order, as the address has it.
    pub sort: String,
    /// Whether the filter narrows the list.
    pub narrows: bool,
    /// How many there are in all.
    pub count: String,
    /// Heads; see [`project_columns`].
    pub columns: Vec<Column>,
    /// The projects of this page.
    pub rows: Vec<ProjectRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

/// The heads of the table of projects, as [`group_columns`].
pub fn project_columns(sort: &str, href: impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Project", "name", sort, &href),
        Column::fixed("Group"),
        Column::fixed("Active tokens"),
        Column::sortable("Last activity", "last_activity_at", sort, &href),
        Column::sortable("Created", "created_at", sort, &href),
        Column::fixed("Action"),
    ]
}

/// A project.
pub struct ProjectRow {
    /// Its name.
    pub name: String,
    /// Its full path.
    pub full_path: String,
    /// The full path of the group, or of the namespace of a person.
    pub namespace: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether it is set aside.
    pub archived: bool,
    /// How many of its own tokens work.
    pub tokens: String,
    /// The last time something happened in it.
    pub active: Moment,
    /// When it was made.
    pub created: Day,
}

impl ProjectRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}
