//! What the pages about people read.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::db::schema::{access_tokens, memberships, users};
use crate::db::{
    Backend, COUNTED_AT_MOST, DbConnection, Limits as _, Page, PageRequest, Timestamp,
    by_character, coalesce_timestamp, lower,
};
use crate::error::Error;
use crate::groups::store::like_pattern;
use crate::members::Membership;
use crate::users::{User, UserKind, UserState};

/// Which users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    /// People who can sign in.
    #[default]
    Active,
    /// Administrators, whatever their state.
    Admins,
    /// People who were locked out or set aside.
    Blocked,
    /// People from outside, whatever their state.
    External,
    /// The bots of group and project access tokens.
    Bots,
    /// People who signed up and wait until they are let in.
    Pending,
}

/// What the list is sorted by; ties by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// When they were made, which is the order of the ids.
    #[default]
    Created,
    /// The name, whatever the case.
    Name,
    /// The last sign-in; never is the oldest.
    LastSignIn,
}

/// What narrows and orders the list.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which users.
    pub tab: Tab,
    /// The name, the user name or the address contains this, whatever the case.
    pub search: String,
    /// The order.
    pub sort: Sort,
    /// Largest first?
    pub descending: bool,
}

/// One page of the users that a query asks for.
///
/// # Errors
/// When the database is away.
pub fn list(
    conn: &mut DbConnection,
    query: &Query,
    request: PageRequest,
) -> Result<Page<User>, Error> {
    let base = || {
        let mut rows = users::table
            .filter(users::bot_gone_at.is_null())
            .into_boxed::<Backend>();
        let kind = if query.tab == Tab::Bots {
            UserKind::ProjectBot
        } else {
            UserKind::Human
        };
        rows = rows.filter(users::kind.eq(kind.as_str()));
        rows = match query.tab {
            Tab::Active => rows.filter(users::state.eq(UserState::Active.as_str())),
            Tab::Blocked => {
                let states = [UserState::Blocked, UserState::Deactivated].map(UserState::as_str);
                rows.filter(users::state.eq_any(states))
                    .filter(users::approval_requested_at.is_null())
            }
            Tab::Pending => rows
                .filter(users::state.eq(UserState::Blocked.as_str()))
                .filter(users::approval_requested_at.is_not_null()),
            // The columns as they are: an index has just these rows.
            Tab::Admins => rows.filter(users::admin),
            Tab::External => rows.filter(users::external),
            Tab::Bots => rows,
        };
        if !query.search.is_empty() {
            let pattern = like_pattern(&query.search);
            rows = rows.filter(
                lower(users::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(users::username_key.like(pattern.clone()).escape('\\'))
                    .or(users::email_key.like(pattern).escape('\\')),
            );
        }
        rows
    };
    let rows = base().select(User::as_select());
    macro_rules! by {
        ($key:expr) => {
            if query.descending {
                rows.order(($key.desc(), users::id.desc()))
            } else {
                rows.order(($key.asc(), users::id.asc()))
            }
        };
    }
    let never = Timestamp::from(DateTime::UNIX_EPOCH);
    let rows = match query.sort {
        Sort::Created if query.descending => rows.order(users::id.desc()),
        Sort::Created => rows.order(users::id.asc()),
        Sort::Name => by!(by_character(lower(users::name))),
        Sort::LastSignIn => by!(coalesce_timestamp(users::last_sign_in_at, never)),
    };
    let rows: Vec<User> = rows.page(request).load(conn)?;
    Page::counted(rows, request, || {
        Ok(base()
            .select(users::id)
            .at_most(COUNTED_AT_MOST + 1)
            .load(conn)?)
    })
}

/// In how many groups and projects each of these users has a role that counts on this day; those without
/// any are absent.
///
/// # Errors
/// When the database is away.
pub fn count_roles(
    conn: &mut DbConnection,
    ids: &[i64],
    today: NaiveDate,
) -> Result<HashMap<i64, i64>, Error> {
    let counts: Vec<(i64, i64)> = memberships::table
        .filter(memberships::user_id.eq_any(ids))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(today)),
        )
        .group_by(memberships::user_id)
        .select((memberships::user_id, count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}

/// One page of a user's roles, ended ones included, the newest first, each with when it was given.
///
/// # Errors
/// When the database is away.
pub fn roles(
    conn: &mut DbConnection,
    user_id: i64,
    request: PageRequest,
) -> Result<Page<(Membership, DateTime<Utc>)>, Error> {
    let base = || memberships::table.filter(memberships::user_id.eq(user_id));
    let rows: Vec<(Membership, Timestamp)> = base()
        .select((Membership::as_select(), memberships::created_at))
        .order(memberships::id.desc())
        .page(request)
        .load(conn)?;
    let page = Page::counted(rows, request, || {
        base()
            .select(memberships::id)
            .at_most(COUNTED_AT_MOST + 1)
            .load(conn)
    })?;
    Ok(page.map(|(membership, at)| (membership, at.into())))
}

/// How many of a person's own tokens work on this day.
///
/// # Errors
/// When the database is away.
pub fn count_active_tokens(
    conn: &mut DbConnection,
    user_id: i64,
    today: NaiveDate,
) -> Result<i64, Error> {
    Ok(access_tokens::table
        .filter(access_tokens::user_id.eq(user_id))
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(
            access_tokens::expires_at
                .is_null()
                .or(access_tokens::expires_at.gt(today)),
        )
        .count()
        .get_result(conn)?)
}

/// How many bots there are of tokens that this person made in groups and projects.
///
/// # Errors
/// When the database is away.
pub fn count_bots_made_by(conn: &mut DbConnection, user_id: i64) -> Result<i64, Error> {
    Ok(users::table
        .filter(users::created_by_id.eq(user_id))
        .filter(users::kind.eq(UserKind::ProjectBot.as_str()))
        .filter(users::bot_gone_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Is somebody else an active administrator, too?
///
/// # Errors
/// When the database is away.
pub fn has_other_admins(conn: &mut DbConnection, user_id: i64) -> Result<bool, Error> {
    Ok(crate::users::store::other_admins(conn, user_id)? > 0)
}
