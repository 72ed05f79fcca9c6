//! The calendars of tokens that end, for calendar programs and for whoever is signed in.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpMessage as _, HttpResponse};

use crate::access_tokens::calendar::ics::Calendar;
use crate::access_tokens::calendar::{of_group, of_person};
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::users::calendar_feed::reader::Reader;
use crate::web::api::LogFacts;
use crate::web::page::PageCall;
use crate::web::page_error;

/// Calendars that one person may have in a minute.
const IN_A_MINUTE: u32 = 60;

/// `GET /groups/{full_path}/-/settings/access_tokens.ics?feed_token=` (`SeeGroup`, `SeeTokens`): signed in, or with a feed
/// token of somebody who may see the group's tokens by a membership. Everything else isn't there.
///
/// # Errors
/// [`Error::TooManyRequests`] beyond 60 a minute; when the database is away.
pub async fn group(call: PageCall) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    answer(&call, move |conn, reader| of_group(conn, reader, &path)).await
}

/// `GET /-/user_settings/expiry_calendar.ics?feed_token=` (`OwnPersonalTokens`): signed in, or with a feed token.
///
/// # Errors
/// As [`group`].
pub async fn personal(call: PageCall) -> Result<HttpResponse, Error> {
    answer(&call, of_person).await
}

async fn answer(
    call: &PageCall,
    calendar: impl Fn(&mut DbConnection, &Reader) -> Result<Calendar, Error> + Send + 'static,
) -> Result<HttpResponse, Error> {
    match read(call, calendar).await {
        // Programs have no use for a page to sign in, and nobody learns what it was.
        Err(Error::NotFound(_)) => {
            let status = StatusCode::NOT_FOUND;
            Ok(page_error::with_status(&call.app, call.req(), status))
        }
        Err(other) => Err(other),
        Ok(calendar) => Ok(HttpResponse::Ok()
            .content_type("text/calendar; charset=utf-8")
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((
                CONTENT_DISPOSITION,
                "inline; filename=\"access-tokens.ics\"",
            ))
            .body(calendar.text())),
    }
}

async fn read(
    call: &PageCall,
    calendar: impl Fn(&mut DbConnection, &Reader) -> Result<Calendar, Error> + Send + 'static,
) -> Result<Calendar, Error> {
    let reader = match call.query.get("feed_token") {
        // Whoever shows one reads what it opens, whoever else they are.
        Some(given) => {
            let given = given.to_owned();
            call.read(move |conn, ctx| Reader::by_feed_token(conn, ctx, &given))
                .await?
        }
        None => Reader::signed_in(&call.ctx),
    };
    let missing = || Error::NotFound(What::Thing);
    let reader = reader.ok_or_else(missing)?;
    let user_id = reader.user().ok_or_else(missing)?.id;
    call.req().extensions_mut().insert(LogFacts {
        user_id: Some(user_id),
        token_id: None,
    });
    let standing = call.app.calendars.count(user_id, IN_A_MINUTE, call.ctx.now);
    if let Some(over) = standing.filter(|standing| standing.is_over()) {
        return Err(Error::TooManyRequests(over.wait(call.ctx.now)));
    }
    call.read(move |conn, _| calendar(conn, &reader)).await
}
