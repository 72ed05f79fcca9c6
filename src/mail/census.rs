//! How many mails there are, and how long the oldest has waited: for whoever watches an instance from outside.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use crate::db::schema::emails;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// What can become of a mail.
const STATES: [&str; 5] = ["waiting", "sending", "sent", "refused", "dropped"];

/// The rows of the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// How many there are in each state.
    pub numbers: Vec<(&'static str, i64)>,
    /// When the oldest one was put in that isn't settled yet.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Counts the rows of the outbox, state by state, from an index alone.
///
/// # Errors
/// When the database is away.
pub fn count_all(conn: &mut DbConnection) -> Result<Census, Error> {
    let mut census = Census::default();
    for state in STATES {
        let (number, oldest): (i64, Option<Timestamp>) = emails::table
            .filter(emails::state.eq(state))
            .select((count_star(), min(emails::created_at)))
            .get_result(conn)?;
        census.numbers.push((state, number));
        if matches!(state, "waiting" | "sending") {
            let oldest = oldest.map(DateTime::from);
            census.oldest_waiting = [census.oldest_waiting, oldest].into_iter().flatten().min();
        }
    }
    Ok(census)
}
