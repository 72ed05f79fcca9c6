//! What people are told about their own personal access tokens: made, rotated, revoked, expired.

use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

use super::compose::Words;
use super::letter::Notice;
use crate::access_tokens::AccessToken;
use crate::actor::{Channel, Credential};
use crate::context::{Context, Instance};
use crate::db::schema::{access_tokens, users};
use crate::db::{Backend, DbConnection};
use crate::error::Error;
use crate::mail::message::{one_line, shortened};
use crate::mail::outbox::{self, Email, NewEmail};
use crate::users::{Identity, User, UserKind, UserState};

/// What may happen to a token of one's own. The kind of the mail is also the beginning of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Created,
    Rotated,
    Revoked,
    Expired,
}

impl Event {
    const ALL: [Event; 4] = [
        Event::Created,
        Event::Rotated,
        Event::Revoked,
        Event::Expired,
    ];

    fn kind(self) -> &'static str {
        match self {
            Event::Created => "personal_token_created",
            Event::Rotated => "personal_token_rotated",
            Event::Revoked => "personal_token_revoked",
            Event::Expired => "personal_token_expired",
        }
    }

    fn key(self, token_id: i64) -> String {
        format!("{}/{token_id}", self.kind())
    }
}

/// For so many days the news of an event are worth sending.
const WORTH: u64 = 7;

/// Tells a person that a token of theirs was made.
///
/// # Errors
/// When the database is away.
pub fn created(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &AccessToken,
    person: &Identity,
) -> Result<(), Error> {
    put(conn, ctx, Event::Created, token, person, ctx.now)
}

/// Tells a person that a token of theirs was rotated into this one, and until when the old value goes on working.
///
/// # Errors
/// When the database is away.
pub fn rotated(
    conn: &mut DbConnection,
    ctx: &Context,
    new: &AccessToken,
    person: &Identity,
    grace_until: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let more = json!({ "old_value_until": grace_until });
    put_with(conn, ctx, Event::Rotated, new, person, ctx.now, &more)
}

/// Tells a person that a token of theirs was revoked.
///
/// # Errors
/// When the database is away.
pub fn revoked(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &AccessToken,
    person: &Identity,
) -> Result<(), Error> {
    put(conn, ctx, Event::Revoked, token, person, ctx.now)
}

/// Tells a person that the old value of a token of theirs was ended, before its grace was over.
///
/// # Errors
/// When the database is away.
pub fn old_value_ended(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &AccessToken,
    person: &Identity,
) -> Result<(), Error> {
    let more = json!({ "old_value": true });
    put_with(conn, ctx, Event::Revoked, token, person, ctx.now, &more)
}

/// Tells a person that a rule of the instance revoked a token of theirs; nobody, when the token isn't a person's own.
/// `real_now` is the moment by the clock, whatever day a job pretends it is.
///
/// # Errors
/// When the database is away.
pub fn revoked_by_rule(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &AccessToken,
    person: &Identity,
    real_now: DateTime<Utc>,
) -> Result<(), Error> {
    put(conn, ctx, Event::Revoked, token, person, real_now)
}

fn put(
    conn: &mut DbConnection,
    ctx: &Context,
    event: Event,
    token: &AccessToken,
    person: &Identity,
    real_now: DateTime<Utc>,
) -> Result<(), Error> {
    put_with(conn, ctx, event, token, person, real_now, &json!({}))
}

/// As [`put`], with more to say.
fn put_with(
    conn: &mut DbConnection,
    ctx: &Context,
    event: Event,
    token: &AccessToken,
    person: &Identity,
    real_now: DateTime<Utc>,
    more: &Value,
) -> Result<(), Error> {
    if !person.is_human() || token.kind() != "personal" {
        return Ok(());
    }
    let mut data = about(token);
    for (name, value) in more.as_object().into_iter().flatten() {
        data[name] = value.clone();
    }
    data["done"] = done(ctx, person);
    let new = NewEmail {
        key: event.key(token.id),
        kind: event.kind(),
        user_id: person.id,
        data,
        give_up_at: real_now.checked_add_days(Days::new(WORTH)),
    };
    outbox::enqueue(conn, &[new], real_now)
}

/// A token, for the words of a mail: everything but its value.
pub(super) fn about(token: &AccessToken) -> Value {
    json!({
        "token": token.name,
        "scopes": token.scopes.names(),
        "expires_at": token.expires_at,
    })
}

/// Who did it, when, how and from where.
fn done(ctx: &Context, person: &Identity) -> Value {
    let actor = &ctx.actor;
    let by = match &actor.user {
        Some(user) if user.id == person.id => "you".to_owned(),
        Some(user) => format!("{} (@{}), an administrator", user.name, user.username),
        None => "an administrator".to_owned(),
    };
    let by = match (actor.origin.channel, &actor.credential) {
        (Channel::Page, _) => format!("{by}, in the browser"),
        (Channel::Api, Credential::Token(_)) => format!("{by}, over the API, with a token"),
        (Channel::Api, _) => format!("{by}, over the API"),
        (Channel::Git, _) => format!("{by}, over Git"),
        (Channel::Console, _) => format!("{by}, on the server's command line"),
        (Channel::Job, _) => "a rule of the instance".to_owned(),
    };
    json!({
        "by": by,
        "ip": actor.origin.ip.map(|ip| ip.to_string()),
        "at": ctx.now,
    })
}

/// Where the next step goes on: behind this date and id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor(Option<(NaiveDate, i64)>);

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Mails put into the outbox.
    pub mails: usize,
    /// Where to go on; nothing at the end.
    pub next: Option<Cursor>,
}

/// Tokens that one step looks at.
const BATCH: i64 = 1_000;

