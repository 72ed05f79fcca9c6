//! Pages for people who are not in yet: making an account, and a forgotten password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use askama::Template;

use super::{not_found, unstored};
use crate::error::{Error, FieldErrors, What};
use crate::users::create::NewPerson;
use crate::users::links::{Purpose, owner};
use crate::users::password::Password;
use crate::users::{User, reset_password, sign_up};
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::views::forms::FormErrors;
use crate::web::views::sessions::{ForgotPasswordPage, ResetPasswordPage, SignUpPage, ToldPage};
use crate::web::views::shell::Shell;

const FIELDS: [Field; 5] = [
    Field::new("name", "name", "Name"),
    Field::new("username", "username", "Username"),
    Field::new("email", "email", "Email"),
    Field::new("password", "password", "Password"),
    Field::new(
        "password_confirmation",
        "password_confirmation",
        "Once more",
    ),
];

pub(super) const SIGN_IN: (&str, &str) = ("Sign in", "/users/sign_in");
pub(super) const EXPLORE: (&str, &str) = ("Explore public groups", "/explore/groups");
const ASK_AGAIN: (&str, &str) = ("Ask for a new link", "/users/password/new");

/// What is told to who signed up and isn't let in yet.
pub(super) const WAITS: &str =
    "Your account now waits for an administrator's approval. A mail will tell you.";

/// What was typed and is kept; the password isn't.
#[derive(Default)]
struct Typed {
    username: String,
    name: String,
    email: String,
}

/// `GET /users/sign_up`, for anyone, while people may sign up.
///
/// # Errors
/// When the database is away.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    if call.is_signed_in() {
        return Ok(call.redirect("/"));
    }
    if !call.ctx.policy.settings.signup_enabled {
        return Ok(not_found(&call));
    }
    sign_up_page(&call, StatusCode::OK, Typed::default(), FormErrors::none())
}

/// `POST /users/sign_up`, for anyone, while people may sign up. The answer is the same whether the address is known.
///
/// # Errors
/// When the database is away or too many passwords wait to be hashed.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    if call.is_signed_in() {
        return Ok(call.redirect("/"));
    }
    if !call.ctx.policy.settings.signup_enabled {
        return Ok(not_found(&call));
    }
    let typed = Typed {
        username: call.form.text("user[username]").trim().to_owned(),
        name: call.form.text("user[name]").to_owned(),
        email: call.form.text("user[email]").to_owned(),
    };
    match call.write(sign_up::begin).await {
        Ok(()) => {}
        Err(Error::NotFound(_)) => return Ok(not_found(&call)),
        Err(Error::TooManyRequests(seconds)) => return too_many(&call, typed, seconds),
        Err(other) => return Err(other),
    }
    let about = [&typed.username, &typed.email, &typed.name].map(String::clone);
    let password = Password::new(call.form.text("user[password]"));
    let hashed = call.app.hashing.hash(password, about).await?;
    let unnamed = typed.name.trim().is_empty();
    let new = NewPerson {
        username: typed.username.clone(),
        name: if unnamed {
            &typed.username
        } else {
            &typed.name
        }
        .clone(),
        email: typed.email.clone(),
        password_hash: hashed.as_ref().ok().cloned(),
        admin: false,
        external: false,
    };
    let problem = hashed.err();
    let made = call
        .write(move |conn, ctx| {
            let made = sign_up::sign_up(conn, ctx, &new);
            let Some(problem) = problem else {
                return made;
            };
            // It only finds out what else is wrong: whatever was made is taken back with the transaction.
            let mut errors = match made {
                Ok(()) => FieldErrors::default(),
                Err(Error::Invalid(errors)) => errors,
                Err(other) => return Err(other),
            };
            errors.add("password", problem.message());
            Err(Error::Invalid(errors))
        })
        .await;
    match made {
        Ok(()) => {
            call.app.jobs_waiting.notify_one();
            told(
                &call,
                StatusCode::OK,
                "Almost there",
                "A mail is on its way to you. Follow the link in it to confirm your address.",
                SIGN_IN,
            )
        }
        Err(Error::NotFound(What::Thing)) => Ok(not_found(&call)),
        Err(Error::TooManyRequests(seconds)) => too_many(&call, typed, seconds),
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            sign_up_page(&call, StatusCode::UNPROCESSABLE_ENTITY, typed, errors)
        }
    }
}

fn too_many(call: &PageCall, typed: Typed, seconds: u64) -> Result<HttpResponse, Error> {
    let errors =
        FormErrors::about_form("Too many accounts were asked for from here. Try again in an hour.");
    let mut res = sign_up_page(call, StatusCode::TOO_MANY_REQUESTS, typed, errors)?;
    res.headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(res)
}

/// `GET /users/password/new`, for anyone.
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn forgot(call: PageCall) -> Result<HttpResponse, Error> {
    let shell = shell(&call, "Reset password");
    finish(&call, StatusCode::OK, &ForgotPasswordPage { shell })
}

