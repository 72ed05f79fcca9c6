//! The queue: what waits to be sent, who takes it, and how it comes out.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::min;
use diesel::prelude::*;

use super::fairness::Waiting;
use super::{Delivery, DeliveryState, EventKind};
use crate::db::schema::{groups, webhook_deliveries, webhooks};
use crate::db::{DbConnection, Timestamp, columns};
use crate::error::Error;
use crate::members::ids_of;

/// A delivery to be, due at once.
#[derive(Debug, Clone)]
pub(super) struct NewDelivery<'a> {
    pub webhook_id: i64,
    pub key: Option<&'a str>,
    pub event: EventKind,
    pub event_uuid: &'a str,
    pub message_id: String,
    pub body: &'a str,
    pub redelivery_of: Option<i64>,
}

/// Rows that one statement writes; databases have a limit on values.
const AT_ONCE: usize = 500;

/// Whoever sends has this long, and then somebody else may.
const TAKEN_FOR: TimeDelta = TimeDelta::minutes(1);

/// Puts deliveries into the queue. Those whose webhook knows the key already are left out. Returns how many are new.
pub(super) fn enqueue(
    conn: &mut DbConnection,
    new: &[NewDelivery<'_>],
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let now = Timestamp::from(now);
    let mut queued = 0;
    for some in new.chunks(AT_ONCE) {
        let rows: Vec<_> = some
            .iter()
            .map(|delivery| {
                (
                    webhook_deliveries::webhook_id.eq(delivery.webhook_id),
                    webhook_deliveries::key.eq(delivery.key),
                    webhook_deliveries::event.eq(delivery.event.as_str()),
                    webhook_deliveries::event_uuid.eq(delivery.event_uuid),
                    webhook_deliveries::message_id.eq(&delivery.message_id),
                    webhook_deliveries::body.eq(delivery.body),
                    webhook_deliveries::state.eq(DeliveryState::Waiting.as_str()),
                    webhook_deliveries::due_at.eq(now),
                    webhook_deliveries::redelivery_of.eq(delivery.redelivery_of),
                    webhook_deliveries::created_at.eq(now),
                )
            })
            .collect();
        queued += match conn {
            DbConnection::Sqlite(conn) => diesel::insert_into(webhook_deliveries::table)
                .values(rows)
                .on_conflict_do_nothing()
                .execute(conn)?,
            DbConnection::Postgres(conn) => diesel::insert_into(webhook_deliveries::table)
                .values(rows)
                .on_conflict_do_nothing()
                .execute(conn)?,
        };
    }
    Ok(queued)
}

/// Is there anything to be sent, to a webhook that is called?
///
/// # Errors
/// When the database is away.
pub fn is_anything_due(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<bool, Error> {
    let due = webhook_deliveries::table
        .inner_join(webhooks::table)
        .filter(webhooks::state.eq("enabled"))
        .filter(webhook_deliveries::settled_at.is_null())
        .filter(webhook_deliveries::due_at.le(Timestamp::from(now)));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(conn)?)
}

/// The webhooks that are called and have something due, whose oldest waits longest first.
pub(super) fn waiting_webhooks(
    conn: &mut DbConnection,
    due_by: DateTime<Utc>,
) -> Result<Vec<Waiting>, Error> {
    let mut rows: Vec<(i64, String, Option<Timestamp>)> = webhook_deliveries::table
        .inner_join(webhooks::table)
        .inner_join(groups::table.on(groups::id.eq(webhooks::group_id)))
        .filter(webhooks::state.eq("enabled"))
        .filter(webhook_deliveries::settled_at.is_null())
        .filter(webhook_deliveries::due_at.le(Timestamp::from(due_by)))
        .group_by((webhook_deliveries::webhook_id, groups::traversal))
        .select((
            webhook_deliveries::webhook_id,
            groups::traversal,
            min(webhook_deliveries::due_at),
        ))
        .load(conn)?;
    rows.sort_by_key(|(id, _, oldest)| (oldest.map(DateTime::from), *id));
    Ok(rows
        .into_iter()
        .map(|(id, traversal, _)| Waiting {
            id,
            root: ids_of(&traversal).next().unwrap_or_default(),
        })
        .collect())
}

/// The oldest delivery of this webhook that is due, if it is called and there is one that isn't among `chosen`.
pub(super) fn oldest_due(
    conn: &mut DbConnection,
    webhook_id: i64,
    due_by: DateTime<Utc>,
    chosen: &[i64],
) -> Result<Option<i64>, Error> {
    Ok(webhook_deliveries::table
        .inner_join(webhooks::table)
        .filter(webhooks::state.eq("enabled"))
        .filter(webhook_deliveries::webhook_id.eq(webhook_id))
        .filter(webhook_deliveries::settled_at.is_null())
        .filter(webhook_deliveries::due_at.le(Timestamp::from(due_by)))
        .filter(webhook_deliveries::id.ne_all(chosen))
        .order((
            webhook_deliveries::due_at.asc(),
            webhook_deliveries::id.asc(),
        ))
        .select(webhook_deliveries::id)
        .first(conn)
        .optional()?)
}

/// How many deliveries of this webhook aren't settled; counts no further than `enough`.
pub(super) fn unsettled(
    conn: &mut DbConnection,
    webhook_id: i64,
    enough: i64,
) -> Result<usize, Error> {
    let some: Vec<i64> = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook_id))
        .filter(webhook_deliveries::settled_at.is_null())
        .limit(enough)
        .select(webhook_deliveries::id)
        .load(conn)?;
    Ok(some.len())
}

