//! Projects: what groups hold. They lie in a group or in a person's own namespace.

pub mod api;
pub mod create;
pub mod delete;
pub mod frame;
pub mod list;
pub mod pages;
pub mod relocation;
pub mod rows;
pub mod store;
pub mod transfer;
pub mod update;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::db::{Timestamp, schema::projects};
use crate::groups::{Group, Visibility};
use crate::permissions::Place;

/// The columns of a project itself.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = projects)]
pub struct ProjectRow {
    /// Its id.
    pub id: i64,
    /// The namespace it is in.
    pub group_id: i64,
    /// As shown.
    pub name: String,
    /// The last segment of its full path.
    pub path: String,
    /// What it is for.
    pub description: String,
    /// Who may see it without being a member.
    #[diesel(deserialize_as = String)]
    pub visibility: Visibility,
    /// Set aside, read only.
    pub archived: bool,
    /// The branch that a clone checks out.
    pub default_branch: String,
    /// Who made it.
    pub creator_id: Option<i64>,
    /// The last time something happened in it.
    #[diesel(deserialize_as = Timestamp)]
    pub last_activity_at: DateTime<Utc>,
    /// When it was made.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
}

/// A project and the namespace that it is in.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its own columns.
    pub row: ProjectRow,
    /// The group or personal namespace.
    pub namespace: Group,
}

impl std::ops::Deref for Project {
    type Target = ProjectRow;
    fn deref(&self) -> &ProjectRow {
        &self.row
    }
}

impl Project {
    /// `acme/platform/api`.
    pub fn full_path(&self) -> String {
        format!("{}/{}", self.namespace.full_path, self.row.path)
    }

    /// `Acme / Platform / Api`.
    pub fn full_name(&self) -> String {
        format!("{} / {}", self.namespace.full_name, self.row.name)
    }

    /// Where it lies, for decisions.
    pub fn place(&self) -> Place<'_> {
        Place {
            group_id: self.namespace.id,
            project_id: Some(self.row.id),
            visibility: self.row.visibility,
            traversal: &self.namespace.traversal,
            owner_id: self.namespace.owner_id,
            creation_allowed: self.namespace.creation_allowed,
            plan: self.namespace.plan,
            is_top_level: false,
        }
    }
}
