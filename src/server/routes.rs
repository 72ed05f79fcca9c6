//! Every URL of the application, with what it asks of its callers.
//!
//! Nothing is served that isn't in this table, and a row without a declaration refuses everybody.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{health, metrics};
use crate::access_tokens::scope::ScopeNeed::{AnyScope, Read, ReadUser, SelfRotate, Write};
use crate::permissions::Right::{
    Administer, Anyone, ChangeCreationSwitch, CreateProject, CreateSubgroup, CreateToken,
    CreateTopLevelGroup, DeleteProject, EditGroup, EditProject, ManageMembers, OwnAccount,
    OwnPersonalTokens, OwnToken, RevokeToken, RotateToken, SeeGroup, SeeProject, SeeTokens,
};
use crate::web::api::{endpoint, public_endpoint};
use crate::web::assets;
use crate::web::endpoint::{Access, Area, Endpoint};
use crate::web::page;
use crate::{access_tokens, admin, groups, help, home, members, projects, sessions, users};

/// What every path of the API starts with.
const API: &str = "/api/v4";

/// Everything, area by area; the hot ones first.
pub fn all() -> Vec<Area> {
    let mut areas = api();
    areas.extend(machines());
    areas.extend(pages());
    areas
}

/// `/api/v4`
fn api() -> Vec<Area> {
    vec![
        Area {
            prefix: "/api/v4/groups",
            endpoints: vec![
                public_endpoint("/{id}", &[SeeGroup, SeeProject], groups::api::show),
                public_endpoint(
                    "/{id}/projects",
                    &[SeeGroup, SeeProject],
                    projects::api::of_group,
                ),
                public_endpoint("/{id}/members", &[SeeGroup], members::api::of_group),
                endpoint(
                    Method::GET,
                    "/{id}/access_tokens",
                    Read,
                    &[SeeGroup, SeeTokens],
                    access_tokens::api::list,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens",
                    Write,
                    &[SeeGroup, CreateToken],
                    access_tokens::api::create,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens/self/rotate",
                    SelfRotate,
                    &[SeeGroup, OwnToken],
                    access_tokens::api::rotate_self,
                ),
                endpoint(
                    Method::GET,
                    "/{id}/access_tokens/{token_id}",
                    Read,
                    &[SeeGroup, SeeTokens],
                    access_tokens::api::show,
                ),
                endpoint(
                    Method::DELETE,
                    "/{id}/access_tokens/{token_id}",
                    Write,
                    &[SeeGroup, RevokeToken],
                    access_tokens::api::revoke,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens/{token_id}/rotate",
                    Write,
                    &[SeeGroup, RotateToken],
                    access_tokens::api::rotate,
                ),
            ],
        },
        Area {
            prefix: "/api/v4/projects",
            endpoints: vec![
                endpoint(
                    Method::POST,
                    "",
                    Write,
                    &[SeeGroup, CreateProject],
                    projects::api::create,
                ),
                public_endpoint("/{id}", &[SeeProject], projects::api::show),
                endpoint(
                    Method::PUT,
                    "/{id}",
                    Write,
                    &[SeeProject, EditProject],
                    projects::api::update,
                ),
                endpoint(
                    Method::DELETE,
                    "/{id}",
                    Write,
                    &[SeeProject, DeleteProject],
                    projects::api::delete,
                ),
            ],
        },
        Area {
            prefix: "/api/v4/personal_access_tokens",
            endpoints: vec![
                endpoint(
                    Method::GET,
                    "/self",
                    AnyScope,
                    &[OwnToken],
                    access_tokens::api::show_self,
                ),
                endpoint(
                    Method::DELETE,
                    "/self",
                    AnyScope,
                    &[OwnToken],
                    access_tokens::api::revoke_self,
                ),
                endpoint(
                    Method::POST,
                    "/self/rotate",
                    SelfRotate,
                    &[OwnToken],
                    access_tokens::api::rotate_personal_self,
                ),
            ],
        },
        Area {
            prefix: "/api/v4",
            endpoints: vec![
                endpoint(
                    Method::GET,
                    "/user",
                    ReadUser,
                    &[OwnAccount],
                    users::api::show_self,
                ),
                endpoint(
                    Method::GET,
                    "/version",
                    Read,
                    &[OwnAccount],
                    users::api::version,
                ),
            ],
        },
    ]
}

