//! `latchkey member`

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::json;

use super::acting::Acting;
use super::instance::Instance;
use super::output::Output;
use super::{Failure, arguments, target};
use crate::error::Error;
use crate::members::{AccessLevel, add};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Add(Add),
}

/// Add a user to a group, and so to everything below it, or to one project
#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    place: target::Place,

    /// Who
    #[arg(long, value_name = "USERNAME")]
    user: String,

    /// guest, planner, reporter, developer, maintainer or owner, or its number
    #[arg(long, value_parser = arguments::access_level)]
    role: AccessLevel,

    /// The first day on which they are no longer a member [default: no end]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::date)]
    expires_at: Option<NaiveDate>,

    #[command(flatten)]
    acting: Acting,
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let Command::Add(Add {
            place,
            user,
            role,
            expires_at,
            acting,
        }) = self;
        let (resource, user) = instance.open(&acting)?.write(move |conn, ctx| {
            let resource = place.find(conn)?;
            let person = target::person(conn, &user)?;
            match add::add(conn, ctx, &resource, &person, role, expires_at) {
                Err(Error::Conflict(_)) => Err(Error::refused(format!(
                    "{} is a member of {} already",
                    person.username,
                    resource.full_path()
                ))),
                added => added.map(|_| (resource, person)),
            }
        })?;
        let object = json!({
            "id": user.id,
            "username": user.username,
            "source": resource.noun(),
            "full_path": resource.full_path(),
            "access_level": role.number(),
            "expires_at": expires_at,
        });
        let until = expires_at
            .map(|date| format!(" until {date}"))
            .unwrap_or_default();
        let sentence = format!(
            "{} is now {role} of {}{until}",
            user.username,
            resource.full_path()
        );
        out.result(&object, &sentence)
    }
}
