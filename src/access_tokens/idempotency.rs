//! Asking twice makes one token: a request that carries a key is answered once, however often it is sent.

use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::create::Created;
use super::secret::Digest;
use super::{ListedToken, store};
use crate::context::Context;
use crate::db::schema::idempotency_keys;
use crate::db::{DbConnection, Timestamp, lock_digests};
use crate::error::Error;

/// How long a key is remembered.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// Keys that are forgotten in one go.
const SWEPT_AT_ONCE: i64 = 1_000;

/// A caller's key at one place, and what was asked for with it.
#[derive(Debug, Clone)]
pub struct Key {
    key: Digest,
    request: Digest,
}

impl Key {
    /// From the text that the caller chose; `place` is the endpoint and what it was asked of, `request` what was
    /// asked for.
    pub fn new(ctx: &Context, place: &str, text: &str, request: &str) -> Self {
        let caller = ctx.actor.user_id().unwrap_or(0);
        let digest = |text: &str| ctx.instance.lookup_key.digest(text);
        Key {
            key: digest(&format!("idempotency key {caller} {place} {text}")),
            request: digest(&format!("idempotent request {request}")),
        }
    }
}

/// What became of a request for a token.
#[derive(Debug)]
pub enum Outcome {
    /// It was made.
    Made(Box<Created>),
    /// It had been made by the same request before; its value was shown then.
    Replayed(Box<ListedToken>),
}

/// Makes a token, or finds the one that the same request made within a day. A refusal, which is the inner
/// error, is not remembered. Whoever may not make a token any more isn't told of one either.
///
/// # Errors
/// [`Error::Conflict`] when the key was used for another request, or for a token that is gone.
pub fn once(
    conn: &mut DbConnection,
    ctx: &Context,
    key: Option<&Key>,
    may: impl FnOnce(&Context) -> bool,
    make: impl FnOnce(&mut DbConnection) -> Result<Result<Created, Error>, Error>,
) -> Result<Result<Outcome, Error>, Error> {
    if let Some(key) = key {
        // The same request at the same moment waits here, and is a replay afterwards.
        lock_digests(conn, &[key.key.as_bytes()])?;
        if may(&ctx.refreshed(conn)?)
            && let Some(made) = made_before(conn, ctx, key)?
        {
            return Ok(Ok(Outcome::Replayed(Box::new(made))));
        }
    }
    let created = match make(conn)? {
        Ok(created) => created,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(key) = key {
        diesel::insert_into(idempotency_keys::table)
            .values((
                idempotency_keys::digest.eq(key.key.as_bytes().as_slice()),
                idempotency_keys::request_digest.eq(key.request.as_bytes().as_slice()),
                idempotency_keys::token_id.eq(created.listed.token.id),
                idempotency_keys::created_at.eq(Timestamp::from(ctx.now)),
            ))
            .execute(conn)?;
    }
    Ok(Ok(Outcome::Made(Box::new(created))))
}

fn made_before(
    conn: &mut DbConnection,
    ctx: &Context,
    key: &Key,
) -> Result<Option<ListedToken>, Error> {
    let found: Option<(Vec<u8>, Option<i64>, Timestamp)> = idempotency_keys::table
        .find(key.key.as_bytes().as_slice())
        .select((
            idempotency_keys::request_digest,
            idempotency_keys::token_id,
            idempotency_keys::created_at,
        ))
        .get_result(conn)
        .optional()?;
    let Some((request, token_id, at)) = found else {
        return Ok(None);
    };
    if DateTime::<Utc>::from(at) + REMEMBERED <= ctx.now {
        diesel::delete(idempotency_keys::table.find(key.key.as_bytes().as_slice()))
            .execute(conn)?;
        return Ok(None);
    }
    if request != key.request.as_bytes() {
        return Err(Error::Conflict(
            "Idempotency-Key was used for another request".into(),
        ));
    }
    let made = match token_id {
        Some(id) => store::find(conn, id)?,
        None => None,
    };
    made.map(Some)
        .ok_or_else(|| Error::Conflict("The token that Idempotency-Key made is gone".into()))
}

/// Forgets keys that are older than a day. Returns how many; there may be more.
///
/// # Errors
/// When the database is away.
pub fn sweep(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let old: Vec<Vec<u8>> = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(Timestamp::from(now - REMEMBERED)))
        .order(idempotency_keys::created_at.asc())
        .limit(SWEPT_AT_ONCE)
        .select(idempotency_keys::digest)
        .load(conn)?;
    if old.is_empty() {
        return Ok(0);
    }
    Ok(
        diesel::delete(idempotency_keys::table.filter(idempotency_keys::digest.eq_any(old)))
            .execute(conn)?,
    )
}
