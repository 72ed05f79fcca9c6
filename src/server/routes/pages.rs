//! What people open in a browser.

use actix_web::http::Method;
use actix_web::web;

use super::{admin, advanced, open, own_account, webhooks};
use crate::permissions::Right::{
    Anyone, ChangeCreationSwitch, CreateProject, CreateSubgroup, CreateToken, CreateTopLevelGroup,
    EditGroup, EditProject, EditToken, LeaveMembership, ManageMembers, OwnAccount,
    OwnPersonalTokens, RevokeToken, RotateToken, SeeAuditEvents, SeeGroup, SeeProject, SeeTokens,
};
use crate::server::{check, health, metrics, reference};
use crate::users::pages::{account, confirmation};
use crate::web::endpoint::Area;
use crate::web::page::{endpoint, public_endpoint};
use crate::{access_tokens, audit, groups, help, home, members, projects, sessions, users};

/// The areas of the pages.
pub(super) fn areas() -> Vec<Area> {
    vec![
        own_account::profile(),
        account(),
        Area {
            prefix: "/-",
            endpoints: vec![
                open("/liveness", || web::route().to(health::liveness)),
                open("/health", || web::route().to(health::liveness)),
                open("/readiness", || web::route().to(health::readiness)),
                open("/metrics", || web::route().to(metrics::show)),
            ],
        },
        Area {
            prefix: "/users",
            endpoints: vec![
                public_endpoint(Method::GET, "/sign_in", &[Anyone], sessions::pages::new),
                public_endpoint(Method::POST, "/sign_in", &[Anyone], sessions::pages::create),
                public_endpoint(Method::GET, "/sign_up", &[Anyone], account::new),
                public_endpoint(Method::POST, "/sign_up", &[Anyone], account::create),
                public_endpoint(Method::GET, "/confirmation", &[Anyone], confirmation::new),
                public_endpoint(
                    Method::POST,
                    "/confirmation",
                    &[Anyone],
                    confirmation::create,
                ),
                public_endpoint(Method::GET, "/password/new", &[Anyone], account::forgot),
                public_endpoint(Method::POST, "/password", &[Anyone], account::send_link),
                public_endpoint(
                    Method::GET,
                    "/password/edit",
                    &[Anyone],
                    account::edit_password,
                ),
                public_endpoint(
                    Method::POST,
                    "/password/edit",
                    &[Anyone],
                    account::change_password,
                ),
                endpoint(
                    Method::POST,
                    "/sign_out",
                    &[OwnAccount],
                    sessions::pages::destroy,
                ),
            ],
        },
        group_tokens(),
        project_tokens(),
        advanced::of_groups(),
        advanced::of_projects(),
        webhooks::of_groups(),
        Area {
            prefix: "/groups",
            endpoints: vec![
                endpoint(
                    Method::POST,
                    "",
                    &[CreateTopLevelGroup, CreateSubgroup, SeeGroup],
                    groups::pages::create,
                ),
                endpoint(
                    Method::GET,
                    "/new",
                    &[CreateTopLevelGroup, CreateSubgroup, SeeGroup],
                    groups::pages::new,
                ),
                public_endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/settings/access_tokens.ics",
                    &[SeeGroup, SeeTokens],
                    access_tokens::pages::calendar::group,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/edit",
                    &[SeeGroup, EditGroup],
                    groups::pages::edit,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/edit",
                    &[SeeGroup, EditGroup, ChangeCreationSwitch],
                    groups::pages::update,
                ),
                public_endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/group_members",
                    &[SeeGroup, ManageMembers],
                    members::pages::group_index,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/group_members",
                    &[SeeGroup, ManageMembers],
                    members::pages::group_add,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/group_members/{id}",
                    &[SeeGroup, ManageMembers],
                    members::pages::group_change,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/group_members/{id}/remove",
                    &[SeeGroup, ManageMembers, LeaveMembership],
                    members::pages::group_confirm_remove,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/group_members/{id}/remove",
                    &[SeeGroup, ManageMembers, LeaveMembership],
                    members::pages::group_remove,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/audit_events",
                    &[SeeGroup, SeeAuditEvents],
                    audit::pages::group_index,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/audit_events.{format:csv|jsonl}",
                    &[SeeGroup, SeeAuditEvents],
                    audit::pages::group_export,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/token_inventory",
                    &[SeeGroup, SeeTokens],
                    access_tokens::pages::inventory::index,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/token_inventory.csv",
                    &[SeeGroup, SeeTokens],
                    access_tokens::pages::inventory::export,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/token_inventory/revoke",
                    &[SeeGroup, SeeTokens],
                    access_tokens::pages::inventory::ask,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/token_inventory/revoke",
                    &[SeeGroup, SeeTokens, RevokeToken],
                    access_tokens::pages::inventory::revoke,
                ),
                public_endpoint(
                    Method::GET,
                    "/{full_path:.+}",
                    &[SeeGroup],
                    groups::pages::redirect,
                ),
            ],
        },
        Area {
            prefix: "/projects",
            endpoints: vec![
                endpoint(
                    Method::POST,
                    "",
                    &[CreateProject, SeeGroup],
                    projects::pages::create,
                ),
                endpoint(
                    Method::GET,
                    "/new",
                    &[CreateProject, SeeGroup],
                    projects::pages::new,
                ),
            ],
        },
        admin::area(),
        Area {
            prefix: "/dashboard",
            endpoints: vec![
                endpoint(
                    Method::GET,
                    "/groups",
                    &[OwnAccount, SeeGroup],
                    groups::pages::index,
                ),
                endpoint(
                    Method::GET,
                    "/projects",
                    &[OwnAccount, SeeProject],
                    projects::pages::index,
                ),
            ],
        },
        Area {
            prefix: "",
            endpoints: vec![
                endpoint(Method::GET, "/", &[OwnAccount, SeeGroup], home::show),
                public_endpoint(
                    Method::GET,
                    "/search",
                    &[SeeGroup, SeeProject],
                    home::search,
                ),
                public_endpoint(
                    Method::GET,
                    "/explore/groups",
                    &[SeeGroup],
                    groups::pages::explore,
                ),
                public_endpoint(Method::GET, "/help", &[Anyone], help::index),
                public_endpoint(Method::GET, "/help/api", &[Anyone], reference::page),
                public_endpoint(Method::GET, "/help/{topic}", &[Anyone], help::topic),
                public_endpoint(
                    Method::GET,
                    "/setup",
                    &[Anyone],
                    users::pages::new_administrator,
                ),
                public_endpoint(
                    Method::POST,
                    "/setup",
                    &[Anyone],
                    users::pages::create_administrator,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/edit",
                    &[SeeProject, EditProject],
                    projects::pages::edit,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/edit",
                    &[SeeProject, EditProject],
                    projects::pages::update,
                ),
                public_endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/project_members",
                    &[SeeProject, ManageMembers],
                    members::pages::project_index,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/project_members",
                    &[SeeProject, ManageMembers],
                    members::pages::project_add,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/project_members/{id}",
                    &[SeeProject, ManageMembers],
                    members::pages::project_change,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/project_members/{id}/remove",
                    &[SeeProject, ManageMembers, LeaveMembership],
                    members::pages::project_confirm_remove,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/project_members/{id}/remove",
                    &[SeeProject, ManageMembers, LeaveMembership],
                    members::pages::project_remove,
                ),
                public_endpoint(
                    Method::GET,
                    "/{full_path:.+}",
                    &[SeeGroup, SeeProject],
                    projects::pages::namespace_or_project,
                ),
            ],
        },
    ]
}

