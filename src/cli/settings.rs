//! `latchkey settings`

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::Failure;
use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use crate::access_tokens::lifetime;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::settings::{LIFETIME, Policy, SETTINGS, change, store};
use crate::web::lists::grouped;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Get(Get),
    Set(Set),
}

/// Show one setting or all of them
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Which [default: all]
    key: Option<String>,

    #[command(flatten)]
    acting: Acting,
}

/// Change a setting; it holds for every request from then on
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Which; latchkey settings get lists them
    key: String,

    /// The new value; "" or null blanks it
    #[arg(allow_hyphen_values = true)]
    value: String,

    #[command(flatten)]
    acting: Acting,
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::Get(get) => get.run(instance, out),
            Command::Set(set) => set.run(instance, out),
        }
    }
}

impl Get {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let policy = instance
            .open(&self.acting)?
            .read(|conn, _| store::load(conn))?;
        let values = values_of(&policy)?;
        match self.key {
            Some(key) => {
                let value = values.get(&key).ok_or_else(|| {
                    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
                    Failure::new(format!(
                        "there is no setting {key}; the settings are {}",
                        keys.join(", ")
                    ))
                })?;
                out.result(
                    &Value::Object(Map::from_iter([(key, value.clone())])),
                    &text_of(value),
                )
            }
            None if out.is_json() => out.result(&Value::Object(values), ""),
            None => {
                let mut table = Table::new(&["SETTING", "VALUE", "TAKES"], "");
                for setting in &SETTINGS {
                    let value = values.get(setting.key).map(text_of).unwrap_or_default();
                    table.row([setting.key.to_owned(), value, setting.takes()]);
                }
                out.list(Vec::new(), &table)
            }
        }
    }
}

impl Set {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let key = self.key.clone();
        let (policy, threatened) = instance.open(&self.acting)?.write(move |conn, ctx| {
            let policy = change::set(conn, ctx, &self.key, &self.value)?;
            let threatened = if self.key == LIFETIME {
                threatened(conn, ctx, &policy)?
            } else {
                None
            };
            Ok((policy, threatened))
        })?;
        if let Some(warning) = threatened {
            out.announce(&warning);
        }
        let value = values_of(&policy)?.remove(&key).unwrap_or(Value::Null);
        let sentence = format!("{key} is now {}", text_of(&value));
        out.result(&Value::Object(Map::from_iter([(key, value)])), &sentence)
    }
}

/// What the longest lifetime will do to tokens that are there, and how to keep that from happening.
fn threatened(
    conn: &mut DbConnection,
    ctx: &Context,
    policy: &Policy,
) -> Result<Option<String>, Error> {
    let days = policy.settings.max_personal_access_token_lifetime;
    let (Some(pending), Some(days)) = (store::lowering(conn)?, days) else {
        return Ok(None);
    };
    let (count, _) = lifetime::survey_overlong(conn, ctx, days, 0)?;
    if count == 0 {
        return Ok(None);
    }
    let (tokens, are) = match count {
        1 => ("1 active token".to_owned(), "is"),
        _ => (format!("{} active tokens", grouped(count)), "are"),
    };
    let before = text_of(&pending.before.map_or(Value::Null, Value::from));
    Ok(Some(format!(
        "{tokens} would live longer and {are} revoked at {}, unless this is undone before: \
         latchkey settings set {LIFETIME} {before}",
        pending.at.format("%Y-%m-%d %H:%M UTC")
    )))
}

fn values_of(policy: &Policy) -> Result<Map<String, Value>, Error> {
    policy
        .values()
        .map_err(|error| Error::internal(error.into()))
}

/// As `settings set` takes it back.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_shown_without_quotes_and_nothing_as_null() {
        assert_eq!(text_of(&Value::from("glpat-")), "glpat-");
        assert_eq!(text_of(&Value::Null), "null");
        assert_eq!(text_of(&Value::from(10_000)), "10000");
    }
}
