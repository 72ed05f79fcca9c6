//! When a job is to run, in UTC.

use std::fmt;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

/// Moments that come again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Once a day, at this hour and minute.
    Daily(u32, u32),
    /// Again after so many seconds, counted from the beginning of 1970.
    Every(i64),
}

impl Schedule {
    /// The last moment of the schedule that is not after `now`.
    pub fn latest(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Schedule::Daily(hour, minute) => {
                let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
                let today = now.date_naive().and_time(time).and_utc();
                if today <= now {
                    today
                } else {
                    today.checked_sub_days(Days::new(1)).unwrap_or(today)
                }
            }
            Schedule::Every(seconds) => {
                let late = now.timestamp().rem_euclid(seconds.max(1));
                DateTime::from_timestamp(now.timestamp() - late, 0).unwrap_or(now)
            }
        }
    }

    /// The first moment of the schedule after `now`.
    pub fn next(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let period = match self {
            Schedule::Daily(..) => TimeDelta::days(1),
            Schedule::Every(seconds) => TimeDelta::seconds(seconds.max(1)),
        };
        self.latest(now) + period
    }

    /// Was a moment of the schedule missed since `handled`? Then that moment; of several the last one, because one
    /// run makes up for all.
    pub fn missed(self, handled: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let latest = self.latest(now);
        (latest > handled).then_some(latest)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Schedule::Daily(hour, minute) => write!(f, "daily at {hour:02}:{minute:02} UTC"),
            Schedule::Every(seconds) if seconds % 3600 == 0 && seconds > 3600 => {
                write!(f, "every {} hours", seconds / 3600)
            }
            Schedule::Every(3600) => f.write_str("every hour"),
            Schedule::Every(60) => f.write_str("every minute"),
            Schedule::Every(seconds) if seconds % 60 == 0 => {
                write!(f, "every {} minutes", seconds / 60)
            }
            Schedule::Every(seconds) => write!(f, "every {seconds} seconds"),
        }
    }
}

/// How long to wait before a failed run is tried again, after so many failures in a row, this one included.
pub fn pause_after(failures: i64) -> TimeDelta {
    match failures {
        ..=1 => TimeDelta::minutes(1),
        2 => TimeDelta::minutes(5),
        3 => TimeDelta::minutes(15),
        _ => TimeDelta::hours(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_daily_moment_is_yesterdays_until_it_comes() {
        let one = Schedule::Daily(1, 0);
        assert_eq!(
            one.latest(at("2026-11-20T00:59:59.999Z")),
            at("2026-11-19T01:00:00Z")
        );
        assert_eq!(
            one.latest(at("2026-11-20T01:00:00Z")),
            at("2026-11-20T01:00:00Z")
        );
        assert_eq!(
            one.next(at("2026-11-20T01:00:00Z")),
            at("2026-11-21T01:00:00Z")
        );
        assert_eq!(
            one.next(at("2026-12-31T23:00:00Z")),
            at("2027-01-01T01:00:00Z")
        );
    }

    #[test]
    fn of_several_missed_moments_the_last_one_is_made_up_for() {
        let one = Schedule::Daily(1, 0);
        let handled = at("2026-11-17T01:00:00Z");
        assert_eq!(
            one.missed(handled, at("2026-11-20T00:30:00Z")),
            Some(at("2026-11-19T01:00:00Z"))
        );
        assert_eq!(one.missed(handled, at("2026-11-18T00:59:00Z")), None);
        assert_eq!(
            one.missed(at("2026-11-18T14:00:00Z"), at("2026-11-19T00:59:00Z")),
            None
        );
    }

    #[test]
    fn a_clock_that_steps_back_repeats_nothing() {
        let one = Schedule::Daily(1, 0);
        let handled = at("2026-11-20T01:00:00Z");
        assert_eq!(one.missed(handled, at("2026-11-20T00:10:00Z")), None);
        assert_eq!(one.missed(handled, at("2026-11-20T01:00:01Z")), None);
    }

    #[test]
    fn schedules_are_told_in_words() {
        for (schedule, words) in [
            (Schedule::Daily(0, 10), "daily at 00:10 UTC"),
            (Schedule::Every(5), "every 5 seconds"),
            (Schedule::Every(60), "every minute"),
            (Schedule::Every(600), "every 10 minutes"),
            (Schedule::Every(3600), "every hour"),
            (Schedule::Every(7200), "every 2 hours"),
        ] {
            assert_eq!(schedule.to_string(), words);
        }
    }

    proptest! {
        #[test]
        fn the_latest_moment_is_not_ahead_and_the_next_one_is(
            seconds in 0_i64..4_000_000_000,
            hour in 0_u32..24,
            minute in 0_u32..60,
            period in 1_i64..100_000,
        ) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            for schedule in [Schedule::Daily(hour, minute), Schedule::Every(period)] {
                prop_assert!(schedule.latest(now) <= now);
                prop_assert!(schedule.next(now) > now);
                prop_assert_eq!(schedule.latest(schedule.next(now)), schedule.next(now));
            }
        }
    }
}