/// What belongs to a person alone.
fn account() -> Area {
    Area {
        prefix: "/-/user_settings",
        endpoints: own_account::and(vec![
            endpoint(
                Method::GET,
                "/personal_access_tokens",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_index,
            ),
            endpoint(
                Method::POST,
                "/personal_access_tokens",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_create,
            ),
            endpoint(
                Method::GET,
                "/personal_access_tokens/{id}/revoke",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_confirm_revoke,
            ),
            endpoint(
                Method::PUT,
                "/personal_access_tokens/{id}/revoke",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_revoke,
            ),
            endpoint(
                Method::GET,
                "/personal_access_tokens/{id}/rotate",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_confirm_rotate,
            ),
            endpoint(
                Method::PUT,
                "/personal_access_tokens/{id}/rotate",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_rotate,
            ),
            endpoint(
                Method::GET,
                "/personal_access_tokens/check",
                &[OwnPersonalTokens],
                check::personal,
            ),
            endpoint(
                Method::GET,
                "/personal_access_tokens/{id}",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_show,
            ),
            endpoint(
                Method::POST,
                "/personal_access_tokens/{id}",
                &[OwnPersonalTokens],
                access_tokens::pages::personal_update,
            ),
        ]),
    }
}

/// The access tokens of a group.
fn group_tokens() -> Area {
    Area {
        prefix: "/groups/{full_path:(?:[^/-][^/]*/?)+}/-/settings/access_tokens",
        endpoints: vec![
            endpoint(
                Method::GET,
                "",
                &[SeeGroup, SeeTokens],
                access_tokens::pages::group_index,
            ),
            endpoint(
                Method::POST,
                "",
                &[SeeGroup, SeeTokens, CreateToken],
                access_tokens::pages::group_create,
            ),
            endpoint(
                Method::GET,
                "/{id}/revoke",
                &[SeeGroup, SeeTokens, RevokeToken],
                access_tokens::pages::group_confirm_revoke,
            ),
            endpoint(
                Method::PUT,
                "/{id}/revoke",
                &[SeeGroup, SeeTokens, RevokeToken],
                access_tokens::pages::group_revoke,
            ),
            endpoint(
                Method::GET,
                "/{id}/rotate",
                &[SeeGroup, SeeTokens, RotateToken],
                access_tokens::pages::group_confirm_rotate,
            ),
            endpoint(
                Method::PUT,
                "/{id}/rotate",
                &[SeeGroup, SeeTokens, RotateToken],
                access_tokens::pages::group_rotate,
            ),
            endpoint(Method::GET, "/check", &[SeeGroup, SeeTokens], check::group),
            endpoint(
                Method::GET,
                "/export.csv",
                &[SeeGroup, SeeTokens],
                access_tokens::pages::group_export,
            ),
            endpoint(
                Method::GET,
                "/{id}",
                &[SeeGroup, SeeTokens],
                access_tokens::pages::group_show,
            ),
            endpoint(
                Method::POST,
                "/{id}",
                &[SeeGroup, SeeTokens, EditToken],
                access_tokens::pages::group_update,
            ),
        ],
    }
}

