//! Once a week, for whoever asks for it: which tokens that they look after nobody uses.

mod compose;

pub use compose::compose;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde_json::json;

use crate::access_tokens::attention;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::outbox::{self, NewEmail};
use crate::permissions::Right;
use crate::users::notifications::store::wanting_unused_token_mails;

/// The kind of these mails in the outbox.
pub const KIND: &str = "unused_tokens";

/// After so long the next one is due.
const OF_USE: TimeDelta = TimeDelta::days(7);

/// Who of the next `limit` people, by id after `after_user_id`, is to get this week's hint: they asked for it, have not
/// got it, and look after a token that nobody uses. Also says after whom to go on; nothing at the end. Reads only.
/// Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn whom_to_hint(
    conn: &mut DbConnection,
    ctx: &Context,
    after_user_id: i64,
    limit: i64,
) -> Result<(Vec<i64>, Option<i64>), Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let mut asked = wanting_unused_token_mails(conn, after_user_id, limit)?;
    let next = asked
        .last()
        .copied()
        .filter(|_| i64::try_from(asked.len()).is_ok_and(|count| count >= limit));
    let week = week(ctx);
    let keys = asked.iter().map(|user_id| key(*user_id, &week)).collect();
    let known = outbox::known(conn, keys)?;
    asked.retain(|user_id| !known.contains(&key(*user_id, &week)));
    Ok((attention::who_has_unused(conn, ctx, &asked)?, next))
}

/// Puts the hints of a week into the outbox for people of whom [`whom_to_hint`] told, at most one each in the week of
/// [`Context::now`]. `real_now` is the moment by the clock, whatever day a job pretends it is. Says how many.
/// Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn enqueue_hints(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    user_ids: &[i64],
) -> Result<usize, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let week = week(ctx);
    let keys = user_ids.iter().map(|user_id| key(*user_id, &week));
    let known = outbox::known(conn, keys.collect())?;
    let mails: Vec<NewEmail> = user_ids
        .iter()
        .map(|user_id| NewEmail {
            key: key(*user_id, &week),
            kind: KIND,
            user_id: *user_id,
            data: json!({ "week": week }),
            give_up_at: Some(real_now + OF_USE),
        })
        .filter(|mail| !known.contains(&mail.key))
        .collect();
    outbox::enqueue(conn, &mails, real_now)?;
    Ok(mails.len())
}

/// The ISO week of the present.
fn week(ctx: &Context) -> String {
    let week = ctx.today().iso_week();
    format!("{}-W{:02}", week.year(), week.week())
}

fn key(user_id: i64, week: &str) -> String {
    format!("{KIND}/{user_id}/{week}")
}