/// `POST /users/password`, for anyone: sends a link. The answer is the same for every address.
///
/// # Errors
/// When the database is away.
pub async fn send_link(call: PageCall) -> Result<HttpResponse, Error> {
    let email = call.form.text("user[email]").replace('\0', "\u{fffd}");
    call.write(move |conn, ctx| reset_password::request(conn, ctx, &email))
        .await?;
    call.app.jobs_waiting.notify_one();
    told(
        &call,
        StatusCode::OK,
        "Look into your mail",
        "If there is an account with this address, a link to set a new password is on its way to it.",
        SIGN_IN,
    )
}

/// `GET /users/password/edit?reset_password_token=`, for anyone with the link.
///
/// # Errors
/// When the database is away.
pub async fn edit_password(call: PageCall) -> Result<HttpResponse, Error> {
    let token = call.query.text("reset_password_token").to_owned();
    match owner_of(&call, &token).await? {
        Some(person) => reset_page(&call, StatusCode::OK, person, token, FormErrors::none()),
        None => used_reset(&call),
    }
}

/// `POST /users/password/edit`, for anyone with the link: sets the password.
///
/// # Errors
/// When the database is away or too many passwords wait to be hashed.
pub async fn change_password(call: PageCall) -> Result<HttpResponse, Error> {
    let token = call.form.text("reset_password_token").to_owned();
    let person = owner_of(&call, &token).await?;
    // Before anything is hashed: a stranger without a link costs us no core.
    let Some(person) = person else {
        return used_reset(&call);
    };
    let typed = call.form.text("user[password]");
    let mut errors = FormErrors::none();
    if typed != call.form.text("user[password_confirmation]") {
        errors.add(
            "password_confirmation",
            "Once more is not the same password",
        );
    }
    let about = [&person.username, &person.email, &person.name].map(String::clone);
    let (unconfirmed, wrong) = (
        person.confirmed_at.is_none(),
        StatusCode::UNPROCESSABLE_ENTITY,
    );
    let hashed = call.app.hashing.hash(Password::new(typed), about).await?;
    let hash = match hashed {
        Ok(hash) if errors.is_empty() => hash,
        Ok(_) => return reset_page(&call, wrong, person, token, errors),
        Err(problem) => {
            errors.add("password", format!("New password {}", problem.message()));
            return reset_page(&call, wrong, person, token, errors);
        }
    };
    let changed = call
        .write(move |conn, ctx| reset_password::reset(conn, ctx, &token, &hash))
        .await;
    match changed {
        Ok(person) => {
            call.session.purge();
            call.app.jobs_waiting.notify_one();
            let (text, link) = match (person.is_pending(), unconfirmed) {
                (true, _) => (WAITS, EXPLORE),
                (false, true) => (
                    "Your address is confirmed, too. You can sign in now.",
                    SIGN_IN,
                ),
                (false, false) => ("Sign in with the new one.", SIGN_IN),
            };
            told(
                &call,
                StatusCode::OK,
                "Your password was changed",
                text,
                link,
            )
        }
        Err(Error::NotFound(_)) => used_reset(&call),
        Err(other) => Err(other),
    }
}

fn used_reset(call: &PageCall) -> Result<HttpResponse, Error> {
    told(
        call,
        StatusCode::NOT_FOUND,
        "This link is no longer good",
        "It was used already, or it is older than two hours.",
        ASK_AGAIN,
    )
}

/// Whose link this is, as long as it is good and they may set a password.
async fn owner_of(call: &PageCall, token: &str) -> Result<Option<User>, Error> {
    let token = token.to_owned();
    let found = call.read(move |conn, ctx| owner(conn, ctx, Purpose::PasswordReset, &token));
    Ok(found.await?.filter(User::has_account))
}

fn sign_up_page(
    call: &PageCall,
    status: StatusCode,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let settings = &call.ctx.policy.settings;
    let domains = match settings.domain_allowlist.as_slice() {
        [] => String::new(),
        domains => format!("An address of {}.", domains.join(", ")),
    };
    let page = SignUpPage {
        shell: shell(call, "Register"),
        username: typed.username,
        name: typed.name,
        email: typed.email,
        domains,
        approval: settings.require_admin_approval_after_user_signup,
        errors,
    };
    finish(call, status, &page)
}

fn reset_page(
    call: &PageCall,
    status: StatusCode,
    person: User,
    token: String,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let page = ResetPasswordPage {
        shell: shell(call, "Change your password"),
        token,
        unconfirmed: person.confirmed_at.is_none(),
        username: person.username,
        errors,
    };
    finish(call, status, &page)
}

pub(super) fn told(
    call: &PageCall,
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    link: (&'static str, &'static str),
) -> Result<HttpResponse, Error> {
    let page = ToldPage {
        shell: shell(call, title),
        title,
        text,
        link,
    };
    finish(call, status, &page)
}

pub(super) fn shell(call: &PageCall, title: &str) -> Shell {
    let mut shell = call.shell(title, Vec::new(), None);
    shell.authenticity_token = call.authenticity_token();
    shell
}

pub(super) fn finish(
    call: &PageCall,
    status: StatusCode,
    page: &impl Template,
) -> Result<HttpResponse, Error> {
    Ok(unstored(call.render(status, page)?))
}
