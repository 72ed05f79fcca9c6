//! What the overview counts.

use chrono::Days;
use diesel::prelude::*;

use crate::context::Context;
use crate::db::DbConnection;
use crate::db::schema::{access_tokens, groups, projects, users};
use crate::error::Error;
use crate::users::{UserKind, UserState};

/// A token that ends within so many days is told apart.
const NEAR: Days = Days::new(14);

/// How many users there are of a kind in a state.
pub(super) type Accounts = Vec<(UserKind, UserState, i64)>;

/// What the overview counts.
pub(super) struct Counts {
    pub accounts: Accounts,
    pub groups: i64,
    pub projects: i64,
    pub active_tokens: i64,
    pub expiring_tokens: i64,
    pub pending: i64,
    pub database: &'static str,
}

/// Counts it all.
pub(super) fn count(conn: &mut DbConnection, ctx: &Context) -> Result<Counts, Error> {
    let today = ctx.today();
    let near = today
        .checked_add_days(NEAR)
        .unwrap_or(chrono::NaiveDate::MAX);
    let active = || {
        access_tokens::table
            .inner_join(users::table)
            .filter(users::bot_gone_at.is_null())
            .filter(access_tokens::revoked.eq(false))
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt(today)),
            )
    };
    Ok(Counts {
        accounts: crate::users::store::count_by_kind_and_state(conn)?,
        groups: groups::table
            .filter(groups::kind.eq("group"))
            .count()
            .get_result(conn)?,
        projects: projects::table.count().get_result(conn)?,
        active_tokens: active().count().get_result(conn)?,
        expiring_tokens: active()
            .filter(access_tokens::expires_at.le(near))
            .count()
            .get_result(conn)?,
        pending: crate::users::store::count_pending(conn)?,
        database: match conn {
            DbConnection::Postgres(_) => "PostgreSQL",
            DbConnection::Sqlite(_) => "SQLite",
        },
    })
}
