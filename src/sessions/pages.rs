//! Pages: signing in and out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, RETRY_AFTER};

use super::cookie::{begin, remember};
use super::sign_in;
use crate::audit::{self, Event, Target};
use crate::error::Error;
use crate::users::password::Password;
use crate::users::store::has_admin;
use crate::web::page::{PageCall, same_origin_path};
use crate::web::views::sessions::SignInPage;

/// `GET /users/sign_in`, for anyone: the sign-in form.
///
/// # Errors
/// When the database is away.
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    let redirect_to = same_origin_path(call.query.text("redirect_to"));
    if call.is_signed_in() {
        return Ok(call.redirect(&redirect_to));
    }
    let typed = Typed {
        redirect_to,
        ..Typed::default()
    };
    render(&call, StatusCode::OK, typed, None).await
}

/// `POST /users/sign_in`, for anyone: begins a session, under a new id.
///
/// # Errors
/// When the database is away or too many passwords wait to be checked.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    let typed = Typed {
        login: call.form.text("user[login]").to_owned(),
        remember_me: call.form.is_ticked("user[remember_me]"),
        redirect_to: same_origin_path(call.form.text("redirect_to")),
    };
    if call.is_signed_in() {
        return Ok(call.redirect(&typed.redirect_to));
    }
    let password = Password::new(call.form.text("user[password]"));
    match sign_in::sign_in(&call.app, &call.ctx, &searchable(&typed.login), password).await {
        Ok(admitted) => {
            begin(&call.session, &admitted, &call.ctx.actor.origin)?;
            if typed.remember_me {
                remember(&call.session, call.req(), &call.ctx.policy.settings)?;
            }
            Ok(unstored(call.redirect(&typed.redirect_to)))
        }
        Err(Error::Refused(reason)) => {
            render(&call, StatusCode::UNPROCESSABLE_ENTITY, typed, Some(reason)).await
        }
        Err(Error::TooManyRequests(seconds)) => {
            let failure = too_many(seconds);
            let mut res =
                render(&call, StatusCode::TOO_MANY_REQUESTS, typed, Some(failure)).await?;
            res.headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
            Ok(res)
        }
        Err(other) => Err(other),
    }
}

/// `POST /users/sign_out`, one's own account: ends this session, here and in the database.
///
/// # Errors
/// When the database is away.
pub async fn destroy(call: PageCall) -> Result<HttpResponse, Error> {
    call.write(|conn, ctx| match &ctx.actor.user {
        Some(user) => audit::record(conn, ctx, Event::new("user_signed_out", Target::User(user))),
        None => Ok(()),
    })
    .await?;
    call.session.purge();
    let mut res = call.redirect("/users/sign_in");
    res.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(res)
}

/// What was typed and is kept; the password isn't.
#[derive(Default)]
struct Typed {
    login: String,
    remember_me: bool,
    redirect_to: String,
}

async fn render(
    call: &PageCall,
    status: StatusCode,
    typed: Typed,
    failure: Option<String>,
) -> Result<HttpResponse, Error> {
    let needs_setup = call.read(|conn, _| Ok(!has_admin(conn)?)).await?;
    let may_sign_up = call.ctx.policy.settings.signup_enabled;
    let mut shell = call.shell("Sign in", Vec::new(), None);
    shell.authenticity_token = call.authenticity_token();
    let page = SignInPage {
        shell,
        login: typed.login,
        remember_me: typed.remember_me,
        redirect_to: Some(typed.redirect_to)
            .filter(|path| path != "/")
            .unwrap_or_default(),
        failure,
        needs_setup,
        may_sign_up,
    };
    Ok(unstored(call.render(status, &page)?))
}

/// An answer with a form's secret or a new session belongs into nobody's cache.
fn unstored(mut res: HttpResponse) -> HttpResponse {
    res.headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}

/// The login as databases can look for it: PostgreSQL's texts can't hold NUL, nobody's name does, and
/// whoever types one has to wait and fail like everybody else.
fn searchable(login: &str) -> String {
    login.replace('\0', "\u{fffd}")
}

/// What is told to who tried too often.
pub(crate) fn too_many(seconds: u64) -> String {
    let minutes = seconds.div_ceil(60).max(1);
    format!(
        "Too many attempts. Try again in {minutes} minute{}.",
        if minutes == 1 { "" } else { "s" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_told_in_whole_minutes_and_never_too_short() {
        for (seconds, text) in [
            (1, "Too many attempts. Try again in 1 minute."),
            (60, "Too many attempts. Try again in 1 minute."),
            (61, "Too many attempts. Try again in 2 minutes."),
            (540, "Too many attempts. Try again in 9 minutes."),
        ] {
            assert_eq!(too_many(seconds), text);
        }
    }

    #[test]
    fn a_login_with_nul_names_nobody() {
        assert_eq!(searchable("ali\0ce"), "ali\u{fffd}ce");
        assert_eq!(searchable("alice@example.com"), "alice@example.com");
    }
}
