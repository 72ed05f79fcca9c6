//! What was asked for and what was answered, and what must hold because of that, whatever happened in between.

use super::{
    entry::{Entry, State},
    facts::{Facts, Row},
    role::Role,
};

/// What a value must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    Work,
    /// Be answered with 401.
    Fail,
}

/// A value that was told to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    pub(crate) id: i64,
    pub(crate) value: &'a str,
    pub(crate) must: Must,
}

/// Everything that one client has changed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    role: Option<Role>,
    /// Changes that were acknowledged.
    acknowledged: usize,
}

impl Ledger {
    /// A token is about to be made in a group; the number that it goes by here.
    pub(crate) fn create(&mut self, name: &str, group: i64) -> usize {
        self.entries.push(Entry {
            name: name.to_owned(),
            group,
            values: Vec::new(),
            state: State::Creating,
        });
        self.entries.len() - 1
    }

    /// It is about to be rotated.
    pub(crate) fn rotate(&mut self, at: usize) {
        self.set(at, State::Rotating);
    }

    /// It is about to be revoked.
    pub(crate) fn revoke(&mut self, at: usize) {
        self.set(at, State::Revoking);
    }

    /// Its creation or a rotation was acknowledged, with this value.
    pub(crate) fn has_value(&mut self, at: usize, id: i64, value: &str) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.values.push((id, value.to_owned()));
        }
        self.set(at, State::Living);
        self.acknowledged += 1;
    }

    /// Its revocation was acknowledged.
    pub(crate) fn is_revoked(&mut self, at: usize) {
        self.set(at, State::Revoked);
        self.acknowledged += 1;
    }

    /// The group that a token is made in.
    pub(crate) fn group(&self, at: usize) -> Option<i64> {
        self.entries.get(at).map(|entry| entry.group)
    }

    /// The newest id and value of a token.
    pub(crate) fn newest(&self, at: usize) -> Option<(i64, &str)> {
        let (id, value) = self.entries.get(at)?.values.last()?;
        Some((*id, value))
    }

    /// Somebody has this role in a group before anything is changed.
    pub(crate) fn role_before(&mut self, group: i64, person: i64, level: i64) {
        self.role = Some(Role {
            group,
            person,
            levels: vec![level],
            asked: None,
        });
    }

    /// The role whose changes are noted here.
    pub(crate) fn role(&self) -> Option<&Role> {
        self.role.as_ref()
    }

    /// The role is about to become this one.
    pub(crate) fn change_role(&mut self, level: i64) {
        if let Some(role) = &mut self.role {
            role.asked = Some(level);
        }
    }

    /// That was acknowledged.
    pub(crate) fn role_is_changed(&mut self) {
        if let Some(role) = &mut self.role {
            role.levels.extend(role.asked.take());
            self.acknowledged += 1;
        }
    }

    /// Somebody has looked, after a change of which nobody knew what became. Both roles are right, no third one is.
    pub(crate) fn role_is_seen(&mut self, level: i64) -> bool {
        let Some(role) = &mut self.role else {
            return false;
        };
        let asked = role.asked.take();
        if asked == Some(level) {
            role.levels.push(level);
            return true;
        }
        role.level() == Some(level)
    }

    /// How many changes were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Of the changes that were asked for last and never answered: how many there are, and how many have happened.
    pub(crate) fn unanswered(&self, facts: &Facts) -> (usize, usize) {
        let open = self.entries.iter().filter(|entry| entry.is_open());
        let (mut all, mut happened) = (0, 0);
        for entry in open {
            all += 1;
            happened += usize::from(match entry.values.last() {
                None => facts.first_of(&entry.name).next().is_some(),
                Some((id, _)) => facts.row(*id) != Row::Active,
            });
        }
        (all, happened)
    }

    /// Every value that was told to anybody, with what it must do. Where that is open, the database says.
    pub(crate) fn told<'a>(&'a self, facts: &Facts) -> Vec<Told<'a>> {
        let mut all = Vec::new();
        for entry in &self.entries {
            for (at, (id, value)) in entry.values.iter().enumerate() {
                let newest = at + 1 == entry.values.len();
                let works = newest
                    && match entry.state {
                        State::Living => true,
                        State::Revoked => false,
                        _ => facts.row(*id) == Row::Active,
                    };
                let must = if works { Must::Work } else { Must::Fail };
                all.push(Told {
                    id: *id,
                    value,
                    must,
                });
            }
        }
        all
    }

    /// What the database says otherwise.
    pub(crate) fn complaints(&self, facts: &Facts) -> Vec<String> {
        let tokens = self
            .entries
            .iter()
            .flat_map(|entry| entry.complaints(facts));
        let role = self.role.iter().flat_map(|role| role.complaints(facts));
        tokens.chain(role).collect()
    }

    fn set(&mut self, at: usize, state: State) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::samples::Sampled;

    const NAME: &str = "load 1/1";

    /// Somebody has made a token, 1, and was answered.
    fn made() -> Ledger {
        let mut ledger = Ledger::default();
        let at = ledger.create(NAME, 7);
        ledger.has_value(at, 1, "one");
        ledger
    }

    fn is_fine(ledger: &Ledger, facts: &Facts) -> bool {
        ledger.complaints(facts).is_empty()
    }

    fn must(ledger: &Ledger, facts: &Facts) -> Vec<(i64, Must)> {
        let told = ledger.told(facts);
        told.iter().map(|one| (one.id, one.must)).collect()
    }

    fn nothing() -> Facts {
        Sampled::default().facts()
    }

    fn created() -> Facts {
        Sampled::default().created(1, NAME).facts()
    }

    fn rotated() -> Facts {
        Sampled::default().created(1, NAME).rotated(1, 2).facts()
    }

    fn revoked() -> Facts {
        Sampled::default().created(1, NAME).revoked(1).facts()
    }

    #[test]
    fn a_creation_that_was_answered_is_there_and_works() {
        let ledger = made();
        assert!(is_fine(&ledger, &created()));
        assert!(!is_fine(&ledger, &nothing()));
        assert!(!is_fine(&ledger, &rotated()));
        assert!(!is_fine(&ledger, &revoked()));
        assert_eq!(must(&ledger, &created()), [(1, Must::Work)]);
        // What the database says is no excuse.
        assert_eq!(must(&ledger, &nothing()), [(1, Must::Work)]);
    }

    #[test]
    fn a_creation_that_was_not_answered_may_have_happened_and_not_twice() {
        let mut ledger = Ledger::default();
        ledger.create(NAME, 7);
        assert!(is_fine(&ledger, &nothing()) && is_fine(&ledger, &created()));
        assert_eq!(ledger.unanswered(&nothing()), (1, 0));
        assert_eq!(ledger.unanswered(&created()), (1, 1));
        let twice = Sampled::default().created(1, NAME).created(2, NAME);
        assert!(!is_fine(&ledger, &twice.facts()));
    }

    #[test]
    fn a_creation_that_was_answered_has_not_happened_twice_either() {
        let twice = Sampled::default().created(1, NAME).created(2, NAME);
        assert!(!is_fine(&made(), &twice.facts()));
    }

    #[test]
    fn a_rotation_that_was_answered_has_ended_the_old_value() {
        let mut ledger = made();
        ledger.rotate(0);
        ledger.has_value(0, 2, "two");
        assert!(is_fine(&ledger, &rotated()));
        assert!(!is_fine(&ledger, &created()));
        let both = [(1, Must::Fail), (2, Must::Work)];
        assert_eq!(must(&ledger, &rotated()), both);
        assert_eq!(must(&ledger, &created()), both);
        assert_eq!(ledger.acknowledged(), 2);
        // Into another one than it was said.
        let another = Sampled::default().created(1, NAME).rotated(1, 3);
        assert!(!is_fine(&ledger, &another.facts()));
    }

    #[test]
    fn a_rotation_that_was_not_answered_is_there_or_not_and_never_half() {
        let mut ledger = made();
        ledger.rotate(0);
        assert!(is_fine(&ledger, &created()) && is_fine(&ledger, &rotated()));
        assert_eq!(must(&ledger, &created()), [(1, Must::Work)]);
        assert_eq!(must(&ledger, &rotated()), [(1, Must::Fail)]);
        assert_eq!(ledger.unanswered(&rotated()), (1, 1));
        // Ended, and nothing in its place; or something in its place, and not ended.
        assert!(!is_fine(
            &ledger,
            &Sampled::default().created(1, NAME).ended(1).facts()
        ));
        let beside = Sampled::default().created(1, NAME).rotated(1, 2).living(1);
        assert!(!is_fine(&ledger, &beside.facts()));
    }

    #[test]
    fn a_revocation_that_was_answered_has_ended_it_though_its_rows_may_be_gone() {
        let mut ledger = made();
        ledger.revoke(0);
        ledger.is_revoked(0);
        assert!(is_fine(&ledger, &revoked()));
        assert!(is_fine(
            &ledger,
            &Sampled::default()
                .created(1, NAME)
                .revoked(1)
                .deleted(1)
                .facts()
        ));
        assert!(!is_fine(&ledger, &created()));
        assert!(!is_fine(&ledger, &nothing()));
        assert_eq!(must(&ledger, &created()), [(1, Must::Fail)]);
    }

    #[test]
    fn a_revocation_that_was_not_answered_is_there_or_not_and_never_half() {
        let mut ledger = made();
        ledger.revoke(0);
        assert!(is_fine(&ledger, &created()) && is_fine(&ledger, &revoked()));
        assert_eq!(must(&ledger, &created()), [(1, Must::Work)]);
        assert_eq!(must(&ledger, &revoked()), [(1, Must::Fail)]);
        assert!(!is_fine(
            &ledger,
            &Sampled::default().created(1, NAME).ended(1).facts()
        ));
    }

    #[test]
    fn a_role_is_the_last_one_that_was_acknowledged_or_the_one_asked_for_since() {
        let mut ledger = Ledger::default();
        ledger.role_before(7, 5, 10);
        ledger.change_role(20);
        ledger.role_is_changed();
        let twenty = || Sampled::default().level(5, 7, &[10, 20]);
        let thirty = || Sampled::default().level(5, 7, &[10, 20, 30]);
        assert!(is_fine(&ledger, &twenty().facts()));
        assert!(!is_fine(&ledger, &thirty().facts()));
        assert!(!is_fine(
            &ledger,
            &Sampled::default().level(5, 7, &[10]).facts()
        ));
        ledger.change_role(30);
        assert!(is_fine(&ledger, &twenty().facts()) && is_fine(&ledger, &thirty().facts()));
        // The trail alone, or the role alone.
        assert!(!is_fine(&ledger, &thirty().level_is(5, 7, 20).facts()));
        assert!(!is_fine(&ledger, &twenty().level_is(5, 7, 30).facts()));
    }

    #[test]
    fn a_role_that_is_looked_at_is_one_of_two() {
        let mut ledger = Ledger::default();
        ledger.role_before(7, 5, 10);
        ledger.change_role(30);
        assert!(!ledger.clone().role_is_seen(20));
        assert!(ledger.clone().role_is_seen(10));
        assert!(ledger.role_is_seen(30));
        assert!(!ledger.role().unwrap().is_open());
        assert_eq!(ledger.role().unwrap().level(), Some(30));
    }
}
