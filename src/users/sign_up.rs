//! Making an account for oneself, confirming its address, and being let in.

use serde_json::json;

use super::User;
use super::administer::{administer, reread};
use super::create::{NewPerson, checked_email, insert_person};
use super::delete::delete;
use super::edit::record;
use super::links::{self, Purpose};
use super::store::{self, UserRef};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, FieldErrors, What};
use crate::groups;
use crate::groups::create::checked_name;
use crate::groups::path::{PathSegment, Place};
use crate::groups::rename::{lock_personal, rename_personal};
use crate::notices::account;
use crate::permissions::Right;
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
/// address had an account already, the mail does. An account whose address nobody has confirmed is nobody's: whoever asks
/// for it last names it and chooses its password, and nobody gets it without the mail too.
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
    let unclaimed = known.as_ref().filter(|user| user.is_unclaimed());
    check(conn, new, &settings.domain_allowlist, unclaimed)?;
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
            store::await_confirmation(conn, user.id, approval.then_some(ctx.now), ctx.now)?;
            let event = Event::new("user_signed_up", Target::User(&user));
            audit::record(conn, ctx, event.with(json!({ "approval": approval })))?;
            send_confirmation(conn, ctx, &user)
        }
        Some(user) if user.is_unclaimed() => {
            let user = take_over(conn, ctx, &user, new)?;
            send_confirmation(conn, ctx, &user)
        }
        Some(user) => account::sign_up_attempted(conn, ctx, &user),
    }
}

/// Gives an account that nobody has confirmed the names and the password of whoever signs up for it now. Links that were
/// sent before stay good: each takes the password as it is then, and so a stranger who signs up can't cut anybody's link.
fn take_over(
    conn: &mut DbConnection,
    ctx: &Context,
    was: &User,
    new: &NewPerson,
) -> Result<User, Error> {
    let becomes = User {
        username: new.username.clone(),
        name: checked_name(&new.name, &mut FieldErrors::default()),
        ..was.clone()
    };
    if becomes.username != was.username || becomes.name != was.name {
        // Before the person's row, as everybody does who points at them from below it.
        lock_personal(conn, was.id)?;
        store::update(conn, &becomes, ctx.now)?;
        rename_personal(conn, was.id, &becomes.username, &becomes.name, ctx.now)?;
    }
    if let Some(hash) = &new.password_hash {
        store::set_password_hash(conn, was.id, hash, ctx.now)?;
    }
    store::note_sign_up(conn, was.id, ctx.now)?;
    let event = Event::new("user_signed_up", Target::User(was));
    audit::record(
        conn,
        ctx,
        event.with(json!({ "approval": was.is_pending() })),
    )?;
    record(conn, ctx, was, &becomes)?;
    reread(conn, was.id)
}

/// What is wrong with the account, all at once and the same whether its address is known.
fn check(
    conn: &mut DbConnection,
    new: &NewPerson,
    domains: &[String],
    unclaimed: Option<&User>,
) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    let holder = store::find_by_username(conn, &new.username)?;
    let is_same = holder.is_some() && holder.map(|user| user.id) == unclaimed.map(|user| user.id);
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

/// Confirms the address of whoever has the link and knows the password, which was compared with the hash `proven` before:
/// the link alone may have been asked for by a stranger, who chose the password. Without a password there is nothing to know.
///
/// # Errors
/// [`Error::NotFound`] when the link isn't good, or no longer; [`Error::Refused`] when the password is another one meanwhile.
pub fn confirm(
    conn: &mut DbConnection,
    ctx: &Context,
    given: &str,
    proven: Option<&str>,
) -> Result<User, Error> {
    lock_instance(conn)?;
    let user = links::owner(conn, ctx, Purpose::Confirmation, given)?
        .filter(User::has_account)
        .ok_or(Error::NotFound(What::Thing))?;
    if store::password_hash(conn, user.id)?.as_deref() != proven {
        return Err(Error::refused("The password was changed meanwhile"));
    }
    note_confirmed(conn, ctx, &user)?;
    reread(conn, user.id)
}

/// Notes that somebody has shown that the address is theirs, and ends the links that asked for it.
pub(super) fn note_confirmed(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
) -> Result<(), Error> {
    links::spend(conn, ctx, user.id, Purpose::Confirmation)?;
    store::set_confirmed(conn, user.id, ctx.now)?;
    audit::record(conn, ctx, Event::new("user_confirmed", Target::User(user)))
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

/// Accounts that are looked at in one go.
const AT_ONCE: i64 = 100;

/// What came of one go.
#[derive(Debug)]
pub struct Swept {
    /// Accounts that are deleted.
    pub deleted: usize,
    /// The last one that was looked at, when there may be more.
    pub next: Option<i64>,
}

/// Deletes accounts with an id above `after` that were signed up for, and whose address nobody has confirmed and nobody can
/// confirm any more: the last sign-up was three days ago, and no link is good. User name and address are free again. An
/// account that can't be deleted, because a group would be without an Owner or the instance without an administrator, is
/// left, and the log says so. The system only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else.
pub fn sweep_unconfirmed(
    conn: &mut DbConnection,
    ctx: &Context,
    after: i64,
) -> Result<Swept, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let before = ctx.now - Purpose::Confirmation.lifetime();
    let old = store::unconfirmed_since(conn, before, ctx.now, after, AT_ONCE)?;
    let mut deleted = 0;
    for user_id in &old {
        match delete(conn, ctx, *user_id) {
            Ok(()) => deleted += 1,
            // Found out before anything is changed.
            Err(why @ (Error::Conflict(_) | Error::Forbidden(_))) => {
                tracing::warn!(user_id, %why, "An account that nobody confirmed can't be deleted");
            }
            Err(other) => return Err(other),
        }
    }
    let is_last = i64::try_from(old.len()).unwrap_or(AT_ONCE) < AT_ONCE;
    Ok(Swept {
        deleted,
        next: old.last().copied().filter(|_| !is_last),
    })
}