/// Takes those of them that nobody else took meanwhile, at this moment, which is `real_now` by the clock.
pub(super) fn take(
    conn: &mut DbConnection,
    ids: &[i64],
    due_by: DateTime<Utc>,
    now: DateTime<Utc>,
    real_now: DateTime<Utc>,
) -> Result<Vec<Delivery>, Error> {
    let free = webhook_deliveries::table
        .filter(webhook_deliveries::id.eq_any(ids))
        .filter(webhook_deliveries::settled_at.is_null())
        .filter(webhook_deliveries::due_at.le(Timestamp::from(due_by)));
    let mut taken: Vec<Delivery> = diesel::update(free)
        .set((
            webhook_deliveries::state.eq(DeliveryState::Sending.as_str()),
            webhook_deliveries::attempts.eq(webhook_deliveries::attempts + 1),
            webhook_deliveries::attempted_at.eq(Timestamp::from(real_now)),
            webhook_deliveries::due_at.eq(Timestamp::from(now + TAKEN_FOR)),
        ))
        .returning(columns::<Delivery, _>())
        .get_results(conn)?;
    taken.sort_by_key(|delivery| delivery.id);
    Ok(taken)
}

/// What an attempt brought.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub state: DeliveryState,
    /// When to try again, while it waits.
    pub due_at: DateTime<Utc>,
    pub status: Option<u16>,
    pub body: Option<String>,
    pub duration_ms: i64,
    pub error: Option<String>,
}

/// Notes what an attempt brought, even if it was given up meanwhile. `false` if it is somebody else's by now.
pub(super) fn note(
    conn: &mut DbConnection,
    delivery: &Delivery,
    result: &Outcome,
    real_now: DateTime<Utc>,
) -> Result<bool, Error> {
    let settled = matches!(
        result.state,
        DeliveryState::Delivered | DeliveryState::Failed
    );
    let mine = webhook_deliveries::table
        .filter(webhook_deliveries::id.eq(delivery.id))
        .filter(webhook_deliveries::state.eq_any([
            DeliveryState::Sending.as_str(),
            DeliveryState::Failed.as_str(),
        ]))
        .filter(webhook_deliveries::attempts.eq(delivery.attempts));
    let changed = diesel::update(mine)
        .set((
            webhook_deliveries::state.eq(result.state.as_str()),
            webhook_deliveries::due_at.eq(Timestamp::from(result.due_at)),
            webhook_deliveries::response_status.eq(result.status.map(i64::from)),
            webhook_deliveries::response_body.eq(result.body.as_deref()),
            webhook_deliveries::duration_ms.eq(result.duration_ms),
            webhook_deliveries::error.eq(result.error.as_deref()),
            webhook_deliveries::settled_at.eq(settled.then_some(Timestamp::from(real_now))),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Lets everything else that waits for this webhook wait until then: a receiver that is away is not asked for each
/// event that it misses.
pub(super) fn hold(
    conn: &mut DbConnection,
    webhook_id: i64,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    let until = Timestamp::from(until);
    let sooner = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook_id))
        .filter(webhook_deliveries::state.eq(DeliveryState::Waiting.as_str()))
        .filter(webhook_deliveries::due_at.lt(until));
    diesel::update(sooner)
        .set(webhook_deliveries::due_at.eq(until))
        .execute(conn)?;
    Ok(())
}

/// Gives up what isn't settled of this webhook. A call under way comes to its end, and what it brings is noted.
pub(super) fn give_up(
    conn: &mut DbConnection,
    webhook_id: i64,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let unsettled = webhook_deliveries::table
        .filter(webhook_deliveries::webhook_id.eq(webhook_id))
        .filter(webhook_deliveries::settled_at.is_null());
    diesel::update(unsettled)
        .set((
            webhook_deliveries::state.eq(DeliveryState::Failed.as_str()),
            webhook_deliveries::error.eq(reason),
            webhook_deliveries::settled_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
