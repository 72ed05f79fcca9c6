//! The pages that ask before a token is revoked or rotated, and what they then do.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};

use super::super::ListedToken;
use super::super::create::Created;
use super::super::expiry::Limits;
use super::super::grace::{self, Grace};
use super::super::refusals::{self, Attempt};
use super::super::rotate::{NewExpiry, Rotation};
use super::form::{date_problem, date_rules};
use super::holder::{Asked, Holder};
use super::index::{self, NOT_TAKEN, News};
use super::nonce::{INCOMPLETE, Nonce, replays};
use super::rows;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::web::csrf;
use crate::web::page::PageCall;
use crate::web::params::parse_date;
use crate::web::views::access_tokens::{RevokeTokenPage, RotateTokenPage};
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;

/// The token that the address names, with its holder.
async fn find(call: &PageCall, asked: &Asked) -> Result<(Holder, ListedToken), Error> {
    let (asked, id) = (asked.clone(), token_id(call)?);
    call.read(move |conn, ctx| {
        let holder = asked.find(conn, ctx)?;
        let listed = holder.token(conn, ctx, id)?;
        Ok((holder, listed))
    })
    .await
}

/// The token's number in the address.
pub(super) fn token_id(call: &PageCall) -> Result<i64, Error> {
    call.segment("id")
        .parse()
        .map_err(|_| Error::NotFound(What::Thing))
}

/// Asks before a token is revoked. There is nothing to ask about one that is revoked already.
pub(super) async fn ask_revoke(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let (holder, listed) = find(call, &asked).await?;
    let now = call.ctx.now;
    if listed.token.is_revoked(now) || !holder.allows(Right::RevokeToken, &call.ctx) {
        return Err(Error::NotFound(What::Thing));
    }
    call.ok(&RevokeTokenPage {
        shell: holder.shell(call),
        kind: holder.kind(),
        path: holder.path(),
        id: listed.token.id,
        summary: rows::summary(&listed, now, call.ctx.actor.wants_exact_times()),
        used_lately: rows::is_used_lately(&listed, now),
        is_old_value: listed.token.revoked,
        old_values_until: rows::old_values_until(&listed, now),
        name: listed.token.name,
    })
}

/// Revokes a token and goes back to the list.
pub(super) async fn revoke(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let (holder, listed) = find(call, &asked).await?;
    let (target, id) = (holder.clone(), listed.token.id);
    match call
        .write(move |conn, ctx| target.revoke(conn, ctx, id))
        .await
    {
        Ok(_) => {
            call.app.jobs_waiting.notify_one();
            let what = if listed.token.revoked {
                "the old value of "
            } else {
                ""
            };
            call.flash(
                Tone::Success,
                format!("Revoked {what}access token {}.", listed.token.name),
            );
        }
        Err(Error::Refused(reason)) => {
            note_refusal(call, &holder, Attempt::Deletion, id, &reason).await?;
            call.flash(
                Tone::Danger,
                format!("Could not revoke access token {}.", listed.token.name),
            );
        }
        Err(other) => return Err(other),
    }
    Ok(call.redirect(&holder.path()))
}

/// A refusal leaves a line in the trail too.
async fn note_refusal(
    call: &PageCall,
    holder: &Holder,
    attempt: Attempt,
    id: i64,
    reason: &str,
) -> Result<(), Error> {
    let (holder, details) = (holder.clone(), refusals::of_token(id, reason));
    call.write(move |conn, ctx| refusals::note(conn, ctx, holder.whose(), attempt, details.clone()))
        .await
}

/// Asks before a token is rotated, and proposes a date.
pub(super) async fn ask_rotate(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let (holder, listed) = find(call, &asked).await?;
    if holder.is_switched_off(&call.ctx) {
        return index::after(call, asked, holder, News::SwitchedOff).await;
    }
    if listed.token.revoked || !holder.allows(Right::RotateToken, &call.ctx) {
        return Err(Error::NotFound(What::Thing));
    }
    let proposal = Proposal::of(&listed, &call.ctx).date;
    let typed = proposal.map(|date| date.to_string()).unwrap_or_default();
    let typed = Typed {
        expires_at: typed,
        grace: Some(Grace::NONE),
    };
    question(
        call,
        &holder,
        listed,
        StatusCode::OK,
        typed,
        FormErrors::none(),
    )
}

/// What is in the form of a rotation.
struct Typed {
    expires_at: String,
    /// How long the old value shall work; nothing for what isn't on offer.
    grace: Option<Grace>,
}

impl Typed {
    fn read(call: &PageCall, holder: &Holder) -> Self {
        let form = &call.form;
        let seconds = form.get("grace_period").map_or(Ok(0), str::parse);
        Typed {
            expires_at: form
                .text(&format!("{}[expires_at]", holder.kind().form()))
                .to_owned(),
            grace: seconds.ok().and_then(Grace::seconds),
        }
    }

    fn problems(&self, ctx: &Context) -> FormErrors {
        let mut errors = FormErrors::none();
        if let Some(text) = date_problem(&self.expires_at, ctx.policy.limits(), ctx.today()) {
            errors.add("expires_at", text);
        }
        if self.grace.is_none() {
            errors.add("grace_period", "Choose what becomes of the old value");
        }
        errors
    }
}

