//! A forgotten password: asking for a link, and setting a new one with it.

use super::User;
use super::administer::reread;
use super::links::{self, Purpose};
use super::sign_up::note_confirmed;
use super::store;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::{Error, What};
use crate::notices::account;
use crate::sessions;

/// Sends a link to the account with this address, if there is one whose person may sign in, or may once they have confirmed
/// it or were approved. The answer is the same for every address.
///
/// # Errors
/// When the database is away.
pub fn request(conn: &mut DbConnection, ctx: &Context, email: &str) -> Result<(), Error> {
    lock_instance(conn)?;
    if !links::may_cause_mail(conn, ctx)? {
        return Ok(());
    }
    let user = store::find_by_email(conn, email.trim())?.filter(User::has_account);
    let Some(user) = user else {
        return Ok(());
    };
    if let Some(link) = links::issue(conn, ctx, &user, Purpose::PasswordReset)? {
        account::password_reset(conn, ctx, &user, link)?;
        let event = Event::new("user_password_reset_requested", Target::User(&user));
        audit::record(conn, ctx, event)?;
    }
    Ok(())
}

/// Sets a new password, which was hashed before, for whoever has the link. It is good once; all sessions of the person
/// end, and a mail tells them. Whoever has the link reads what is sent to the address: if nobody had confirmed it, it is now.
///
/// # Errors
/// [`Error::NotFound`] when the link isn't good, or no longer, or the person may not sign in.
pub fn reset(
    conn: &mut DbConnection,
    ctx: &Context,
    given: &str,
    hash: &str,
) -> Result<User, Error> {
    lock_instance(conn)?;
    let user = links::owner(conn, ctx, Purpose::PasswordReset, given)?
        .filter(User::has_account)
        .ok_or(Error::NotFound(What::Thing))?;
    links::spend(conn, ctx, user.id, Purpose::PasswordReset)?;
    store::set_password_hash(conn, user.id, hash, ctx.now)?;
    sessions::store::end_all_of(conn, user.id)?;
    let event = Event::new("user_password_changed", Target::User(&user));
    audit::record(conn, ctx, event)?;
    if user.confirmed_at.is_none() {
        note_confirmed(conn, ctx, &user)?;
    }
    account::password_changed(conn, ctx, &user)?;
    reread(conn, user.id)
}
