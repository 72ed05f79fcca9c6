//! The doctor: looks whether an instance is well, says what to do where it isn't, and changes nothing.

mod database;
pub(crate) mod files;
mod imported;
mod objects;
mod people;
mod repositories;
mod setup;
mod store;
mod work;

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::db::{DbConnection, SchemaState};
use crate::error::Error;
use crate::git::program::Git;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Warning,
    /// It doesn't work, or won't for long.
    Failed,
}

impl Status {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
        }
    }
}

/// What one check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How it is.
    pub status: Status,
    /// What was seen.
    pub message: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Finding {
            check,
            status: Status::Ok,
            message: message.into(),
            advice: None,
        }
    }

    /// Somebody should know.
    pub fn warning(
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Finding {
            status: Status::Warning,
            advice: Some(advice.into()),
            ..Finding::ok(check, message)
        }
    }

    /// Something has to be done.
    pub fn failed(
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Finding {
            status: Status::Failed,
            ..Finding::warning(check, message, advice)
        }
    }
}

/// A question that the database answers.
type Question = fn(&mut DbConnection, DateTime<Utc>) -> Result<Finding, Error>;

/// Every question to a database that this program understands, with its name.
const QUESTIONS: &[(&str, Question)] = &[
    ("foreign keys", database::foreign_keys),
    ("bots with tokens", objects::bots_have_tokens),
    ("bots with memberships", objects::bots_have_memberships),
    ("memberships", objects::memberships_lead_somewhere),
    ("tokens", objects::tokens_have_users),
    ("token roots", objects::tokens_know_their_root),
    ("routes", objects::routes_lead_somewhere),
    ("addresses", objects::places_have_routes),
    ("group tree", objects::groups_are_a_tree),
    ("projects", objects::projects_have_namespaces),
    ("personal namespaces", objects::people_have_namespaces),
    ("administrators", people::administrators),
    ("owners", people::owners),
    ("jobs", work::jobs),
    ("mails", work::mails),
];

/// Looks at everything that can be looked at.
pub fn examine(config: &Config, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = vec![
        setup::external_url(config),
        setup::mail_server(config),
        files::data_directory(config),
        files::secret_file(config),
    ];
    findings.extend(files::database_file(config));
    findings.push(files::disk_space(config));
    findings.push(setup::git(&Git::find()));
    let mut conn = match database::open(config) {
        Ok(conn) => conn,
        Err(finding) => {
            findings.push(finding);
            return findings;
        }
    };
    let (state, finding) = database::schema(&mut conn);
    findings.push(finding);
    findings.extend(database::integrity(&mut conn));
    findings.push(database::clock(&mut conn, now));
    if state == Some(SchemaState::Current) {
        findings.push(database::secret(&mut conn, config));
        findings.extend(imported::salts(&mut conn, config));
        findings.push(repositories::orphans(&mut conn, config));
        for (check, question) in QUESTIONS {
            findings.push(question(&mut conn, now).unwrap_or_else(|error| {
                Finding::failed(
                    check,
                    format!("could not be looked at: {}", database::cause(&error)),
                    "look at the database's own log",
                )
            }));
        }
    }
    findings
}

/// `1 bot`, `2 bots`.
fn counted(number: i64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}
