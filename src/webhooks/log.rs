//! The log of deliveries: what was sent to a webhook, newest first.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use super::{Delivery, Webhook};
use crate::db::schema::webhook_deliveries;
use crate::db::{
    COUNTED_AT_MOST, Counted, DbConnection, Limits as _, Page, PageOrLast, PageRequest, Timestamp,
};
use crate::error::{Error, What};

use aliases::others;

/// Another name for the table, where one query needs it twice.
#[allow(
    missing_docs,
    reason = "the macro writes items that can't be documented"
)]
mod aliases {
    use crate::db::schema::webhook_deliveries;
    diesel::alias!(webhook_deliveries as others: Others);
}

/// How long a delivery stays in the log once it is settled.
const KEPT: TimeDelta = TimeDelta::days(30);

/// One page of the log of a webhook; the last one, where the one that is asked for lies beyond the end.
///
/// # Errors
/// When the database is away.
pub fn page(
    conn: &mut DbConnection,
    webhook: &Webhook,
    request: PageRequest,
) -> Result<Page<Delivery>, Error> {
    let of_hook =
        || webhook_deliveries::table.filter(webhook_deliveries::webhook_id.eq(webhook.id));
    // Counted in the same statement, as far as anybody is told.
    let all = || {
        of_hook()
            .select(webhook_deliveries::id)
            .at_most(COUNTED_AT_MOST + 1)
    };
    let rows = of_hook()
        .order(webhook_deliveries::id.desc())
        .select((Delivery::as_select(), Counted(all())));
    let rows: Vec<(Delivery, i64)> = PageOrLast::of(rows, all(), request).load(conn)?;
    let told = rows.first().map(|(_, all)| *all);
    let page = Page::told(rows, told, request, true, || all().load(conn))?;
    Ok(page.map(|(delivery, _)| delivery))
}

/// The newest settled or waiting delivery of each of these webhooks that has any.
///
/// # Errors
/// When the database is away.
pub fn newest_of_each(
    conn: &mut DbConnection,
    webhooks: &[Webhook],
) -> Result<Vec<Delivery>, Error> {
    let ids: Vec<i64> = webhooks.iter().map(|webhook| webhook.id).collect();
    let webhook_id = others.field(webhook_deliveries::webhook_id);
    let newest = others
        .filter(webhook_id.eq_any(ids))
        .group_by(webhook_id)
        .select(max(others.field(webhook_deliveries::id)));
    Ok(webhook_deliveries::table
        .filter(webhook_deliveries::id.nullable().eq_any(newest))
        .select(Delivery::as_select())
        .load(conn)?)
}

/// A delivery to this very webhook.
///
/// # Errors
/// [`Error::NotFound`] for any other.
pub fn find_of(conn: &mut DbConnection, webhook: &Webhook, id: i64) -> Result<Delivery, Error> {
    webhook_deliveries::table
        .filter(webhook_deliveries::id.eq(id))
        .filter(webhook_deliveries::webhook_id.eq(webhook.id))
        .select(Delivery::as_select())
        .get_result(conn)
        .optional()?
        .ok_or(Error::NotFound(What::Thing))
}

/// Forgets up to `limit` deliveries that were settled more than a month ago. Returns how many.
///
/// # Errors
/// When the database is away.
pub fn purge(conn: &mut DbConnection, now: DateTime<Utc>, limit: i64) -> Result<usize, Error> {
    let ids: Vec<i64> = webhook_deliveries::table
        .filter(webhook_deliveries::settled_at.is_not_null())
        .filter(webhook_deliveries::settled_at.lt(Timestamp::from(now - KEPT)))
        .order(webhook_deliveries::settled_at.asc())
        .limit(limit)
        .select(webhook_deliveries::id)
        .load(conn)?;
    let old = webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids));
    Ok(diesel::delete(old).execute(conn)?)
}
