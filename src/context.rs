//! Context: everything that a verb needs besides the database and its own input.

use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

use crate::access_tokens::rotate::Rotations;
use crate::access_tokens::secret::{DigestKey, derive_key};
use crate::actor::{self, Actor};
use crate::config::ExternalUrl;
use crate::db::DbConnection;
use crate::error::Error;
use crate::settings::Policy;
use crate::webhooks::secret::WebhookKey;

/// Who asks, when, and under which rules.
#[derive(Debug, Clone)]
pub struct Context {
    /// When the request began.
    pub now: DateTime<Utc>,
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The instance's settings and flags.
    pub policy: Arc<Policy>,
    /// What never changes while the program runs.
    pub instance: Arc<Instance>,
    /// The rotations that this node is doing.
    pub rotations: Arc<Rotations>,
}

/// What an instance is, besides its database.
#[derive(Debug)]
pub struct Instance {
    /// Makes digests of token values.
    pub token_key: DigestKey,
    /// Makes digests of everything else that is looked up but never shown again.
    pub lookup_key: DigestKey,
    /// Makes the signing keys of webhooks.
    pub webhook_key: WebhookKey,
    /// Host name of the external URL, for the addresses of bots.
    pub host: String,
    /// Scheme, host and port under which people reach us, without a slash at the end.
    pub external_url: String,
}

impl Context {
    /// The day, in UTC.
    pub fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// The same with the actor as the database has them now. Called inside of a transaction, after its
    /// lock: what was true when the request was let in may have changed since.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the actor may not act any more.
    pub fn refreshed(&self, conn: &mut DbConnection) -> Result<Self, Error> {
        let actor = actor::store::refresh(conn, &self.actor, self.today())?;
        Ok(Context {
            actor: Arc::new(actor),
            ..self.clone()
        })
    }

    /// An absolute URL below the external one; `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        self.instance.url(path)
    }
}

impl Instance {
    /// The instance that has this secret and is reached under this URL.
    pub fn new(secret: &[u8], external_url: &ExternalUrl) -> Self {
        Instance {
            token_key: DigestKey::derive(secret),
            lookup_key: DigestKey::derive(&derive_key(secret, "latchkey look-up key v1")),
            webhook_key: WebhookKey::derive(secret),
            host: external_url.host(),
            external_url: external_url.to_string(),
        }
    }

    /// An absolute URL below the external one; `path` starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.external_url)
    }
}
