//! `/api/v4/user` and `/api/v4/version`.

use actix_web::HttpResponse;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::User;
use crate::context::Context;
use crate::error::{Denied, Error};
use crate::web::api::ApiCall;

/// The release whose behaviour this is; clients compare it.
const COMPATIBLE_WITH: &str = "17.7.0";

/// A user as lists show it.
pub fn basic(ctx: &Context, user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "state": user.state.as_str(),
        "locked": false,
        "avatar_url": null,
        "web_url": ctx.url(&format!("/{}", user.username)),
    })
}

/// A user as they see themselves.
fn whole(ctx: &Context, user: &User) -> Value {
    let moment =
        |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let may_create = user.is_human() && !user.external;
    let mut shown = json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "public_email": null,
        "state": user.state.as_str(),
        "locked": false,
        "avatar_url": null,
        "web_url": ctx.url(&format!("/{}", user.username)),
        "created_at": moment(Some(user.created_at)),
        "bio": "",
        "location": "",
        "website_url": "",
        "organization": "",
        "job_title": "",
        "pronouns": null,
        "bot": user.is_bot(),
        "work_information": null,
        "local_time": null,
        "last_sign_in_at": moment(user.last_sign_in_at),
        "confirmed_at": moment(user.confirmed_at),
        "last_activity_on": ctx.today(),
        "email": user.email,
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": if user.is_human() { 100_000 } else { 0 },
        "current_sign_in_at": null,
        "identities": [],
        "can_create_group": may_create,
        "can_create_project": user.is_human(),
        "two_factor_enabled": false,
        "external": user.external,
        "private_profile": false,
        "commit_email": user.email,
        "namespace_id": null,
    });
    if user.admin {
        shown["is_admin"] = json!(true);
    }
    shown
}

/// `GET /user`: the caller, a person or a bot.
pub async fn show_self(call: ApiCall) -> Result<HttpResponse, Error> {
    let user = call
        .ctx
        .actor
        .user
        .as_ref()
        .ok_or(Error::Unauthenticated(Denied::Unknown))?;
    Ok(HttpResponse::Ok().json(whole(&call.ctx, user)))
}

/// `GET /version`: the release whose behaviour this is, and our own.
pub async fn version(call: ApiCall) -> Result<HttpResponse, Error> {
    let _ = &call.ctx;
    Ok(HttpResponse::Ok().json(json!({
        "version": COMPATIBLE_WITH,
        "revision": env!("CARGO_PKG_VERSION"),
        "latchkey_version": env!("CARGO_PKG_VERSION"),
    })))
}
