//! What people have sent: a test, or a delivery once more.

use super::create::allowed;
use super::queue::{self, NewDelivery};
use super::{DeliveryState, EventKind, State, Webhook, log, payload, secret, store};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::groups::Group;

/// Whoever has so many deliveries on their way to a webhook waits for one of them to be settled.
const UNSETTLED: i64 = 5;

/// Puts a test into the queue. It is tried once. Owners only.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Refused`] for a disabled webhook and for one with five deliveries
/// that aren't settled, [`Error::NotFound`] when it is gone.
pub fn test(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
) -> Result<Webhook, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = enabled(store::find_of(conn, &group, id)?)?;
    has_room(conn, &webhook)?;
    let body = payload::test(&group, ctx.now);
    let new = NewDelivery {
        webhook_id: webhook.id,
        key: None,
        event: EventKind::Test,
        event_uuid: &secret::random_uuid(&mut rand::rng()),
        message_id: secret::random_uuid(&mut rand::rng()),
        body: &body,
        redelivery_of: None,
    };
    queue::enqueue(conn, &[new], ctx.now)?;
    Ok(webhook)
}

/// Has a settled delivery sent once more, as it was: the same body under the same ids, so that a receiver that has
/// it already knows it again. Owners only.
///
/// # Errors
/// As [`test`]; [`Error::Refused`] too while it is on its way.
pub fn redeliver(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    id: i64,
    delivery_id: i64,
) -> Result<Webhook, Error> {
    let (group, ctx) = allowed(conn, ctx, group)?;
    let webhook = store::find_of(conn, &group, id)?;
    let old = log::find_of(conn, &webhook, delivery_id)?;
    let webhook = enabled(webhook)?;
    if matches!(old.state, DeliveryState::Waiting | DeliveryState::Sending) {
        return Err(Error::refused("It is on its way already"));
    }
    has_room(conn, &webhook)?;
    let new = NewDelivery {
        webhook_id: webhook.id,
        key: None,
        event: old.event,
        event_uuid: &old.event_uuid,
        message_id: old.message_id,
        body: &old.body,
        redelivery_of: Some(old.id),
    };
    queue::enqueue(conn, &[new], ctx.now)?;
    Ok(webhook)
}

fn enabled(webhook: Webhook) -> Result<Webhook, Error> {
    match webhook.state {
        State::Enabled => Ok(webhook),
        State::Disabled => Err(Error::refused("The webhook is disabled; enable it first")),
    }
}

/// One call after another keeps everybody else's waiting.
fn has_room(conn: &mut DbConnection, webhook: &Webhook) -> Result<(), Error> {
    let unsettled = queue::unsettled(conn, webhook.id, UNSETTLED)?;
    if i64::try_from(unsettled).is_ok_and(|unsettled| unsettled < UNSETTLED) {
        Ok(())
    } else {
        Err(Error::refused(
            "Several deliveries are on their way to this webhook; try again when one of them has arrived or failed",
        ))
    }
}
