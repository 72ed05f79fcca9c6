//! Pages: confirming the address of an account, with the link that was sent to it and the password that was chosen for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::account::{EXPLORE, SIGN_IN, WAITS, finish, shell, told};
use crate::error::Error;
use crate::sessions::pages::too_many;
use crate::sessions::sign_in::prove;
use crate::users::links::{Purpose, owner};
use crate::users::password::Password;
use crate::users::{User, sign_up, store};
use crate::web::page::PageCall;
use crate::web::views::forms::FormErrors;
use crate::web::views::sessions::ConfirmAddressPage;

/// What whoever typed another password reads.
const WRONG: &str = "Password is not the one that was chosen last for this account";

/// `GET /users/confirmation?confirmation_token=`, for anyone with the link: asks for the password, because whoever signed up
/// last may be a stranger; and programs that read mails open links too.
///
/// # Errors
/// When the database is away.
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    let token = call.query.text("confirmation_token").to_owned();
    match owner_of(&call, &token).await? {
        Some(person) => page(&call, StatusCode::OK, person, token, FormErrors::none()).await,
        None => used(&call),
    }
}

/// `POST /users/confirmation`, for anyone with the link and the password. A wrong one leaves the link as it is.
///
/// # Errors
/// When the database is away or too many passwords wait to be checked.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    let token = call.form.text("confirmation_token").to_owned();
    // Before a password is looked at: a stranger without a link can't try any.
    let Some(person) = owner_of(&call, &token).await? else {
        return used(&call);
    };
    let password = Password::new(call.form.text("user[password]"));
    let given = token.clone();
    let confirmed = match prove(&call.app, &call.ctx, &person, password).await {
        Ok(proven) => {
            call.write(move |conn, ctx| sign_up::confirm(conn, ctx, &given, proven.as_deref()))
                .await
        }
        Err(other) => Err(other),
    };
    match confirmed {
        Ok(user) => {
            let (text, link) = if user.is_pending() {
                (WAITS, EXPLORE)
            } else {
                ("You can sign in now.", SIGN_IN)
            };
            told(
                &call,
                StatusCode::OK,
                "Your address is confirmed",
                text,
                link,
            )
        }
        Err(Error::NotFound(_)) => used(&call),
        Err(Error::Refused(_)) => {
            let mut errors = FormErrors::none();
            errors.add("password", WRONG);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(&call, status, person, token, errors).await
        }
        Err(Error::TooManyRequests(seconds)) => {
            let errors = FormErrors::about_form(too_many(seconds));
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut res = page(&call, status, person, token, errors).await?;
            res.headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
            Ok(res)
        }
        Err(other) => Err(other),
    }
}

async fn owner_of(call: &PageCall, token: &str) -> Result<Option<User>, Error> {
    let token = token.to_owned();
    let found = call.read(move |conn, ctx| owner(conn, ctx, Purpose::Confirmation, &token));
    Ok(found.await?.filter(User::has_account))
}

async fn page(
    call: &PageCall,
    status: StatusCode,
    person: User,
    token: String,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let id = person.id;
    let has_password = call
        .read(move |conn, _| Ok(store::password_hash(conn, id)?.is_some()))
        .await?;
    let page = ConfirmAddressPage {
        shell: shell(call, "Confirm your address"),
        token,
        username: person.username,
        has_password,
        errors,
    };
    finish(call, status, &page)
}

fn used(call: &PageCall) -> Result<HttpResponse, Error> {
    told(
        call,
        StatusCode::NOT_FOUND,
        "This link is no longer good",
        "It was used already, or it is too old. Signing in sends a new one, if your address isn't confirmed yet.",
        SIGN_IN,
    )
}
