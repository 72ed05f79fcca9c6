//! The webhooks of a group, in the browser.

use actix_web::http::Method;

use crate::permissions::Right::{ManageWebhooks, SeeGroup};
use crate::web::endpoint::Area;
use crate::web::page::endpoint;
use crate::webhooks;

/// Everything below `…/-/hooks`.
pub(super) fn of_groups() -> Area {
    Area {
        prefix: "/groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks",
        endpoints: vec![
            endpoint(
                Method::GET,
                "",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::list,
            ),
            endpoint(
                Method::POST,
                "",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::create,
            ),
            endpoint(
                Method::GET,
                "/{id}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::show,
            ),
            endpoint(
                Method::POST,
                "/{id}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::act,
            ),
            endpoint(
                Method::GET,
                "/{id}/{action:delete|reset_key}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::ask,
            ),
            endpoint(
                Method::POST,
                "/{id}/{action:delete|reset_key}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::confirm,
            ),
            endpoint(
                Method::GET,
                "/{id}/deliveries/{delivery_id}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::delivery,
            ),
            endpoint(
                Method::POST,
                "/{id}/deliveries/{delivery_id}",
                &[SeeGroup, ManageWebhooks],
                webhooks::pages::redeliver,
            ),
        ],
    }
}
