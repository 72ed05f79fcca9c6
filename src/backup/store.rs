//! What a database says about itself.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::schema::{account_links, audit_events, instance, users};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// The fingerprint of the secret that it is used with; nothing before its first use.
///
/// # Errors
/// When the database can't be read.
pub(crate) fn fingerprint(conn: &mut DbConnection) -> Result<Option<String>, Error> {
    Ok(instance::table
        .find(1)
        .select(instance::secret_fingerprint)
        .get_result(conn)
        .optional()?
        .flatten())
}

/// Is the one row there without which a database is none yet? A restore on PostgreSQL puts it in last.
///
/// # Errors
/// When the database can't be read.
pub(crate) fn is_finished(conn: &mut DbConnection) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(instance::table.find(1))).get_result(conn)?)
}

/// When the copy was made that this is, as far as it says: of when its newest change is. Each one that Latchkey took holds
/// the line of the trail about itself.
pub(super) fn taken_at(conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
    let at: Option<Timestamp> = audit_events::table
        .select(max(audit_events::created_at))
        .get_result(conn)?;
    Ok(at.map(DateTime::from))
}

/// Links in mails, and the one for the first administrator, are good once: used, cut or replaced since, none may be good
/// again.
pub(super) fn cut_links(conn: &mut DbConnection) -> Result<(), Error> {
    diesel::delete(account_links::table).execute(conn)?;
    diesel::update(instance::table)
        .set((
            instance::setup_token_digest.eq(None::<Vec<u8>>),
            instance::setup_token_expires_at.eq(None::<Timestamp>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Does anybody live there? In a database that was just made nobody does.
pub(super) fn has_people(conn: &mut DbConnection) -> Result<bool, Error> {
    Ok(diesel::select(diesel::dsl::exists(
        users::table.filter(users::kind.eq("human")),
    ))
    .get_result(conn)?)
}
