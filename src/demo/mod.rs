//! The demo: a believable company on a throw-away database, made through the same verbs as everything else.

mod code;
mod company;
mod folder;
mod history;
mod mails;
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

/// A project of it with something to clone.
pub const CODE: &str = "acme/platform/api";

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
        history::unfold(conn, &here, now)?;
        mails::expect(conn, &here, now)
    })?;
    // Without it there is less to look at, and the rest is there.
    if let Err(error) = code::write(app, now) {
        tracing::warn!(%error, "The repositories of the demo stay empty");
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::access_tokens::ListedToken;
    use crate::access_tokens::authenticate;
    use crate::access_tokens::list::{Query, of_resource};
    use crate::clock::Clock;
    use crate::config::{CommonOptions, Config, ServeOptions};
    use crate::db::PageRequest;
    use crate::server::run::{Migrate, open, prepare_schema};

    fn company_at(now: &str, dir: &TempDir) -> App {
        let common = CommonOptions {
            data_dir: Some(dir.path().to_owned()),
            ..CommonOptions::default()
        };
        let config = Config::resolve(&common, &ServeOptions::default(), &|_| None, 1).unwrap();
        let secret = config.load_secret(&mut rand::rng()).unwrap();
        let clock = Clock::fixed(now.parse().unwrap());
        let app = open(&config, &secret, clock).unwrap();
        prepare_schema(&app, Migrate::EmptyOnly).unwrap();
        fill(&app).unwrap();
        app
    }

    fn tokens(app: &App) -> Vec<ListedToken> {
        let (app, now) = (app.clone(), app.clock.now());
        app.db
            .read_now(|conn| {
                let ctx = people::acting(conn, &app, OWNER, now)?;
                let group = company::found(conn, GROUP)?;
                let request = PageRequest {
                    page: 1,
                    per_page: 100,
                };
                let resource = Resource::Group(group);
                Ok(of_resource(conn, &ctx, &resource, &Query::default(), request)?.rows)
            })
            .unwrap()
    }

    #[test]
    fn the_company_has_a_token_of_every_kind_whenever_it_is_looked_at() {
        for now in [
            "2026-11-20T21:48:00Z",
            "2027-01-01T00:00:30Z",
            "2028-02-29T02:06:00Z",
            "2026-03-31T23:59:59Z",
        ] {
            let dir = TempDir::new().unwrap();
            let app = company_at(now, &dir);
            let (tokens, now) = (tokens(&app), app.clock.now());
            let today = now.date_naive();
            let some = |what: &str, is: &dyn Fn(&ListedToken) -> bool| {
                assert!(tokens.iter().any(is), "none is {what} at {now}");
            };
            let active = |listed: &ListedToken| listed.token.is_active(now);
            let age = |at: DateTime<Utc>| (now - at).num_days();
            some("fresh", &|t| active(t) && age(t.token.created_at) < 3);
            some("soon to expire", &|t| {
                active(t) && t.token.expires_at.is_some_and(|date| date <= day(now, 7))
            });
            some("long unused", &|t| {
                active(t) && t.last_used_at.is_some_and(|at| age(at) > 180)
            });
            some("never used", &|t| active(t) && t.last_used_at.is_none());
            some("expired", &|t| {
                !t.token.revoked && t.token.is_expired(today)
            });
            some("revoked", &|t| t.token.revoked);
            some("rotated", &|t| t.token.previous_token_id.is_some());
            for listed in &tokens {
                let (name, made) = (&listed.token.name, listed.token.created_at);
                assert!(listed.is_member(today), "{name} would not be shown");
                assert!(made <= now && listed.token.updated_at <= now, "{name}");
                let used = listed.last_used_at;
                assert!(used.is_none_or(|at| made < at && at <= now), "{name}");
            }
        }
    }

    #[test]
    fn a_company_that_is_there_is_left_as_it_is() {
        let dir = TempDir::new().unwrap();
        let app = company_at("2026-11-20T12:00:00Z", &dir);
        let before = tokens(&app).len();
        fill(&app).unwrap();
        assert_eq!(tokens(&app).len(), before);
    }

    #[test]
    fn the_token_to_begin_with_lets_a_program_in() {
        let dir = TempDir::new().unwrap();
        let app = company_at("2026-11-20T12:00:00Z", &dir);
        let value = first_token(&app).unwrap();
        let digest = app.instance.token_key.digest(value.expose());
        let now = app.clock.now();
        let found = app
            .db
            .read_now(|conn| Ok(authenticate::find(conn, &digest, now.date_naive())?.1))
            .unwrap()
            .unwrap();
        authenticate::verdict(&found, now).unwrap();
        assert!(found.token.scopes.contains(Scope::Api));
    }
}
