//! Groups: a tree of names. A person's own namespace is kept in the same table, but is no group to anyone.

pub mod api;
pub mod create;
pub mod delete;
pub mod form;
pub mod frame;
pub mod list;
pub mod notify_inherited;
pub mod pages;
pub mod path;
pub mod plan;
pub mod relocation;
pub mod rename;
pub mod rows;
pub mod store;
pub mod subscribe;
pub mod transfer;
pub mod tree;
pub mod turn;
pub mod update;
pub mod visibility;

pub use visibility::Visibility;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use self::plan::{Plan, Tier};
use crate::db::{Timestamp, schema::groups};
use crate::permissions::Place;

/// A group, or a personal namespace (then `owner_id` is set).
#[derive(Debug, Clone)]
pub struct Group {
    /// Its id.
    pub id: i64,
    /// As shown.
    pub name: String,
    /// The last segment of its full path.
    pub path: String,
    /// What it is for.
    pub description: String,
    /// `acme/platform`.
    pub full_path: String,
    /// `Acme / Platform`.
    pub full_name: String,
    /// Ids from the root to this group, `1/17/`.
    pub traversal: String,
    /// The top-level group above it; itself, if it is one.
    pub root_id: i64,
    /// The group it is in.
    pub parent_id: Option<i64>,
    /// The person whose namespace it is.
    pub owner_id: Option<i64>,
    /// Who may see it without being a member.
    pub visibility: Visibility,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The root's switch: may tokens be made here?
    pub creation_allowed: bool,
    /// The root's choice whether bots are kept after a revocation; nothing: as the instance says.
    pub retain_bots: Option<bool>,
    /// What the root group has.
    pub plan: Plan,
    /// What it says itself about mails to inherited members.
    pub notify_inherited: notify_inherited::Choice,
}

/// The columns of a group itself.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = groups)]
pub struct GroupRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) description: String,
    pub(crate) full_path: String,
    pub(crate) full_name: String,
    pub(crate) traversal: String,
    pub(crate) root_id: i64,
    pub(crate) parent_id: Option<i64>,
    pub(crate) owner_id: Option<i64>,
    #[diesel(deserialize_as = String)]
    pub(crate) visibility: Visibility,
    #[diesel(deserialize_as = Timestamp)]
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) resource_access_token_notify_inherited: Option<bool>,
    pub(crate) lock_resource_access_token_notify_inherited: bool,
}

impl GroupRow {
    /// What it says itself about mails to inherited members.
    pub fn notify_inherited(&self) -> notify_inherited::Choice {
        notify_inherited::Choice {
            value: self.resource_access_token_notify_inherited,
            locked: self.lock_resource_access_token_notify_inherited,
        }
    }

    /// Where it lies, for deciding who may know of it.
    pub fn place(&self) -> Place<'_> {
        Place {
            group_id: self.id,
            project_id: None,
            visibility: self.visibility,
            traversal: &self.traversal,
            owner_id: self.owner_id,
            // Only the root knows; nobody who looks at a row makes tokens.
            creation_allowed: false,
            plan: Plan::default(),
            is_top_level: self.parent_id.is_none(),
        }
    }
}

/// What a root's row says for all that lies below it: may tokens be made, are bots kept, tier, trial.
pub(crate) type RootRow = (bool, Option<bool>, String, bool);

/// A group's row with what its root says.
impl From<(GroupRow, RootRow)> for Group {
    fn from((row, (creation_allowed, retain_bots, tier, trial)): (GroupRow, RootRow)) -> Self {
        Group {
            notify_inherited: row.notify_inherited(),
            id: row.id,
            name: row.name,
            path: row.path,
            description: row.description,
            full_path: row.full_path,
            full_name: row.full_name,
            traversal: row.traversal,
            root_id: row.root_id,
            parent_id: row.parent_id,
            owner_id: row.owner_id,
            visibility: row.visibility,
            created_at: row.created_at,
            creation_allowed: creation_allowed || row.owner_id.is_some(),
            retain_bots,
            plan: Plan {
                tier: Tier::parse(&tier).unwrap_or_default(),
                trial,
            },
        }
    }
}

impl Group {
    /// The path of the top-level group above it, or its own.
    pub fn root_path(&self) -> &str {
        self.full_path.split('/').next().unwrap_or_default()
    }

    /// Where it lies, for decisions.
    pub fn place(&self) -> Place<'_> {
        Place {
            group_id: self.id,
            project_id: None,
            visibility: self.visibility,
            traversal: &self.traversal,
            owner_id: self.owner_id,
            creation_allowed: self.creation_allowed,
            plan: self.plan,
            is_top_level: self.parent_id.is_none(),
        }
    }

    /// Is it a person's own namespace?
    pub fn is_personal(&self) -> bool {
        self.owner_id.is_some()
    }

    /// How many groups lie above it.
    pub fn depth(&self) -> usize {
        crate::members::ids_of(&self.traversal)
            .count()
            .saturating_sub(1)
    }
}
