//! The second reading: what isn't here yet is made, all of it or nothing.

mod bots;
mod lists;
mod taken_away;
mod tokens;

use std::io::Read;

use rand::RngExt as _;
use serde_json::json;

use super::check::digesting;
use super::format::{At, BotEntry, Entry, Header, Section, State, TokenEntry};
use super::places::Places;
use super::read::{Sink, read};
use super::report::Report;
use super::rules::Digesting;
use super::store;
use crate::access_tokens::imported;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::members::store as memberships;
use crate::permissions::Right;
use crate::settings;
use crate::users::UserState;

/// Entries that share their statements.
const AT_ONCE: usize = 500;

/// Makes what is in the file and not here, in the transaction of the caller; what is here already stays as it is.
/// `progress` hears how many entries are done. Administrators and the system only.
///
/// # Errors
/// [`Error::Refused`] with the place of what can't be made; [`Error::Forbidden`] without the right; when the database
/// is away. Whatever it is, the caller rolls back.
pub fn import(
    conn: &mut DbConnection,
    ctx: &Context,
    fingerprint: &str,
    file: impl Read,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let mut writer = Writer {
        conn,
        ctx: &ctx,
        fingerprint,
        header: Header::default(),
        digesting: None,
        places: Places::default(),
        bots: Vec::new(),
        tokens: Vec::new(),
        taken_away: Vec::new(),
        first_bot: None,
        new_roots: Vec::new(),
        report: Report::default(),
        entries: 0,
        progress,
    };
    read(file, &mut writer)?;
    writer.finish()
}

struct Writer<'a> {
    conn: &'a mut DbConnection,
    ctx: &'a Context,
    fingerprint: &'a str,
    header: Header,
    digesting: Option<Digesting>,
    places: Places,
    /// Waiting for others, to share their statements.
    bots: Vec<(At, BotEntry)>,
    tokens: Vec<(At, TokenEntry)>,
    taken_away: Vec<(At, String)>,
    /// The lowest id of a bot made.
    first_bot: Option<i64>,
    /// Top-level groups made.
    new_roots: Vec<(i64, String)>,
    report: Report,
    entries: u64,
    progress: &'a mut dyn FnMut(u64),
}

impl Sink for Writer<'_> {
    fn begin(&mut self, header: &Header) -> Result<(), Error> {
        self.digesting = digesting(header, self.fingerprint)?;
        self.header = header.clone();
        Ok(())
    }

    fn entry(&mut self, at: At, entry: Entry) -> Result<(), Error> {
        match entry {
            Entry::User(user) => self.user(at, &user)?,
            Entry::Group(group) => self.group(at, &group)?,
            Entry::Project(project) => self.project(at, &project)?,
            Entry::Membership(membership) => self.membership(at, &membership)?,
            Entry::Bot(bot) => {
                self.bots.push((at, bot));
                if self.bots.len() >= AT_ONCE {
                    self.make_bots()?;
                }
            }
            Entry::Token(token) => {
                self.tokens.push((at, token));
                if self.tokens.len() >= AT_ONCE {
                    self.make_tokens()?;
                }
            }
            Entry::TakenAway(digest) => {
                self.taken_away.push((at, digest));
                if self.taken_away.len() >= AT_ONCE {
                    self.keep_taken_away()?;
                }
            }
        }
        self.entries += 1;
        (self.progress)(self.entries);
        Ok(())
    }

    fn end_of(&mut self, section: Section) -> Result<(), Error> {
        match section {
            Section::Bots => self.make_bots(),
            Section::Tokens => self.make_tokens(),
            Section::TakenAway => self.keep_taken_away(),
            _ => Ok(()),
        }
    }
}

impl Writer<'_> {
    /// What concerns the import as a whole.
    fn finish(mut self) -> Result<Report, Error> {
        if let Some(first) = self.first_bot {
            let gone = store::delete_bots_without_token(self.conn, first)? as u64;
            self.report.bots_without_token = gone;
            self.report.bots.created = self.report.bots.created.saturating_sub(gone);
        }
        for (id, path) in &self.new_roots {
            if memberships::lasting_owners(self.conn, *id)?.is_empty() {
                self.report.without_owner.push(path.clone());
            }
        }
        // Also for tokens that are here already: a salt that was wrong in an earlier file is put right by another one.
        if self.report.tokens.created + self.report.tokens.existing > 0 {
            self.keep_origins()?;
        }
        if self.report.changes() > 0 {
            let details = json!({
                "source": self.header.source,
                "created": counts(&self.report),
                "administrators": self.report.administrators,
                "new_salts": self.report.new_salts,
                "taken_away": self.report.taken_away,
            });
            let event = Event::new("system_imported", Target::Instance).with(details);
            audit::record(self.conn, self.ctx, event)?;
        }
        Ok(self.report)
    }

    /// What tokens of the file need to be found by, and logs to leave their values out.
    fn keep_origins(&mut self) -> Result<(), Error> {
        let key = &self.ctx.instance.token_key;
        let salts = match self.digesting.take() {
            None => Vec::new(),
            Some(Digesting::Salted(salt)) => vec![salt],
            Some(Digesting::Own { sealed_salts }) => sealed_salts
                .iter()
                .enumerate()
                .map(|(at, sealed)| {
                    key.open(sealed).map_err(|_| {
                        Error::refused(format!(
                            "digests.sealed_salts[{at}]: can't be decrypted with this instance's secret"
                        ))
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        let mut new_prefix = false;
        for salt in salts {
            let nonce = rand::rng().random();
            let new = imported::keep_salt(self.conn, key, &salt, nonce, self.ctx.now)?;
            self.report.new_salts += u64::from(new);
        }
        for prefix in &self.header.prefixes {
            new_prefix |= imported::keep_prefix(self.conn, prefix)?;
        }
        // Every node reads them with its next request. Whether salts are looked at depends on the tokens there are.
        if self.report.new_salts + self.report.tokens.created > 0 || new_prefix {
            settings::store::bump(self.conn)?;
        }
        Ok(())
    }
}

fn counts(report: &Report) -> serde_json::Value {
    let counts = report.lists();
    let counts = counts
        .iter()
        .map(|(list, counts)| ((*list).to_owned(), counts.created.into()));
    serde_json::Value::Object(counts.collect())
}

/// The same in the words of users.
fn state(state: State) -> UserState {
    match state {
        State::Active => UserState::Active,
        State::Blocked => UserState::Blocked,
        State::Deactivated => UserState::Deactivated,
    }
}
