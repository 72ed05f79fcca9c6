//! Bringing a copy back: checked before anything is touched, and whole or not at all.

mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::Connection as _;
use serde_json::json;

use super::store;
use super::undone::{self, LaterEnd, RevivedToken, Undone};
use crate::access_tokens::revoke::revoke_from_console;
use crate::access_tokens::secret::fingerprint;
use crate::access_tokens::{self, legacy, lifetime};
use crate::actor::{Actor, Origin};
use crate::audit::{self, Event, Target};
use crate::context::{Context, Instance};
use crate::db::{DatabaseUrl, DbConnection, SchemaState, migrate, schema_state};
use crate::error::Error;
use crate::sessions;
use crate::settings;

/// What is to become of tokens that the copy would bring back to life, or let live longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those that don't work now are revoked in it, the others end when they end now.
    Revoke,
    /// They work, as long as in the copy.
    Revive,
}

/// What is to be done.
#[derive(Debug)]
pub struct Order<'a> {
    /// The copy.
    pub file: &'a Path,
    /// Where it is to go.
    pub database: &'a DatabaseUrl,
    /// The secret of the instance.
    pub secret: &'a [u8],
    /// The instance that has it.
    pub instance: Arc<Instance>,
    /// Nothing: then a copy that brings tokens back to life, or that nothing can be compared with, isn't restored.
    pub choice: Option<Choice>,
    /// Only tell.
    pub dry_run: bool,
    /// On PostgreSQL, the database that was in use so far, on the same server.
    pub previous: Option<&'a str>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Of when the newest change in the copy is.
    pub taken_at: Option<DateTime<Utc>>,
    /// What the restore undoes, or why nobody can tell.
    pub undone: Result<Undone, String>,
    /// A lowering of the longest lifetime that the copy takes up again.
    pub enforcement: Option<Enforcement>,
    /// How it ended.
    pub ending: Ending,
    /// Where the database is that was there before.
    pub aside: Option<PathBuf>,
}

/// In the copy the longest lifetime was lowered, and that isn't enforced yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enforcement {
    /// When it is: not before the time is over that a lowering gives, counted from the restore.
    pub at: DateTime<Utc>,
    /// The longest lifetime, in days.
    pub days: u32,
    /// What it goes back to when that is undone; nothing for no limit.
    pub before: Option<u32>,
    /// Tokens that would be revoked, if it were now.
    pub tokens: i64,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The copy is the database now.
    Restored {
        /// Tokens that were revoked in it.
        revoked: usize,
        /// Tokens that were given their earlier end in it.
        shortened: usize,
    },
    /// Nothing was done, as was asked for.
    Told,
    /// Nothing was done: tokens would come alive or live longer, or might for all anybody knows, and nobody said that they
    /// may.
    Undecided,
}

/// Brings a copy back.
///
/// # Errors
/// [`Error::Refused`] with a sentence; the database is as it was then.
pub fn restore(order: &Order<'_>) -> Result<Report, Error> {
    match order.database {
        DatabaseUrl::Sqlite(path) => sqlite::restore(order, path),
        DatabaseUrl::Postgres(url) => postgres::restore(order, url),
    }
}

