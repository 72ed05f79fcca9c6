//! What becomes of tokens without an expiry date, by the history of the instance that they come from.
//!
//! GitLab requires dates since 16.0. What an upgrade did to older tokens depended on the day on which it was done.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, NaiveDate};

/// A release of GitLab; without a patch number, any of a minor release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    major: u16,
    minor: u16,
    patch: Option<u16>,
}

/// Dates are required since this one.
const DATES_REQUIRED: (u16, u16) = (16, 0);

/// The day on which that was released.
const DATES_REQUIRED_ON: (i32, u32, u32) = (2023, 5, 22);

/// The last day on which an upgrade gave every token a date.
const LAST_DATING_DAY: (i32, u32, u32) = (2024, 7, 23);

/// The days that such a token had left.
const DAYS: u64 = 365;

/// The first release of each minor one that leaves tokens without a date as they are, when it is installed anew.
const PATCHED: [(u16, u16, u16); 15] = [
    (16, 0, 9),
    (16, 1, 7),
    (16, 2, 10),
    (16, 3, 8),
    (16, 4, 6),
    (16, 5, 9),
    (16, 6, 9),
    (16, 7, 9),
    (16, 8, 9),
    (16, 9, 10),
    (16, 10, 9),
    (16, 11, 7),
    (17, 0, 5),
    (17, 1, 3),
    (17, 2, 1),
];

/// A text that names no release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a release such as 15.11 or 16.9.10")]
pub struct UnknownRelease;

impl FromStr for Release {
    type Err = UnknownRelease;

    /// Reads `15.11`, `16.9.10`, and what a version page shows: `v16.9.10`, `16.9.10-ee`.
    fn from_str(text: &str) -> Result<Self, UnknownRelease> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = match text.split_once('-') {
            Some((release, edition)) if edition.starts_with("ee") || edition.starts_with("ce") => {
                release
            }
            _ => text,
        };
        let mut numbers = text.split('.').map(|part| {
            let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| plain).ok_or(UnknownRelease)
        });
        let major = numbers.next().ok_or(UnknownRelease)??;
        let minor = numbers.next().ok_or(UnknownRelease)??;
        let patch = numbers.next().transpose()?;
        if numbers.next().is_some() {
            return Err(UnknownRelease);
        }
        Ok(Release {
            major,
            minor,
            patch,
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            Some(patch) => write!(f, ".{patch}"),
            None => Ok(()),
        }
    }
}

/// Where tokens come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// An instance that was upgraded to 16.0 or later.
    Upgrade {
        /// From this release,
        from: Release,
        /// on this day.
        on: NaiveDate,
    },
    /// An instance that began with this release.
    NewInstall(Release),
    /// The hosted offering.
    Hosted,
}

/// What becomes of tokens that have no expiry date and aren't revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A: they get one.
    Dated,
    /// B: they are left as they are.
    Kept,
    /// Nothing is changed, because the documents don't speak of it.
    Silent,
}

impl Mode {
    /// `A` and `B`, as documents and operators call them; nothing for the third.
    pub const fn letter(self) -> Option<&'static str> {
        match self {
            Mode::Dated => Some("A"),
            Mode::Kept => Some("B"),
            Mode::Silent => None,
        }
    }
}

/// An answer with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What becomes of them.
    pub mode: Mode,
    /// Why, as a sentence without its full stop.
    pub reason: String,
}

impl History {
    /// Can it have happened, as of today?
    ///
    /// # Errors
    /// A sentence, when the day of the upgrade can't be.
    pub fn check(self, today: NaiveDate) -> Result<(), String> {
        let History::Upgrade { on, .. } = self else {
            return Ok(());
        };
        let (year, month, day) = DATES_REQUIRED_ON;
        let first = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        if on < first {
            Err(format!(
                "{on} is before {first}, when 16.0 was released: nothing was upgraded to it then"
            ))
        } else if on > today {
            Err(format!("{on} is yet to come"))
        } else {
            Ok(())
        }
    }

