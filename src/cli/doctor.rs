//! `latchkey doctor`

use std::env;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::instance::cores;
use super::output::Output;
use crate::clock::Clock;
use crate::config::{CommonOptions, Config, LogFormat, ServeOptions};
use crate::doctor::{Finding, Status, examine};
use crate::logging;

/// Look whether the instance is well, and tell what to do where it isn't
///
/// Changes nothing, and works beside a running server or without one. Status 1 if something has failed; warnings are no
/// failure.
#[derive(Debug, Args)]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) fn run(self, common: &CommonOptions, out: &Output) -> Result<(), Failure> {
        const CHECK: &str = "configuration";
        let environment = |name: &str| env::var_os(name);
        let findings =
            match Config::resolve(common, &ServeOptions::default(), &environment, cores()) {
                Err(error) if error.is_usage() => return Err(error.into()),
                Err(error) => vec![Finding::failed(
                    CHECK,
                    error.to_string(),
                    "correct it; docs/settings.md lists what can be set",
                )],
                Ok(config) => {
                    logging::init("error", Some(LogFormat::Text), logging::Target::Stderr)
                        .map_err(|error| {
                            Failure::new(format!("logging can't be started: {error}"))
                        })?;
                    let mut findings = vec![Finding::ok(CHECK, "it can be used")];
                    findings.extend(examine(&config, Clock::System.now()));
                    findings
                }
            };
        let lines: Vec<String> = findings.iter().map(line).collect();
        let objects = findings.iter().map(object).collect();
        out.lines(&Value::Array(objects), &lines.join("\n"))?;
        let failed = findings
            .iter()
            .filter(|finding| finding.status == Status::Failed)
            .count();
        match failed {
            0 => Ok(()),
            1 => Err(Failure::new("1 check has failed")),
            _ => Err(Failure::new(format!("{failed} checks have failed"))),
        }
    }
}

fn line(finding: &Finding) -> String {
    let words: Vec<&str> = finding.message.split_whitespace().collect();
    let advice = match &finding.advice {
        Some(advice) => format!(". To do: {advice}"),
        None => String::new(),
    };
    format!(
        "{:<8} {}: {}{advice}",
        finding.status.as_str(),
        finding.check,
        words.join(" ")
    )
}

fn object(finding: &Finding) -> Value {
    json!({
        "check": finding.check,
        "status": finding.status.as_str(),
        "message": finding.message,
        "advice": finding.advice,
    })
}
