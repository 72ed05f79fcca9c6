//! Jobs: what the server does by itself, at its times, on one node at a time.
//!
//! A job is a verb of some domain, called batch by batch: each batch is a transaction that renews the lease first, so
//! that a node that lost it changes nothing more. What a job has done, the database knows; whoever goes on after an
//! interruption begins where the rows say.

pub mod catalogue;
mod deliver;
pub mod health;
pub mod history;
pub mod lease;
mod look;

pub mod policy;
mod request;
pub mod run;
pub mod schedule;
pub mod scheduler;
pub mod store;
mod work;

pub use catalogue::Job;
pub use request::request;
