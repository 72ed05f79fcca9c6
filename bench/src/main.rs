//! Measures Latchkey as people run it: the real program, on a database that was filled for the purpose.

mod alternate;
mod backend;
mod backup;
mod bare;
mod cluster;
mod database;
mod expiry_check;
mod git;
mod goals;
mod import;
#[path = "../../tests/support/keeper.rs"]
mod keeper;
mod load;
mod meter;
mod peers;
mod place;
mod plot;
mod population;
mod process;
mod program;
mod report;
mod run;
mod seed;
mod soak;
mod statistics;
mod window;
mod wire;

use clap::{Parser, Subcommand};

/// Measures Latchkey, and writes what came out into docs/performance.md.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fills databases with tokens and leaves them there.
    Seed(seed::Arguments),
    /// All requests at a bare handler, at Latchkey on SQLite and on PostgreSQL, side by side, and the goals.
    Run {
        #[command(flatten)]
        arguments: run::Arguments,
        #[command(flatten)]
        parts: run::Parts,
    },
    /// The same requests in databases of different sizes and groups of different depths.
    Grow(run::Arguments),
    /// One request at servers of others.
    Peers(peers::Arguments),
    /// The yardstick, which the others start.
    #[command(hide = true)]
    Bare,
    /// The check that tells people which tokens end soon: its time, its memory, and what requests notice of it.
    ExpiryCheck(expiry_check::Arguments),
    /// A backup of a large SQLite database: what requests notice of it.
    Backup(backup::Arguments),
    /// Clones over HTTPS, beside what `git http-backend` needs for the same ones.
    Git(git::Arguments),
    /// A mixed load for minutes, and faults under it: PostgreSQL that goes away, nodes that are killed.
    Soak(soak::Arguments),
    /// An import of tokens with their bots and memberships: its time and its memory.
    Import(import::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Seed(arguments) => seed::seed(&arguments),
        What::Run { arguments, parts } => run::run(&arguments, &parts),
        What::Grow(arguments) => run::grow(&arguments),
        What::Peers(arguments) => peers::compare(&arguments),
        What::Bare => bare::serve(),
        What::ExpiryCheck(arguments) => expiry_check::measure(&arguments),
        What::Backup(arguments) => backup::measure(&arguments),
        What::Git(arguments) => git::measure(&arguments),
        What::Soak(arguments) => soak::soak(&arguments),
        What::Import(arguments) => import::measure(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::Arguments::command().debug_assert();
    }
}
