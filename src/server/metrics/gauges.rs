//! Gauges that are made for one answer: what isn't there any more leaves no series behind.

use prometheus::{Gauge, GaugeVec, Opts, Registry};

/// Puts gauges into a registry. One that it refuses is left out.
pub(super) struct Gauges<'a> {
    registry: &'a Registry,
}

impl<'a> Gauges<'a> {
    /// Gauges of this registry.
    pub(super) fn of(registry: &'a Registry) -> Self {
        Gauges { registry }
    }

    /// A number without labels.
    pub(super) fn one(&self, name: &str, help: &str, value: f64) {
        if let Ok(gauge) = Gauge::new(name, help) {
            gauge.set(value);
            let _ = self.registry.register(Box::new(gauge));
        }
    }

    /// Numbers told apart by labels.
    pub(super) fn many<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        series: impl IntoIterator<Item = ([String; N], f64)>,
    ) {
        let Ok(gauges) = GaugeVec::new(Opts::new(name, help), &labels) else {
            return;
        };
        for (values, value) in series {
            gauges.with_label_values(&values).set(value);
        }
        let _ = self.registry.register(Box::new(gauges));
    }
}
