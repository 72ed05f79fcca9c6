//! The page of one access token: what it is, how it is used, how far it reaches, where it comes from.

use askama::Template;

use super::access_tokens::TokenKind;
use super::components::{Badge, Day, Expiry, Moment};
use super::forms::FormErrors;
use super::shell::Shell;

/// An old value that still works.
pub struct WorkingValue {
    /// The number of the token that was rotated away.
    pub id: i64,
    /// The last characters of the value; empty if unknown.
    pub hint: String,
    /// Until when, as `14:05 UTC`.
    pub until: String,
}

/// All about one token.
#[derive(Template)]
#[template(path = "access_tokens/show.html", whitespace = "minimize")]
pub struct TokenDetailPage {
    /// The frame.
    pub shell: Shell,
    /// Whose token.
    pub kind: TokenKind,
    /// The list of tokens; the addresses of actions follow from it.
    pub path: String,
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its description; empty if none.
    pub description: String,
    /// The last characters of its value; empty if unknown.
    pub hint: String,
    /// What it is good for now.
    pub state: Badge,
    /// When it ends or ended; `None` for never.
    pub expires: Option<Expiry>,
    /// Whether that day has come.
    pub is_over: bool,
    /// When it was revoked, or its old value ended.
    pub revoked_at: Option<Moment>,
    /// For an old value: until when it works, as `14:05 UTC`.
    pub works_until: Option<String>,
    /// The values before the last rotation that still work, the newest first.
    pub old_values: Vec<WorkingValue>,
    /// Its role; `None` if its bot is no longer a member, and for people.
    pub role: Option<String>,
    /// Its scopes.
    pub scopes: Vec<&'static str>,
    /// When it was made.
    pub created: Moment,
    /// Who had it made: user name and name.
    pub maker: Option<(String, String)>,
    /// The user name of its bot; `None` for people's tokens.
    pub bot: Option<String>,
    /// How it is used.
    pub usage: Usage,
    /// How far it reaches.
    pub reach: ReachCard,
    /// Those that were rotated into one another, the newest first; one if it never was.
    pub family: Vec<Kin>,
    /// What was done with it, newest first.
    pub events: Vec<TokenEvent>,
    /// All its events, for those who may see them.
    pub events_href: Option<String>,
    /// Whether this person may rotate it now.
    pub can_rotate: bool,
    /// Whether this person may revoke it, or end its old value, now.
    pub can_revoke: bool,
    /// The form for name and description, for those who may edit it now.
    pub edit: Option<EditForm>,
    /// A form filled in like this token, for those who may make one.
    pub replacement_href: Option<String>,
}

/// How a token is used.
pub struct Usage {
    /// The last time.
    pub last_used: Option<Moment>,
    /// That nobody uses it, as `Unused for 90 days`.
    pub idle: Option<String>,
    /// From where, newest first.
    pub ips: Vec<String>,
    /// All requests of the last thirty days, as `1,204`.
    pub requests: String,
    /// Each of the last thirty days, the oldest first.
    pub days: Vec<UseDay>,
    /// The most requests of a day, as `120`.
    pub most: String,
}

impl Usage {
    /// The days that had requests, the newest first.
    pub fn busy_days(&self) -> impl Iterator<Item = &UseDay> {
        self.days.iter().rev().filter(|day| day.height > 0)
    }
}

/// A day in the drawing of requests.
pub struct UseDay {
    /// The day.
    pub day: Day,
    /// Its requests, as `1,204`.
    pub requests: String,
    /// How far its bar stands from the left.
    pub x: u32,
    /// How high its bar is, up to [`BAR`].
    pub height: u32,
}

/// The height of the drawing.
pub const BAR: u32 = 48;

impl UseDay {
    /// Where its bar begins, from above.
    pub fn y(&self) -> u32 {
        BAR.saturating_sub(self.height)
    }
}

/// How far a token reaches.
pub struct ReachCard {
    /// In words: `acme/platform, 3 subgroups and 4 projects below`.
    pub sentence: String,
    /// What lies there, of a group.
    pub href: Option<String>,
    /// Where requests can be checked for this token.
    pub check_href: Option<String>,
}

/// A token of the same family.
pub struct Kin {
    /// Its number.
    pub id: i64,
    /// What it is good for now.
    pub state: Badge,
    /// When it was made.
    pub created: Moment,
    /// Whether it is the token of this page.
    pub current: bool,
}

/// Something that was done with a token.
pub struct TokenEvent {
    /// When.
    pub at: Moment,
    /// What, as `Group access token rotated`.
    pub title: String,
    /// Who.
    pub actor: String,
    /// By which door and from where: `Browser · 10.1.4.7`.
    pub whence: String,
}

/// The form for name and description.
pub struct EditForm {
    /// Whether it is shown at once.
    pub open: bool,
    /// What is in **Token name**.
    pub name: String,
    /// What is in **Token description**.
    pub description: String,
    /// What is wrong with it.
    pub errors: FormErrors,
}
