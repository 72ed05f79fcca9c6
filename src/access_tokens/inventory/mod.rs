//! All tokens of groups and projects below one top-level group.

pub mod cursor;
pub mod export;
mod store;

pub use cursor::{Cursor, Part};

use super::ListedToken;
use super::query::Query;
use crate::context::Context;
use crate::db::{DbConnection, Total};
use crate::error::{Error, What};
use crate::groups::Group;
use crate::groups::store::{GroupRef, find_visible};
use crate::permissions::Right;

/// A token with the path of the group or project that it is for.
#[derive(Debug, Clone)]
pub struct Found {
    /// The token.
    pub listed: ListedToken,
    /// `acme/platform` or `acme/platform/api`.
    pub full_path: String,
}

/// A part of the inventory.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The tokens, in the order that was asked for.
    pub tokens: Vec<Found>,
    /// Is there anything before them?
    pub has_previous: bool,
    /// Is there anything after them?
    pub has_next: bool,
    /// How many there are in all; nothing where there is no row to tell.
    pub total: Option<Total>,
}

/// The top-level group with this path, if its inventory may be seen.
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners and administrators, and for a group below another one.
pub fn find_root(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Group, Error> {
    let root = find_visible(conn, ctx, &GroupRef::Path(path.to_owned()))?;
    check(ctx, &root)?;
    Ok(root)
}

/// Does it have ended tokens, as the pages of its groups and projects do? Where their bots aren't kept, what is left of them
/// goes soon, and is shown nowhere.
pub fn keeps_ended(ctx: &Context, root: &Group) -> bool {
    ctx.policy.retains_bots(root.retain_bots)
}

fn check(ctx: &Context, root: &Group) -> Result<(), Error> {
    let may = ctx.actor.may(Right::SeeTokens, &root.place(), &ctx.policy);
    if root.parent_id.is_none() && may {
        Ok(())
    } else {
        Err(Error::NotFound(What::Group))
    }
}

/// Some tokens below this top-level group. Active ones come in the order of their ends, the soonest first, or the other
/// way round if the query says `descending`; all and ended ones come newest first. Values that were rotated away and still
/// work are told with their successor, and are no tokens of their own. Of the query count state, kind, name, role, scope,
/// last use and end. One query, of pieces that an index has in order.
///
/// # Errors
/// As [`find_root`].
pub fn list(
    conn: &mut DbConnection,
    ctx: &Context,
    root: &Group,
    query: &Query,
    part: Part,
    at_most: i64,
) -> Result<Slice, Error> {
    check(ctx, root)?;
    let (from, backwards) = match part {
        Part::First => (None, false),
        Part::After(cursor) => (Some(cursor), false),
        Part::Before(cursor) => (Some(cursor), true),
    };
    let walk = store::Walk {
        root_id: root.id,
        query,
        now: ctx.now,
        from,
        backwards,
        counted: true,
    };
    let (mut tokens, total) = store::walk(conn, &walk, at_most + 1)?;
    let wanted = usize::try_from(at_most).unwrap_or(usize::MAX);
    let more = tokens.len() > wanted;
    tokens.truncate(wanted);
    if backwards {
        tokens.reverse();
    }
    Ok(Slice {
        has_previous: if backwards { more } else { from.is_some() },
        has_next: backwards || more,
        tokens,
        total,
    })
}

/// Those of these tokens that are below this top-level group, by their ids.
///
/// # Errors
/// As [`find_root`].
pub fn by_ids(
    conn: &mut DbConnection,
    ctx: &Context,
    root: &Group,
    ids: &[i64],
) -> Result<Vec<Found>, Error> {
    check(ctx, root)?;
    store::by_ids(conn, root.id, ids, ctx.now)
}
