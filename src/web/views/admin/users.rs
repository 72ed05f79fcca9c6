//! People and bots: the list, a person's page, the form, and the pages that ask first.

use askama::Template;

use super::super::components::{Badge, Column, Day, Expiry, Moment, Pagination};
use super::super::forms::FormErrors;
use super::super::sessions::SessionRow;
use super::super::shell::Shell;
use super::super::sidebar::initial;

/// The list of users.
#[derive(Template)]
#[template(path = "admin/users/index.html", whitespace = "minimize")]
pub struct UsersPage {
    /// The frame.
    pub shell: Shell,
    /// The list's own address.
    pub path: &'static str,
    /// The tabs.
    pub tabs: Vec<TabLink>,
    /// The value of the tab that is shown.
    pub tab: &'static str,
    /// What that tab says.
    pub label: &'static str,
    /// What is searched for.
    pub search: String,
    /// The order, as the address has it.
    pub sort: String,
    /// The tab without a search.
    pub reset: String,
    /// How many there are in all.
    pub count: String,
    /// Heads; see [`person_columns`] and [`bot_columns`].
    pub columns: Vec<Column>,
    /// The users of this page.
    pub rows: UserRows,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

/// One of several lists that share a page.
pub struct TabLink {
    /// Its name.
    pub label: &'static str,
    /// Its address.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
}

/// What a tab lists.
pub enum UserRows {
    /// People.
    People(Vec<UserRow>),
    /// Bots of access tokens.
    Bots(Vec<BotRow>),
}

impl UserRows {
    /// Nothing to show?
    pub fn is_empty(&self) -> bool {
        match self {
            Self::People(rows) => rows.is_empty(),
            Self::Bots(rows) => rows.is_empty(),
        }
    }
}

/// The heads of a table of people. `sort` is the page's `sort` parameter, `href` makes the address for another value.
pub fn person_columns(sort: &str, href: impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Name", "name", sort, &href),
        Column::fixed("Roles"),
        Column::sortable("Created", "created_at", sort, &href),
        Column::sortable("Last sign-in", "last_sign_in_at", sort, &href),
        Column::fixed("Action"),
    ]
}

/// The heads of a table of bots.
pub fn bot_columns(sort: &str, href: impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Name", "name", sort, &href),
        Column::fixed("Belongs to"),
        Column::sortable("Created", "created_at", sort, &href),
        Column::fixed("Action"),
    ]
}

/// A person of the list.
pub struct UserRow {
    /// Full name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// The address.
    pub email: String,
    /// Their page; what can be done with them is below it.
    pub href: String,
    /// `Administrator`, `Blocked`, `External`, `It's you`.
    pub badges: Vec<Badge>,
    /// In how many groups and projects they have a role.
    pub roles: String,
    /// When they were made.
    pub created: Day,
    /// The last time they signed in.
    pub last_sign_in: Option<Moment>,
    /// Whether and how they can be locked out or let in.
    pub access: AccessSwitch,
}

