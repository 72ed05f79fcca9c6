//! One role: how it was changed, and what must be there because of that.

use super::facts::Facts;

/// Somebody's role in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) group: i64,
    pub(crate) person: i64,
    /// The roles as they were seen or acknowledged, in order; the first one was there before.
    pub(super) levels: Vec<i64>,
    /// A change that nobody knows what became of.
    pub(super) asked: Option<i64>,
}

impl Role {
    /// What it was when it was last known.
    pub(crate) fn level(&self) -> Option<i64> {
        self.levels.last().copied()
    }

    /// Does nobody know what it is?
    pub(crate) fn is_open(&self) -> bool {
        self.asked.is_some()
    }

    /// What the database says otherwise.
    pub(super) fn complaints(&self, facts: &Facts) -> Vec<String> {
        let mut found = Vec::new();
        let (group, person) = (self.group, self.person);
        let level = facts.level(person, group);
        let asked = self.asked.filter(|asked| level == Some(*asked));
        if asked.is_none() && level != self.level() {
            found.push(format!(
                "person {person} has role {level:?} in group {group}, and {:?} was acknowledged",
                self.level()
            ));
        }
        // The trail has each change, from what was before to what came then.
        let all: Vec<i64> = self.levels.iter().copied().chain(asked).collect();
        let expected: Vec<(i64, i64)> = all.windows(2).map(|pair| (pair[0], pair[1])).collect();
        if facts.changes_of_level(person, group) != expected {
            found.push(format!(
                "the audit trail of person {person}'s role in group {group} isn't what was acknowledged"
            ));
        }
        found
    }
}
