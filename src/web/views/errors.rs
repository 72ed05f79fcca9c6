//! The page for everything that went wrong. It needs no session and no database.

use askama::Template;

use super::shell::{Assets, Shell};

/// What went wrong, in plain language, and what to do.
#[derive(Template)]
#[template(path = "errors/error.html", whitespace = "minimize")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// The status of the answer.
    pub status: u16,
    /// One sentence.
    pub heading: String,
    /// What to do about it.
    pub message: String,
    /// `Try again in 9 minutes.`; empty if it is not a matter of time.
    pub retry: String,
    /// A way on besides Home: label and address.
    pub action: Option<(String, String)>,
    /// What to name when asking about it.
    pub request_id: String,
}

impl ErrorPage {
    /// The page for a status, in words that fit it. Statuses without words of their own get those of their class.
    pub fn new(status: u16, request_id: impl Into<String>, assets: Assets) -> Self {
        let (heading, message) = words(status);
        Self {
            shell: Shell::bare(heading, assets),
            status,
            heading: heading.into(),
            message: message.into(),
            retry: String::new(),
            action: None,
            request_id: request_id.into(),
        }
    }

    /// The page for a form whose token is too old, or that came from elsewhere. `href` is where the form is.
    pub fn stale_form(
        href: impl Into<String>,
        request_id: impl Into<String>,
        assets: Assets,
    ) -> Self {
        let mut page = Self::new(403, request_id, assets);
        page.heading = "This form is too old. Nothing was changed.".into();
        page.shell.title = "This form is too old".into();
        page.message = "Your session ended or changed since the page was opened. Reload the form and send it again.".into();
        page.action = Some(("Reload the form".into(), href.into()));
        page
    }

    /// Whether the server is to blame, so that trying the same again makes sense.
    pub const fn is_ours(&self) -> bool {
        self.status >= 500
    }
}

const fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "The request could not be understood",
            "Something in the address or the form is not as it should be. Go back and try again.",
        ),
        401 => (
            "Sign in first",
            "This page is for people who are signed in.",
        ),
        403 => (
            "You can't do this",
            "Your account lacks the right to do this, or the request came from another site.",
        ),
        404 => (
            "Page not found",
            "The address is wrong, the page is gone, or you have no access to it. If you follow a link of a colleague, ask for access.",
        ),
        405 => (
            "This address does not take that",
            "The page exists, but not for this kind of request.",
        ),
        408 => (
            "The request took too long",
            "The connection was too slow or was interrupted. Nothing was changed. Try again.",
        ),
        413 => (
            "That is too much at once",
            "What was sent is larger than this page takes. Nothing was changed. Shorten it and send it again.",
        ),
        414 | 431 => (
            "The address is too long",
            "Shorten the address or the search text and try again.",
        ),
        422 => (
            "The form could not be taken",
            "Something in it is not as it should be. Nothing was changed. Go back, check it and send it again.",
        ),
        429 => (
            "Too many requests",
            "You sent more requests than this instance takes in a short time. Nothing is lost.",
        ),
        503 => (
            "Latchkey is not available right now",
            "The server is starting, overloaded or under maintenance. Nothing was changed.",
        ),
        500..=599 => (
            "Something went wrong on our side",
            "The request could not be completed, and the failure was noted. Try again in a moment; if it keeps happening, tell the administrator the request id.",
        ),
        _ => (
            "The request could not be completed",
            "Go back and try again.",
        ),
    }
}
