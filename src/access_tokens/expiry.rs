//! Until when a token works. Dates are calendar days in UTC, and a token's last moment is the
//! midnight with which its expiry date begins.

use chrono::{Days, NaiveDate};

/// Has the date come? A token without a date never expires.
pub fn is_expired(expires_at: Option<NaiveDate>, today: NaiveDate) -> bool {
    expires_at.is_some_and(|date| date <= today)
}

/// Does a token with this date still work? What is not active is inactive, at every instant.
pub fn is_active(revoked: bool, expires_at: Option<NaiveDate>, today: NaiveDate) -> bool {
    !revoked && !is_expired(expires_at, today)
}

/// How long a token may live: the settings of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Must every token have an expiry date?
    pub require_expiry: bool,
    /// The longest life that the instance allows, in days.
    pub maximum_lifetime: Option<u32>,
    /// Is the built-in limit 400 days instead of 365?
    pub buffered: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            require_expiry: true,
            maximum_lifetime: None,
            buffered: false,
        }
    }
}

impl Limits {
    /// The days that a new token lives if nobody says otherwise.
    const DEFAULT_DAYS: u32 = 365;
    /// The days that a token rotated through the API lives if nobody says otherwise.
    const ROTATION_DAYS: u32 = 7;

    /// The limit that no setting lifts, in days; it holds only while a date is required.
    pub const fn built_in(self) -> u32 {
        if self.buffered { 400 } else { 365 }
    }

    /// The latest date that a token made today may have. None: any date.
    pub fn longest(self, today: NaiveDate) -> Option<NaiveDate> {
        self.tightest().map(|(days, _)| after(today, days))
    }

    /// The date of a new token for which none was given.
    pub fn default_date(self, today: NaiveDate) -> Option<NaiveDate> {
        self.default_of(Self::DEFAULT_DAYS, today)
    }

    /// The date of a token that is rotated through the API when none was given.
    pub fn default_for_rotation(self, today: NaiveDate) -> Option<NaiveDate> {
        self.default_of(Self::ROTATION_DAYS, today)
    }

    /// The date that the page proposes for a rotation: the same lifetime once more, as far as the
    /// limits allow, and never one that would be over at once.
    pub fn page_rotation(
        self,
        today: NaiveDate,
        old_created_on: NaiveDate,
        old_expires_at: Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        let Some(old_expires_at) = old_expires_at else {
            return self.default_date(today);
        };
        let lifetime = (old_expires_at - old_created_on).num_days();
        let date = after(today, u32::try_from(lifetime).unwrap_or(0).max(1));
        Some(
            self.longest(today)
                .map_or(date, |longest| date.min(longest)),
        )
    }

    /// May a token made today have this date? Today itself is allowed; such a token is expired
    /// from its first moment.
    pub fn validate(
        self,
        expires_at: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Result<(), ExpiryProblem> {
        let Some(date) = expires_at else {
            return if self.require_expiry {
                Err(ExpiryProblem::Blank)
            } else {
                Ok(())
            };
        };
        if date < today {
            return Err(ExpiryProblem::Past);
        }
        match self.tightest() {
            Some((days, source)) if date > after(today, days) => {
                let latest = after(today, days);
                Err(match source {
                    Source::BuiltIn => ExpiryProblem::OverBuiltIn { latest },
                    Source::Instance => ExpiryProblem::OverMaximum { latest },
                })
            }
            _ => Ok(()),
        }
    }

    /// The same for the pages, which offer tomorrow as the earliest date.
    pub fn validate_on_page(
        self,
        expires_at: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Result<(), ExpiryProblem> {
        self.validate(expires_at, today)?;
        if expires_at == Some(today) {
            return Err(ExpiryProblem::Today {
                earliest: earliest_on_page(today),
            });
        }
        Ok(())
    }

    fn default_of(self, days: u32, today: NaiveDate) -> Option<NaiveDate> {
        self.require_expiry.then(|| {
            after(
                today,
                self.maximum_lifetime.map_or(days, |max| days.min(max)),
            )
        })
    }

    /// The limit that is reached first, and whose it is.
    fn tightest(self) -> Option<(u32, Source)> {
        let built_in = self.built_in();
        match self.maximum_lifetime {
            Some(maximum) if maximum <= built_in || !self.require_expiry => {
                Some((maximum, Source::Instance))
            }
            _ => self.require_expiry.then_some((built_in, Source::BuiltIn)),
        }
    }
}

/// Whose limit it is; each has its own words.
#[derive(Clone, Copy, Debug)]
enum Source {
    BuiltIn,
    Instance,
}

/// The earliest date that pages offer: a token that expires today would never work.
pub fn earliest_on_page(today: NaiveDate) -> NaiveDate {
    after(today, 1)
}

fn after(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MAX)
}

/// Why a token can't have a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryProblem {
    /// A date is required and there is none.
    #[error("Expiration date can't be blank")]
    Blank,
    /// It lies before today.
    #[error("Expires at cannot be a date in the past")]
    Past,
    /// It is today, on a page.
    #[error("Expiration date must be {earliest} or later")]
    Today {
        /// The earliest date that is allowed.
        earliest: NaiveDate,
    },
    /// It lies beyond the built-in limit.
    #[error("Expiration date must be before {latest}")]
    OverBuiltIn {
        /// The latest date that is allowed (the text says "before", and means this one included).
        latest: NaiveDate,
    },
    /// It lies beyond the longest life that the instance allows.
    #[error("Expiration date is invalid")]
    OverMaximum {
        /// The latest date that is allowed.
        latest: NaiveDate,
    },
}

