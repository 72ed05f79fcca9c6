//! Tokens that live longer than the instance allows since its longest lifetime was lowered.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::json;

use super::by_policy::{Found, Rule, Swept, find, survey, sweep, tell};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::settings::store;

/// When tokens that live too long end, if the longest lifetime was lowered and that wasn't undone.
///
/// # Errors
/// When the database is away.
pub fn due_at(conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
    Ok(store::lowering(conn)?.map(|pending| pending.at))
}

/// Looks at the next `window` tokens, by id after `after_id`: which of them are active, of whatever kind, and have no
/// end or one later than the longest lifetime, counted from today. Nothing before three hours have passed since it was
/// lowered, unless `early`, and nothing at all when that was undone. Reads only. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn find_overlong(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    window: i64,
    early: bool,
) -> Result<Option<Found>, Error> {
    match days(conn, ctx, early)? {
        Some(days) => find(conn, ctx, rule(ctx, days), after_id, window).map(Some),
        None => Ok(None),
    }
}

/// Those of these tokens that [`enforce`] would revoke as soon as the time has come. Changes nothing. Administrators
/// and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn tell_overlong(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
) -> Result<Vec<Swept>, Error> {
    match days(conn, ctx, true)? {
        Some(days) => tell(conn, ctx, rule(ctx, days), ids),
        None => Ok(Vec::new()),
    }
}

/// How many active tokens would be too long if the longest lifetime were so many days, and the first `limit` of them.
/// Changes nothing. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn survey_overlong(
    conn: &mut DbConnection,
    ctx: &Context,
    days: u32,
    limit: i64,
) -> Result<(i64, Vec<Swept>), Error> {
    survey(conn, ctx, rule(ctx, days), limit)
}

/// Revokes those of these tokens that live too long. Nothing before the time has come and nothing when the lowering was
/// undone; the setting is read anew. With the `last` ones the matter is settled. `real_now` is the moment by the clock,
/// whatever day a job pretends it is. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn enforce(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
    last: bool,
    real_now: DateTime<Utc>,
) -> Result<Vec<Swept>, Error> {
    // Whoever undoes the change waits, or we do: between the two there is no batch more.
    lock_instance(conn)?;
    let Some(days) = days(conn, ctx, false)? else {
        return Ok(Vec::new());
    };
    let reason = json!({ "max_personal_access_token_lifetime": days });
    let swept = sweep(conn, ctx, rule(ctx, days), &reason, ids, real_now)?;
    if last {
        store::forget_lowering(conn)?;
    }
    Ok(swept)
}

/// The longest lifetime, if it was lowered and the time has come, or if nobody waits for that.
fn days(conn: &mut DbConnection, ctx: &Context, early: bool) -> Result<Option<u32>, Error> {
    if store::lowering(conn)?.is_some_and(|pending| early || pending.at <= ctx.now) {
        Ok(store::load(conn)?
            .settings
            .max_personal_access_token_lifetime)
    } else {
        Ok(None)
    }
}

fn rule(ctx: &Context, days: u32) -> Rule {
    Rule::Overlong {
        latest: ctx
            .today()
            .checked_add_days(Days::new(days.into()))
            .unwrap_or(NaiveDate::MAX),
    }
}
