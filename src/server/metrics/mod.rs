//! Numbers for Prometheus. Labels carry ids, patterns and kinds, never names.

mod counted;
mod gauges;
mod process;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use prometheus::{Encoder, Registry, TextEncoder};
use subtle::ConstantTimeEq as _;

use self::counted::Counting;
use self::process::Process;
use super::run::MetricsAccess;
use crate::app::App;
use crate::web::client;

/// What this process has counted since it started, and what it knows of the database.
#[derive(Default)]
pub struct Metrics {
    process: Process,
    counting: Arc<Counting>,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a request. `route` is its pattern; requests for nothing share one.
    pub fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.process.observe(method, route, status, took);
    }

    /// Everything, in Prometheus's text format. What this process knows by itself is told even while the database is
    /// away.
    async fn text(&self, app: &App) -> Vec<u8> {
        let registry = Registry::new();
        stored::tell(&registry, app, &self.counting).await;
        let mut families = self.process.gather(app);
        families.extend(registry.gather());
        let mut text = Vec::new();
        // Writing into memory can't fail; an encoder that does leaves what it has written.
        let _ = TextEncoder::new().encode(&families, &mut text);
        text
    }
}

/// `GET /-/metrics`: for this machine itself when nothing was forwarded, for the allowed networks, and
/// for whoever knows the token. To everybody else it isn't there.
pub async fn show(
    app: web::Data<App>,
    metrics: web::Data<Metrics>,
    access: web::Data<MetricsAccess>,
    req: HttpRequest,
) -> HttpResponse {
    if !may_read(&app, &access, &req) {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("404 Not Found\n");
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics.text(&app).await)
}

fn may_read(app: &App, access: &MetricsAccess, req: &HttpRequest) -> bool {
    let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
        .iter()
        .any(|name| req.headers().contains_key(*name));
    let peer_is_us = req.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    let allowed = client::address(app, req)
        .is_some_and(|ip| access.allowed.iter().any(|net| net.contains(&ip)));
    let given = req
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let knows_token = match (&access.token, given) {
        (Some(token), Some(given)) => token.expose().as_bytes().ct_eq(given.as_bytes()).into(),
        _ => false,
    };
    (peer_is_us && !forwarded) || allowed || knows_token
}
