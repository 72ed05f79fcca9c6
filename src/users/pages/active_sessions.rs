//! Account, Active sessions: the browsers that one is signed in with, and how to sign them out from afar.

use actix_web::HttpResponse;

use super::account_shell;
use crate::error::{Error, What};
use crate::sessions::{rows, store};
use crate::users::end_sessions::{end_own, end_own_others};
use crate::web::page::PageCall;
use crate::web::views::account::{OwnSession, SessionsPage};
use crate::web::views::components::Tone;
use crate::web::views::sidebar::Place;

/// Where the page is.
const PATH: &str = "/-/user_settings/active_sessions";

/// Sessions that are shown.
const SHOWN: i64 = 100;

/// `GET /-/user_settings/active_sessions` (`OwnAccount`).
///
/// # Errors
/// When the database is away.
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    let current = call.session_digest()?;
    let found = call
        .read(move |conn, ctx| {
            let id = ctx.actor.user_id().ok_or(Error::NotFound(What::Thing))?;
            store::living_of(conn, id, ctx.now, &ctx.policy.settings, SHOWN)
        })
        .await?;
    let mut sessions: Vec<OwnSession> = found
        .iter()
        .map(|session| OwnSession {
            is_this: session.id_digest == current.as_bytes(),
            row: rows::row(session, &call.ctx),
        })
        .collect();
    // This one on top; the others stay in the order of their last use.
    sessions.sort_by_key(|session| !session.is_this);
    let page = SessionsPage {
        shell: account_shell(&call, "Active sessions", Place::Sessions),
        path: PATH,
        more: i64::try_from(sessions.len()).unwrap_or(0) == SHOWN,
        sessions,
    };
    call.ok(&page)
}

/// `POST /-/user_settings/active_sessions` (`OwnAccount`): ends all sessions but this one.
///
/// # Errors
/// When the database is away.
pub async fn revoke_others(call: PageCall) -> Result<HttpResponse, Error> {
    let current = call.session_digest()?;
    let ended = call
        .write(move |conn, ctx| end_own_others(conn, ctx, &current))
        .await?;
    call.flash(
        Tone::Success,
        match ended {
            0 => "There was no other session.".to_owned(),
            1 => "The other session was revoked.".to_owned(),
            n => format!("{n} other sessions were revoked."),
        },
    );
    Ok(call.redirect(PATH))
}

/// `POST /-/user_settings/active_sessions/{id}` (`OwnAccount`): ends one of the others.
///
/// # Errors
/// When the database is away.
pub async fn revoke(call: PageCall) -> Result<HttpResponse, Error> {
    let current = call.session_digest()?;
    let id = call.segment("id").to_owned();
    let ended = call
        .write(move |conn, ctx| end_own(conn, ctx, &id, &current))
        .await;
    match ended {
        Ok(true) => call.flash(Tone::Success, "The session was revoked."),
        Ok(false) => call.flash(Tone::Info, "That session had ended already."),
        Err(Error::Refused(why)) => call.flash(Tone::Warning, why),
        Err(other) => return Err(other),
    }
    Ok(call.redirect(PATH))
}
