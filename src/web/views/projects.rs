//! Projects: list, overview, new, and Settings, General.

use askama::Template;

use super::advanced::Advanced;
use super::code::{Content, Folder};
use super::components::{Choice, Day, Loaded, Pagination, Snippet};
use super::forms::FormErrors;
use super::shell::Shell;
use super::sidebar::initial;
use super::visibility::{Visibility, VisibilityOption};

/// A project in a list.
#[derive(Clone)]
pub struct ProjectRow {
    /// Its name.
    pub name: String,
    /// Its full path; also its address.
    pub full_path: String,
    /// Its description; empty if none.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The viewer's role in it.
    pub role: Option<String>,
}

impl ProjectRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// A list of projects.
#[derive(Template)]
#[template(path = "projects/index.html", whitespace = "minimize")]
pub struct ProjectListPage {
    /// The frame.
    pub shell: Shell,
    /// The heading: `Projects`, or a person's name on their own page.
    pub heading: String,
    /// The address of this list, for the search form.
    pub path: String,
    /// What is searched for.
    pub search: String,
    /// Orders on offer.
    pub sorts: Vec<Choice>,
    /// The projects of this page.
    pub rows: Vec<ProjectRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
    /// Whether the person may make a project somewhere.
    pub can_create: bool,
}

/// A project's overview.
#[derive(Template)]
#[template(path = "projects/show.html", whitespace = "minimize")]
pub struct ProjectPage {
    /// The frame.
    pub shell: Shell,
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its full path.
    pub full_path: String,
    /// Its description; empty if none.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The viewer's role in it.
    pub role: Option<String>,
    /// When it was made.
    pub created: Day,
    /// Its group or person: name and address, if the viewer can see it.
    pub namespace: Option<(String, String)>,
    /// Where to clone it from, if Git is served and the viewer may read the code.
    pub clone_url: Option<String>,
    /// How to call the API about it, and how to push, as lines to copy.
    pub snippets: Vec<Snippet>,
    /// Its files, if the viewer may read the code and there is some.
    pub code: Option<Loaded<Folder>>,
}

impl ProjectPage {
    /// What is told at length as long as there are no files.
    pub fn clone_card(&self) -> Option<&str> {
        self.clone_url.as_deref().filter(|_| self.code.is_none())
    }

    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// The form that makes a project.
#[derive(Template)]
#[template(path = "projects/new.html", whitespace = "minimize")]
pub struct NewProjectPage {
    /// The frame.
    pub shell: Shell,
    /// Groups (and the person) it can be in: number and full path.
    pub namespaces: Vec<Choice>,
    /// The address of the instance: `https://latchkey.example/`.
    pub url_prefix: String,
    /// What is in **Project name**.
    pub name: String,
    /// What is in **Project URL**.
    pub path: String,
    /// What is in **Project description**.
    pub description: String,
    /// Visibility levels.
    pub visibility: Vec<VisibilityOption>,
    /// Where "Cancel" leads.
    pub cancel_href: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Settings, General of a project.
#[derive(Template)]
#[template(path = "projects/edit.html", whitespace = "minimize")]
pub struct ProjectSettingsPage {
    /// The frame.
    pub shell: Shell,
    /// The project's number.
    pub id: i64,
    /// The project's full path.
    pub full_path: String,
    /// `Project 'api' was successfully updated.`
    pub saved: Option<String>,
    /// What leads to another address, another place and the end.
    pub advanced: Advanced,
    /// What is in **Project name**.
    pub name: String,
    /// What is in **Project description**.
    pub description: String,
    /// Visibility levels.
    pub visibility: Vec<VisibilityOption>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}
