//! Permissions: the one place where it is decided who may do what. Deny by default.
//!
//! Pure: an actor, a right, a place in the tree, and the instance's rules go in, a decision comes out.
//! Pages, API and console ask here, and nowhere else.

mod decide;
mod right;

pub use decide::{is_open_to, makes_top_level_groups};
pub use right::Right;

use crate::groups::Visibility;
use crate::groups::plan::Plan;
use crate::settings::Policy;

/// Where something lies in the tree: all that a decision needs to know about a group or a project.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The group, or the group that the project is in.
    pub group_id: i64,
    /// The project, if it is one.
    pub project_id: Option<i64>,
    /// Who may see it without being a member.
    pub visibility: Visibility,
    /// Ids from the root group to the group.
    pub traversal: &'a str,
    /// Set for a personal namespace and what is in it: this person owns it.
    pub owner_id: Option<i64>,
    /// The root group's switch; always on in personal namespaces.
    pub creation_allowed: bool,
    /// The root group's plan.
    pub plan: Plan,
    /// A group without a parent.
    pub is_top_level: bool,
}

/// What keeps people from making and rotating tokens in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// The plan of the top-level group.
    Plan,
    /// Its switch.
    Switch,
}

impl Place<'_> {
    /// What keeps people from making and rotating tokens here; the plan is named before the switch.
    pub fn barrier(&self, policy: &Policy) -> Option<Barrier> {
        if !self.plan.allows_creation(policy.offering) {
            Some(Barrier::Plan)
        } else if !self.creation_allowed {
            Some(Barrier::Switch)
        } else {
            None
        }
    }
}