/// What needs no session and knows no domain.
fn machines() -> Vec<Area> {
    vec![Area {
        prefix: "/assets",
        endpoints: vec![open("/{name}", || web::route().to(assets::serve))],
    }]
}

/// What people open in a browser.
fn pages() -> Vec<Area> {
    use page::{endpoint, public_endpoint};
    const TOKENS: &str = "/{full_path:.+}/-/settings/access_tokens";
    vec![
        Area {
            prefix: "/-",
            endpoints: vec![
                open("/liveness", || web::route().to(health::liveness)),
                open("/health", || web::route().to(health::liveness)),
                open("/readiness", || web::route().to(health::readiness)),
                open("/metrics", || web::route().to(metrics::show)),
                endpoint(
                    Method::GET,
                    "/user_settings/personal_access_tokens",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_index,
                ),
                endpoint(
                    Method::POST,
                    "/user_settings/personal_access_tokens",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_create,
                ),
                endpoint(
                    Method::GET,
                    "/user_settings/personal_access_tokens/{id}/revoke",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_confirm_revoke,
                ),
                endpoint(
                    Method::PUT,
                    "/user_settings/personal_access_tokens/{id}/revoke",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_revoke,
                ),
                endpoint(
                    Method::GET,
                    "/user_settings/personal_access_tokens/{id}/rotate",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_confirm_rotate,
                ),
                endpoint(
                    Method::PUT,
                    "/user_settings/personal_access_tokens/{id}/rotate",
                    &[OwnPersonalTokens],
                    access_tokens::pages::personal_rotate,
                ),
                public_endpoint(
                    Method::POST,
                    "/profile/preferences",
                    &[Anyone],
                    users::pages::set_theme,
                ),
            ],
        },
        Area {
            prefix: "/users",
            endpoints: vec![
                public_endpoint(Method::GET, "/sign_in", &[Anyone], sessions::pages::new),
                public_endpoint(Method::POST, "/sign_in", &[Anyone], sessions::pages::create),
                endpoint(
                    Method::POST,
                    "/sign_out",
                    &[OwnAccount],
                    sessions::pages::destroy,
                ),
            ],
        },
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
                endpoint(
                    Method::GET,
                    TOKENS,
                    &[SeeGroup, SeeTokens],
                    access_tokens::pages::group_index,
                ),
                endpoint(
                    Method::POST,
                    TOKENS,
                    &[SeeGroup, SeeTokens, CreateToken],
                    access_tokens::pages::group_create,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/settings/access_tokens/{id}/revoke",
                    &[SeeGroup, SeeTokens, RevokeToken],
                    access_tokens::pages::group_confirm_revoke,
                ),
                endpoint(
                    Method::PUT,
                    "/{full_path:.+}/-/settings/access_tokens/{id}/revoke",
                    &[SeeGroup, SeeTokens, RevokeToken],
                    access_tokens::pages::group_revoke,
                ),
                endpoint(
                    Method::GET,
                    "/{full_path:.+}/-/settings/access_tokens/{id}/rotate",
                    &[SeeGroup, SeeTokens, RotateToken],
                    access_tokens::pages::group_confirm_rotate,
                ),
                endpoint(
                    Method::PUT,
                    "/{full_path:.+}/-/settings/access_tokens/{id}/rotate",
                    &[SeeGroup, SeeTokens, RotateToken],
                    access_tokens::pages::group_rotate,
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
                    &[SeeGroup, ManageMembers],
                    members::pages::group_confirm_remove,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/group_members/{id}/remove",
                    &[SeeGroup, ManageMembers],
                    members::pages::group_remove,
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
            prefix: "/explore",
            endpoints: vec![public_endpoint(
                Method::GET,
                "/groups",
                &[SeeGroup],
                groups::pages::explore,
            )],
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
                public_endpoint(Method::GET, "/help", &[Anyone], help::index),
                endpoint(Method::GET, "/admin", &[Administer], admin::overview),
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
                    &[SeeProject, ManageMembers],
                    members::pages::project_confirm_remove,
                ),
                endpoint(
                    Method::POST,
                    "/{full_path:.+}/-/project_members/{id}/remove",
                    &[SeeProject, ManageMembers],
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

fn open(path: &'static str, build: fn() -> actix_web::Route) -> Endpoint {
    Endpoint::new(Method::GET, path, Access::Open, build)
}

/// Puts the table behind the application.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut api = web::scope(API);
    let mut own = web::scope("");
    for area in all() {
        match area.prefix.strip_prefix(API) {
            Some("") => {
                for resource in area.resources(wrong_api_method) {
                    api = api.service(resource);
                }
            }
            Some(below) => api = api.service(filled(below, &area, wrong_api_method, unknown_api)),
            None if area.prefix.is_empty() => {
                for resource in area.resources(wrong_method) {
                    own = own.service(resource);
                }
            }
            None => {
                config.service(filled(area.prefix, &area, wrong_method, unknown));
            }
        }
    }
    config.service(api.default_service(unknown_api()));
    config.service(web::scope("/api").default_service(unknown_api()));
    config.service(own.default_service(unknown()));
}

fn filled(
    prefix: &str,
    area: &Area,
    wrong: fn() -> actix_web::Route,
    missing: fn() -> actix_web::Route,
) -> actix_web::Scope {
    let mut scope = web::scope(prefix);
    for resource in area.resources(wrong) {
        scope = scope.service(resource);
    }
    scope.default_service(missing())
}

fn unknown_api() -> actix_web::Route {
    web::route().to(|| async { HttpResponse::NotFound().json(json!({ "error": "404 Not Found" })) })
}

fn wrong_api_method() -> actix_web::Route {
    web::route().to(|| async {
        HttpResponse::MethodNotAllowed().json(json!({ "error": "405 Not Allowed" }))
    })
}

fn unknown() -> actix_web::Route {
    web::route().to(
        |app: web::Data<crate::app::App>, req: HttpRequest| async move {
            crate::web::page_error::with_status(&app, &req, actix_web::http::StatusCode::NOT_FOUND)
        },
    )
}

fn wrong_method() -> actix_web::Route {
    web::route().to(
        |app: web::Data<crate::app::App>, req: HttpRequest| async move {
            crate::web::page_error::with_status(
                &app,
                &req,
                actix_web::http::StatusCode::METHOD_NOT_ALLOWED,
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_declares_who_may_come_in() {
        for area in all() {
            for endpoint in &area.endpoints {
                let name = format!("{} {}{}", endpoint.method, area.prefix, endpoint.path);
                assert!(
                    endpoint.access.is_declared(),
                    "{name} declares nothing, so it refuses everybody"
                );
            }
        }
    }

    #[test]
    fn no_list_of_patterns_is_long_enough_to_slow_a_request_down() {
        for area in all() {
            assert!(
                area.patterns().len() <= 15,
                "{} has too many patterns",
                area.prefix
            );
        }
        let (api, pages): (Vec<_>, Vec<_>) = all()
            .into_iter()
            .partition(|area| area.prefix.starts_with(API));
        assert!(api.len() <= 15 && pages.len() <= 15);
    }

    #[test]
    fn only_what_serves_machines_and_files_is_open() {
        let open: Vec<String> = all()
            .iter()
            .flat_map(|area| {
                area.endpoints
                    .iter()
                    .map(move |endpoint| (area.prefix, endpoint))
            })
            .filter(|(_, endpoint)| matches!(endpoint.access, Access::Open))
            .map(|(prefix, endpoint)| format!("{prefix}{}", endpoint.path))
            .collect();
        assert_eq!(
            open,
            [
                "/assets/{name}",
                "/-/liveness",
                "/-/health",
                "/-/readiness",
                "/-/metrics"
            ]
        );
    }
}
