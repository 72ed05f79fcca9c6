//! Errors as pages. They need neither session nor database.

use actix_web::http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use askama::Template;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::assets::ASSETS;
use super::client::RequestId;
use super::page::theme;
use super::views::errors::ErrorPage;
use super::views::shell::Viewer;
use crate::app::App;
use crate::error::{Denied, Error};
use crate::sessions::person::SignedIn;

/// The answer to a failed request for a page. What is hidden looks like what isn't there; a stranger is
/// asked to sign in, whichever it is.
pub fn respond(
    app: &App,
    req: &HttpRequest,
    person: Option<&SignedIn>,
    error: &Error,
) -> HttpResponse {
    let status = match error {
        Error::NotFound(_) | Error::Unauthenticated(Denied::Unknown) if person.is_none() => {
            return to_sign_in(req);
        }
        Error::NotFound(_) | Error::Unauthenticated(_) => StatusCode::NOT_FOUND,
        Error::Forbidden(_) | Error::InsufficientScope(_) => StatusCode::FORBIDDEN,
        Error::Parameter(_) | Error::BadRequest => StatusCode::BAD_REQUEST,
        Error::Refused(_) | Error::Told(_) | Error::Invalid(_) | Error::NotSaved(..) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::NotApplicable | Error::NoKeyset => StatusCode::METHOD_NOT_ALLOWED,
        Error::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(cause) => {
            tracing::error!(error = %format!("{cause:#}"), "Something that we need is away");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Internal(cause) => {
            tracing::error!(error = %format!("{cause:#}"), "A page failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let mut page = page(app, req, person, status);
    match error {
        Error::Forbidden(Some(why))
        | Error::Refused(why)
        | Error::Told(why)
        | Error::Conflict(why) => {
            page.message.clone_from(why);
        }
        Error::Invalid(errors) => page.message = errors.sentences().join(". "),
        Error::TooManyRequests(seconds) => page.retry = wait(*seconds),
        Error::Unavailable(_) => page.retry = wait(5),
        _ => {}
    }
    let mut res = finish(status, &page);
    let retry_after = match error {
        Error::TooManyRequests(seconds) => Some(*seconds),
        Error::Unavailable(_) => Some(5),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        res.headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    res
}

/// The page for a failure outside of any request that could be looked at.
pub fn without_request(error: &Error, request_id: &str) -> HttpResponse {
    let outage = matches!(error, Error::Unavailable(_));
    tracing::error!(%error, request_id, "A request could not be finished");
    let status = if outage {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let mut res = finish(
        status,
        &ErrorPage::new(status.as_u16(), request_id, ASSETS.clone()),
    );
    if outage {
        res.headers_mut().insert(RETRY_AFTER, HeaderValue::from(5));
    }
    res
}

/// A page that says no more than its status.
pub fn with_status(app: &App, req: &HttpRequest, status: StatusCode) -> HttpResponse {
    finish(status, &page(app, req, None, status))
}

/// A form whose token is too old, or that another site sent.
pub fn stale_form(app: &App, req: &HttpRequest, person: Option<&SignedIn>) -> HttpResponse {
    let mut stale = ErrorPage::stale_form(req.uri().path(), request_id(req), ASSETS.clone());
    let around = page(app, req, person, StatusCode::FORBIDDEN).shell;
    stale.shell.theme = around.theme;
    stale.shell.version = around.version;
    stale.shell.viewer = around.viewer;
    stale.shell.authenticity_token = around.authenticity_token;
    finish(StatusCode::FORBIDDEN, &stale)
}

/// What must survive in a query value.
const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'&')
    .add(b'+')
    .add(b'%')
    .add(b'=');

/// To the sign-in page, and back here afterwards.
pub fn to_sign_in(req: &HttpRequest) -> HttpResponse {
    let mut location = String::from("/users/sign_in");
    let here = req
        .uri()
        .path_and_query()
        .map(|path| path.as_str())
        .unwrap_or("/");
    if *req.method() == Method::GET && here != "/" {
        location.push_str("?redirect_to=");
        let kept = crate::redaction::without_secrets(here);
        location.extend(utf8_percent_encode(&kept, IN_QUERY));
    }
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .finish()
}

fn page(_: &App, req: &HttpRequest, person: Option<&SignedIn>, status: StatusCode) -> ErrorPage {
    let mut page = ErrorPage::new(status.as_u16(), request_id(req), ASSETS.clone());
    page.shell.theme = theme(req);
    page.shell.version = env!("CARGO_PKG_VERSION").into();
    page.shell.return_to = req.uri().path().into();
    let here = SignedIn::of_this_request().ok().flatten();
    if let Some(person) = person.or(here.as_ref()) {
        page.shell.viewer = Some(Viewer {
            name: person.user.name.clone(),
            username: person.user.username.clone(),
            is_admin: person.user.admin,
        });
        page.shell.authenticity_token = super::csrf::mask(&person.csrf_secret);
    }
    page
}

fn request_id(req: &HttpRequest) -> String {
    req.extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default()
}

fn finish(status: StatusCode, page: &ErrorPage) -> HttpResponse {
    let html = page
        .render()
        .unwrap_or_else(|_| format!("<h1>{status}</h1>"));
    HttpResponse::build(status)
        .insert_header(("Cache-Control", "no-store"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// `Try again in 9 minutes.`
fn wait(seconds: u64) -> String {
    let (number, unit) = if seconds > 90 {
        (seconds.div_ceil(60), "minute")
    } else {
        (seconds, "second")
    };
    format!(
        "Try again in {number} {unit}{}.",
        if number == 1 { "" } else { "s" }
    )
}
