//! The command line: one noun, one verb. It parses, calls one verb of the product, and prints.
//!
//! A command works on the configured database, beside a running server if there is one.

mod access_token;
mod acting;
mod arguments;
mod audit;
mod backup;
mod demo;
mod doctor;
mod export;
mod flag;
mod group;
mod healthcheck;
mod import;
mod input;
mod instance;
mod job;
mod json;
mod member;
mod migrate;
mod output;
mod project;
mod restore;
mod serve;
mod settings;
mod target;
mod user;

use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{CommonOptions, ConfigError};
use crate::error::Error;
use crate::server::run::StartError;
use instance::Instance;
use output::Output;

/// Group access tokens, made and watched in a browser, used over HTTP.
///
/// `latchkey demo` shows it all on a throw-away database; `latchkey serve` is the real thing.
#[derive(Debug, Parser)]
#[command(
    name = "latchkey",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done, 1 refused or failed, 2 the command line can't be understood."
)]
struct Cli {
    /// Print the result as JSON
    #[arg(long, global = true, display_order = 900)]
    json: bool,

    #[command(flatten, next_help_heading = "Which instance")]
    common: CommonOptions,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Migrate(migrate::Migrate),
    Import(import::Import),
    Export(export::Export),
    /// Users: create, list, block and unblock people
    #[command(subcommand)]
    User(user::Command),
    /// Groups: create and list them
    #[command(subcommand)]
    Group(group::Command),
    /// Projects: create and list them
    #[command(subcommand)]
    Project(project::Command),
    /// Members: add people to groups and projects
    #[command(subcommand)]
    Member(member::Command),
    /// Access tokens: create, list, revoke, rotate, inspect and date them
    #[command(subcommand)]
    Token(access_token::Command),
    /// Settings: those that can be changed while the server runs
    #[command(subcommand)]
    Settings(settings::Command),
    /// Feature flags: list and switch them
    #[command(subcommand)]
    Flag(flag::Command),
    /// Jobs: what the server does by itself; list them, and run one by hand
    #[command(subcommand)]
    Job(job::Command),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Healthcheck(healthcheck::Healthcheck),
    /// The audit trail: hand it to other programs
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Runs the program, from its arguments to its exit status.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where help and version go, and with which status, is clap's to say. A closed pipe is no news.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let out = Output::new(cli.json);
    match run(cli, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.error(&failure.message);
            ExitCode::from(if failure.usage { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli, out: &Output) -> Result<(), Failure> {
    let instance = || Instance::new(&cli.common);
    match cli.command {
        Command::Serve(serve) => serve.run(&cli.common, out),
        Command::Demo(demo) => demo.run(&cli.common, out),
        Command::Migrate(migrate) => migrate.run(&instance()?, out),
        Command::Import(import) => import.run(&instance()?, out),
        Command::Export(export) => export.run(&instance()?, out),
        Command::User(command) => command.run(&instance()?, out),
        Command::Group(command) => command.run(&instance()?, out),
        Command::Project(command) => command.run(&instance()?, out),
        Command::Member(command) => command.run(&instance()?, out),
        Command::Token(command) => command.run(&instance()?, out),
        Command::Settings(command) => command.run(&instance()?, out),
        Command::Flag(command) => command.run(&instance()?, out),
        Command::Job(command) => command.run(&instance()?, out),
        Command::Backup(backup) => backup.run(&instance()?, out),
        Command::Restore(restore) => restore.run(&instance()?, out),
        Command::Doctor(doctor) => doctor.run(&cli.common, out),
        Command::Healthcheck(healthcheck) => healthcheck.run(&instance()?, out),
        Command::Audit(command) => command.run(&instance()?, out),
    }
}

/// Why a command didn't do what it was asked to: one line, and whether it was the line that was wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    usage: bool,
}

impl Failure {
    /// Refused or failed: exit status 1.
    fn new(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            usage: false,
        }
    }

    /// The command line says something that can't be: exit status 2.
    fn usage(message: impl Into<String>) -> Self {
        Failure {
            message: message.into(),
            usage: true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure {
            message: error.to_string(),
            usage: error.is_usage(),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Failure::new(error.to_string())
    }
}

/// The operator is told causes that a page would keep to the log.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::new(match error {
            Error::Unauthenticated(_) => {
                "the acting administrator was blocked or removed meanwhile".to_owned()
            }
            Error::Forbidden(None) => "the acting user may not do this".to_owned(),
            Error::Forbidden(Some(why)) => why,
            Error::Unavailable(cause) => format!("the database is not available: {cause:#}"),
            Error::Internal(cause) => format!("this is a fault of Latchkey itself: {cause:#}"),
            other => other.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Cli, ErrorKind> {
        Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.kind())
    }

    #[test]
    fn the_commands_are_declared_without_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_every_option_explains_itself() {
        fn walk(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} has no text");
            for argument in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                let name = argument.get_id();
                assert!(argument.get_help().is_some(), "{path}: {name} has no text");
            }
            for sub in command.get_subcommands() {
                walk(sub, &path);
            }
        }
        walk(&Cli::command(), "");
    }

    #[test]
    fn every_command_takes_the_options_that_all_share() {
        for line in [
            "latchkey serve",
            "latchkey migrate",
            "latchkey user list",
            "latchkey token inspect",
            "latchkey settings get",
            "latchkey flag list",
            "latchkey job list",
            "latchkey group list",
            "latchkey project list",
            "latchkey backup f",
            "latchkey restore f",
            "latchkey doctor",
            "latchkey healthcheck",
        ] {
            let line =
                format!("{line} --json --config c.toml --data-dir d --database-url sqlite://x.db");
            let cli = parse(&line).unwrap();
            assert!(cli.json, "{line}");
            assert_eq!(cli.common.database_url.as_deref(), Some("sqlite://x.db"));
        }
    }

    #[test]
    fn a_line_that_says_too_little_or_two_things_at_once_is_refused() {
        for line in [
            "latchkey",
            "latchkey user",
            "latchkey user create --username ann --email ann@example.com",
            "latchkey user update ann",
            "latchkey token create --name ci",
            "latchkey token create --group a --project b --name ci",
            "latchkey token create --user ann --name ci --scope api --role owner",
            "latchkey token create --group a --name ci --role boss",
            "latchkey token create --group a --name ci --expires-at 2027-02-29",
            "latchkey token revoke",
            "latchkey token revoke 5 --bot group_1_bot_x",
            "latchkey token rotate five",
            "latchkey token apply-expiry --from-version 15.11",
            "latchkey token apply-expiry --upgraded-on 2024-07-20",
            "latchkey token apply-expiry --hosted --new-install 16.9.10",
            "latchkey token apply-expiry --new-install sixteen",
            "latchkey token apply-expiry --on 2026-02-30",
            "latchkey member add --group a --user ann",
            "latchkey group create --path a --visibility secret",
            "latchkey migrate --check --down 1",
            "latchkey import",
            "latchkey import one.json two.json",
            "latchkey migrate --down 0",
            "latchkey flag enable",
            "latchkey job run",
            "latchkey job run no-such-job",
            "latchkey backup",
            "latchkey restore",
            "latchkey restore f --revoke --revive",
            "latchkey job run clean-up --now yesterday",
            "latchkey job run clean-up --now 2026-02-30T00:00:00Z",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn causes_reach_the_operator_in_one_line() {
        let failure = Failure::from(Error::unavailable(
            anyhow::anyhow!("refused").context("no server"),
        ));
        assert_eq!(
            failure.to_string(),
            "the database is not available: no server: refused"
        );
        assert!(!failure.usage);
    }
}
