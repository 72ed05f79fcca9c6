//! Who a session belongs to.
//!
//! The session library hands on strings only. What the same query read of the person travels beside it,
//! in a slot that belongs to the request's task, so that a page costs one query for all of it.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use crate::access_tokens::secret::{Digest, DigestKey};
use crate::error::Error;
use crate::members::Memberships;
use crate::settings::Policy;
use crate::users::User;

/// A signed-in person, as the request found them.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// Their living memberships.
    pub memberships: Memberships,
    /// The settings at that moment.
    pub policy: Arc<Policy>,
    /// The secret that the session's forms carry.
    pub csrf_secret: String,
    /// What the database knows the session by; it opens nothing.
    pub session: Digest,
}

/// Somebody who showed that a session may begin, and by which password: it has to be theirs still when it does.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// The person.
    pub user: User,
    /// A keyed digest of the password's hash.
    pub(super) password: String,
}

impl Admitted {
    /// A person, with the hash of the password that they have.
    pub fn new(key: &DigestKey, user: User, password_hash: &str) -> Self {
        Admitted {
            password: password_digest(key, password_hash),
            user,
        }
    }
}

/// Tells whether a password is the same still, and nothing about it.
pub(super) fn password_digest(key: &DigestKey, password_hash: &str) -> String {
    hex::encode(key.digest(&format!("password {password_hash}")).as_bytes())
}

/// What loading the session found.
#[derive(Debug, Default)]
pub(super) enum Loaded {
    /// Nobody.
    #[default]
    Nobody,
    /// A person.
    Person(Box<SignedIn>),
    /// We could not find out.
    Outage(String),
}

tokio::task_local! {
    static LOADED: RefCell<Loaded>;
}

/// Runs a request with an empty slot.
pub async fn in_slot<F: Future>(request: F) -> F::Output {
    LOADED.scope(RefCell::new(Loaded::Nobody), request).await
}

pub(super) fn put(loaded: Loaded) {
    // Outside of a request there is no slot, and nobody who would look into it.
    let _ = LOADED.try_with(|slot| slot.replace(loaded));
}

/// Did the database fail while the session was read or written?
pub fn had_outage() -> bool {
    LOADED
        .try_with(|slot| matches!(*slot.borrow(), Loaded::Outage(_)))
        .unwrap_or(false)
}

impl SignedIn {
    /// The person of this request's session.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the session could not be read: that isn't "signed out".
    pub fn of_this_request() -> Result<Option<SignedIn>, Error> {
        let loaded = LOADED.try_with(|slot| match &*slot.borrow() {
            Loaded::Nobody => Ok(None),
            Loaded::Person(person) => Ok(Some((**person).clone())),
            Loaded::Outage(reason) => Err(Error::unavailable(anyhow::anyhow!("{reason}"))),
        });
        loaded.unwrap_or(Ok(None))
    }
}
