//! The end of the expiry check: what one mail tells of several tokens is gathered into it.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::check::kind;
use crate::context::Context;
use crate::db::DbConnection;
use crate::db::schema::{access_tokens, expiry_notices, users};
use crate::error::Error;
use crate::mail::outbox::{self, NewEmail};

/// People that one transaction looks at.
const BATCH: i64 = 100;

/// Ids that one statement names; databases have a limit on values.
const AT_ONCE: usize = 5_000;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Mails put into the outbox.
    pub mails: usize,
    /// Where to go on: behind this user; nothing at the end.
    pub next: Option<i64>,
}

/// Gathers for the next hundred people behind `after` what waits for them: for those who want a digest one mail of
/// the day, for the others one mail of the day and interval about their own tokens. Whoever has had today's mail
/// already gets the rest tomorrow.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn step(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    after: i64,
) -> Result<Step, Error> {
    let people: Vec<(i64, String)> = users::table
        .filter(users::id.gt(after))
        .filter(
            users::id.eq_any(
                expiry_notices::table
                    .filter(expiry_notices::email_key.is_null())
                    .select(expiry_notices::user_id),
            ),
        )
        .order(users::id.asc())
        .limit(BATCH)
        .select((users::id, users::expiry_mails))
        .load(conn)?;
    let mut mails = Vec::new();
    let mut told: Vec<(String, Vec<i64>)> = Vec::new();
    for (user_id, choice) in &people {
        for (key, kind, waiting) in letters(conn, ctx, *user_id, choice == "digest")? {
            let last = waiting.iter().filter_map(|one| one.expires_at).max();
            mails.push(NewEmail {
                key: key.clone(),
                kind,
                user_id: *user_id,
                data: json!({}),
                give_up_at: Some(until(last, real_now)),
            });
            told.push((key, waiting.iter().map(|one| one.id).collect()));
        }
    }
    outbox::enqueue(conn, &mails, real_now)?;
    for (key, ids) in told {
        for some in ids.chunks(AT_ONCE) {
            diesel::update(expiry_notices::table.filter(expiry_notices::id.eq_any(some)))
                .set(expiry_notices::email_key.eq(&key))
                .execute(conn)?;
        }
    }
    Ok(Step {
        mails: mails.len(),
        next: people
            .last()
            .map(|(id, _)| *id)
            .filter(|_| people.len() == usize::try_from(BATCH).unwrap_or(usize::MAX)),
    })
}

/// A notice that waits for its mail.
struct Waiting {
    id: i64,
    expires_at: Option<NaiveDate>,
}

/// Id, interval, and of the token: its date, its group, its project.
type Row = (i64, i64, Option<NaiveDate>, Option<i64>, Option<i64>);

type Letter = (String, &'static str, Vec<Waiting>);

/// The mails that a person is to get for what waits.
fn letters(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
    wants_digest: bool,
) -> Result<Vec<Letter>, Error> {
    let rows: Vec<Row> = expiry_notices::table
        .inner_join(access_tokens::table.on(access_tokens::id.eq(expiry_notices::token_id)))
        .filter(expiry_notices::user_id.eq(user_id))
        .filter(expiry_notices::email_key.is_null())
        .order(expiry_notices::id.asc())
        .select((
            expiry_notices::id,
            expiry_notices::interval_days,
            access_tokens::expires_at,
            access_tokens::group_id,
            access_tokens::project_id,
        ))
        .load(conn)?;
    let mut by_key: BTreeMap<String, Letter> = BTreeMap::new();
    for (id, interval_days, expires_at, group_id, project_id) in rows {
        let today = ctx.today();
        // Whoever has just given the digest up still gets what was put down for it.
        let own = group_id.is_none() && project_id.is_none();
        let (key, kind) = if wants_digest || !own {
            (format!("{}/{user_id}/{today}", kind::DIGEST), kind::DIGEST)
        } else {
            (
                format!(
                    "{}/{user_id}/{interval_days}/{today}",
                    kind::PERSONAL_EXPIRING
                ),
                kind::PERSONAL_EXPIRING,
            )
        };
        by_key
            .entry(key.clone())
            .or_insert_with(|| (key, kind, Vec::new()))
            .2
            .push(Waiting { id, expires_at });
    }
    let mut letters = Vec::new();
    for letter in by_key.into_values() {
        if !outbox::has(conn, &letter.0)? {
            letters.push(letter);
        }
    }
    Ok(letters)
}

fn until(last: Option<NaiveDate>, real_now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = real_now + Days::new(1);
    last.map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_or(tomorrow, |end| end.max(tomorrow))
}
