//! `latchkey restore`

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Map, Value, json};

use super::Failure;
use super::instance::Instance;
use super::output::{Output, Table};
use crate::backup;
use crate::backup::restore::{Choice, Ending, Enforcement, Order, Report, restore};
use crate::backup::undone::{LaterEnd, RevivedToken, Undone};
use crate::clock::Clock;
use crate::context;
use crate::db::DatabaseUrl;

/// Bring a backup back, in place of the database; the server must be stopped
///
/// Tells which revocations and earlier ends of tokens that undoes. If there are any, say whether they are to hold in the
/// restored database or those tokens are to work, and as long, as in the backup; if nobody can tell, because the present database is lost, only --revive goes on. An SQLite database that was there is kept, under the name that is printed; with
/// PostgreSQL the database in LATCHKEY_DATABASE_URL must be a new, empty one.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// What latchkey backup wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Revoke the tokens that the backup would bring back to life, before anybody can use them, and end those when they end
    /// now that would live longer
    #[arg(long, conflicts_with = "revive")]
    revoke: bool,

    /// Let the tokens work again that the backup brings back to life, and those live longer that it lets
    #[arg(long)]
    revive: bool,

    /// Only tell what would happen
    #[arg(long)]
    dry_run: bool,

    /// PostgreSQL: the database, on the same server, that was in use so far; it tells what was revoked since
    #[arg(long, value_name = "NAME")]
    previous_database: Option<String>,
}

