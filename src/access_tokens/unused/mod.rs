//! Tokens that nobody uses: when a token counts as such, and taking it away.

mod idleness;

pub use idleness::{Span, days_before, idleness, is_unused_since};

use chrono::{DateTime, Utc};
use serde_json::json;

use super::by_policy::{Found, Rule, Swept, find, sweep, tell};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;

/// Looks at the next `window` tokens, by id after `after_id`: which of them are of groups and projects, were there and
/// weren't used for as long as the setting `revoke_unused_tokens_after_days` says. Nothing without it. Reads only.
/// Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn find_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    window: i64,
) -> Result<Option<Found>, Error> {
    let Some(days) = days(conn)? else {
        return Ok(None);
    };
    find(conn, ctx, rule(ctx, days), after_id, window).map(Some)
}

/// Those of these tokens that [`revoke_unused`] would revoke. Changes nothing. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn tell_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
) -> Result<Vec<Swept>, Error> {
    match days(conn)? {
        Some(days) => tell(conn, ctx, rule(ctx, days), ids),
        None => Ok(Vec::new()),
    }
}

/// Revokes those of these tokens of groups and projects that were there and weren't used for as long as the setting
/// says; none when it was blanked meanwhile. `real_now` is the moment by the clock. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn revoke_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    ids: &[i64],
    real_now: DateTime<Utc>,
) -> Result<Vec<Swept>, Error> {
    // Whoever blanks the setting waits, or we do: after that there is no batch more.
    lock_instance(conn)?;
    let Some(days) = days(conn)? else {
        return Ok(Vec::new());
    };
    let reason = json!({ "revoke_unused_tokens_after_days": days });
    sweep(conn, ctx, rule(ctx, days), &reason, ids, real_now)
}

/// Read behind what the caller knows: whoever has just blanked it means it.
fn days(conn: &mut DbConnection) -> Result<Option<u32>, Error> {
    let settings = crate::settings::store::load(conn)?.settings;
    Ok(settings.revoke_unused_tokens_after_days)
}

fn rule(ctx: &Context, days: u32) -> Rule {
    Rule::Unused {
        since: days_before(ctx.now, days),
    }
}