impl Order<'_> {
    /// Is the copy a database of this instance, which this program understands?
    fn accept_schema(&self, conn: &mut DbConnection) -> Result<SchemaState, Error> {
        let file = self.file.display();
        let state = schema_state(conn).map_err(|error| self.damaged(&error.to_string()))?;
        match state {
            SchemaState::Newer(version) => Err(Error::refused(format!(
                "{file} was made by a newer Latchkey ({version}); restore it with that one"
            ))),
            SchemaState::Empty | SchemaState::Foreign => Err(Error::refused(format!(
                "{file} is a database, but not Latchkey's"
            ))),
            state => Ok(state),
        }
    }

    fn accept_secret(&self, known: Option<&str>) -> Result<(), Error> {
        match known {
            Some(known) if known != fingerprint(self.secret) => Err(Error::refused(format!(
                "the instance secret is not the one that {} was used with; with it, no token would be found: put the \
                 secret in its place that belongs to this backup",
                self.file.display()
            ))),
            _ => Ok(()),
        }
    }

    fn damaged(&self, why: &str) -> Error {
        Error::refused(format!(
            "{} is no whole database: {why}",
            self.file.display()
        ))
    }

    /// Applies what is missing to the copy.
    fn bring_up_to_date(&self, conn: &mut DbConnection, state: &SchemaState) -> Result<(), Error> {
        if let SchemaState::Older(_) = state {
            migrate(conn).map_err(|error| {
                Error::refused(format!(
                    "{} comes from an older Latchkey and could not be migrated: {error}",
                    self.file.display()
                ))
            })?;
        }
        Ok(())
    }

    /// What the copy undoes, as far as the present database can tell.
    fn compare(
        &self,
        copy: &mut DbConnection,
        present: &mut DbConnection,
    ) -> Result<Undone, String> {
        let unreadable =
            |error: Error| format!("the present database can't be read: {}", cause(&error));
        match schema_state(present) {
            Ok(SchemaState::Empty) => return Err("the present database is empty".to_owned()),
            Ok(SchemaState::Foreign) => {
                return Err("the present database is not Latchkey's".to_owned());
            }
            Ok(_) => {}
            Err(error) => return Err(format!("the present database can't be read: {error}")),
        }
        if store::fingerprint(present).map_err(unreadable)? != Some(fingerprint(self.secret)) {
            return Err("the present database was used with another instance secret".to_owned());
        }
        if !store::has_people(present).map_err(unreadable)? {
            return Err("the present database is a new one, in which nobody lives".to_owned());
        }
        undone::compare(copy, present, self.now).map_err(unreadable)
    }

    /// Is there anything left to decide, or to do?
    fn ending(&self, undone: &Result<Undone, String>) -> Option<Ending> {
        if self.dry_run {
            return Some(Ending::Told);
        }
        let undecided = match undone {
            Ok(Undone {
                tokens, later_ends, ..
            }) => !(tokens.is_empty() && later_ends.is_empty()) && self.choice.is_none(),
            // Which ones to revoke, nobody knows: that they all work is the only decision left.
            Err(_) => self.choice != Some(Choice::Revive),
        };
        undecided.then_some(Ending::Undecided)
    }

    /// The last change to the copy before it is the database: tokens revoked, nobody signed in, a line in the trail. With
    /// an `ending` that leaves all as it is, it is only found out what would be told, and taken back.
    fn settle(
        &self,
        conn: &mut DbConnection,
        undone: &Result<Undone, String>,
        taken_at: Option<DateTime<Utc>>,
        ending: Option<Ending>,
        first: impl FnOnce(&mut DbConnection) -> Result<(), Error>,
    ) -> Result<(Ending, Option<Enforcement>), Error> {
        let mut told = None;
        let outcome = conn.transaction(|conn| {
            first(conn)?;
            let settled = self.change(conn, undone, taken_at)?;
            match ending {
                None => Ok(settled),
                Some(ending) => {
                    told = Some((ending, settled.1));
                    // Nothing is wrong; an error is what takes a transaction back.
                    Err(Error::refused("only told"))
                }
            }
        });
        told.map_or(outcome, Ok)
    }

    fn change(
        &self,
        conn: &mut DbConnection,
        undone: &Result<Undone, String>,
        taken_at: Option<DateTime<Utc>>,
    ) -> Result<(Ending, Option<Enforcement>), Error> {
        let nothing = Undone::default();
        let Undone {
            tokens, later_ends, ..
        } = undone.as_ref().unwrap_or(&nothing);
        let ctx = Context {
            now: self.now,
            actor: Arc::new(Actor::system(Origin::console())),
            policy: Arc::new(settings::store::load(conn)?),
            instance: Arc::clone(&self.instance),
            rotations: Arc::default(),
        };
        let (mut revoked, mut shortened) = (0, 0);
        if self.choice == Some(Choice::Revoke) {
            for RevivedToken { id, .. } in tokens {
                if let Some(listed) = access_tokens::store::find(conn, *id)? {
                    revoke_from_console(conn, &ctx, &listed)?;
                    revoked += 1;
                }
            }
            for LaterEnd { id, now, .. } in later_ends {
                if let Some(listed) = access_tokens::store::find(conn, *id)? {
                    let brought = legacy::bring_forward(conn, &ctx, &listed, *now, "restore")?;
                    shortened += usize::from(brought);
                }
            }
        }
        let enforcement = postpone_enforcement(conn, &ctx)?;
        let sessions = sessions::store::end_all(conn)?;
        store::cut_links(conn)?;
        let event = Event::new("system_restored", Target::Instance).with(json!({
            "file": self.file.display().to_string(),
            "taken_at": taken_at.map(|at| at.to_rfc3339()),
            "compared": undone.is_ok(),
            "revoked_tokens": revoked,
            "revived_tokens": tokens.len() - revoked,
            "shortened_tokens": shortened,
            "lengthened_tokens": later_ends.len() - shortened,
            "lifetime_enforcement_at": enforcement.map(|pending| pending.at.to_rfc3339()),
            "ended_sessions": sessions,
        }));
        audit::record(conn, &ctx, event)?;
        Ok((Ending::Restored { revoked, shortened }, enforcement))
    }
}

/// A lowering that the copy has may have been undone since, or thought better of: whoever restores gets the time for that
/// once more.
fn postpone_enforcement(
    conn: &mut DbConnection,
    ctx: &Context,
) -> Result<Option<Enforcement>, Error> {
    let limits = ctx.policy.limits();
    let (Some(pending), Some(days)) = (
        settings::store::postpone_lowering(conn, ctx.now)?,
        limits.maximum_lifetime,
    ) else {
        return Ok(None);
    };
    let (tokens, _) = lifetime::survey_overlong(conn, ctx, days, 0)?;
    Ok(Some(Enforcement {
        at: pending.at,
        days,
        before: pending.before.map(|before| before.min(limits.built_in())),
        tokens,
    }))
}

/// An error with what is behind it: the operator is told.
fn cause(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("{cause:#}"),
        other => other.to_string(),
    }
}
