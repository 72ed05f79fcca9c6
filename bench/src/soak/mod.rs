//! Minutes of a mixed load, and faults under it.

mod away;
mod caller;
mod check;
mod crowd;
mod entry;
mod facts;
mod flat;
mod halves;
mod kills;
mod ledger;
mod mix;
mod node;
mod outage;
mod outcome;
mod role;
#[cfg(test)]
mod samples;
mod steady;

use std::io::{self, Write as _};

use anyhow::ensure;
use latchkey::clock::Clock;

use crate::{
    place::{Kind, Place, Where},
    program::Program,
    report::{self, grouped},
    seed::{layout::Layout, people::PASSWORD},
};
use outcome::Outcomes;

/// What is to be soaked, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long the load at a steady rate goes on, on each database.
    #[arg(long, default_value_t = 600.0)]
    seconds: f64,
    /// Connections of that load.
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// How long PostgreSQL is away, in seconds.
    #[arg(long, default_value_t = 15.0)]
    away: f64,
    /// How many times a node is killed.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Some of steady, outage, kills; with commas between them. Nothing is written into the docs then.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scene>,
    /// How many tokens there are before.
    #[arg(long, default_value_t = 10_000)]
    tokens: u64,
    /// Groups from a top-level group down to the lowest one below it.
    #[arg(long, default_value_t = 5)]
    depth: u64,
    #[command(flatten)]
    place: Where,
    /// Only print the results.
    #[arg(long)]
    dry: bool,
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scene {
    /// A mixed load at 80 % of the peak
    Steady,
    /// PostgreSQL goes away and comes back
    Outage,
    /// A node is killed again and again
    Kills,
}

/// The doctor misses somebody who administers the instance.
const ADMINISTRATOR: [&str; 8] = [
    "user",
    "create",
    "--admin",
    "--username",
    "soaked",
    "--email",
    "soaked@example.com",
    "--password-stdin",
];

/// All scenes, or some; what isn't as it should be ends in an error.
pub(crate) fn soak(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(arguments.tokens >= 100, "--tokens must be 100 at least");
    ensure!(
        (1..=80).contains(&arguments.connections),
        "--connections takes 1 to 80"
    );
    ensure!(
        arguments.seconds >= 5.0 && arguments.seconds <= 86_400.0,
        "--seconds takes 5 to 86400"
    );
    ensure!(
        (0.0..=600.0).contains(&arguments.away),
        "--away takes up to 600 seconds"
    );
    let mut place = Place::open(&arguments.place, Program::build()?)?;
    let mut outcomes = Outcomes::default();
    let layout = Layout {
        tokens: arguments.tokens,
        depth: arguments.depth,
    };
    let instances = arguments
        .place
        .kinds()
        .into_iter()
        .map(|kind| place.instance(kind, layout))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for instance in &instances {
        let administrators = "SELECT count(*) AS number FROM users WHERE admin";
        if instance.database.number(administrators)? == 0 {
            instance.program.run(&ADMINISTRATOR, PASSWORD)?;
        }
    }
    for scene in [Scene::Steady, Scene::Outage, Scene::Kills] {
        if !arguments.only.is_empty() && !arguments.only.contains(&scene) {
            continue;
        }
        for instance in &instances {
            match (scene, instance.kind) {
                (Scene::Steady, _) => steady::run(arguments, instance, &mut outcomes)?,
                (Scene::Outage, Kind::Postgres) => {
                    outage::run(arguments, &place, instance, &mut outcomes)?;
                }
                // SQLite is no server that could go away.
                (Scene::Outage, Kind::Sqlite) => {}
                (Scene::Kills, _) => kills::run(arguments, instance, &mut outcomes)?,
            }
        }
    }
    let (circumstances, table) = (circumstances(arguments, &place), outcomes.table());
    report::print(&circumstances, &table)?;
    outcomes.verdict()?;
    if arguments.dry || !arguments.only.is_empty() {
        return Ok(());
    }
    report::publish("soak", &circumstances, &table)
}

/// What has to be known to make sense of the numbers.
fn circumstances(arguments: &Arguments, place: &Place) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{}, {cores} cores, PostgreSQL {}, {} build, commit {}. {} tokens, {} connections, {} s.",
        Clock::System.now().date_naive(),
        if place.has_cluster() {
            "on the same machine"
        } else {
            "elsewhere"
        },
        report::profile(),
        report::commit(),
        grouped(arguments.tokens.cast_signed()),
        arguments.connections,
        arguments.seconds,
    )
}

fn say(kind: Kind, what: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{}: {what}", kind.name())?)
}
