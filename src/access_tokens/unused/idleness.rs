//! For how long nobody has used a token.

use chrono::{DateTime, TimeDelta, Utc};

/// For how long a token can be idle before it is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
}

impl Span {
    /// Shorter first.
    pub const ALL: [Self; 2] = [Self::Month, Self::Quarter];

    /// In days.
    pub const fn days(self) -> u32 {
        match self {
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }

    /// The span of exactly so many days, as addresses say it.
    pub fn parse(days: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|span| span.days().to_string() == days)
    }

    /// What was made (or imported) and last used at this moment or earlier is idle for that long.
    pub fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        days_before(now, self.days())
    }
}

/// The longest span for which a token is idle at this moment; nothing if it is in use, or too young to tell.
pub fn idleness(
    here_since: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Span> {
    Span::ALL
        .into_iter()
        .rev()
        .find(|span| is_unused_since(here_since, last_used_at, span.since(now)))
}

/// Was it there at that moment, and not used after it? Never used is not used since it was made, or imported.
pub fn is_unused_since(
    here_since: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> bool {
    here_since <= at && last_used_at.is_none_or(|used| used <= at)
}

/// The moment so many days ago.
pub fn days_before(now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    now.checked_sub_signed(TimeDelta::days(days.into()))
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn ago(seconds: i64) -> DateTime<Utc> {
        now() - TimeDelta::seconds(seconds)
    }

    const DAY: i64 = 86_400;

    #[test]
    fn a_token_is_idle_from_the_second_on_in_which_the_days_are_full() {
        for (created, used, span) in [
            (29 * DAY, None, None),
            (30 * DAY - 1, None, None),
            (30 * DAY, None, Some(Span::Month)),
            (90 * DAY - 1, None, Some(Span::Month)),
            (90 * DAY, None, Some(Span::Quarter)),
            (90 * DAY, Some(30 * DAY - 1), None),
            (90 * DAY, Some(30 * DAY), Some(Span::Month)),
            (400 * DAY, Some(90 * DAY), Some(Span::Quarter)),
            (400 * DAY, Some(0), None),
            (10 * DAY, Some(40 * DAY), None),
        ] {
            assert_eq!(
                idleness(ago(created), used.map(ago), now()),
                span,
                "made {created} s ago, used {used:?} s ago"
            );
        }
    }

    #[test]
    fn a_span_is_read_as_its_days_and_nothing_else() {
        for span in Span::ALL {
            assert_eq!(Span::parse(&span.days().to_string()), Some(span));
        }
        for text in ["", "0", "31", "030", "30 ", "9999999999999", "-30"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn who_is_idle_for_a_quarter_is_idle_for_a_month(created in 0..400 * DAY, used: Option<u32>) {
            let used = used.map(|used| ago(i64::from(used) % created.max(1)));
            let unused = |span: Span| is_unused_since(ago(created), used, span.since(now()));
            prop_assert!(!unused(Span::Quarter) || unused(Span::Month));
            let idle = idleness(ago(created), used, now());
            prop_assert_eq!(idle.is_some(), unused(Span::Month));
            prop_assert_eq!(idle == Some(Span::Quarter), unused(Span::Quarter));
        }

        #[test]
        fn a_use_never_makes_a_token_more_idle(created in 0..400 * DAY, used in 0..400 * DAY) {
            let used = Some(ago(used.min(created)));
            let span = |used| idleness(ago(created), used, now());
            prop_assert!(span(used) <= span(None));
        }
    }
}
