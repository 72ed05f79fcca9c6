//! The outermost layer: request id, limits, headers, the line in the log, the metrics.

use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error as ActixError, HttpMessage as _, HttpResponse, web};
use rand::RngExt as _;

use super::metrics::Metrics;
use crate::app::App;
use crate::error::Error;
use crate::redaction;
use crate::sessions::cookie::{RememberMe, cookie_name};
use crate::sessions::person;
use crate::web::api::LogFacts;
use crate::web::client::{self, RequestId};
use crate::web::{api_error, page_error};

/// The longest path and query, and the largest header block, in bytes.
const PATH_MAX: usize = 2 * 1024;
const QUERY_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 32 * 1024;

/// What kind of answer it is; headers differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Api,
    Asset,
    Git,
}

impl Kind {
    fn of(path: &str) -> Self {
        if path.starts_with("/api/") {
            Kind::Api
        } else if path.starts_with("/assets/") {
            Kind::Asset
        } else if is_of_git(path) {
            Kind::Git
        } else {
            Kind::Page
        }
    }
}

/// Behind these an address goes on with a path in a repository.
const IN_A_REPOSITORY: [&str; 5] = [
    "/-/tree/",
    "/-/blob/",
    "/-/raw/",
    "/-/commits/",
    "/-/archive/",
];

/// Is it an address that programs of Git ask for?
fn is_of_git(path: &str) -> bool {
    // Files in a repository may be called anything.
    if IN_A_REPOSITORY.iter().any(|page| path.contains(page)) {
        return false;
    }
    let end = path.rsplit_once(".git/").map_or("", |(_, end)| end);
    matches!(end, "info/refs" | "git-upload-pack" | "git-receive-pack")
        || end.starts_with("info/lfs/")
}

/// Runs a request inside of everything that all requests share.
///
/// # Errors
/// Only with an answer in it: when the session could not be kept, there is no request to answer to.
pub async fn around(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let started = Instant::now();
    let id = request_id();
    req.extensions_mut().insert(RequestId(id.clone()));
    let kind = Kind::of(req.path());
    let app = req.app_data::<web::Data<App>>().cloned();
    let metrics = req.app_data::<web::Data<Metrics>>().cloned();
    let route = req.match_pattern().unwrap_or_else(|| "(none)".into());

    let outcome = if let Some(status) = over_limit(req.uri(), req.headers()) {
        let answer = plain_error(&req, kind, status);
        Ok(req.into_response(answer))
    } else {
        // The request itself can't be kept meanwhile: the router wants it for itself.
        let ran = person::in_slot(async {
            let ran = next.call(req).await;
            ran.map_err(|error| {
                if person::had_outage() {
                    outage()
                } else {
                    Error::internal(anyhow::anyhow!("{error}"))
                }
            })
        });
        ran.await.map(ServiceResponse::map_into_boxed_body)
    };
    let mut res = match outcome {
        Ok(res) => res,
        Err(error) => {
            let mut answer = match kind {
                Kind::Page => page_error::without_request(&error, &id),
                _ => api_error::respond(&error),
            };
            if let Some(app) = &app {
                add_headers(answer.headers_mut(), kind, &id, app);
            }
            return Err(
                InternalError::from_response("the session could not be kept", answer).into(),
            );
        }
    };
    if let Some(app) = &app {
        add_headers(res.headers_mut(), kind, &id, app);
        if app.stopping.load(Ordering::Relaxed) {
            // Whoever keeps the connection would find it closed with the next request.
            let head = res.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        remember(&mut res, app);
        log(app, &res, &route, &id, started);
    }
    if let Some(metrics) = metrics {
        let route = if route.len() > 200 { "(none)" } else { &route };
        metrics.observe(
            res.request().method().as_str(),
            route,
            res.status().as_u16(),
            started.elapsed(),
        );
    }
    Ok(res)
}

fn request_id() -> String {
    let random: [u8; 16] = rand::rng().random();
    hex::encode(random)
}

fn over_limit(uri: &Uri, headers: &HeaderMap) -> Option<StatusCode> {
    let block: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if uri.path().len() > PATH_MAX || uri.query().is_some_and(|query| query.len() > QUERY_MAX) {
        return Some(StatusCode::URI_TOO_LONG);
    }
    (block > HEADERS_MAX).then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

fn plain_error(req: &ServiceRequest, kind: Kind, status: StatusCode) -> HttpResponse {
    let text = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    match req.app_data::<web::Data<App>>() {
        Some(app) if kind == Kind::Page => page_error::with_status(app, req.request(), status),
        _ => api_error::message(status, text),
    }
}

/// The session could not be read or written: nobody's request was wrong.
fn outage() -> Error {
    Error::unavailable(anyhow::anyhow!("the session store does not answer"))
}

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'";
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

fn add_headers(headers: &mut HeaderMap, kind: Kind, id: &str, app: &App) {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("x-request-id", id);
    set("x-content-type-options", "nosniff");
    if app.external_url.is_https() {
        set(
            "strict-transport-security",
            "max-age=63072000; includeSubDomains",
        );
    }
    if kind == Kind::Git {
        // No browser shows these answers.
        return;
    }
    set("cross-origin-resource-policy", "same-origin");
    if kind != Kind::Asset {
        set("x-frame-options", "DENY");
        set("referrer-policy", "same-origin");
    }
    if kind == Kind::Page {
        set("cross-origin-opener-policy", "same-origin");
        set("permissions-policy", PERMISSIONS);
    }
    // What people pushed comes with a policy of its own, which is stricter.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = if kind == Kind::Page {
            PAGE_POLICY
        } else {
            DATA_POLICY
        };
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let value = if kind == Kind::Page {
            "no-cache"
        } else {
            "no-store"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    if kind == Kind::Api
        && headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value == "application/json")
    {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, json);
    }
}

/// A session that shall outlive the browser's run: its cookie gets an age.
fn remember(res: &mut ServiceResponse, app: &App) {
    let Some(RememberMe(seconds)) = res.request().extensions().get::<RememberMe>().copied() else {
        return;
    };
    let ours = format!("{}=", cookie_name(app));
    let cookies: Vec<HeaderValue> = res.headers().get_all(header::SET_COOKIE).cloned().collect();
    res.headers_mut().remove(header::SET_COOKIE);
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let aged = (text.starts_with(&ours) && !text.to_ascii_lowercase().contains("max-age"))
            .then(|| HeaderValue::from_str(&format!("{text}; Max-Age={seconds}")).ok())
            .flatten();
        res.headers_mut()
            .append(header::SET_COOKIE, aged.unwrap_or(cookie));
    }
}

fn log(app: &App, res: &ServiceResponse, route: &str, id: &str, started: Instant) {
    let req = res.request();
    let target = req
        .uri()
        .path_and_query()
        .map(|path| path.as_str())
        .unwrap_or_default();
    let bytes = match res.response().body().size() {
        BodySize::Sized(bytes) => bytes,
        BodySize::None | BodySize::Stream => 0,
    };
    let facts = req
        .extensions()
        .get::<LogFacts>()
        .copied()
        .unwrap_or_default();
    tracing::info!(
        request_id = id,
        method = %req.method(),
        route,
        path = %redaction::redact_target(target),
        status = res.status().as_u16(),
        bytes,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        ip = client::address(app, req).map(|ip| ip.to_string()).unwrap_or_default(),
        user_id = facts.user_id,
        token_id = facts.token_id,
        "Answered",
    );
}
