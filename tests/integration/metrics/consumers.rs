//! Those who read the metrics: Prometheus with its rules, Grafana with its dashboard, people with the page in docs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use latchkey::{
    access_tokens::scope::Scope,
    mail::outbox::{NewEmail, enqueue},
};
use regex::Regex;
use serde_json::Value;

use super::Scrape;
use crate::{
    on_both,
    support::{
        Company, TestResource, TestServer, promtool::Promtool, server::run_on_sqlite,
        storage::folder,
    },
};

on_both!(prometheus_has_nothing_to_complain_about);

/// A server with something of everything that there are metrics of.
fn populate(server: &TestServer) {
    let company = Company::on(server);
    company.acme.token("ci").expires("2026-12-01").create();
    company.p1.token("ci").expires("2026-12-01").create();
    company.alice.personal_token([Scope::Api]);
    let mail = NewEmail {
        key: "test/1".into(),
        kind: "test",
        user_id: company.alice.id,
        data: Value::Null,
        give_up_at: None,
    };
    server.arrange(move |conn, ctx| enqueue(conn, std::slice::from_ref(&mail), ctx.now));
    server.sql("DELETE FROM jobs WHERE name = 'expiry-check'");
    server.sql("INSERT INTO jobs (name, handled_until, failures) VALUES ('expiry-check', '2026-11-20 01:00:00', 1)");
    server.sql(
        "INSERT INTO job_runs (job, holder, cause, as_of, outcome, started_at, finished_at)
         VALUES ('expiry-check', 'node', 'schedule', '2026-11-20 01:00:00', 'done', '2026-11-20 01:00:00', '2026-11-20 01:00:02')",
    );
}

async fn prometheus_has_nothing_to_complain_about(server: TestServer) {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    populate(&server);
    server.get("/-/liveness").await.expect(200);
    let told = Scrape::of(&server).await;
    assert!(!told.all("latchkey_http_requests_total").is_empty());
    promtool.is_content(&["check", "metrics"], &docs(), &told.text);
}

#[test]
fn the_alerts_go_off_when_they_should_and_not_before() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let folder = docs().join("monitoring");
    promtool.is_content(&["check", "rules", "alerts.yml"], &folder, "");
    promtool.is_content(&["test", "rules", "alerts_test.yml"], &folder, "");
}

#[test]
fn prometheus_understands_each_expression_of_the_dashboard() {
    let Some(promtool) = Promtool::installed() else {
        return;
    };
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (number, expression) in expressions().iter().enumerate() {
        // JSON's strings are YAML's too.
        let quoted = Value::from(expression.replace("$__rate_interval", "5m"));
        writeln!(rules, "  - record: panel:{number}\n    expr: {quoted}").unwrap();
    }
    let folder = folder();
    fs::write(folder.path().join("rules.yml"), rules).unwrap();
    promtool.is_content(&["check", "rules", "rules.yml"], folder.path(), "");
}

#[test]
fn the_dashboard_is_one_that_grafana_imports() {
    let dashboard = dashboard();
    for field in ["uid", "title", "schemaVersion", "panels", "templating"] {
        assert!(!dashboard[field].is_null(), "{field} is missing");
    }
    let variable = &dashboard["templating"]["list"][0];
    assert_eq!(variable["type"], "datasource");
    let name = variable["name"].as_str().unwrap();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is another one's"
        );
        assert_eq!(
            panel["datasource"]["uid"],
            format!("${{{name}}}"),
            "{title}"
        );
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{title} hangs over the edge");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(places.insert((x, y)), "{title} covers another one");
            }
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} shows nothing");
        let references: BTreeSet<_> = targets
            .iter()
            .map(|target| target["refId"].as_str())
            .collect();
        assert_eq!(references.len(), targets.len(), "{title}");
    }
}

#[test]
fn rules_dashboard_and_page_name_what_is_told_and_the_page_all_of_it() {
    run_on_sqlite(async |server| {
        populate(&server);
        server.get("/-/liveness").await.expect(200);
        let text = Scrape::of(&server).await.text;
        let told: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .collect();
        let page = fs::read_to_string(docs().join("monitoring.md")).unwrap();
        let rules = fs::read_to_string(docs().join("monitoring/alerts.yml")).unwrap();
        let tests = fs::read_to_string(docs().join("monitoring/alerts_test.yml")).unwrap();
        for (what, named) in [
            ("the page", metrics_in(&page)),
            ("the rules", metrics_in(&rules)),
            ("their tests", metrics_in(&tests)),
            ("the dashboard", metrics_in(&expressions().join("\n"))),
        ] {
            for metric in &named {
                assert!(
                    told.contains_key(metric.as_str()),
                    "{what}: there is no {metric}"
                );
            }
        }
        let named = metrics_in(&page);
        let missing: Vec<_> = told
            .keys()
            .filter(|metric| !named.contains(**metric))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/monitoring.md doesn't tell of {missing:?}"
        );
        let alerts = Regex::new("alert: (.*)").unwrap();
        for alert in alerts.captures_iter(&rules) {
            assert!(
                page.contains(&alert[1]),
                "docs/monitoring.md doesn't tell of {}",
                &alert[1]
            );
            assert!(tests.contains(&alert[1]), "{} has no test", &alert[1]);
        }
    });
}

/// The metrics that a text names; a part of a histogram counts for the whole.
fn metrics_in(text: &str) -> BTreeSet<String> {
    Regex::new("latchkey_[a-z_]+")
        .unwrap()
        .find_iter(text)
        .map(|found| found.as_str().trim_end_matches("_bucket").to_owned())
        .collect()
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn dashboard() -> Value {
    let text = fs::read_to_string(docs().join("monitoring/grafana.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What the dashboard asks Prometheus for.
fn expressions() -> Vec<String> {
    dashboard()["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap().clone())
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}
