//! Pages: the access tokens of a group, a project or a person. There is one implementation; only what
//! holds the tokens differs.

mod address;
pub mod calendar;
mod confirm;
mod create;
pub mod credentials;
mod export;
mod form;
pub(crate) mod holder;
mod index;
pub mod inventory;
mod listed;
mod nonce;
mod rows;
mod selected;
mod show;

use actix_web::HttpResponse;

use crate::error::Error;
use crate::web::page::PageCall;
use holder::Asked;

/// `GET /groups/{full_path}/-/settings/access_tokens` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] without the right; when the database is away.
pub async fn group_index(call: PageCall) -> Result<HttpResponse, Error> {
    index::show(&call, Asked::group(&call)).await
}

/// `POST /groups/{full_path}/-/settings/access_tokens` (`CreateToken`, `SeeTokens`, `SeeGroup`).
///
/// # Errors
/// As [`group_index`].
pub async fn group_create(call: PageCall) -> Result<HttpResponse, Error> {
    create::create(&call, Asked::group(&call)).await
}

/// `GET /groups/{full_path}/-/settings/access_tokens/{id}/revoke` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// As [`group_index`].
pub async fn group_confirm_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_revoke(&call, Asked::group(&call)).await
}

/// `PUT /groups/{full_path}/-/settings/access_tokens/{id}/revoke` (`RevokeToken`, `SeeTokens`,
/// `SeeGroup`).
///
/// # Errors
/// As [`group_index`].
pub async fn group_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::revoke(&call, Asked::group(&call)).await
}

/// `GET /groups/{full_path}/-/settings/access_tokens/{id}/rotate` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// As [`group_index`].
pub async fn group_confirm_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_rotate(&call, Asked::group(&call)).await
}

/// `PUT /groups/{full_path}/-/settings/access_tokens/{id}/rotate` (`RotateToken`, `SeeTokens`,
/// `SeeGroup`).
///
/// # Errors
/// As [`group_index`].
pub async fn group_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::rotate(&call, Asked::group(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// [`Error::NotFound`] without the right; when the database is away.
pub async fn project_index(call: PageCall) -> Result<HttpResponse, Error> {
    index::show(&call, Asked::project(&call)).await
}

/// `POST /{full_path}/-/settings/access_tokens` (`CreateToken`, `SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`project_index`].
pub async fn project_create(call: PageCall) -> Result<HttpResponse, Error> {
    create::create(&call, Asked::project(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens/{id}/revoke` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`project_index`].
pub async fn project_confirm_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_revoke(&call, Asked::project(&call)).await
}

/// `PUT /{full_path}/-/settings/access_tokens/{id}/revoke` (`RevokeToken`, `SeeTokens`,
/// `SeeProject`).
///
/// # Errors
/// As [`project_index`].
pub async fn project_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::revoke(&call, Asked::project(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens/{id}/rotate` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`project_index`].
pub async fn project_confirm_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_rotate(&call, Asked::project(&call)).await
}

/// `PUT /{full_path}/-/settings/access_tokens/{id}/rotate` (`RotateToken`, `SeeTokens`,
/// `SeeProject`).
///
/// # Errors
/// As [`project_index`].
pub async fn project_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::rotate(&call, Asked::project(&call)).await
}

/// `GET /groups/{full_path}/-/settings/access_tokens/export.csv` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// As [`group_index`]; [`Error::TooManyRequests`] beyond 60 exports a minute.
pub async fn group_export(call: PageCall) -> Result<HttpResponse, Error> {
    export::send(&call, Asked::group(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens/export.csv` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`project_index`]; [`Error::TooManyRequests`] beyond 60 exports a minute.
pub async fn project_export(call: PageCall) -> Result<HttpResponse, Error> {
    export::send(&call, Asked::project(&call)).await
}

/// `GET /-/user_settings/personal_access_tokens` (`OwnPersonalTokens`).
///
/// # Errors
/// When the database is away.
pub async fn personal_index(call: PageCall) -> Result<HttpResponse, Error> {
    index::show(&call, Asked::Person).await
}

/// `POST /-/user_settings/personal_access_tokens` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_index`].
pub async fn personal_create(call: PageCall) -> Result<HttpResponse, Error> {
    create::create(&call, Asked::Person).await
}

/// `GET /-/user_settings/personal_access_tokens/{id}/revoke` (`OwnPersonalTokens`).
///
/// # Errors
/// [`Error::NotFound`] for a token of somebody else; when the database is away.
pub async fn personal_confirm_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_revoke(&call, Asked::Person).await
}

/// `PUT /-/user_settings/personal_access_tokens/{id}/revoke` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_confirm_revoke`].
pub async fn personal_revoke(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::revoke(&call, Asked::Person).await
}

/// `GET /-/user_settings/personal_access_tokens/{id}/rotate` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_confirm_revoke`].
pub async fn personal_confirm_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::ask_rotate(&call, Asked::Person).await
}

/// `PUT /-/user_settings/personal_access_tokens/{id}/rotate` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_confirm_revoke`].
pub async fn personal_rotate(call: PageCall) -> Result<HttpResponse, Error> {
    confirm::rotate(&call, Asked::Person).await
}

/// `GET /groups/{full_path}/-/settings/access_tokens/{id}` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// As [`group_index`], and for a token of somebody else.
pub async fn group_show(call: PageCall) -> Result<HttpResponse, Error> {
    show::show(&call, Asked::group(&call)).await
}

/// `POST /groups/{full_path}/-/settings/access_tokens/{id}` (`SeeTokens`, `SeeGroup`, `EditToken`).
///
/// # Errors
/// As [`group_show`].
pub async fn group_update(call: PageCall) -> Result<HttpResponse, Error> {
    show::update(&call, Asked::group(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens/{id}` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`project_index`], and for a token of somebody else.
pub async fn project_show(call: PageCall) -> Result<HttpResponse, Error> {
    show::show(&call, Asked::project(&call)).await
}

/// `POST /{full_path}/-/settings/access_tokens/{id}` (`SeeTokens`, `SeeProject`, `EditToken`).
///
/// # Errors
/// As [`project_show`].
pub async fn project_update(call: PageCall) -> Result<HttpResponse, Error> {
    show::update(&call, Asked::project(&call)).await
}

/// `GET /-/user_settings/personal_access_tokens/{id}` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_index`], and for a token of somebody else.
pub async fn personal_show(call: PageCall) -> Result<HttpResponse, Error> {
    show::show(&call, Asked::Person).await
}

/// `POST /-/user_settings/personal_access_tokens/{id}` (`OwnPersonalTokens`).
///
/// # Errors
/// As [`personal_show`].
pub async fn personal_update(call: PageCall) -> Result<HttpResponse, Error> {
    show::update(&call, Asked::Person).await
}
