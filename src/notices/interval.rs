//! How long before its end a token is announced.

use chrono::{Days, NaiveDate};

use crate::settings::Flags;

/// A stretch of days before a token's end; whoever looks after the token is told once in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// 0 to 7 days are left.
    Seven,
    /// 8 to 30 days.
    Thirty,
    /// 31 to 60 days.
    Sixty,
}

impl Interval {
    /// All of them, the most urgent first.
    pub const ALL: [Interval; 3] = [Interval::Seven, Interval::Thirty, Interval::Sixty];

    /// What the mails say: ends within so many days.
    pub fn days(self) -> i64 {
        match self {
            Interval::Seven => 7,
            Interval::Thirty => 30,
            Interval::Sixty => 60,
        }
    }

    /// The one whose mails say so many days.
    pub fn of_days(days: i64) -> Option<Self> {
        Interval::ALL
            .into_iter()
            .find(|interval| interval.days() == days)
    }

    /// The one that a token with so many days left is in.
    pub fn of_days_left(days: i64) -> Option<Self> {
        if days < 0 {
            return None;
        }
        Interval::ALL
            .into_iter()
            .find(|interval| days <= interval.days())
    }

    /// The expiry dates that are in it on this day, the first and the last one.
    pub fn dates(self, today: NaiveDate) -> (NaiveDate, NaiveDate) {
        let ahead = |days: u64| {
            today
                .checked_add_days(Days::new(days))
                .unwrap_or(NaiveDate::MAX)
        };
        match self {
            Interval::Seven => (today, ahead(7)),
            Interval::Thirty => (ahead(8), ahead(30)),
            Interval::Sixty => (ahead(31), ahead(60)),
        }
    }

    /// Is anybody told? The seven days always are, the others where the instance wants it.
    pub fn is_on(self, flags: &Flags) -> bool {
        self == Interval::Seven || flags.expiring_pats_30d_60d_notifications
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_before_the_end_is_in_one_interval_and_the_dates_agree() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        for (days, interval) in [
            (-1, None),
            (0, Some(Interval::Seven)),
            (1, Some(Interval::Seven)),
            (7, Some(Interval::Seven)),
            (8, Some(Interval::Thirty)),
            (30, Some(Interval::Thirty)),
            (31, Some(Interval::Sixty)),
            (60, Some(Interval::Sixty)),
            (61, None),
        ] {
            assert_eq!(Interval::of_days_left(days), interval, "{days}");
            let ends = today + chrono::TimeDelta::days(days);
            let by_dates = Interval::ALL.into_iter().find(|one| {
                let (first, last) = one.dates(today);
                (first..=last).contains(&ends)
            });
            assert_eq!(by_dates, interval, "{days}");
        }
    }

    #[test]
    fn seven_days_are_always_told_and_the_others_on_demand() {
        let mut flags = Flags::default();
        let on = |flags: &Flags| Interval::ALL.map(|interval| interval.is_on(flags));
        assert_eq!(on(&flags), [true, false, false]);
        flags.expiring_pats_30d_60d_notifications = true;
        assert_eq!(on(&flags), [true, true, true]);
    }

    #[test]
    fn an_interval_is_known_by_its_days() {
        for interval in Interval::ALL {
            assert_eq!(Interval::of_days(interval.days()), Some(interval));
        }
        assert_eq!(Interval::of_days(14), None);
    }
}
