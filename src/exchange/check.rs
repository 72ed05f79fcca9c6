//! The first reading: finds what is wrong with the file itself, before anybody waits for the database.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use chrono::{DateTime, Utc};

use super::format::{At, Entry, Header};
use super::read::{Sink, read};
use super::rules::{self, Digesting, Flaw};
use crate::error::Error;
use crate::text::Email;

/// Reads the file without touching anything, and says how many entries it has.
///
/// # Errors
/// [`Error::Refused`] with the place of the first thing that is wrong.
pub fn check(file: impl Read, fingerprint: &str, now: DateTime<Utc>) -> Result<u64, Error> {
    let mut check = Check {
        fingerprint,
        now,
        digesting: None,
        seen: HashSet::new(),
        entries: 0,
    };
    read(file, &mut check)?;
    Ok(check.entries)
}

/// A flaw with its place in the file.
pub(super) fn refuse(at: At, flaw: &Flaw) -> Error {
    let Flaw { field, message } = flaw;
    match field.as_str() {
        "" => Error::refused(format!("{at}: {message}")),
        _ => Error::refused(format!("{at}.{field}: {message}")),
    }
}

/// How the digests of a file are to be read, if it says so.
pub(super) fn digesting(header: &Header, fingerprint: &str) -> Result<Option<Digesting>, Error> {
    let outcome = rules::header(header).and_then(|()| {
        header
            .digests
            .as_ref()
            .map(|digests| rules::digesting(digests, fingerprint))
            .transpose()
    });
    outcome.map_err(|flaw| Error::refused(format!("{}: {}", flaw.field, flaw.message)))
}

/// There are tokens, and nobody said what their digests are.
pub(super) fn no_digests(at: At) -> Error {
    Error::refused(format!("{at}: there are no digests before it"))
}

struct Check<'a> {
    fingerprint: &'a str,
    now: DateTime<Utc>,
    digesting: Option<Digesting>,
    /// Hashes of what may be there once; two different things with the same one are less likely than a broken disk.
    seen: HashSet<u64>,
    entries: u64,
}

impl Check<'_> {
    fn once(&mut self, field: &str, thing: impl Hash) -> Result<(), Flaw> {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            Ok(())
        } else {
            Err(Flaw::new(field, "is in the file before"))
        }
    }

    fn entry(&mut self, at: At, entry: &Entry) -> Result<(), Error> {
        let now = self.now;
        let outcome = match entry {
            Entry::User(user) => rules::user(user, now)
                .and_then(|()| self.once("username", ("route", key(&user.username))))
                .and_then(|()| {
                    let email = Email::parse(&user.email).map(|email| email.key());
                    self.once("email", ("email", email.unwrap_or_default()))
                }),
            Entry::Group(group) => rules::group(group, now)
                .and_then(|()| self.once("path", ("route", key(&group.path)))),
            Entry::Project(project) => rules::project(project, now)
                .and_then(|()| self.once("path", ("route", key(&project.path)))),
            Entry::Membership(member) => rules::membership(member, now).and_then(|()| {
                let place = (member.group.as_deref(), member.project.as_deref());
                let place = (place.0.map(key), place.1.map(key));
                self.once("user", ("member", key(&member.user), place))
            }),
            Entry::Bot(bot) => rules::bot(bot, now)
                .and_then(|()| self.once("username", ("route", key(&bot.username)))),
            Entry::Token(token) => {
                let digesting = self.digesting.as_ref().ok_or_else(|| no_digests(at))?;
                rules::token(token, digesting, now)
                    .and_then(|checked| self.once("digest", ("token", checked.digest)))
            }
            Entry::TakenAway(digest) => {
                self.digesting.as_ref().ok_or_else(|| no_digests(at))?;
                rules::taken_away(digest).and_then(|digest| self.once("", ("token", digest)))
            }
        };
        outcome.map_err(|flaw| refuse(at, &flaw))
    }
}

impl Sink for Check<'_> {
    fn begin(&mut self, header: &Header) -> Result<(), Error> {
        self.digesting = digesting(header, self.fingerprint)?;
        Ok(())
    }

    fn entry(&mut self, at: At, entry: Entry) -> Result<(), Error> {
        self.entries += 1;
        Check::entry(self, at, &entry)
    }
}

fn key(text: &str) -> String {
    text.to_lowercase()
}
