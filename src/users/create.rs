//! Making a person.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use rand::RngExt as _;
use serde_json::json;

use super::store::{NewUser, insert};
use super::{User, UserKind, store};
use crate::access_tokens::secret::{Digest, Plaintext};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::instance;
use crate::db::{DbConnection, Timestamp, lock_instance};
use crate::error::{Error, FieldErrors, What};
use crate::groups;
use crate::groups::create::checked_name;
use crate::groups::path::{PathSegment, Place};
use crate::permissions::Right;
use crate::text::Email;

/// A person to be. The password is hashed before, off the database.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Also the path of the personal namespace.
    pub username: String,
    /// As shown.
    pub name: String,
    /// Counts as confirmed.
    pub email: String,
    /// Nothing: can't sign in with a password.
    pub password_hash: Option<String>,
    /// An administrator?
    pub admin: bool,
    /// Outside the company?
    pub external: bool,
}

/// Makes a person and their namespace. Administrators and the console only.
///
/// # Errors
/// [`Error::Invalid`] by field, [`Error::Forbidden`].
pub fn create(conn: &mut DbConnection, ctx: &Context, new: &NewPerson) -> Result<User, Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    insert_person(conn, &ctx, new)
}

/// Makes the first administrator, with the value of the set-up link in place of an account.
///
/// # Errors
/// [`Error::NotFound`] when the link is wrong, too old, or there is an administrator already.
pub fn set_up(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &str,
    new: &NewPerson,
) -> Result<User, Error> {
    lock_instance(conn)?;
    if !setup_link_is_good(conn, ctx, token)? {
        return Err(Error::NotFound(What::Thing));
    }
    let user = insert_person(
        conn,
        ctx,
        &NewPerson {
            admin: true,
            external: false,
            ..new.clone()
        },
    )?;
    diesel::update(instance::table.find(1))
        .set((
            instance::setup_token_digest.eq(None::<Vec<u8>>),
            instance::setup_token_expires_at.eq(None::<Timestamp>),
        ))
        .execute(conn)?;
    Ok(user)
}

/// A new set-up link's value, good for a day or until there is an administrator. Older ones die.
/// `None` when there is an administrator.
///
/// # Errors
/// When the database is away.
pub fn new_setup_link(
    conn: &mut DbConnection,
    digest: impl Fn(&str) -> Digest,
    now: DateTime<Utc>,
) -> Result<Option<Plaintext>, Error> {
    lock_instance(conn)?;
    if store::has_admin(conn)? {
        return Ok(None);
    }
    let random: [u8; 32] = rand::rng().random();
    let value = Plaintext::of_link(random);
    let ends = now + TimeDelta::hours(24);
    diesel::update(instance::table.find(1))
        .set((
            instance::setup_token_digest.eq(digest(value.expose()).as_bytes().as_slice()),
            instance::setup_token_expires_at.eq(Timestamp::from(ends)),
        ))
        .execute(conn)?;
    Ok(Some(value))
}

/// Does this value open the set-up page?
///
/// # Errors
/// When the database is away.
pub fn setup_link_is_good(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &str,
) -> Result<bool, Error> {
    if store::has_admin(conn)? {
        return Ok(false);
    }
    let (digest, ends): (Option<Vec<u8>>, Option<Timestamp>) = instance::table
        .find(1)
        .select((
            instance::setup_token_digest,
            instance::setup_token_expires_at,
        ))
        .get_result(conn)?;
    let (Some(digest), Some(ends)) = (digest, ends) else {
        return Ok(false);
    };
    let given = ctx.instance.lookup_key.digest(token);
    let same: bool =
        subtle::ConstantTimeEq::ct_eq(digest.as_slice(), given.as_bytes().as_slice()).into();
    Ok(same && DateTime::<Utc>::from(ends) > ctx.now)
}

pub(super) fn insert_person(
    conn: &mut DbConnection,
    ctx: &Context,
    new: &NewPerson,
) -> Result<User, Error> {
    let mut errors = FieldErrors::default();
    if let Err(problem) = PathSegment::parse(&new.username, Place::TopLevel) {
        errors.add("username", problem.to_string());
    }
    let name = checked_name(&new.name, &mut errors);
    let email = checked_email(&new.email, &mut errors);
    errors.check()?;
    let user = insert(
        conn,
        &NewUser {
            username: &new.username,
            name: &name,
            email: &email,
            kind: UserKind::Human,
            admin: new.admin,
            external: new.external,
            password_hash: new.password_hash.as_deref(),
            bot_group_id: None,
            bot_project_id: None,
            created_by_id: ctx.actor.user_id(),
            now: ctx.now,
        },
    )?;
    groups::create::create_personal(conn, ctx, &user)?;
    audit::record(
        conn,
        ctx,
        Event::new("user_created", Target::User(&user))
            .with(json!({ "admin": user.admin, "external": user.external })),
    )?;
    Ok(user)
}

pub(super) fn checked_email(text: &str, errors: &mut FieldErrors) -> String {
    match Email::parse(text) {
        Ok(email) => email.as_str().to_owned(),
        Err(problem) => {
            errors.add("email", problem.rule.to_string());
            String::new()
        }
    }
}
