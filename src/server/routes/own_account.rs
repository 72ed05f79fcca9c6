//! What people open to look after their own account.

use actix_web::http::Method;

use crate::permissions::Right::{Anyone, OwnAccount, OwnPersonalTokens};
use crate::web::endpoint::{Area, Endpoint};
use crate::web::page::{endpoint, public_endpoint};
use crate::{access_tokens, users};

/// Mails, and how the pages look.
pub(super) fn profile() -> Area {
    Area {
        prefix: "/-/profile",
        endpoints: vec![
            endpoint(
                Method::GET,
                "/preferences",
                &[OwnAccount],
                users::pages::preferences::show,
            ),
            public_endpoint(
                Method::POST,
                "/preferences",
                &[Anyone, OwnAccount],
                users::pages::preferences::update,
            ),
            endpoint(
                Method::GET,
                "/notifications",
                &[OwnAccount],
                users::pages::notifications::show,
            ),
            endpoint(
                Method::POST,
                "/notifications",
                &[OwnAccount],
                users::pages::notifications::update,
            ),
            endpoint(
                Method::POST,
                "/reset_feed_token",
                &[OwnAccount],
                users::pages::notifications::reset_feed_token,
            ),
        ],
    }
}

/// The rest, before the pages of personal access tokens.
pub(super) fn and(tokens: Vec<Endpoint>) -> Vec<Endpoint> {
    let mut endpoints = vec![
        public_endpoint(
            Method::GET,
            "/expiry_calendar.ics",
            &[OwnPersonalTokens],
            access_tokens::pages::calendar::personal,
        ),
        endpoint(
            Method::GET,
            "/profile",
            &[OwnAccount],
            users::pages::profile::show,
        ),
        endpoint(
            Method::POST,
            "/profile",
            &[OwnAccount],
            users::pages::profile::update,
        ),
        endpoint(
            Method::GET,
            "/password/edit",
            &[OwnAccount],
            users::pages::password::edit,
        ),
        endpoint(
            Method::POST,
            "/password/edit",
            &[OwnAccount],
            users::pages::password::update,
        ),
        endpoint(
            Method::GET,
            "/active_sessions",
            &[OwnAccount],
            users::pages::active_sessions::index,
        ),
        endpoint(
            Method::POST,
            "/active_sessions",
            &[OwnAccount],
            users::pages::active_sessions::revoke_others,
        ),
        endpoint(
            Method::POST,
            "/active_sessions/{id}",
            &[OwnAccount],
            users::pages::active_sessions::revoke,
        ),
    ];
    endpoints.extend(tokens);
    endpoints
}
