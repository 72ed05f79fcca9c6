//! Pages for people who are not signed in: sign-in, and the set-up of a new instance.

use askama::Template;

use super::components::Moment;
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
    /// Whether people can make an account for themselves.
    pub may_sign_up: bool,
}

/// Making an account for oneself.
#[derive(Template)]
#[template(path = "users/sign_up.html", whitespace = "minimize")]
pub struct SignUpPage {
    /// The frame.
    pub shell: Shell,
    /// What is in **Username**.
    pub username: String,
    /// What is in **Name**.
    pub name: String,
    /// What is in **Email**.
    pub email: String,
    /// The domains from which people may sign up: `example.com, *.example.org`; empty for all.
    pub domains: String,
    /// Whether an administrator has to let them in.
    pub approval: bool,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Asking for a link that sets a new password.
#[derive(Template)]
#[template(path = "users/forgot_password.html", whitespace = "minimize")]
pub struct ForgotPasswordPage {
    /// The frame.
    pub shell: Shell,
}

/// Setting a new password with such a link.
#[derive(Template)]
#[template(path = "users/reset_password.html", whitespace = "minimize")]
pub struct ResetPasswordPage {
    /// The frame.
    pub shell: Shell,
    /// The secret of the link, which the form sends back.
    pub token: String,
    /// Whose password it is.
    pub username: String,
    /// Does it confirm the address, too?
    pub unconfirmed: bool,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// Confirming an address.
#[derive(Template)]
#[template(path = "users/confirm.html", whitespace = "minimize")]
pub struct ConfirmAddressPage {
    /// The frame.
    pub shell: Shell,
    /// Whose address it is.
    pub username: String,
    /// The secret of the link, which the form sends back.
    pub token: String,
    /// Is there a password to ask for?
    pub has_password: bool,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// One thing that was done, or can't be, and where to go from here.
#[derive(Template)]
#[template(path = "users/told.html", whitespace = "minimize")]
pub struct ToldPage {
    /// The frame.
    pub shell: Shell,
    /// The heading.
    pub title: &'static str,
    /// What happened.
    pub text: &'static str,
    /// What it says and where it leads.
    pub link: (&'static str, &'static str),
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

/// A browser that a person is signed in with.
pub struct SessionRow {
    /// What the form that ends it sends; it opens nothing.
    pub id: String,
    /// `Firefox on Linux`
    pub browser: String,
    /// The address at sign-in.
    pub ip: String,
    /// When it began.
    pub started: Moment,
    /// The last use.
    pub seen: Moment,
}
