//! The audit trail: who did what to which object. Written in the transaction of the change itself, and only ever added
//! to: the database itself refuses to take an event out or to change one.

mod area;
pub mod catalogue;
pub mod export;
mod filter;
pub mod list;
pub mod pages;
mod paths;
pub mod record;
pub mod scope;
pub mod store;
pub mod system;

pub use record::{Event, Target, record, record_all, record_refusal};
