//! Account, Notifications.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::error::Error;
use crate::users::notifications::{Choices, ExpiryMails, choose};
use crate::web::page::PageCall;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::notifications::NotificationsPage;
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};

/// Where the page is.
const PATH: &str = "/-/profile/notifications";

/// `GET /-/profile/notifications` (`OwnAccount`): which mails one wants.
///
/// # Errors
/// When the database is away.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let choices = call.read(choose::own_choices).await?;
    render(&call, StatusCode::OK, choices, FormErrors::none())
}

/// `POST /-/profile/notifications` (`OwnAccount`): saves it.
///
/// # Errors
/// When the database is away.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let mails = ExpiryMails::parse(call.form.text("user[expiry_mails]"));
    let choices = Choices {
        expiry_mails: mails.unwrap_or_default(),
        unused_token_mails: call.form.is_ticked("user[unused_token_mails]"),
    };
    if mails.is_none() {
        let mut errors = FormErrors::none();
        errors.add("expiry_mails", "Expiry mails does not have a valid value");
        return render(&call, StatusCode::UNPROCESSABLE_ENTITY, choices, errors);
    }
    call.write(move |conn, ctx| choose::choose(conn, ctx, choices))
        .await?;
    call.flash(Tone::Success, "Notification settings saved.");
    Ok(call.redirect(PATH))
}

fn render(
    call: &PageCall,
    status: StatusCode,
    choices: Choices,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let crumbs = vec![Crumb::here("Account"), Crumb::here("Notifications")];
    let sidebar = Sidebar::account(Place::Notifications);
    let email = call.ctx.actor.user.as_ref().map(|user| user.email.clone());
    let page = NotificationsPage {
        shell: call.shell("Notifications", crumbs, Some(sidebar)),
        path: PATH,
        email: email.unwrap_or_default(),
        digest: choices.expiry_mails == ExpiryMails::Digest,
        unused_token_mails: choices.unused_token_mails,
        errors,
    };
    call.render(status, &page)
}
