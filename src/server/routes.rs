//! Every URL of the application, with what it asks of its callers.
//!
//! Nothing is served that isn't in this table, and a row without a declaration refuses everybody.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::{health, metrics};
use crate::access_tokens::scope::ScopeNeed::{AnyScope, Read, ReadUser, SelfRotate, Write};
use crate::permissions::Right::{
    CreateProject, CreateToken, DeleteProject, EditProject, OwnAccount, OwnToken, RevokeToken,
    RotateToken, SeeGroup, SeeProject, SeeTokens,
};
use crate::web::api::{endpoint, public_endpoint};
use crate::web::assets;
use crate::web::endpoint::{Access, Area, Endpoint};
use crate::{access_tokens, groups, members, projects, users};

/// Everything, area by area; the hot ones first.
pub fn all() -> Vec<Area> {
    let mut areas = api();
    areas.extend(operations());
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
fn operations() -> Vec<Area> {
    vec![
        Area {
            prefix: "/assets",
            endpoints: vec![open("/{name}", || web::route().to(assets::serve))],
        },
        Area {
            prefix: "/-",
            endpoints: vec![
                open("/liveness", || web::route().to(health::liveness)),
                open("/health", || web::route().to(health::liveness)),
                open("/readiness", || web::route().to(health::readiness)),
                open("/metrics", || web::route().to(metrics::show)),
            ],
        },
    ]
}

fn open(path: &'static str, build: fn() -> actix_web::Route) -> Endpoint {
    Endpoint::new(Method::GET, path, Access::Open, build)
}

/// Puts the table behind the application.
pub fn configure(config: &mut web::ServiceConfig) {
    for area in all() {
        let is_api = area.prefix.starts_with("/api/");
        let mut scope = web::scope(area.prefix);
        for resource in area.resources(if is_api {
            wrong_api_method
        } else {
            wrong_method
        }) {
            scope = scope.service(resource);
        }
        config.service(scope.default_service(if is_api { unknown_api() } else { unknown() }));
    }
    config.service(web::scope("/api").default_service(unknown_api()));
    config.default_service(unknown());
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
