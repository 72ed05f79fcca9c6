//! `latchkey token apply-expiry`

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use crate::access_tokens::legacy::history::{History, Mode, Release, Ruling, date};
use crate::access_tokens::legacy::{self, Undated};
use crate::cli::acting::Acting;
use crate::cli::instance::{Console, Instance};
use crate::cli::output::{Output, Table};
use crate::cli::{Failure, arguments};

/// Tokens that one transaction changes.
const AT_ONCE: i64 = 1_000;

/// Give tokens that have no expiry date one
///
/// Every token that has no date and isn't revoked gets today + 365 days, or the instance's maximum lifetime if that is
/// shorter; they are listed first. With the history of a GitLab instance, it answers what GitLab did with such tokens
/// there and why, and with --apply does the same here.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("history").args(["from_version", "new_install", "hosted"]))]
pub(in crate::cli) struct ApplyExpiry {
    /// The tokens come from a GitLab that was upgraded to 16.0 or later from this release
    #[arg(long, value_name = "VERSION", requires = "upgraded_on")]
    from_version: Option<Release>,

    /// The day of that upgrade
    #[arg(long, value_name = "DATE", requires = "from_version", value_parser = arguments::date)]
    upgraded_on: Option<NaiveDate>,

    /// The tokens come from a GitLab that began with this release
    #[arg(long, value_name = "VERSION")]
    new_install: Option<Release>,

    /// The tokens come from GitLab's hosted offering
    #[arg(long)]
    hosted: bool,

    /// With a history: also do what it answers
    #[arg(long, conflicts_with = "dry_run", requires = "history")]
    apply: bool,

    /// Only list what would change
    #[arg(long)]
    dry_run: bool,

    /// The day from which the 365 days are counted [default: today]
    #[arg(long, value_name = "DATE", value_parser = arguments::date)]
    on: Option<NaiveDate>,

    #[command(flatten)]
    acting: Acting,
}

impl ApplyExpiry {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let console = instance.open(&self.acting)?;
        let (today, maximum) = console.read(|_, ctx| {
            let maximum = ctx.policy.limits().maximum_lifetime;
            Ok((ctx.today(), maximum))
        })?;
        let ruling = self.ruling(today)?;
        if ruling.mode != Mode::Dated {
            return out.result(
                &object(&ruling, &self, None, &[]),
                &format!("{}Nothing is changed. {}.", mode(&ruling), ruling.reason),
            );
        }
        let expires_at = date(self.day(today)?, today, maximum);
        if expires_at <= today {
            return Err(Failure::new(format!(
                "--on: counted from then, tokens would end on {expires_at} and stop working at once; choose a later day, or revoke them"
            )));
        }
        let mut tokens = find(&console)?;
        if self.has_history() {
            out.lines_for_people(&format!("{}{}.", mode(&ruling), ruling.reason))?;
        }
        // What will change is listed before anything does.
        out.table(&table(&tokens, expires_at))?;
        if !self.only_tells() {
            tokens = apply(&console, &tokens, expires_at, &ruling.reason)?;
        }
        let sentence = match (tokens.len(), self.only_tells()) {
            (0, _) => "There is no token without an expiry date".to_owned(),
            (count, true) => format!(
                "{} would get the expiry date {expires_at}; nothing was changed{}",
                counted(count),
                if self.dry_run {
                    ""
                } else {
                    ", say --apply for that"
                }
            ),
            (count, false) => format!("Gave {} the expiry date {expires_at}", counted(count)),
        };
        out.result(
            &object(&ruling, &self, Some(expires_at), &tokens),
            &sentence,
        )
    }

    fn has_history(&self) -> bool {
        self.from_version.is_some() || self.new_install.is_some() || self.hosted
    }

    /// A history is a question first of all.
    fn only_tells(&self) -> bool {
        self.dry_run || self.has_history() && !self.apply
    }

    fn ruling(&self, today: NaiveDate) -> Result<Ruling, Failure> {
        let history = match (self.from_version, self.upgraded_on, self.new_install) {
            (Some(from), Some(on), _) => History::Upgrade { from, on },
            (_, _, Some(release)) => History::NewInstall(release),
            _ if self.hosted => History::Hosted,
            _ => {
                return Ok(Ruling {
                    mode: Mode::Dated,
                    reason: "An administrator asked for it".to_owned(),
                });
            }
        };
        history
            .check(today)
            .map_err(|why| Failure::new(format!("--upgraded-on: {why}")))?;
        Ok(history.ruling())
    }

    /// The day from which is counted.
    fn day(&self, today: NaiveDate) -> Result<NaiveDate, Failure> {
        match self.on {
            Some(day) if day > today => Err(Failure::new(format!(
                "--on: {day} is yet to come; the latest is today, {today}"
            ))),
            Some(day) => Ok(day),
            None => Ok(today),
        }
    }
}

fn find(console: &Console) -> Result<Vec<Undated>, Failure> {
    let mut all: Vec<Undated> = Vec::new();
    loop {
        let after = all.last().map_or(0, |token| token.id);
        let found = console.read(|conn, ctx| legacy::find(conn, ctx, after, AT_ONCE))?;
        if found.is_empty() {
            return Ok(all);
        }
        all.extend(found);
    }
}

/// In several transactions: each token is whole with its line in the trail, nobody who writes waits for all of them,
/// and after an interruption the same command goes on.
fn apply(
    console: &Console,
    tokens: &[Undated],
    expires_at: NaiveDate,
    reason: &str,
) -> Result<Vec<Undated>, Failure> {
    let mut changed = Vec::new();
    for some in tokens.chunks(usize::try_from(AT_ONCE).unwrap_or(1)) {
        let ids: Vec<i64> = some.iter().map(|token| token.id).collect();
        let reason = reason.to_owned();
        let given = console
            .write(move |conn, ctx| legacy::apply(conn, ctx, &ids, expires_at, &reason))
            .map_err(|failure| {
                Failure::new(format!(
                    "{failure}; {} a date so far, and the same command goes on with the others",
                    got(changed.len())
                ))
            })?;
        changed.extend(given);
    }
    Ok(changed)
}

fn got(count: usize) -> String {
    match count {
        0 => "no token got".to_owned(),
        _ => format!("{} got", counted(count)),
    }
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 token".to_owned(),
        _ => format!("{count} tokens"),
    }
}

fn mode(ruling: &Ruling) -> String {
    ruling
        .mode
        .letter()
        .map(|letter| format!("Mode {letter}: "))
        .unwrap_or_default()
}

fn table(tokens: &[Undated], expires_at: NaiveDate) -> Table {
    let mut table = Table::new(&["ID", "NAME", "KIND", "HOLDER", "EXPIRES"], "");
    for token in tokens {
        table.row([
            token.id.to_string(),
            token.name.clone(),
            token.kind.to_owned(),
            token.holder.clone(),
            expires_at.to_string(),
        ]);
    }
    table
}

fn object(
    ruling: &Ruling,
    command: &ApplyExpiry,
    expires_at: Option<NaiveDate>,
    tokens: &[Undated],
) -> Value {
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| {
            json!({
                "id": token.id,
                "kind": token.kind,
                "name": token.name,
                "holder": token.holder,
                "username": token.username,
                "expires_at": expires_at,
            })
        })
        .collect();
    json!({
        "mode": ruling.mode.letter(),
        "reason": ruling.reason,
        "dry_run": command.only_tells(),
        "expires_at": expires_at,
        "count": tokens.len(),
        "tokens": tokens,
    })
}
