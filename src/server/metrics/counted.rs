//! Numbers that take a walk through an index: counted now and then, and held meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::access_tokens::census as tokens;
use crate::app::App;
use crate::error::Error;
use crate::mail::census as mails;
use crate::webhooks::census as deliveries;

/// What was counted is good for so long.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(1);

/// Of each node's time no more than one part in so many goes into counting.
const SHARE: i32 = 100;

/// Nobody who asks waits longer than this; the count goes on, and whoever asks next has it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Numbers, and when they were true.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) tokens: tokens::Census,
    pub(super) mails: mails::Census,
    pub(super) deliveries: deliveries::Census,
    pub(super) at: DateTime<Utc>,
}

/// The last count of this node.
#[derive(Default)]
pub(super) struct Counting {
    last: Mutex<Last>,
    /// Of several who ask at once one counts.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Last {
    counted: Option<Arc<Counted>>,
    next: Option<DateTime<Utc>>,
}

impl Counting {
    /// The numbers of the last minute, or older ones if counting takes long. None: there are none yet.
    pub(super) async fn recent(
        self: &Arc<Self>,
        app: &App,
        now: DateTime<Utc>,
    ) -> Option<Arc<Counted>> {
        if self.is_due(now)
            && let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
        {
            let (this, app) = (Arc::clone(self), app.clone());
            let count = tokio::spawn(async move {
                this.count(&app, now).await;
                drop(turn);
            });
            // Not waiting for it any longer doesn't end it.
            let _ = tokio::time::timeout(PATIENCE, count).await;
        }
        self.held().counted.clone()
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.held().next.is_none_or(|next| next <= now)
    }

    async fn count(&self, app: &App, now: DateTime<Utc>) {
        let began = Instant::now();
        let counted = app
            .db
            .read(move |conn| {
                Ok::<_, Error>(Counted {
                    tokens: tokens::count_all(conn, now)?,
                    mails: mails::count_all(conn)?,
                    deliveries: deliveries::count_all(conn)?,
                    at: now,
                })
            })
            .await;
        let mut last = self.held();
        last.next = Some(now + rest_after(began.elapsed()));
        match counted {
            Ok(counted) => last.counted = Some(Arc::new(counted)),
            Err(error) => {
                tracing::warn!(%error, "Tokens, mails and deliveries could not be counted")
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the next count may be, after one that took so long.
fn rest_after(took: Duration) -> TimeDelta {
    let rest = TimeDelta::from_std(took)
        .ok()
        .and_then(|took| took.checked_mul(SHARE));
    rest.unwrap_or(TimeDelta::days(1)).max(GOOD_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_good_for_a_minute_and_a_slow_one_for_a_hundred_times_as_long_as_it_took() {
        assert_eq!(rest_after(Duration::from_millis(20)), TimeDelta::minutes(1));
        assert_eq!(
            rest_after(Duration::from_secs(3)),
            TimeDelta::seconds(300),
            "ten million tokens"
        );
        assert_eq!(rest_after(Duration::MAX), TimeDelta::days(1));
    }
}
