//! Measures Latchkey as people run it: the real program, on a database that was filled for the purpose.

mod backend;
mod backup;
mod database;
mod expiry_check;
mod git;
mod import;
mod load;
mod population;
mod process;
mod program;
mod report;

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
    /// The check that tells people which tokens end soon: its time, its memory, and what requests notice of it.
    ExpiryCheck(expiry_check::Arguments),
    /// A backup of a large SQLite database: what requests notice of it.
    Backup(backup::Arguments),
    /// Clones over HTTPS, beside what `git http-backend` needs for the same ones.
    Git(git::Arguments),
    /// An import of tokens with their bots and memberships: its time and its memory.
    Import(import::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::ExpiryCheck(arguments) => expiry_check::measure(&arguments),
        What::Backup(arguments) => backup::measure(&arguments),
        What::Git(arguments) => git::measure(&arguments),
        What::Import(arguments) => import::measure(&arguments),
    }
}