    /// What becomes of tokens with this history, and why.
    pub fn ruling(self) -> Ruling {
        match self {
            History::Hosted => Ruling {
                mode: Mode::Dated,
                reason:
                    "The hosted offering gave every token without an expiry date one during 16.0"
                        .to_owned(),
            },
            History::Upgrade { from, on } => of_upgrade(from, on),
            History::NewInstall(release) => of_new_install(release),
        }
    }
}

fn of_upgrade(from: Release, on: NaiveDate) -> Ruling {
    let (year, month, day) = LAST_DATING_DAY;
    let last = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    if (from.major, from.minor) >= DATES_REQUIRED {
        Ruling {
            mode: Mode::Silent,
            reason: format!(
                "The documents are silent about an upgrade from {from}: they speak of upgrades from before 16.0"
            ),
        }
    } else if on <= last {
        Ruling {
            mode: Mode::Dated,
            reason: format!(
                "An upgrade from {from} to 16.0 or later, done on {on}, gave every token without an expiry date one; upgrades did until {last}"
            ),
        }
    } else {
        Ruling {
            mode: Mode::Kept,
            reason: format!(
                "An upgrade from {from} to 16.0 or later, done on {on}, left tokens without an expiry date as they were; upgrades did after {last}"
            ),
        }
    }
}

fn of_new_install(release: Release) -> Ruling {
    let patched = PATCHED
        .into_iter()
        .find(|(major, minor, _)| (*major, *minor) == (release.major, release.minor))
        .map(|(_, _, patch)| patch);
    match patched {
        Some(patch) if release.patch == Some(patch) => Ruling {
            mode: Mode::Kept,
            reason: format!(
                "A new install of {release} leaves tokens without an expiry date as they are"
            ),
        },
        Some(patch) => Ruling {
            mode: Mode::Silent,
            reason: format!(
                "The documents are silent about a new install of {release}: of {}.{} they speak of {}.{}.{patch}",
                release.major, release.minor, release.major, release.minor
            ),
        },
        None => Ruling {
            mode: Mode::Silent,
            reason: format!("The documents are silent about a new install of {release}"),
        },
    }
}

