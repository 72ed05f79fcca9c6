//! Taking a token away, for good.

use std::collections::BTreeSet;

use serde_json::json;

use super::create::described;
use super::decisions::{Refusal, TokenFacts, may_revoke};
use super::{ListedToken, Resource, store};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::{DbConnection, lock_roots};
use crate::error::{Denied, Error, What};
use crate::groups::{self, Group};
use crate::notices;
use crate::permissions::Right;
use crate::projects;

/// Revokes a token of a group or project by its id. Its bot goes too, unless the instance or the root
/// group keeps bots. Once more on a revoked token that is still there changes nothing and succeeds.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't this resource's, before anything else;
/// [`Error::Refused`] when the actor may not, or when the bot isn't a member any more and `orphans` is
/// not set (pages may revoke such a token, the API says that the bot was not found).
pub fn revoke(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
    orphans: bool,
) -> Result<ListedToken, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    let missing = || Error::NotFound(What::ResourceToken(resource.noun(), id.to_string()));
    let found = store::find_of(conn, &resource, id)?;
    let decision = may_revoke(
        &ctx,
        &resource,
        found.as_ref().map(TokenFacts::from),
        orphans,
    );
    let listed = found.ok_or_else(missing)?;
    decision.map_err(|refusal| match refusal {
        Refusal::Unknown => missing(),
        Refusal::NoMember => Error::refused("Failed to find bot user"),
        _ => Error::refused(format!(
            "{} cannot delete {}",
            ctx.actor.name(),
            listed.user.name
        )),
    })?;
    end(conn, &ctx, &listed, &resource)?;
    Ok(listed)
}

/// Revokes a token of a group or project, and lets its bot go unless bots are kept. `false` if it was revoked before.
fn end(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    resource: &Resource,
) -> Result<bool, Error> {
    // A value that was rotated away has a successor on the same bot: only the living one takes it along.
    let ended = revoke_row(conn, ctx, listed, Some(resource))?;
    if ended && !listed.token.revoked && !ctx.policy.retains_bots(resource.group().retain_bots) {
        bots::delete::mark_gone(conn, ctx, &listed.user, Some(resource))?;
    }
    Ok(ended)
}

/// What became of tokens that were to be revoked together. Whatever is in neither is not there.
#[derive(Debug, Default)]
pub struct Together {
    /// Those that were revoked by this.
    pub revoked: Vec<ListedToken>,
    /// How many had been revoked before.
    pub already: usize,
}

/// Revokes any tokens of the instance, all or none: those of groups and projects as on their own pages, people's own as
/// if they had done it. Passes over what isn't there any more or was revoked meanwhile.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor administers the instance.
pub fn revoke_each(conn: &mut DbConnection, ctx: &Context, ids: &[i64]) -> Result<Together, Error> {
    each(conn, ctx, Reach::Instance, ids)
}

/// As [`revoke_each`], of the groups and projects below this top-level group. What lies elsewhere is passed over, as what
/// isn't there.
///
/// # Errors
/// [`Error::NotFound`] unless the actor may see and revoke the tokens of this group and of all places among these.
pub fn revoke_below(
    conn: &mut DbConnection,
    ctx: &Context,
    root: &Group,
    ids: &[i64],
) -> Result<Together, Error> {
    each(conn, ctx, Reach::Below(root), ids)
}

/// Among which tokens somebody may choose those to be revoked.
#[derive(Debug, Clone, Copy)]
enum Reach<'a> {
    /// All that there are.
    Instance,
    /// Those of groups and projects below this top-level group.
    Below(&'a Group),
}

