//! The hints that are there already.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::emails;
use crate::error::Error;
use crate::mail::outbox::NewEmail;

/// Which of the keys of these mails the outbox has, sent or not.
pub(super) fn known_keys(
    conn: &mut DbConnection,
    mails: &[NewEmail],
) -> Result<HashSet<String>, Error> {
    if mails.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<&str> = mails.iter().map(|mail| mail.key.as_str()).collect();
    let known: Vec<String> = emails::table
        .filter(emails::key.eq_any(keys))
        .select(emails::key)
        .load(conn)?;
    Ok(known.into_iter().collect())
}
