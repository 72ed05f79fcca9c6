//! What a member may do: the six roles, from Guest to Owner.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The role of a member in a group or a project.
///
/// Roles are ordered: whoever has a higher one may do all that a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum AccessLevel {
    /// Sees that things are there.
    Guest = 10,
    /// Plans work, without reading code.
    Planner = 15,
    /// Reads everything, code included.
    Reporter = 20,
    /// Changes code.
    Developer = 30,
    /// Runs a project: its settings, its members, its tokens.
    Maintainer = 40,
    /// Decides everything, including who else is an Owner.
    Owner = 50,
}

impl AccessLevel {
    /// Every role, lowest first.
    pub const ALL: [Self; 6] = [
        Self::Guest,
        Self::Planner,
        Self::Reporter,
        Self::Developer,
        Self::Maintainer,
        Self::Owner,
    ];

    /// The number that the API and the database use.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Each role with its number, lowest first.
    pub fn numbered() -> [(i64, Self); 6] {
        Self::ALL.map(|level| (i64::from(level.number()), level))
    }

    /// The role with this number, if there is one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|level| i64::from(level.number()) == number)
    }

    /// The name that people read, such as `Maintainer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "Guest",
            Self::Planner => "Planner",
            Self::Reporter => "Reporter",
            Self::Developer => "Developer",
            Self::Maintainer => "Maintainer",
            Self::Owner => "Owner",
        }
    }

    /// The name inside of a sentence, such as `maintainer`.
    pub const fn lower_name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Planner => "planner",
            Self::Reporter => "reporter",
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        }
    }

    /// The role that a person typed: a name in any case, or a number.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| {
            text.eq_ignore_ascii_case(level.name()) || text == level.number().to_string()
        })
    }

    /// The roles that somebody with this one may give to others, lowest first.
    pub fn and_below(self) -> impl DoubleEndedIterator<Item = Self> {
        Self::ALL.into_iter().filter(move |level| *level <= self)
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no role with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an access level; they are 10, 15, 20, 30, 40 and 50")]
pub struct UnknownAccessLevel(pub i64);

impl TryFrom<i32> for AccessLevel {
    type Error = UnknownAccessLevel;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        let number = i64::from(number);
        Self::from_number(number).ok_or(UnknownAccessLevel(number))
    }
}

impl From<AccessLevel> for i32 {
    fn from(level: AccessLevel) -> Self {
        level.number()
    }
}

impl Serialize for AccessLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for AccessLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| de::Error::custom(UnknownAccessLevel(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(AccessLevel, i32, &str, &str); 6] = [
        (AccessLevel::Guest, 10, "Guest", "guest"),
        (AccessLevel::Planner, 15, "Planner", "planner"),
        (AccessLevel::Reporter, 20, "Reporter", "reporter"),
        (AccessLevel::Developer, 30, "Developer", "developer"),
        (AccessLevel::Maintainer, 40, "Maintainer", "maintainer"),
        (AccessLevel::Owner, 50, "Owner", "owner"),
    ];

    #[test]
    fn every_role_has_its_number_and_its_names() {
        assert_eq!(AccessLevel::ALL.len(), TABLE.len());
        for (level, (expected, number, name, lower)) in AccessLevel::ALL.into_iter().zip(TABLE) {
            assert_eq!(level, expected);
            assert_eq!(level.number(), number);
            assert_eq!(level.name(), name);
            assert_eq!(level.to_string(), name);
            assert_eq!(level.lower_name(), lower);
            assert_eq!(AccessLevel::try_from(number), Ok(level));
            assert_eq!(AccessLevel::from_number(i64::from(number)), Some(level));
        }
    }

    #[test]
    fn a_role_may_be_typed_as_its_number_or_its_name_in_any_case() {
        for (level, number, name, lower) in TABLE {
            for text in [&number.to_string(), name, lower, &name.to_uppercase()] {
                assert_eq!(AccessLevel::parse(text), Some(level), "{text}");
            }
        }
        for text in [
            "", " ", "fifty", "17", "050", "50.0", "+50", " 50", "ownerr",
        ] {
            assert_eq!(AccessLevel::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_between_the_roles_are_no_role() {
        let known: Vec<i64> = (-100..=100)
            .filter(|number| AccessLevel::from_number(*number).is_some())
            .collect();
        assert_eq!(known, [10, 15, 20, 30, 40, 50]);
        // Cut to 32 bits, this number would be 50.
        assert_eq!(AccessLevel::from_number((1 << 32) + 50), None);
        assert_eq!(AccessLevel::try_from(17), Err(UnknownAccessLevel(17)));
    }

    #[test]
    fn roles_are_ordered_like_their_numbers() {
        for (a, a_number, ..) in TABLE {
            for (b, b_number, ..) in TABLE {
                assert_eq!(a.cmp(&b), a_number.cmp(&b_number), "{a} and {b}");
            }
        }
    }

    #[test]
    fn a_maintainer_may_give_every_role_but_owner() {
        let given: Vec<i32> = AccessLevel::Maintainer
            .and_below()
            .map(AccessLevel::number)
            .collect();
        assert_eq!(given, [10, 15, 20, 30, 40]);
        assert_eq!(AccessLevel::Owner.and_below().count(), 6);
        assert_eq!(AccessLevel::Guest.and_below().count(), 1);
    }

    #[test]
    fn a_role_is_an_integer_in_json() {
        assert_eq!(
            serde_json::to_string(&AccessLevel::Developer).unwrap(),
            "30"
        );
        assert_eq!(
            serde_json::from_str::<AccessLevel>("30").unwrap(),
            AccessLevel::Developer
        );
        for json in ["31", "\"30\"", "30.0", "null"] {
            assert!(serde_json::from_str::<AccessLevel>(json).is_err(), "{json}");
        }
    }
}
