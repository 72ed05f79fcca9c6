//! Whether a server's memory, files and threads stay where they are.

use std::time::Duration;

use crate::{meter::Meter, report::grouped};

/// What may be added to between an early and a late part of a run, of the least that each part has. A tenth, because the
/// allocator holds more or less of what it will need again; 8 MiB, so that a tenth of a small server is not less than a buffer
/// or two; and the block of each password that is hashed at once, which the allocator gives back when a large block is next
/// freed, be it seconds later. In minutes a leak of a hundred bytes for each answer is more than that.
fn memory_allowed() -> (f64, f64) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let hashed_at_once = (cores / 2).max(1);
    (1.10, 8.0 * 1024.0 + PASSWORD_KIB * hashed_at_once as f64)
}

/// What hashing a password takes.
const PASSWORD_KIB: f64 = 19.0 * 1024.0;

/// The same for open files and threads. Connections and threads that wait for the database come and go.
const HANDLES: (f64, f64) = (1.10, 8.0);

/// A server at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Since the beginning.
    pub(crate) at: Duration,
    pub(crate) memory_kib: u64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
    /// What PostgreSQL's processes hold.
    pub(crate) database_kib: Option<u64>,
}

impl Sample {
    /// Of the server now.
    pub(crate) fn of(meter: &Meter, at: Duration) -> Sample {
        let (memory_kib, database_kib) = meter.memory();
        let (files, threads) = meter.handles();
        Sample {
            at,
            memory_kib,
            files,
            threads,
            database_kib,
        }
    }
}

/// One number over the time of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    /// The least of the second fifth: the first one is for getting warm.
    pub(crate) early: f64,
    /// Of the fifth in the middle, and of the last one.
    pub(crate) middle: f64,
    pub(crate) late: f64,
    pub(crate) peak: f64,
}

impl Course {
    /// Of these samples of a run of this length. Nothing if a part of it has no sample.
    pub(crate) fn of(
        samples: &[Sample],
        time: Duration,
        number: impl Fn(&Sample) -> f64,
    ) -> Option<Course> {
        let fifth = |nth: u32| {
            let (from, to) = (time / 5 * nth, time / 5 * (nth + 1));
            let part = samples.iter().filter(|one| one.at >= from && one.at < to);
            part.map(&number).reduce(f64::min)
        };
        Some(Course {
            early: fifth(1)?,
            middle: fifth(2)?,
            late: fifth(4)?,
            peak: samples.iter().map(&number).fold(0.0, f64::max),
        })
    }

    fn is_flat(&self, (factor, more): (f64, f64)) -> bool {
        self.late <= self.early * factor + more
    }

    /// As a table shows it, in units of so many.
    pub(crate) fn shown(&self, unit: f64) -> String {
        let [early, middle, late, peak] = [self.early, self.middle, self.late, self.peak]
            .map(|number| grouped((number / unit).round() as i64));
        format!("{early}, {middle}, {late}; {peak}")
    }
}

/// What a server held.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) memory: Course,
    pub(crate) files: Course,
    pub(crate) threads: Course,
    pub(crate) database: Option<Course>,
}

impl Held {
    /// Over a run of this length.
    pub(crate) fn of(samples: &[Sample], time: Duration) -> Option<Held> {
        Some(Held {
            memory: Course::of(samples, time, |one| one.memory_kib as f64)?,
            files: Course::of(samples, time, |one| one.files as f64)?,
            threads: Course::of(samples, time, |one| one.threads as f64)?,
            database: samples
                .iter()
                .all(|one| one.database_kib.is_some())
                .then(|| Course::of(samples, time, |one| one.database_kib.unwrap_or(0) as f64))
                .flatten(),
        })
    }

    /// What has grown.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let all = [
            ("memory, KiB", self.memory, memory_allowed()),
            ("open files", self.files, HANDLES),
            ("threads", self.threads, HANDLES),
        ];
        let grown = all
            .iter()
            .filter(|(_, course, allowed)| !course.is_flat(*allowed));
        grown
            .map(|(what, course, _)| {
                format!(
                    "{what}: early, in the middle, late; at the peak: {}",
                    course.shown(1.0)
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(100);

    fn held(memory_mib: impl Fn(u64) -> u64, files: impl Fn(u64) -> u64) -> Held {
        let samples: Vec<Sample> = (0..100)
            .map(|second| Sample {
                at: Duration::from_secs(second),
                memory_kib: memory_mib(second) * 1024,
                files: files(second) as usize,
                threads: 12,
                database_kib: None,
            })
            .collect();
        Held::of(&samples, TIME).unwrap()
    }

    #[test]
    fn memory_that_grows_all_the_time_is_not_flat() {
        // However many passwords this machine may hash at once.
        let (_, more) = memory_allowed();
        let each_second = (more / 1024.0 / 50.0) as u64 + 1;
        let leak = held(|second| 50 + second * each_second, |_| 40);
        assert_eq!(leak.complaints().len(), 1);
        assert!(leak.complaints()[0].starts_with("memory"));
        assert!(held(|_| 50, |_| 40).complaints().is_empty());
    }

    #[test]
    fn getting_warm_and_a_short_peak_are_no_growth() {
        let warm = held(|second| 20 + 60 * u64::from(second >= 20), |_| 40);
        assert!(warm.complaints().is_empty());
        let block = held(|second| 50 + 19 * (second % 2), |_| 40);
        assert!(block.complaints().is_empty(), "one comes and goes");
        let peak = held(|second| 80 + 200 * u64::from(second == 90), |_| 40);
        assert!(peak.complaints().is_empty());
        assert_eq!(peak.memory.shown(1024.0), "80, 80, 80; 280");
    }

    #[test]
    fn a_tenth_a_little_and_the_blocks_of_passwords_are_allowed_and_no_more() {
        let (factor, more) = memory_allowed();
        let most = (50.0 * factor + more / 1024.0) as u64;
        let grown = |late: u64| held(move |second| if second < 80 { 50 } else { late }, |_| 40);
        assert!(grown(most).complaints().is_empty());
        assert_eq!(grown(most + 1).complaints().len(), 1);
    }

    #[test]
    fn files_that_stay_open_are_seen() {
        assert_eq!(held(|_| 50, |second| 30 + second / 2).complaints().len(), 1);
        assert!(
            held(|_| 50, |second| 30 + second % 5)
                .complaints()
                .is_empty()
        );
    }

    #[test]
    fn a_run_without_samples_says_nothing() {
        assert!(Held::of(&[], TIME).is_none());
    }
}
