//! Account: profile, password, active sessions, preferences.

use askama::Template;

use super::components::{Day, Moment};
use super::forms::FormErrors;
use super::sessions::SessionRow;
use super::shell::{Shell, Theme};

/// Account, Profile.
#[derive(Template)]
#[template(path = "users/profile.html", whitespace = "minimize")]
pub struct ProfilePage {
    /// The frame.
    pub shell: Shell,
    /// Where the form posts to.
    pub path: &'static str,
    /// What is in **Name**.
    pub name: String,
    /// Without `@`.
    pub username: String,
    /// Where mails go.
    pub email: String,
    /// Has it been shown that the address is theirs?
    pub confirmed: bool,
    /// An administrator?
    pub admin: bool,
    /// Outside the company?
    pub external: bool,
    /// When the account was made.
    pub created: Day,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Account, Password.
#[derive(Template)]
#[template(path = "users/password.html", whitespace = "minimize")]
pub struct PasswordPage {
    /// The frame.
    pub shell: Shell,
    /// Where the form posts to.
    pub path: &'static str,
    /// Whose password it is, for managers of passwords.
    pub username: String,
    /// Is there a password to change?
    pub has_password: bool,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// A browser that one is signed in with.
pub struct OwnSession {
    /// Is it the one that shows the page?
    pub is_this: bool,
    /// What is known of it.
    pub row: SessionRow,
}

/// Account, Active sessions.
#[derive(Template)]
#[template(path = "users/active_sessions.html", whitespace = "minimize")]
pub struct SessionsPage {
    /// The frame.
    pub shell: Shell,
    /// Where the page is.
    pub path: &'static str,
    /// This one first, then by last use.
    pub sessions: Vec<OwnSession>,
    /// Are there more than are shown?
    pub more: bool,
}

impl SessionsPage {
    /// Is there a session besides this one?
    pub fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }
}

/// Account, Preferences.
#[derive(Template)]
#[template(path = "users/preferences.html", whitespace = "minimize")]
pub struct PreferencesPage {
    /// The frame.
    pub shell: Shell,
    /// Where the form posts to.
    pub path: &'static str,
    /// What this browser remembers.
    pub theme: Theme,
    /// A moment three days ago, to show both ways.
    pub example: Moment,
}
