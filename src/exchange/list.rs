//! What is in the database, page by page, as a file has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::format::{
    BotEntry, GroupEntry, MembershipEntry, ProjectEntry, State, TokenEntry, UserEntry,
};
use crate::access_tokens::imported::salt::OF_SALTED_HASH;
use crate::access_tokens::scope::Scopes;
use crate::db::schema::{
    access_token_uses, access_tokens, groups, imported_digests, memberships, projects, users,
};
use crate::db::{DbConnection, Timestamp, by_character};
use crate::error::Error;
use crate::groups::Visibility;
use crate::members::AccessLevel;
use crate::users::{UserKind, UserState};

/// Rows of a page.
const PAGE: i64 = 1_000;

diesel::alias!(
    users as makers: Makers,
    groups as bot_groups: BotGroups
);

/// People, by id.
pub(super) fn users(conn: &mut DbConnection, after: &i64) -> Result<Vec<(i64, UserEntry)>, Error> {
    type Row = (
        i64,
        String,
        String,
        String,
        bool,
        bool,
        String,
        Option<String>,
        Timestamp,
        (Option<Timestamp>, Option<Timestamp>),
    );
    let rows: Vec<Row> = users::table
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::id.gt(after))
        .order(users::id.asc())
        .limit(PAGE)
        .select((
            users::id,
            users::username,
            users::name,
            users::email,
            users::admin,
            users::external,
            users::state,
            users::password_hash,
            users::created_at,
            (users::confirmed_at, users::approval_requested_at),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(
            |(id, username, name, email, admin, external, state, hash, created_at, waits)| {
                let (confirmed_at, approval_requested_at) = waits;
                let entry = UserEntry {
                    username,
                    name,
                    email,
                    admin,
                    external,
                    state: self::state(state)?,
                    confirmed_at: Some(confirmed_at.map(DateTime::from)),
                    approval_requested_at: approval_requested_at.map(DateTime::from),
                    password_hash: hash,
                    created_at: Some(created_at.into()),
                };
                Ok((id, entry))
            },
        )
        .collect()
}

/// Groups, by path: each after the one it is in.
pub(super) fn groups(
    conn: &mut DbConnection,
    after: &str,
) -> Result<Vec<(String, GroupEntry)>, Error> {
    /// Of a top-level group: plan, only tried, keeps bots.
    type Own = (Option<i64>, String, bool, Option<bool>);
    type Row = (String, String, String, String, bool, Timestamp, Own);
    let rows: Vec<Row> = groups::table
        .filter(groups::kind.eq("group"))
        .filter(by_character(groups::full_path).gt(after))
        .order(by_character(groups::full_path).asc())
        .limit(PAGE)
        .select((
            groups::full_path,
            groups::name,
            groups::description,
            groups::visibility,
            groups::resource_access_token_creation_allowed,
            groups::created_at,
            (
                groups::parent_id,
                groups::plan,
                groups::trial,
                groups::retain_bots,
            ),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(
            |(path, name, description, visibility, allowed, created_at, own)| {
                let (parent_id, plan, trial, retain_bots) = own;
                let is_root = parent_id.is_none();
                let entry = GroupEntry {
                    path: path.clone(),
                    name,
                    description,
                    visibility: self::visibility(visibility)?,
                    resource_access_token_creation_allowed: allowed || !is_root,
                    plan: is_root.then_some(plan),
                    trial: is_root && trial,
                    retain_bots: retain_bots.filter(|_| is_root),
                    created_at: Some(created_at.into()),
                };
                Ok((path, entry))
            },
        )
        .collect()
}

/// Projects, by id.
pub(super) fn projects(
    conn: &mut DbConnection,
    after: &i64,
) -> Result<Vec<(i64, ProjectEntry)>, Error> {
    type Row = (
        i64,
        String,
        String,
        String,
        String,
        String,
        bool,
        String,
        Timestamp,
    );
    let rows: Vec<Row> = projects::table
        .inner_join(groups::table)
        .filter(projects::id.gt(after))
        .order(projects::id.asc())
        .limit(PAGE)
        .select((
            projects::id,
            groups::full_path,
            projects::path,
            projects::name,
            projects::description,
            projects::visibility,
            projects::archived,
            projects::default_branch,
            projects::created_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(
            |(id, namespace, path, name, description, visibility, archived, branch, created_at)| {
                let entry = ProjectEntry {
                    path: format!("{namespace}/{path}"),
                    name,
                    description,
                    visibility: self::visibility(visibility)?,
                    archived,
                    default_branch: Some(branch),
                    created_at: Some(created_at.into()),
                };
                Ok((id, entry))
            },
        )
        .collect()
}

/// Where somebody belongs: a group's path, or a project's in two parts.
type Home = (Option<String>, Option<(String, String)>);

fn home((group, project): Home) -> (Option<String>, Option<String>) {
    let project = project.map(|(namespace, path)| format!("{namespace}/{path}"));
    (group, project)
}

/// Roles of people, by id.
pub(super) fn memberships(
    conn: &mut DbConnection,
    after: &i64,
) -> Result<Vec<(i64, MembershipEntry)>, Error> {
    type Row = (i64, String, Home, i32, Option<NaiveDate>, Timestamp);
    let rows: Vec<Row> = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .left_join(
            bot_groups.on(bot_groups
                .field(groups::id)
                .nullable()
                .eq(memberships::group_id)),
        )
        .left_join(
            projects::table
                .inner_join(groups::table)
                .on(projects::id.nullable().eq(memberships::project_id)),
        )
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(memberships::id.gt(after))
        .order(memberships::id.asc())
        .limit(PAGE)
        .select((
            memberships::id,
            users::username,
            (
                bot_groups.field(groups::full_path).nullable(),
                (groups::full_path, projects::path).nullable(),
            ),
            memberships::access_level,
            memberships::expires_at,
            memberships::created_at,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, user, place, level, expires_at, created_at)| {
            let (group, project) = home(place);
            let entry = MembershipEntry {
                user,
                group,
                project,
                access_level: self::level(level)?,
                expires_at,
                created_at: Some(created_at.into()),
            };
            Ok((id, entry))
        })
        .collect()
}

/// Bots, by id; those whose token is gone left out.
pub(super) fn bots(conn: &mut DbConnection, after: &i64) -> Result<Vec<(i64, BotEntry)>, Error> {
    type Row = (
        (i64, String, String, bool, String, Timestamp),
        Home,
        Option<(i32, Option<NaiveDate>)>,
        Option<(String, String)>,
    );
    let rows: Vec<Row> = users::table
        .left_join(
            bot_groups.on(bot_groups
                .field(groups::id)
                .nullable()
                .eq(users::bot_group_id)),
        )
        .left_join(
            projects::table
                .inner_join(groups::table)
                .on(projects::id.nullable().eq(users::bot_project_id)),
        )
        .left_join(memberships::table.on(memberships::user_id.eq(users::id).and(memberships::bot)))
        .left_join(makers.on(makers.field(users::id).nullable().eq(users::created_by_id)))
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(users::bot_gone_at.is_null())
        .filter(users::id.gt(after))
        .order(users::id.asc())
        .limit(PAGE)
        .select((
            (
                users::id,
                users::username,
                users::name,
                users::external,
                users::state,
                users::created_at,
            ),
            (
                bot_groups.field(groups::full_path).nullable(),
                (groups::full_path, projects::path).nullable(),
            ),
            (memberships::access_level, memberships::expires_at).nullable(),
            makers.fields((users::username, users::kind)).nullable(),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(
            |((id, username, name, external, state, created_at), place, role, maker)| {
                let (group, project) = home(place);
                let entry = BotEntry {
                    username,
                    name,
                    group,
                    project,
                    access_level: role.map(|(level, _)| self::level(level)).transpose()?,
                    expires_at: role.and_then(|(_, expires_at)| expires_at),
                    external,
                    state: self::state(state)?,
                    created_by: maker
                        .filter(|(_, kind)| kind == UserKind::Human.as_str())
                        .map(|(name, _)| name),
                    created_at: Some(created_at.into()),
                };
                Ok((id, entry))
            },
        )
        .collect()
}

/// Tokens, by id: each after the one that was rotated into it.
pub(super) fn tokens(
    conn: &mut DbConnection,
    after: &i64,
) -> Result<Vec<(i64, TokenEntry)>, Error> {
    type Row = (
        (
            i64,
            String,
            String,
            Option<String>,
            String,
            Vec<u8>,
            i32,
            String,
        ),
        (Option<NaiveDate>, bool, Option<i64>, Timestamp, Timestamp),
        Option<Timestamp>,
    );
    let rows: Vec<Row> = access_tokens::table
        .inner_join(users::table)
        .left_join(access_token_uses::table.on(access_token_uses::token_id.eq(access_tokens::id)))
        .filter(users::bot_gone_at.is_null())
        .filter(access_tokens::id.gt(after))
        .order(access_tokens::id.asc())
        .limit(PAGE)
        .select((
            (
                access_tokens::id,
                users::username,
                access_tokens::name,
                access_tokens::description,
                access_tokens::scopes,
                access_tokens::digest,
                access_tokens::digest_version,
                access_tokens::hint,
            ),
            (
                access_tokens::expires_at,
                access_tokens::revoked,
                access_tokens::previous_token_id,
                access_tokens::created_at,
                access_tokens::updated_at,
            ),
            access_token_uses::last_used_at.nullable(),
        ))
        .load(conn)?;
    let previous: Vec<i64> = rows
        .iter()
        .filter_map(|(_, (_, _, id, ..), _)| *id)
        .collect();
    let previous: std::collections::HashMap<i64, Vec<u8>> = access_tokens::table
        .filter(access_tokens::id.eq_any(previous))
        .select((access_tokens::id, access_tokens::digest))
        .load::<(i64, Vec<u8>)>(conn)?
        .into_iter()
        .collect();
    rows.into_iter()
        .map(|(own, dates, last_used_at)| {
            let (id, user, name, description, scopes, digest, version, hint) = own;
            let (expires_at, revoked, previous_id, created_at, updated_at) = dates;
            let scopes = Scopes::parse(&scopes).map_err(|error| Error::internal(error.into()))?;
            let entry = TokenEntry {
                user,
                name,
                description,
                scopes: scopes.names().into_iter().map(str::to_owned).collect(),
                digest: STANDARD.encode(digest),
                salted: version == OF_SALTED_HASH,
                hint: Some(hint).filter(|hint| !hint.is_empty()),
                expires_at,
                revoked,
                previous_digest: previous_id
                    .and_then(|id| previous.get(&id))
                    .map(|digest| STANDARD.encode(digest)),
                created_at: Some(created_at.into()),
                updated_at: Some(updated_at.into()),
                last_used_at: last_used_at.map(DateTime::<Utc>::from),
            };
            Ok((id, entry))
        })
        .collect()
}

/// Digests of tokens that are no more, in their order: those that were imported or taken away here and aren't in the list of
/// tokens. A token whose bot is gone still has its row for a moment, and nothing else says that it is no more.
pub(super) fn taken_away(
    conn: &mut DbConnection,
    after: &Vec<u8>,
) -> Result<Vec<(Vec<u8>, String)>, Error> {
    let of_a_row = access_tokens::table.filter(access_tokens::digest.eq(imported_digests::digest));
    let mut past: Vec<Vec<u8>> = imported_digests::table
        .filter(imported_digests::digest.gt(after))
        .filter(not(exists(of_a_row)))
        .order(imported_digests::digest.asc())
        .limit(PAGE)
        .select(imported_digests::digest)
        .load(conn)?;
    let leaving: Vec<Vec<u8>> = access_tokens::table
        .inner_join(users::table)
        .filter(users::bot_gone_at.is_not_null())
        .filter(access_tokens::digest.gt(after))
        .order(access_tokens::digest.asc())
        .limit(PAGE)
        .select(access_tokens::digest)
        .load(conn)?;
    // Each is in one of the two. The first page of both together is within the first page of each.
    past.extend(leaving);
    past.sort();
    Ok(past
        .into_iter()
        .take(usize::try_from(PAGE).unwrap_or(usize::MAX))
        .map(|digest| {
            let text = STANDARD.encode(&digest);
            (digest, text)
        })
        .collect())
}

fn state(word: String) -> Result<State, Error> {
    match UserState::try_from(word).map_err(|error| Error::internal(error.into()))? {
        UserState::Active => Ok(State::Active),
        UserState::Blocked => Ok(State::Blocked),
        UserState::Deactivated => Ok(State::Deactivated),
    }
}

fn visibility(word: String) -> Result<Visibility, Error> {
    Visibility::try_from(word).map_err(|error| Error::internal(error.into()))
}

fn level(number: i32) -> Result<AccessLevel, Error> {
    AccessLevel::try_from(number).map_err(|error| Error::internal(error.into()))
}
