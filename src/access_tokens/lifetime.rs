//! Tokens that live longer than the instance allows since its longest lifetime was lowered.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;

use super::by_policy::{Rule, Sweep, sweep};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::permissions::Right;
use crate::settings::store;

/// When tokens that live too long end, if the longest lifetime was lowered and that wasn't undone.
///
/// # Errors
/// When the database is away.
pub fn due_at(conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
    Ok(store::lowering(conn)?.map(|pending| pending.at))
}

/// Revokes the next `limit` active tokens of any kind, by id after `after_id`, that have no end or one later than the
/// longest lifetime, counted from today. Nothing before three hours have passed since it was lowered, and nothing at
/// all when that was undone; the setting is read anew. The last batch settles the matter. A dry run tells which tokens
/// would go as soon as the time has come, and changes nothing. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn enforce(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    limit: i64,
    dry_run: bool,
) -> Result<Sweep, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    // Whoever undoes the change waits, or we do: between the two there is no batch more.
    lock_instance(conn)?;
    let due = store::lowering(conn)?.is_some_and(|pending| dry_run || pending.at <= ctx.now);
    let settings = store::load(conn)?.settings;
    let (true, Some(days)) = (due, settings.max_personal_access_token_lifetime) else {
        return Ok(Sweep::default());
    };
    let latest = ctx
        .today()
        .checked_add_days(Days::new(days.into()))
        .unwrap_or(NaiveDate::MAX);
    let reason = json!({ "max_personal_access_token_lifetime": days });
    let rule = Rule::Overlong { latest };
    let swept = sweep(conn, ctx, rule, &reason, (after_id, limit), dry_run)?;
    if swept.next.is_none() && !dry_run {
        store::forget_lowering(conn)?;
    }
    Ok(swept)
}
