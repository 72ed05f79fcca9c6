//! What tokens, roles, scopes, expiry and rotation are.

use actix_web::HttpResponse;

use crate::error::Error;
use crate::web::frame;
use crate::web::page::PageCall;
use crate::web::views::help::HelpPage;
use crate::web::views::sidebar::Place;

/// `GET /help`, for everybody (`Anyone`).
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    let today = call.ctx.today();
    let longest = call.ctx.policy.limits().longest(today);
    call.ok(&HelpPage {
        shell: frame::shell(&call, "Help", Place::Help),
        external_url: call.ctx.instance.external_url.clone(),
        longest_lifetime: longest
            .and_then(|latest| u32::try_from((latest - today).num_days()).ok()),
    })
}
