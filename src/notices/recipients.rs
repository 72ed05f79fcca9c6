//! Who is told about the tokens of a group or project.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::access_tokens::Resource;
use crate::db::DbConnection;
use crate::db::schema::{memberships, users};
use crate::error::Error;
use crate::members::{AccessLevel, ids_of};
use crate::users::{UserKind, UserState};

/// A person who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient {
    /// Their id.
    pub user_id: i64,
    /// Do they want one mail a day instead of one for each token?
    pub wants_digest: bool,
}

/// A group or project by its id, as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceId {
    /// A group.
    Group(i64),
    /// A project.
    Project(i64),
}

impl From<&Resource> for ResourceId {
    fn from(resource: &Resource) -> Self {
        match resource {
            Resource::Group(group) => ResourceId::Group(group.id),
            Resource::Project(project) => ResourceId::Project(project.id),
        }
    }
}

/// The role that it takes to be told.
fn needed(resource: &Resource) -> AccessLevel {
    match resource {
        Resource::Group(_) => AccessLevel::Owner,
        Resource::Project(_) => AccessLevel::Maintainer,
    }
}

/// Of each resource those who are told: active people with a confirmed address who are Owners of the group directly,
/// or Maintainers and Owners of the project; and, where the resource's group is among `inherited`, those who have
/// that role from a group above. Each person once; with `only`, this person or nobody. Three queries, however many
/// resources there are.
///
/// # Errors
/// When the database is away.
pub fn of_resources(
    conn: &mut DbConnection,
    today: NaiveDate,
    resources: &[&Resource],
    inherited: &HashSet<i64>,
    only: Option<i64>,
) -> Result<HashMap<ResourceId, Vec<Recipient>>, Error> {
    let mut group_ids: BTreeSet<i64> = BTreeSet::new();
    let mut project_ids: BTreeSet<i64> = BTreeSet::new();
    let mut owner_ids: BTreeSet<i64> = BTreeSet::new();
    for resource in resources {
        group_ids.extend(groups_that_count(resource, inherited));
        if let Resource::Project(project) = resource {
            project_ids.insert(project.id);
            let owner = project.namespace.owner_id;
            owner_ids.extend(owner.filter(|id| only.is_none_or(|only| only == *id)));
        }
    }
    let of_groups = Holders::of_groups(conn, today, group_ids, only)?;
    let of_projects = Holders::of_projects(conn, today, project_ids, only)?;
    let owners = people(conn, owner_ids)?;
    let mut found = HashMap::new();
    for resource in resources {
        let needed = needed(resource);
        let mut told: BTreeSet<Recipient> = BTreeSet::new();
        for group_id in groups_that_count(resource, inherited) {
            told.extend(of_groups.with(group_id, needed));
        }
        if let Resource::Project(project) = resource {
            told.extend(of_projects.with(project.id, needed));
            let owner = project.namespace.owner_id.and_then(|id| owners.get(&id));
            told.extend(owner);
        }
        found.insert(ResourceId::from(*resource), told.into_iter().collect());
    }
    Ok(found)
}

/// The groups whose members are told: for a group's tokens its own, and with inheritance all above.
fn groups_that_count(resource: &Resource, inherited: &HashSet<i64>) -> Vec<i64> {
    let group = resource.group();
    if inherited.contains(&group.id) {
        return ids_of(&group.traversal).collect();
    }
    match resource {
        Resource::Group(group) => vec![group.id],
        Resource::Project(_) => Vec::new(),
    }
}

/// The people who have at least Maintainer somewhere.
struct Holders(HashMap<i64, Vec<(AccessLevel, Recipient)>>);

type Row = (Option<i64>, i32, i64, String);

/// The rows of those who have at least Maintainer in one of these places, or of this one person alone.
macro_rules! holders {
    ($conn:expr, $place:expr, $ids:expr, $today:expr, $only:expr) => {{
        let ids: Vec<Option<i64>> = $ids.into_iter().map(Some).collect();
        let all = memberships::table
            .inner_join(users::table.on(users::id.eq(memberships::user_id)))
            .filter($place.eq_any(ids))
            .filter(memberships::access_level.ge(AccessLevel::Maintainer.number()))
            .filter(
                memberships::expires_at
                    .is_null()
                    .or(memberships::expires_at.gt($today)),
            )
            .filter(users::kind.eq(UserKind::Human.as_str()))
            .filter(users::state.eq(UserState::Active.as_str()))
            .filter(users::confirmed_at.is_not_null())
            .select((
                $place,
                memberships::access_level,
                users::id,
                users::expiry_mails,
            ));
        let rows: Vec<Row> = match $only {
            Some(id) => all.filter(users::id.eq(id)).load($conn)?,
            None => all.load($conn)?,
        };
        Holders::from_rows(rows)
    }};
}

impl Holders {
    fn of_groups(
        conn: &mut DbConnection,
        today: NaiveDate,
        ids: BTreeSet<i64>,
        only: Option<i64>,
    ) -> Result<Self, Error> {
        if ids.is_empty() {
            return Ok(Holders(HashMap::new()));
        }
        holders!(conn, memberships::group_id, ids, today, only)
    }

    fn of_projects(
        conn: &mut DbConnection,
        today: NaiveDate,
        ids: BTreeSet<i64>,
        only: Option<i64>,
    ) -> Result<Self, Error> {
        if ids.is_empty() {
            return Ok(Holders(HashMap::new()));
        }
        holders!(conn, memberships::project_id, ids, today, only)
    }

    fn from_rows(rows: Vec<Row>) -> Result<Self, Error> {
        let mut found: HashMap<i64, Vec<(AccessLevel, Recipient)>> = HashMap::new();
        for (place, level, user_id, choice) in rows {
            let Some(place) = place else { continue };
            let level =
                AccessLevel::try_from(level).map_err(|error| Error::internal(error.into()))?;
            let recipient = Recipient {
                user_id,
                wants_digest: choice == "digest",
            };
            found.entry(place).or_default().push((level, recipient));
        }
        Ok(Holders(found))
    }

    fn with(&self, place: i64, needed: AccessLevel) -> impl Iterator<Item = Recipient> {
        self.0
            .get(&place)
            .into_iter()
            .flatten()
            .filter(move |(level, _)| *level >= needed)
            .map(|(_, recipient)| *recipient)
    }
}

/// Those of these people who can be told anything: active, with a confirmed address.
///
/// # Errors
/// When the database is away.
pub fn people(
    conn: &mut DbConnection,
    ids: impl IntoIterator<Item = i64>,
) -> Result<BTreeMap<i64, Recipient>, Error> {
    let ids: Vec<i64> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, String)> = users::table
        .filter(users::id.eq_any(ids))
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::confirmed_at.is_not_null())
        .select((users::id, users::expiry_mails))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(user_id, choice)| {
            let wants_digest = choice == "digest";
            (
                user_id,
                Recipient {
                    user_id,
                    wants_digest,
                },
            )
        })
        .collect())
}
