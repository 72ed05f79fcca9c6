//! The mails that people want, in the database.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{Choices, ExpiryMails};
use crate::db::DbConnection;
use crate::db::schema::users;
use crate::error::Error;
use crate::users::{UnknownWord, UserKind, UserState};

/// Ids that one query asks for; databases have a limit on values.
const AT_ONCE: usize = 10_000;

/// What these people have chosen, by the person's id. One query for ten thousand of them.
///
/// # Errors
/// When the database is away.
pub fn choices_of(
    conn: &mut DbConnection,
    user_ids: &[i64],
) -> Result<HashMap<i64, Choices>, Error> {
    let mut found = HashMap::new();
    for some in user_ids.chunks(AT_ONCE) {
        let rows: Vec<(i64, String, bool)> = users::table
            .filter(users::id.eq_any(some))
            .select((users::id, users::expiry_mails, users::unused_token_mails))
            .load(conn)?;
        for (id, expiry_mails, unused_token_mails) in rows {
            let Some(mails) = ExpiryMails::parse(&expiry_mails) else {
                return Err(Error::internal(UnknownWord(expiry_mails).into()));
            };
            let choices = Choices {
                expiry_mails: mails,
                unused_token_mails,
            };
            found.insert(id, choices);
        }
    }
    Ok(found)
}

/// The next people, by id after this one, who may act and want to be told of tokens that nobody uses.
///
/// # Errors
/// When the database is away.
pub fn wanting_unused_token_mails(
    conn: &mut DbConnection,
    after_id: i64,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    Ok(users::table
        .filter(users::unused_token_mails)
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::id.gt(after_id))
        .order(users::id.asc())
        .limit(limit)
        .select(users::id)
        .load(conn)?)
}

/// Writes a choice down.
pub(super) fn put(conn: &mut DbConnection, user_id: i64, choices: Choices) -> Result<(), Error> {
    diesel::update(users::table.find(user_id))
        .set((
            users::expiry_mails.eq(choices.expiry_mails.name()),
            users::unused_token_mails.eq(choices.unused_token_mails),
        ))
        .execute(conn)?;
    Ok(())
}
