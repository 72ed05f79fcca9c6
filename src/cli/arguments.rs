//! How the words of a command line become values; a word that can't be is an error of usage that says what can.

use chrono::NaiveDate;

use crate::access_tokens::grace::{Grace, LONGEST};
use crate::groups::Visibility;
use crate::groups::plan::Tier;
use crate::members::AccessLevel;

/// A role by its name or number, in any case.
pub(super) fn access_level(text: &str) -> Result<AccessLevel, String> {
    AccessLevel::parse(text).ok_or_else(|| {
        let roles: Vec<String> = AccessLevel::ALL
            .iter()
            .map(|level| format!("{} ({})", level.lower_name(), level.number()))
            .collect();
        format!("the roles are {}", roles.join(", "))
    })
}

/// A day that exists.
pub(super) fn date(text: &str) -> Result<NaiveDate, String> {
    let plain = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| "it must be a day that exists, as in 2027-03-31".to_owned())
}

/// Seconds that an old value goes on working.
pub(super) fn grace(text: &str) -> Result<Grace, String> {
    text.parse()
        .ok()
        .and_then(Grace::seconds)
        .ok_or_else(|| format!("it is a number of seconds from 0 to {LONGEST}"))
}

/// One of the three, in any case.
pub(super) fn tier(text: &str) -> Result<Tier, String> {
    Tier::parse(&text.to_ascii_lowercase())
        .ok_or_else(|| "it is free, premium or ultimate".to_owned())
}

/// One of the three, in any case.
pub(super) fn visibility(text: &str) -> Result<Visibility, String> {
    Visibility::parse(&text.to_ascii_lowercase())
        .ok_or_else(|| "it is private, internal or public".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_taken_by_name_or_number() {
        assert_eq!(access_level("MAINTAINER"), Ok(AccessLevel::Maintainer));
        assert_eq!(access_level("40"), Ok(AccessLevel::Maintainer));
        let error = access_level("boss").unwrap_err();
        assert!(
            error.contains("guest (10)") && error.contains("owner (50)"),
            "{error}"
        );
    }

    #[test]
    fn only_days_that_exist_are_taken() {
        assert_eq!(date("2028-02-29").unwrap().to_string(), "2028-02-29");
        for text in [
            "2027-02-29",
            "2027-1-1",
            "+2027-01-01",
            "tomorrow",
            "",
            "20270101",
            "2027-01-01T00:00",
        ] {
            assert!(date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn visibilities_are_taken_in_any_case() {
        assert_eq!(visibility("Internal"), Ok(Visibility::Internal));
        assert!(visibility("secret").is_err());
    }
}
