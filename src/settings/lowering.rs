//! When the longest lifetime of tokens is lowered, those that live longer end three hours later, unless somebody thinks
//! better of it.

use chrono::{DateTime, TimeDelta, Utc};

/// The time to think better of it.
const GRACE: TimeDelta = TimeDelta::hours(3);

/// A longest lifetime that was lowered, and tokens that are still longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lowering {
    /// When they end.
    pub at: DateTime<Utc>,
    /// What it was, in days, before it was first lowered; nothing for no limit.
    pub before: Option<u32>,
}

impl Lowering {
    /// The same with the full time once more.
    pub fn anew(self, now: DateTime<Utc>) -> Self {
        Lowering {
            at: now + GRACE,
            ..self
        }
    }
}

/// What is pending after the longest lifetime was changed.
///
/// Each step down gives the full time once more. Back up to what it was before the first one, or above, and nothing is
/// pending any more; anything below that is still a lowering, and its time goes on.
pub fn after_change(
    pending: Option<Lowering>,
    old: Option<u32>,
    new: Option<u32>,
    now: DateTime<Utc>,
) -> Option<Lowering> {
    let before = pending.map_or(old, |pending| pending.before);
    if !is_lower(new, before) {
        return None;
    }
    let at = match pending {
        Some(pending) if !is_lower(new, old) => pending.at,
        _ => now + GRACE,
    };
    Some(Lowering { at, before })
}

/// Does it allow less? No limit allows the most.
pub fn is_lower(new: Option<u32>, old: Option<u32>) -> bool {
    new.unwrap_or(u32::MAX) < old.unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    /// Changes, an hour after each other, and what is pending after the last.
    fn after(first: Option<u32>, changes: &[Option<u32>]) -> Option<(i64, Option<u32>)> {
        let (mut pending, mut old) = (None, first);
        for (hour, new) in (0..).zip(changes) {
            pending = after_change(pending, old, *new, at(hour));
            old = *new;
        }
        pending.map(|pending| ((pending.at - at(0)).num_hours(), pending.before))
    }

    #[test]
    fn lowering_gives_three_hours_and_undoing_it_takes_them_away() {
        for (first, changes, pending) in [
            (None, vec![Some(90)], Some((3, None))),
            (Some(365), vec![Some(90)], Some((3, Some(365)))),
            (Some(90), vec![Some(365)], None),
            (Some(90), vec![None], None),
            (Some(90), vec![Some(90)], None),
            // Undone.
            (Some(365), vec![Some(90), Some(365)], None),
            (None, vec![Some(90), None], None),
            (Some(200), vec![Some(90), Some(300)], None),
            (Some(200), vec![Some(90), Some(30), None], None),
            // Half undone is still lower than it was.
            (Some(365), vec![Some(30), Some(90)], Some((3, Some(365)))),
            (None, vec![Some(30), Some(365)], Some((3, None))),
            // Lower and lower: the full time again.
            (Some(365), vec![Some(90), Some(30)], Some((4, Some(365)))),
            (
                Some(365),
                vec![Some(90), Some(30), Some(90)],
                Some((4, Some(365))),
            ),
            // Begun anew after it was undone.
            (
                Some(365),
                vec![Some(90), Some(365), Some(90)],
                Some((5, Some(365))),
            ),
        ] {
            assert_eq!(after(first, &changes), pending, "{first:?} {changes:?}");
        }
    }
}
