//! Changing a person: name, user name, address, password, administrator or not, external or not.

use serde_json::json;

use super::User;
use super::administer::{administer, keep_an_administrator, reread};
use super::create::checked_email;
use super::links::{self, Purpose};
use super::sign_up::send_confirmation;
use super::store::{self, UserRef};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors};
use crate::groups::create::checked_name;
use crate::groups::path::{PathSegment, Place};
use crate::groups::rename::{lock_personal, rename_personal};
use crate::notices::account;
use crate::sessions;

/// What is to be different; what isn't given stays as it is.
#[derive(Debug, Clone, Default)]
pub struct PersonChanges {
    /// As shown; the personal namespace is called the same.
    pub name: Option<String>,
    /// The personal namespace gets the address.
    pub username: Option<String>,
    /// Counts as confirmed; but if the person signed up, and nobody confirmed the address before, a link goes to the new
    /// one, unless it comes with a password: a stranger may have chosen the present one.
    pub email: Option<String>,
    /// An administrator?
    pub admin: Option<bool>,
    /// Outside the company?
    pub external: Option<bool>,
    /// Hashed before, off the database. The person's sessions end.
    pub password_hash: Option<String>,
}

/// Changes a person, wholly or not at all. Administrators and the console only.
///
/// # Errors
/// [`Error::Invalid`] by field, [`Error::NotFound`] for bots, [`Error::Forbidden`] when the last
/// administrator would be gone.
pub fn edit(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    changes: &PersonChanges,
) -> Result<User, Error> {
    let (ctx, was) = administer(conn, ctx, &UserRef::Id(user_id))?;
    let mut errors = FieldErrors::default();
    let name = changes.name.as_deref();
    let name = name.map(|text| checked_name(text, &mut errors));
    let email = changes.email.as_deref();
    let email = email.map(|text| checked_email(text, &mut errors));
    if let Some(username) = changes
        .username
        .as_deref()
        .filter(|name| *name != was.username)
        && let Err(problem) = PathSegment::parse(username, Place::TopLevel)
    {
        errors.add("username", problem.to_string());
    }
    errors.check()?;
    let mut becomes = User {
        name: name.unwrap_or_else(|| was.name.clone()),
        username: changes
            .username
            .clone()
            .unwrap_or_else(|| was.username.clone()),
        email: email.unwrap_or_else(|| was.email.clone()),
        admin: changes.admin.unwrap_or(was.admin),
        external: changes.external.unwrap_or(was.external),
        ..was.clone()
    };
    let to_confirm = was.is_unclaimed() && changes.password_hash.is_none();
    if becomes.email != was.email && !to_confirm {
        becomes.confirmed_at = Some(ctx.now);
    }
    if !becomes.admin {
        keep_an_administrator(conn, &was, "demoted")?;
    }
    let renamed = becomes.name != was.name || becomes.username != was.username;
    if renamed {
        // Before the person's row, as everybody does who points at them from below it.
        lock_personal(conn, was.id)?;
    }
    store::update(conn, &becomes, ctx.now)?;
    if becomes.email != was.email || changes.password_hash.is_some() {
        // Whoever reads the old address's mail, or asked before, has no say any more.
        links::spend(conn, &ctx, was.id, Purpose::PasswordReset)?;
        links::spend(conn, &ctx, was.id, Purpose::Confirmation)?;
    }
    if becomes.email != was.email && to_confirm {
        send_confirmation(conn, &ctx, &becomes)?;
    }
    if renamed {
        rename_personal(conn, was.id, &becomes.username, &becomes.name, ctx.now)?;
    }
    if let Some(hash) = &changes.password_hash {
        store::set_password_hash(conn, was.id, hash, ctx.now)?;
        sessions::store::end_all_of(conn, was.id)?;
        let event = Event::new("user_password_changed", Target::User(&was));
        audit::record(conn, &ctx, event)?;
        if ctx.actor.user_id() != Some(was.id) {
            account::password_changed(conn, &ctx, &was)?;
        }
    }
    record(conn, &ctx, &was, &becomes)?;
    reread(conn, was.id)
}

/// What came of a change that was made on a form.
#[derive(Debug)]
pub enum Edited {
    /// It is done.
    Saved(User),
    /// Nothing was done: the person isn't any more as the form showed them.
    ChangedMeanwhile(User),
}

/// As [`edit`], but only if the person is still as they were when somebody began: `seen` is the
/// [`fingerprint`] of that moment.
///
/// # Errors
/// As [`edit`].
pub fn edit_as_seen(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    seen: &str,
    changes: &PersonChanges,
) -> Result<Edited, Error> {
    let (refreshed, is) = administer(conn, ctx, &UserRef::Id(user_id))?;
    if fingerprint(conn, &refreshed, &is)? != seen {
        return Ok(Edited::ChangedMeanwhile(is));
    }
    edit(conn, ctx, user_id, changes).map(Edited::Saved)
}

/// A text that is another one as soon as anything is different that [`edit`] can change, the password
/// included. It tells nothing of what it is made of.
///
/// # Errors
/// When the database is away.
pub fn fingerprint(conn: &mut DbConnection, ctx: &Context, user: &User) -> Result<String, Error> {
    let password = store::password_hash(conn, user.id)?;
    let all = (&user.name, &user.username, &user.email, user.admin);
    let text = format!("person {} {all:?} {} {password:?}", user.id, user.external);
    let digest = ctx.instance.lookup_key.digest(&text);
    Ok(hex::encode(digest.as_bytes()))
}

/// One line in the trail for each thing that is different.
pub(super) fn record(
    conn: &mut DbConnection,
    ctx: &Context,
    was: &User,
    is: &User,
) -> Result<(), Error> {
    let event = |name: &'static str| Event::new(name, Target::User(was));
    if is.name != was.name {
        let details = json!({ "name": [was.name, is.name] });
        audit::record(conn, ctx, event("user_name_changed").with(details))?;
    }
    if is.username != was.username {
        let details = json!({ "username": [was.username, is.username] });
        audit::record(conn, ctx, event("user_username_changed").with(details))?;
    }
    if is.email != was.email {
        let details = json!({ "email": [was.email, is.email] });
        audit::record(conn, ctx, event("user_email_changed").with(details))?;
    }
    if is.admin != was.admin {
        let name = if is.admin {
            "user_promoted"
        } else {
            "user_demoted"
        };
        audit::record(conn, ctx, event(name))?;
    }
    if is.external != was.external {
        let details = json!({ "external": [was.external, is.external] });
        audit::record(conn, ctx, event("user_external_changed").with(details))?;
    }
    Ok(())
}
