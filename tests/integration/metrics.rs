//! What Prometheus is told, and what it makes of that.

mod away;
mod consumers;
mod jobs_and_mails;
mod tokens;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::support::TestServer;

/// One scrape: series, as they are written, with their values.
pub(crate) struct Scrape {
    pub(crate) text: String,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    pub(crate) async fn of(server: &TestServer) -> Scrape {
        Scrape::read(server.get("/-/metrics").await.expect(200).text())
    }

    /// A scrape that counts anew.
    pub(crate) async fn later(server: &TestServer) -> Scrape {
        server.clock.advance(TimeDelta::minutes(10));
        Scrape::of(server).await
    }

    pub(crate) fn read(text: String) -> Scrape {
        let series = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.parse().unwrap())
            })
            .collect();
        Scrape { text, series }
    }

    /// The value of a series, written as Prometheus writes it: labels in alphabetical order.
    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.find(series)
            .unwrap_or_else(|| panic!("no {series} in\n{}", self.text))
    }

    pub(crate) fn find(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// All series of a metric, without its name.
    pub(crate) fn all(&self, metric: &str) -> BTreeMap<String, f64> {
        self.series
            .iter()
            .filter_map(|(series, value)| {
                let labels = series.strip_prefix(metric)?;
                labels.starts_with('{').then(|| (labels.to_owned(), *value))
            })
            .collect()
    }
}