/// One step of telling people that tokens of theirs have expired: the next thousand whose date came within the last
/// seven days and that nobody revoked, each told once. `ctx.now` says which day it is; mails are due at `real_now`.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn expired(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    cursor: Cursor,
) -> Result<Step, Error> {
    let today = ctx.today();
    let first = today.checked_sub_days(Days::new(WORTH)).unwrap_or(today);
    let mut query = access_tokens::table
        .inner_join(users::table)
        .filter(diesel::dsl::not(access_tokens::revoked))
        .filter(diesel::dsl::not(access_tokens::impersonation))
        .filter(access_tokens::group_id.is_null())
        .filter(access_tokens::project_id.is_null())
        .filter(access_tokens::expires_at.between(first, today))
        .filter(users::kind.eq(UserKind::Human.as_str()))
        .filter(users::state.eq(UserState::Active.as_str()))
        .filter(users::confirmed_at.is_not_null())
        .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
        .limit(BATCH)
        .select(AccessToken::as_select())
        .into_boxed::<Backend>();
    if let Some((date, id)) = cursor.0 {
        query = query.filter(
            access_tokens::expires_at
                .gt(date)
                .or(access_tokens::expires_at
                    .eq(date)
                    .and(access_tokens::id.gt(id))),
        );
    }
    let tokens: Vec<AccessToken> = query.load(conn)?;
    let keys = tokens.iter().map(|token| Event::Expired.key(token.id));
    let told = outbox::known(conn, keys.collect())?;
    let mails: Vec<NewEmail> = tokens
        .iter()
        .filter(|token| !told.contains(&Event::Expired.key(token.id)))
        .map(|token| NewEmail {
            key: Event::Expired.key(token.id),
            kind: Event::Expired.kind(),
            user_id: token.user_id,
            data: about(token),
            give_up_at: real_now.checked_add_days(Days::new(WORTH)),
        })
        .collect();
    outbox::enqueue(conn, &mails, real_now)?;
    let is_full = i64::try_from(tokens.len()).is_ok_and(|number| number == BATCH);
    Ok(Step {
        mails: mails.len(),
        next: tokens
            .last()
            .filter(|_| is_full)
            .and_then(|last| Some(Cursor(Some((last.expires_at?, last.id))))),
    })
}

/// The words of a mail of these kinds; nothing for another kind.
pub(super) fn words(person: &User, instance: &Instance, email: &Email) -> Option<Words> {
    let event = Event::ALL
        .into_iter()
        .find(|event| event.kind() == email.kind)?;
    let data = &email.data;
    let name = token_name(data);
    let (happened, advice) = match event {
        Event::Created => (
            "was created",
            "If you did not expect this, revoke the token and tell an administrator: somebody else may be using your account.",
        ),
        Event::Rotated => (
            "was rotated",
            "Whatever used its old value needs the new one. If you did not expect this, revoke the token and tell an administrator: somebody else may be using your account.",
        ),
        Event::Revoked if data["old_value"] == true => (
            "has lost its old value",
            "The old value has stopped working before its time was over; the new one goes on working.",
        ),
        Event::Revoked => (
            "was revoked",
            "It has stopped working for good. Whatever used it needs another token.",
        ),
        Event::Expired => (
            "has expired",
            "It has stopped working. If you still need it, create another one.",
        ),
    };
    let link = match event {
        Event::Created | Event::Rotated => "Check your access tokens",
        Event::Revoked | Event::Expired => "Go to your access tokens",
    };
    let mut facts = facts(data, event == Event::Expired);
    if event == Event::Rotated {
        facts.push(("Old value", old_value(data)));
    }
    facts.extend(circumstances(&data["done"]));
    Some(Words {
        subject: format!("Your personal access token “{name}” {happened}"),
        notice: Notice {
            lead: format!("Your personal access token “{name}” {happened}."),
            facts,
            advice: vec![advice.into()],
            link: (
                link,
                instance.url("/-/user_settings/personal_access_tokens"),
            ),
        },
        reason: format!(
            "You receive this mail because it is a token of your account @{} on {}.",
            person.username, instance.host
        ),
    })
}

/// What became of the value before.
fn old_value(data: &Value) -> String {
    let until = data["old_value_until"].as_str();
    match until.and_then(|text| text.parse::<DateTime<Utc>>().ok()) {
        Some(until) => format!("works until {}", until.format("%-d %b %Y, %H:%M UTC")),
        None => "has stopped working".into(),
    }
}

/// Characters of a name that a subject has room for.
const LONGEST_NAME: usize = 60;

/// The token's name, as sentences and subjects have it.
pub(super) fn token_name(data: &Value) -> String {
    let name = one_line(data["token"].as_str().unwrap_or_default());
    shortened(&name, LONGEST_NAME)
}

/// What a token is, in labels and values.
pub(super) fn facts(data: &Value, expired: bool) -> Vec<(&'static str, String)> {
    let scopes: Vec<&str> = data["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let date: Option<NaiveDate> = data["expires_at"].as_str().and_then(|d| d.parse().ok());
    vec![
        ("Scopes", scopes.join(", ")),
        (
            if expired { "Expired" } else { "Expires" },
            date.map_or_else(
                || "Never".into(),
                |date| date.format("%-d %b %Y").to_string(),
            ),
        ),
    ]
}

/// When it happened, by whom and from where.
fn circumstances(done: &Value) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let at: Option<DateTime<Utc>> = done["at"].as_str().and_then(|at| at.parse().ok());
    if let Some(at) = at {
        facts.push(("When", moment(at)));
    }
    if let Some(by) = done["by"].as_str() {
        facts.push(("By", one_line(by)));
    }
    if let Some(ip) = done["ip"].as_str() {
        facts.push(("From", one_line(ip)));
    }
    facts
}

/// `20 Nov 2026, 10:00 UTC`.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}
