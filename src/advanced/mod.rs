//! Settings, Advanced of groups and projects: another address, another place, the end; and what that means for others,
//! in numbers, before it happens.
//!
//! What happens is done by the verbs of groups and projects.

pub mod holders;
pub mod pages;
pub mod roles;
pub mod store;

use crate::db::Total;

/// What lies in a group, itself included, or belongs to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside {
    /// Groups below it.
    pub subgroups: Total,
    /// Projects in it and in those groups.
    pub projects: Total,
    /// Active access tokens of it and of what lies below it.
    pub tokens: Total,
    /// Roles that people have in it or in what lies below it, not from above.
    pub roles: Total,
    /// Webhooks of it and of the groups below it.
    pub webhooks: Total,
}
