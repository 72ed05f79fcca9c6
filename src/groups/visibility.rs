//! Who may see a group or a project at all.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How widely a group or a project can be seen; wider ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(i32)]
pub enum Visibility {
    /// Members only.
    Private = 0,
    /// Everybody with an account here, except external users.
    Internal = 10,
    /// Everybody, signed in or not.
    Public = 20,
}

impl Visibility {
    /// All of them, narrowest first.
    pub const ALL: [Self; 3] = [Self::Private, Self::Internal, Self::Public];

    /// The name in the API and in the database, such as `internal`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }

    /// Each visibility with its name, narrowest first.
    pub fn named() -> [(&'static str, Self); 3] {
        Self::ALL.map(|visibility| (visibility.name(), visibility))
    }

    /// The name as a label, such as `Internal`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Internal => "Internal",
            Self::Public => "Public",
        }
    }

    /// The number that GitLab's forms use: 0, 10 or 20.
    pub const fn level(self) -> i32 {
        self as i32
    }

    /// The visibility with this number.
    pub fn from_level(level: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|visibility| i64::from(visibility.level()) == level)
    }

    /// The visibility with exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|visibility| visibility.name() == name)
    }

    /// One line for the form of a group.
    pub const fn of_group(self) -> &'static str {
        match self {
            Self::Private => "Only members can see the group and its projects.",
            Self::Internal => {
                "Everybody who is signed in can see the group, except external users. Its projects can be internal or private."
            }
            Self::Public => {
                "Everybody can see the group without signing in. Its projects can be public, internal or private."
            }
        }
    }

    /// One line for the form of a project.
    pub const fn of_project(self) -> &'static str {
        match self {
            Self::Private => "Only members can see the project.",
            Self::Internal => {
                "Everybody who is signed in can see the project and its code, except external users."
            }
            Self::Public => "Everybody can see the project and its code without signing in.",
        }
    }

    /// May something this visible stand in a group with that visibility? Never wider than its group.
    pub fn within(self, parent: Self) -> bool {
        self <= parent
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no visibility with this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a visibility; they are private, internal and public")]
pub struct UnknownVisibility(pub String);

impl TryFrom<String> for Visibility {
    type Error = UnknownVisibility;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or(UnknownVisibility(name))
    }
}

impl std::str::FromStr for Visibility {
    type Err = UnknownVisibility;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::parse(name).ok_or_else(|| UnknownVisibility(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Visibility::{Internal, Private, Public};

    #[test]
    fn every_visibility_has_its_name_and_its_level() {
        for (visibility, name, label, level) in [
            (Private, "private", "Private", 0),
            (Internal, "internal", "Internal", 10),
            (Public, "public", "Public", 20),
        ] {
            assert_eq!(visibility.name(), name);
            assert_eq!(visibility.to_string(), name);
            assert_eq!(visibility.label(), label);
            assert_eq!(visibility.level(), level);
            assert_eq!(Visibility::parse(name), Some(visibility));
            assert_eq!(name.parse(), Ok(visibility));
            assert_eq!(Visibility::try_from(name.to_owned()), Ok(visibility));
            assert_eq!(Visibility::from_level(level.into()), Some(visibility));
            let json = serde_json::to_string(&visibility).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(
                serde_json::from_str::<Visibility>(&json).unwrap(),
                visibility
            );
        }
    }

    #[test]
    fn nothing_else_is_a_visibility() {
        for name in ["", "Private", "secret", "0", " public"] {
            assert_eq!(Visibility::parse(name), None, "{name:?}");
        }
        for level in [-1, 1, 5, 30, (1 << 32) + 10] {
            assert_eq!(Visibility::from_level(level), None, "{level}");
        }
    }

    #[test]
    fn a_child_is_never_wider_than_its_parent() {
        for (parent, allowed) in [
            (Private, vec![Private]),
            (Internal, vec![Private, Internal]),
            (Public, vec![Private, Internal, Public]),
        ] {
            for child in Visibility::ALL {
                assert_eq!(
                    child.within(parent),
                    allowed.contains(&child),
                    "{child} in {parent}"
                );
            }
        }
    }

    #[test]
    fn each_visibility_is_explained_differently_for_groups_and_projects() {
        let mut lines: Vec<&str> = Visibility::ALL
            .into_iter()
            .flat_map(|visibility| [visibility.of_group(), visibility.of_project()])
            .collect();
        assert!(
            lines
                .iter()
                .all(|line| line.ends_with('.') && line.len() > 20)
        );
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 6);
    }
}
