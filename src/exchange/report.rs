//! What came of an import.

use serde::Serialize;

/// Of one list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Were made.
    pub created: u64,
    /// Were here already, and stay as they are.
    pub existing: u64,
}

/// What was made, and what the operator should know of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// People.
    pub users: Counts,
    /// Groups.
    pub groups: Counts,
    /// Projects.
    pub projects: Counts,
    /// Roles of people.
    pub memberships: Counts,
    /// Bots, those without a token left out.
    pub bots: Counts,
    /// Tokens.
    pub tokens: Counts,
    /// Salts of the file that weren't known here.
    pub new_salts: u64,
    /// Digests of tokens that are no more, which weren't known here: their tokens will not be imported.
    pub taken_away: u64,
    /// Tokens of the file that were here before and have been taken away since: they don't come back.
    pub tokens_taken_away: u64,
    /// Tokens made that have no expiry date and aren't revoked.
    pub tokens_without_expiry: u64,
    /// Tokens made that aren't revoked and live longer than new ones may.
    pub tokens_beyond_limit: u64,
    /// Bots of the file that weren't made, because none of their tokens was.
    pub bots_without_token: u64,
    /// Administrators among the people made, by user name.
    pub administrators: Vec<String>,
    /// People made who have no password.
    pub without_password: u64,
    /// Top-level groups made that nobody owns for good, by path.
    pub without_owner: Vec<String>,
}

impl Report {
    /// What was made, in all.
    pub fn created(&self) -> u64 {
        self.lists().iter().map(|(_, counts)| counts.created).sum()
    }

    /// Whatever is another than before.
    pub fn changes(&self) -> u64 {
        self.created() + self.new_salts + self.taken_away
    }

    /// Each list with its counts.
    pub fn lists(&self) -> [(&'static str, Counts); 6] {
        [
            ("users", self.users),
            ("groups", self.groups),
            ("projects", self.projects),
            ("memberships", self.memberships),
            ("bots", self.bots),
            ("tokens", self.tokens),
        ]
    }
}
