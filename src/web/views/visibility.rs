//! The three levels of visibility as pages print them.

/// Who may see a group or project.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Members.
    Private,
    /// Everybody signed in who is not external.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// Its name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Internal => "Internal",
            Self::Public => "Public",
        }
    }

    /// The value that forms send.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }

    /// The symbol in the sprite, which is the value.
    pub const fn icon(self) -> &'static str {
        self.value()
    }

    /// Who may see it, in a sentence.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Private => "Only members can see it.",
            Self::Internal => "Everybody who is signed in can see it, except external users.",
            Self::Public => "Everybody can see it, without signing in.",
        }
    }
}

/// A level offered in a form.
#[derive(Clone)]
pub struct VisibilityOption {
    /// The level.
    pub level: Visibility,
    /// Whether it is the one chosen.
    pub checked: bool,
    /// Why it can't be chosen: `acme is private.`
    pub blocked: Option<String>,
}

impl VisibilityOption {
    /// The three levels, with `chosen` checked and each that `blocked` names a reason for switched off.
    pub fn all(chosen: Visibility, blocked: impl Fn(Visibility) -> Option<String>) -> Vec<Self> {
        [
            Visibility::Private,
            Visibility::Internal,
            Visibility::Public,
        ]
        .into_iter()
        .map(|level| Self {
            level,
            checked: level == chosen,
            blocked: blocked(level),
        })
        .collect()
    }
}
