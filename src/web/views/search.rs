//! Search or go to: groups and projects by name or path.

use askama::Template;

use super::components::Pagination;
use super::groups::GroupRow;
use super::projects::ProjectRow;
use super::shell::Shell;

/// What was found.
#[derive(Template)]
#[template(path = "search/show.html", whitespace = "minimize")]
pub struct SearchPage {
    /// The frame; its `search` is what was searched for.
    pub shell: Shell,
    /// Groups found that the viewer can see.
    pub groups: Vec<GroupRow>,
    /// Projects found that the viewer can see.
    pub projects: Vec<ProjectRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}