/// The access tokens of a project.
fn project_tokens() -> Area {
    Area {
        prefix: "/{full_path:(?:[^/-][^/]*/?)+}/-/settings/access_tokens",
        endpoints: vec![
            endpoint(
                Method::GET,
                "",
                &[SeeProject, SeeTokens],
                access_tokens::pages::project_index,
            ),
            endpoint(
                Method::POST,
                "",
                &[SeeProject, SeeTokens, CreateToken],
                access_tokens::pages::project_create,
            ),
            endpoint(
                Method::GET,
                "/{id}/revoke",
                &[SeeProject, SeeTokens, RevokeToken],
                access_tokens::pages::project_confirm_revoke,
            ),
            endpoint(
                Method::PUT,
                "/{id}/revoke",
                &[SeeProject, SeeTokens, RevokeToken],
                access_tokens::pages::project_revoke,
            ),
            endpoint(
                Method::GET,
                "/{id}/rotate",
                &[SeeProject, SeeTokens, RotateToken],
                access_tokens::pages::project_confirm_rotate,
            ),
            endpoint(
                Method::PUT,
                "/{id}/rotate",
                &[SeeProject, SeeTokens, RotateToken],
                access_tokens::pages::project_rotate,
            ),
            endpoint(
                Method::GET,
                "/check",
                &[SeeProject, SeeTokens],
                check::project,
            ),
            endpoint(
                Method::GET,
                "/export.csv",
                &[SeeProject, SeeTokens],
                access_tokens::pages::project_export,
            ),
            endpoint(
                Method::GET,
                "/{id}",
                &[SeeProject, SeeTokens],
                access_tokens::pages::project_show,
            ),
            endpoint(
                Method::POST,
                "/{id}",
                &[SeeProject, SeeTokens, EditToken],
                access_tokens::pages::project_update,
            ),
        ],
    }
}
