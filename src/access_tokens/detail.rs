//! All about one token, for its own page.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::days::first_kept;
use super::store::{inside, listed, listed_tokens, older};
use super::{AccessToken, ListedToken, Resource};
use crate::context::Context;
use crate::db::schema::{access_token_days, access_token_uses, access_tokens, memberships, users};
use crate::db::{DbConnection, Limits as _, Timestamp};
use crate::error::{Error, What};
use crate::members::Role;
use crate::permissions::Right;
use crate::users::Identity;

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::users;
    diesel::alias!(users as makers: Makers);
}
use aliases::makers;

/// Rows that are read: tokens of the same bot or person, and days.
const AT_MOST: i64 = 1_000;

/// A token with where it comes from and how it is used.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The token.
    pub listed: ListedToken,
    /// Who had its bot made: user name and name.
    pub maker: Option<(String, String)>,
    /// All that were rotated into one another, itself included, the newest first.
    pub family: Vec<ListedToken>,
    /// Requests by day, of the last thirty days; days without any are left out.
    pub days: BTreeMap<NaiveDate, i64>,
}

impl Detail {
    /// The values before it that work at this moment, the newest first.
    pub fn old_values(&self, now: DateTime<Utc>) -> impl Iterator<Item = &ListedToken> {
        let id = self.listed.token.id;
        let from_here = self.family.iter().skip_while(move |kin| kin.token.id != id);
        from_here
            .skip(1)
            .take_while(move |kin| kin.token.is_in_grace(now))
    }

    /// All requests of the last thirty days.
    pub fn requests(&self) -> i64 {
        self.days.values().sum()
    }
}

/// A token of this very group or project, in one query.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't this resource's, and without the right to see its tokens.
pub fn of_resource(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    id: i64,
) -> Result<Detail, Error> {
    let missing = || Error::NotFound(What::Thing);
    let place = resource.place();
    if !ctx.actor.may(Right::SeeTokens, &place, &ctx.policy) {
        return Err(missing());
    }
    find(conn, ctx, id)?
        .filter(|detail| match resource {
            Resource::Group(group) => detail.listed.token.group_id == Some(group.id),
            Resource::Project(project) => detail.listed.token.project_id == Some(project.id),
        })
        .ok_or_else(missing)
}

/// One of the actor's own personal tokens, in one query.
///
/// # Errors
/// [`Error::NotFound`] for an id that isn't theirs.
pub fn personal(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<Detail, Error> {
    let missing = || Error::NotFound(What::Thing);
    if !ctx.actor.may_on_instance(Right::OwnPersonalTokens) {
        return Err(missing());
    }
    find(conn, ctx, id)?
        .filter(|detail| {
            let listed = &detail.listed;
            Some(listed.user.id) == ctx.actor.user_id() && listed.token.kind() == "personal"
        })
        .ok_or_else(missing)
}

/// A row of a list with a day, and with who had the bot made.
type Row = (
    AccessToken,
    Identity,
    Option<Role>,
    Option<(Timestamp, String)>,
    Option<Timestamp>,
    Option<(NaiveDate, i64)>,
    Option<(String, String)>,
);

/// The token first, then the others of the same bot or person; the days stand beside the token itself.
fn find(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<Option<Detail>, Error> {
    let same_user = inside
        .filter(inside.field(access_tokens::id).eq(id))
        .select(inside.field(access_tokens::user_id));
    let rows: Vec<Row> = listed_tokens!()
        .left_join(
            access_token_days::table.on(access_token_days::token_id
                .eq(access_tokens::id)
                .and(access_token_days::token_id.eq(id))
                .and(access_token_days::day.ge(first_kept(ctx.today())))),
        )
        .left_join(makers.on(makers.field(users::id).nullable().eq(users::created_by_id)))
        .filter(access_tokens::user_id.eq_any(same_user))
        .order((
            access_tokens::id.eq(id).desc(),
            access_tokens::id.desc(),
            access_token_days::day.desc(),
        ))
        .select((
            AccessToken::as_select(),
            Identity::as_select(),
            Option::<Role>::as_select(),
            (access_token_uses::last_used_at, access_token_uses::ips).nullable(),
            older.field(access_tokens::grace_until).nullable(),
            (access_token_days::day, access_token_days::requests).nullable(),
            (makers.field(users::username), makers.field(users::name)).nullable(),
        ))
        .at_most(AT_MOST)
        .load(conn)?;
    let mut days = BTreeMap::new();
    let mut maker = None;
    let mut tokens: BTreeMap<i64, ListedToken> = BTreeMap::new();
    for (token, user, role, usage, grace, day, made_by) in rows {
        let listed = listed((token, user, role, usage, grace));
        days.extend(day);
        maker = maker.or(made_by);
        tokens.entry(listed.token.id).or_insert(listed);
    }
    Ok(tokens.get(&id).cloned().map(|listed| Detail {
        family: family(&tokens, id),
        listed,
        maker,
        days,
    }))
}

/// Those that lead to this one and those that come after it, the newest first.
fn family(tokens: &BTreeMap<i64, ListedToken>, id: i64) -> Vec<ListedToken> {
    let next: BTreeMap<i64, i64> = tokens
        .values()
        .filter_map(|listed| Some((listed.token.previous_token_id?, listed.token.id)))
        .collect();
    let mut newest = id;
    while let Some(newer) = next.get(&newest) {
        newest = *newer;
    }
    let mut chain = Vec::new();
    let mut here = tokens.get(&newest);
    while let Some(listed) = here {
        chain.push(listed.clone());
        here = listed
            .token
            .previous_token_id
            .and_then(|previous| tokens.get(&previous));
    }
    chain
}
