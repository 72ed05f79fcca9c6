//! For how long the old value goes on working after a rotation, so that programs can be given the new one in peace.
//!
//! A token that was rotated away counts as revoked at once. Within its grace the value does everything but rotate; at the
//! end nothing has to happen for it to stop. No value of a family outlives a newer one.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The longest grace, in seconds: a week.
pub const LONGEST: i64 = 7 * 24 * 60 * 60;

/// What the pages offer: seconds, and what is said of them.
pub const CHOICES: [(i64, &str); 4] = [
    (0, "stops working now"),
    (60 * 60, "works for 1 hour more"),
    (24 * 60 * 60, "works for 24 hours more"),
    (LONGEST, "works for 7 days more"),
];

/// How long an old value goes on working, from nothing to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grace(i64);

impl Grace {
    /// The old value ends with the rotation.
    pub const NONE: Grace = Grace(0);

    /// So many seconds; nothing beyond 0 to 604,800.
    pub fn seconds(seconds: i64) -> Option<Self> {
        (0..=LONGEST).contains(&seconds).then_some(Grace(seconds))
    }

    /// When the old value ends: not after its own date, nor after that of the new one. Nothing, if it ends at once.
    pub fn until(
        self,
        now: DateTime<Utc>,
        old: Option<NaiveDate>,
        new: Option<NaiveDate>,
    ) -> Option<DateTime<Utc>> {
        let dates = [old, new].into_iter().flatten();
        let midnights = dates.map(|date| date.and_time(NaiveTime::MIN).and_utc());
        let until = midnights.fold(now + TimeDelta::seconds(self.0), DateTime::min);
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Option<NaiveDate> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_grace_is_at_most_a_week_and_never_negative() {
        assert_eq!(Grace::seconds(-1), None);
        assert_eq!(Grace::seconds(LONGEST + 1), None);
        for (seconds, _) in CHOICES {
            assert!(Grace::seconds(seconds).is_some());
        }
        assert_eq!(LONGEST, 604_800);
    }

    #[test]
    fn an_old_value_outlives_neither_its_own_date_nor_the_new_one() {
        let now = at("2026-11-20T12:00:00Z");
        let week = Grace::seconds(LONGEST).unwrap();
        let until = |old, new| week.until(now, old, new);
        assert_eq!(until(None, None), Some(at("2026-11-27T12:00:00Z")));
        assert_eq!(
            until(day("2026-11-22"), day("2026-12-22")),
            Some(at("2026-11-22T00:00:00Z"))
        );
        assert_eq!(
            until(day("2026-12-22"), day("2026-11-23")),
            Some(at("2026-11-23T00:00:00Z"))
        );
        assert_eq!(until(day("2026-11-20"), None), None, "it has ended already");
        assert_eq!(Grace::NONE.until(now, None, None), None);
    }
}
