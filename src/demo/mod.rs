//! The demo: a believable company on a throw-away database, made through the same verbs as everything else.

mod company;
mod folder;
mod history;
mod people;

pub use folder::{Folder, FolderError};
pub use people::{PASSWORD, PEOPLE, Person};

use chrono::{DateTime, Utc};

use crate::access_tokens::Resource;
use crate::access_tokens::create::{NewAccessToken, create};
use crate::access_tokens::scope::Scope;
use crate::access_tokens::secret::Plaintext;
use crate::app::App;
use crate::error::Error;
use crate::groups;
use crate::members::AccessLevel;
use crate::users::password::{self, Password};
use crate::users::store as users;

/// The group that the demo is about.
pub const GROUP: &str = "acme";

/// Who owns it and makes its tokens.
const OWNER: &str = "alice";

/// Fills an empty database with the company; one that has it already is left as it is.
///
/// # Errors
/// When the database can't take it; nothing is left then.
pub fn fill(app: &App) -> Result<(), Error> {
    let is_there = app
        .db
        .read_now(|conn| Ok(users::find_by_username(conn, OWNER)?.is_some()))?;
    if is_there {
        return Ok(());
    }
    // One hash for all: they share the password, and hashing is slow on purpose.
    let hash = password::hash(&Password::new(PASSWORD), &mut rand::rng())
        .map_err(|error| Error::internal(error.into()))?;
    let (here, now) = (app.clone(), app.clock.now());
    app.db.write_now(move |conn| {
        people::arrive(conn, &here, &hash, now)?;
        company::build(conn, &here, now)?;
        history::unfold(conn, &here, now)
    })
}

/// A token of [`GROUP`] to begin with, made now: its value is kept nowhere, so that each start needs a new one.
///
/// # Errors
/// When somebody has removed the group or its Owner, or turned the creation of tokens off.
pub fn first_token(app: &App) -> Result<Plaintext, Error> {
    let (here, now) = (app.clone(), app.clock.now());
    let created = app.db.write_now(move |conn| {
        let ctx = people::acting(conn, &here, OWNER, now)?;
        let group = groups::store::find_by_path(conn, GROUP)?
            .ok_or_else(|| Error::refused(format!("there is no group {GROUP}")))?;
        let new = NewAccessToken {
            name: "first steps".into(),
            description: Some("Printed when the demo started".into()),
            scopes: vec![Scope::Api],
            access_level: AccessLevel::Maintainer,
            expires_at: Some(day(now, 30)),
        };
        create(conn, &ctx, &Resource::Group(group), &new)
    })?;
    Ok(created?.plaintext)
}

/// The date so many days from now.
fn day(now: DateTime<Utc>, days: i64) -> chrono::NaiveDate {
    (now + chrono::TimeDelta::days(days)).date_naive()
}

/// So many days ago, at this time of the day.
fn ago(now: DateTime<Utc>, days: i64, hour: u32, minute: u32) -> DateTime<Utc> {
    let midnight = day(now, -days).and_time(chrono::NaiveTime::MIN).and_utc();
    midnight + chrono::TimeDelta::minutes(i64::from(hour * 60 + minute))
}
