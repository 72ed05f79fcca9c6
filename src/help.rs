//! What tokens, roles, scopes and all the rest are.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::error::Error;
use crate::web::page::PageCall;
use crate::web::views::help::{HelpPage, Topic, TopicPage};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::Place;
use crate::web::{frame, page_error};

/// `GET /help`, for everybody (`Anyone`).
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn index(call: PageCall) -> Result<HttpResponse, Error> {
    call.ok(&HelpPage {
        shell: frame::shell(&call, "Help", Place::Help),
    })
}

/// `GET /help/{topic}`, for everybody (`Anyone`). What isn't there is not behind the sign-in either.
///
/// # Errors
/// When the page can't be rendered.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn topic(call: PageCall) -> Result<HttpResponse, Error> {
    let Some(topic) = Topic::parse(call.segment("topic")) else {
        let status = StatusCode::NOT_FOUND;
        return Ok(page_error::with_status(&call.app, call.req(), status));
    };
    let mut shell = frame::shell(&call, topic.title(), Place::Help);
    shell.title = format!("{} · Help", topic.title());
    shell.breadcrumbs.insert(0, Crumb::link("Help", "/help"));
    let today = call.ctx.today();
    let longest = call.ctx.policy.limits().longest(today);
    call.ok(&TopicPage {
        shell,
        topic,
        external_url: call.ctx.instance.external_url.clone(),
        longest_lifetime: longest
            .and_then(|latest| u32::try_from((latest - today).num_days()).ok()),
    })
}
