//! Bots: the user behind each group and project access token. One per token, at home in one place.

pub mod create;
pub mod delete;
pub mod retention;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::db::schema::users;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// Calls a bot what its token is called from now on.
///
/// # Errors
/// When the database is away.
pub fn rename(
    conn: &mut DbConnection,
    bot_id: i64,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::update(users::table.find(bot_id))
        .set((
            users::name.eq(name),
            users::updated_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
