//! Numbers for Prometheus. Labels carry patterns and kinds, never names.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use subtle::ConstantTimeEq as _;

use super::run::MetricsAccess;
use crate::app::App;
use crate::web::client;

/// The counters of this process.
pub struct Metrics {
    registry: Registry,
    requests: Option<IntCounterVec>,
    durations: Option<HistogramVec>,
    pool_used: Option<IntGauge>,
    pool_size: Option<IntGauge>,
    queries: Option<IntGauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(
                "latchkey_http_requests_total",
                "Requests by route and status",
            ),
            &["method", "route", "status"],
        );
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "latchkey_http_request_duration_seconds",
                "How long requests took",
            )
            .buckets(vec![0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0]),
            &["route"],
        );
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).ok()?;
            registry.register(Box::new(gauge.clone())).ok()?;
            Some(gauge)
        };
        let pool_used = gauge("latchkey_database_connections_used", "Connections in use");
        let pool_size = gauge(
            "latchkey_database_connections_max",
            "Connections at the most",
        );
        let queries = gauge(
            "latchkey_database_queries_total",
            "Statements sent to the database",
        );
        let requests = requests
            .ok()
            .filter(|counter| registry.register(Box::new(counter.clone())).is_ok());
        let durations = durations
            .ok()
            .filter(|times| registry.register(Box::new(times.clone())).is_ok());
        Metrics {
            registry,
            requests,
            durations,
            pool_used,
            pool_size,
            queries,
        }
    }

    /// Counts a request. `route` is its pattern; requests for nothing share one.
    pub fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
        if let Some(requests) = &self.requests {
            requests
                .with_label_values(&[method, route, &status.to_string()])
                .inc();
        }
        if let Some(durations) = &self.durations {
            durations
                .with_label_values(&[route])
                .observe(took.as_secs_f64());
        }
    }

    fn text(&self, app: &App) -> Vec<u8> {
        let (used, size) = app.db.pool_use();
        let set = |gauge: &Option<IntGauge>, value: i64| {
            if let Some(gauge) = gauge {
                gauge.set(value);
            }
        };
        set(&self.pool_used, i64::from(used));
        set(&self.pool_size, i64::from(size));
        set(
            &self.queries,
            i64::try_from(app.db.counters().queries()).unwrap_or(i64::MAX),
        );
        let mut text = Vec::new();
        // Writing into memory can't fail; an encoder that does leaves what it has written.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
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
        .body(metrics.text(&app))
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