impl UserRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// Whether a person can be locked out, or let in again.
pub enum AccessSwitch {
    /// They can be locked out.
    Block,
    /// They can be let in again.
    Unblock,
    /// They wait to be let in for the first time.
    Approve,
    /// They can't be locked out; says why.
    Kept(&'static str),
}

/// A bot of the list.
pub struct BotRow {
    /// The name of its token.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// `Blocked`, `External`.
    pub badges: Vec<Badge>,
    /// The full path and the address of its group or project.
    pub home: Option<(String, String)>,
    /// `Group`, `Project`
    pub kind: &'static str,
    /// When it was made.
    pub created: Day,
    /// The list of tokens with the one that it belongs to.
    pub token: Option<String>,
}

/// A person.
#[derive(Template)]
#[template(path = "admin/users/show.html", whitespace = "minimize")]
pub struct UserPage {
    /// The frame.
    pub shell: Shell,
    /// Their page; what can be done with them is below it.
    pub path: String,
    /// The number of the user.
    pub id: i64,
    /// Full name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// The address.
    pub email: String,
    /// `Active`, `Administrator`, `Blocked`, `External`, `It's you`.
    pub badges: Vec<Badge>,
    /// Whether and how they can be locked out or let in.
    pub access: AccessSwitch,
    /// Why they can't be deleted, if they can't.
    pub kept: Option<&'static str>,
    /// Why they take a seat, or don't.
    pub seat: &'static str,
    /// When they were made.
    pub created: Moment,
    /// When the address was confirmed.
    pub confirmed: Option<Moment>,
    /// The last time they signed in.
    pub last_sign_in: Option<Moment>,
    /// Top-level groups that nobody else owns.
    pub owned_alone: Vec<String>,
    /// Roles in groups and projects.
    pub roles: Vec<RoleRow>,
    /// How many there are in all.
    pub roles_count: String,
    /// Their foot.
    pub roles_pages: Option<Pagination>,
    /// Their own tokens.
    pub tokens: Vec<TokenRow>,
    /// How many there are in all.
    pub tokens_count: String,
    /// Their foot.
    pub tokens_pages: Option<Pagination>,
    /// Browsers that they are signed in with.
    pub sessions: Vec<SessionRow>,
    /// Whether there are more sessions than are shown.
    pub more_sessions: bool,
    /// What happened to them and what they did, the newest first.
    pub events: Vec<EventRow>,
    /// All events about them.
    pub events_about: String,
    /// All that they did.
    pub events_by: String,
}

impl UserPage {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// A role of a person.
pub struct RoleRow {
    /// `Group`, `Project`
    pub kind: &'static str,
    /// The full path of the group or project.
    pub full_path: String,
    /// Its member list.
    pub href: String,
    /// The role.
    pub role: String,
    /// When it ends.
    pub expires: Option<Expiry>,
    /// Whether it has ended.
    pub ended: bool,
    /// Since when they have it.
    pub since: Day,
}

/// A token of a person. Its value is nowhere.
pub struct TokenRow {
    /// What it is called.
    pub name: String,
    /// The last four characters of its value.
    pub hint: String,
    /// What it may open.
    pub scopes: String,
    /// `Active`, `Expired`, `Revoked`.
    pub state: Badge,
    /// When it ends.
    pub expires: Option<Expiry>,
    /// When it was last used.
    pub last_used: Option<Moment>,
}

/// A line of the audit trail.
pub struct EventRow {
    /// When it happened.
    pub at: Moment,
    /// `User blocked`
    pub event: String,
    /// Whose doing it was.
    pub actor: String,
    /// What it happened to.
    pub target: String,
    /// From where; empty if not known.
    pub ip: String,
}

/// The form for a person, new or not.
#[derive(Template)]
#[template(path = "admin/users/form.html", whitespace = "minimize")]
pub struct UserFormPage {
    /// The frame.
    pub shell: Shell,
    /// Where it goes.
    pub action: String,
    /// Where "Cancel" leads.
    pub back: String,
    /// Who it is about; `None` for a new person.
    pub of: Option<String>,
    /// What the person was like when the form was made; empty for a new one.
    pub seen: String,
    /// What is in **Name**.
    pub name: String,
    /// What is in **Username**.
    pub username: String,
    /// What is in **Email**.
    pub email: String,
    /// Whether **Administrator** is ticked.
    pub admin: bool,
    /// Why **Administrator** can't be changed, if it can't.
    pub admin_fixed: Option<&'static str>,
    /// Whether **External** is ticked.
    pub external: bool,
    /// What is wrong with it.
    pub errors: FormErrors,
}

impl UserFormPage {
    /// Whether the address is confirmed with that.
    pub fn email_hint(&self) -> &'static str {
        if self.of.is_some() {
            "A new one counts as confirmed, unless they signed up and never confirmed one: then a link goes there."
        } else {
            "Counts as confirmed."
        }
    }

    /// What an empty password means.
    pub fn password_hint(&self) -> &'static str {
        if self.of.is_some() {
            "Empty: it stays as it is. A new one signs them out everywhere."
        } else {
            "At least 8 characters. Without one they can't sign in until somebody sets it."
        }
    }
}

/// Asks before a person is blocked or deleted.
#[derive(Template)]
#[template(path = "admin/users/confirm.html", whitespace = "minimize")]
pub struct ConfirmPage {
    /// The frame.
    pub shell: Shell,
    /// Their page; the form goes below it.
    pub path: String,
    /// Full name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// What is asked.
    pub question: Question,
    /// What is wrong with the answer.
    pub errors: FormErrors,
}

/// What is asked about a person.
pub enum Question {
    /// Shall they be locked out?
    Block {
        /// Why they can't be, if they can't.
        kept: Option<&'static str>,
        /// Top-level groups that have no active Owner then.
        without_owner: Vec<String>,
    },
    /// Shall they be let in again?
    Unblock,
    /// Shall they be deleted?
    Delete {
        /// Why they can't be, if they can't.
        kept: Option<&'static str>,
        /// Top-level groups that nobody else owns for good: they stand in the way.
        owned_alone: Vec<String>,
        /// How many groups and projects they have a role in.
        roles: String,
        /// How many of their own tokens work.
        tokens: String,
        /// How many bots of tokens that they made go on.
        bots: String,
        /// The projects in their own namespace, which go with them.
        projects: Vec<String>,
    },
}
