//! How many deliveries there are, and how long the oldest has waited: for whoever watches an instance from outside.

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, min};
use diesel::prelude::*;

use super::DeliveryState;
use crate::db::schema::webhook_deliveries;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// The log and the queue of all webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// How many deliveries there are in each state.
    pub numbers: Vec<(&'static str, i64)>,
    /// When the oldest one was put in that isn't settled yet.
    pub oldest_waiting: Option<DateTime<Utc>>,
}

/// Counts deliveries, state by state, from an index alone.
///
/// # Errors
/// When the database is away.
pub fn count_all(conn: &mut DbConnection) -> Result<Census, Error> {
    let mut census = Census::default();
    for state in [
        DeliveryState::Waiting,
        DeliveryState::Sending,
        DeliveryState::Delivered,
        DeliveryState::Failed,
    ] {
        let (number, oldest): (i64, Option<Timestamp>) = webhook_deliveries::table
            .filter(webhook_deliveries::state.eq(state.as_str()))
            .select((count_star(), min(webhook_deliveries::created_at)))
            .get_result(conn)?;
        census.numbers.push((state.as_str(), number));
        if matches!(state, DeliveryState::Waiting | DeliveryState::Sending) {
            let oldest = oldest.map(DateTime::from);
            census.oldest_waiting = [census.oldest_waiting, oldest].into_iter().flatten().min();
        }
    }
    Ok(census)
}
