//! Moments and calendar dates in words. "Now" comes in as an argument.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Timelike as _, Utc};

use super::components::{Day, Expiry, Moment, Urgency};
use crate::access_tokens::expiry::{Badge, badge};

/// Beyond so many days the date says more than the distance.
const DAYS_IN_WORDS: i64 = 30;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `2 Jan 2026`. A page has hundreds of dates; chrono would read a pattern for each.
fn in_words(date: NaiveDate) -> String {
    let month = usize::try_from(date.month0()).unwrap_or_default();
    let month = MONTHS.get(month).copied().unwrap_or_default();
    format!("{} {month} {}", date.day(), date.year())
}

impl Day {
    /// A calendar date.
    pub fn on(date: NaiveDate) -> Self {
        Day {
            date: date.to_string(),
            text: in_words(date),
        }
    }
}

impl Moment {
    /// A moment of the past, as it looks now. The future, which a clock set back may leave behind, is
    /// "just now".
    pub fn at(moment: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Moment {
            datetime: moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            exact: format!(
                "{}, {:02}:{:02}:{:02} UTC",
                in_words(moment.date_naive()),
                moment.hour(),
                moment.minute(),
                moment.second()
            ),
            text: ago(moment, now),
        }
    }
}

impl Expiry {
    /// The end of a token or membership that is valid until this date begins.
    pub fn on(date: NaiveDate, today: NaiveDate) -> Self {
        Expiry {
            day: Day::on(date),
            distance: distance(date, today),
            urgency: match badge(Some(date), today) {
                Badge::Never | Badge::Plain => Urgency::Later,
                Badge::Expiring => Urgency::Soon,
                Badge::Soon | Badge::Expired => Urgency::Now,
            },
        }
    }
}

/// `17:58 UTC`, with the date if it is another day.
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let time = at.format("%H:%M UTC");
    if at.date_naive() == now.date_naive() {
        time.to_string()
    } else {
        format!("{time} on {}", Day::on(at.date_naive()).text)
    }
}

/// `just now`, `2 hours ago`, `30 days ago`; beyond that the date.
pub fn ago(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - moment;
    let (minutes, hours, days) = (passed.num_minutes(), passed.num_hours(), passed.num_days());
    if minutes < 1 {
        "just now".into()
    } else if hours < 1 {
        format!("{} ago", counted(minutes, "minute"))
    } else if days < 1 {
        format!("{} ago", counted(hours, "hour"))
    } else if days <= DAYS_IN_WORDS {
        format!("{} ago", counted(days, "day"))
    } else {
        Day::on(moment.date_naive()).text
    }
}

/// How far away a date is: `in 5 days`, `in 3 months`, `today`, `2 days ago`.
fn distance(date: NaiveDate, today: NaiveDate) -> String {
    match (date - today).num_days() {
        0 => "today".into(),
        days @ 1..=DAYS_IN_WORDS => format!("in {}", counted(days, "day")),
        days @ ..0 => format!("{} ago", counted(-days, "day")),
        days @ 31..730 => format!("in {}", counted(days / 30, "month")),
        days => format!("in {}", counted(days / 365, "year")),
    }
}

/// `1 day`, `2 days`.
fn counted(number: i64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn now() -> DateTime<Utc> {
        "2026-11-20T17:58:09Z".parse().unwrap()
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let made = at("2026-11-20T17:58:59Z");
        assert_eq!(clock(made, at("2026-11-20T23:59:59Z")), "17:58 UTC");
        assert_eq!(
            clock(made, at("2026-11-21T00:00:00Z")),
            "17:58 UTC on 20 Nov 2026"
        );
    }

    #[test]
    fn the_past_is_told_in_the_largest_whole_unit_and_beyond_a_month_as_a_date() {
        for (seconds, text) in [
            (-3600, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (3600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (30 * 86_400, "30 days ago"),
            (31 * 86_400 - 1, "30 days ago"),
            (31 * 86_400, "20 Oct 2026"),
        ] {
            assert_eq!(
                ago(now() - TimeDelta::seconds(seconds), now()),
                text,
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_moment_is_told_exactly_too() {
        let moment = Moment::at("2026-11-03T07:05:00.5Z".parse().unwrap(), now());
        assert_eq!(moment.datetime, "2026-11-03T07:05:00Z");
        assert_eq!(moment.exact, "3 Nov 2026, 07:05:00 UTC");
        assert_eq!(moment.to_the_minute(), "3 Nov 2026, 07:05 UTC");
        assert_eq!(moment.text, "17 days ago");
    }

    #[test]
    fn an_end_is_told_with_its_distance_and_how_near_it_is() {
        let today = now().date_naive();
        for (days, text, urgency) in [
            (-2, "2 days ago", Urgency::Now),
            (0, "today", Urgency::Now),
            (1, "in 1 day", Urgency::Now),
            (2, "in 2 days", Urgency::Now),
            (3, "in 3 days", Urgency::Soon),
            (7, "in 7 days", Urgency::Soon),
            (8, "in 8 days", Urgency::Later),
            (30, "in 30 days", Urgency::Later),
            (31, "in 1 month", Urgency::Later),
            (365, "in 12 months", Urgency::Later),
            (900, "in 2 years", Urgency::Later),
        ] {
            let end = Expiry::on(today + TimeDelta::days(days), today);
            assert_eq!(end.distance, text, "{days}");
            assert!(end.urgency == urgency, "{days}");
        }
        assert_eq!(Expiry::on(today, today).day.text, "20 Nov 2026");
        assert_eq!(Expiry::on(today, today).day.date, "2026-11-20");
    }
}
