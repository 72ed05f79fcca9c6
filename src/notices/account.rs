//! What people are told about their own account: how to confirm its address, a new password, that they were let in.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::compose::Words;
use super::letter::Notice;
use crate::context::{Context, Instance};
use crate::db::DbConnection;
use crate::error::Error;
use crate::mail::outbox::{self, Email, NewEmail};
use crate::users::User;
use crate::users::links::{self, Purpose};

/// The kinds of mails about accounts.
const CONFIRMATION: &str = "account_confirmation";
const RESET: &str = "password_reset";
const CHANGED: &str = "password_changed";
const ATTEMPTED: &str = "sign_up_attempted";
const APPROVED: &str = "account_approved";

/// Sends the link that confirms an address.
///
/// # Errors
/// When the database is away.
pub fn confirmation(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
    link: i64,
) -> Result<(), Error> {
    let worth = Purpose::Confirmation.lifetime();
    put(
        conn,
        ctx,
        CONFIRMATION,
        link,
        user,
        json!({ "link": link }),
        worth,
    )
}

/// Sends the link that sets a new password.
///
/// # Errors
/// When the database is away.
pub fn password_reset(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
    link: i64,
) -> Result<(), Error> {
    let worth = Purpose::PasswordReset.lifetime();
    let data = json!({ "link": link, "ip": ctx.actor.origin.ip.map(|ip| ip.to_string()) });
    put(conn, ctx, RESET, link, user, data, worth)
}

/// Tells a person that their password is another one.
///
/// # Errors
/// When the database is away.
pub fn password_changed(conn: &mut DbConnection, ctx: &Context, user: &User) -> Result<(), Error> {
    let ip = ctx.actor.origin.ip.map(|ip| ip.to_string());
    let (at, data) = (
        ctx.now.timestamp_millis(),
        json!({ "ip": ip, "at": ctx.now }),
    );
    put(conn, ctx, CHANGED, at, user, data, TimeDelta::days(7))
}

/// Tells a person that somebody tried to sign up with their address: at most once a day.
///
/// # Errors
/// When the database is away.
pub fn sign_up_attempted(conn: &mut DbConnection, ctx: &Context, user: &User) -> Result<(), Error> {
    let day = ctx.now.timestamp() / 86_400;
    put(
        conn,
        ctx,
        ATTEMPTED,
        day,
        user,
        json!({}),
        TimeDelta::days(1),
    )
}

/// Tells a person that an administrator let them in.
///
/// # Errors
/// When the database is away.
pub fn approved(conn: &mut DbConnection, ctx: &Context, user: &User) -> Result<(), Error> {
    let at = ctx.now.timestamp_millis();
    put(conn, ctx, APPROVED, at, user, json!({}), TimeDelta::days(7))
}

fn put(
    conn: &mut DbConnection,
    ctx: &Context,
    kind: &'static str,
    about: i64,
    user: &User,
    data: Value,
    worth: TimeDelta,
) -> Result<(), Error> {
    if !user.is_human() {
        return Ok(());
    }
    let key = format!("{kind}/{}/{about}", user.id);
    if outbox::has(conn, &key)? {
        return Ok(());
    }
    let mail = NewEmail {
        key,
        kind,
        user_id: user.id,
        data,
        give_up_at: Some(ctx.now + worth),
    };
    outbox::enqueue(conn, &[mail], ctx.now)
}

/// Does it go to an address that isn't confirmed, or to somebody who isn't let in yet?
pub(super) fn is_for_newcomers(kind: &str) -> bool {
    [CONFIRMATION, RESET, CHANGED, ATTEMPTED].contains(&kind)
}

/// The words of a mail of these kinds; nothing for another kind; or why it isn't needed any more.
pub(super) fn words(
    conn: &mut DbConnection,
    ctx: &Context,
    person: &User,
    email: &Email,
) -> Result<Option<Result<Words, &'static str>>, Error> {
    let instance: &Instance = &ctx.instance;
    let url = |path: &str| instance.url(path);
    let text = |name: &str| email.data[name].as_str().unwrap_or_default().to_owned();
    let link = email.data["link"].as_i64();
    let value = match link {
        Some(id) => links::value_of(conn, ctx, id)?,
        None => None,
    };
    let gone = "The link is used or too old";
    let account = || vec![("Account", format!("{} (@{})", person.name, person.username))];
    let words = match email.kind.as_str() {
        CONFIRMATION => match value {
            None => return Ok(Some(Err(gone))),
            Some(value) => Words {
                subject: format!("Confirm your address for {}", instance.host),
                notice: Notice {
                    lead: "Somebody, probably you, made an account with this address. Confirm that it is yours.".into(),
                    facts: account(),
                    advice: vec![
                        "The link is good for three days, and takes the password that was chosen for the account.".into(),
                        "If you didn't ask for an account, do nothing.".into(),
                    ],
                    link: (
                        "Confirm your address",
                        url(&format!("/users/confirmation?confirmation_token={}", value.expose())),
                    ),
                },
                reason: "You receive this mail because an account was made with your address.".into(),
            },
        },
        RESET => match value {
            None => return Ok(Some(Err(gone))),
            Some(value) => {
                let mut facts = account();
                if !text("ip").is_empty() {
                    facts.push(("Asked for from", text("ip")));
                }
                Words {
                    subject: format!("Set a new password for {}", instance.host),
                    notice: Notice {
                        lead: "Somebody, probably you, asked for a link to set a new password.".into(),
                        facts,
                        advice: vec![
                            "The link is good once, for two hours. If you didn't ask for it, do nothing: your password is what it was.".into(),
                        ],
                        link: (
                            "Set a new password",
                            url(&format!("/users/password/edit?reset_password_token={}", value.expose())),
                        ),
                    },
                    reason: "You receive this mail because somebody asked for a new password for your account.".into(),
                }
            }
        },
        CHANGED => {
            let mut facts = account();
            if !text("ip").is_empty() {
                facts.push(("Changed from", text("ip")));
            }
            Words {
                subject: format!("Your password for {} was changed", instance.host),
                notice: Notice {
                    lead: "Your password was changed, and the sessions that were open with the old one were ended.".into(),
                    facts,
                    advice: vec![
                        "If that wasn't you, set a new password at once, and tell your administrator.".into(),
                    ],
                    link: ("Set a new password", url("/users/password/new")),
                },
                reason: "You receive this mail because the password of your account was changed.".into(),
            }
        }
        ATTEMPTED => Words {
            subject: format!("You have an account at {} already", instance.host),
            notice: Notice {
                lead: "Somebody, maybe you, tried to make an account with your address. You have one already.".into(),
                facts: account(),
                advice: vec!["If you forgot your password, set a new one. If it wasn't you, do nothing.".into()],
                link: ("Set a new password", url("/users/password/new")),
            },
            reason: "You receive this mail because somebody tried to sign up with your address.".into(),
        },
        APPROVED => Words {
            subject: format!("Your account at {} was approved", instance.host),
            notice: Notice {
                lead: "An administrator approved your account. You can sign in now.".into(),
                facts: account(),
                advice: Vec::new(),
                link: ("Sign in", url("/users/sign_in")),
            },
            reason: "You receive this mail because you signed up.".into(),
        },
        _ => return Ok(None),
    };
    Ok(Some(Ok(words)))
}
