//! Which mails a person wants.

pub mod choose;
pub mod store;

/// How a person is told that tokens end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpiryMails {
    /// A mail for each token.
    #[default]
    Single,
    /// A mail a day for all of them, the most urgent first.
    Digest,
}

impl ExpiryMails {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Single, Self::Digest];

    /// As the column and the form have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Digest => "digest",
        }
    }

    /// The one with exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mails| mails.name() == name)
    }
}

/// What a person has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choices {
    /// How they are told that tokens end.
    pub expiry_mails: ExpiryMails,
    /// Once a week, which tokens that they look after nobody uses.
    pub unused_token_mails: bool,
}