impl Restore {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let config = &instance.config;
        match &config.database_url {
            DatabaseUrl::Sqlite(_) if self.previous_database.is_some() => {
                return Err(Failure::usage(
                    "--previous-database is for PostgreSQL: with SQLite it is the file that is replaced",
                ));
            }
            DatabaseUrl::Postgres(url) => {
                if let Some(command) = backup::missing_program("pg_restore", url, &self.file)? {
                    return Err(Failure::new(format!(
                        "pg_restore is not installed here; where it is, run: {command}"
                    )));
                }
            }
            DatabaseUrl::Sqlite(_) => {}
        }
        let Some(mut secret) = config.look_at_secret()? else {
            return Err(Failure::new(format!(
                "the instance secret is missing: first put secret.key into {}, or set LATCHKEY_SECRET",
                config.data_dir.display()
            )));
        };
        if !self.dry_run {
            // On a new machine there is no data directory yet.
            secret = config.load_secret(&mut rand::rng())?;
        }
        let order = Order {
            file: &self.file,
            database: &config.database_url,
            secret: secret.expose(),
            instance: Arc::new(context::Instance::new(
                secret.expose(),
                &config.external_url,
            )),
            choice: match (self.revoke, self.revive) {
                (true, _) => Some(Choice::Revoke),
                (_, true) => Some(Choice::Revive),
                _ => None,
            },
            dry_run: self.dry_run,
            previous: self.previous_database.as_deref(),
            now: Clock::System.now(),
        };
        let report = restore(&order)?;
        out.lines(&object(&report), &told(&report, self.revoke))?;
        match (report.ending, &report.undone) {
            (Ending::Undecided, Ok(undone)) => Err(Failure::new(format!(
                "nothing was restored: {}",
                undecided(undone.tokens.len(), undone.later_ends.len())
            ))),
            (Ending::Undecided, Err(why)) => {
                let cannot = if self.revoke {
                    "--revoke can't tell which tokens it is to revoke"
                } else {
                    "nobody can tell which revocations that would undo"
                };
                let compare = match &config.database_url {
                    DatabaseUrl::Postgres(_) if self.previous_database.is_none() => {
                        "name that database, or "
                    }
                    _ => "",
                };
                Err(Failure::new(format!(
                    "nothing was restored: {cannot}, because {why}; {compare}say --revive to let every token work that \
                     works in the backup"
                )))
            }
            _ => Ok(()),
        }
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn tokens(number: usize) -> String {
    match number {
        1 => "1 token".to_owned(),
        _ => format!("{number} tokens"),
    }
}

fn undecided(revived: usize, longer: usize) -> String {
    match (revived, longer) {
        (_, 0) => format!(
            "{} would work again; say --revoke to revoke them in the restored database, or --revive to let them work",
            tokens(revived)
        ),
        (0, _) => format!(
            "{} would live longer; say --revoke to let them end in the restored database when they end now, or --revive to \
             let them live longer",
            tokens(longer)
        ),
        _ => format!(
            "{} would work again, and {} would live longer; say --revoke to revoke the former in the restored database and \
             to let the latter end when they end now, or --revive to let them work",
            tokens(revived),
            tokens(longer)
        ),
    }
}

fn object(report: &Report) -> Value {
    let (outcome, revoked, shortened) = match report.ending {
        Ending::Restored { revoked, shortened } => ("restored", revoked, shortened),
        Ending::Told => ("dry_run", 0, 0),
        Ending::Undecided => ("undecided", 0, 0),
    };
    let undone = report.undone.as_ref().ok();
    let revived: Vec<Value> = undone
        .into_iter()
        .flat_map(|undone| &undone.tokens)
        .map(|token| {
            json!({
                "id": token.id,
                "kind": token.kind,
                "place": token.place,
                "name": token.name,
                "why": token.why.as_str(),
                "since": token.since.map(moment),
            })
        })
        .collect();
    let later_ends: Vec<Value> = undone
        .into_iter()
        .flat_map(|undone| &undone.later_ends)
        .map(|token| {
            json!({
                "id": token.id,
                "kind": token.kind,
                "place": token.place,
                "name": token.name,
                "expires_at": token.in_copy,
                "expires_at_now": token.now,
            })
        })
        .collect();
    let undoes: Option<Map<String, Value>> = undone.map(|undone| {
        let named = undone.counts.named();
        named
            .iter()
            .map(|(name, _, number)| ((*name).to_owned(), json!(number)))
            .collect()
    });
    json!({
        "outcome": outcome,
        "taken_at": report.taken_at.map(moment),
        "compared": undone.is_some(),
        "not_compared_because": report.undone.as_ref().err(),
        "tokens": revived,
        "later_ends": later_ends,
        "undoes": undoes,
        "revoked": revoked,
        "shortened": shortened,
        "lifetime_enforcement": report.enforcement.map(|pending| json!({
            "at": moment(pending.at),
            "days": pending.days,
            "before": pending.before,
            "tokens": pending.tokens,
        })),
        "previous": report.aside.as_ref().map(|aside| aside.display().to_string()),
    })
}

fn told(report: &Report, revoke: bool) -> String {
    let mut lines = vec![match report.taken_at {
        Some(at) => format!("The backup's newest change is of {}.", moment(at)),
        None => "No change in the backup says of when it is.".to_owned(),
    }];
    match &report.undone {
        Ok(undone) => lines.extend(told_undone(undone, revoke)),
        Err(why) => lines.push(format!(
            "Nobody can tell which revocations this undoes: {why}. Look through the active tokens afterwards."
        )),
    }
    if let Some(pending) = &report.enforcement {
        lines.push(told_enforcement(pending, report.ending));
    }
    lines.push(match report.ending {
        Ending::Restored { revoked, shortened } => {
            let revoked = match revoked {
                0 => String::new(),
                number => format!(", and revoked {} in it", tokens(number)),
            };
            let shortened = match shortened {
                0 => String::new(),
                number => format!(", and gave {} the earlier end", tokens(number)),
            };
            format!("Restored the backup{revoked}{shortened}. Everybody has to sign in again.")
        }
        Ending::Told => "Nothing was done: this was a dry run.".to_owned(),
        Ending::Undecided => "Nothing was done.".to_owned(),
    });
    if let Some(aside) = &report.aside {
        lines.push(format!(
            "The database that was there is {}.",
            aside.display()
        ));
    }
    lines.join("\n")
}

fn told_undone(undone: &Undone, revoke: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let otherwise = if revoke {
        ", and will not in the restored one"
    } else {
        ""
    };
    if undone.tokens.is_empty() {
        lines.push("No token comes back to life by it.".to_owned());
    } else {
        let work = match undone.tokens.len() {
            1 => "1 token works".to_owned(),
            number => format!("{number} tokens work"),
        };
        lines.push(format!(
            "{work} in the backup and not in the present database{otherwise}:"
        ));
        lines.extend(
            table(&undone.tokens)
                .lines()
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    if !undone.later_ends.is_empty() {
        let live = match undone.later_ends.len() {
            1 => "1 token lives".to_owned(),
            number => format!("{number} tokens live"),
        };
        lines.push(format!(
            "{live} longer in the backup than in the present database{otherwise}:"
        ));
        lines.extend(
            table_of_ends(&undone.later_ends)
                .lines()
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    for (_, what, number) in undone.counts.named() {
        if number > 0 {
            lines.push(format!("Also undone: {what}: {number}"));
        }
    }
    lines
}

fn table(tokens: &[RevivedToken]) -> Table {
    let mut table = Table::new(&["ID", "KIND", "PLACE", "NAME", "NOW", "SINCE"], "");
    for token in tokens {
        table.row([
            token.id.to_string(),
            token.kind.to_owned(),
            token.place.clone(),
            token.name.clone(),
            token.why.as_str().to_owned(),
            token.since.map(moment).unwrap_or_default(),
        ]);
    }
    table
}

fn table_of_ends(tokens: &[LaterEnd]) -> Table {
    let header = ["ID", "KIND", "PLACE", "NAME", "IN THE BACKUP", "NOW"];
    let mut table = Table::new(&header, "");
    for token in tokens {
        table.row([
            token.id.to_string(),
            token.kind.to_owned(),
            token.place.clone(),
            token.name.clone(),
            token
                .in_copy
                .map_or_else(|| "Never".to_owned(), |date| date.to_string()),
            token.now.to_string(),
        ]);
    }
    table
}

/// A lowering that comes back with the backup: what it does, when, and how that is prevented.
fn told_enforcement(pending: &Enforcement, ending: Ending) -> String {
    let when = match ending {
        Ending::Restored { .. } => format!("at {}", moment(pending.at)),
        Ending::Told | Ending::Undecided => "three hours after the restore".to_owned(),
    };
    let before = pending
        .before
        .map_or_else(|| "null".to_owned(), |days| days.to_string());
    format!(
        "In the backup the longest lifetime of tokens was just lowered to {} days: {when} {} beyond that will be \
         revoked. To undo that before: latchkey settings set max_personal_access_token_lifetime {before}",
        pending.days,
        tokens(usize::try_from(pending.tokens).unwrap_or_default()),
    )
}
