//! Windows of several loads by turns: a b c, c b a, and so on, so that what happens to the machine happens to all.

use std::time::Duration;

use crate::{
    statistics::{median, median_ratio},
    window::Window,
};

/// How often, and how long each time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) rounds: usize,
    pub(crate) window: Duration,
}

/// One of the loads: measured for a while whenever it is its turn.
pub(crate) type Measure<'a> = Box<dyn FnMut(Duration) -> anyhow::Result<Window> + 'a>;

/// All windows of one load, in the order of time.
#[derive(Debug, Default, Clone)]
pub(crate) struct Series(pub(crate) Vec<Window>);

/// Measures them by turns, after each had a shorter time to get warm.
pub(crate) fn alternate(
    rounds: Rounds,
    measures: &mut [Measure<'_>],
) -> anyhow::Result<Vec<Series>> {
    let mut all = vec![Series::default(); measures.len()];
    for measure in measures.iter_mut() {
        measure(rounds.window / 4)?;
    }
    for at in order(measures.len(), rounds.rounds) {
        all[at].0.push(measures[at](rounds.window)?);
    }
    Ok(all)
}

fn order(count: usize, rounds: usize) -> Vec<usize> {
    (0..rounds)
        .flat_map(|_| (0..count).chain((0..count).rev()))
        .collect()
}

impl Series {
    /// What this load reaches of the other one's answers a second.
    pub(crate) fn throughput_of(&self, other: &Series) -> Option<f64> {
        self.ratio(other, Window::rate)
    }

    /// How many times the other one's processor time an answer takes.
    pub(crate) fn cpu_of(&self, other: &Series) -> Option<f64> {
        self.ratio(other, Window::cpu_per_answer)
    }

    /// How many times the other one's time so many of a thousand answers take.
    pub(crate) fn permille_of(&self, other: &Series, permille: usize) -> Option<f64> {
        self.ratio(other, |window| window.permille(permille))
    }

    /// The median of the windows.
    pub(crate) fn median(&self, of: impl Fn(&Window) -> f64) -> f64 {
        median(self.0.iter().map(of).collect()).unwrap_or_default()
    }

    /// The longest that any answer took, in seconds.
    pub(crate) fn longest(&self) -> f64 {
        let all = self.0.iter().map(|window| window.permille(1000));
        all.fold(0.0, f64::max)
    }

    fn ratio(&self, other: &Series, of: impl Fn(&Window) -> f64) -> Option<f64> {
        median_ratio(self.0.iter().map(&of), other.0.iter().map(&of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_round_goes_backwards() {
        assert_eq!(order(3, 2), [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
    }

    #[test]
    fn windows_are_compared_with_those_beside_them() {
        let window = |answers: usize| {
            Ok(Window {
                latencies: vec![Duration::from_millis(1); answers],
                time: Duration::from_secs(1),
                cpu: Duration::ZERO,
            })
        };
        let (mut bare, mut ours) = (1_000, 100);
        let mut measures: [Measure<'_>; 2] = [
            Box::new(|_| {
                bare -= 100;
                window(bare)
            }),
            Box::new(|_| {
                ours -= 10;
                window(ours)
            }),
        ];
        let rounds = Rounds {
            rounds: 3,
            window: Duration::ZERO,
        };
        let all = alternate(rounds, &mut measures).unwrap();
        assert_eq!(all[0].0.len(), 6);
        assert!((all[1].throughput_of(&all[0]).unwrap() - 0.1).abs() < 1e-9);
    }
}
