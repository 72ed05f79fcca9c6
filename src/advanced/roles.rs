//! Who has which role before and after something lies elsewhere.

use std::collections::HashMap;

use crate::members::AccessLevel;

/// A role of somebody that holds in a group or project before it moves, or afterwards, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub user_id: i64,
    /// Their name.
    pub name: String,
    /// Their user name.
    pub username: String,
    /// Is it the bot of an access token that works?
    pub is_bot: bool,
    /// The role.
    pub level: AccessLevel,
    /// Does it hold where things lie now?
    pub before: bool,
    /// Does it hold where they are going to lie?
    pub after: bool,
    /// Do they see it without any role: because it is open to them, or as an administrator?
    pub sees_anyway: bool,
    /// And all that lies below it as well?
    pub sees_all_below: bool,
    /// Have they a role of their own in something that lies further down?
    pub further_down: bool,
}

/// A person whose role changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Their name.
    pub name: String,
    /// Their user name.
    pub username: String,
    /// The role so far.
    pub before: Option<AccessLevel>,
    /// The role then.
    pub after: Option<AccessLevel>,
}

/// Whose role changes, highest roles first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// People who have none afterwards, and don't see it any more.
    pub lost: Vec<Changed>,
    /// People who have none afterwards, and see it all the same.
    pub only_seeing: Vec<Changed>,
    /// People who have none afterwards, and see it all the same, but not all that lies below it.
    pub seeing_less: Vec<Changed>,
    /// People who have none in it afterwards, but one of their own further down.
    pub further_down: Vec<Changed>,
    /// People with a lower one.
    pub lowered: Vec<Changed>,
    /// People with a higher one.
    pub raised: Vec<Changed>,
    /// People who have had none so far, and didn't see it.
    pub gained: Vec<Changed>,
    /// People who have had none so far, and saw it.
    pub seen_before: Vec<Changed>,
    /// Access tokens that don't reach it any more.
    pub tokens_lost: usize,
    /// Access tokens that only read it from then on, because it is open to them.
    pub tokens_only_seeing: usize,
    /// Access tokens that reach it from then on.
    pub tokens_gained: usize,
}

