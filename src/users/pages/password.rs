//! Account, Password: a new one, for whoever knows the present one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::account::{SIGN_IN, told};
use super::account_shell;
use crate::error::{Error, What};
use crate::sessions::cookie::{begin, is_remembered, remember};
use crate::sessions::pages::too_many;
use crate::sessions::person::Admitted;
use crate::sessions::sign_in::prove;
use crate::users::change_password::{WINDOW, change_password, note_wrong};
use crate::users::password::Password;
use crate::users::{User, store};
use crate::web::page::PageCall;
use crate::web::views::account::PasswordPage;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::sidebar::Place;

/// Where the page is.
const PATH: &str = "/-/user_settings/password/edit";

/// `GET /-/user_settings/password/edit` (`OwnAccount`).
///
/// # Errors
/// When the database is away.
pub async fn edit(call: PageCall) -> Result<HttpResponse, Error> {
    let user = oneself(&call)?;
    let has_password = call
        .read(move |conn, _| Ok(store::password_hash(conn, user.id)?.is_some()))
        .await?;
    render(&call, StatusCode::OK, has_password, FormErrors::none())
}

/// `POST /-/user_settings/password/edit` (`OwnAccount`): sets the new password. A wrong present one counts as a failed
/// sign-in, and several of them end the session.
///
/// # Errors
/// When the database is away or too many passwords wait to be checked.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let user = oneself(&call)?;
    let (current, typed) = (
        call.form.text("user[current_password]"),
        call.form.text("user[password]"),
    );
    let mut errors = FormErrors::none();
    if typed != call.form.text("user[password_confirmation]") {
        errors.add(
            "password_confirmation",
            "Once more is not the same password",
        );
    }
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let proven = match prove(&call.app, &call.ctx, &user, Password::new(current)).await {
        Ok(Some(proven)) => proven,
        Ok(None) => return render(&call, wrong, false, FormErrors::none()),
        Err(Error::Refused(_)) => {
            let session = call.session_digest()?;
            let ended = call
                .write(move |conn, ctx| note_wrong(conn, ctx, &session))
                .await?;
            if ended {
                return thrown_out(&call);
            }
            errors.add(
                "current_password",
                "Current password is not the one of this account",
            );
            return render(&call, wrong, true, errors);
        }
        Err(Error::TooManyRequests(seconds)) => {
            let errors = FormErrors::about_form(too_many(seconds));
            let mut res = render(&call, StatusCode::TOO_MANY_REQUESTS, true, errors)?;
            res.headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
            return Ok(res);
        }
        Err(other) => return Err(other),
    };
    if typed == current {
        errors.add("password", "New password is the one that you have");
    }
    if !errors.is_empty() {
        return render(&call, wrong, true, errors);
    }
    let about = [&user.username, &user.email, &user.name].map(String::clone);
    let hash = match call.app.hashing.hash(Password::new(typed), about).await? {
        Ok(hash) => hash,
        Err(problem) => {
            errors.add("password", format!("New password {}", problem.message()));
            return render(&call, wrong, true, errors);
        }
    };
    let kept = hash.clone();
    let changed = call
        .write(move |conn, ctx| change_password(conn, ctx, &proven, &hash))
        .await;
    let user = match changed {
        Ok(user) => user,
        Err(Error::Refused(why)) => {
            return render(&call, wrong, true, FormErrors::about_form(why));
        }
        Err(other) => return Err(other),
    };
    call.app.jobs_waiting.notify_one();
    let remembered = is_remembered(&call.session);
    let admitted = Admitted::new(&call.app.instance.lookup_key, user, &kept);
    begin(&call.session, &admitted, &call.ctx.actor.origin)?;
    if remembered {
        remember(&call.session, call.req(), &call.ctx.policy.settings)?;
    }
    call.flash(
        Tone::Success,
        "Your password was changed. All other sessions were ended.",
    );
    Ok(call.redirect(PATH))
}

/// The person whose page it is.
fn oneself(call: &PageCall) -> Result<User, Error> {
    let user = call.ctx.actor.user.clone();
    user.ok_or(Error::NotFound(What::Thing))
}

/// This browser was used to guess: it has to sign in again.
fn thrown_out(call: &PageCall) -> Result<HttpResponse, Error> {
    call.session.purge();
    let mut res = told(
        call,
        StatusCode::TOO_MANY_REQUESTS,
        "You were signed out",
        "The current password was wrong too often. Your password is what it was: sign in with it in ten minutes.",
        SIGN_IN,
    )?;
    res.headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(WINDOW.num_seconds()));
    Ok(res)
}

fn render(
    call: &PageCall,
    status: StatusCode,
    has_password: bool,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let page = PasswordPage {
        shell: account_shell(call, "Password", Place::Password),
        path: PATH,
        username: oneself(call)?.username,
        has_password,
        errors,
    };
    call.render(status, &page)
}
