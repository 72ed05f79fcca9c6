//! Finds the words of a mail when it is sent: the outbox knows what it speaks of, this knows how.

use super::letter::{Letter, Notice};
use super::{account, alarm, desk, expiring, personal, unused};
use crate::context::{Context, Instance};
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::deliver::Composed;
use crate::mail::outbox::Email;
use crate::users::{self, User};

/// The words of a mail; or that it isn't needed any more, because its recipient is nobody to be told.
///
/// # Errors
/// When the database is away, or there are no words for its kind.
pub fn compose(conn: &mut DbConnection, ctx: &Context, email: &Email) -> Result<Composed, Error> {
    let instance: &Instance = &ctx.instance;
    let found = users::store::find(conn, email.user_id)?;
    let person = match reachable(found, account::is_for_newcomers(&email.kind)) {
        Ok(person) => person,
        Err(why) => return Ok(Composed::Drop(why.into())),
    };
    if let Some(words) = account::words(conn, ctx, &person, email)? {
        return match words {
            Ok(words) => words.sent_to(&person, instance),
            Err(why) => Ok(Composed::Drop(why.into())),
        };
    }
    if let Some(words) = personal::words(&person, instance, email) {
        return words.sent_to(&person, instance);
    }
    if expiring::is_kind(&email.kind) {
        return expiring::compose(conn, ctx, &person, email);
    }
    if email.kind == unused::KIND {
        return unused::compose(conn, ctx, &person);
    }
    if email.kind == desk::TEST {
        return desk::words(ctx).sent_to(&person, instance);
    }
    if email.kind == alarm::KIND {
        return match alarm::words(conn, ctx, &person, email)? {
            Ok(words) => words.sent_to(&person, instance),
            Err(why) => Ok(Composed::Drop(why.into())),
        };
    }
    Err(Error::internal(anyhow::anyhow!(
        "there are no words for a mail of the kind {}",
        email.kind
    )))
}

/// The words of one notice, before they are laid out.
pub(super) struct Words {
    pub subject: String,
    pub notice: Notice,
    pub reason: String,
}

impl Words {
    /// As a mail to this person.
    pub(super) fn sent_to(self, person: &User, instance: &Instance) -> Result<Composed, Error> {
        let letter = Letter::to(person, instance, self.subject, self.reason);
        Ok(Composed::Send(self.notice.message(person, &letter)?))
    }
}

/// Only active people with a confirmed address get mail; whoever isn't one any more doesn't get what waits either. But
/// some mails are for those who are not there yet.
fn reachable(person: Option<User>, newcomers: bool) -> Result<User, &'static str> {
    match person {
        None => Err("The person is gone"),
        Some(person)
            if newcomers && person.is_human() && (person.is_active() || person.is_pending()) =>
        {
            Ok(person)
        }
        Some(person) if !person.is_human() || !person.is_active() => {
            Err("The person may not sign in any more")
        }
        Some(person) if person.confirmed_at.is_none() => {
            Err("The person's address isn't confirmed")
        }
        Some(person) => Ok(person),
    }
}