/// Compares what everybody's highest role is before and afterwards. `held` comes highest role first.
pub fn compare(held: &[Held]) -> Changes {
    let mut order: Vec<&Held> = Vec::new();
    let mut best: HashMap<i64, (Option<AccessLevel>, Option<AccessLevel>)> = HashMap::new();
    for role in held {
        let (before, after) = best.entry(role.user_id).or_insert_with(|| {
            order.push(role);
            (None, None)
        });
        *before = (*before).max(role.before.then_some(role.level));
        *after = (*after).max(role.after.then_some(role.level));
    }
    let mut changes = Changes::default();
    for who in order {
        let (before, after) = best.get(&who.user_id).copied().unwrap_or_default();
        if before == after {
            continue;
        }
        if who.is_bot {
            let lost = usize::from(after.is_none());
            if who.sees_anyway {
                changes.tokens_only_seeing += lost;
            } else {
                changes.tokens_lost += lost;
            }
            changes.tokens_gained += usize::from(before.is_none());
            continue;
        }
        let list = match (before, after) {
            (_, None) if who.further_down => &mut changes.further_down,
            (_, None) if who.sees_anyway && who.sees_all_below => &mut changes.only_seeing,
            (_, None) if who.sees_anyway => &mut changes.seeing_less,
            (_, None) => &mut changes.lost,
            (None, _) if who.sees_anyway => &mut changes.seen_before,
            (None, _) => &mut changes.gained,
            (before, after) if after < before => &mut changes.lowered,
            _ => &mut changes.raised,
        };
        list.push(Changed {
            name: who.name.clone(),
            username: who.username.clone(),
            before,
            after,
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccessLevel::{Developer, Guest, Maintainer, Owner};

    fn held(user_id: i64, level: AccessLevel, before: bool, after: bool) -> Held {
        Held {
            user_id,
            name: format!("Person {user_id}"),
            username: format!("person{user_id}"),
            is_bot: false,
            level,
            before,
            after,
            sees_anyway: false,
            sees_all_below: false,
            further_down: false,
        }
    }

    fn told(list: &[Changed]) -> Vec<(&str, Option<AccessLevel>, Option<AccessLevel>)> {
        list.iter()
            .map(|who| (who.username.as_str(), who.before, who.after))
            .collect()
    }

    #[test]
    fn the_highest_role_counts_on_either_side() {
        let changes = compare(&[
            // An Owner from above, who is a Developer here.
            held(1, Owner, true, false),
            // From above only.
            held(2, Owner, true, false),
            // Owners there as well.
            held(3, Owner, true, false),
            held(3, Owner, false, true),
            // There only, and here lower than there.
            held(4, Maintainer, false, true),
            held(5, Maintainer, false, true),
            held(1, Developer, true, true),
            held(5, Guest, true, true),
        ]);
        assert_eq!(told(&changes.lost), [("person2", Some(Owner), None)]);
        assert_eq!(
            told(&changes.lowered),
            [("person1", Some(Owner), Some(Developer))]
        );
        assert_eq!(
            told(&changes.raised),
            [("person5", Some(Guest), Some(Maintainer))]
        );
        assert_eq!(told(&changes.gained), [("person4", None, Some(Maintainer))]);
        assert_eq!((changes.tokens_lost, changes.tokens_gained), (0, 0));
    }

    #[test]
    fn whoever_keeps_a_role_further_down_or_sees_it_anyway_loses_no_access() {
        let further_down = |role: Held| Held {
            further_down: true,
            ..role
        };
        let sees_some = |role: Held| Held {
            sees_anyway: true,
            ..role
        };
        let sees = |role: Held| Held {
            sees_all_below: true,
            ..sees_some(role)
        };
        let changes = compare(&[
            further_down(held(1, Owner, true, false)),
            sees(held(2, Owner, true, false)),
            sees(further_down(held(3, Owner, true, false))),
            held(4, Owner, true, false),
            sees(held(5, Owner, false, true)),
            further_down(held(6, Owner, false, true)),
            sees(Held {
                is_bot: true,
                ..held(7, Owner, true, false)
            }),
            sees_some(held(8, Owner, true, false)),
            sees_some(further_down(held(9, Owner, true, false))),
            sees_some(held(10, Owner, false, true)),
        ]);
        let who = |list: &[Changed]| -> Vec<String> {
            list.iter().map(|who| who.username.clone()).collect()
        };
        assert_eq!(
            who(&changes.further_down),
            ["person1", "person3", "person9"]
        );
        assert_eq!(who(&changes.only_seeing), ["person2"]);
        assert_eq!(who(&changes.seeing_less), ["person8"]);
        assert_eq!(who(&changes.lost), ["person4"]);
        assert_eq!(who(&changes.seen_before), ["person5", "person10"]);
        assert_eq!(who(&changes.gained), ["person6"]);
        assert_eq!((changes.tokens_lost, changes.tokens_only_seeing), (0, 1));
    }

    #[test]
    fn bots_are_counted_as_their_tokens() {
        let bot = |role: Held| Held {
            is_bot: true,
            ..role
        };
        let changes = compare(&[
            bot(held(1, Owner, true, false)),
            bot(held(2, Owner, true, true)),
            bot(held(3, Owner, false, true)),
            bot(held(4, Guest, true, false)),
        ]);
        assert_eq!(
            changes,
            Changes {
                tokens_lost: 2,
                tokens_gained: 1,
                ..Changes::default()
            }
        );
    }

    #[test]
    fn nothing_changes_for_nobody() {
        assert_eq!(compare(&[]), Changes::default());
        assert_eq!(compare(&[held(1, Owner, true, true)]), Changes::default());
    }
}
