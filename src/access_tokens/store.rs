//! Access tokens in the database.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::imported::Digests;
use super::scope::Scopes;
use super::secret::Digest;
use super::{AccessToken, ListedToken, Resource};
use crate::db::schema::{access_token_uses, access_tokens, instance, memberships, users};
use crate::db::violation::is_unique;
use crate::db::{Counted, DbConnection, Limits as _, Timestamp, coalesce_date, columns, straight};
use crate::error::Error;
use crate::members::{Membership, Role};
use crate::users::{Identity, User};
pub(super) use aliases::{inside, older};

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::access_tokens;
    diesel::alias!(
        access_tokens as older: Older,
        access_tokens as inside: Inside
    );
}

/// A token to be.
#[derive(Debug)]
pub(super) struct NewRow<'a> {
    pub user_id: i64,
    pub group_id: Option<i64>,
    pub project_id: Option<i64>,
    /// The top-level group or personal namespace above the group or project.
    pub root_id: Option<i64>,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub scopes: &'a Scopes,
    pub digest: &'a Digest,
    pub hint: &'a str,
    pub expires_at: Option<NaiveDate>,
    pub previous_token_id: Option<i64>,
    pub now: DateTime<Utc>,
}

/// Puts a token into the database.
pub(super) fn insert(conn: &mut DbConnection, new: &NewRow<'_>) -> Result<AccessToken, Error> {
    let now = Timestamp::from(new.now);
    Ok(diesel::insert_into(access_tokens::table)
        .values((
            access_tokens::user_id.eq(new.user_id),
            access_tokens::group_id.eq(new.group_id),
            access_tokens::project_id.eq(new.project_id),
            access_tokens::root_id.eq(new.root_id),
            access_tokens::name.eq(new.name),
            access_tokens::description.eq(new.description),
            access_tokens::scopes.eq(new.scopes.to_string()),
            access_tokens::digest.eq(new.digest.as_bytes().as_slice()),
            access_tokens::hint.eq(new.hint),
            access_tokens::expires_at.eq(new.expires_at),
            access_tokens::previous_token_id.eq(new.previous_token_id),
            access_tokens::created_at.eq(now),
            access_tokens::updated_at.eq(now),
        ))
        .returning(columns::<AccessToken, _>())
        .get_result(conn)?)
}

/// What the one query of an authentication finds: the revision of the settings in any case.
pub(super) type AuthenticationRow = (i64, Option<AccessToken>, Option<User>, Option<Membership>);

/// A token by what its value may be kept as, with its user, the user's memberships and the revision of the settings:
/// everything that lets a request in, or not, at once.
pub(super) fn find_by_digests(
    conn: &mut DbConnection,
    digests: &Digests,
) -> Result<Vec<AuthenticationRow>, Error> {
    macro_rules! found_by {
        ($condition:expr) => {
            instance::table
                .left_join(access_tokens::table.on($condition))
                .left_join(
                    users::table.on(users::id.nullable().eq(access_tokens::user_id.nullable())),
                )
                .left_join(
                    memberships::table.on(memberships::user_id.nullable().eq(users::id.nullable())),
                )
                .filter(instance::id.eq(1))
                .select((
                    instance::settings_revision,
                    Option::<AccessToken>::as_select(),
                    Option::<User>::as_select(),
                    Option::<Membership>::as_select(),
                ))
        };
    }
    let own = digests.own.as_bytes().to_vec();
    // A list of no fixed length would be prepared anew each time; nobody has more than one salt for long.
    Ok(match digests.salted.as_slice() {
        // With each request: without the detour of the type that is both connections.
        [] => straight!(conn => found_by!(access_tokens::digest.eq(own)).load(conn)?),
        [salted] => found_by!(
            access_tokens::digest
                .eq(own)
                .or(access_tokens::digest.eq(salted.as_bytes().to_vec()))
        )
        .load(conn)?,
        salted => {
            let salted = salted.iter().map(|digest| digest.as_bytes().to_vec());
            let all: Vec<Vec<u8>> = std::iter::once(own).chain(salted).collect();
            found_by!(access_tokens::digest.eq_any(all)).load(conn)?
        }
    })
}

