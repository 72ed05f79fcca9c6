//! `latchkey migrate`

use clap::Args;
use serde_json::json;

use super::Failure;
use super::instance::Instance;
use super::output::Output;
use super::serve::open;
use crate::db::{Database, DatabaseUrl, DbConnection, SchemaState, revert, schema_state};
use crate::server::run::{Migrate as How, StartError};

/// Bring the database's schema up to date
///
/// An SQLite file is copied beside itself first. With PostgreSQL, stop all nodes before.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Only tell how the schema stands; status 1 unless it is just right
    #[arg(long, conflicts_with = "down")]
    check: bool,

    /// Take the last N migrations back, newest first; what they brought is lost with the data in it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    down: Option<u16>,
}

impl Migrate {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        if self.check {
            return check(instance, out);
        }
        match self.down {
            Some(steps) => down(instance, usize::from(steps), out),
            None => up(instance, out),
        }
    }
}

fn up(instance: &Instance, out: &Output) -> Result<(), Failure> {
    let before = state(instance)?;
    let sqlite = instance.config.database_url.is_sqlite();
    open(
        &instance.config,
        if sqlite { How::WithCopy } else { How::Always },
    )?;
    let (applied, sentence) = match before {
        SchemaState::Older(missing) => (missing, format!("Applied {}", migrations(missing))),
        SchemaState::Empty => (0, "Made the tables of a new instance".to_owned()),
        _ => (0, "Nothing to do: the schema is current".to_owned()),
    };
    out.result(
        &json!({ "before": name(&before), "applied": applied, "state": "current" }),
        &sentence,
    )
}

fn check(instance: &Instance, out: &Output) -> Result<(), Failure> {
    let state = state(instance)?;
    let missing = match state {
        SchemaState::Older(missing) => missing,
        _ => 0,
    };
    let object = json!({ "state": name(&state), "missing": missing });
    let problem = match state {
        SchemaState::Current => return out.result(&object, "The schema is current"),
        SchemaState::Empty => Failure::new(
            "the database is empty; latchkey migrate, like any other command, makes its tables",
        ),
        SchemaState::Older(missing) => Failure::new(format!(
            "{} missing; latchkey migrate applies them",
            migrations(missing)
        )),
        other => refusal(other, &instance.config.database_url),
    };
    if out.is_json() {
        out.result(&object, "")?;
    }
    Err(problem)
}

fn down(instance: &Instance, steps: usize, out: &Output) -> Result<(), Failure> {
    let state = state(instance)?;
    if matches!(state, SchemaState::Newer(_) | SchemaState::Foreign) {
        return Err(refusal(state, &instance.config.database_url));
    }
    let reverted = match state {
        SchemaState::Empty => 0,
        _ => revert(&mut connect(instance)?, steps)
            .map_err(|error| Failure::new(format!("nothing was taken back: {error}")))?,
    };
    out.result(
        &json!({ "reverted": reverted }),
        &format!("Took back {}", migrations(reverted)),
    )
}

/// Looks at the schema without making anything: a missing SQLite file stays missing.
fn state(instance: &Instance) -> Result<SchemaState, Failure> {
    if let DatabaseUrl::Sqlite(path) = &instance.config.database_url
        && !path.exists()
    {
        return Ok(SchemaState::Empty);
    }
    schema_state(&mut connect(instance)?)
        .map_err(|error| Failure::new(format!("the schema can't be read: {error}")))
}

fn connect(instance: &Instance) -> Result<DbConnection, Failure> {
    Ok(Database::open(instance.config.database_url.clone(), 1)?.connect()?)
}

/// In the words of the server, which refuses the same.
fn refusal(state: SchemaState, url: &DatabaseUrl) -> Failure {
    match state {
        SchemaState::Newer(version) => StartError::Newer(version).into(),
        _ => StartError::Foreign(url.clone()).into(),
    }
}

fn name(state: &SchemaState) -> &'static str {
    match state {
        SchemaState::Empty => "empty",
        SchemaState::Current => "current",
        SchemaState::Older(_) => "older",
        SchemaState::Newer(_) => "newer",
        SchemaState::Foreign => "foreign",
    }
}

fn migrations(count: usize) -> String {
    match count {
        1 => "1 migration".to_owned(),
        _ => format!("{count} migrations"),
    }
}
