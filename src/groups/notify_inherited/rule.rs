//! Who decides, from the instance down to a group.

/// What a group, or the instance, says by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// Inherited members too? Nothing: as above.
    pub value: Option<bool>,
    /// Does everything below do the same?
    pub locked: bool,
}

/// What holds for a group, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Inherited members too, not only direct ones.
    pub inherited: bool,
    /// Who says so.
    pub source: Source,
}

/// Who decides for a group. Ancestors are counted from the root, which is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nobody but the instance, which leaves it to groups.
    Default,
    /// The instance, which leaves it to nobody.
    LockedByInstance,
    /// The group itself.
    Own,
    /// This ancestor, which leaves it to what is below.
    Inherited(usize),
    /// This ancestor says no, which nothing below can undo.
    Stopped(usize),
    /// This ancestor, which leaves it to nothing below.
    Locked(usize),
}

impl Source {
    /// Is the group left without a say?
    pub fn is_lock(self) -> bool {
        matches!(self, Source::LockedByInstance | Source::Locked(_))
    }
}

/// What holds for the last group of `chain`, which leads there from the root.
///
/// Downwards, the nearest value wins, until somebody locks or says no: that settles it for everything below. The
/// instance's own no is only what holds where nobody says anything, unless it is locked.
pub fn decide(instance: (bool, bool), chain: &[Choice]) -> Decision {
    let (value, locked) = instance;
    let mut decision = Decision {
        inherited: value,
        source: Source::Default,
    };
    if locked {
        decision.source = Source::LockedByInstance;
        return decision;
    }
    let Some((own, above)) = chain.split_last() else {
        return decision;
    };
    for (at, choice) in above.iter().enumerate() {
        if let Some(value) = choice.value {
            decision = Decision {
                inherited: value,
                source: Source::Inherited(at),
            };
        }
        if choice.locked {
            decision.source = Source::Locked(at);
            return decision;
        }
        if choice.value == Some(false) {
            decision.source = Source::Stopped(at);
            return decision;
        }
    }
    if let Some(value) = own.value {
        decision = Decision {
            inherited: value,
            source: Source::Own,
        };
    }
    decision
}

/// What would hold for the last group of `chain` if it said nothing itself.
pub fn from_above(instance: (bool, bool), chain: impl Iterator<Item = Choice>) -> Decision {
    let mut chain: Vec<Choice> = chain.collect();
    if let Some(own) = chain.last_mut() {
        *own = Choice::default();
    }
    decide(instance, &chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTHING: Choice = Choice {
        value: None,
        locked: false,
    };

    fn says(value: bool) -> Choice {
        Choice {
            value: Some(value),
            locked: false,
        }
    }

    fn locks(value: bool) -> Choice {
        Choice {
            value: Some(value),
            locked: true,
        }
    }

    #[test]
    fn each_source_has_its_case() {
        let open = (false, false);
        for (instance, chain, inherited, source) in [
            (open, vec![], false, Source::Default),
            ((true, false), vec![NOTHING, NOTHING], true, Source::Default),
            (open, vec![NOTHING, says(true)], true, Source::Own),
            ((true, false), vec![says(false)], false, Source::Own),
            (open, vec![says(true), NOTHING], true, Source::Inherited(0)),
            (
                open,
                vec![says(true), says(true), NOTHING],
                true,
                Source::Inherited(1),
            ),
            (
                open,
                vec![says(false), says(true)],
                false,
                Source::Stopped(0),
            ),
            (
                open,
                vec![says(true), says(false), says(true), NOTHING],
                false,
                Source::Stopped(1),
            ),
            (
                open,
                vec![locks(true), says(false)],
                true,
                Source::Locked(0),
            ),
            (
                open,
                vec![locks(false), locks(true), says(true)],
                false,
                Source::Locked(0),
            ),
            (
                (true, true),
                vec![locks(false), says(false)],
                true,
                Source::LockedByInstance,
            ),
        ] {
            assert_eq!(
                decide(instance, &chain),
                Decision { inherited, source },
                "{instance:?} {chain:?}"
            );
        }
    }

    #[test]
    fn ones_own_lock_is_for_what_is_below() {
        assert_eq!(decide((false, false), &[locks(true)]).source, Source::Own);
        assert!(!Source::Own.is_lock() && !Source::Stopped(0).is_lock());
        assert!(Source::Locked(0).is_lock() && Source::LockedByInstance.is_lock());
    }

    /// The same said upwards: from the group to the root, and each ancestor asked what it is itself.
    fn holds(instance: (bool, bool), chain: &[Choice]) -> bool {
        if instance.1 || chain.is_empty() {
            return instance.0;
        }
        let (own, above) = chain.split_last().unwrap();
        let settles = |at: &usize| above[*at].locked || above[*at].value == Some(false);
        match (0..above.len()).find(settles) {
            Some(first) => holds(instance, &chain[..=first]),
            None => own.value.unwrap_or_else(|| holds(instance, above)),
        }
    }

    fn choices() -> impl Strategy<Value = Vec<Choice>> {
        let choice = (any::<Option<bool>>(), any::<bool>(), any::<bool>());
        let choice = choice.prop_map(|(value, one, other)| Choice {
            value,
            locked: one && other,
        });
        proptest::collection::vec(choice, 0..8)
    }

    proptest! {
        #[test]
        fn both_definitions_agree(instance: (bool, bool), chain in choices()) {
            prop_assert_eq!(decide(instance, &chain).inherited, holds(instance, &chain));
        }

        #[test]
        fn whoever_is_named_says_what_holds(instance: (bool, bool), chain in choices()) {
            let Decision { inherited, source } = decide(instance, &chain);
            let ancestors = chain.len().saturating_sub(1);
            match source {
                Source::Default => prop_assert!(!instance.1 && inherited == instance.0),
                Source::LockedByInstance => prop_assert!(instance.1 && inherited == instance.0),
                Source::Own => prop_assert_eq!(chain[ancestors].value, Some(inherited)),
                Source::Inherited(at) => {
                    prop_assert!(at < ancestors && inherited);
                    prop_assert_eq!(chain[at].value, Some(true));
                }
                Source::Stopped(at) => {
                    prop_assert!(at < ancestors && !inherited);
                    prop_assert_eq!(chain[at].value, Some(false));
                }
                Source::Locked(at) => {
                    prop_assert!(at < ancestors && chain[at].locked);
                    prop_assert_eq!(decide(instance, &chain[..=at]).inherited, inherited);
                }
            }
        }

        #[test]
        fn nothing_below_a_lock_or_a_no_changes_anything(
            instance: (bool, bool), above in choices(), one in choices(), other in choices(), lock: bool,
        ) {
            let settled = Choice { value: Some(false), locked: lock };
            let below = |more: &[Choice]| {
                let mut chain = above.clone();
                chain.push(settled);
                chain.extend_from_slice(more);
                chain.push(NOTHING);
                decide(instance, &chain)
            };
            prop_assert_eq!(below(&one), below(&other));
        }
    }
}
