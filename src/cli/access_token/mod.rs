//! `latchkey token`

mod apply_expiry;
mod create;
mod inspect;
mod list;
mod revoke;
mod rotate;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::instance::Instance;
use super::output::Output;
use crate::access_tokens::AccessToken;
use crate::access_tokens::create::Created;
use crate::context::Context;
use crate::error::Error;
use crate::members::AccessLevel;
use crate::users::Identity;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(create::Create),
    List(list::List),
    Revoke(revoke::Revoke),
    Rotate(rotate::Rotate),
    Inspect(inspect::Inspect),
    ApplyExpiry(apply_expiry::ApplyExpiry),
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::Create(create) => create.run(instance, out),
            Command::List(list) => list.run(instance, out),
            Command::Revoke(revoke) => revoke.run(instance, out),
            Command::Rotate(rotate) => rotate.run(instance, out),
            Command::Inspect(inspect) => inspect.run(instance, out),
            Command::ApplyExpiry(apply) => apply.run(instance, out),
        }
    }
}

/// Prints a new value: alone on standard output, with what is worth knowing about it beside it. `whose` is the
/// group, the project or the person.
fn hand_over(out: &Output, made: &Created, whose: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let (token, user) = (&made.listed.token, &made.listed.user);
    out.note(&describe(made, whose));
    if !token.is_active(now) {
        out.note("It expires today, so it does not work any more.");
    }
    let object = json!({
        "id": token.id,
        "token": made.plaintext.expose(),
        "bot": bot(made),
        "expires_at": token.expires_at,
    });
    out.secret(&object, made.plaintext.expose()).map_err(|failure| {
        Failure::new(format!(
            "{failure}; token {} of {} was made and nobody has its value, so revoke it: latchkey token revoke {}",
            token.id, user.username, token.id
        ))
    })
}

fn bot(made: &Created) -> Value {
    let user = &made.listed.user;
    if user.is_bot() {
        Value::from(user.username.as_str())
    } else {
        Value::Null
    }
}

fn describe(made: &Created, whose: &str) -> String {
    let token = &made.listed.token;
    let role = role_of(made.listed.access_level);
    let role = if role.is_empty() {
        role
    } else {
        format!("{role}, ")
    };
    let bot = bot(made)
        .as_str()
        .map(|name| format!(", bot {name}"))
        .unwrap_or_default();
    format!(
        "Token {} ({}) of {whose}: {role}{}, {}{bot}. The value is shown this once:",
        token.id,
        token.name,
        token.scopes.names().join(" "),
        match token.expires_at {
            Some(date) => format!("expires {date}"),
            None => "without an end".into(),
        },
    )
}

fn role_of(level: Option<AccessLevel>) -> String {
    level
        .map(|level| level.name().to_owned())
        .unwrap_or_default()
}

/// Verbs refuse these too, in words for callers who must not learn more. The operator may.
fn must_be_enabled(ctx: &Context) -> Result<(), Error> {
    if ctx.policy.settings.disable_personal_access_tokens {
        return Err(Error::refused(
            "access tokens are turned off on this instance; latchkey settings set disable_personal_access_tokens false turns them on",
        ));
    }
    Ok(())
}

/// What would come of using the token now.
fn state_of(token: &AccessToken, user: &Identity, now: DateTime<Utc>) -> &'static str {
    if token.is_expired(now.date_naive()) {
        "expired"
    } else if token.is_revoked(now) || user.bot_gone_at.is_some() {
        "revoked"
    } else if !user.is_active() {
        "blocked"
    } else if token.revoked {
        "rotated"
    } else {
        "active"
    }
}