impl Reach<'_> {
    /// May the actor choose at all?
    fn check(self, conn: &mut DbConnection, ctx: &Context) -> Result<(), Error> {
        let missing = || Error::NotFound(What::Group);
        match self {
            Reach::Instance if ctx.actor.may_on_instance(Right::Administer) => Ok(()),
            Reach::Instance => Err(Error::forbidden()),
            Reach::Below(root) => {
                let root = groups::store::find(conn, root.id)?.ok_or_else(missing)?;
                let may = ctx.actor.may(Right::SeeTokens, &root.place(), &ctx.policy);
                if may && root.parent_id.is_none() {
                    Ok(())
                } else {
                    Err(missing())
                }
            }
        }
    }

    /// Can a token of this group or project, or of a person, be chosen?
    fn holds(self, resource: Option<&Resource>) -> bool {
        match self {
            Reach::Instance => true,
            Reach::Below(root) => {
                resource.is_some_and(|resource| resource.group().root_id == root.id)
            }
        }
    }

    /// May the actor revoke the tokens of this place?
    fn allows(self, ctx: &Context, resource: Option<&Resource>) -> bool {
        match (self, resource) {
            (Reach::Instance, _) => true,
            (Reach::Below(_), None) => false,
            (Reach::Below(_), Some(resource)) => {
                ctx.actor
                    .may(Right::RevokeToken, &resource.place(), &ctx.policy)
            }
        }
    }
}

fn each(
    conn: &mut DbConnection,
    ctx: &Context,
    reach: Reach<'_>,
    ids: &[i64],
) -> Result<Together, Error> {
    reach.check(conn, ctx)?;
    let mut seen = store::find_all(conn, ids)?;
    let resources = store::resources_of(conn, seen.iter().map(|listed| &listed.token))?;
    seen.retain(|listed| reach.holds(resources.get(&listed.token.id)));
    // All turns at once and in one order, so that nobody waits in a circle; each is then taken again, in vain.
    let roots: BTreeSet<i64> = seen
        .iter()
        .filter_map(|listed| resources.get(&listed.token.id))
        .map(|resource| resource.group().root_id)
        .collect();
    lock_roots(conn, &roots.into_iter().collect::<Vec<_>>())?;
    let ctx = ctx.refreshed(conn)?;
    reach.check(conn, &ctx)?;
    let mut together = Together::default();
    let mut missing: BTreeSet<i64> = ids.iter().copied().collect();
    for before in seen {
        let resource = match resources.get(&before.token.id) {
            Some(resource) => match resource.locked(conn, &ctx) {
                Ok((resource, _)) => Some(resource),
                // Deleted meanwhile, and its tokens with it.
                Err(Error::NotFound(_)) => continue,
                Err(error) => return Err(error),
            },
            None => None,
        };
        // Moved elsewhere meanwhile.
        if !reach.holds(resource.as_ref()) {
            continue;
        }
        if !reach.allows(&ctx, resource.as_ref()) {
            return Err(Error::NotFound(What::Thing));
        }
        let Some(listed) = store::find(conn, before.token.id)? else {
            continue;
        };
        let ended = match &resource {
            Some(resource) => end(conn, &ctx, &listed, resource)?,
            None => revoke_row(conn, &ctx, &listed, None)?,
        };
        missing.remove(&listed.token.id);
        if ended {
            together.revoked.push(listed);
        } else {
            together.already += 1;
        }
    }
    // A revoked token goes with its bot; the trail knows of it.
    let within = match reach {
        Reach::Instance => "",
        Reach::Below(root) => &root.traversal,
    };
    let missing: Vec<i64> = missing.into_iter().collect();
    together.already += audit::store::revoked_among(conn, &missing, within)?;
    Ok(together)
}

/// Revokes the token that made the request. Its bot stays in every case.
///
/// # Errors
/// [`Error::Unauthenticated`] when the token is dead already.
pub fn revoke_self(conn: &mut DbConnection, ctx: &Context) -> Result<(), Error> {
    let credential = ctx
        .actor
        .token()
        .ok_or(Error::Unauthenticated(Denied::Unknown))?;
    if !ctx.actor.may_on_instance(Right::OwnToken) {
        return Err(Error::forbidden());
    }
    let listed =
        store::find(conn, credential.id)?.ok_or(Error::Unauthenticated(Denied::Revoked))?;
    let resource = resource_of(conn, &listed)?;
    let ctx = ctx.refreshed(conn)?;
    revoke_row(conn, &ctx, &listed, resource.as_ref()).map(|_| ())
}

