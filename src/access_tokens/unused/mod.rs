//! Tokens that nobody uses: when a token counts as such, and taking it away.

mod idleness;

pub use idleness::{Span, days_before, idleness, is_unused_since};

use serde_json::json;

use super::by_policy::{Rule, Sweep, sweep};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Revokes the next `limit` tokens of groups and projects, by id after `after_id`, that were there and weren't used for
/// as long as the setting `revoke_unused_tokens_after_days` says; without it none. A dry run tells which ones, and
/// changes nothing. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn revoke_unused(
    conn: &mut DbConnection,
    ctx: &Context,
    after_id: i64,
    limit: i64,
    dry_run: bool,
) -> Result<Sweep, Error> {
    // Read behind what the caller knows: whoever has just blanked it means it.
    let settings = crate::settings::store::load(conn)?.settings;
    let Some(days) = settings.revoke_unused_tokens_after_days else {
        return Ok(Sweep::default());
    };
    let rule = Rule::Unused {
        since: days_before(ctx.now, days),
    };
    let reason = json!({ "revoke_unused_tokens_after_days": days });
    sweep(conn, ctx, rule, &reason, (after_id, limit), dry_run)
}
