//! Making an account for oneself, confirming its address, and being let in.

use serde_json::json;

use super::User;
use super::administer::{administer, reread};
use super::create::{NewPerson, insert_person};
use super::links::{self, Purpose};
use super::store::{self, UserRef};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, FieldErrors, What};
use crate::groups;
use crate::groups::create::checked_name;
use crate::groups::path::{PathSegment, Place};
use crate::notices::account;
use crate::settings::domains;
use crate::text::Email;

/// Makes an account for somebody who isn't signed in. A mail says how to go on; the answer doesn't tell whether the
/// address had an account already, the mail does.
///
/// # Errors
/// [`Error::NotFound`] while nobody may sign up, [`Error::Invalid`] by field, [`Error::TooManyRequests`] when one network
/// asks too often.
pub fn sign_up(conn: &mut DbConnection, ctx: &Context, new: &NewPerson) -> Result<(), Error> {
    lock_instance(conn)?;
    // As they are now: an administrator may just have closed the door.
    let settings = crate::settings::store::load(conn)?.settings;
    if !settings.signup_enabled {
        return Err(Error::NotFound(What::Thing));
    }
    if Email::parse(&new.email).is_ok()
        && !domains::allows(&settings.domain_allowlist, new.email.trim())
    {
        return Err(Error::invalid(
            "email",
            "is not from a domain that may sign up",
        ));
    }
    let known = store::find_by_email(conn, new.email.trim())?;
    let made = match &known {
        // Whatever else is wrong is told as if the address were new.
        Some(_) => check_the_rest(conn, new).map(|()| None),
        None => insert_person(
            conn,
            ctx,
            &NewPerson {
                admin: false,
                external: false,
                ..new.clone()
            },
        )
        .map(Some),
    };
    let made = made?;
    if !links::may_cause_mail(conn, ctx)? {
        return Err(Error::TooManyRequests(3_600));
    }
    match (made, known) {
        (Some(user), _) => {
            let approval = settings.require_admin_approval_after_user_signup;
            store::await_confirmation(conn, user.id, approval.then_some(ctx.now))?;
            let event = Event::new("user_signed_up", Target::User(&user));
            audit::record(conn, ctx, event.with(json!({ "approval": approval })))?;
            send_confirmation(conn, ctx, &user)
        }
        (None, Some(known)) => account::sign_up_attempted(conn, ctx, &known),
        (None, None) => Ok(()),
    }
}

/// What is wrong with the account, but for its address.
fn check_the_rest(conn: &mut DbConnection, new: &NewPerson) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    let taken = store::find_by_username(conn, &new.username)?.is_some()
        || groups::store::find_by_path(conn, &new.username)?.is_some();
    match PathSegment::parse(&new.username, Place::TopLevel) {
        Err(problem) => errors.add("username", problem.to_string()),
        Ok(_) if taken => errors.add("username", "has already been taken"),
        Ok(_) => {}
    }
    checked_name(&new.name, &mut errors);
    errors.check()
}

/// Sends somebody who signed up the link that confirms their address, unless they have had enough of them lately.
///
/// # Errors
/// When the database is away.
pub fn send_confirmation(conn: &mut DbConnection, ctx: &Context, user: &User) -> Result<(), Error> {
    match links::issue(conn, ctx, user, Purpose::Confirmation)? {
        Some(link) => account::confirmation(conn, ctx, user, link),
        None => Ok(()),
    }
}

/// Confirms the address of whoever has the link.
///
/// # Errors
/// [`Error::NotFound`] when the link isn't good, or no longer.
pub fn confirm(conn: &mut DbConnection, ctx: &Context, given: &str) -> Result<User, Error> {
    lock_instance(conn)?;
    let user = links::owner(conn, ctx, Purpose::Confirmation, given)?
        .ok_or(Error::NotFound(What::Thing))?;
    links::spend(conn, user.id, Purpose::Confirmation)?;
    store::set_confirmed(conn, user.id, ctx.now)?;
    audit::record(conn, ctx, Event::new("user_confirmed", Target::User(&user)))?;
    reread(conn, user.id)
}

/// Lets somebody in who signed up and waits for it. Administrators only.
///
/// # Errors
/// [`Error::NotFound`] for bots, [`Error::Conflict`] for somebody who doesn't wait.
pub fn approve(conn: &mut DbConnection, ctx: &Context, whom: &UserRef) -> Result<User, Error> {
    let (ctx, user) = administer(conn, ctx, whom)?;
    if !user.is_pending() {
        return Err(Error::Conflict(format!(
            "{} doesn't wait for approval",
            user.username
        )));
    }
    store::set_state(conn, user.id, super::UserState::Active, ctx.now)?;
    audit::record(conn, &ctx, Event::new("user_approved", Target::User(&user)))?;
    account::approved(conn, &ctx, &user)?;
    reread(conn, user.id)
}
