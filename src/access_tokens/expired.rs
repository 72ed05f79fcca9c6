//! Tokens whose date has come, in the audit trail: once each.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use diesel::dsl::not;
use diesel::prelude::*;

use super::create::described;
use super::store::{ListedRow, listed, listed_columns, listed_tokens, resources_of};
use super::{AccessToken, ListedToken, TokenType};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::{access_token_uses, access_tokens, memberships, users};
use crate::db::{Backend, DbConnection};
use crate::error::Error;

/// Tokens that one step looks at.
const BATCH: i64 = 1_000;

/// Who was away for longer has missed an event.
const LOOKED_BACK: Days = Days::new(31);

/// Where the next step goes on: behind this date and id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor(Option<(NaiveDate, i64)>);

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Events written.
    pub tokens: usize,
    /// Where to go on; nothing at the end.
    pub next: Option<Cursor>,
}

/// One step: the next thousand tokens whose date came within the last month and that nobody revoked, each written down
/// once.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn note_expired(conn: &mut DbConnection, ctx: &Context, cursor: Cursor) -> Result<Step, Error> {
    let today = ctx.today();
    let first = today.checked_sub_days(LOOKED_BACK).unwrap_or(today);
    let mut query = listed_tokens!()
        // In the words of the index, or it would not be used.
        .filter(not(access_tokens::revoked))
        .filter(diesel::dsl::not(access_tokens::impersonation))
        .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
        .limit(BATCH)
        .select(listed_columns!())
        .into_boxed::<Backend>();
    let from = cursor.0.map_or(first, |(date, _)| date);
    query = query.filter(access_tokens::expires_at.between(from, today));
    if let Some((date, id)) = cursor.0 {
        query = query.filter(
            access_tokens::expires_at
                .gt(date)
                .or(access_tokens::id.nullable().gt(id)),
        );
    }
    let rows: Vec<ListedRow> = query.load(conn)?;
    let tokens: Vec<ListedToken> = rows.into_iter().map(listed).collect();
    let ids: Vec<i64> = tokens.iter().map(|listed| listed.token.id).collect();
    let names = TokenType::ALL.map(|one| format!("{}_access_token_expired", one.name()));
    let known: HashSet<i64> = audit::store::targets_of(conn, &names, &ids, "")?;
    let new: Vec<&ListedToken> = tokens
        .iter()
        .filter(|listed| !known.contains(&listed.token.id))
        .collect();
    let resources = resources_of(conn, new.iter().map(|listed| &listed.token))?;
    let events: Vec<Event<'_>> = new
        .iter()
        .map(|listed| {
            let token = &listed.token;
            let event = Event::new(
                format!("{}_access_token_expired", token.kind()),
                Target::Token(token.id, &token.name),
            )
            .with(described(token, &listed.user.username, listed.access_level));
            match resources.get(&token.id) {
                Some(resource) => event.in_group(resource.group()),
                None => event,
            }
        })
        .collect();
    audit::record_all(conn, ctx, &events)?;
    let is_full = i64::try_from(tokens.len()).is_ok_and(|number| number == BATCH);
    Ok(Step {
        tokens: events.len(),
        next: tokens
            .last()
            .filter(|_| is_full)
            .and_then(|last| Some(Cursor(Some((last.token.expires_at?, last.token.id))))),
    })
}