impl ExpiryProblem {
    /// The text for a form, which may say more than the API's.
    pub fn on_page(self) -> String {
        match self {
            Self::OverMaximum { latest } => format!("{self}; the latest allowed is {latest}"),
            other => other.to_string(),
        }
    }
}

/// How a table shows an expiry date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// There is no date: valid until revoked.
    Never,
    /// More than seven days away.
    Plain,
    /// Within seven days.
    Expiring,
    /// Within two days.
    Soon,
    /// The date has come.
    Expired,
}

/// How urgent a date is today.
pub fn badge(expires_at: Option<NaiveDate>, today: NaiveDate) -> Badge {
    match expires_at {
        None => Badge::Never,
        Some(date) => match (date - today).num_days() {
            ..=0 => Badge::Expired,
            1..=2 => Badge::Soon,
            3..=7 => Badge::Expiring,
            8.. => Badge::Plain,
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn in_days(days: i64) -> NaiveDate {
        day(TODAY) + TimeDelta::days(days)
    }

    const TODAY: &str = "2026-11-20";

    const DEFAULT: Limits = Limits {
        require_expiry: true,
        maximum_lifetime: None,
        buffered: false,
    };
    const BUFFERED: Limits = Limits {
        buffered: true,
        ..DEFAULT
    };
    const THIRTY_DAYS: Limits = Limits {
        maximum_lifetime: Some(30),
        ..DEFAULT
    };
    const OPTIONAL: Limits = Limits {
        require_expiry: false,
        ..DEFAULT
    };
    const OPTIONAL_THIRTY_DAYS: Limits = Limits {
        maximum_lifetime: Some(30),
        ..OPTIONAL
    };

    #[test]
    fn a_token_ends_at_the_midnight_with_which_its_date_begins() {
        let expires_at = Some(day("2024-01-01"));
        for (moment, active) in [
            ("2023-12-31T00:00:00Z", true),
            ("2023-12-31T23:59:59.999Z", true),
            ("2024-01-01T00:00:00Z", false),
            ("2024-01-01T12:00:00Z", false),
            ("2024-01-02T00:00:00Z", false),
        ] {
            let now: DateTime<Utc> = moment.parse().unwrap();
            assert_eq!(
                is_active(false, expires_at, now.date_naive()),
                active,
                "{moment}"
            );
        }
    }

    #[test]
    fn a_revoked_token_is_never_active_and_one_without_a_date_never_expires() {
        let today = day(TODAY);
        assert!(is_active(false, None, today));
        assert!(!is_expired(None, NaiveDate::MAX));
        assert!(!is_active(true, None, today));
        assert!(!is_active(true, Some(in_days(1)), today));
    }

    #[test]
    fn each_policy_has_its_limit_and_its_defaults() {
        for (name, limits, longest, default, rotation) in [
            ("default", DEFAULT, Some(365), Some(365), Some(7)),
            ("buffered", BUFFERED, Some(400), Some(365), Some(7)),
            ("thirty days", THIRTY_DAYS, Some(30), Some(30), Some(7)),
            ("optional", OPTIONAL, None, None, None),
            (
                "optional, capped",
                OPTIONAL_THIRTY_DAYS,
                Some(30),
                None,
                None,
            ),
            (
                "five days",
                Limits {
                    maximum_lifetime: Some(5),
                    ..DEFAULT
                },
                Some(5),
                Some(5),
                Some(5),
            ),
            (
                "400 days, set while that was allowed",
                Limits {
                    maximum_lifetime: Some(400),
                    ..DEFAULT
                },
                Some(365),
                Some(365),
                Some(7),
            ),
            (
                "buffered 400 days",
                Limits {
                    maximum_lifetime: Some(400),
                    ..BUFFERED
                },
                Some(400),
                Some(365),
                Some(7),
            ),
        ] {
            let today = day(TODAY);
            assert_eq!(limits.longest(today), longest.map(in_days), "{name}");
            assert_eq!(limits.default_date(today), default.map(in_days), "{name}");
            assert_eq!(
                limits.default_for_rotation(today),
                rotation.map(in_days),
                "{name}"
            );
        }
        assert_eq!(Limits::default(), DEFAULT);
    }

    #[test]
    fn every_date_is_allowed_or_refused_in_these_words() {
        const PAST: &str = "Expires at cannot be a date in the past";
        const INVALID: &str = "Expiration date is invalid";
        const BLANK: &str = "Expiration date can't be blank";
        for (limits, days, expected) in [
            (DEFAULT, None, Some(BLANK)),
            (DEFAULT, Some(-20_000), Some(PAST)),
            (DEFAULT, Some(-1), Some(PAST)),
            (DEFAULT, Some(0), None),
            (DEFAULT, Some(1), None),
            (DEFAULT, Some(365), None),
            (
                DEFAULT,
                Some(366),
                Some("Expiration date must be before 2027-11-20"),
            ),
            (
                DEFAULT,
                Some(2_000_000),
                Some("Expiration date must be before 2027-11-20"),
            ),
            (BUFFERED, Some(366), None),
            (BUFFERED, Some(400), None),
            (
                BUFFERED,
                Some(401),
                Some("Expiration date must be before 2027-12-25"),
            ),
            (THIRTY_DAYS, None, Some(BLANK)),
            (THIRTY_DAYS, Some(-1), Some(PAST)),
            (THIRTY_DAYS, Some(30), None),
            (THIRTY_DAYS, Some(31), Some(INVALID)),
            (THIRTY_DAYS, Some(1000), Some(INVALID)),
            // A maximum that equals the built-in limit is the one that is named.
            (
                Limits {
                    maximum_lifetime: Some(365),
                    ..DEFAULT
                },
                Some(366),
                Some(INVALID),
            ),
            (OPTIONAL, None, None),
            (OPTIONAL, Some(-1), Some(PAST)),
            (OPTIONAL, Some(0), None),
            (OPTIONAL, Some(366), None),
            (OPTIONAL, Some(1_000_000), None),
            (OPTIONAL_THIRTY_DAYS, None, None),
            (OPTIONAL_THIRTY_DAYS, Some(30), None),
            (OPTIONAL_THIRTY_DAYS, Some(31), Some(INVALID)),
        ] {
            let problem = limits.validate(days.map(in_days), day(TODAY)).err();
            assert_eq!(
                problem.map(|problem| problem.to_string()).as_deref(),
                expected,
                "{limits:?}, {days:?}"
            );
        }
    }

    #[test]
    fn pages_begin_with_tomorrow() {
        let today = day(TODAY);
        assert_eq!(earliest_on_page(today), in_days(1));
        assert_eq!(DEFAULT.validate_on_page(Some(in_days(1)), today), Ok(()));
        for (date, text) in [
            (
                Some(in_days(0)),
                "Expiration date must be 2026-11-21 or later",
            ),
            (Some(in_days(-1)), "Expires at cannot be a date in the past"),
            (None, "Expiration date can't be blank"),
        ] {
            let problem = DEFAULT.validate_on_page(date, today).unwrap_err();
            assert_eq!(problem.on_page(), text);
        }
    }

    #[test]
    fn the_form_names_the_limit_of_the_instance() {
        let problem = THIRTY_DAYS
            .validate(Some(in_days(31)), day(TODAY))
            .unwrap_err();
        assert_eq!(problem.to_string(), "Expiration date is invalid");
        assert_eq!(
            problem.on_page(),
            "Expiration date is invalid; the latest allowed is 2026-12-20"
        );
    }

    #[test]
    fn a_page_rotation_proposes_the_same_lifetime_within_the_limits() {
        for (limits, created, expires, proposed) in [
            (DEFAULT, -20, Some(10), Some(30)),
            (DEFAULT, -100, Some(-70), Some(30)),
            (DEFAULT, -10, Some(390), Some(365)),
            (BUFFERED, -10, Some(390), Some(400)),
            (THIRTY_DAYS, -100, Some(200), Some(30)),
            (OPTIONAL, -10, Some(990), Some(1000)),
            (OPTIONAL_THIRTY_DAYS, -10, Some(990), Some(30)),
            // Without a date: still without one only while none is required.
            (OPTIONAL, -10, None, None),
            (DEFAULT, -10, None, Some(365)),
            (THIRTY_DAYS, -10, None, Some(30)),
            // Made with its own day as the end, or with an odd date: one day, not none.
            (DEFAULT, -10, Some(-10), Some(1)),
            (DEFAULT, -10, Some(-15), Some(1)),
        ] {
            assert_eq!(
                limits.page_rotation(day(TODAY), in_days(created), expires.map(in_days)),
                proposed.map(in_days),
                "{limits:?}, {created}, {expires:?}"
            );
        }
    }

    #[test]
    fn a_date_is_marked_as_it_comes_near() {
        assert_eq!(badge(None, day(TODAY)), Badge::Never);
        for (days, expected) in [
            (-400, Badge::Expired),
            (0, Badge::Expired),
            (1, Badge::Soon),
            (2, Badge::Soon),
            (3, Badge::Expiring),
            (7, Badge::Expiring),
            (8, Badge::Plain),
            (365, Badge::Plain),
        ] {
            assert_eq!(badge(Some(in_days(days)), day(TODAY)), expected, "{days}");
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_no_crash() {
        let limits = DEFAULT;
        assert_eq!(limits.longest(NaiveDate::MAX), Some(NaiveDate::MAX));
        assert_eq!(
            limits.page_rotation(NaiveDate::MAX, NaiveDate::MIN, Some(NaiveDate::MAX)),
            Some(NaiveDate::MAX)
        );
        assert_eq!(badge(Some(NaiveDate::MAX), NaiveDate::MIN), Badge::Plain);
    }

    prop_compose! {
        fn dates()(days in -200_000_i64..200_000) -> NaiveDate {
            day("2000-01-01") + TimeDelta::days(days)
        }
    }

    prop_compose! {
        fn policies()(
            require_expiry: bool,
            maximum_lifetime in proptest::option::of(1_u32..=400),
            buffered: bool,
        ) -> Limits {
            Limits { require_expiry, maximum_lifetime, buffered }
        }
    }

    proptest! {
        #[test]
        fn a_token_works_up_to_the_last_second_before_its_date_and_not_after(
            expires_at in dates(), seconds in -10_000_000_i64..10_000_000
        ) {
            let midnight = expires_at.and_hms_opt(0, 0, 0).unwrap().and_utc();
            let now = midnight + TimeDelta::seconds(seconds);
            prop_assert_eq!(
                is_active(false, Some(expires_at), now.date_naive()),
                now < midnight
            );
        }

        #[test]
        fn active_and_inactive_are_exact_complements(
            expires_at in proptest::option::of(dates()), today in dates(), revoked: bool
        ) {
            let inactive = revoked || is_expired(expires_at, today);
            prop_assert_eq!(is_active(revoked, expires_at, today), !inactive);
            prop_assert_eq!(
                badge(expires_at, today) == Badge::Expired,
                is_expired(expires_at, today)
            );
        }

        #[test]
        fn what_expired_stays_expired(
            expires_at in dates(), today in dates(), later in 0_i64..1000
        ) {
            if is_expired(Some(expires_at), today) {
                prop_assert!(is_expired(Some(expires_at), today + TimeDelta::days(later)));
            }
        }

        #[test]
        fn the_longest_date_is_allowed_and_the_next_is_not(
            limits in policies(), today in dates()
        ) {
            if let Some(longest) = limits.longest(today) {
                prop_assert_eq!(limits.validate(Some(longest), today), Ok(()));
                prop_assert!(limits.validate(longest.succ_opt(), today).is_err());
            } else {
                prop_assert_eq!(limits.validate(Some(day("9999-12-31")), today), Ok(()));
            }
            prop_assert_eq!(
                limits.validate(today.pred_opt(), today),
                Err(ExpiryProblem::Past)
            );
        }

        #[test]
        fn whatever_latchkey_chooses_is_allowed(
            limits in policies(), today in dates(),
            created_on in dates(), expires_at in proptest::option::of(dates())
        ) {
            for chosen in [
                limits.default_date(today),
                limits.default_for_rotation(today),
                limits.page_rotation(today, created_on, expires_at),
            ] {
                prop_assert_eq!(limits.validate_on_page(chosen, today), Ok(()));
                prop_assert!(is_active(false, chosen, today));
            }
        }
    }
}
