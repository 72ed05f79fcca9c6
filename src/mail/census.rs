//! How many mails there are, and how long the oldest has waited: for whoever watches an instance, from inside or outside.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use crate::db::schema::emails;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// How many mails are in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// To be sent.
    pub waiting: i64,
    /// On their way.
    pub sending: i64,
    /// Sent, and not yet forgotten.
    pub sent: i64,
    /// Never taken by a server.
    pub refused: i64,
    /// Given up.
    pub dropped: i64,
}

impl Counts {
    /// The numbers, under the names that the outbox has for the states.
    pub fn by_state(&self) -> [(&'static str, i64); 5] {
        [
            ("waiting", self.waiting),
            ("sending", self.sending),
            ("sent", self.sent),
            ("refused", self.refused),
            ("dropped", self.dropped),
        ]
    }
}

/// The rows of the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// How many there are in each state.
    pub counts: Counts,
    /// When the oldest one was put in that isn't settled yet.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Counts the rows of the outbox, state by state, from an index alone.
///
/// # Errors
/// When the database is away.
pub fn count_all(conn: &mut DbConnection) -> Result<Census, Error> {
    let mut of = |state| -> Result<(i64, Option<DateTime<Utc>>), Error> {
        let (number, oldest): (i64, Option<Timestamp>) = emails::table
            .filter(emails::state.eq(state))
            .select((count_star(), min(emails::created_at)))
            .get_result(conn)?;
        Ok((number, oldest.map(DateTime::from)))
    };
    let ((waiting, first), (sending, other)) = (of("waiting")?, of("sending")?);
    Ok(Census {
        counts: Counts {
            waiting,
            sending,
            sent: of("sent")?.0,
            refused: of("refused")?.0,
            dropped: of("dropped")?.0,
        },
        oldest_waiting: [first, other].into_iter().flatten().min(),
    })
}
