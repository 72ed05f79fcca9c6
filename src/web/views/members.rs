//! Members of a group or project: the list, adding and changing, and the page that asks before one is removed.

use askama::Template;

use super::components::{Badge, Choice, Column, Day, Expiry, Pagination};
use super::forms::FormErrors;
use super::shell::Shell;
use super::sidebar::initial;

/// Members of a group or project.
#[derive(Template)]
#[template(path = "members/index.html", whitespace = "minimize")]
pub struct MembersPage {
    /// The frame.
    pub shell: Shell,
    /// `group` or `project`.
    pub noun: &'static str,
    /// Where the list is and where "Add member" posts to; a member's address is below it.
    pub path: String,
    /// A sentence above the list, as when an administrator who is no member looks at it.
    pub notice: Option<String>,
    /// What is searched for.
    pub search: String,
    /// Roles, with "Any" first.
    pub roles: Vec<Choice>,
    /// People and bots, people, bots.
    pub kinds: Vec<Choice>,
    /// Whether the filter narrows the list.
    pub narrows: bool,
    /// The form that adds a member, for those who may.
    pub add: Option<AddMember>,
    /// How many there are in all.
    pub count: String,
    /// Heads; see [`columns`].
    pub columns: Vec<Column>,
    /// The members of this page.
    pub rows: Vec<MemberRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

impl MembersPage {
    /// `Group members`.
    pub fn heading(&self) -> &'static str {
        if self.noun == "project" {
            "Project members"
        } else {
            "Group members"
        }
    }
}

/// The heads of the member table. `sort` is the page's `sort` parameter, `href` makes the address for another value.
/// Keys: `name`, `access_level`, `expires_at`, `created_at`.
pub fn columns(sort: &str, href: impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Account", "name", sort, &href),
        Column::fixed("Source"),
        Column::sortable("Role", "access_level", sort, &href),
        Column::sortable("Expires", "expires_at", sort, &href),
        Column::sortable("Joined", "created_at", sort, &href),
        Column::fixed("Action"),
    ]
}

/// The form that adds a member.
pub struct AddMember {
    /// Whether it is shown at once: asked for by `?new=1`, or sent with errors.
    pub open: bool,
    /// What is in **Username or email**.
    pub user: String,
    /// Roles that this person may give.
    pub roles: Vec<Choice>,
    /// What is in **Access expiration date**.
    pub expires_at: String,
    /// Tomorrow, `YYYY-MM-DD`.
    pub earliest: String,
    /// What is wrong with it.
    pub errors: FormErrors,
}

/// A member.
pub struct MemberRow {
    /// The number of the user.
    pub user_id: i64,
    /// Full name; a bot's is its token's name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// Whether it is the bot of a token.
    pub bot: bool,
    /// `It's you`, `Blocked`, `External`.
    pub badges: Vec<Badge>,
    /// Where the membership comes from.
    pub source: Source,
    /// The role.
    pub role: String,
    /// When the membership ends.
    pub expires: Option<Expiry>,
    /// When it began.
    pub joined: Option<Day>,
    /// The form that changes it; `None` if this person can't, or nobody can.
    pub edit: Option<EditMember>,
    /// What can be done besides.
    pub action: MemberAction,
}

impl MemberRow {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// Where a membership comes from.
pub enum Source {
    /// This group or project.
    Direct,
    /// A group above.
    Inherited {
        /// Its full path.
        full_path: String,
        /// Its member list, if the viewer can see it.
        href: Option<String>,
    },
}

/// The form that changes a membership.
pub struct EditMember {
    /// Roles that this person may give, the present one chosen.
    pub roles: Vec<Choice>,
    /// What is in **Access expiration date**.
    pub expires_at: String,
    /// Tomorrow, `YYYY-MM-DD`.
    pub earliest: String,
}

/// What can be done with a member besides changing it.
pub enum MemberAction {
    /// Nothing.
    None,
    /// Nothing, and why: `The last Owner can't be removed.`
    Blocked(String),
    /// Remove.
    Remove,
    /// Leave: the member is the viewer.
    Leave,
    /// Go to the token that this bot belongs to.
    ManageToken(String),
}

/// Asks before a member is removed.
#[derive(Template)]
#[template(path = "members/remove.html", whitespace = "minimize")]
pub struct RemoveMemberPage {
    /// The frame.
    pub shell: Shell,
    /// `group` or `project`.
    pub noun: &'static str,
    /// The name of the group or project.
    pub resource: String,
    /// The member list, where "Keep member" leads.
    pub path: String,
    /// The number of the user.
    pub user_id: i64,
    /// Full name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// The role that ends.
    pub role: String,
    /// Whether it is the viewer who leaves.
    pub leaving: bool,
}
