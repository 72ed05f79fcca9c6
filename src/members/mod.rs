//! Members: who has which role where. A role on a group holds for everything below it.

pub mod access_level;
pub mod add;
pub mod api;
pub mod change;
pub mod expire;
pub mod list;
pub mod pages;
#[cfg(test)]
pub(crate) mod samples;
pub mod store;

pub use access_level::AccessLevel;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::schema::memberships;

/// One user's role on one group or project.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub struct Membership {
    /// Its id.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// On this group,
    pub group_id: Option<i64>,
    /// or on this project.
    pub project_id: Option<i64>,
    /// The role.
    #[diesel(deserialize_as = i32)]
    pub access_level: AccessLevel,
    /// The first day on which it no longer counts.
    pub expires_at: Option<NaiveDate>,
}

impl Membership {
    /// Does it count on this day?
    pub fn is_living(&self, today: NaiveDate) -> bool {
        self.expires_at.is_none_or(|date| date > today)
    }
}

/// What a membership gives, without whose it is and where.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub struct Role {
    /// The role.
    #[diesel(deserialize_as = i32)]
    pub access_level: AccessLevel,
    /// The first day on which it no longer counts.
    pub expires_at: Option<NaiveDate>,
}

impl From<&Membership> for Role {
    fn from(membership: &Membership) -> Self {
        Role {
            access_level: membership.access_level,
            expires_at: membership.expires_at,
        }
    }
}

/// The living memberships of one user.
#[derive(Debug, Clone, Default)]
pub struct Memberships(Vec<Membership>);

impl Memberships {
    /// Those that count on this day.
    pub fn living(mut all: Vec<Membership>, today: NaiveDate) -> Self {
        all.retain(|membership| membership.is_living(today));
        Memberships(all)
    }

    /// The highest role on a group: its own and those on all its ancestors, which `traversal` names.
    pub fn on_group(&self, traversal: &str) -> Option<AccessLevel> {
        self.0
            .iter()
            .filter(|membership| {
                membership
                    .group_id
                    .is_some_and(|id| ids_of(traversal).any(|above| above == id))
            })
            .map(|membership| membership.access_level)
            .max()
    }

    /// The highest role on a project: its own, or that on its group.
    pub fn on_project(&self, project_id: i64, traversal: &str) -> Option<AccessLevel> {
        self.0
            .iter()
            .filter(|membership| membership.project_id == Some(project_id))
            .map(|membership| membership.access_level)
            .max()
            .max(self.on_group(traversal))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter()
    }
}

/// The ids in a traversal such as `1/17/203/`, root first.
pub fn ids_of(traversal: &str) -> impl Iterator<Item = i64> {
    traversal.split('/').filter_map(|id| id.parse().ok())
}
