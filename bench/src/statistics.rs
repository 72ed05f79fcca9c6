//! What is computed from what was measured.

use std::time::Duration;

/// The one in the middle, or between the two in the middle. Nothing of nothing.
pub(crate) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    let upper = *numbers.get(half)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*numbers.get(half - 1)?, upper))
}

/// The median of what each of these is of its neighbour, which was measured right before or after it.
pub(crate) fn median_ratio(
    measured: impl IntoIterator<Item = f64>,
    yardstick: impl IntoIterator<Item = f64>,
) -> Option<f64> {
    let pairs = measured.into_iter().zip(yardstick);
    median(
        pairs
            .filter(|(_, yardstick)| *yardstick > 0.0)
            .map(|(measured, yardstick)| measured / yardstick)
            .collect(),
    )
}

/// So many of a thousand took no longer. Sorted ones are asked for.
pub(crate) fn permille(sorted: &[Duration], permille: usize) -> Duration {
    let at = (sorted.len() * permille / 1000).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn ratios_are_taken_pair_by_pair_before_their_median() {
        // A machine that became ten times slower half-way through changes nothing.
        let (bare, ours) = ([100.0, 102.0, 10.0], [50.0, 51.0, 5.0]);
        assert_eq!(median_ratio(ours, bare), Some(0.5));
        assert_eq!(median_ratio([1.0], [0.0]), None);
    }

    #[test]
    fn of_a_hundred_answers_one_is_above_the_99th_percentile() {
        let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(permille(&sorted, 990), Duration::from_millis(100));
        assert_eq!(permille(&sorted, 500), Duration::from_millis(51));
        assert_eq!(permille(&sorted, 1000), Duration::from_millis(100));
        assert_eq!(permille(&[], 990), Duration::ZERO);
    }
}
