//! The only place that reads the time.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time, in UTC and whole milliseconds (what both databases keep).
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved: milliseconds since 1970.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at`.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Clock::Fixed(Arc::new(AtomicI64::new(at.timestamp_millis())))
    }

    /// Now.
    #[allow(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System => {
                let now = Utc::now();
                now.duration_trunc(TimeDelta::milliseconds(1))
                    .unwrap_or(now)
            }
            Clock::Fixed(millis) => {
                DateTime::from_timestamp_millis(millis.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Moves a fixed clock; the machine's clock can't be moved.
    pub fn advance(&self, by: TimeDelta) {
        if let Clock::Fixed(millis) = self {
            millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }

    /// Sets a fixed clock; the machine's clock can't be set.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Clock::Fixed(millis) = self {
            millis.store(at.timestamp_millis(), Ordering::SeqCst);
        }
    }
}
