//! Making an account for oneself, confirming its address, and being let in.

use serde_json::json;

use super::User;
use super::administer::{administer, reread};
use super::create::{NewPerson, checked_email, insert_person};
use super::delete::delete;
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

/// Sign-ups that one network may try in an hour, whatever comes of them.
const TRIES: i64 = 30;

/// Counts a try, before anything is hashed for it: in a transaction of its own, so that a try that fails counts too.
///
/// # Errors
/// [`Error::NotFound`] while nobody may sign up, [`Error::TooManyRequests`] when the network has tried too often.
pub fn begin(conn: &mut DbConnection, ctx: &Context) -> Result<(), Error> {
    if !crate::settings::store::load(conn)?.settings.signup_enabled {
        return Err(Error::NotFound(What::Thing));
    }
    if links::may_try(conn, ctx, "sign-up", TRIES)? {
        Ok(())
    } else {
        Err(Error::TooManyRequests(3_600))
    }
}

/// Makes an account for somebody who isn't signed in. A mail says how to go on; the answer doesn't tell whether the
/// address had an account already, the mail does. An account whose address nobody has confirmed is nobody's: whoever
/// asks for it again gets it, with their password.
///
/// # Errors
/// [`Error::NotFound`] while nobody may sign up, [`Error::Invalid`] by field, [`Error::TooManyRequests`] when one network
/// causes too many mails.
pub fn sign_up(conn: &mut DbConnection, ctx: &Context, new: &NewPerson) -> Result<(), Error> {
    lock_instance(conn)?;
    // As they are now: an administrator may just have closed the door.
    let settings = crate::settings::store::load(conn)?.settings;
    if !settings.signup_enabled {
        return Err(Error::NotFound(What::Thing));
    }
    let known = store::find_by_email(conn, new.email.trim())?;
    let unconfirmed = known.as_ref().filter(|user| is_nobodys(user));
    check(conn, new, &settings.domain_allowlist, unconfirmed)?;
    if !links::may_cause_mail(conn, ctx)? {
        return Err(Error::TooManyRequests(3_600));
    }
    match known {
        None => {
            let new = NewPerson {
                admin: false,
                external: false,
                ..new.clone()
            };
            let user = insert_person(conn, ctx, &new)?;
            let approval = settings.require_admin_approval_after_user_signup;
            store::await_confirmation(conn, user.id, approval.then_some(ctx.now))?;
            let event = Event::new("user_signed_up", Target::User(&user));
            audit::record(conn, ctx, event.with(json!({ "approval": approval })))?;
            send_confirmation(conn, ctx, &user)
        }
        Some(user) if is_nobodys(&user) => {
            if let Some(hash) = &new.password_hash {
                store::set_password_hash(conn, user.id, hash, ctx.now)?;
            }
            links::spend(conn, user.id, Purpose::Confirmation)?;
            send_confirmation(conn, ctx, &user)
        }
        Some(user) => account::sign_up_attempted(conn, ctx, &user),
    }
}

/// Signed up for, and nobody has shown yet that the address is theirs?
fn is_nobodys(user: &User) -> bool {
    user.is_human()
        && user.confirmed_at.is_none()
        && user.last_sign_in_at.is_none()
        && user.created_by_id.is_none()
}

/// What is wrong with the account, all at once and the same whether its address is known.
fn check(
    conn: &mut DbConnection,
    new: &NewPerson,
    domains: &[String],
    unconfirmed: Option<&User>,
) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    let holder = store::find_by_username(conn, &new.username)?;
    let is_same = holder.is_some() && holder.map(|user| user.id) == unconfirmed.map(|user| user.id);
    let taken = !is_same
        && (store::find_by_username(conn, &new.username)?.is_some()
            || groups::store::find_by_path(conn, &new.username)?.is_some());
    match PathSegment::parse(&new.username, Place::TopLevel) {
        Err(problem) => errors.add("username", problem.to_string()),
        Ok(_) if taken => errors.add("username", "has already been taken"),
        Ok(_) => {}
    }
    checked_name(&new.name, &mut errors);
    let email = checked_email(&new.email, &mut errors);
    if !email.is_empty() && !domains::allows(domains, &email) {
        errors.add("email", "is not from a domain that may sign up");
    }
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
    let user = reread(conn, user.id)?;
    if user.confirmed_at.is_some() {
        account::approved(conn, &ctx, &user)?;
    } else {
        send_confirmation(conn, &ctx, &user)?;
    }
    Ok(user)
}

/// Accounts that are deleted in one go.
const AT_ONCE: i64 = 100;

/// Deletes accounts that were signed up for and whose address nobody has confirmed in three days: user name and address
/// are free again. Returns how many; there may be more. The system only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn sweep_unconfirmed(conn: &mut DbConnection, ctx: &Context) -> Result<usize, Error> {
    let before = ctx.now - Purpose::Confirmation.lifetime();
    let old = store::unconfirmed_since(conn, before, AT_ONCE)?;
    for user in &old {
        delete(conn, ctx, *user)?;
    }
    Ok(old.len())
}
