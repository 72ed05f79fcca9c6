//! When a delivery that did not arrive is tried again, and when a webhook is given up.

use chrono::TimeDelta;

/// Attempts at one delivery, the first included.
pub const ATTEMPTS: i64 = 8;

/// Deliveries in a row that failed for good, after which a webhook is disabled.
pub const FAILURES: i64 = 5;

/// How long to wait after so many attempts, the first being 1; nothing after the last one.
pub fn pause_after(attempts: i64) -> Option<TimeDelta> {
    Some(match attempts {
        ..=1 => TimeDelta::minutes(1),
        2 => TimeDelta::minutes(5),
        3 => TimeDelta::minutes(30),
        4 => TimeDelta::hours(2),
        5..ATTEMPTS => TimeDelta::hours(6),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_eight_times_within_a_day() {
        let pauses: Vec<i64> = (1..)
            .map_while(pause_after)
            .map(|pause| pause.num_minutes())
            .collect();
        assert_eq!(pauses, [1, 5, 30, 120, 360, 360, 360]);
        assert!(pauses.iter().sum::<i64>() < 24 * 60);
    }
}
