//! Whose turn it is: webhooks take turns, and no top-level group has more than half of the calls.

use std::collections::{HashMap, VecDeque};

/// Calls at the same time.
pub(super) const AT_ONCE: usize = 8;

/// Of these, to one webhook: a slow receiver does not keep the others waiting.
const AT_ONCE_EACH: usize = 4;

/// Of these, to all webhooks of one top-level group: its Owners can make many, all of them slow.
const AT_ONCE_EACH_ROOT: usize = 4;

/// A webhook for which something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The webhook.
    pub id: i64,
    /// The top-level group that it belongs to.
    pub root: i64,
}

/// The webhooks in the order of their turns, and the calls that are under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    waiting: VecDeque<Waiting>,
    calls: HashMap<i64, usize>,
    calls_of_root: HashMap<i64, usize>,
}

impl Turns {
    /// With these to come, in this order.
    pub(super) fn of(waiting: Vec<Waiting>) -> Self {
        Turns {
            waiting: waiting.into(),
            ..Turns::default()
        }
    }

    /// The next one that may be called, counted as called; it comes again after all others. Whoever finds that nothing
    /// is due for it says so with [`Turns::leave`].
    pub(super) fn next(&mut self) -> Option<Waiting> {
        let place = self.waiting.iter().position(|hook| self.has_room(hook))?;
        let hook = self.waiting.remove(place)?;
        self.waiting.push_back(hook);
        *self.calls.entry(hook.id).or_default() += 1;
        *self.calls_of_root.entry(hook.root).or_default() += 1;
        Some(hook)
    }

    /// A call has come to its end, or wasn't made.
    pub(super) fn done(&mut self, hook: Waiting) {
        if let Some(calls) = self.calls.get_mut(&hook.id) {
            *calls = calls.saturating_sub(1);
        }
        if let Some(calls) = self.calls_of_root.get_mut(&hook.root) {
            *calls = calls.saturating_sub(1);
        }
    }

    /// Nothing is due for it any more: it has no turn in this round.
    pub(super) fn leave(&mut self, hook: Waiting) {
        self.waiting.retain(|other| other.id != hook.id);
        self.done(hook);
    }

    fn has_room(&self, hook: &Waiting) -> bool {
        let of = |calls: &HashMap<i64, usize>, id| calls.get(id).copied().unwrap_or_default();
        of(&self.calls, &hook.id) < AT_ONCE_EACH
            && of(&self.calls_of_root, &hook.root) < AT_ONCE_EACH_ROOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(hooks: &[(i64, i64)]) -> Turns {
        Turns::of(
            hooks
                .iter()
                .map(|&(id, root)| Waiting { id, root })
                .collect(),
        )
    }

    fn ids(turns: &mut Turns, most: usize) -> Vec<i64> {
        std::iter::from_fn(|| turns.next())
            .take(most)
            .map(|hook| hook.id)
            .collect()
    }

    #[test]
    fn webhooks_take_turns() {
        let mut turns = turns(&[(1, 10), (2, 20), (3, 30)]);
        assert_eq!(ids(&mut turns, 6), [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn a_webhook_has_four_calls_at_most() {
        let mut turns = turns(&[(1, 10)]);
        assert_eq!(ids(&mut turns, 8), [1, 1, 1, 1]);
        turns.done(Waiting { id: 1, root: 10 });
        assert_eq!(ids(&mut turns, 8), [1]);
    }

    #[test]
    fn a_top_level_group_has_four_calls_at_most_however_many_webhooks_it_has() {
        let mut turns = turns(&[(1, 10), (2, 10), (3, 10), (4, 10), (5, 10), (6, 20)]);
        assert_eq!(ids(&mut turns, 8), [1, 2, 3, 4, 6, 6, 6, 6]);
        turns.done(Waiting { id: 1, root: 10 });
        assert_eq!(ids(&mut turns, 8), [5]);
    }

    #[test]
    fn what_is_not_due_any_more_has_no_turn_and_no_call() {
        let mut turns = turns(&[(1, 10), (2, 10)]);
        let first = turns.next().unwrap();
        turns.leave(first);
        assert_eq!(ids(&mut turns, 8), [2, 2, 2, 2]);
    }
}
