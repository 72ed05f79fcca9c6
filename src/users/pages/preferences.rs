//! Account, Preferences: how the pages look.

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use super::account_shell;
use crate::error::Error;
use crate::users::preferences::choose_exact_times;
use crate::web::page::{PageCall, same_origin_path, theme};
use crate::web::views::account::PreferencesPage;
use crate::web::views::components::{Moment, Tone};
use crate::web::views::shell::Theme;
use crate::web::views::sidebar::Place;

/// Where the page is.
const PATH: &str = "/-/profile/preferences";

/// `GET /-/profile/preferences` (`OwnAccount`).
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let now = call.ctx.now;
    let page = PreferencesPage {
        shell: account_shell(&call, "Preferences", Place::Preferences),
        path: PATH,
        theme: theme(call.req()),
        example: Moment::at(now - chrono::TimeDelta::days(3), now),
    };
    call.ok(&page)
}

/// `POST /-/profile/preferences`, for anyone as far as the theme goes, which this browser remembers. How moments are
/// printed belongs to a person (`OwnAccount`); the page's form sends it, the menu's doesn't.
///
/// # Errors
/// When the database is away.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let times = call.form.get("user[times]").map(str::to_owned);
    let back = match &times {
        Some(times) => {
            let exact = times == "exact";
            call.write(move |conn, ctx| choose_exact_times(conn, ctx, exact))
                .await?;
            call.flash(Tone::Success, "Preferences saved.");
            PATH.to_owned()
        }
        None => same_origin_path(call.form.text("redirect_to")),
    };
    let theme = Theme::parse(call.form.text("theme"));
    let cookie = Cookie::build("theme", theme.value())
        .path("/")
        .max_age(Duration::days(365))
        .same_site(SameSite::Lax)
        .secure(call.app.external_url.is_https())
        .finish();
    let mut res = call.redirect(&back);
    res.add_cookie(&cookie)
        .map_err(|error| Error::internal(error.into()))?;
    Ok(res)
}
