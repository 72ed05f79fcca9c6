//! How mails look: the words of a notice, in text and in HTML.

use askama::Template;

use crate::context::Instance;
use crate::error::Error;
use crate::mail::Message;
use crate::mail::message::one_line;
use crate::users::User;

/// What every mail has, whatever it says: the fields of `mail/layout.html` and `mail/layout.txt`.
#[derive(Debug, Clone)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// What the person is called, on one line.
    pub name: String,
    /// Why they get it: `You receive this mail because …`.
    pub reason: String,
    /// Where this comes from, for people: the host.
    pub host: String,
    /// The same as a link.
    pub url: String,
}

impl Letter {
    /// To this person.
    pub fn to(
        person: &User,
        instance: &Instance,
        subject: impl AsRef<str>,
        reason: impl Into<String>,
    ) -> Self {
        Letter {
            subject: one_line(subject.as_ref()),
            name: one_line(&person.name),
            reason: reason.into(),
            host: instance.host.clone(),
            url: instance.external_url.clone(),
        }
    }

    /// Puts both bodies into the envelope.
    ///
    /// # Errors
    /// When a template can't be rendered, which is a bug.
    pub fn message(
        &self,
        person: &User,
        text: &impl Template,
        html: &impl Template,
    ) -> Result<Message, Error> {
        let rendered = |body: askama::Result<String>| body.map_err(|e| Error::internal(e.into()));
        Ok(Message {
            to_name: person.name.clone(),
            to_address: person.email.clone(),
            subject: self.subject.clone(),
            text: rendered(text.render())?,
            html: rendered(html.render())?,
        })
    }
}

/// A mail that tells one thing: a sentence, its facts, what to do, and where.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What happened.
    pub lead: String,
    /// Labels and values, each on one line.
    pub facts: Vec<(&'static str, String)>,
    /// What to do now, a paragraph each.
    pub advice: Vec<String>,
    /// Where: what it says and the absolute URL.
    pub link: (&'static str, String),
}

#[derive(Template)]
#[template(path = "mail/notice.html")]
struct NoticeHtml<'a> {
    letter: &'a Letter,
    notice: &'a Notice,
}

#[derive(Template)]
#[template(path = "mail/notice.txt")]
struct NoticeText<'a> {
    letter: &'a Letter,
    notice: &'a Notice,
}

impl Notice {
    /// As a mail to this person.
    ///
    /// # Errors
    /// As [`Letter::message`].
    pub fn message(&self, person: &User, letter: &Letter) -> Result<Message, Error> {
        let notice = self;
        letter.message(
            person,
            &NoticeText { letter, notice },
            &NoticeHtml { letter, notice },
        )
    }
}

/// A mail that lists tokens.
#[derive(Debug, Clone)]
pub struct TokenList {
    /// What they have in common.
    pub lead: String,
    /// The tokens, in order.
    pub lines: Vec<TokenLine>,
    /// What is said of those that are left out; empty if none are.
    pub left_out: String,
    /// What to do about them.
    pub advice: String,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct TokenLine {
    /// What it is called, on one line.
    pub name: String,
    /// `Group: acme/platform`.
    pub place: String,
    /// `expires 25 Nov 2026, 00:00 UTC`.
    pub fact: String,
    /// The absolute URL of the page where it is looked after.
    pub href: String,
}

#[derive(Template)]
#[template(path = "mail/tokens.html")]
struct TokensHtml<'a> {
    letter: &'a Letter,
    list: &'a TokenList,
}

#[derive(Template)]
#[template(path = "mail/tokens.txt")]
struct TokensText<'a> {
    letter: &'a Letter,
    list: &'a TokenList,
}

impl TokenList {
    /// As a mail to this person.
    ///
    /// # Errors
    /// As [`Letter::message`].
    pub fn message(&self, person: &User, letter: &Letter) -> Result<Message, Error> {
        let list = self;
        letter.message(
            person,
            &TokensText { letter, list },
            &TokensHtml { letter, list },
        )
    }
}