/// Tokens by their ids, each with its user and the user's memberships: a row for each of these.
pub(super) fn find_with_memberships(
    conn: &mut DbConnection,
    ids: &[i64],
) -> Result<Vec<(AccessToken, User, Option<Membership>)>, Error> {
    Ok(access_tokens::table
        .inner_join(users::table)
        .left_join(memberships::table.on(memberships::user_id.eq(users::id)))
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .select((
            AccessToken::as_select(),
            User::as_select(),
            Option::<Membership>::as_select(),
        ))
        .load(conn)?)
}

/// A row of the join that lists share.
pub(super) type ListedRow = (
    AccessToken,
    Identity,
    Option<Role>,
    Option<(Timestamp, String)>,
    Option<Timestamp>,
);

pub(super) fn listed((token, user, role, usage, grace): ListedRow) -> ListedToken {
    let (last_used_at, ips) =
        usage.map_or((None, String::new()), |(at, ips)| (Some(at.into()), ips));
    ListedToken {
        last_used_at,
        last_used_ips: ips.split_whitespace().map(str::to_owned).collect(),
        old_value_until: grace.map(DateTime::from),
        ..ListedToken::fresh(token, user, role)
    }
}

/// The join that lists share: token, user, the one membership that the token's bot can have, its last use, and the token
/// that was rotated into it.
macro_rules! listed_tokens {
    () => {
        access_tokens::table
            .inner_join(users::table)
            .left_join(
                memberships::table.on(memberships::user_id
                    .eq(access_tokens::user_id)
                    .and(memberships::bot)),
            )
            .left_join(
                access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)),
            )
            .left_join(
                $crate::access_tokens::store::older.on($crate::access_tokens::store::older
                    .field(access_tokens::id)
                    .nullable()
                    .eq(access_tokens::previous_token_id)),
            )
            .filter(users::bot_gone_at.is_null())
    };
}
pub(super) use listed_tokens;

/// Was there at this moment and wasn't used after it; the SQL of
/// [`is_unused_since`](super::unused::is_unused_since) with
/// [`here_since`](super::AccessToken::here_since), for a query that has joined the uses.
macro_rules! unused_since {
    ($at:expr) => {{
        let used = || access_token_uses::last_used_at.nullable();
        access_tokens::created_at
            .le($at)
            .and(
                access_tokens::imported_at
                    .is_null()
                    .or(access_tokens::imported_at.assume_not_null().le($at)),
            )
            .and(used().is_null().or(used().assume_not_null().le($at)))
    }};
}
pub(super) use unused_since;

/// The columns of that join.
macro_rules! listed_columns {
    () => {
        (
            AccessToken::as_select(),
            $crate::users::Identity::as_select(),
            Option::<$crate::members::Role>::as_select(),
            (access_token_uses::last_used_at, access_token_uses::ips).nullable(),
            $crate::access_tokens::store::older
                .field(access_tokens::grace_until)
                .nullable(),
        )
    };
}

pub(super) use listed_columns;

/// A token of this very group or project, whatever its state; not one whose bot is gone.
///
/// # Errors
/// When the database is away.
pub fn find_of(
    conn: &mut DbConnection,
    resource: &Resource,
    id: i64,
) -> Result<Option<ListedToken>, Error> {
    Ok(find(conn, id)?.filter(|listed| resource.owns(&listed.token)))
}

/// A token by id, whoever's it is; not one whose bot is gone.
///
/// # Errors
/// When the database is away.
pub fn find(conn: &mut DbConnection, id: i64) -> Result<Option<ListedToken>, Error> {
    let row: Option<ListedRow> = listed_tokens!()
        .filter(access_tokens::id.eq(id))
        .select(listed_columns!())
        .get_result(conn)
        .optional()?;
    Ok(row.map(listed))
}

