//! How many requests a token made on each day, in UTC: gathered in memory beside its last use, written in batches.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{Days as DayCount, NaiveDate};
use diesel::prelude::*;

use crate::db::DbConnection;
use crate::db::schema::{access_token_days, access_tokens};
use crate::error::Error;

/// Days that are kept and shown, today included.
pub const KEPT: u64 = 30;

/// Counts that one transaction writes.
pub const AT_ONCE: usize = 500;

/// Rows that one step of the clean-up deletes.
const SWEPT_AT_ONCE: i64 = 1_000;

/// Different tokens counted between two writes; further ones have to wait for the next.
const COUNTED: usize = 100_000;

/// Requests by token and day.
pub type Counts = BTreeMap<(i64, NaiveDate), i64>;

/// The requests that this node has seen and not written yet.
#[derive(Debug, Default)]
pub struct Days(Mutex<Counts>);

impl Days {
    /// Counts a request.
    pub(super) fn count(&self, token_id: i64, day: NaiveDate) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < COUNTED || counts.contains_key(&(token_id, day)) {
            *counts.entry((token_id, day)).or_insert(0) += 1;
        }
    }

    /// Takes what has gathered.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back what could not be written.
    pub fn put_back(&self, unwritten: Counts) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (which, requests) in unwritten {
            *counts.entry(which).or_insert(0) += requests;
        }
    }
}

/// Adds counts to what is there.
///
/// # Errors
/// When the database is away; nothing is added then.
pub fn write(conn: &mut DbConnection, counts: &Counts) -> Result<(), Error> {
    for (&(token_id, day), &requests) in counts {
        if !add(conn, token_id, day, requests)? && !begin(conn, token_id, day, requests)? {
            // Another node began the day meanwhile, or the token is gone.
            add(conn, token_id, day, requests)?;
        }
    }
    Ok(())
}

/// `false`, if there is nothing to add to.
fn add(
    conn: &mut DbConnection,
    token_id: i64,
    day: NaiveDate,
    requests: i64,
) -> Result<bool, Error> {
    let changed = diesel::update(access_token_days::table.find((token_id, day)))
        .set(access_token_days::requests.eq(access_token_days::requests + requests))
        .execute(conn)?;
    Ok(changed == 1)
}

/// `false`, if the day has begun already, or there is no such token any more.
fn begin(
    conn: &mut DbConnection,
    token_id: i64,
    day: NaiveDate,
    requests: i64,
) -> Result<bool, Error> {
    let exists: bool = diesel::select(diesel::dsl::exists(access_tokens::table.find(token_id)))
        .get_result(conn)?;
    if !exists {
        return Ok(false);
    }
    let begun = conn.transaction(|conn| {
        diesel::insert_into(access_token_days::table)
            .values((
                access_token_days::token_id.eq(token_id),
                access_token_days::day.eq(day),
                access_token_days::requests.eq(requests),
            ))
            .execute(conn)
    });
    match begun {
        Ok(_) => Ok(true),
        Err(diesel::result::Error::DatabaseError(
            diesel::result::DatabaseErrorKind::UniqueViolation
            | diesel::result::DatabaseErrorKind::ForeignKeyViolation,
            _,
        )) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The first day that is kept.
pub fn first_kept(today: NaiveDate) -> NaiveDate {
    today
        .checked_sub_days(DayCount::new(KEPT - 1))
        .unwrap_or(NaiveDate::MIN)
}

/// Deletes some of what is older than is kept, and tells how many.
///
/// # Errors
/// When the database is away.
pub fn sweep(conn: &mut DbConnection, today: NaiveDate) -> Result<usize, Error> {
    let old: Vec<(i64, NaiveDate)> = access_token_days::table
        .filter(access_token_days::day.lt(first_kept(today)))
        .order(access_token_days::day.asc())
        .limit(SWEPT_AT_ONCE)
        .select((access_token_days::token_id, access_token_days::day))
        .load(conn)?;
    let Some((_, latest)) = old.last() else {
        return Ok(0);
    };
    let tokens: Vec<i64> = old.iter().map(|(token_id, _)| *token_id).collect();
    Ok(diesel::delete(
        access_token_days::table
            .filter(access_token_days::token_id.eq_any(tokens))
            .filter(access_token_days::day.le(*latest)),
    )
    .execute(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_token_and_day_and_what_is_put_back_is_added() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (one, other) = (day("2026-11-20"), day("2026-11-21"));
        let days = Days::default();
        for (token, day) in [(7, one), (7, one), (7, other), (8, one)] {
            days.count(token, day);
        }
        let taken = days.take();
        assert_eq!(
            taken,
            Counts::from([((7, one), 2), ((7, other), 1), ((8, one), 1)])
        );
        assert!(days.take().is_empty());
        days.count(7, one);
        days.put_back(taken);
        assert_eq!(days.take()[&(7, one)], 3);
    }

    #[test]
    fn thirty_days_are_kept_with_today() {
        let today = "2026-11-30".parse().unwrap();
        assert_eq!(first_kept(today).to_string(), "2026-11-01");
    }
}