/// Revokes any token from the console: it is only marked, bot and membership stay.
///
/// # Errors
/// [`Error::Forbidden`] unless the actor administers the instance.
pub fn revoke_from_console(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
) -> Result<(), Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let resource = resource_of(conn, listed)?;
    let ctx = match &resource {
        Some(resource) => resource.locked(conn, ctx)?.1,
        None => ctx.refreshed(conn)?,
    };
    revoke_row(conn, &ctx, listed, resource.as_ref()).map(|_| ())
}

/// Revokes a token by its id: one that acts as oneself; administrators any. A bot stays in every case.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't there, [`Error::BadRequest`] for somebody else's.
pub fn revoke_by_id(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<(), Error> {
    if store::find(conn, id)?.is_none() {
        return Err(Error::NotFound(What::Entry));
    }
    let listed = match super::list::by_id(conn, ctx, id) {
        Err(Error::Unauthenticated(_)) if ctx.actor.is_signed_in() => {
            return Err(Error::BadRequest);
        }
        found => found?,
    };
    let resource = resource_of(conn, &listed)?;
    let ctx = match &resource {
        Some(resource) => resource.locked(conn, ctx)?.1,
        None => ctx.refreshed(conn)?,
    };
    // Whoever was an administrator when the request was let in may not be one any more.
    let listed = super::list::by_id(conn, &ctx, id)?;
    revoke_row(conn, &ctx, &listed, resource.as_ref()).map(|_| ())
}

/// Revokes one of a person's own personal tokens.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't theirs.
pub fn revoke_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
) -> Result<ListedToken, Error> {
    let ctx = ctx.refreshed(conn)?;
    let listed = find_personal(conn, &ctx, id)?;
    revoke_row(conn, &ctx, &listed, None)?;
    Ok(listed)
}

/// One of the actor's own personal tokens.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't theirs.
pub fn find_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    id: i64,
) -> Result<ListedToken, Error> {
    if !ctx.actor.may_on_instance(Right::OwnPersonalTokens) {
        return Err(Error::NotFound(What::Thing));
    }
    store::find(conn, id)?
        .filter(|listed| {
            Some(listed.user.id) == ctx.actor.user_id() && listed.token.kind() == "personal"
        })
        .ok_or(Error::NotFound(What::Thing))
}

/// The group or project of a token; nothing for a personal one.
///
/// # Errors
/// When the database is away.
pub fn resource_of(
    conn: &mut DbConnection,
    listed: &ListedToken,
) -> Result<Option<Resource>, Error> {
    Ok(match (listed.token.group_id, listed.token.project_id) {
        (Some(id), _) => groups::store::find(conn, id)?.map(Resource::Group),
        (_, Some(id)) => projects::store::find(conn, id)?.map(Resource::Project),
        (None, None) => None,
    })
}

/// The change itself and its line in the trail, once. `false` if it was revoked before.
fn revoke_row(
    conn: &mut DbConnection,
    ctx: &Context,
    listed: &ListedToken,
    resource: Option<&Resource>,
) -> Result<bool, Error> {
    let Some(ended) = store::mark_revoked(conn, listed.token.id, ctx.now)? else {
        return Ok(false);
    };
    let mut details = described(&listed.token, &listed.user.username, listed.access_level);
    if !ended.is_empty() {
        details["ended_sooner"] = json!(ended);
    }
    let mut event = Event::new(
        format!("{}_access_token_deleted", listed.token.kind()),
        Target::Token(listed.token.id, &listed.token.name),
    )
    .with(details);
    if let Some(resource) = resource {
        event = event.in_group(resource.group());
    }
    audit::record(conn, ctx, event)?;
    if listed.token.revoked {
        notices::personal::old_value_ended(conn, ctx, &listed.token, &listed.user)?;
    } else {
        notices::personal::revoked(conn, ctx, &listed.token, &listed.user)?;
    }
    Ok(true)
}