/// Rotates a token. The answer itself shows the new value, once.
pub(super) async fn rotate(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let nonce = Nonce::sent(call);
    let (looked_for, used, id) = (asked.clone(), nonce.clone(), token_id(call)?);
    let (holder, used_at, listed) = call
        .read(move |conn, ctx| {
            let holder = looked_for.find(conn, ctx)?;
            let listed = holder.token(conn, ctx, id)?;
            Ok((holder, used.used_at(conn)?, listed))
        })
        .await?;
    if let Some(at) = used_at {
        return index::after(call, asked, holder, News::Replayed(at)).await;
    }
    if holder.is_switched_off(&call.ctx) {
        return index::after(call, asked, holder, News::SwitchedOff).await;
    }

    let typed = Typed::read(call, &holder);
    let mut errors = typed.problems(&call.ctx);
    if !nonce.is_given() {
        errors.add("", INCOMPLETE);
    }
    if !errors.is_empty() {
        return question(call, &holder, listed, NOT_TAKEN, typed, errors);
    }

    let rotation = Rotation {
        expiry: NewExpiry::AsGiven(parse_date(typed.expires_at.trim())),
        grace: typed.grace.unwrap_or_default(),
    };
    let (target, marked) = (holder.clone(), nonce.clone());
    let written = call
        .write(move |conn, ctx| replace(conn, ctx, &target, id, rotation, &marked))
        .await;
    match replays(call, written, &nonce, Outcome::Replayed).await {
        Ok(Outcome::Rotated(created)) => {
            call.app.rotations.end(id);
            let value = rows::once(&created, &holder, true, &call.ctx);
            index::after(call, asked, holder, News::Created(value)).await
        }
        Ok(Outcome::Replayed(at)) => index::after(call, asked, holder, News::Replayed(at)).await,
        Err(Error::Refused(reason)) => {
            note_refusal(call, &holder, Attempt::Rotation, id, &reason).await?;
            let errors = FormErrors::about_form(sentence(&reason));
            question(call, &holder, listed, NOT_TAKEN, typed, errors)
        }
        Err(other) => Err(other),
    }
}

/// What became of the form.
enum Outcome {
    Rotated(Box<Created>),
    Replayed(DateTime<Utc>),
}

fn replace(
    conn: &mut DbConnection,
    ctx: &Context,
    holder: &Holder,
    id: i64,
    rotation: Rotation,
    nonce: &Nonce,
) -> Result<Outcome, Error> {
    if let Some(at) = nonce.used_at(conn)? {
        return Ok(Outcome::Replayed(at));
    }
    let created = holder.rotate(conn, ctx, id, rotation)?;
    nonce.consume(conn, created.listed.token.id, ctx.now)?;
    Ok(Outcome::Rotated(Box::new(created)))
}

fn question(
    call: &PageCall,
    holder: &Holder,
    listed: ListedToken,
    status: StatusCode,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let ctx = &call.ctx;
    let page = RotateTokenPage {
        shell: holder.shell(call),
        kind: holder.kind(),
        path: holder.path(),
        id: listed.token.id,
        summary: rows::summary(&listed, ctx.now, ctx.actor.wants_exact_times()),
        used_lately: rows::is_used_lately(&listed, ctx.now),
        nonce: csrf::new_secret(),
        expires_at: typed.expires_at,
        proposal: Proposal::of(&listed, ctx).reason.into(),
        dates: date_rules(ctx.policy.limits(), ctx.today()),
        old_values_until: rows::old_values_until(&listed, ctx.now),
        grace_periods: grace::CHOICES
            .map(|(seconds, words)| Choice {
                value: seconds.to_string(),
                label: words.into(),
                selected: typed.grace == Grace::seconds(seconds),
            })
            .into(),
        errors,
        name: listed.token.name,
    };
    call.render(status, &page)
}

/// The date that the page proposes, and why.
#[derive(Debug, PartialEq, Eq)]
struct Proposal {
    date: Option<NaiveDate>,
    reason: &'static str,
}

impl Proposal {
    fn of(listed: &ListedToken, ctx: &Context) -> Self {
        let made = listed.token.created_at.date_naive();
        Self::again(
            ctx.policy.limits(),
            ctx.today(),
            made,
            listed.token.expires_at,
        )
    }

    fn again(limits: Limits, today: NaiveDate, made: NaiveDate, old: Option<NaiveDate>) -> Self {
        let date = limits.page_rotation(today, made, old);
        let reason = match (old, date) {
            (None, None) => "The token has no end, and keeps none.",
            (None, Some(_)) => "The token had no end; new values need one.",
            (Some(old), Some(new)) if new - today < old - made => {
                "The lifetime was longer than is allowed today; this is the latest date."
            }
            (Some(_), _) => "Same lifetime as now.",
        };
        Proposal { date, reason }
    }
}

/// A reason as the start of a sentence.
pub(super) fn sentence(reason: &str) -> String {
    let mut text = reason.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lifetime_is_proposed_as_far_as_it_is_allowed() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (today, made) = (day("2026-11-20"), day("2026-11-01"));
        let free = Limits {
            require_expiry: false,
            ..Limits::default()
        };
        let thirty = Limits {
            maximum_lifetime: Some(30),
            ..Limits::default()
        };
        let month = Some(day("2026-12-01"));
        for (limits, old, date, reason) in [
            (
                Limits::default(),
                month,
                "2026-12-20",
                "Same lifetime as now.",
            ),
            (
                thirty,
                Some(day("2027-02-01")),
                "2026-12-20",
                "The lifetime was longer than is allowed today; this is the latest date.",
            ),
            (
                Limits::default(),
                None,
                "2027-11-20",
                "The token had no end; new values need one.",
            ),
        ] {
            let proposal = Proposal::again(limits, today, made, old);
            assert_eq!(
                proposal,
                Proposal {
                    date: Some(day(date)),
                    reason
                }
            );
        }
        let kept = Proposal::again(free, today, made, None);
        assert_eq!(
            kept,
            Proposal {
                date: None,
                reason: "The token has no end, and keeps none."
            }
        );
    }

    #[test]
    fn a_reason_starts_like_a_sentence() {
        assert_eq!(sentence("token already revoked"), "Token already revoked");
        assert_eq!(sentence(""), "");
    }
}
