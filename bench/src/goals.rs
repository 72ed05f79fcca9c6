//! The numbers to aim at, and what came out beside them.

use std::collections::BTreeMap;

use crate::{place::Kind, report::Table};

/// What there is a number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aim {
    Api,
    ApiCpu,
    Spread,
    PostgresApi,
    PostgresApiCpu,
    Unknown,
    List,
    Page,
    PageP99,
    GrowthUniform,
    GrowthHot,
    Depth,
    DurableOne,
    DurableMany,
    LongestWait,
    ReadsBesideWrites,
    LastUsed,
    Keyset,
    SignInP99,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    AtLeast,
    AtMost,
}

struct Goal {
    aim: Aim,
    what: &'static str,
    direction: Direction,
    fair: f64,
    good: f64,
}

use Direction::{AtLeast, AtMost};

const fn goal(aim: Aim, what: &'static str, direction: Direction, fair: f64, good: f64) -> Goal {
    Goal {
        aim,
        what,
        direction,
        fair,
        good,
    }
}

const GOALS: [Goal; 19] = [
    goal(
        Aim::Api,
        "API call with one token, of the bare handler's answers a second",
        AtLeast,
        0.15,
        0.25,
    ),
    goal(
        Aim::ApiCpu,
        "the same: processor time, of the bare handler's",
        AtMost,
        14.0,
        9.0,
    ),
    goal(
        Aim::Spread,
        "API calls with tokens from the whole table, of the bare handler",
        AtLeast,
        0.10,
        0.16,
    ),
    goal(
        Aim::PostgresApi,
        "API call with one token on PostgreSQL, of the bare handler",
        AtLeast,
        0.05,
        0.09,
    ),
    goal(
        Aim::PostgresApiCpu,
        "the same: processor time, PostgreSQL's as well",
        AtMost,
        30.0,
        18.0,
    ),
    goal(
        Aim::Unknown,
        "unknown token, of the bare handler",
        AtLeast,
        0.15,
        0.25,
    ),
    goal(
        Aim::List,
        "list of 20 tokens, of the bare handler",
        AtLeast,
        0.05,
        0.10,
    ),
    goal(
        Aim::Page,
        "page of 100 tokens, of a ready text of as many bytes",
        AtLeast,
        0.04,
        0.08,
    ),
    goal(Aim::PageP99, "the same: p99", AtMost, 8.0, 4.0),
    goal(
        Aim::GrowthUniform,
        "the most tokens against the fewest: drawn from all",
        AtLeast,
        0.35,
        0.50,
    ),
    goal(
        Aim::GrowthHot,
        "the same: a thousand in use",
        AtLeast,
        0.55,
        0.80,
    ),
    goal(
        Aim::Depth,
        "processor time 20 groups deep, of that at the top",
        AtMost,
        1.15,
        1.05,
    ),
    goal(
        Aim::DurableOne,
        "creations per `fdatasync`, 1 client",
        AtLeast,
        0.5,
        0.8,
    ),
    goal(
        Aim::DurableMany,
        "creations per `fdatasync`, 32 clients",
        AtLeast,
        0.8,
        5.0,
    ),
    goal(
        Aim::LongestWait,
        "longest wait for the writer, 32 clients, seconds",
        AtMost,
        1.0,
        0.1,
    ),
    goal(
        Aim::ReadsBesideWrites,
        "reads beside 1,000 creations a second, of reads alone",
        AtLeast,
        0.7,
        0.85,
    ),
    goal(
        Aim::LastUsed,
        "what writing `last_used_at` costs, of an answer's processor time",
        AtMost,
        0.15,
        0.07,
    ),
    goal(
        Aim::Keyset,
        "20,000 rows down by keyset, of the first page's processor time",
        AtMost,
        1.2,
        1.05,
    ),
    goal(
        Aim::SignInP99,
        "API p99 while 40 people sign in, of p99 alone",
        AtMost,
        5.0,
        2.0,
    ),
];

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Results(BTreeMap<(Aim, Kind), f64>);

impl Results {
    /// Notes a result, if there is one.
    pub(crate) fn note(&mut self, aim: Aim, kind: Kind, result: Option<f64>) {
        if let Some(result) = result {
            self.0.insert((aim, kind), result);
        }
    }

    /// Goals and results side by side: every line, measured or not.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["", "fair", "good", "SQLite", "", "PostgreSQL", ""]);
        for goal in &GOALS {
            let sign = match goal.direction {
                AtLeast => "≥",
                AtMost => "≤",
            };
            let mut cells = vec![
                goal.what.to_owned(),
                format!("{sign} {}", number(goal.fair)),
                format!("{sign} {}", number(goal.good)),
            ];
            for kind in [Kind::Sqlite, Kind::Postgres] {
                let result = self.0.get(&(goal.aim, kind)).copied();
                cells.push(match result {
                    Some(result) => number(result),
                    None if goal.is_for(kind) => "not measured".to_owned(),
                    None => String::new(),
                });
                let judged = result.filter(|_| goal.is_for(kind));
                cells.push(
                    judged.map_or_else(String::new, |result| goal.verdict(result).to_owned()),
                );
            }
            table.row(cells);
        }
        table
    }
}

impl Goal {
    /// The first ones name their database; the numbers of the others are meant for SQLite, and PostgreSQL's are shown.
    fn is_for(&self, kind: Kind) -> bool {
        let postgres = matches!(self.aim, Aim::PostgresApi | Aim::PostgresApiCpu);
        postgres == (kind == Kind::Postgres)
    }

    fn verdict(&self, result: f64) -> &'static str {
        let reaches = |aim: f64| match self.direction {
            AtLeast => result >= aim,
            AtMost => result <= aim,
        };
        match (reaches(self.good), reaches(self.fair)) {
            (true, _) => "**good**",
            (_, true) => "fair",
            _ => "below",
        }
    }
}

/// As many digits as say something.
pub(crate) fn number(number: f64) -> String {
    let digits = match number.abs() {
        large if large >= 100.0 => 0,
        medium if medium >= 10.0 => 1,
        small if small >= 0.1 => 2,
        _ => 3,
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(aim: Aim, result: f64) -> &'static str {
        let goal = GOALS.iter().find(|goal| goal.aim == aim).unwrap();
        goal.verdict(result)
    }

    #[test]
    fn more_is_better_for_throughput_and_less_for_time() {
        assert_eq!(verdict(Aim::Api, 0.25), "**good**");
        assert_eq!(verdict(Aim::Api, 0.2), "fair");
        assert_eq!(verdict(Aim::Api, 0.1), "below");
        assert_eq!(verdict(Aim::LongestWait, 0.05), "**good**");
        assert_eq!(verdict(Aim::LongestWait, 0.9), "fair");
        assert_eq!(verdict(Aim::LongestWait, 3.0), "below");
    }

    #[test]
    fn every_goal_has_a_line_and_good_is_better_than_fair() {
        assert_eq!(Results::default().table().len(), GOALS.len());
        for goal in &GOALS {
            assert_eq!(goal.verdict(goal.good), "**good**", "{}", goal.what);
            assert_eq!(goal.verdict(goal.fair), "fair", "{}", goal.what);
        }
    }

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        assert_eq!(
            [number(0.0371), number(0.25), number(12.34), number(1234.5)],
            ["0.037", "0.25", "12.3", "1234"]
        );
    }
}
