//! Moving people, groups, projects and tokens from one instance to another, in a file. Values of tokens aren't in it,
//! only digests of them, so that everybody goes on with what they have.

pub mod check;
pub mod export;
pub mod format;
mod list;
mod places;
pub mod read;
pub mod report;
pub mod rules;
mod store;
pub mod write;

pub use check::check;
pub use export::{announce, export};
pub use report::{Counts, Report};
pub use write::import;
