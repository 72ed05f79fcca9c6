//! Do inherited members get mails before tokens end, or only direct ones? Each group may say so, lock it for
//! everything below, or leave it to what is above.

pub mod change;
mod rule;
pub mod store;

pub use rule::{Choice, Decision, Source, decide, from_above};

/// The name of the value, as a setting, a field and an event have it.
pub const VALUE: &str = "resource_access_token_notify_inherited";

/// The name of the lock.
pub const LOCK: &str = "lock_resource_access_token_notify_inherited";
