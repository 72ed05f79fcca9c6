//! The processors' time and the memory that a server and its database need.

use std::{collections::HashMap, fs, time::Duration};

use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_types::Integer};
use latchkey::db::DatabaseUrl;

/// Processes that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    server: u32,
    /// Whose children are the database's processes.
    postmaster: Option<u32>,
}

/// What each thread has used so far.
#[derive(Debug, Default)]
pub(crate) struct Reading(HashMap<u32, u64>);

impl Meter {
    /// Of one process.
    pub(crate) fn of(server: u32) -> Meter {
        Meter {
            server,
            postmaster: None,
        }
    }

    /// Of one process and of its database, if that runs on this machine. The database does nothing else meanwhile.
    pub(crate) fn with_database(server: u32, database: &DatabaseUrl) -> Meter {
        Meter {
            server,
            postmaster: postmaster(database),
        }
    }

    /// Is all of it counted?
    pub(crate) fn sees_database(&self) -> bool {
        self.postmaster.is_some()
    }

    /// What all threads have used so far.
    pub(crate) fn read(&self) -> Reading {
        let mut threads = HashMap::new();
        for process in self.processes() {
            for task in numbers(&format!("/proc/{process}/task")) {
                let used = fs::read_to_string(format!("/proc/{process}/task/{task}/schedstat"));
                let nanoseconds = used.ok().and_then(|used| {
                    let first = used.split_whitespace().next()?;
                    first.parse().ok()
                });
                threads.extend(nanoseconds.map(|nanoseconds: u64| (task, nanoseconds)));
            }
        }
        Reading(threads)
    }

    /// Memory in KiB: of the server without pages of files, of the database's processes their share of what they share.
    pub(crate) fn memory(&self) -> (u64, Option<u64>) {
        let own = field(&format!("/proc/{}/status", self.server), "RssAnon:");
        let database = self.postmaster.map(|postmaster| {
            let all = children(postmaster).into_iter().chain([postmaster]);
            all.filter_map(|process| field(&format!("/proc/{process}/smaps_rollup"), "Pss:"))
                .sum()
        });
        (own.unwrap_or_default(), database)
    }

    /// The files and connections that the server has open, and its threads.
    pub(crate) fn handles(&self) -> (usize, usize) {
        let count = |what| numbers(&format!("/proc/{}/{what}", self.server)).len();
        (count("fd"), count("task"))
    }

    fn processes(&self) -> Vec<u32> {
        let mut all = vec![self.server];
        if let Some(postmaster) = self.postmaster {
            all.push(postmaster);
            all.extend(children(postmaster));
        }
        all
    }
}

impl Reading {
    /// What was used since an earlier reading. Of a thread that ended meanwhile the last bit is unknown.
    pub(crate) fn since(&self, before: &Reading) -> Duration {
        let used = self.0.iter().map(|(task, now)| {
            let then = before.0.get(task).copied().unwrap_or_default();
            // A number that was given to another thread began anew.
            if *now >= then { now - then } else { *now }
        });
        Duration::from_nanos(used.sum())
    }
}

/// The parent of the process that answers here, if it runs on this machine.
fn postmaster(database: &DatabaseUrl) -> Option<u32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let DatabaseUrl::Postgres(address) = database else {
        return None;
    };
    let mut conn = PgConnection::establish(address).ok()?;
    let row: Row = diesel::sql_query("SELECT pg_backend_pid() AS pid")
        .get_result(&mut conn)
        .ok()?;
    let name = fs::read_to_string(format!("/proc/{}/comm", row.pid)).ok()?;
    name.starts_with("postgres")
        .then(|| parent(row.pid.cast_unsigned()))?
}

fn children(of: u32) -> Vec<u32> {
    numbers("/proc")
        .into_iter()
        .filter(|process| parent(*process) == Some(of))
        .collect()
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may have spaces and parentheses: the state, then the parent.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn numbers(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_began_meanwhile_count_and_those_that_ended_do_not() {
        let before = Reading(HashMap::from([(1, 500), (2, 900)]));
        let after = Reading(HashMap::from([(1, 700), (3, 40)]));
        assert_eq!(after.since(&before), Duration::from_nanos(240));
    }

    #[test]
    fn a_process_that_works_is_seen_to_work() {
        let meter = Meter::of(std::process::id());
        let before = meter.read();
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum.wrapping_add(number));
        }
        assert!(meter.read().since(&before) > Duration::ZERO);
        assert!(meter.memory().0 > 0);
        let (files, threads) = meter.handles();
        assert!(
            files >= 3 && threads >= 1,
            "{files} files, {threads} threads"
        );
    }
}
