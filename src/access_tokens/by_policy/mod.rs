//! Taking away, by and by, all tokens that a setting of the instance doesn't allow.

mod store;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::create::described;
use super::store::mark_revoked;
use super::{ListedToken, Resource};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::{DbConnection, lock_roots};
use crate::error::Error;
use crate::permissions::Right;

/// Which active tokens go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Those of groups and projects that were there at this moment and weren't used after it.
    Unused {
        /// The moment.
        since: DateTime<Utc>,
    },
    /// Those of all kinds that have no end, or one after this day.
    Overlong {
        /// The day.
        latest: NaiveDate,
    },
}

/// A token that was taken away, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// Its id.
    pub id: i64,
    /// `group`, `project` or `personal`.
    pub kind: &'static str,
    /// The full path of its group or project; of a personal one the user name of its person.
    pub full_path: String,
    /// What it is called.
    pub name: String,
    /// The last time it was used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The day at whose start it would have ended.
    pub expires_at: Option<NaiveDate>,
}

/// A batch of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// In the order of their ids.
    pub tokens: Vec<Swept>,
    /// Where to go on; nothing at the end.
    pub next: Option<i64>,
}

/// Revokes the next tokens (`after` this id, so many) that the rule is about, as the Revoke button does, each with a
/// line in the trail that says why. A dry run only tells which.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub(super) fn sweep(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    reason: &Value,
    (after_id, limit): (i64, i64),
    dry_run: bool,
) -> Result<Sweep, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let found = store::next(conn, rule, ctx.today(), after_id, limit)?;
    let ids: Vec<i64> = found.iter().map(|listed| listed.token.id).collect();
    let next = ids
        .last()
        .copied()
        .filter(|_| i64::try_from(ids.len()).is_ok_and(|count| count >= limit));
    let batch = if dry_run {
        with_resources(conn, found)?
    } else {
        behind_locks(conn, ctx, rule, found, &ids)?
    };
    let mut tokens = Vec::new();
    for (listed, resource) in batch {
        if dry_run || revoke(conn, ctx, &listed, resource.as_ref(), reason)? {
            tokens.push(swept(listed, resource.as_ref()));
        }
    }
    Ok(Sweep { tokens, next })
}

/// A token with its group or project; nothing for a personal one.
type Held = (ListedToken, Option<Resource>);

/// The tokens as they are once nobody else changes who may do what around them.
fn behind_locks(
    conn: &mut DbConnection,
    ctx: &Context,
    rule: Rule,
    found: Vec<ListedToken>,
    ids: &[i64],
) -> Result<Vec<Held>, Error> {
    let mut locked = BTreeSet::new();
    let mut batch = with_resources(conn, found)?;
    loop {
        let roots: Vec<i64> = batch
            .iter()
            .filter_map(|(_, resource)| Some(resource.as_ref()?.group().root_id))
            .filter(|root| locked.insert(*root))
            .collect();
        if roots.is_empty() {
            return Ok(batch);
        }
        lock_roots(conn, &roots)?;
        // What was moved below another root meanwhile is followed there.
        let again = store::among(conn, rule, ctx.today(), ids)?;
        batch = with_resources(conn, again)?;
    }
}

/// Each token with its group or project; without those whose group or project is gone.
fn with_resources(conn: &mut DbConnection, found: Vec<ListedToken>) -> Result<Vec<Held>, Error> {
    let ids = |of: fn(&ListedToken) -> Option<i64>| -> Vec<i64> {
        let ids: BTreeSet<i64> = found.iter().filter_map(of).collect();
        ids.into_iter().collect()
    };
    let groups = ids(|listed| listed.token.group_id);
    let projects = ids(|listed| listed.token.project_id);
    let groups: HashMap<i64, _> = crate::groups::store::find_all(conn, groups)?
        .into_iter()
        .map(|group| (group.id, group))
        .collect();
    let projects: HashMap<i64, _> = crate::projects::store::find_all(conn, projects)?
        .into_iter()
        .map(|project| (project.id, project))
        .collect();
    Ok(found
        .into_iter()
        .filter_map(|listed| {
            let resource = match (listed.token.group_id, listed.token.project_id) {
                (Some(id), _) => Some(Resource::Group(groups.get(&id)?.clone())),
                (_, Some(id)) => Some(Resource::Project(projects.get(&id)?.clone())),
                (None, None) => None,
            };
            Some((listed, resource))
        })
        .collect())
}

/// `false` if somebody else was faster.
fn revoke(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    resource: Option<&Resource>,
    reason: &Value,
) -> Result<bool, Error> {
    let token = &listed.token;
    if !mark_revoked(conn, token.id, ctx.now)? {
        return Ok(false);
    }
    let mut details = described(token, &listed.user, listed.access_level);
    if let Value::Object(fields) = &mut details {
        fields.insert("policy".into(), reason.clone());
        fields.insert(
            "last_used_at".into(),
            serde_json::json!(listed.last_used_at),
        );
    }
    let mut event = Event::new(
        format!("{}_access_token_revoked_by_policy", token.kind()),
        Target::Token(token.id, &token.name),
    )
    .with(details);
    if let Some(resource) = resource {
        event = event.in_group(resource.group());
        if !ctx.policy.retains_bots(resource.group().retain_bots) {
            bots::delete::mark_gone(conn, ctx, listed.user.id)?;
        }
    }
    audit::record(conn, ctx, event)?;
    Ok(true)
}

fn swept(listed: ListedToken, resource: Option<&Resource>) -> Swept {
    Swept {
        id: listed.token.id,
        kind: listed.token.kind(),
        full_path: match resource {
            Some(Resource::Group(group)) => group.full_path.clone(),
            Some(Resource::Project(project)) => project.full_path(),
            None => listed.user.username,
        },
        name: listed.token.name,
        last_used_at: listed.last_used_at,
        expires_at: listed.token.expires_at,
    }
}
