//! Webhooks in the browser: the list, one webhook with its log, one delivery.

mod confirm;
mod deliveries;
mod index;
mod rows;
mod scene;
mod show;

use actix_web::HttpResponse;

use crate::error::Error;
use crate::web::page::PageCall;

/// `GET /groups/{full_path}/-/hooks` (`ManageWebhooks`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but the group's Owners.
pub async fn list(call: PageCall) -> Result<HttpResponse, Error> {
    index::show(&call).await
}

/// `POST /groups/{full_path}/-/hooks` (`ManageWebhooks`, `SeeGroup`): makes a webhook. The answer shows its key, once.
///
/// # Errors
/// As [`list`].
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    index::create(&call).await
}

/// `GET /groups/{full_path}/-/hooks/{id}` (`ManageWebhooks`, `SeeGroup`): one webhook with its log.
///
/// # Errors
/// As [`list`]; for a webhook that isn't this group's.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    show::show(&call).await
}

/// `POST /groups/{full_path}/-/hooks/{id}` (`ManageWebhooks`, `SeeGroup`): does what `hook_action` says, `update`,
/// `enable` or `test`.
///
/// # Errors
/// As [`show`].
pub async fn act(call: PageCall) -> Result<HttpResponse, Error> {
    show::act(&call).await
}

/// `GET /groups/{full_path}/-/hooks/{id}/delete` and `…/reset_key` (`ManageWebhooks`, `SeeGroup`).
///
/// # Errors
/// As [`show`].
pub async fn ask(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask(&call).await
}

/// `POST /groups/{full_path}/-/hooks/{id}/delete` and `…/reset_key` (`ManageWebhooks`, `SeeGroup`).
///
/// # Errors
/// As [`show`].
pub async fn confirm(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::confirmed(&call).await
}

/// `GET /groups/{full_path}/-/hooks/{id}/deliveries/{delivery_id}` (`ManageWebhooks`, `SeeGroup`).
///
/// # Errors
/// As [`show`].
pub async fn delivery(call: PageCall) -> Result<HttpResponse, Error> {
    deliveries::show(&call).await
}

/// `POST /groups/{full_path}/-/hooks/{id}/deliveries/{delivery_id}` (`ManageWebhooks`, `SeeGroup`): sends it again.
///
/// # Errors
/// As [`show`].
pub async fn redeliver(call: PageCall) -> Result<HttpResponse, Error> {
    deliveries::redeliver(&call).await
}
