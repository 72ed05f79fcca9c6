//! Account, Notifications: which mails a person wants.

use askama::Template;

use super::forms::FormErrors;
use super::shell::Shell;

/// Account, Notifications.
#[derive(Template)]
#[template(path = "users/notifications.html", whitespace = "minimize")]
pub struct NotificationsPage {
    /// The frame.
    pub shell: Shell,
    /// Where the form posts to.
    pub path: &'static str,
    /// Where mails go.
    pub email: String,
    /// Whether there is one mail a day, not one for each token.
    pub digest: bool,
    /// Whether unused tokens are told of once a week.
    pub unused_token_mails: bool,
    /// The address of their expiry calendar, which opens it to whoever has it; nothing if they never asked for one.
    pub calendar: Option<String>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}
