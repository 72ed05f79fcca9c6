//! Taking away tokens that the instance's own settings do not allow: those that live too long since the longest lifetime
//! was lowered, and those that nobody has used for too long.

use chrono::{DateTime, TimeDelta, Utc};

use super::run::{Progress, Run};
use crate::access_tokens::by_policy::{Sweep, Swept};
use crate::access_tokens::{lifetime, unused};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Tokens that one transaction looks at.
const BATCH: i64 = 1_000;

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

    fn sweep(
        self,
        conn: &mut DbConnection,
        ctx: &Context,
        after: i64,
        dry_run: bool,
    ) -> Result<Sweep, Error> {
        match self {
            Policy::Lifetime => lifetime::enforce(conn, ctx, after, BATCH, dry_run),
            Policy::Unused => unused::revoke_unused(conn, ctx, after, BATCH, dry_run),
        }
    }
}

/// Revokes what is to go.
///
/// # Errors
/// When the database is away or the lease was lost.
pub(super) async fn enforce(run: &mut Run) -> Result<Progress, Error> {
    for policy in Policy::ALL {
        let mut after = Some(0);
        while let Some(here) = after {
            let swept = run
                .batch(move |conn, ctx, _| policy.sweep(conn, ctx, here, false))
                .await?;
            run.count(policy.name(), swept.tokens.len());
            after = swept.next;
            if after.is_some() && run.gives_way() {
                return Ok(Progress::Paused);
            }
        }
    }
    Ok(Progress::Done)
}

/// What a run would revoke at this moment. Changes nothing.
///
/// # Errors
/// When the database is away.
pub fn preview(conn: &mut DbConnection, ctx: &Context) -> Result<Vec<(Policy, Swept)>, Error> {
    let mut found = Vec::new();
    for policy in Policy::ALL {
        let mut after = Some(0);
        while let Some(here) = after {
            let swept = policy.sweep(conn, ctx, here, true)?;
            found.extend(swept.tokens.into_iter().map(|token| (policy, token)));
            after = swept.next;
        }
    }
    Ok(found)
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
