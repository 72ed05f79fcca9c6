//! `/admin`: for administrators alone.

use actix_web::http::Method;

use crate::permissions::Right::{Administer, RevokeToken};
use crate::web::endpoint::Area;
use crate::web::page::endpoint;
use crate::{access_tokens, admin, audit};

/// The admin area.
pub(super) fn area() -> Area {
    Area {
        prefix: "/admin",
        endpoints: vec![
            endpoint(Method::GET, "", &[Administer], admin::overview::show),
            endpoint(Method::GET, "/users", &[Administer], admin::users::index),
            endpoint(Method::POST, "/users", &[Administer], admin::users::create),
            endpoint(Method::GET, "/users/new", &[Administer], admin::users::new),
            endpoint(
                Method::GET,
                "/users/{username}",
                &[Administer],
                admin::users::show,
            ),
            endpoint(
                Method::GET,
                "/users/{username}/{action}",
                &[Administer],
                admin::users::ask,
            ),
            endpoint(
                Method::POST,
                "/users/{username}/{action}",
                &[Administer],
                admin::users::act,
            ),
            endpoint(Method::GET, "/groups", &[Administer], admin::places::groups),
            endpoint(
                Method::GET,
                "/projects",
                &[Administer],
                admin::places::projects,
            ),
            endpoint(
                Method::GET,
                "/background_jobs",
                &[Administer],
                admin::background_jobs::show,
            ),
            endpoint(
                Method::POST,
                "/background_jobs",
                &[Administer],
                admin::background_jobs::act,
            ),
            endpoint(
                Method::GET,
                "/audit_logs",
                &[Administer],
                audit::pages::index,
            ),
            endpoint(
                Method::GET,
                "/audit_logs.{format:csv|jsonl}",
                &[Administer],
                audit::pages::export,
            ),
            endpoint(
                Method::GET,
                "/credentials",
                &[Administer],
                access_tokens::pages::credentials::index,
            ),
            endpoint(
                Method::GET,
                "/credentials/revoke",
                &[Administer],
                access_tokens::pages::credentials::ask,
            ),
            endpoint(
                Method::POST,
                "/credentials/revoke",
                &[Administer, RevokeToken],
                access_tokens::pages::credentials::revoke,
            ),
            endpoint(
                Method::GET,
                "/application_settings/general",
                &[Administer],
                admin::settings::show,
            ),
            endpoint(
                Method::POST,
                "/application_settings/general",
                &[Administer],
                admin::settings::save,
            ),
        ],
    }
}
