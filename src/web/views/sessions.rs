//! Pages for people who are not signed in: sign-in, and the set-up of a new instance.

use askama::Template;

use super::forms::FormErrors;
use super::shell::Shell;

/// Sign in.
#[derive(Template)]
#[template(path = "sessions/new.html", whitespace = "minimize")]
pub struct SignInPage {
    /// The frame.
    pub shell: Shell,
    /// The name that was typed.
    pub login: String,
    /// Whether **Remember me** was checked.
    pub remember_me: bool,
    /// The path to go to afterwards; empty for the start page.
    pub redirect_to: String,
    /// What went wrong: `Invalid login or password.` or `Too many attempts. Try again in 9 minutes.`
    pub failure: Option<String>,
    /// Nobody administers this instance yet: the page says where the set-up link is.
    pub needs_setup: bool,
}

/// The one-time set-up: makes the first administrator.
#[derive(Template)]
#[template(path = "setup/new.html", whitespace = "minimize")]
pub struct SetupPage {
    /// The frame.
    pub shell: Shell,
    /// The secret of the set-up link, which the form sends back.
    pub token: String,
    /// What is in **Username**.
    pub username: String,
    /// What is in **Name**.
    pub name: String,
    /// What is in **Email**.
    pub email: String,
    /// What is wrong with the form.
    pub errors: FormErrors,
}
