//! Backup and restore: a copy of the database while it is in use, and the way back.
//!
//! A copy holds the database and not the instance secret, which has to be kept apart from it. Bringing an old copy
//! back undoes whatever was taken away since; [`undone`] finds out what that is, before it happens.

mod draft;
mod programs;
pub mod restore;
mod store;
pub mod take;
pub mod undone;

pub use draft::beside;
pub use programs::{missing as missing_program, version as program_version};
pub(crate) use store::{fingerprint as known_fingerprint, is_finished};
