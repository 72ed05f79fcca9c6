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

/// Puts the hints of a week into the outbox: for the next `limit` people, by id after `after_user_id`, who asked for
/// them, at most one each in the week of [`Context::now`], none to whoever looks after no unused token. `real_now` is
/// the moment by the clock, whatever day a job pretends it is. Says how many, and after whom to go on; nothing at the
/// end. Four queries, however many people. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away.
pub fn enqueue_hints(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    after_user_id: i64,
    limit: i64,
) -> Result<(usize, Option<i64>), Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let asked = wanting_unused_token_mails(conn, after_user_id, limit)?;
    let next = asked
        .last()
        .copied()
        .filter(|_| i64::try_from(asked.len()).is_ok_and(|count| count >= limit));
    let week = ctx.today().iso_week();
    let week = format!("{}-W{:02}", week.year(), week.week());
    let mut mails: Vec<NewEmail> = attention::who_has_unused(conn, ctx, &asked)?
        .into_iter()
        .map(|user_id| NewEmail {
            key: format!("{KIND}/{user_id}/{week}"),
            kind: KIND,
            user_id,
            data: json!({ "week": week }),
            give_up_at: Some(real_now + OF_USE),
        })
        .collect();
    let known = outbox::known(conn, mails.iter().map(|mail| mail.key.clone()).collect())?;
    mails.retain(|mail| !known.contains(&mail.key));
    outbox::enqueue(conn, &mails, real_now)?;
    Ok((mails.len(), next))
}
