//! The instance as its administrators see it.

pub mod background_jobs;
mod gate;
pub mod overview;
pub mod places;
pub mod settings;
pub mod store;
pub mod users;
