//! What an import asks of the database, many rows at a time.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::db::schema::{
    access_token_uses, access_tokens, groups, imported_digests, memberships, projects, users,
};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::plan::Plan;
use crate::members::AccessLevel;
use crate::users::store::key;
use crate::users::{UserKind, UserState};

/// One statement for many rows, on either database.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows = $rows;
        match $conn {
            DbConnection::Sqlite(conn) => diesel::insert_into($table).values(rows).execute(conn)?,
            DbConnection::Postgres(conn) => {
                diesel::insert_into($table).values(rows).execute(conn)?
            }
        }
    }};
}

/// A user, as far as entries depend on it.
#[derive(Debug, Clone)]
pub(super) struct KnownUser {
    pub id: i64,
    pub username: String,
    pub is_bot: bool,
    pub is_human: bool,
    pub email_key: String,
    pub bot_group_id: Option<i64>,
    pub bot_project_id: Option<i64>,
}

type KnownRow = (
    i64,
    String,
    String,
    String,
    String,
    Option<i64>,
    Option<i64>,
);

/// Those of these users that are here, by the key of their name. A bot whose token is gone is here until it is deleted.
pub(super) fn users_by_name(
    conn: &mut DbConnection,
    names: impl IntoIterator<Item = String>,
) -> Result<HashMap<String, KnownUser>, Error> {
    let keys: HashSet<String> = names.into_iter().map(|name| key(&name)).collect();
    let keys: Vec<String> = keys.into_iter().collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<KnownRow> = users::table
        .filter(users::username_key.eq_any(keys))
        .select((
            users::id,
            users::username_key,
            users::username,
            users::kind,
            users::email_key,
            users::bot_group_id,
            users::bot_project_id,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(
            |(id, name_key, username, kind, email_key, bot_group_id, bot_project_id)| {
                let user = KnownUser {
                    id,
                    username,
                    is_bot: kind == UserKind::ProjectBot.as_str(),
                    is_human: kind == UserKind::Human.as_str(),
                    email_key,
                    bot_group_id,
                    bot_project_id,
                };
                (name_key, user)
            },
        )
        .collect())
}

/// What a new person has besides what all new people have.
#[derive(Debug)]
pub(super) struct Settled {
    pub state: UserState,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub approval_requested_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// Stores that.
pub(super) fn settle_user(
    conn: &mut DbConnection,
    id: i64,
    settled: &Settled,
) -> Result<(), Error> {
    diesel::update(users::table.find(id))
        .set((
            users::state.eq(settled.state.as_str()),
            users::confirmed_at.eq(settled.confirmed_at.map(Timestamp::from)),
            users::approval_requested_at.eq(settled.approval_requested_at.map(Timestamp::from)),
            users::created_at.eq(Timestamp::from(settled.created_at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// What a new top-level group has besides what all new ones have.
pub(super) fn settle_group(
    conn: &mut DbConnection,
    id: i64,
    plan: Plan,
    retain_bots: Option<bool>,
) -> Result<(), Error> {
    diesel::update(groups::table.find(id))
        .set((
            groups::plan.eq(plan.tier.name()),
            groups::trial.eq(plan.trial),
            groups::retain_bots.eq(retain_bots),
        ))
        .execute(conn)?;
    Ok(())
}

/// Names the default branch of a new project.
pub(super) fn set_default_branch(
    conn: &mut DbConnection,
    project_id: i64,
    branch: &str,
) -> Result<(), Error> {
    diesel::update(projects::table.find(project_id))
        .set(projects::default_branch.eq(branch))
        .execute(conn)?;
    Ok(())
}

/// Turns the creation of tokens off in a new top-level group.
pub(super) fn forbid_creation(conn: &mut DbConnection, group_id: i64) -> Result<(), Error> {
    diesel::update(groups::table.find(group_id))
        .set(groups::resource_access_token_creation_allowed.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Sets a new project aside.
pub(super) fn archive(conn: &mut DbConnection, project_id: i64) -> Result<(), Error> {
    diesel::update(projects::table.find(project_id))
        .set(projects::archived.eq(true))
        .execute(conn)?;
    Ok(())
}

/// A bot to be.
#[derive(Debug)]
pub(super) struct NewBot {
    pub username: String,
    pub name: String,
    pub email: String,
    pub state: UserState,
    pub external: bool,
    pub group_id: Option<i64>,
    pub project_id: Option<i64>,
    pub created_by_id: Option<i64>,
    pub created_at: DateTime<Utc>,
    /// Its role and the end of it; nothing if it is no member.
    pub role: Option<(AccessLevel, Option<NaiveDate>)>,
}

/// Puts bots and their memberships into the database. Returns the lowest of their ids.
pub(super) fn insert_bots(
    conn: &mut DbConnection,
    new: &[NewBot],
    now: DateTime<Utc>,
) -> Result<Option<i64>, Error> {
    if new.is_empty() {
        return Ok(None);
    }
    let rows: Vec<_> = new
        .iter()
        .map(|bot| {
            (
                (
                    users::username.eq(&bot.username),
                    users::username_key.eq(key(&bot.username)),
                    users::name.eq(&bot.name),
                    users::email.eq(&bot.email),
                    users::email_key.eq(key(&bot.email)),
                    users::kind.eq(UserKind::ProjectBot.as_str()),
                    users::state.eq(bot.state.as_str()),
                    users::external.eq(bot.external),
                ),
                (
                    users::bot_group_id.eq(bot.group_id),
                    users::bot_project_id.eq(bot.project_id),
                    users::created_by_id.eq(bot.created_by_id),
                    users::confirmed_at.eq(Timestamp::from(now)),
                    users::created_at.eq(Timestamp::from(bot.created_at)),
                    users::updated_at.eq(Timestamp::from(now)),
                ),
            )
        })
        .collect();
    insert_all!(conn, users::table, rows);
    let names = new.iter().map(|bot| bot.username.clone());
    let made = users_by_name(conn, names)?;
    let rows: Vec<_> = new
        .iter()
        .filter_map(|bot| {
            let (level, expires_at) = bot.role?;
            Some((
                memberships::user_id.eq(made.get(&key(&bot.username))?.id),
                memberships::group_id.eq(bot.group_id),
                memberships::project_id.eq(bot.project_id),
                memberships::access_level.eq(level.number()),
                memberships::expires_at.eq(expires_at),
                memberships::bot.eq(true),
                memberships::created_by_id.eq(bot.created_by_id),
                memberships::created_at.eq(Timestamp::from(bot.created_at)),
            ))
        })
        .collect();
    if !rows.is_empty() {
        insert_all!(conn, memberships::table, rows);
    }
    Ok(made.values().map(|bot| bot.id).min())
}

/// Deletes bots made from this id on that have no token. Returns how many.
pub(super) fn delete_bots_without_token(
    conn: &mut DbConnection,
    from_id: i64,
) -> Result<usize, Error> {
    let has_token = access_tokens::table.filter(access_tokens::user_id.eq(users::id));
    let useless = users::table
        .filter(users::id.ge(from_id))
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(not(exists(has_token)))
        .select(users::id);
    let ids: Vec<i64> = useless.load(conn)?;
    for some in ids.chunks(10_000) {
        diesel::delete(users::table.filter(users::id.eq_any(some.to_vec()))).execute(conn)?;
    }
    Ok(ids.len())
}

/// A digest, as the database keeps it.
pub(super) type Bytes = [u8; 32];

/// The tokens with these digests: id and holder.
pub(super) fn tokens_by_digest(
    conn: &mut DbConnection,
    digests: &[Bytes],
) -> Result<HashMap<Bytes, (i64, i64)>, Error> {
    let wanted: Vec<Vec<u8>> = digests.iter().map(|digest| digest.to_vec()).collect();
    let rows: Vec<(i64, i64, Vec<u8>)> = access_tokens::table
        .filter(access_tokens::digest.eq_any(wanted))
        .select((
            access_tokens::id,
            access_tokens::user_id,
            access_tokens::digest,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, user_id, digest)| Some((digest.try_into().ok()?, (id, user_id))))
        .collect())
}

/// Those of these digests whose tokens were imported or taken away once.
pub(super) fn known_among(
    conn: &mut DbConnection,
    digests: &[Bytes],
) -> Result<HashSet<Bytes>, Error> {
    let wanted: Vec<Vec<u8>> = digests.iter().map(|digest| digest.to_vec()).collect();
    let rows: Vec<Vec<u8>> = imported_digests::table
        .filter(imported_digests::digest.eq_any(wanted))
        .select(imported_digests::digest)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|digest| digest.try_into().ok())
        .collect())
}

/// Keeps digests whose tokens are not to come. None of them is known yet.
pub(super) fn insert_digests(conn: &mut DbConnection, digests: &[Bytes]) -> Result<(), Error> {
    if digests.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = digests
        .iter()
        .map(|digest| imported_digests::digest.eq(digest.as_slice()))
        .collect();
    insert_all!(conn, imported_digests::table, rows);
    Ok(())
}

/// A token to be.
#[derive(Debug)]
pub(super) struct NewToken {
    pub user_id: i64,
    pub group_id: Option<i64>,
    pub project_id: Option<i64>,
    pub root_id: Option<i64>,
    pub name: String,
    pub description: Option<String>,
    pub scopes: String,
    pub digest: Bytes,
    pub digest_version: i32,
    pub hint: String,
    pub expires_at: Option<NaiveDate>,
    pub revoked: bool,
    pub previous_token_id: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Puts tokens, their last uses and their digests into the database. Returns their ids.
pub(super) fn insert_tokens(
    conn: &mut DbConnection,
    new: &[NewToken],
    now: DateTime<Utc>,
) -> Result<HashMap<Bytes, (i64, i64)>, Error> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<_> = new
        .iter()
        .map(|token| {
            (
                (
                    access_tokens::user_id.eq(token.user_id),
                    access_tokens::group_id.eq(token.group_id),
                    access_tokens::project_id.eq(token.project_id),
                    access_tokens::root_id.eq(token.root_id),
                    access_tokens::name.eq(&token.name),
                    access_tokens::description.eq(token.description.as_deref()),
                    access_tokens::scopes.eq(&token.scopes),
                    access_tokens::digest.eq(token.digest.as_slice()),
                    access_tokens::digest_version.eq(token.digest_version),
                ),
                (
                    access_tokens::hint.eq(&token.hint),
                    access_tokens::expires_at.eq(token.expires_at),
                    access_tokens::revoked.eq(token.revoked),
                    access_tokens::previous_token_id.eq(token.previous_token_id),
                    access_tokens::created_at.eq(Timestamp::from(token.created_at)),
                    access_tokens::updated_at.eq(Timestamp::from(token.updated_at)),
                    access_tokens::imported_at.eq(Timestamp::from(now)),
                ),
            )
        })
        .collect();
    insert_all!(conn, access_tokens::table, rows);
    let digests: Vec<Bytes> = new.iter().map(|token| token.digest).collect();
    insert_digests(conn, &digests)?;
    let made = tokens_by_digest(conn, &digests)?;
    let rows: Vec<_> = new
        .iter()
        .filter_map(|token| {
            Some((
                access_token_uses::token_id.eq(made.get(&token.digest)?.0),
                access_token_uses::last_used_at.eq(Timestamp::from(token.last_used_at?)),
            ))
        })
        .collect();
    if !rows.is_empty() {
        insert_all!(conn, access_token_uses::table, rows);
    }
    Ok(made)
}

/// Says which token was rotated into this one.
pub(super) fn set_previous(
    conn: &mut DbConnection,
    id: i64,
    previous_id: i64,
) -> Result<(), Error> {
    diesel::update(access_tokens::table.find(id))
        .set(access_tokens::previous_token_id.eq(previous_id))
        .execute(conn)?;
    Ok(())
}
