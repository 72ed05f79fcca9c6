//! What people are told about tokens: that one ends soon, that a value came back, that one of their own was made.

pub mod account;
pub mod alarm;
pub mod check;
pub mod compose;
pub mod desk;
mod expiring;
pub mod gather;
pub mod interval;
pub(crate) mod letter;
pub mod personal;
pub mod recipients;
pub mod unused;
