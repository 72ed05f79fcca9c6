//! What the company is told: nothing of what happened long ago, and, as soon as the server runs, which tokens end soon.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::people;
use crate::app::App;
use crate::db::DbConnection;
use crate::db::schema::emails;
use crate::error::Error;
use crate::jobs::{self, Job};

/// Who administers the demo.
const ADMINISTRATOR: &str = "root";

/// Empties the outbox of what the company's past has put there, and asks for an expiry check.
///
/// # Errors
/// When the database can't take it.
pub(super) fn expect(conn: &mut DbConnection, app: &App, now: DateTime<Utc>) -> Result<(), Error> {
    diesel::delete(emails::table).execute(conn)?;
    let ctx = people::acting(conn, app, ADMINISTRATOR, now)?;
    jobs::request(conn, &ctx, Job::ExpiryCheck)
}
