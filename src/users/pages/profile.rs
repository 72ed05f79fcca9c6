//! Account, Profile: who one is here, and the name that one may change.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::account_shell;
use crate::error::{Error, What};
use crate::users::rename::rename_oneself;
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::views::account::ProfilePage;
use crate::web::views::components::{Day, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::sidebar::Place;

/// Where the page is.
const PATH: &str = "/-/user_settings/profile";

const FIELDS: [Field; 1] = [Field::new("name", "name", "Name")];

/// `GET /-/user_settings/profile` (`OwnAccount`).
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    render(&call, StatusCode::OK, None, FormErrors::none())
}

/// `POST /-/user_settings/profile` (`OwnAccount`): changes the name.
///
/// # Errors
/// When the database is away.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let typed = call.form.text("user[name]").to_owned();
    let name = typed.clone();
    match call
        .write(move |conn, ctx| rename_oneself(conn, ctx, &name))
        .await
    {
        Ok(_) => {
            call.flash(Tone::Success, "Profile saved.");
            Ok(call.redirect(PATH))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            render(&call, StatusCode::UNPROCESSABLE_ENTITY, Some(typed), errors)
        }
    }
}

fn render(
    call: &PageCall,
    status: StatusCode,
    typed: Option<String>,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let user = call.ctx.actor.user.as_ref();
    let user = user.ok_or(Error::NotFound(What::Thing))?;
    let page = ProfilePage {
        shell: account_shell(call, "Profile", Place::Profile),
        path: PATH,
        name: typed.unwrap_or_else(|| user.name.clone()),
        username: user.username.clone(),
        email: user.email.clone(),
        confirmed: user.confirmed_at.is_some(),
        admin: user.admin,
        external: user.external,
        created: Day::on(user.created_at.date_naive()),
        errors,
    };
    call.render(status, &page)
}
