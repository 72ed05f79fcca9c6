//! What the overview counts.

use chrono::Days;
use diesel::prelude::*;

use crate::context::Context;
use crate::db::schema::{access_tokens, groups, projects, users};
use crate::db::{COUNTED_AT_MOST, DbConnection, Total};
use crate::error::Error;
use crate::users::{UserKind, UserState};

/// A token that ends within so many days is told apart.
const NEAR: Days = Days::new(14);

/// How many users there are of a kind in a state.
pub type Accounts = Vec<(UserKind, UserState, i64)>;

/// What the overview counts.
#[derive(Debug)]
pub struct Counts {
    /// All users; exactly, for seats go by it.
    pub accounts: Accounts,
    /// Groups, without personal namespaces.
    pub groups: Total,
    /// Projects.
    pub projects: Total,
    /// Tokens that work.
    pub active_tokens: Total,
    /// Those of them that end soon.
    pub expiring_tokens: Total,
    /// People who wait for approval.
    pub pending: i64,
    /// What the database is called.
    pub database: &'static str,
}

/// Counts it all; what there may be very many of not beyond [`COUNTED_AT_MOST`].
///
/// # Errors
/// When the database is away.
pub fn count(conn: &mut DbConnection, ctx: &Context) -> Result<Counts, Error> {
    let today = ctx.today();
    let near = today
        .checked_add_days(NEAR)
        .unwrap_or(chrono::NaiveDate::MAX);
    let at_most = COUNTED_AT_MOST + 1;
    let total =
        |ids: Vec<i64>| Total::from_bounded_count(i64::try_from(ids.len()).unwrap_or(i64::MAX));
    let living = || {
        access_tokens::table
            .inner_join(users::table)
            .filter(users::bot_gone_at.is_null())
            .filter(diesel::dsl::not(access_tokens::revoked))
            .limit(at_most)
            .select(access_tokens::id)
    };
    Ok(Counts {
        accounts: crate::users::store::count_by_kind_and_state(conn)?,
        groups: total(
            groups::table
                .filter(groups::kind.eq("group"))
                .limit(at_most)
                .select(groups::id)
                .load(conn)?,
        ),
        projects: total(
            projects::table
                .limit(at_most)
                .select(projects::id)
                .load(conn)?,
        ),
        active_tokens: total(
            living()
                .filter(
                    access_tokens::expires_at
                        .is_null()
                        .or(access_tokens::expires_at.gt(today)),
                )
                .load(conn)?,
        ),
        expiring_tokens: total(
            living()
                .filter(access_tokens::expires_at.gt(today))
                .filter(access_tokens::expires_at.le(near))
                .load(conn)?,
        ),
        pending: crate::users::store::count_pending(conn)?,
        database: match conn {
            DbConnection::Postgres(_) => "PostgreSQL",
            DbConnection::Sqlite(_) => "SQLite",
        },
    })
}
