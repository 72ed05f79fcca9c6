//! What the trail knows about tokens, for those who write down only what isn't there yet.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::access_tokens::TokenType;
use crate::db::schema::audit_events;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// How the events end that tell of a revoked token.
const REVOKED: [&str; 2] = ["deleted", "revoked_by_policy"];

/// Those of these tokens about which there is one of these events, in the group with this traversal or below it; anywhere,
/// if it is empty.
///
/// # Errors
/// When the database is away.
pub fn targets_of(
    conn: &mut DbConnection,
    events: &[String],
    token_ids: &[i64],
    within: &str,
) -> Result<HashSet<i64>, Error> {
    let found: Vec<(Option<i64>, String)> = audit_events::table
        .filter(audit_events::target_id.eq_any(token_ids.to_vec()))
        .filter(audit_events::target_kind.eq("access_token"))
        .filter(audit_events::event.eq_any(events.to_vec()))
        .select((audit_events::target_id, audit_events::group_traversal))
        .load(conn)?;
    Ok(found
        .into_iter()
        .filter(|(_, traversal)| traversal.starts_with(within))
        .filter_map(|(id, _)| id)
        .collect())
}

/// How many of these tokens were revoked in the group with this traversal or below it; anywhere, if it is empty.
///
/// # Errors
/// When the database is away.
pub fn revoked_among(
    conn: &mut DbConnection,
    token_ids: &[i64],
    within: &str,
) -> Result<usize, Error> {
    if token_ids.is_empty() {
        return Ok(0);
    }
    let events = TokenType::ALL
        .iter()
        .flat_map(|kind| REVOKED.map(|end| format!("{}_access_token_{end}", kind.name())));
    let events: Vec<String> = events.collect();
    Ok(targets_of(conn, &events, token_ids, within)?.len())
}

/// Number, time and address of the events of a token whose names end like this, the oldest first.
///
/// # Errors
/// When the database is away.
pub fn sightings(
    conn: &mut DbConnection,
    token_id: i64,
    ending: &str,
) -> Result<Vec<(i64, DateTime<Utc>, String)>, Error> {
    let found: Vec<(i64, Timestamp, String)> = audit_events::table
        .filter(audit_events::target_id.eq(token_id))
        .filter(audit_events::target_kind.eq("access_token"))
        .filter(audit_events::event.like(format!("%{ending}")))
        .order((audit_events::created_at.asc(), audit_events::id.asc()))
        .select((audit_events::id, audit_events::created_at, audit_events::ip))
        .load(conn)?;
    Ok(found
        .into_iter()
        .map(|(id, at, ip)| (id, at.into(), ip))
        .collect())
}
