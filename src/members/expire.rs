//! The end of memberships whose date has come. They stopped counting that day; the job takes out the rows.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use serde_json::json;

use super::Membership;
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::schema::{groups, memberships, projects, users};
use crate::db::{DbConnection, lock_roots};
use crate::error::Error;
use crate::groups::{self as all_groups, Group};
use crate::projects::{self as all_projects, Project};
use crate::users::{Identity, User, ghost};

/// Memberships that one transaction looks at.
pub const BATCH: i64 = 200;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Memberships taken out.
    pub memberships: usize,
    /// Bots deleted, because a bot without its membership is nobody.
    pub bots: usize,
}

/// Takes out the next memberships whose expiry date has come. A bot goes with its own, and its tokens with it.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn remove_expired(conn: &mut DbConnection, ctx: &Context) -> Result<Expired, Error> {
    let today = ctx.today();
    macro_rules! due {
        () => {
            memberships::table
                .filter(memberships::expires_at.is_not_null())
                .filter(memberships::expires_at.assume_not_null().le(today))
        };
    }
    let seen: Vec<Membership> = due!()
        .order((memberships::expires_at.asc(), memberships::id.asc()))
        .limit(BATCH)
        .select(Membership::as_select())
        .load(conn)?;
    if seen.is_empty() {
        return Ok(Expired::default());
    }
    // Whoever rotates an expired token gives its bot a new end; the two take turns.
    let below = roots_of(conn, &seen)?;
    lock_roots(conn, &below)?;
    let ids: Vec<i64> = seen.iter().map(|membership| membership.id).collect();
    let rows: Vec<(Membership, User)> = due!()
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::id.eq_any(ids))
        .order(memberships::id.asc())
        .select((Membership::as_select(), User::as_select()))
        .load(conn)?;
    let homes = Homes::of(conn, &rows)?;
    for (membership, user) in &rows {
        let home = homes.of_membership(membership);
        if user.is_bot() {
            bots::delete::note(conn, ctx, &Identity::from(user), home.1, "membership ended")?;
        }
        record(conn, ctx, membership, user, home)?;
    }
    let bots: Vec<i64> = rows
        .iter()
        .filter(|(_, user)| user.is_bot())
        .map(|(_, user)| user.id)
        .collect();
    let gone: Vec<i64> = rows.iter().map(|(membership, _)| membership.id).collect();
    let removed =
        diesel::delete(memberships::table.filter(memberships::id.eq_any(gone))).execute(conn)?;
    ghost::replace(conn, &bots, ctx.now)?;
    Ok(Expired {
        memberships: removed,
        bots: bots.len(),
    })
}

fn roots_of(conn: &mut DbConnection, seen: &[Membership]) -> Result<Vec<i64>, Error> {
    let group_ids: Vec<i64> = seen.iter().filter_map(|one| one.group_id).collect();
    let project_ids: Vec<i64> = seen.iter().filter_map(|one| one.project_id).collect();
    let mut roots: BTreeSet<i64> = groups::table
        .filter(groups::id.eq_any(group_ids))
        .select(groups::root_id)
        .load(conn)?
        .into_iter()
        .collect();
    let of_projects: Vec<i64> = projects::table
        .inner_join(groups::table)
        .filter(projects::id.eq_any(project_ids))
        .select(groups::root_id)
        .load(conn)?;
    roots.extend(of_projects);
    Ok(roots.into_iter().collect())
}

fn record(
    conn: &mut DbConnection,
    ctx: &Context,
    membership: &Membership,
    user: &User,
    (source, group): (Option<String>, Option<&Group>),
) -> Result<(), Error> {
    let mut event = Event::new("member_expired", Target::User(user)).with(json!({
        "source": source,
        "access_level": membership.access_level.number(),
        "expires_at": membership.expires_at,
    }));
    if let Some(group) = group {
        event = event.in_group(group);
    }
    audit::record(conn, ctx, event)
}

/// The groups and projects of some memberships; two queries, however many they are.
struct Homes {
    groups: HashMap<i64, Group>,
    projects: HashMap<i64, Project>,
}

impl Homes {
    fn of(conn: &mut DbConnection, rows: &[(Membership, User)]) -> Result<Self, Error> {
        let ids = |of: fn(&Membership) -> Option<i64>| -> BTreeSet<i64> {
            rows.iter().filter_map(|(one, _)| of(one)).collect()
        };
        let groups = all_groups::store::find_all(conn, ids(|one| one.group_id))?;
        let projects = all_projects::store::find_all(conn, ids(|one| one.project_id))?;
        Ok(Homes {
            groups: groups.into_iter().map(|group| (group.id, group)).collect(),
            projects: projects
                .into_iter()
                .map(|project| (project.id, project))
                .collect(),
        })
    }

    /// Full path of the place, and the group that it is or lies in.
    fn of_membership(&self, membership: &Membership) -> (Option<String>, Option<&Group>) {
        let group = membership.group_id.and_then(|id| self.groups.get(&id));
        let project = membership.project_id.and_then(|id| self.projects.get(&id));
        match (group, project) {
            (Some(group), _) => (Some(group.full_path.clone()), Some(group)),
            (_, Some(project)) => (Some(project.full_path()), Some(&project.namespace)),
            (None, None) => (None, None),
        }
    }
}
