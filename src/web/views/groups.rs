//! Groups: lists, overview, new, and Settings, General.

use askama::Template;

use super::advanced::Advanced;
use super::components::{Choice, Pagination};
use super::forms::FormErrors;
use super::projects::ProjectRow;
use super::shell::Shell;
use super::sidebar::initial;
use super::visibility::{Visibility, VisibilityOption};

/// A group in a list.
#[derive(Clone)]
pub struct GroupRow {
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
    /// How many subgroups the viewer can see in it.
    pub subgroups: u64,
    /// How many projects the viewer can see in it.
    pub projects: u64,
    /// Its subgroups, one level deep; deeper ones by link.
    pub children: Vec<GroupRow>,
}

impl GroupRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// A list of groups: one's own, or all that can be seen.
#[derive(Template)]
#[template(path = "groups/index.html", whitespace = "minimize")]
pub struct GroupListPage {
    /// The frame.
    pub shell: Shell,
    /// Whether it lists all that can be seen, not one's own.
    pub explore: bool,
    /// The address of this list, for the search form.
    pub path: &'static str,
    /// What is searched for.
    pub search: String,
    /// Orders on offer.
    pub sorts: Vec<Choice>,
    /// The groups of this page.
    pub rows: Vec<GroupRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
    /// Whether the person may make a top-level group.
    pub can_create: bool,
}

/// A group's overview: its subgroups and projects.
#[derive(Template)]
#[template(path = "groups/show.html", whitespace = "minimize")]
pub struct GroupPage {
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
    /// Whether the viewer may make a subgroup.
    pub can_create_subgroup: bool,
    /// Whether the viewer may make a project.
    pub can_create_project: bool,
    /// Subgroups that the viewer can see.
    pub subgroups: Vec<GroupRow>,
    /// The foot of the subgroups.
    pub subgroup_pages: Option<Pagination>,
    /// Projects directly in it that the viewer can see.
    pub projects: Vec<ProjectRow>,
    /// The foot of the projects.
    pub project_pages: Option<Pagination>,
}

impl GroupPage {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// The form that makes a group or subgroup.
#[derive(Template)]
#[template(path = "groups/new.html", whitespace = "minimize")]
pub struct NewGroupPage {
    /// The frame.
    pub shell: Shell,
    /// The group it will be in: number and full path.
    pub parent: Option<(i64, String)>,
    /// What stands before the path: `https://latchkey.example/acme/`.
    pub url_prefix: String,
    /// What is in **Group name**.
    pub name: String,
    /// What is in **Group URL**.
    pub path: String,
    /// What is in **Group description**.
    pub description: String,
    /// Visibility levels.
    pub visibility: Vec<VisibilityOption>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Settings, General of a group.
#[derive(Template)]
#[template(path = "groups/settings/general.html", whitespace = "minimize")]
pub struct GroupSettingsPage {
    /// The frame.
    pub shell: Shell,
    /// The group's number.
    pub id: i64,
    /// The group's full path.
    pub full_path: String,
    /// Which section is open, and what happened to it.
    pub open: OpenSection,
    /// Under the head of the open section: `Group 'Platform' was successfully updated.`
    pub saved: Option<String>,
    /// What leads to another address, another place and the end.
    pub advanced: Advanced,
    /// What is in **Group name**.
    pub name: String,
    /// What is in **Group description**.
    pub description: String,
    /// Visibility levels.
    pub visibility: Vec<VisibilityOption>,
    /// Who decides about creating tokens.
    pub token_creation: TokenCreationSwitch,
    /// Who gets mails before tokens end; `None` leaves the question out.
    pub expiry_mails: Option<ExpiryMails>,
    /// What is wrong with the form of the open section.
    pub errors: FormErrors,
}

/// A section of the settings page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OpenSection {
    /// Naming, visibility.
    General,
    /// Permissions and group features.
    Permissions,
    /// Advanced.
    Advanced,
}

impl OpenSection {
    /// All of them, from top to bottom.
    pub const ALL: [Self; 3] = [Self::General, Self::Permissions, Self::Advanced];

    /// As addresses and forms have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Permissions => "permissions",
            Self::Advanced => "advanced",
        }
    }
}

impl GroupSettingsPage {
    /// Whether **Naming, visibility** is open.
    pub fn general_is_open(&self) -> bool {
        self.open == OpenSection::General
    }

    /// Whether **Permissions and group features** is open.
    pub fn permissions_is_open(&self) -> bool {
        self.open == OpenSection::Permissions
    }

    /// Whether there is anything to save under **Permissions and group features**.
    pub fn can_save_permissions(&self) -> bool {
        let creation = matches!(self.token_creation, TokenCreationSwitch::Here { .. });
        creation
            || self
                .expiry_mails
                .as_ref()
                .is_some_and(|mails| !mails.is_locked())
    }
}

/// Who decides whether tokens can be made in a group.
pub enum TokenCreationSwitch {
    /// Nobody: the plan of the top-level group doesn't include it.
    NotInPlan,
    /// This group, being a top-level one.
    Here {
        /// Whether it is on.
        allowed: bool,
    },
    /// The top-level group above.
    Inherited {
        /// Whether it is on.
        allowed: bool,
        /// The top-level group's name, if the viewer can see it.
        root: Option<String>,
        /// Its general settings, if the viewer may change them.
        settings_href: Option<String>,
    },
}

/// Who gets mails before tokens end.
pub struct ExpiryMails {
    /// Inherited members too, only direct ones, or as above.
    pub chosen: Option<bool>,
    /// What as above means: inherited members too?
    pub above: bool,
    /// Whether there is a group above; else as above is as the instance says.
    pub has_parent: bool,
    /// Whether subgroups must do the same.
    pub enforced: bool,
    /// Who leaves the group no say, if somebody does.
    pub settled: Option<Settled>,
}

/// Somebody above has settled something for everything below.
pub struct Settled {
    /// Who.
    pub by: SettledBy,
    /// Whether nothing can be chosen here; else it can, but doesn't count.
    pub locked: bool,
}

/// Who has settled it.
pub enum SettledBy {
    /// The group of this full path.
    Group(String),
    /// A group that the viewer can't see.
    Hidden,
    /// The instance.
    Instance,
}

impl ExpiryMails {
    /// Whether nothing can be chosen here.
    pub fn is_locked(&self) -> bool {
        self.settled.as_ref().is_some_and(|settled| settled.locked)
    }

    /// Whether this is what is chosen; where nothing can be, what holds.
    pub fn is_chosen(&self, value: Option<bool>) -> bool {
        if self.is_locked() {
            value == Some(self.above)
        } else {
            value == self.chosen
        }
    }
}
