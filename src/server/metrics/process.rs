//! What a process counts by itself.

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

use super::gauges::Gauges;
use crate::app::App;

/// Requests by route. What can't be registered isn't counted; nothing fails because of it.
pub(super) struct Process {
    registry: Registry,
    requests: Option<IntCounterVec>,
    durations: Option<HistogramVec>,
}

impl Default for Process {
    fn default() -> Self {
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
        let requests = requests
            .ok()
            .filter(|counter| registry.register(Box::new(counter.clone())).is_ok());
        let durations = durations
            .ok()
            .filter(|times| registry.register(Box::new(times.clone())).is_ok());
        Process {
            registry,
            requests,
            durations,
        }
    }
}

impl Process {
    /// Counts a request.
    pub(super) fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
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

    /// All of it, with what the pool of connections says now.
    pub(super) fn gather(&self, app: &App) -> Vec<MetricFamily> {
        let mut families = self.registry.gather();
        let now = Registry::new();
        let (used, size) = app.db.pool_use();
        let gauges = Gauges::of(&now);
        gauges.one(
            "latchkey_database_connections_used",
            "Connections in use",
            f64::from(used),
        );
        gauges.one(
            "latchkey_database_connections_max",
            "Connections at the most",
            f64::from(size),
        );
        let sent = IntCounter::new(
            "latchkey_database_queries_total",
            "Statements sent to the database",
        );
        if let Ok(sent) = sent {
            sent.inc_by(app.db.counters().queries());
            let _ = now.register(Box::new(sent));
        }
        families.extend(now.gather());
        families
    }
}
