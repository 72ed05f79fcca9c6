//! All groups and all projects of the instance, whoever may see them. What is done to one is done on its
//! own pages, where administrators may everything.

mod asked;
mod groups;
mod projects;
pub mod store;

pub use groups::index as groups;
pub use projects::index as projects;
