//! Every URL of the application, with what it asks of its callers.
//!
//! Nothing is served that isn't in this table, and a row without a declaration refuses everybody.

mod admin;
mod advanced;
mod api;
mod code;
mod own_account;
mod pages;
mod repository;
mod webhooks;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::web::assets;
use crate::web::endpoint::{Access, Area, Endpoint};

/// What every path of the API starts with.
const API: &str = "/api/v4";

/// Everything, area by area; the hot ones first.
pub fn all() -> Vec<Area> {
    let mut areas = api::areas();
    areas.extend(machines());
    areas.push(code::pages());
    areas.push(code::clone_addresses());
    areas.extend(pages::areas());
    areas
}

/// What needs no session and knows no domain.
fn machines() -> Vec<Area> {
    vec![Area {
        prefix: "/assets",
        endpoints: vec![open("/{name}", || web::route().to(assets::serve))],
    }]
}

fn open(path: &'static str, build: fn() -> actix_web::Route) -> Endpoint {
    Endpoint::new(Method::GET, path, Access::Open, build)
}

/// Puts the table behind the application.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut api = web::scope(API);
    let mut own = web::scope("");
    let (of_api, others): (Vec<_>, Vec<_>) = all()
        .into_iter()
        .partition(|area| area.prefix.starts_with(API));
    for area in of_api {
        match area.prefix.strip_prefix(API).unwrap_or_default() {
            "" => {
                for resource in area.resources(wrong_api_method) {
                    api = api.service(resource);
                }
            }
            below => api = api.service(filled(below, &area, wrong_api_method, unknown_api)),
        }
    }
    // First, so that no page's pattern is tried before.
    config.service(api.default_service(unknown_api()));
    config.service(web::scope("/api").default_service(unknown_api()));
    for area in others {
        if area.prefix.is_empty() {
            for resource in area.resources(wrong_method) {
                own = own.service(resource);
            }
        } else {
            config.service(filled(area.prefix, &area, wrong_method, unknown));
        }
    }
    config.service(own.default_service(unknown()));
}

fn filled(
    prefix: &str,
    area: &Area,
    wrong: fn(String) -> actix_web::Route,
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

fn wrong_api_method(allowed: String) -> actix_web::Route {
    web::route().to(move || {
        let allowed = allowed.clone();
        async move {
            HttpResponse::MethodNotAllowed()
                .insert_header((ALLOW, allowed))
                .json(json!({ "error": "405 Not Allowed" }))
        }
    })
}

fn unknown() -> actix_web::Route {
    web::route().to(
        |app: web::Data<crate::app::App>, req: HttpRequest| async move {
            crate::web::page_error::with_status(&app, &req, actix_web::http::StatusCode::NOT_FOUND)
        },
    )
}

fn wrong_method(allowed: String) -> actix_web::Route {
    web::route().to(move |app: web::Data<crate::app::App>, req: HttpRequest| {
        let allowed = HeaderValue::from_str(&allowed);
        async move {
            let status = actix_web::http::StatusCode::METHOD_NOT_ALLOWED;
            let mut res = crate::web::page_error::with_status(&app, &req, status);
            if let Ok(allowed) = allowed {
                res.headers_mut().insert(ALLOW, allowed);
            }
            res
        }
    })
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
        // Requests of the API never come to the areas of the pages.
        assert!(api.len() <= 15 && pages.len() <= 20);
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
