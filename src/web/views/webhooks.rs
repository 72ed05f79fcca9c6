//! Webhooks of a group: the list, one webhook with its log, one delivery, and the page that asks before one is deleted
//! or gets another key.

use askama::Template;

use super::components::{Badge, Loaded, Moment, Pagination};
use super::forms::FormErrors;
use super::shell::Shell;

/// Settings, Webhooks.
#[derive(Template)]
#[template(path = "webhooks/index.html", whitespace = "minimize")]
pub struct WebhooksPage {
    /// The frame.
    pub shell: Shell,
    /// Where the list is and where the form posts to; a webhook's address is below it.
    pub path: String,
    /// The form that makes one; nothing if the group has as many as it can have.
    pub form: Option<WebhookForm>,
    /// The webhooks, in the order in which they were made.
    pub rows: Vec<WebhookRow>,
    /// `100`: as many as there can be.
    pub limit: i64,
}

/// Name and URL.
pub struct WebhookForm {
    /// Whether it is shown at once.
    pub open: bool,
    /// What is in **Name**.
    pub name: String,
    /// What is in **URL**.
    pub url: String,
    /// Whether the administrator lets webhooks call the local network.
    pub allows_local: bool,
    /// What is wrong with it.
    pub errors: FormErrors,
}

/// A webhook in the list.
pub struct WebhookRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Scheme, host and port of its URL.
    pub origin: String,
    /// Enabled or disabled.
    pub state: Badge,
    /// How the newest delivery stands, and when it was queued.
    pub last: Option<(Badge, Moment)>,
}

/// A signing key, this once.
pub struct OneTimeKey {
    /// The key in the clear.
    pub value: String,
    /// Whether it replaces an older one.
    pub reset: bool,
    /// The webhook's name.
    pub name: String,
}

/// One webhook.
#[derive(Template)]
#[template(path = "webhooks/show.html", whitespace = "minimize")]
pub struct WebhookPage {
    /// The frame.
    pub shell: Shell,
    /// Its own address.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Enabled or disabled.
    pub state: Badge,
    /// When it was made and by whom: `Created 2 days ago by Alice`.
    pub made: String,
    /// The key that was just made; only ever in the answer to the request that made it.
    pub key: Option<OneTimeKey>,
    /// Since when it isn't called, and why.
    pub disabled: Option<(Moment, String)>,
    /// Name and URL.
    pub form: WebhookForm,
    /// The log of deliveries.
    pub log: Loaded<DeliveryLog>,
}

/// One page of the log.
pub struct DeliveryLog {
    /// How many there are in all.
    pub count: String,
    /// The deliveries of this page, newest first.
    pub rows: Vec<DeliveryRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

/// A delivery in the log.
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// When it was queued.
    pub queued: Moment,
    /// What it tells.
    pub event: &'static str,
    /// Whether somebody had it sent again.
    pub redelivery: bool,
    /// How it stands.
    pub state: Badge,
    /// What went wrong, or when it is tried again; empty if there is nothing to say.
    pub note: String,
    /// `3 of 8`
    pub attempts: String,
    /// `120 ms`; empty before the first attempt.
    pub duration: String,
}

/// One delivery.
#[derive(Template)]
#[template(path = "webhooks/delivery.html", whitespace = "minimize")]
pub struct DeliveryPage {
    /// The frame.
    pub shell: Shell,
    /// The webhook's address.
    pub webhook_path: String,
    /// Its own address.
    pub path: String,
    /// How it stands in the log.
    pub row: DeliveryRow,
    /// When it was last tried.
    pub attempted: Option<Moment>,
    /// When it is tried again: `20 Nov 2026, 10:05:00 UTC`.
    pub next_attempt: Option<String>,
    /// The delivery that this one repeats.
    pub redelivery_of: Option<i64>,
    /// Whether it can be sent once more.
    pub can_redeliver: bool,
    /// The URL that is called.
    pub url: String,
    /// The headers as they are sent, but the signature.
    pub headers: String,
    /// The body, on several lines.
    pub body: String,
    /// What the receiver answered: status, and the beginning of the body.
    pub answer: Option<(i64, String)>,
    /// Why there is no answer.
    pub error: String,
}

/// What is to be confirmed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// To delete it.
    Delete,
    /// To give it another key.
    ResetKey,
}

/// Asks before a webhook is deleted, or gets another key.
#[derive(Template)]
#[template(path = "webhooks/confirm.html", whitespace = "minimize")]
pub struct ConfirmPage {
    /// The frame.
    pub shell: Shell,
    /// The webhook's address, where "Keep" leads.
    pub webhook_path: String,
    /// Where the form posts to.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What is asked.
    pub question: Question,
}
