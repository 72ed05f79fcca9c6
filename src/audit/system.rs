//! What happens to the instance as a whole, without anybody's doing.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Event, Target, record, record_refusal};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Something that is told once in ten minutes, however often it is found.
#[derive(Debug, Default)]
pub struct Told(Mutex<Option<DateTime<Utc>>>);

impl Told {
    /// Was it not told within the last ten minutes? Then it counts as told now.
    pub fn is_news(&self, now: DateTime<Utc>) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = last.is_none_or(|last| (now - last).abs() >= TimeDelta::minutes(10));
        if news {
            *last = Some(now);
        }
        news
    }
}

/// A server starts.
///
/// # Errors
/// When the database can't take the row.
pub fn started(conn: &mut DbConnection, ctx: &Context) -> Result<(), Error> {
    let details = json!({ "version": VERSION });
    record(
        conn,
        ctx,
        Event::new("system_started", Target::Instance).with(details),
    )
}

/// So many migrations were applied.
///
/// # Errors
/// As [`started`].
pub fn migrated(conn: &mut DbConnection, ctx: &Context, migrations: usize) -> Result<(), Error> {
    let details = json!({ "version": VERSION, "migrations": migrations });
    record(
        conn,
        ctx,
        Event::new("system_migrated", Target::Instance).with(details),
    )
}

/// This machine's clock and the database server's are apart. Of ten minutes of it one line is written.
///
/// # Errors
/// As [`started`].
pub fn clock_skew(conn: &mut DbConnection, ctx: &Context, reason: &str) -> Result<(), Error> {
    let details = json!({ "reason": reason });
    record_refusal(
        conn,
        ctx,
        Event::new("system_clock_skew", Target::Instance).with(details),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_in_ten_minutes_whichever_way_the_clock_goes() {
        let told = Told::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert!(told.is_news(now));
        assert!(!told.is_news(now + TimeDelta::minutes(9)));
        assert!(told.is_news(now + TimeDelta::minutes(10)));
        assert!(told.is_news(now - TimeDelta::hours(1)));
    }
}
