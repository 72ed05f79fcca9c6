//! Account, Notifications.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::account_shell;
use crate::error::Error;
use crate::users::calendar_feed::reset;
use crate::users::notifications::{Choices, ExpiryMails, choose};
use crate::web::page::PageCall;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::notifications::NotificationsPage;
use crate::web::views::sidebar::Place;

/// Where the page is.
const PATH: &str = "/-/profile/notifications";

/// `GET /-/profile/notifications` (`OwnAccount`): which mails one wants.
///
/// # Errors
/// When the database is away.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let choices = call.read(choose::own_choices).await?;
    render(&call, StatusCode::OK, choices, FormErrors::none()).await
}

/// `POST /-/profile/reset_feed_token` (`OwnAccount`): gives the calendar a new address.
///
/// # Errors
/// When the database is away.
pub async fn reset_feed_token(call: PageCall) -> Result<HttpResponse, Error> {
    let had = call.write(reset::reset).await?;
    let said = if had {
        "Your calendar has a new address. The old one is no longer good."
    } else {
        "Your calendar has an address now."
    };
    call.flash(Tone::Success, said);
    Ok(call.redirect(&format!("{PATH}#calendar")))
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
        return render(&call, StatusCode::UNPROCESSABLE_ENTITY, choices, errors).await;
    }
    call.write(move |conn, ctx| choose::choose(conn, ctx, choices))
        .await?;
    call.flash(Tone::Success, "Notification settings saved.");
    Ok(call.redirect(PATH))
}

async fn render(
    call: &PageCall,
    status: StatusCode,
    choices: Choices,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let feed_token = call.read(reset::own_feed_token).await?;
    let email = call.ctx.actor.user.as_ref().map(|user| user.email.clone());
    let page = NotificationsPage {
        shell: account_shell(call, "Notifications", Place::Notifications),
        path: PATH,
        email: email.unwrap_or_default(),
        digest: choices.expiry_mails == ExpiryMails::Digest,
        unused_token_mails: choices.unused_token_mails,
        calendar: feed_token.map(|token| token.address(&call.ctx)),
        errors,
    };
    call.render(status, &page)
}
