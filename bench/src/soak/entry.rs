//! One token: what was asked for, what was answered, and what must be there because of that.

use super::facts::{CREATED, DELETED, Facts, ROTATED, Row};

/// A token as those who asked for it know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// A name that nobody else gives a token.
    pub(super) name: String,
    pub(super) group: i64,
    /// Its ids and values so far, the newest at the end. None as long as its creation isn't answered.
    pub(super) values: Vec<(i64, String)>,
    pub(super) state: State,
}

/// How far what was asked for last has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its creation, a rotation or a revocation is on its way, or nobody knows what became of it.
    Creating,
    Rotating,
    Revoking,
    /// All that was asked for was answered.
    Living,
    Revoked,
}

impl Entry {
    /// Does nobody know what became of it?
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Living | State::Revoked)
    }

    /// What the database says otherwise.
    pub(super) fn complaints(&self, facts: &Facts) -> Vec<String> {
        let mut found = Vec::new();
        let mut complain = |id: i64, what: &str| {
            found.push(format!("token {id} ({}): {what}", self.name));
        };
        let made = facts.first_of(&self.name).count();
        let Some((newest, former)) = self.values.split_last() else {
            if made > 1 {
                complain(0, "one creation has made several tokens");
            }
            return found;
        };
        let (first, newest) = (self.values[0].0, newest.0);
        if facts.events(first, CREATED) != 1 {
            complain(
                first,
                "its creation was acknowledged and isn't in the audit trail",
            );
        }
        if made > 1 {
            complain(first, "one creation has made several tokens");
        }
        for (pair, (id, _)) in self.values.windows(2).zip(former) {
            let next = pair[1].0;
            if facts.row(*id) == Row::Active {
                complain(*id, "it was rotated away, and is active");
            }
            if facts.events(next, ROTATED) != 1 {
                complain(
                    next,
                    "its rotation was acknowledged and isn't in the audit trail",
                );
            }
            if facts.row(*id) == Row::Ended && facts.successors(*id) != [next] {
                complain(*id, "its successor isn't the one that was acknowledged");
            }
        }
        let (row, successors) = (facts.row(newest), facts.successors(newest));
        let deleted = facts.events(newest, DELETED);
        match self.state {
            State::Living if row != Row::Active => {
                complain(newest, "it was acknowledged, and isn't active")
            }
            State::Revoked if row == Row::Active => {
                complain(newest, "its revocation was acknowledged, and it is active");
            }
            State::Revoked if deleted != 1 => {
                complain(
                    newest,
                    "its revocation was acknowledged and isn't in the audit trail",
                );
            }
            State::Rotating if row != Row::Active && successors.len() != 1 => {
                complain(
                    newest,
                    "an unanswered rotation has ended it, and made no other",
                );
            }
            State::Rotating if row == Row::Active && !successors.is_empty() => {
                complain(
                    newest,
                    "an unanswered rotation has made another, and not ended it",
                );
            }
            State::Revoking if (row == Row::Active) != (deleted == 0) => {
                complain(newest, "of its revocation one half has happened");
            }
            _ => {}
        }
        found
    }
}
