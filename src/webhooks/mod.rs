//! Webhooks: a group tells programs elsewhere what happens in it, one signed HTTP request for each event.
//!
//! Events are put into a queue in the transaction of what they speak of ([`announce`]); [`deliver`] empties it.

pub mod address;
pub mod announce;
pub mod call;
pub mod census;
pub mod change;
pub mod create;
pub mod deliver;
mod fairness;
pub mod log;
pub mod network;
pub mod pages;
pub mod payload;
pub mod queue;
pub mod retry;
pub mod secret;
pub mod send;
pub mod store;
pub mod target;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::db::Timestamp;
use crate::db::schema::{webhook_deliveries, webhooks};
use secret::Salt;

/// A webhook of a group, as the database keeps it: without its signing key.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub struct Webhook {
    /// Unique in the instance.
    pub id: i64,
    /// The group whose events it is told of, and those of everything below.
    pub group_id: i64,
    /// What it is called; unique in its group.
    pub name: String,
    /// What it calls. The path may be a secret between the receiver and the Owners.
    pub url: String,
    /// Makes its signing key, together with the instance secret.
    #[diesel(deserialize_as = Vec<u8>)]
    pub salt: Salt,
    /// Is it called?
    #[diesel(deserialize_as = String)]
    pub state: State,
    /// Deliveries that failed for good since the last one that arrived.
    pub failures: i64,
    /// Since when it isn't.
    #[diesel(deserialize_as = Option<Timestamp>)]
    pub disabled_at: Since,
    /// Why it isn't, in a sentence.
    pub disabled_reason: Option<String>,
    /// Who made it, while they are here.
    pub created_by_id: Option<i64>,
    /// When it was made.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
}

/// A moment, if it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(pub Option<DateTime<Utc>>);

impl From<Option<Timestamp>> for Since {
    fn from(at: Option<Timestamp>) -> Self {
        Since(at.map(DateTime::from))
    }
}

/// Is a webhook called?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Enabled,
    /// Its receiver was away too long, or said that it is gone.
    Disabled,
}

/// From the database, which knows no third.
impl From<String> for State {
    fn from(name: String) -> Self {
        if name == "disabled" {
            State::Disabled
        } else {
            State::Enabled
        }
    }
}

/// What there is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A token ends in seven days.
    ExpiringAccessToken,
    /// Somebody wants to see whether it works.
    Test,
}

impl EventKind {
    /// As the database has it.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::ExpiringAccessToken => "expiring_access_token",
            EventKind::Test => "test",
        }
    }
}

/// From the database, which knows no third.
impl From<String> for EventKind {
    fn from(name: String) -> Self {
        if name == "test" {
            EventKind::Test
        } else {
            EventKind::ExpiringAccessToken
        }
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be tried, or to be tried again.
    Waiting,
    /// On its way.
    Sending,
    /// The receiver has it.
    Delivered,
    /// It has not, and is not asked any more.
    Failed,
}

impl DeliveryState {
    /// As the database has it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Sending => "sending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }
}

/// From the database, which knows no fifth.
impl From<String> for DeliveryState {
    fn from(name: String) -> Self {
        match name.as_str() {
            "sending" => DeliveryState::Sending,
            "delivered" => DeliveryState::Delivered,
            "failed" => DeliveryState::Failed,
            _ => DeliveryState::Waiting,
        }
    }
}

/// One message to one webhook, and what came of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_deliveries)]
pub struct Delivery {
    /// Unique in the instance.
    pub id: i64,
    /// To which webhook.
    pub webhook_id: i64,
    /// What it tells.
    #[diesel(deserialize_as = String)]
    pub event: EventKind,
    /// The same for all webhooks that are told of one event.
    pub event_uuid: String,
    /// The same however often this webhook is told of one event.
    pub message_id: String,
    /// JSON, as it is signed and sent.
    pub body: String,
    /// How far it is.
    #[diesel(deserialize_as = String)]
    pub state: DeliveryState,
    /// Attempts that were begun.
    pub attempts: i64,
    /// When to try next.
    #[diesel(deserialize_as = Timestamp)]
    pub due_at: DateTime<Utc>,
    /// The last attempt.
    #[diesel(deserialize_as = Option<Timestamp>)]
    pub attempted_at: Since,
    /// What the receiver answered to the last attempt, if it did.
    pub response_status: Option<i64>,
    /// The beginning of its answer.
    pub response_body: Option<String>,
    /// How long the last attempt took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Why the last attempt was none, in a sentence.
    pub error: Option<String>,
    /// The one that somebody had sent again.
    pub redelivery_of: Option<i64>,
    /// When it was put into the queue.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    #[diesel(deserialize_as = Option<Timestamp>)]
    pub settled_at: Since,
}
