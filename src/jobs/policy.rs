//! Taking away tokens that the instance's own settings do not allow: those that live too long since the longest lifetime
//! was lowered, and those that nobody has used for too long.

use chrono::{DateTime, TimeDelta, Utc};

use super::look::look;
use super::run::{Progress, Run};
use crate::access_tokens::by_policy::{Found, Swept};
use crate::access_tokens::{lifetime, unused};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Tokens that one look is about.
const WINDOW: i64 = 10_000;

/// Tokens that one transaction revokes.
const BATCH: usize = 500;

/// Unused tokens are looked for this often.
const LOOK_FOR_UNUSED: TimeDelta = TimeDelta::days(1);

/// Why a token goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It would live longer than is allowed.
    Lifetime,
    /// Nobody used it for too long.
    Unused,
}

impl Policy {
    const ALL: [Policy; 2] = [Policy::Lifetime, Policy::Unused];

    /// What its tokens are counted as, and the reason that is told.
    pub fn name(self) -> &'static str {
        match self {
            Policy::Lifetime => "overlong_tokens",
            Policy::Unused => "unused_tokens",
        }
    }

    /// Which of the next tokens are to go; nothing when the instance doesn't ask for it (yet, unless `early`).
    fn find(
        self,
        conn: &mut DbConnection,
        ctx: &Context,
        after: i64,
        early: bool,
    ) -> Result<Option<Found>, Error> {
        match self {
            Policy::Lifetime => lifetime::find_overlong(conn, ctx, after, WINDOW, early),
            Policy::Unused => unused::find_unused(conn, ctx, after, WINDOW),
        }
    }

    fn tell(
        self,
        conn: &mut DbConnection,
        ctx: &Context,
        ids: &[i64],
    ) -> Result<Vec<Swept>, Error> {
        match self {
            Policy::Lifetime => lifetime::tell_overlong(conn, ctx, ids),
            Policy::Unused => unused::tell_unused(conn, ctx, ids),
        }
    }

    fn revoke(
        self,
        conn: &mut DbConnection,
        ctx: &Context,
        ids: &[i64],
        last: bool,
        now: DateTime<Utc>,
    ) -> Result<Vec<Swept>, Error> {
        match self {
            Policy::Lifetime => lifetime::enforce(conn, ctx, ids, last, now),
            Policy::Unused => unused::revoke_unused(conn, ctx, ids, now),
        }
    }
}

/// Revokes what is to go: looks for it window by window, and writes only where there is something.
///
/// # Errors
/// When the database is away or the lease was lost.
pub(super) async fn enforce(run: &mut Run) -> Result<Progress, Error> {
    for policy in Policy::ALL {
        let mut after = Some(0);
        while let Some(here) = after {
            let found = look(run, move |conn, ctx| policy.find(conn, ctx, here, false)).await?;
            let Some(found) = found else {
                break;
            };
            after = found.next;
            let mut batches: Vec<Vec<i64>> = found.ids.chunks(BATCH).map(<[i64]>::to_vec).collect();
            if batches.is_empty() && after.is_none() {
                // The last batch settles the matter, also when there was nothing left to revoke.
                batches.push(Vec::new());
            }
            let count = batches.len();
            for (number, ids) in batches.into_iter().enumerate() {
                let last = after.is_none() && number + 1 == count;
                let swept = run
                    .batch(move |conn, ctx, now| policy.revoke(conn, ctx, &ids, last, now))
                    .await?;
                run.count(policy.name(), swept.len());
                if !last && run.gives_way() {
                    return Ok(Progress::Paused);
                }
            }
            if after.is_some() && run.gives_way() {
                return Ok(Progress::Paused);
            }
        }
    }
    Ok(Progress::Done)
}

/// What a run would revoke at this moment, and what it would as soon as the time has come. Changes nothing.
///
/// # Errors
/// When the database is away.
pub fn preview(conn: &mut DbConnection, ctx: &Context) -> Result<Vec<(Policy, Swept)>, Error> {
    let mut told = Vec::new();
    for policy in Policy::ALL {
        let mut after = Some(0);
        while let Some(here) = after {
            let Some(found) = policy.find(conn, ctx, here, true)? else {
                break;
            };
            for ids in found.ids.chunks(BATCH) {
                let tokens = policy.tell(conn, ctx, ids)?;
                told.extend(tokens.into_iter().map(|token| (policy, token)));
            }
            after = found.next;
        }
    }
    Ok(told)
}

/// Is there anything to look for, after a run that was `handled` then?
///
/// # Errors
/// When the database is away.
pub(super) fn waits(
    conn: &mut DbConnection,
    ctx: &Context,
    handled: DateTime<Utc>,
) -> Result<bool, Error> {
    let unused = ctx
        .policy
        .settings
        .revoke_unused_tokens_after_days
        .is_some()
        && ctx.now - handled >= LOOK_FOR_UNUSED;
    Ok(unused || lifetime::due_at(conn)?.is_some_and(|at| at <= ctx.now))
}