/// The date that tokens get which had none: 365 days after `from`, or sooner where the instance allows less.
pub fn date(from: NaiveDate, today: NaiveDate, maximum_lifetime: Option<u32>) -> NaiveDate {
    let after = |day: NaiveDate, days: u64| {
        day.checked_add_days(Days::new(days))
            .unwrap_or(NaiveDate::MAX)
    };
    let date = after(from, DAYS);
    maximum_lifetime.map_or(date, |days| date.min(after(today, days.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn upgrade(from: &str, on: &str) -> Mode {
        let from = release(from);
        History::Upgrade { from, on: day(on) }.ruling().mode
    }

    fn install(text: &str) -> Mode {
        History::NewInstall(release(text)).ruling().mode
    }

    #[test]
    fn an_upgrade_from_before_16_gave_dates_until_the_23rd_of_july_2024() {
        for (from, on, mode) in [
            ("15.11", "2024-07-20", Mode::Dated),
            ("15.11", "2024-07-23", Mode::Dated),
            ("15.11", "2024-07-24", Mode::Kept),
            ("15.11.13", "2024-07-23", Mode::Dated),
            ("15.11.13", "2024-07-24", Mode::Kept),
            ("15.0", "2023-05-22", Mode::Dated),
            ("15.4", "2026-01-01", Mode::Kept),
            ("14.10", "2024-07-23", Mode::Dated),
            ("14.10", "2024-07-24", Mode::Kept),
            ("13.12.15", "2024-07-23", Mode::Dated),
            ("13.12.15", "2024-07-24", Mode::Kept),
        ] {
            assert_eq!(upgrade(from, on), mode, "from {from} on {on}");
        }
    }

    #[test]
    fn nothing_was_upgraded_to_16_before_it_was_there_nor_will_have_been() {
        let today = day("2026-11-20");
        for (on, may_be) in [
            ("2023-05-21", false),
            ("2023-05-22", true),
            ("2026-11-20", true),
            ("2026-11-21", false),
        ] {
            let from = release("15.11");
            let history = History::Upgrade { from, on: day(on) };
            assert_eq!(history.check(today).is_ok(), may_be, "{on}");
        }
        assert!(History::Hosted.check(today).is_ok());
    }

    #[test]
    fn of_upgrades_from_16_or_later_nobody_speaks() {
        for from in [
            "16.0", "16.0.0", "16.0.9", "16.1", "16.11.6", "17.0", "17.2.0", "17.3",
        ] {
            for on in ["2023-06-01", "2024-07-23", "2024-07-24", "2026-01-01"] {
                let from = release(from);
                let ruling = History::Upgrade { from, on: day(on) }.ruling();
                assert_eq!(ruling.mode, Mode::Silent, "from {from} on {on}");
                assert!(ruling.reason.contains("silent"), "{}", ruling.reason);
            }
        }
    }

    #[test]
    fn a_new_install_of_each_patched_release_leaves_tokens_alone() {
        let patched = [
            "16.0.9", "16.1.7", "16.2.10", "16.3.8", "16.4.6", "16.5.9", "16.6.9", "16.7.9",
            "16.8.9", "16.9.10", "16.10.9", "16.11.7", "17.0.5", "17.1.3", "17.2.1",
        ];
        assert_eq!(patched.len(), PATCHED.len());
        for text in patched {
            assert_eq!(install(text), Mode::Kept, "{text}");
            // The release before it, and the one after, are not among those that are named.
            let named = release(text);
            for patch in [-1, 1] {
                let patch = named.patch.unwrap().checked_add_signed(patch);
                let other = Release { patch, ..named };
                let ruling = History::NewInstall(other).ruling();
                assert_eq!(ruling.mode, Mode::Silent, "{other}");
                assert!(ruling.reason.contains(text), "{}", ruling.reason);
            }
        }
    }

    #[test]
    fn of_other_new_installs_nobody_speaks() {
        for text in [
            "16.0.0", "16.0", "16.9", "15.11.13", "15.11", "17.2.0", "17.3.0", "18.0.0",
        ] {
            let ruling = History::NewInstall(release(text)).ruling();
            assert_eq!(ruling.mode, Mode::Silent, "{text}");
            assert!(ruling.reason.contains("silent"), "{}", ruling.reason);
        }
    }

    #[test]
    fn the_hosted_offering_gave_dates() {
        let ruling = History::Hosted.ruling();
        assert_eq!(ruling.mode.letter(), Some("A"));
        assert!(ruling.reason.contains("16.0"));
    }

    #[test]
    fn a_release_is_read_as_people_write_it_and_nothing_else_is_one() {
        for (text, shown) in [
            ("15.11", "15.11"),
            ("16.9.10", "16.9.10"),
            ("v16.9.10", "16.9.10"),
            ("16.9.10-ee", "16.9.10"),
            ("16.9.10-ce.0", "16.9.10"),
        ] {
            assert_eq!(release(text).to_string(), shown);
        }
        for text in [
            "",
            "16",
            "16.",
            "16.x",
            "16.9.10.1",
            "latest",
            "-1.2",
            "16.+9",
            "99999.1",
            "16.9-rc1",
        ] {
            assert_eq!(text.parse::<Release>(), Err(UnknownRelease), "{text}");
        }
    }

    #[test]
    fn the_date_is_a_year_after_and_never_beyond_what_the_instance_allows() {
        let today = day("2026-11-20");
        for (from, maximum, expected) in [
            ("2026-11-20", None, "2027-11-20"),
            ("2026-11-20", Some(30), "2026-12-20"),
            ("2026-11-20", Some(400), "2027-11-20"),
            ("2026-01-01", None, "2027-01-01"),
            ("2026-01-01", Some(365), "2027-01-01"),
            ("2024-02-29", None, "2025-02-28"),
        ] {
            assert_eq!(
                date(day(from), today, maximum),
                day(expected),
                "{from} {maximum:?}"
            );
        }
    }
}