/// The groups and projects of these tokens, by the tokens' ids; two queries, however many they are. A person's own
/// token has none, and nor has one whose group or project is gone.
///
/// # Errors
/// When the database is away.
pub fn resources_of<'a>(
    conn: &mut DbConnection,
    tokens: impl Iterator<Item = &'a AccessToken> + Clone,
) -> Result<HashMap<i64, Resource>, Error> {
    let group_ids: BTreeSet<i64> = tokens.clone().filter_map(|token| token.group_id).collect();
    let project_ids: BTreeSet<i64> = tokens
        .clone()
        .filter_map(|token| token.project_id)
        .collect();
    let groups: HashMap<i64, _> = crate::groups::store::find_all(conn, group_ids)?
        .into_iter()
        .map(|group| (group.id, group))
        .collect();
    let projects: HashMap<i64, _> = crate::projects::store::find_all(conn, project_ids)?
        .into_iter()
        .map(|project| (project.id, project))
        .collect();
    Ok(tokens
        .filter_map(|token| {
            let resource = match (token.group_id, token.project_id) {
                (Some(id), _) => Resource::Group(groups.get(&id)?.clone()),
                (_, Some(id)) => Resource::Project(projects.get(&id)?.clone()),
                (None, None) => return None,
            };
            Some((token.id, resource))
        })
        .collect())
}

/// Tokens by their ids, in the order of these; not those whose bot is gone.
///
/// # Errors
/// When the database is away.
pub fn find_all(conn: &mut DbConnection, ids: &[i64]) -> Result<Vec<ListedToken>, Error> {
    let rows: Vec<ListedRow> = listed_tokens!()
        .filter(access_tokens::id.eq_any(ids.to_vec()))
        .order(access_tokens::id.asc())
        .select(listed_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(listed).collect())
}

/// The newest token of a user; for the console.
///
/// # Errors
/// When the database is away.
pub fn newest_of_user(conn: &mut DbConnection, user_id: i64) -> Result<Option<ListedToken>, Error> {
    let id: Option<i64> = access_tokens::table
        .filter(access_tokens::user_id.eq(user_id))
        .select(diesel::dsl::max(access_tokens::id))
        .get_result(conn)?;
    match id {
        Some(id) => find(conn, id),
        None => Ok(None),
    }
}

/// Where a token without an end belongs among the others: after every date that a token can have.
pub(super) fn far() -> NaiveDate {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX)
}

/// Has a resource as many active tokens as it may have? They are counted no further than that.
pub(super) fn is_full(
    conn: &mut DbConnection,
    resource: &Resource,
    today: NaiveDate,
    limit: u32,
) -> Result<bool, Error> {
    let limit = i64::from(limit);
    macro_rules! active {
        ($holder:expr, $id:expr) => {{
            // With nothing that isn't in the index, and in one term: of two, PostgreSQL looks for the one in all groups.
            let tokens = access_tokens::table
                .filter($holder.eq($id))
                .filter(diesel::dsl::not(access_tokens::revoked))
                .filter(coalesce_date(access_tokens::expires_at, far()).gt(today))
                .select($holder)
                .at_most(limit);
            diesel::select(Counted(tokens)).get_result(conn)?
        }};
    }
    let active: i64 = match resource {
        Resource::Group(group) => active!(access_tokens::group_id, group.id),
        Resource::Project(project) => active!(access_tokens::project_id, project.id),
    };
    Ok(active >= limit)
}

