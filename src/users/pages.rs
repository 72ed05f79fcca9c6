//! Pages: the first administrator, and what people set for themselves.

pub mod account;
pub mod active_sessions;
pub mod confirmation;
pub mod notifications;
pub mod password;
pub mod preferences;
pub mod profile;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};

use super::create::{NewPerson, set_up, setup_link_is_good};
use super::password::{Password, PasswordProblem};
use super::{User, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, FieldErrors, What};
use crate::sessions::cookie::begin;
use crate::sessions::person::Admitted;
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::page_error;
use crate::web::views::forms::FormErrors;
use crate::web::views::sessions::SetupPage;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};

/// The fields of the set-up form.
const FIELDS: [Field; 4] = [
    Field::new("username", "username", "Username"),
    Field::new("name", "name", "Name"),
    Field::new("email", "email", "Email"),
    Field::new("password", "password", "Password"),
];

/// `GET /setup?token=`, for anyone: the form that makes the first administrator. It opens with the value
/// of the set-up link alone, and not once there is an administrator.
///
/// # Errors
/// When the database is away.
pub async fn new_administrator(call: PageCall) -> Result<HttpResponse, Error> {
    let token = call.query.text("token").to_owned();
    let given = token.clone();
    if !call
        .read(move |conn, ctx| setup_link_is_good(conn, ctx, &given))
        .await?
    {
        return Ok(not_found(&call));
    }
    render(
        &call,
        StatusCode::OK,
        Typed {
            token,
            ..Typed::default()
        },
        FormErrors::none(),
    )
}

/// `POST /setup`, for anyone: makes the first administrator and signs them in.
///
/// # Errors
/// When the database is away or too many passwords wait to be hashed.
pub async fn create_administrator(call: PageCall) -> Result<HttpResponse, Error> {
    let typed = Typed {
        token: call.form.text("token").to_owned(),
        username: call.form.text("user[username]").trim().to_owned(),
        name: call.form.text("user[name]").to_owned(),
        email: call.form.text("user[email]").to_owned(),
    };
    let given = typed.token.clone();
    // Before anything is hashed: a stranger without the link costs us no core.
    if !call
        .read(move |conn, ctx| setup_link_is_good(conn, ctx, &given))
        .await?
    {
        return Ok(not_found(&call));
    }
    let hashed = hash(&call, &typed).await?;
    let kept = hashed.as_ref().ok().cloned().unwrap_or_default();
    let (token, new) = (typed.token.clone(), typed.person(hashed.as_ref().ok()));
    let problem = hashed.err();
    let made = call
        .write(move |conn, ctx| make(conn, ctx, &token, &new, problem))
        .await;
    match made {
        Ok(user) => {
            let admitted = Admitted::new(&call.app.instance.lookup_key, user, &kept);
            begin(&call.session, &admitted, &call.ctx.actor.origin)?;
            Ok(unstored(call.redirect("/")))
        }
        Err(Error::NotFound(What::Thing)) => Ok(not_found(&call)),
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            render(&call, StatusCode::UNPROCESSABLE_ENTITY, typed, errors)
        }
    }
}

/// What was typed and is kept; the password isn't.
#[derive(Default)]
struct Typed {
    token: String,
    username: String,
    name: String,
    email: String,
}

impl Typed {
    fn person(&self, password_hash: Option<&String>) -> NewPerson {
        let unnamed = self.name.trim().is_empty();
        NewPerson {
            username: self.username.clone(),
            name: if unnamed { &self.username } else { &self.name }.clone(),
            email: self.email.clone(),
            password_hash: password_hash.cloned(),
            admin: true,
            external: false,
        }
    }
}

async fn hash(call: &PageCall, typed: &Typed) -> Result<Result<String, PasswordProblem>, Error> {
    let password = Password::new(call.form.text("user[password]"));
    let about = [&typed.username, &typed.email, &typed.name].map(String::clone);
    call.app.hashing.hash(password, about).await
}

/// Makes the administrator. With a bad password it only finds out what else is wrong: whatever was made
/// is taken back with the transaction.
fn make(
    conn: &mut DbConnection,
    ctx: &Context,
    token: &str,
    new: &NewPerson,
    problem: Option<PasswordProblem>,
) -> Result<User, Error> {
    let made = set_up(conn, ctx, token, new);
    let Some(problem) = problem else {
        let user = made?;
        store::touch_sign_in(conn, user.id, ctx.now)?;
        audit::record(conn, ctx, Event::new("user_signed_in", Target::User(&user)))?;
        return Ok(user);
    };
    let mut errors = match made {
        Ok(_) => FieldErrors::default(),
        Err(Error::Invalid(errors)) => errors,
        Err(other) => return Err(other),
    };
    errors.add("password", problem.message());
    Err(Error::Invalid(errors))
}

fn render(
    call: &PageCall,
    status: StatusCode,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let mut shell = call.shell("Set up", Vec::new(), None);
    shell.authenticity_token = call.authenticity_token();
    let page = SetupPage {
        shell,
        token: typed.token,
        username: typed.username,
        name: typed.name,
        email: typed.email,
        errors,
    };
    Ok(unstored(call.render(status, &page)?))
}

/// A link that opens nothing is a page that isn't there, also for strangers, who are elsewhere asked to
/// sign in.
fn not_found(call: &PageCall) -> HttpResponse {
    page_error::with_status(&call.app, call.req(), StatusCode::NOT_FOUND)
}

/// An answer with the secret of the link or a new session belongs into nobody's cache.
fn unstored(mut res: HttpResponse) -> HttpResponse {
    res.headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    res
}

/// The frame of a page of one's own account.
fn account_shell(call: &PageCall, title: &'static str, place: Place) -> Shell {
    let crumbs = vec![Crumb::here("Account"), Crumb::here(title)];
    call.shell(title, crumbs, Some(Sidebar::account(place)))
}
