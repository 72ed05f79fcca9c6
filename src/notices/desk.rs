//! What administrators do about single mails: try one again, give one up, send one to themselves.

use serde_json::json;

use super::check::kind;
use super::compose::Words;
use super::letter::Notice;
use crate::access_tokens;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::mail::outbox::{self, Email, NewEmail};
use crate::permissions::Right;
use crate::users;

/// A mail that shows an administrator that mails arrive.
pub const TEST: &str = "test_mail";

/// Makes a mail due at once that waits, or that was refused or dropped. Administrators only.
///
/// # Errors
/// [`Error::NotFound`] for one that isn't there, or that was sent.
pub fn retry(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<(), Error> {
    let (ctx, email) = found(conn, ctx, id)?;
    if !outbox::make_due(conn, id, ctx.now)? {
        return Err(Error::NotFound(What::Thing));
    }
    record(conn, &ctx, "mail_retried", &email)
}

/// Gives a mail up that waits. Administrators only.
///
/// # Errors
/// [`Error::NotFound`] for one that doesn't wait.
pub fn drop(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<(), Error> {
    let (ctx, email) = found(conn, ctx, id)?;
    let why = format!("Dropped by {}", ctx.actor.name());
    if !outbox::give_up(conn, id, &why, ctx.now)? {
        return Err(Error::NotFound(What::Thing));
    }
    record(conn, &ctx, "mail_dropped", &email)
}

/// Puts a mail to the acting administrator into the outbox.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else, [`Error::Conflict`] for two at the same moment.
pub fn send_test(conn: &mut DbConnection, ctx: &Context) -> Result<(), Error> {
    let ctx = administrator(conn, ctx)?;
    let user_id = ctx.actor.user_id().ok_or_else(Error::forbidden)?;
    let key = format!("{TEST}/{user_id}/{}", ctx.now.timestamp_millis());
    if outbox::has(conn, &key)? {
        return Err(Error::Conflict("A test mail is on its way already".into()));
    }
    let mail = NewEmail {
        key,
        kind: TEST,
        user_id,
        data: json!({}),
        give_up_at: Some(ctx.now + chrono::TimeDelta::hours(1)),
    };
    outbox::enqueue(conn, &[mail], ctx.now)
}

/// Writes down that a mail about a token that ends will never arrive. Of other mails nothing is written.
///
/// # Errors
/// When the database can't take the row.
pub fn note_lost(
    conn: &mut DbConnection,
    ctx: &Context,
    email: &Email,
    why: &str,
) -> Result<(), Error> {
    let about_an_end = [kind::TOKEN_EXPIRING, kind::PERSONAL_EXPIRING, kind::DIGEST];
    if !about_an_end.contains(&email.kind.as_str()) {
        return Ok(());
    }
    let person = users::store::find(conn, email.user_id)?;
    let target = person.as_ref().map_or(Target::Instance, Target::User);
    let mut details = json!({ "mail": email.key, "reason": why });
    let mut event = Event::new("expiry_notice_failed", target);
    // A mail about one token concerns its group; one about several has no place.
    let token = match about_one(email) {
        Some(id) => access_tokens::store::find(conn, id)?,
        None => None,
    };
    let resource = match &token {
        Some(listed) => access_tokens::revoke::resource_of(conn, listed)?,
        None => None,
    };
    if let Some(listed) = &token {
        details["token_id"] = json!(listed.token.id);
        details["token_name"] = json!(listed.token.name);
        details["username"] = json!(listed.user.username);
    }
    if let Some(resource) = &resource {
        event = event.in_group(resource.group());
    }
    audit::record(conn, ctx, event.with(details))
}

/// The token that a mail is about, as its key says.
fn about_one(email: &Email) -> Option<i64> {
    let rest = email
        .key
        .strip_prefix(kind::TOKEN_EXPIRING)?
        .strip_prefix('/')?;
    rest.split('/').next()?.parse().ok()
}

/// The words of a test mail.
pub(super) fn words(ctx: &Context) -> Words {
    Words {
        subject: format!("Mail from {} arrives", ctx.instance.host),
        notice: Notice {
            lead: "You asked for this mail on the page Mail and jobs. That you read it shows that mails of this \
                   instance arrive."
                .to_owned(),
            facts: Vec::new(),
            advice: Vec::new(),
            link: ("Mail and jobs", ctx.url("/admin/background_jobs")),
        },
        reason: "You receive this mail because you asked for it.".to_owned(),
    }
}

fn administrator(conn: &mut DbConnection, ctx: &Context) -> Result<Context, Error> {
    let ctx = ctx.refreshed(conn)?;
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(ctx)
    } else {
        Err(Error::forbidden())
    }
}

fn found(conn: &mut DbConnection, ctx: &Context, id: i64) -> Result<(Context, Email), Error> {
    let ctx = administrator(conn, ctx)?;
    let email = outbox::find(conn, id)?.ok_or(Error::NotFound(What::Thing))?;
    Ok((ctx, email))
}

fn record(
    conn: &mut DbConnection,
    ctx: &Context,
    event: &'static str,
    email: &Email,
) -> Result<(), Error> {
    audit::record(
        conn,
        ctx,
        Event::new(event, Target::Instance)
            .with(json!({ "mail": email.key, "user_id": email.user_id })),
    )
}
