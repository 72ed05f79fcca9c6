//! What a restore would undo: tokens that don't work any more and would, earlier ends of tokens, people, roles and rules.

pub(super) mod store;

use chrono::{DateTime, NaiveDate, Utc};

use crate::db::DbConnection;
use crate::error::Error;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Tokens that work in the copy and don't now.
    pub tokens: Vec<RevivedToken>,
    /// Tokens that work in both, and longer in the copy.
    pub later_ends: Vec<LaterEnd>,
    /// The rest, as numbers.
    pub counts: Counts,
}

/// A token that would come alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevivedToken {
    /// Its id in the copy.
    pub id: i64,
    /// `group`, `project` or `personal`.
    pub kind: &'static str,
    /// What it is called.
    pub name: String,
    /// The full path of its group or project, or whose it is.
    pub place: String,
    /// Why it doesn't work now.
    pub why: Why,
    /// Since when, if that is known.
    pub since: Option<DateTime<Utc>>,
}

/// A token that ends earlier in the present database than in the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterEnd {
    /// Its id in the copy.
    pub id: i64,
    /// `group`, `project` or `personal`.
    pub kind: &'static str,
    /// What it is called.
    pub name: String,
    /// The full path of its group or project, or whose it is.
    pub place: String,
    /// The day on which it ends in the copy; nothing for never.
    pub in_copy: Option<NaiveDate>,
    /// The day on which it ends now.
    pub now: NaiveDate,
}

/// Why a token doesn't work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was revoked.
    Revoked,
    /// Another value took its place.
    Rotated,
    /// Its date was brought forward.
    Expired,
    /// Its bot or its owner may not act.
    UserBlocked,
    /// It is gone, with its group, its project or its owner.
    Gone,
}

impl Why {
    /// In a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Revoked => "revoked",
            Why::Rotated => "rotated",
            Why::Expired => "expired",
            Why::UserBlocked => "user blocked",
            Why::Gone => "deleted",
        }
    }
}

/// What else would be as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// People who may act in the copy, and are blocked, deactivated or deleted now.
    pub people: usize,
    /// Administrators in the copy who aren't any more.
    pub administrators: usize,
    /// People who count as external now, and don't in the copy.
    pub externals: usize,
    /// People whose password is another one now.
    pub passwords: usize,
    /// People whose e-mail address is another one now.
    pub emails: usize,
    /// People whose calendar has another address now.
    pub calendars: usize,
    /// Memberships of people that were ended or lowered.
    pub memberships: usize,
    /// Top-level groups in which tokens may be made in the copy, and may not now.
    pub creation_switches: usize,
    /// Groups and projects that fewer may see now than in the copy.
    pub visibilities: usize,
    /// Webhooks that send in the copy, and are disabled or deleted now.
    pub webhooks: usize,
    /// Settings and flags of the instance that are others now.
    pub settings: usize,
}

impl Counts {
    /// Each with its name for programs and for people.
    pub fn named(&self) -> [(&'static str, &'static str, usize); 11] {
        [
            (
                "people",
                "people who were blocked or deleted, and could act again",
                self.people,
            ),
            (
                "administrators",
                "people who are not administrators any more, and would be",
                self.administrators,
            ),
            (
                "externals",
                "people who were made external, and would not be",
                self.externals,
            ),
            (
                "passwords",
                "people with a new password, who would have the old one",
                self.passwords,
            ),
            (
                "emails",
                "people with a new e-mail address, whose password could be reset from the old one",
                self.emails,
            ),
            (
                "calendars",
                "people with a new address of their expiry calendar, whose old one would work again",
                self.calendars,
            ),
            (
                "memberships",
                "memberships that were ended or lowered",
                self.memberships,
            ),
            (
                "creation_switches",
                "top-level groups in which the creation of tokens was turned off",
                self.creation_switches,
            ),
            (
                "visibilities",
                "groups and projects that fewer people may see since",
                self.visibilities,
            ),
            (
                "webhooks",
                "webhooks that were deleted or disabled, and would send again",
                self.webhooks,
            ),
            (
                "settings",
                "settings and flags of the instance that were changed",
                self.settings,
            ),
        ]
    }
}

/// Compares a copy with the database that it would replace; changes neither.
///
/// # Errors
/// When one of them can't be read.
pub fn compare(
    copy: &mut DbConnection,
    present: &mut DbConnection,
    now: DateTime<Utc>,
) -> Result<Undone, Error> {
    let mut undone = Undone::default();
    store::compare_tokens(copy, present, now, &mut undone)?;
    store::compare_people(copy, present, now.date_naive(), &mut undone.counts)?;
    undone.counts.creation_switches = store::switches(copy, present)?;
    undone.counts.visibilities = store::narrowed(copy, present)?;
    undone.counts.webhooks = store::webhooks(copy, present)?;
    undone.counts.settings = store::settings_changed(copy, present)?;
    Ok(undone)
}