/// Revokes a token that still works, be it in its grace, and with it the older values that still do. Of several callers
/// at once, one gets the ids of those older ones, and the others nothing.
pub(super) fn mark_revoked(
    conn: &mut DbConnection,
    id: i64,
    now: DateTime<Utc>,
) -> Result<Option<Vec<i64>>, Error> {
    let changed = diesel::update(access_tokens::table.find(id))
        .filter(
            diesel::dsl::not(access_tokens::revoked)
                .or(access_tokens::grace_until.gt(Timestamp::from(now))),
        )
        .set((
            access_tokens::revoked.eq(true),
            access_tokens::grace_until.eq(None::<Timestamp>),
            access_tokens::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(None);
    }
    Ok(Some(shorten_graces(conn, id, None, now)?))
}

/// Ends a token because another takes its place; its value goes on working until then, if anything is given, and older
/// ones no longer than that: the ids of those whose end is nearer now. Nothing, if it had ended before.
pub(super) fn mark_rotated(
    conn: &mut DbConnection,
    id: i64,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Vec<i64>>, Error> {
    let changed = diesel::update(access_tokens::table.find(id))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .set((
            access_tokens::revoked.eq(true),
            access_tokens::grace_until.eq(until.map(Timestamp::from)),
            access_tokens::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(None);
    }
    Ok(Some(shorten_graces(conn, id, until, now)?))
}

/// No value that was rotated into this one, directly or through others, works after this moment; nothing: after now.
/// Returns the ids of those that would have. What has ended before stays as it is.
pub(super) fn shorten_graces(
    conn: &mut DbConnection,
    id: i64,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let mut newer = id;
    let mut shortened = Vec::new();
    loop {
        let previous: Option<i64> = access_tokens::table
            .find(newer)
            .select(access_tokens::previous_token_id)
            .get_result(conn)?;
        let Some(previous) = previous else {
            return Ok(shortened);
        };
        let last = Timestamp::from(until.map_or(now, |until| until.max(now)));
        let changed = diesel::update(access_tokens::table.find(previous))
            .filter(access_tokens::grace_until.gt(last))
            .set((
                access_tokens::grace_until.eq(until.map(Timestamp::from)),
                access_tokens::updated_at.eq(Timestamp::from(now)),
            ))
            .execute(conn)?;
        if changed == 0 {
            return Ok(shortened);
        }
        shortened.push(previous);
        newer = previous;
    }
}

/// The tokens that came out of this one by rotation, one after the other.
pub(super) fn descendants(conn: &mut DbConnection, id: i64) -> Result<Vec<AccessToken>, Error> {
    let mut found: Vec<AccessToken> = Vec::new();
    let mut parents = vec![id];
    while !parents.is_empty() {
        let children: Vec<AccessToken> = access_tokens::table
            .filter(access_tokens::previous_token_id.eq_any(&parents))
            .select(AccessToken::as_select())
            .load(conn)?;
        parents = children.iter().map(|token| token.id).collect();
        found.extend(children);
    }
    Ok(found)
}

/// Gives a token other texts.
pub(super) fn rename(
    conn: &mut DbConnection,
    id: i64,
    name: &str,
    description: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(access_tokens::table.find(id))
        .set((
            access_tokens::name.eq(name),
            access_tokens::description.eq(description),
            access_tokens::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Marks a form's nonce as used for this token; a conflict if it was used before.
pub(super) fn use_nonce(
    conn: &mut DbConnection,
    digest: &Digest,
    token_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use crate::db::schema::used_form_nonces;
    diesel::insert_into(used_form_nonces::table)
        .values((
            used_form_nonces::digest.eq(digest.as_bytes().as_slice()),
            used_form_nonces::token_id.eq(token_id),
            used_form_nonces::created_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)
        .map_err(|error| {
            if is_unique(&error, "used_form_nonces", "digest") {
                Error::Conflict("This form was sent already".into())
            } else {
                error.into()
            }
        })?;
    Ok(())
}

/// What a form's nonce was used for, if it was.
pub(super) fn used_nonce(
    conn: &mut DbConnection,
    digest: &Digest,
) -> Result<Option<DateTime<Utc>>, Error> {
    use crate::db::schema::used_form_nonces;
    let at: Option<Timestamp> = used_form_nonces::table
        .find(digest.as_bytes().as_slice())
        .select(used_form_nonces::created_at)
        .get_result(conn)
        .optional()?;
    Ok(at.map(DateTime::from))
}
